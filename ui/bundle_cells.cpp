#include "ui/bundle_cells.h"

#include <charconv>

#include <fmt/format.h>

#include "engine/isa/describe.h"
#include "engine/isa/disassembler.h"
#include "ui/format.h"

namespace e2k::ui {

namespace {

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + separator.size());
    }
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

std::string without_percent(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c != '%') out += c;
    }
    return out;
}

/// "NOT_LOOP_END" as "~LOOP_END", like negated predicates.
std::string negation_as_tilde(std::string text) {
    if (const std::size_t at = text.find("NOT_"); at != std::string::npos)
        text = text.substr(0, at) + '~' + text.substr(at + 4);
    return text;
}

bool contains(std::string_view text, std::string_view what) {
    return text.find(what) != std::string_view::npos;
}

/// A number after an optional "_f64 " prefix, as printed by objdump.
bool parse_number(std::string_view text, std::uint64_t& value) {
    if (!text.starts_with("0x")) return false;
    const auto [end, error] =
        std::from_chars(text.data() + 2, text.data() + text.size(), value, 16);
    return error == std::errc() && end == text.data() + text.size();
}

Token operand_token(std::string_view text, bool is_address, const guest::SymbolTable* symbols) {
    if (text.starts_with('<')) return {std::string(text), TokenKind::Bad};
    if (contains(text, "%pred") || contains(text, "%pcnt") || contains(text, "@p") ||
        contains(text, "%lcntex") || contains(text, "%LOOP_END") || contains(text, "%MLOCK"))
        return {negation_as_tilde(without_percent(text)), TokenKind::Predicate};
    if (text.starts_with('%') || text.starts_with('~')) {
        return {without_percent(text), TokenKind::Register};
    }
    if (text.starts_with("_f")) {
        const std::size_t blank = text.find(' ');
        if (blank != std::string_view::npos) text.remove_prefix(blank + 1);
    }
    std::uint64_t value = 0;
    if (parse_number(text, value)) {
        if (!is_address) return {std::string(text), TokenKind::Literal};
        const guest::Symbol* symbol = symbols ? symbols->find(value) : nullptr;
        if (symbol && symbol->address == value) return {symbol->name, TokenKind::Address};
        return {std::string(text), TokenKind::Address};
    }
    return {std::string(text), TokenKind::Plain};
}

/// Mnemonic without the channel: "addd,0,sm" becomes "addd.s".
std::string short_mnemonic(std::string_view name) {
    const auto parts = split(name, ",");
    std::string out(parts[0]);
    if (parts.back() == "sm") out += ".s";
    return out;
}

/// "wsz 16": settings whose order everybody knows are shown by their value alone.
std::string short_setting(std::string_view name, std::string_view value) {
    if (name == "nfx" || (name == "dbl" && value == "0")) return {};
    if (name == "dbl") return "dbl";
    if (name == "wsz" || name == "rbs" || name == "rsz" || name == "rcur" || name == "psz")
        return std::string(value);
    return fmt::format("{} {}", name, value);
}

/// Half of "abn abnf=1, abnt=1": what the advance does when the branch falls through (f) or is
/// taken (t). A set flag is "f" or "t", a clear one an empty text; anything else is Bad.
Token branch_flag(std::string_view name, std::string_view part) {
    if (part.size() != name.size() + 3 || !part.starts_with(name) || part[name.size() + 1] != '=')
        return {{}, TokenKind::Bad};
    if (part.back() != '1') return {};
    return {std::string(1, part[name.size()]), TokenKind::Plain};
}

}  // namespace

const char* title_of(Unit unit) {
    static constexpr const char* kTitles[kUnits] = {"ALC0", "ALC1",    "ALC2", "ALC3", "ALC4",
                                                    "ALC5", "Control", "PLU",  "AAU"};
    return kTitles[static_cast<std::size_t>(unit)];
}

std::string OpText::joined() const {
    std::string out;
    for (const auto* group : {&mnemonic, &operands, &guards}) {
        for (const Token& token : *group) {
            if (!out.empty()) out += ' ';
            out += token.text;
        }
    }
    return out;
}

