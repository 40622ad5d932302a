// Passes over a source until every symbol has settled.
#include "engine/isa/assembler/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "engine/isa/assembler/draft.h"
#include "engine/isa/assembler/preprocess.h"
#include "engine/isa/assembler/source.h"

namespace e2k::isa {
namespace assembler {
namespace {

constexpr std::uint64_t kPage = 0x1000, kMaxSection = 1ull << 28;
constexpr std::size_t kMaxErrors = 100;
constexpr int kMaxPasses = 6, kDefaultIset = 4;
constexpr unsigned kOffsetEntry = 8;  ///< bytes
constexpr std::string_view kOffsetTable = "_GLOBAL_OFFSET_TABLE_", kOffsetSection = ".got";

struct Symbol {
    std::uint64_t value = 0, size = 0;
    bool constant = false, label = false, global = false, function = false;
    int defined_in_pass = -1, line = 1;
};

struct Section {
    AssembledSection out;
    std::uint64_t alignment = 8;
    bool bss = false;
};

/// State of all passes over one source.
class Assembly {
public:
    Assembly(std::string_view source, const ProgramSourceOptions& options)
        : options_(options),
          iset_(options.iset ? options.iset : kDefaultIset),
          expanded_(preprocess(source, options.read)) {
        first_errors_ = expanded_.errors;
        statements_ = cut_source(expanded_.text, first_errors_);
        line_starts_.push_back(0);
        for (std::size_t i = 0; i < expanded_.text.size(); ++i)
            if (expanded_.text[i] == '\n') line_starts_.push_back(i + 1);
        // The usual sections stand in this order, whichever the source names first.
        for (const auto name :
             {std::string_view(".text"), std::string_view(".rodata"), kOffsetSection,
              std::string_view(".data"), std::string_view(".bss")})
            section(name);
    }

    tl::expected<AssembledProgram, AssemblyErrors> run() {
        // The first pass finds the symbols, every later one is complete; so are its complaints.
        std::map<std::string, Symbol, std::less<>> before;
        for (pass_ = 0; pass_ < kMaxPasses; ++pass_) {
            before = symbols_;
            run_pass();
            fill_offset_table();
            lay_out();
            if (pass_ > 0 && (!errors_.empty() || same_values(before))) break;
        }
        if (errors_.empty() && pass_ == kMaxPasses)
            errors_.push_back({1, 1, "the sizes of this source depend on each other", {}});
        check_symbols();
        if (!errors_.empty()) return tl::unexpected(placed(std::move(errors_)));
        return program();
    }

private:
    // ---- sections and symbols --------------------------------------------------------------

    Section& section(std::string_view name) {
        const auto at = std::find_if(sections_.begin(), sections_.end(),
                                     [&](const Section& s) { return s.out.name == name; });
        if (at != sections_.end()) return *at;
        Section s;
        s.out.name = name;
        s.out.executable = name.starts_with(".text");
        s.bss = name.starts_with(".bss");
        s.out.writable = s.bss || name.starts_with(".data") || name == kOffsetSection;
        sections_.push_back(std::move(s));
        return sections_.back();
    }
    Section& here() { return sections_[current_]; }
    std::uint64_t offset() const { return sections_[current_].out.size; }
    std::uint64_t location() const { return sections_[current_].out.address + offset(); }

    /// Sections follow one another, each on its own page.
    void lay_out() {
        std::uint64_t at = options_.base;
        for (Section& s : sections_) {
            s.out.address = at;
            if (s.out.size) at = (at + s.out.size + kPage - 1) / kPage * kPage;
        }
    }

    std::optional<SymbolValue> value_of(std::string_view name) {
        if (name == ".") return SymbolValue{location(), false};
        if (const auto at = name.find('@'); at != name.npos)
            return reference(name.substr(0, at), lower(name.substr(at + 1)));
        // In code it counts from the bundle, as a displacement does (disassembly.md B.9).
        if (name == kOffsetTable)
            return SymbolValue{section(kOffsetSection).out.address - (in_code_ ? location() : 0),
                               false};
        if (const auto local = local_label(name)) return local;
        const auto at = symbols_.find(name);
        if (at == symbols_.end() || at->second.defined_in_pass < 0) {
            // In the first pass later symbols are not known yet.
            if (pass_ == 0) return SymbolValue{location(), false};
            return std::nullopt;
        }
        const Symbol& s = at->second;
        return SymbolValue{s.value, s.constant && s.defined_in_pass == pass_};
    }

