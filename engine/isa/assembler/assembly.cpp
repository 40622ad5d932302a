// Statements: labels, assignments and bundles.
#include "engine/isa/assembler/assembly.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/isa/assembler/draft.h"
#include "engine/isa/assembler/lexical.h"

namespace e2k::isa::assembler {

void Assembly::fail(const SourceLine& line, std::string message) {
    errors_.add(error_at(line, std::move(message)));
}

void Assembly::warn(const SourceLine& line, std::string message) {
    auto warning = error_at(line, std::move(message));
    warning.warning = true;
    warnings_.add(std::move(warning));
}

bool Assembly::finish(Cursor& in) {
    if (in.ok() && !in.at_end()) in.fail("nothing more expected here");
    if (in.ok()) return true;
    errors_.add(*in.error());
    return false;
}

bool Assembly::check(const SourceLine& line, Trouble trouble) {
    if (trouble) fail(line, std::move(*trouble));
    return !trouble;
}

void Assembly::emit(const SourceLine& line, std::span<const std::uint8_t> bytes, int last_line) {
    if (options_.keep_lines && sections_.section().kind.contents) {
        NotedLine& l = lines_.emplace_back();
        l.line = line.line;
        l.last_line = std::max(line.line, last_line);
        l.address = sections_.location();
        l.bytes.assign(bytes.begin(), bytes.end());
    }
    linkage_.note(sections_.index(), sections_.part_number(), sections_.offset(),
                  statement_fields_);
    statement_fields_.clear();
    check(line, sections_.append(bytes));
}

// ---- labels and assignments --------------------------------------------------------------------

Symbol Assembly::label_here() const {
    Symbol s;
    s.value = sections_.location();
    s.constant = sections_.section().kind.absolute;
    s.label = true;
    s.region = sections_.region();
    s.section = sections_.index();
    if (!s.constant) s.link.base = linkage_.base();
    return s;
}

void Assembly::label(const SourceLine& line) {
    std::string_view text = line.text;
    if (text.starts_with('"')) return define(line, std::string(take_quoted(text)), label_here());
    const auto number = text.ends_with('$') ? text.substr(0, text.size() - 1) : text;
    const bool local =
        is_digit(text.front()) && number.find_first_not_of("0123456789") == std::string_view::npos;
    if (local && number != text) return define(line, dollar_name(number), label_here());
    if (local) {
        const int count = ++local_counts_[std::string(number)];
        return define(line, fmt::format(".L{}.{}", number, count), label_here());
    }
    ++dollar_scope_;
    define(line, std::string(plain_name(text)), label_here());
}

void Assembly::assignment(const SourceLine& line) {
    auto in = cursor(line);
    const std::string name = in.name();
    if (in.accept("==")) return assign_lazily(in, name);
    in.expect("=");
    if (name == ".") return move_to(in);
    assign(in, name, Redefine::Allowed);
}

// ---- bundles -----------------------------------------------------------------------------------

void Assembly::bundle(const Statement& s) {
    constexpr std::uint64_t kBundle = 8;
    if (sections_.offset() % kBundle)
        return fail(s.line, "a bundle starts at a multiple of 8; put .align 8 before it");
    sections_.need_alignment(kBundle);
    if (!sections_.section().kind.contents)
        return fail(s.line, "a section without contents holds only reserved space");
    AssemblerOptions options;
    options.iset = iset_;
    options.symbols = lookup_;
    options.warnings = &bundle_warnings_;
    options.fields = &statement_fields_;
    statement_fields_.clear();
    std::vector<std::uint32_t> syllables;
    std::vector<InnerLabel> labels;
    const auto source = without_labels(s, labels);
    options.data_last = data_last_;
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
    auto bytes = assemble_bundle(operations, sections_.location(), options);
    in_code_ = false;
    for (const InnerLabel& label : labels) {
        Symbol at = label_here();
        if (label.operation < syllables.size()) at.value += syllables[label.operation];
        define(label.line, label.name, at);
    }
    if (!is_array_program(source))
        end_array_program();
    else if (bytes)
        array_program(source.front(), (*bytes)[3] & 0x80);
    for (AssemblyError& w : bundle_warnings_) warnings_.add(std::move(w));
    bundle_warnings_.clear();
    if (bytes)
        return emit(s.line, *bytes, s.operations.empty() ? s.line.line : s.operations.back().line);
    for (AssemblyError& e : bytes.error()) errors_.add(std::move(e));
}

/// The operations of a bundle; the labels between them go to `labels`, directives are done.
std::vector<SourceLine> Assembly::without_labels(const Statement& s,
                                                 std::vector<InnerLabel>& labels) {
    constexpr std::string_view kLabel = ".label";
    std::vector<SourceLine> operations;
    for (const SourceLine& line : s.operations) {
        if (!line.text.starts_with('.')) {
            operations.push_back(line);
            continue;
        }
        auto in = cursor(line);
        if (lower(in.word()) != kLabel) {
            directive(line, true);
            continue;
        }
        if (in.at_end()) in.fail("the name of the label expected");
        const std::string name = in.ok() ? in.name() : std::string();
        if (finish(in)) labels.push_back({line, name, operations.size()});
    }
    for (const InnerLabel& label : labels)
        if (label.operation == operations.size())
            fail(label.line, "no operation follows whose syllable this could name");
    return operations;
}

// ---- array programs: 16-byte entries, the last one with ct = 1 (syllables.md §10) ---------------

bool Assembly::is_array_program(const std::vector<SourceLine>& operations) {
    constexpr std::string_view kName = "fapb";
    return !operations.empty() && lower(operations.front().text.substr(0, kName.size())) == kName;
}

void Assembly::array_program(const SourceLine& line, bool last) {
    constexpr int kMaxEntries = 32;
    if (!open_array_program_) entries_ = 0;
    if (++entries_ == kMaxEntries + 1) fail(line, "an array program has at most 32 entries");
    open_array_program_.reset();
    if (!last) open_array_program_ = line;
}

void Assembly::end_array_program() {
    if (open_array_program_)
        fail(*open_array_program_, "the last entry of an array program needs `ct = 1`");
    open_array_program_.reset();
}

}  // namespace e2k::isa::assembler
