// Passes over a source until every symbol has settled.
#include "engine/isa/assembler/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "engine/isa/assembler/draft.h"
#include "engine/isa/assembler/source.h"

namespace e2k::isa {
namespace assembler {
namespace {

constexpr std::uint64_t kPage = 0x1000, kMaxSection = 1ull << 28;
constexpr std::size_t kMaxErrors = 100;
constexpr int kMaxPasses = 6;

struct Symbol {
    std::uint64_t value = 0, size = 0;
    bool constant = false, label = false, global = false, function = false;
    int defined_in_pass = -1;
};

struct Section {
    AssembledSection out;
    std::uint64_t alignment = 8;
    bool bss = false;
};

/// State of all passes over one source.
class Assembly {
public:
    Assembly(std::string_view source, const ProgramSourceOptions& options) : options_(options) {
        statements_ = cut_source(source, errors_);
        // The usual sections stand in this order, whichever the source names first.
        for (const char* name : {".text", ".rodata", ".data", ".bss"}) section(name);
    }

    tl::expected<AssembledProgram, std::vector<AssemblyError>> run() {
        std::map<std::string, Symbol, std::less<>> before;
        for (pass_ = 0; pass_ < kMaxPasses && errors_.empty(); ++pass_) {
            before = symbols_;
            run_pass();
            lay_out();
            if (pass_ > 0 && same_values(before)) break;
        }
        if (errors_.empty() && pass_ == kMaxPasses)
            errors_.push_back({1, 1, "the sizes of this source depend on each other", {}});
        if (errors_.empty()) check_symbols();
        if (!errors_.empty()) return tl::unexpected(errors_);
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
        s.out.writable = s.bss || name.starts_with(".data");
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

    std::optional<SymbolValue> value_of(std::string_view name) const {
        if (name == ".") return SymbolValue{location(), false};
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

    /// `1b` and `1f`: nearest `1:` before or behind.
    std::optional<SymbolValue> local_label(std::string_view name) const {
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
        Symbol& s = symbols_[name];
        if (value.label && s.defined_in_pass == pass_)
            return fail(where, "this name has been defined already");
        value.global = s.global;
        value.function = s.function;
        value.size = s.size;
        value.defined_in_pass = pass_;
        s = value;
    }

    bool same_values(const std::map<std::string, Symbol, std::less<>>& before) const {
        return before.size() == symbols_.size() &&
               std::equal(before.begin(), before.end(), symbols_.begin(),
                          [](const auto& a, const auto& b) {
                              return a.first == b.first && a.second.value == b.second.value;
                          });
    }

    void check_symbols() {
        for (const auto& [name, s] : symbols_)
            if (s.global && s.defined_in_pass < 0)
                errors_.push_back({1, 1, "this global symbol is not defined", name});
        if (!symbols_.contains("_start"))
            errors_.push_back({1, 1, "the program has no `_start`, where it begins", {}});
    }

    // ---- statements ------------------------------------------------------------------------

    void fail(const SourceLine& line, std::string message) {
        if (errors_.size() < kMaxErrors) errors_.push_back(error_at(line, std::move(message)));
    }

    void run_pass() {
        current_ = 0;
        data_last_ = false;
        local_counts_.clear();
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
    }

    void label(const SourceLine& line) {
        Symbol s;
        s.value = location();
        s.label = true;
        std::string name(line.text);
        if (name[0] >= '0' && name[0] <= '9') name = local_name(line.text, ++local_counts_[name]);
        define(line, name, s);
    }

    void assignment(const SourceLine& line) {
        auto in = cursor(line);
        const std::string name(in.word());
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

    void emit(const SourceLine& line, std::span<const std::uint8_t> bytes) {
        Section& s = here();
        if (s.bss) return fail(line, "a section without contents holds only reserved space");
        s.out.bytes.insert(s.out.bytes.end(), bytes.begin(), bytes.end());
        s.out.size += bytes.size();
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
        options.iset = options_.iset;
        options.data_last = data_last_;
        options.symbols = lookup_;
        auto operations = s.operations;
        const auto delay = s.braces ? std::string_view{} : implied_delay(s.line);
        if (!delay.empty()) operations.push_back({delay, s.line.line, s.line.column});
        auto bytes = assemble_bundle(operations, location(), options);
        if (bytes) return emit(s.line, *bytes);
        if (errors_.size() < kMaxErrors) errors_.push_back(bytes.error());
    }

    /// Cycles a lone comparison or register write needs before its result can be used (B.8).
    std::string_view implied_delay(const SourceLine& line) {
        auto in = cursor(line);
        const auto rows = rows_of(lower(in.word()), options_.iset);
        if (rows.empty()) return {};
        if (rows.front()->format == Format::Alopf15) return "nop 5";
        if (rows.front()->dst != Width::Pred) return {};
        return rows.front()->family == Family::FpCompare || rows.front()->family == Family::Fp80
                   ? "nop 4"
                   : "nop 2";
    }

    // ---- directives ------------------------------------------------------------------------

    void directive(const SourceLine& line) {
        auto in = cursor(line);
        const auto name = lower(in.word());
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
            if (lower(in.word()) == "ld_st_style") data_last_ = name == ".ignore";
        } else {
            return name == ".file" || name == ".ident";  // nothing to do
        }
        return true;
    }

    void named_section(Cursor& in) {
        const auto name = in.word();
        if (name.empty()) in.fail("the name of a section expected");
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
                numbers(in, s.bytes);
                return true;
            }
        if (name == ".ascii" || name == ".asciz" || name == ".string") {
            strings(in, name != ".ascii");
        } else if (name == ".skip" || name == ".space" || name == ".zero") {
            const auto size = in.constant(static_cast<std::uint32_t>(kMaxSection), "the size");
            const auto fill = in.accept(",") ? in.constant(255, "the fill byte") : 0;
            if (finish(in)) reserve(in.line(), size, static_cast<std::uint8_t>(fill));
        } else {
            return false;
        }
        return true;
    }

    void numbers(Cursor& in, unsigned size) {
        std::vector<std::uint8_t> bytes;
        do {
            in.at_end();
            const auto start = in.rest();
            const Number n = in.expression();
            const auto sign = static_cast<std::int64_t>(n.value) >> (8 * size - 1);
            if (size < 8 && n.value >> (8 * size) && sign != -1)
                in.fail_at(start.substr(0, start.size() - in.rest().size()),
                           fmt::format("the number does not fit {} bits", 8 * size));
            for (unsigned i = 0; i < size; ++i)
                bytes.push_back(static_cast<std::uint8_t>(n.value >> (8 * i)));
        } while (in.ok() && in.accept(","));
        if (finish(in)) emit(in.line(), bytes);
    }

    void strings(Cursor& in, bool terminated) {
        std::vector<std::uint8_t> bytes;
        do {
            if (!string(in, bytes)) break;
            if (terminated) bytes.push_back(0);
        } while (in.accept(","));
        if (finish(in)) emit(in.line(), bytes);
    }

    static bool string(Cursor& in, std::vector<std::uint8_t>& bytes) {
        in.expect("\"");
        while (in.ok()) {
            const auto c = in.take();
            if (!c) in.fail("the string is not closed");
            if (!c || *c == '"') break;
            bytes.push_back(static_cast<std::uint8_t>(*c == '\\' ? escape(in) : *c));
        }
        return in.ok();
    }

    static char escape(Cursor& in) {
        const char c = in.take().value_or('\\');
        switch (c) {
            case 'n':
                return '\n';
            case 't':
                return '\t';
            case 'r':
                return '\r';
            default:
                break;
        }
        if (c < '0' || c > '7') return c;
        int value = c - '0';
        for (int i = 0; i < 2 && !in.rest().empty(); ++i) {
            const char d = in.rest().front();
            if (d < '0' || d > '7') break;
            value = value * 8 + (*in.take() - '0');
        }
        return static_cast<char>(value);
    }

    bool symbol_directive(std::string_view name, Cursor& in) {
        if (name == ".globl" || name == ".global") {
            do symbols_[std::string(in.word())].global = true;
            while (in.accept(","));
            finish(in);
        } else if (name == ".set" || name == ".equ") {
            const std::string symbol(in.word());
            in.expect(",");
            assign(in, symbol);
        } else if (name == ".type") {
            const std::string symbol(in.word());
            in.expect(",");
            const auto type = lower(in.word());
            symbols_[symbol].function = type.ends_with("function");
        } else if (name == ".size") {
            const std::string symbol(in.word());
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
        const std::string symbol(in.word());
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
        out.iset = options_.iset;
        out.entry = symbols_.find("_start")->second.value;
        for (Section& s : sections_)
            if (s.out.size) out.sections.push_back(std::move(s.out));
        for (const auto& [name, s] : symbols_)
            if (s.label && !name.starts_with(".L"))
                out.symbols.push_back({name, s.value, s.size, s.global, s.function});
        return out;
    }

    ProgramSourceOptions options_;
    std::vector<Statement> statements_;
    std::vector<AssemblyError> errors_;
    std::vector<Section> sections_;
    std::size_t current_ = 0;
    std::map<std::string, Symbol, std::less<>> symbols_;
    std::map<std::string, int, std::less<>> local_counts_;
    SymbolValues lookup_ = [this](std::string_view name) { return value_of(name); };
    bool data_last_ = false;
    int pass_ = 0;
};

}  // namespace
}  // namespace assembler

tl::expected<AssembledProgram, std::vector<AssemblyError>> assemble_program(
    std::string_view source, const ProgramSourceOptions& options) {
    return assembler::Assembly(source, options).run();
}

}  // namespace e2k::isa
