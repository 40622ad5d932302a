#include "ui/bundle_cells.h"

#include <charconv>

#include <fmt/format.h>

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

/// Channel in "addd,0,sm", or -1.
int channel_of(std::string_view line) {
    const std::string_view name = line.substr(0, line.find(' '));
    const auto parts = split(name, ",");
    if (parts.size() < 2 || parts[1].size() != 1 || parts[1][0] < '0' || parts[1][0] > '5')
        return -1;
    return parts[1][0] - '0';
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

OpText tokenize(std::string_view line, bool has_result, const guest::SymbolTable* symbols) {
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
                               (token.kind == TokenKind::Predicate && i + 1 == op.operands.size() &&
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

/// Does the operation of this lane write a register, predicate or state register?
bool writes_result(const isa::AlsOp& als) {
    return als.op && als.op->dst != isa::Width::None && !als.op->has(isa::OpFlag::Store);
}

Unit unit_of_other(std::string_view line) {
    if (line.starts_with("mova") || line.starts_with("apb")) return Unit::Aau;
    if (contains(line, "@p")) return Unit::Predicates;
    return Unit::Control;
}

void add_lane_line(GridRow& grid, const isa::Bundle& bundle, int channel, std::string_view line,
                   const guest::SymbolTable* symbols) {
    auto& cell = grid.cells[static_cast<std::size_t>(channel)];
    const isa::AlsOp& als = bundle.als[static_cast<std::size_t>(channel)];
    OpText op = tokenize(line, writes_result(als) && !line.starts_with("incr"), symbols);
    // objdump prints "ambiguous" where several names share an encoding; the table knows one.
    if (op.mnemonic[0].text.starts_with("ambiguous") && als.op)
        op = tokenize(isa::format_als(bundle, channel, {.canonical_plog = true}), true, symbols);
    if (op.mnemonic[0].text.starts_with("unrecognized")) op.mnemonic[0].kind = TokenKind::Bad;
    cell.push_back(std::move(op));
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
    for (std::string_view line : row.text) {
        line = trim(line);
        // The nop column shows nop and loop_mode; ipd only hints at prefetching and is left to the
        // text view and the tool tip.
        if (line.empty() || line == "loop_mode" || line.starts_with("nop ") ||
            line.starts_with("ipd "))
            continue;
        const int channel = channel_of(line);
        if (channel >= 0 && !line.starts_with("mova")) {
            add_lane_line(grid, bundle, channel, line, symbols);
            continue;
        }
        grid.cells[static_cast<std::size_t>(unit_of_other(line))].push_back(
            tokenize(line, false, symbols));
    }
    // The second member of a pair is not printed; its lane is busy all the same.
    for (int c = 0; c < isa::kChannels; ++c) {
        auto& cell = grid.cells[static_cast<std::size_t>(c)];
        if (!bundle.has_als(c) || !cell.empty()) continue;
        OpText second;
        second.mnemonic.push_back({"(pair)", TokenKind::Plain});
        cell.push_back(std::move(second));
    }
    for (unsigned i = 0; i < bundle.lts_count; ++i)
        grid.literals.push_back(fmt::format("{:08x}", bundle.lts[i]));
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
    const std::size_t count = bundle.length / 4u;
    std::vector<std::string> names(count);
    std::size_t at = 0;
    const auto put = [&](std::string name) {
        if (at < count) names[at++] = std::move(name);
    };
    // Order of the parts: encoding.md §2.2.
    const std::uint32_t hs = bundle.hs;
    const std::size_t front = (hs & 15) + 1;
    put("HS");
    if (hs >> 12 & 1) put("SS");
    for (unsigned c = 0; c < 6; ++c) {
        if (hs >> (26 + c) & 1) put(fmt::format("ALS{}", c));
    }
    if (hs >> 14 & 1) put("CS0");
    const bool has_cs1 = hs >> 15 & 1;
    if (at + (has_cs1 ? 1 : 0) < front) put("ALES2/5");
    if (has_cs1) put("CS1");
    // From the end: CDS, PLS, LTS.
    std::size_t end = count;
    const auto back = [&](const char* name, unsigned total) {
        for (unsigned i = 0; i < total && end > at; ++i)
            names[--end] = fmt::format("{}{}", name, i);
    };
    back("CDS", hs >> 16 & 3);
    back("PLS", hs >> 18 & 3);
    std::size_t halves = 0;
    for (unsigned c : {0u, 1u, 3u, 4u}) halves += hs >> (20 + c) & 1;
    if (bundle.ss.present && !bundle.ss.format2) {
        // mova bits SS[15:12]: one AAS address each, one opcode half per pair (encoding.md §7).
        const unsigned mova = bundle.ss.raw >> 12 & 15;
        for (unsigned i = 0; i < 4; ++i) halves += mova >> i & 1;
        halves += ((mova & 3) != 0) + ((mova & 12) != 0);
    }
    for (std::size_t i = 0; i < (halves + 1) / 2 && at < end; ++i) put("ALES/AAS");
    for (unsigned n = 0; n < 4 && end > at; ++n) names[--end] = fmt::format("LTS{}", n);
    for (; at < end; ++at) names[at] = "gap";
    return names;
}

}  // namespace e2k::ui