    /// "x@GOT" and its kin: what a linker would put there in a static program.
    std::optional<SymbolValue> reference(std::string_view name, std::string_view kind) {
        constexpr int kShort = 32;
        const auto value = value_of(name);
        if (!value) return std::nullopt;
        if (kind == "gotoff")
            return SymbolValue{value->value - section(kOffsetSection).out.address, false};
        if (kind == "size") {
            const auto at = symbols_.find(name);
            return SymbolValue{at == symbols_.end() ? 0 : at->second.size, false, kShort};
        }
        // Nothing is bound late, so that GOT and GOTPLT entries are the same.
        auto entry = std::find(offset_table_.begin(), offset_table_.end(), name);
        if (entry == offset_table_.end()) entry = offset_table_.emplace(entry, name);
        const auto index = static_cast<std::uint64_t>(entry - offset_table_.begin());
        return SymbolValue{kOffsetEntry * index, false, kShort};
    }

    /// The address of every symbol that `@GOT` has asked for.
    void fill_offset_table() {
        Section& s = section(kOffsetSection);
        for (const std::string& name : offset_table_) {
            const auto value = value_of(name);
            for (unsigned i = 0; i < kOffsetEntry; ++i)
                s.out.bytes.push_back(
                    static_cast<std::uint8_t>(value.value_or(SymbolValue{}).value >> (8 * i)));
        }
        s.out.size = s.out.bytes.size();
    }

    /// `1b` and `1f`: nearest `1:` before or behind.
    std::optional<SymbolValue> local_label(std::string_view name) {
        const char direction = name.empty() ? '\0' : name.back();
        if ((direction != 'b' && direction != 'f') || name[0] < '0' || name[0] > '9')
            return std::nullopt;
        const auto number = name.substr(0, name.size() - 1);
        const auto seen = local_counts_.find(number);
        const int count = seen == local_counts_.end() ? 0 : seen->second;
        return value_of(local_name(number, direction == 'b' ? count : count + 1));
    }
    static std::string local_name(std::string_view number, int count) {
        return fmt::format(".L{}.{}", number, count);
    }

    void define(const SourceLine& where, const std::string& name, Symbol value) {
        if (name == kOffsetTable) return fail(where, "this name belongs to the assembler");
        Symbol& s = symbols_[name];
        if (value.label && s.defined_in_pass == pass_)
            return fail(where, "this name has been defined already");
        value.global = s.global;
        value.function = s.function;
        value.size = s.size;
        value.line = s.line;
        value.defined_in_pass = pass_;
        s = value;
    }

    bool same_values(const std::map<std::string, Symbol, std::less<>>& before) const {
        return before.size() == symbols_.size() &&
               std::equal(before.begin(), before.end(), symbols_.begin(),
                          [](const auto& a, const auto& b) {
                              return a.first == b.first && a.second.value == b.second.value &&
                                     a.second.size == b.second.size;
                          });
    }

    void check_symbols() {
        for (const auto& [name, s] : symbols_)
            if (s.global && s.defined_in_pass < 0)
                errors_.push_back({s.line, 1, "this global symbol is not defined", name});
        if (errors_.empty() && !symbols_.contains("_start"))
            errors_.push_back({1, 1, "the program has no `_start`, where it begins", {}});
    }

    // ---- statements ------------------------------------------------------------------------

    void fail(const SourceLine& line, std::string message) {
        if (errors_.size() < kMaxErrors) errors_.push_back(error_at(line, std::move(message)));
    }

