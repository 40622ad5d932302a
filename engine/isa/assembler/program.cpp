// Passes over a source until every symbol has settled.
#include "engine/isa/assembler/program.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/isa/assembler/assembly.h"

namespace e2k::isa {
namespace assembler {
namespace {

/// A chain of definitions settles one link in each pass.
constexpr int kMaxPasses = 24, kPassesWithErrors = 4;
constexpr std::size_t kMaxWork = std::size_t{1} << 22;  ///< statements of all passes
constexpr int kDefaultIset = 4;
constexpr std::string_view kStart = "_start";

/// Where a program begins whose source is a compiler's: it has `main`, which the C library calls
/// (libraries.md §2).
constexpr std::string_view kStartup = R"(
        .text
        .balign 8
        .globl _start
        .type _start, @function
_start: { setwd wsz = 8, nfx = 1, dbl = 0
          setbn rbs = 4, rsz = 3, rcur = 0
          getsp,0 _f32s 0xffffffc0, %dr2
          disp %ctpr1, __libc_start_main }
        { nop 4
          addd,1 %dr2, 64, %dr1 }
        { nop 4
          ldd,0 %dr1, 0, %dr3
          addd,1 %dr1, 8, %db[2]
          addd,3,sm %dr0, 0, %db[5] }
        { rrd,0 %ip, %dr4
          addd,1 0, _f64 _GLOBAL_OFFSET_TABLE_, %dr5 }
        { addd,0 %dr4, %dr5, %dr4 }
        { addd,0 %dr4, _f64 main@GOTOFF, %db[0]
          sxt,1 2, %dr3, %db[1]
          addd,2 0, 0, %db[3]
          addd,3 0, 0, %db[4] }
        { addd,0 0, 0, %db[6]
          call %ctpr1, wbs = 4 }
        { ldw,0 0, 0, %r0 }
        .size _start, . - _start
)";

}  // namespace

Assembly::Assembly(std::string_view source, const ProgramSourceOptions& options)
    : options_(options), iset_(options.iset ? options.iset : kDefaultIset) {
    preprocess(
        source, options.read,
        [this](std::string_view name, const ExpandedSource& so_far) {
            return early_value(name, so_far);
        },
        expanded_);
    probe_.reset();
    probe_texts_.clear();
    first_errors_ = expanded_.errors;
    if (expanded_.hopeless) return;
    statements_ = cut_source(expanded_.text, first_errors_);
    line_starts_.push_back(0);
    for (std::size_t i = 0; i < expanded_.text.size(); ++i)
        if (expanded_.text[i] == '\n') line_starts_.push_back(i + 1);
}

Assembly::Assembly(Probe, const ProgramSourceOptions& options)
    : options_(options), iset_(options.iset ? options.iset : kDefaultIset), probing_(true) {
    options_.keep_lines = false;
    sections_.begin_pass();
    sections_.lay_out_apart();
}

std::optional<SymbolValue> Assembly::early_value(std::string_view name,
                                                 const ExpandedSource& so_far) {
    if (!probe_) probe_.reset(new Assembly(Probe{}, options_));
    const std::string_view text = so_far.text;
    for (; scanned_ < text.size(); ++scanned_) {
        if (text[scanned_] == '{' && !open_brace_) open_brace_ = scanned_;
        if (text[scanned_] == '}') open_brace_.reset();
    }
    const std::size_t end = open_brace_.value_or(text.size());  // an open bundle waits
    if (end > probed_) {
        probe_texts_.push_back(std::make_unique<std::string>(text.substr(probed_, end - probed_)));
        probe_->take_early(*probe_texts_.back());
        probed_ = end;
    }
    return probe_->value_of(name);
}

void Assembly::take_early(std::string_view text) {
    Complaints ignored(expanded_.origins);
    for (const Statement& s : cut_source(text, ignored)) statement(s);
}

tl::expected<AssembledProgram, AssemblyErrors> Assembly::run() {
    if (expanded_.hopeless) return tl::unexpected(placed(first_errors_.list()));
    // The first pass finds the symbols, every later one is complete.
    std::size_t work = 0;
    bool done = false;
    if (options_.link.position_independent()) options_.base = 0;
    SymbolMap before;
    for (pass_ = 0; pass_ < kMaxPasses && !done && work < kMaxWork; ++pass_) {
        before = symbols_;
        run_pass();
        work += statements_.size();
        place_commons();
        linkage_.end_pass(errors_);
        const bool still = lay_out() && linkage_.settled();
        // Places that still move make complaints that will not last.
        done = pass_ > 0 &&
               ((still && settled(before)) || (!errors_.empty() && pass_ >= kPassesWithErrors));
    }
    if (const SourceLine* const circle = definitions_.circle(symbols_))
        fail(*circle, "this symbol is defined by itself");
    else if (errors_.empty() && !done)
        errors_.add({1, 1, "the sizes of this source depend on each other", {}});
    if (errors_.empty()) check_symbols();
    if (!errors_.empty()) return tl::unexpected(placed(errors_.list()));
    return program();
}

/// True if places of importance have not moved.
bool Assembly::lay_out() {
    if (in_segments()) return sections_.lay_out_in_segments(options_.base);
    sections_.lay_out(options_.base);
    return true;
}

void Assembly::run_pass() {
    data_last_ = false;
    strict_delay_ = options_.strict_delay;
    open_array_program_.reset();
    local_counts_.clear();
    dollar_scope_ = 0;
    lazy_count_ = 0;
    lines_.clear();
    definitions_.clear();
    commons_.clear();
    common_numbers_.clear();
    warnings_ = expanded_.warnings;
    errors_ = first_errors_;
    sections_.begin_pass();
    linkage_.begin_pass(pass_, iset_);
    for (const Statement& s : statements_) {
        if (errors_.full()) return;
        statement(s);
    }
    end_array_program();
}

void Assembly::statement(const Statement& s) {
    switch (s.kind) {
        case Statement::Kind::Label:
            return label(s.line);
        case Statement::Kind::Assignment:
            return assignment(s.line);
        case Statement::Kind::Directive:
            return directive(s.line, false);
        case Statement::Kind::Bundle:
            return bundle(s);
    }
}

bool Assembly::settled(const SymbolMap& before) const {
    return before.size() == symbols_.size() &&
           std::equal(before.begin(), before.end(), symbols_.begin(),
                      [](const auto& a, const auto& b) {
                          return a.first == b.first && a.second.value == b.second.value &&
                                 a.second.size == b.second.size;
                      });
}

void Assembly::check_symbols() {
    const auto start = symbols_.find(kStart);
    const bool needs_start = !options_.externals && options_.link.kind != OutputKind::Shared;
    if (!needs_start || (start != symbols_.end() && start->second.defined_in_pass >= 0)) return;
    AssemblyError warning{1, 1, "no `_start`: the program begins at its first bundle", {}};
    warning.warning = true;
    const auto& sections = sections_.all();
    const bool code = std::any_of(sections.begin(), sections.end(), [](const Section& s) {
        return s.kind.loaded && s.kind.executable && s.size;
    });
    if (!code) {
        warning.message = "the program has no `_start`, where it begins, and no code";
        warning.warning = false;
        return errors_.add(std::move(warning));
    }
    warnings_.add(std::move(warning));
}

AssemblyErrors Assembly::placed(AssemblyErrors errors) const {
    std::stable_sort(errors.begin(), errors.end(),
                     [](const AssemblyError& a, const AssemblyError& b) {
                         return std::pair(a.line, a.column) < std::pair(b.line, b.column);
                     });
    for (AssemblyError& e : errors) {
        if (e.source.empty()) e.source = source_line(e.line, e.line);
        if (e.source.size() > kLongestShown) e.source.clear();
        const auto at = static_cast<std::size_t>(e.line) - 1;
        if (at >= expanded_.origins.size()) continue;
        const Origin& origin = expanded_.origins[at];
        e.line = origin.line;
        e.file = expanded_.files[static_cast<std::size_t>(origin.file)];
        e.note = expanded_.notes[static_cast<std::size_t>(origin.note)];
    }
    return errors;
}

std::string Assembly::source_line(int first, int last) const {
    constexpr std::size_t kMost = std::size_t{1} << 14;
    const auto start = [&](int line) {
        const auto at = static_cast<std::size_t>(line) - 1;
        return at < line_starts_.size() ? line_starts_[at] : expanded_.text.size();
    };
    const auto from = start(first);
    std::string text = expanded_.text.substr(from, std::min(start(last + 1) - from, kMost));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return text;
}

AssembledProgram Assembly::program() {
    AssembledProgram out;
    out.iset = iset_;
    out.kind = options_.link.kind;
    out.base = options_.base;
    if (in_segments()) out.segments = segments_of(sections_, options_.base);
    std::vector<int> numbers(sections_.all().size(), -1);  // of each section in `out`
    std::optional<std::uint64_t> first_code;
    for (const std::size_t index : sections_.file_order(in_segments())) {
        Section& s = sections_.all()[index];
        numbers[index] = static_cast<int>(out.sections.size());
        if (s.kind.loaded && s.kind.executable && !first_code) first_code = s.address;
        AssembledSection& made = out.sections.emplace_back();
        made.name = s.name;
        made.address = s.address;
        made.size = s.size;
        made.writable = s.kind.writable;
        made.executable = s.kind.executable;
        made.loaded = s.kind.loaded;
        made.tls = s.kind.tls;
        for (auto& [number, part] : s.parts) {
            made.alignment = std::max(made.alignment, part.alignment);
            if (!s.kind.contents) continue;
            made.bytes.resize(part.start);
            if (made.bytes.empty())
                made.bytes = std::move(part.bytes);
            else
                made.bytes.insert(made.bytes.end(), part.bytes.begin(), part.bytes.end());
            part.bytes = {};
        }
    }
    place_symbols(out, numbers);
    const auto start = symbols_.find(kStart);
    const bool has_start = start != symbols_.end() && start->second.defined_in_pass >= 0;
    const bool shared = options_.link.kind == OutputKind::Shared;
    out.entry = has_start ? start->second.value : shared ? 0 : first_code.value_or(0);
    if (options_.keep_lines) place_lines(out);
    out.warnings = placed(warnings_.list());
    out.printed = std::move(expanded_.printed);
    return out;
}

void Assembly::place_symbols(AssembledProgram& out, const std::vector<int>& section_numbers) const {
    // Where an address is: for other names of places (`.set other, place`).
    const auto section_at = [&](std::uint64_t address) {
        for (std::size_t i = 0; i < out.sections.size(); ++i) {
            const AssembledSection& section = out.sections[i];
            if (section.loaded && !section.tls && address >= section.address &&
                address - section.address < section.size)
                return static_cast<int>(i);
        }
        return -1;
    };
    for (const auto& [name, s] : symbols_) {
        if (s.defined_in_pass < 0 || name.starts_with(".L")) continue;
        const bool other_name =
            !s.label && !s.constant && (s.declared_global || s.weak) && section_at(s.value) >= 0;
        if (!s.label && !other_name) continue;
        AssembledSymbol& made = out.symbols.emplace_back();
        made.name = name;
        made.address = s.value;
        made.size = s.size;
        made.global = s.declared_global;
        made.weak = s.weak;
        made.type = s.type;
        made.function = s.type == SymbolType::Function;
        made.visibility = s.visibility;
        made.section = s.section < section_numbers.size() ? section_numbers[s.section] : -1;
        if (other_name) made.section = section_at(s.value);
        if (other_name || made.section < 0 || !sections_.all()[s.section].kind.tls) continue;
        made.address -= sections_.thread_block().begin;
        made.type = SymbolType::Tls;
    }
    for (AssembledSymbol& s : linkage_.others()) out.symbols.push_back(std::move(s));
}

void Assembly::place_lines(AssembledProgram& out) const {
    for (const NotedLine& noted : lines_) {
        AssembledLine& l = out.lines.emplace_back();
        const Origin& origin = expanded_.origins[static_cast<std::size_t>(noted.line) - 1];
        l.text = source_line(noted.line, noted.last_line);
        l.line = origin.line;
        l.last_line = origin.line + noted.last_line - noted.line;
        l.file = expanded_.files[static_cast<std::size_t>(origin.file)];
        l.note = expanded_.notes[static_cast<std::size_t>(origin.note)];
        l.address = noted.address;
        l.bytes = noted.bytes;
    }
}

}  // namespace assembler

tl::expected<AssembledProgram, AssemblyErrors> assemble_program(
    std::string_view source, const ProgramSourceOptions& options) {
    auto program = assembler::Assembly(source, options).run();
    const bool starts = options.link.kind == OutputKind::Dynamic ||
                        options.link.kind == OutputKind::PositionIndependent;
    if (!program || !starts || options.externals) return program;
    const auto defines = [&](std::string_view name) {
        return std::ranges::any_of(program->symbols, [&](const AssembledSymbol& s) {
            return s.name == name && !s.undefined;
        });
    };
    if (defines(assembler::kStart) || !defines("main")) return program;
    return assembler::Assembly(std::string(source) + std::string(assembler::kStartup), options)
        .run();
}

}  // namespace e2k::isa