OpText tokenize(std::string_view line, bool has_result, const guest::SymbolTable* symbols,
                bool to_predicate) {
    OpText op;
    line = trim(line);
    const std::size_t blank = line.find(' ');
    const std::string_view name = line.substr(0, blank);
    op.mnemonic.push_back({short_mnemonic(name), TokenKind::Mnemonic});
    if (blank == std::string_view::npos) return op;
    std::string_view rest = trim(line.substr(blank));

    std::string_view guards;
    if (const std::size_t mark = rest.find("? "); mark != std::string_view::npos) {
        guards = trim(rest.substr(mark + 2));
        rest = trim(rest.substr(0, mark));
    }
    const bool is_address = name == "disp" || name == "ldisp" || name == "ibranch" ||
                            name == "puttsd" || name.starts_with("icall");
    if (!rest.empty()) {
        for (std::string_view part : split(rest, ", ")) {
            part = trim(part);
            if (const Token flag = branch_flag(name, part); flag.kind != TokenKind::Bad) {
                if (!flag.text.empty()) op.operands.push_back(flag);
                continue;
            }
            if (const std::size_t equals = part.find(" = "); equals != std::string_view::npos) {
                // "wbs = 0x4": the name binds to its value, so they stay on one line.
                std::string value(part.substr(equals + 3));
                std::uint64_t number = 0;
                if (parse_number(value, number) && number < 1000) value = std::to_string(number);
                if (Token setting{short_setting(part.substr(0, equals), value), TokenKind::Plain};
                    !setting.text.empty())
                    op.operands.push_back(std::move(setting));
                continue;
            }
            op.operands.push_back(operand_token(part, is_address, symbols));
        }
    }
    if (has_result) {
        // A selecting predicate or mas follows the destination.
        for (std::size_t i = op.operands.size(); i-- > 1;) {
            const Token& token = op.operands[i];
            const bool extra = token.text.starts_with("mas ") ||
                               (token.kind == TokenKind::Predicate && !to_predicate &&
                                i + 1 == op.operands.size() &&
                                op.operands[i - 1].kind == TokenKind::Register && i >= 2);
            if (extra) continue;
            op.operands[i].text = fmt::format("→{}", op.operands[i].text);
            break;
        }
    }
    if (!guards.empty()) {
        bool first = true;
        for (std::string_view part : split(guards, ", ")) {
            Token token = operand_token(trim(part), false, symbols);
            token.kind = TokenKind::Predicate;
            token.text = negation_as_tilde(std::move(token.text));
            token.text = fmt::format("{}{}", first ? "? " : "& ", token.text);
            op.guards.push_back(std::move(token));
            first = false;
        }
    }
    return op;
}

namespace {

/// Name of an input of the predicate unit, "" if it is none that has a short one.
std::string input_name(const isa::Elp& elp) {
    switch (elp.kind) {
        case isa::Elp::Kind::Pred:
            return fmt::format("pred{}", elp.index);
        case isa::Elp::Kind::Lcntex:
            return "lcntex";
        default:
            return {};
    }
}

/// Value of local predicate `n` in terms of what the unit reads; "" if it cannot be said shortly.
std::string local_formula(const isa::PredicateLogic& plu, unsigned n, bool negated, int depth) {
    if (n < 4) {
        const std::string name = input_name(plu.elp[n]);
        return name.empty() ? name : (negated ? "~" : "") + name;
    }
    const isa::Clp& clp = plu.clp[n - 4];
    if (n >= 7 || clp.opcode != isa::ClpOpcode::Andp || depth > 3) return {};
    const std::string a = local_formula(plu, clp.p0, clp.neg0, depth + 1);
    const std::string b = local_formula(plu, clp.p1, clp.neg1, depth + 1);
    if (a.empty() || b.empty()) return {};
    // One input twice is a copy.
    const std::string both = a == b ? a : fmt::format("{} & {}", a, b);
    if (a == b && !negated) return both;
    return negated || depth > 0 ? fmt::format("{}({})", negated ? "~" : "", both) : both;
}

/// "pred4 = ~pred0 & ~pred1" for each predicate that the unit writes; empty if some of it cannot
/// be said so.
std::vector<OpText> logic_formulas(const isa::PredicateLogic& plu) {
    std::vector<OpText> out;
    for (unsigned k = 0; k < plu.clp.size(); ++k) {
        const isa::Clp& clp = plu.clp[k];
        if (k >= plu.count || !clp.writes) continue;
        const std::string formula = local_formula(plu, 4 + k, false, 0);
        if (formula.empty()) return {};
        OpText op;
        op.mnemonic.push_back({fmt::format("pred{}", clp.pdst), TokenKind::Predicate});
        op.operands.push_back({"=", TokenKind::Plain});
        for (const std::string_view part : split(formula, " "))
            op.operands.push_back({std::string(part), TokenKind::Predicate});
        out.push_back(std::move(op));
    }
    return out;
}

/// Does the operation of this lane write a register, predicate or state register?
bool writes_result(const isa::AlsOp& als) {
    return als.op && als.op->dst != isa::Width::None && !als.op->has(isa::OpFlag::Store);
}

Unit unit_of(const isa::DisassemblyLine& line) {
    switch (line.unit) {
        case isa::Unit::Als:
            return static_cast<Unit>(line.channel);
        case isa::Unit::Aas:
        case isa::Unit::Async:
            return Unit::Aau;
        case isa::Unit::Pls:
            return Unit::Predicates;
        default:
            return Unit::Control;
    }
}

}  // namespace