    void run_pass() {
        current_ = 0;
        data_last_ = false;
        strict_delay_ = options_.strict_delay;
        open_array_program_.reset();
        local_counts_.clear();
        lines_.clear();
        warnings_.clear();
        errors_ = first_errors_;
        for (Section& s : sections_) {
            s.out.size = 0;
            s.out.bytes.clear();
        }
        for (const Statement& s : statements_) {
            if (errors_.size() >= kMaxErrors) return;
            switch (s.kind) {
                case Statement::Kind::Label:
                    label(s.line);
                    break;
                case Statement::Kind::Assignment:
                    assignment(s.line);
                    break;
                case Statement::Kind::Directive:
                    directive(s.line);
                    break;
                case Statement::Kind::Bundle:
                    bundle(s);
                    break;
            }
        }
        end_array_program();
    }

    /// Complaints in the reader's lines, in order.
    AssemblyErrors placed(AssemblyErrors errors) const {
        std::stable_sort(errors.begin(), errors.end(),
                         [](const AssemblyError& a, const AssemblyError& b) {
                             return std::pair(a.line, a.column) < std::pair(b.line, b.column);
                         });
        for (AssemblyError& e : errors) {
            e.source = source_line(e.line, e.line);
            const auto at = static_cast<std::size_t>(e.line) - 1;
            if (at >= expanded_.origins.size()) continue;
            const Origin& origin = expanded_.origins[at];
            e.line = origin.line;
            e.file = expanded_.files[static_cast<std::size_t>(origin.file)];
            e.note = origin.note;
            if (!origin.text.empty()) e.source = origin.text;
            if (const auto end = e.text.find('\n'); end != e.text.npos) e.text.resize(end);
        }
        return errors;
    }

    /// Text of expanded lines `first` to `last`.
    std::string source_line(int first, int last) const {
        const auto start = [&](int line) {
            const auto at = static_cast<std::size_t>(line) - 1;
            return at < line_starts_.size() ? line_starts_[at] : expanded_.text.size();
        };
        std::string text = expanded_.text.substr(start(first), start(last + 1) - start(first));
        while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
        return text;
    }

    void label(const SourceLine& line) {
        Symbol s;
        s.value = location();
        s.label = true;
        std::string name(plain_name(line.text));
        if (name[0] >= '0' && name[0] <= '9') name = local_name(line.text, ++local_counts_[name]);
        define(line, name, s);
    }

    void assignment(const SourceLine& line) {
        auto in = cursor(line);
        const std::string name(plain_name(in.word()));
        in.expect("=");
        assign(in, name);
    }

    void assign(Cursor& in, const std::string& name) {
        const Number n = in.expression();
        if (!finish(in)) return;
        Symbol s;
        s.value = n.value;
        s.constant = !n.is_symbolic();
        define(in.line(), name, s);
    }

    Cursor cursor(const SourceLine& line) { return {line, lookup_}; }

    bool finish(Cursor& in) {
        if (in.ok() && !in.at_end()) in.fail("nothing more expected here");
        if (in.ok()) return true;
        if (errors_.size() < kMaxErrors) errors_.push_back(*in.error());
        return false;
    }

    void emit(const SourceLine& line, std::span<const std::uint8_t> bytes, int last_line = 0) {
        Section& s = here();
        if (s.bss) return fail(line, "a section without contents holds only reserved space");
        note_line(line, bytes, last_line);
        s.out.bytes.insert(s.out.bytes.end(), bytes.begin(), bytes.end());
        s.out.size += bytes.size();
    }

    /// Remembers for the listing what the statement became.
    void note_line(const SourceLine& line, std::span<const std::uint8_t> bytes, int last_line) {
        AssembledLine& l = lines_.emplace_back();
        l.line = line.line;  // of the expanded source until `program`
        l.last_line = std::max(line.line, last_line);
        l.address = location();
        l.bytes.assign(bytes.begin(), bytes.end());
    }

    void reserve(const SourceLine& line, std::uint64_t size, std::uint8_t fill = 0) {
        Section& s = here();
        if (size > kMaxSection - s.out.size) return fail(line, "the section would be too large");
        if (!s.bss) s.out.bytes.insert(s.out.bytes.end(), size, fill);
        s.out.size += size;
    }

    void align(const SourceLine& line, std::uint64_t to) {
        if (to == 0 || (to & (to - 1)) || to > kPage)
            return fail(line, "an alignment is a power of two up to 4096");
        reserve(line, (to - offset() % to) % to);
    }

    void bundle(const Statement& s) {
        if (offset() % 8)
            return fail(s.line, "a bundle starts at a multiple of 8; put .align 8 before it");
        AssemblerOptions options;
        options.iset = iset_;
        options.data_last = data_last_;
        options.symbols = lookup_;
        options.warnings = &warnings_;
        std::vector<std::uint32_t> syllables;
        std::vector<InnerLabel> labels;
        const auto source = without_labels(s, labels);
        if (!labels.empty()) options.syllables = &syllables;
        auto operations = source;
        std::vector<std::string> texts;
        if (!s.braces) texts = alone(s.line, iset_, strict_delay_);
        for (std::size_t i = 0; i < texts.size(); ++i) {
            // The statement itself stays where the source has it.
            if (i == 0 && texts[0] == s.line.text) continue;
            if (i == 0) operations.clear();
            operations.push_back({texts[i], s.line.line, s.line.column});
        }
        in_code_ = true;
        auto bytes = assemble_bundle(operations, location(), options);
        in_code_ = false;
        for (const InnerLabel& label : labels) {
            Symbol at;
            at.label = true;
            at.value = location();
            if (label.operation < syllables.size()) at.value += syllables[label.operation];
            define(label.line, label.name, at);
        }
        if (!is_array_program(source))
            end_array_program();
        else if (bytes)
            array_program(source.front(), (*bytes)[3] & 0x80);
        if (bytes)
            return emit(s.line, *bytes,
                        s.operations.empty() ? s.line.line : s.operations.back().line);
        for (AssemblyError& e : bytes.error())
            if (errors_.size() < kMaxErrors) errors_.push_back(std::move(e));
    }

    /// `.label NAME` inside a bundle: where the syllable of the next operation stands.
    struct InnerLabel {
        SourceLine line;
        std::string name;
        std::size_t operation;
    };

    /// The operations of a bundle; the labels between them go to `labels`.
    std::vector<SourceLine> without_labels(const Statement& s, std::vector<InnerLabel>& labels) {
        constexpr std::string_view kLabel = ".label";
        std::vector<SourceLine> operations;
        for (const SourceLine& line : s.operations) {
            auto in = cursor(line);
            if (lower(in.word()) != kLabel) {
                operations.push_back(line);
                continue;
            }
            const std::string name(plain_name(in.word()));
            if (name.empty()) in.fail("the name of the label expected");
            if (finish(in)) labels.push_back({line, name, operations.size()});
        }
        for (const InnerLabel& label : labels)
            if (label.operation == operations.size())
                fail(label.line, "no operation follows whose syllable this could name");
        return operations;
    }

    // ---- array programs: 16-byte entries, the last one with ct = 1 (encoding.md §10) --------

    static bool is_array_program(const std::vector<SourceLine>& operations) {
        return !operations.empty() && lower(operations.front().text).starts_with("fapb");
    }

    void array_program(const SourceLine& line, bool last) {
        constexpr int kMaxEntries = 32;
        if (!open_array_program_) entries_ = 0;
        if (++entries_ == kMaxEntries + 1) fail(line, "an array program has at most 32 entries");
        open_array_program_.reset();
        if (!last) open_array_program_ = line;
    }

    void end_array_program() {
        if (open_array_program_)
            fail(*open_array_program_, "the last entry of an array program needs `ct = 1`");
        open_array_program_.reset();
    }

    // ---- directives ------------------------------------------------------------------------

    void directive(const SourceLine& line) {
        auto in = cursor(line);
        const auto name = lower(in.word());
        if (name == ".label") return fail(line, "this stands inside the braces of a bundle");
        if (!section_directive(name, in) && !data_directive(name, in) &&
            !symbol_directive(name, in))
            fail(line, "this directive is not known");
    }

    void enter(std::string_view name) {
        Section& s = section(name);
        current_ = static_cast<std::size_t>(&s - sections_.data());
    }