GridRow grid_row(const machine::CodeView::Row& row, const guest::SymbolTable* symbols) {
    GridRow grid;
    const isa::Bundle& bundle = row.bundle;
    grid.address = bundle.address;
    if (symbols) {
        const guest::Symbol* symbol = symbols->find(bundle.address);
        if (symbol && symbol->address == bundle.address) grid.label = symbol->name;
    }
    if (!row.valid) {
        grid.error = row.error.empty() ? "not a bundle" : row.error;
        return grid;
    }
    grid.nop = bundle.nop;
    grid.loop_mode = bundle.loop_mode;
    std::vector<OpText> formulas = logic_formulas(bundle.plu);
    const bool logic = !formulas.empty();
    if (logic) grid.cells[static_cast<std::size_t>(Unit::Predicates)] = std::move(formulas);
    for (const isa::DisassemblyLine& line :
         isa::disassemble_lines(bundle, isa::DisassemblyStyle::native())) {
        // The nop column shows nop and loop_mode; ipd only hints at prefetching and is left to the
        // text view and the tool tip.
        if (line.text.empty() || line.unit == isa::Unit::Hs || line.text.starts_with("ipd "))
            continue;
        if (logic && line.unit == isa::Unit::Pls) {
            ++grid.logic;
            continue;
        }
        const bool lane = line.unit == isa::Unit::Als;
        const bool result = lane && !line.text.starts_with("incr") &&
                            writes_result(bundle.als[static_cast<std::size_t>(line.channel)]);
        const bool to_predicate =
            lane &&
            bundle.als[static_cast<std::size_t>(line.channel)].dst.kind == isa::OperandKind::Pred;
        OpText op = tokenize(line.text, result, symbols, to_predicate);
        if (op.mnemonic[0].text.starts_with("unrecognized")) op.mnemonic[0].kind = TokenKind::Bad;
        grid.cells[static_cast<std::size_t>(unit_of(line))].push_back(std::move(op));
    }
    // The second member of a pair is not printed; its lane is busy all the same.
    for (int c = 0; c < isa::kChannels; ++c) {
        auto& cell = grid.cells[static_cast<std::size_t>(c)];
        if (!bundle.has_als(c) || !cell.empty()) continue;
        OpText second;
        second.mnemonic.push_back({"(pair)", TokenKind::Plain});
        cell.push_back(std::move(second));
    }
    if (grid.nop) grid.pause = fmt::format("nop {}", grid.nop);
    if (grid.loop_mode) grid.pause += grid.pause.empty() ? "loop" : " loop";
    using isa::Cs0Kind;
    const Cs0Kind kind = bundle.cs0.kind;
    if (bundle.cs0.present && (kind == Cs0Kind::Disp || kind == Cs0Kind::Ibranch))
        grid.target = bundle.cs0.target;
    return grid;
}

std::vector<GridRow> grid_rows(const machine::CodeView& code, const guest::SymbolTable* symbols) {
    std::vector<GridRow> rows;
    rows.reserve(code.rows.size());
    for (const auto& row : code.rows) rows.push_back(grid_row(row, symbols));
    return rows;
}

std::vector<std::string> syllable_names(const isa::Bundle& bundle) {
    std::vector<std::string> names(bundle.length / 4u);
    for (const isa::SyllableView& syllable : isa::describe_syllables(bundle)) {
        if (syllable.word >= names.size()) continue;
        std::string& name = names[syllable.word];
        std::string_view half = syllable.name;
        if (half.ends_with(".hi") || half.ends_with(".lo")) half.remove_suffix(3);
        if (name == half || (half == "padding" && !name.empty())) continue;
        if (!name.empty()) name += '/';
        name += half;
    }
    return names;
}

}  // namespace e2k::ui