    bool section_directive(std::string_view name, Cursor& in) {
        if (name == ".text" || name == ".data" || name == ".rodata" || name == ".bss") {
            if (finish(in)) enter(name);
        } else if (name == ".section") {
            named_section(in);
        } else if (name == ".align" || name == ".balign" || name == ".p2align") {
            std::uint64_t to = in.constant(4096, "the alignment");
            if (name == ".p2align") to = to > 12 ? 0 : std::uint64_t{1} << to;
            if (in.accept(",")) in.expression();  // fill: always 0, an empty bundle in code
            if (finish(in)) align(in.line(), to);
        } else if (name == ".ignore" || name == ".accept") {
            const auto what = lower(in.word());
            if (what == "ld_st_style") data_last_ = name == ".ignore";
            if (what == "strict_delay") strict_delay_ = name == ".accept";
        } else if (name == ".cpu") {
            processor(in);
        } else {
            return name == ".file" || name == ".ident";  // nothing to do
        }
        return true;
    }

    /// `.cpu elbrus-v5`: the version the source is written for.
    void processor(Cursor& in) {
        in.at_end();
        const auto text = in.rest();
        const auto name = lower(text);
        const int version = name.size() == 9 && name.starts_with("elbrus-v") ? name[8] - '0' : 0;
        if (version < 2 || version > 6)
            in.fail_at(text, "elbrus-v2 to elbrus-v6 expected");
        else if (options_.iset && version > options_.iset)
            in.fail_at(text, fmt::format("the source needs more than elbrus-v{}, which was chosen",
                                         options_.iset));
        else if (!options_.iset)
            iset_ = version;
        if (!in.ok()) finish(in);
    }

    void named_section(Cursor& in) {
        const auto name = in.word();
        if (name.empty()) in.fail("the name of a section expected");
        if (name == kOffsetSection)
            in.fail_at(name, "this section belongs to the assembler, which fills it for @GOT");
        std::optional<std::string_view> flags;
        if (in.accept(",") && in.accept("\"")) {
            const auto rest = in.rest();
            flags = rest.substr(0, rest.find('"'));
        }
        if (!in.ok()) return static_cast<void>(finish(in));
        enter(name);
        if (!flags) return;
        here().out.executable = flags->find('x') != flags->npos;
        here().out.writable = flags->find('w') != flags->npos;
    }

    bool data_directive(std::string_view name, Cursor& in) {
        struct Size {
            std::string_view name;
            unsigned bytes;
        };
        constexpr std::array kSizes{Size{".byte", 1},  Size{".short", 2},  Size{".hword", 2},
                                    Size{".half", 2},  Size{".uahalf", 2}, Size{".word", 4},
                                    Size{".long", 4},  Size{".int", 4},    Size{".uaword", 4},
                                    Size{".dword", 8}, Size{".quad", 8},   Size{".uadword", 8}};
        for (const Size& s : kSizes)
            if (s.name == name) {
                contents(in, [&](auto& bytes) { read_number(in, s.bytes, bytes); });
                return true;
            }
        if (name == ".ascii" || name == ".asciz" || name == ".string") {
            contents(in, [&](auto& bytes) {
                read_string(in, bytes);
                if (name != ".ascii") bytes.push_back(0);
            });
        } else if (name == ".float" || name == ".single" || name == ".double") {
            contents(in, [&](auto& bytes) { read_real(in, name == ".double", bytes); });
        } else if (name == ".ptr") {
            contents(in, [&](auto& bytes) { read_number(in, 16, bytes); });
        } else if (name == ".reg") {
            const Operand o = parse_operand(in);
            if (in.ok() && o.kind != Operand::Kind::Register && o.kind != Operand::Kind::Special)
                in.fail_at(o.text, "a register expected");
            if (finish(in)) emit(in.line(), std::array{o.code});
        } else if (name == ".skip" || name == ".space" || name == ".zero") {
            const auto size = in.constant(static_cast<std::uint32_t>(kMaxSection), "the size");
            const auto fill = in.accept(",") ? in.constant(255, "the fill byte") : 0;
            if (finish(in)) reserve(in.line(), size, static_cast<std::uint8_t>(fill));
        } else {
            return false;
        }
        return true;
    }

    /// Values between commas, each appended by `read`.
    template <class Read>
    void contents(Cursor& in, const Read& read) {
        std::vector<std::uint8_t> bytes;
        do read(bytes);
        while (in.ok() && in.accept(","));
        if (finish(in)) emit(in.line(), bytes);
    }

    bool symbol_directive(std::string_view name, Cursor& in) {
        if (name == ".globl" || name == ".global" || name == ".weak") {
            do {
                Symbol& s = symbols_[std::string(plain_name(in.word()))];
                if (!s.global) s.line = in.line().line;
                s.global = true;
            } while (in.accept(","));
            finish(in);
        } else if (name == ".set" || name == ".equ") {
            const std::string symbol(plain_name(in.word()));
            in.expect(",");
            assign(in, symbol);
        } else if (name == ".type") {
            const std::string symbol(plain_name(in.word()));
            in.expect(",");
            const auto type = lower(in.word());
            symbols_[symbol].function = type.ends_with("function");
        } else if (name == ".size") {
            const std::string symbol(plain_name(in.word()));
            in.expect(",");
            const Number size = in.expression();
            if (finish(in)) symbols_[symbol].size = size.value;
        } else if (name == ".comm" || name == ".lcomm") {
            common(in);
        } else {
            return false;
        }
        return true;
    }

    void common(Cursor& in) {
        const std::string symbol(plain_name(in.word()));
        in.expect(",");
        const auto size = in.constant(static_cast<std::uint32_t>(kMaxSection), "the size");
        const auto alignment = in.accept(",") ? in.constant(4096, "the alignment") : 8u;
        if (!finish(in)) return;
        const auto saved = current_;
        enter(".bss");
        align(in.line(), alignment);
        Symbol s;
        s.value = location();
        s.label = true;
        define(in.line(), symbol, s);
        reserve(in.line(), size);
        current_ = saved;
    }

    AssembledProgram program() {
        AssembledProgram out;
        out.iset = iset_;
        out.entry = symbols_.find("_start")->second.value;
        for (Section& s : sections_)
            if (s.out.size) out.sections.push_back(std::move(s.out));
        for (const auto& [name, s] : symbols_)
            if (s.label && !name.starts_with(".L"))
                out.symbols.push_back({name, s.value, s.size, s.global, s.function});
        for (AssembledLine& l : lines_) {
            l.text = source_line(l.line, l.last_line);
            const Origin& origin = expanded_.origins[static_cast<std::size_t>(l.line) - 1];
            l.line = origin.line;
            l.file = expanded_.files[static_cast<std::size_t>(origin.file)];
            l.note = origin.note;
        }
        out.lines = std::move(lines_);
        out.warnings = placed(std::move(warnings_));
        return out;
    }

    ProgramSourceOptions options_;
    int iset_;
    ExpandedSource expanded_;
    std::vector<std::size_t> line_starts_;
    std::vector<Statement> statements_;
    AssemblyErrors first_errors_;  ///< of macros and of cutting; they stay in every pass
    AssemblyErrors errors_, warnings_;
    std::vector<AssembledLine> lines_;
    std::vector<Section> sections_;
    std::size_t current_ = 0;
    std::map<std::string, Symbol, std::less<>> symbols_;
    std::map<std::string, int, std::less<>> local_counts_;
    SymbolValues lookup_ = [this](std::string_view name) { return value_of(name); };
    std::vector<std::string> offset_table_;  ///< symbols that `@GOT` asks for
    bool in_code_ = false;                   ///< a bundle is being assembled
    bool data_last_ = false, strict_delay_ = true;
    std::optional<SourceLine> open_array_program_;  ///< its last entry so far
    int entries_ = 0;
    int pass_ = 0;
};

}  // namespace
}  // namespace assembler

tl::expected<AssembledProgram, AssemblyErrors> assemble_program(
    std::string_view source, const ProgramSourceOptions& options) {
    return assembler::Assembly(source, options).run();
}

}  // namespace e2k::isa
