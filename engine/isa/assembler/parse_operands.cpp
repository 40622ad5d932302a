// Operands, conditions and literals of a statement (assembly.md §2, §3, §4).
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/isa/assembler/draft.h"
#include "engine/isa/assembler/lexical.h"
#include "engine/isa/disassembler.h"

namespace e2k::isa::assembler {
namespace {

using Kind = Operand::Kind;

std::optional<unsigned> number_behind(std::string_view word, std::string_view prefix) {
    if (!word.starts_with(prefix) || word.size() == prefix.size() ||
        word.size() > prefix.size() + 3)
        return std::nullopt;
    unsigned n = 0;
    for (const char c : word.substr(prefix.size())) {
        if (c < '0' || c > '9') return std::nullopt;
        n = n * 10 + static_cast<unsigned>(c - '0');
    }
    return n;
}

/// Codes by name; the names come from the disassembler's tables.
using Codes = std::map<std::string, std::uint32_t, std::less<>>;

const Codes& state_registers() {
    static const Codes codes = [] {
        Codes c{{"%usbr", 0x1e}, {"%rpr", 0xa0}};  // second names
        for (unsigned code = 0; code < 256; ++code)
            if (const auto name = state_register_name(static_cast<std::uint8_t>(code));
                !name.empty())
                c.emplace(name, code);
        for (unsigned n = 1; n <= 3; ++n) c.emplace(fmt::format("%ctpr{}.lo", n), 0x14 + n);
        return c;
    }();
    return codes;
}

/// Bits 23:8 of the syllable by AAU register name (syllables.md §4.1).
const Codes& array_registers() {
    static const Codes codes = [] {
        Codes c;
        for (std::uint8_t group = 0; group < 32; ++group)
            for (std::uint8_t n = 0; n < 32; ++n) {
                AauAddress by_d, by_ind;
                by_d.group = by_ind.group = group;
                by_d.d = n;
                by_ind.ind = n & 15;
                const auto low = static_cast<std::uint32_t>(group) << 2;
                c.emplace(aau_register_name(by_ind), low | (n & 15u) << 7);
                c.emplace(aau_register_name(by_d), low | static_cast<std::uint32_t>(n) << 11);
            }
        return c;
    }();
    return codes;
}

/// "%dr5", "%qpg3", "%xr[7]" and "%db[5]"; the size prefix is not checked.
bool parse_register(Cursor& in, std::string_view word, std::string_view name, Operand& operand) {
    name.remove_prefix(1);
    for (const std::string_view prefix : {"qp", "q", "d", "x"})
        if (name.starts_with(prefix) && name.size() > prefix.size() &&
            std::string_view("rbg").find(name[prefix.size()]) != std::string_view::npos) {
            name.remove_prefix(prefix.size());
            break;
        }
    struct Bank {
        char letter;
        unsigned count, base;
    };
    for (const Bank bank : {Bank{'r', 64, 0x80}, Bank{'b', 128, 0x00}, Bank{'g', 32, 0xe0}}) {
        if (name.empty() || name.front() != bank.letter) continue;
        auto number = number_behind(name, name.substr(0, 1));
        if (!number && name.size() == 1 && in.accept("[")) {
            number = in.constant(bank.count - 1, "a register number");
            in.expect("]");
        }
        if (!number) return false;
        if (*number >= bank.count)
            in.fail_at(word,
                       fmt::format("registers of this kind have numbers 0 to {}", bank.count - 1));
        operand.kind = Kind::Register;
        operand.code = static_cast<std::uint8_t>(bank.base + *number);
        return true;
    }
    return false;
}

bool parse_special(std::string_view word, Operand& operand) {
    struct Name {
        std::string_view text;
        std::uint8_t code;
    };
    constexpr Name kNames[] = {{"%tst", 0xcd},   {"%tc", 0xce},    {"%tcd", 0xcf},
                               {"%ctpr1", 0xd1}, {"%ctpr2", 0xd2}, {"%ctpr3", 0xd3}};
    for (const Name& n : kNames) {
        if (n.text != word) continue;
        operand.kind = Kind::Special;
        operand.code = n.code;
        return true;
    }
    if (!word.starts_with("%empty")) return false;
    const auto half = word.substr(6);
    if (!half.empty() && half != ".lo" && half != ".hi") return false;
    operand.kind = Kind::Empty;
    operand.explicit_half = !half.empty();
    operand.code = half == ".lo" ? 0xde : 0xdf;
    return true;
}

/// "_f32s" sets the width, "_lts1" or "_lts0hi" the place.
bool parse_literal_mark(std::string_view word, Literal& literal) {
    struct Mark {
        std::string_view text;
        int bits, place;
        bool reference = false;
    };
    constexpr Mark kMarks[] = {{"_f16s", 16, -1},
                               {"_f16", 16, -1},
                               {"_f32s", 32, -1},
                               {"_f32", 32, -1},
                               {"_f64", 64, -1},
                               {"_lit16_ref", 16, -1, true},
                               {"_lit32_ref", 32, -1, true},
                               {"_lit64_ref", 64, -1, true},
                               {"_lts0lo", 0, 0},
                               {"_lts0hi", 0, 1},
                               {"_lts0", 0, 0},
                               {"_lts1lo", 0, 2},
                               {"_lts1hi", 0, 3},
                               {"_lts1", 0, 2},
                               {"_lts2", 0, 4},
                               {"_lts3", 0, 6}};
    for (const Mark& m : kMarks) {
        if (m.text != word) continue;
        literal.reference |= m.reference;
        if (m.bits)
            literal.bits = m.bits;
        else
            literal.place = m.place;
        return true;
    }
    return false;
}

/// Whether the place of a reference follows, not the next operand.
bool place_follows(std::string_view rest) {
    const auto comma = rest.find_first_not_of(" \t");
    if (comma == rest.npos || rest[comma] != ',') return false;
    const auto next = rest.find_first_not_of(" \t", comma + 1);
    return next != rest.npos && lower(rest.substr(next)).starts_with("_lts");
}

void parse_literal(Cursor& in, Literal& literal) {
    while (in.peek_word().starts_with("_") && parse_literal_mark(lower(in.peek_word()), literal)) {
        in.word();
        if (literal.reference && !place_follows(in.rest())) return;
        in.accept(",");
    }
    literal.number = in.expression();
}

/// The part behind "%aad4": " [ %aasti5 + _f32s,_lts1 0x64 ]".
void parse_array_address(Cursor& in, unsigned array, Operand& operand) {
    operand.kind = Kind::ArrayAddress;
    const auto word = in.word();
    const auto index = number_behind(lower(word), "%aasti");
    if (!index || *index > 15) return in.fail_at(word, "%aasti0 to %aasti15 expected");
    operand.address = array << 11 | *index << 7;
    operand.has_offset = in.accept("+");
    if (operand.has_offset) {
        operand.literal.bits = 32;
        parse_literal(in, operand.literal);
    }
    in.expect("]");
}

}  // namespace

AssemblyError error_at(const SourceLine& line, std::string message) {
    return {line.line, line.column, std::move(message), clip(line.text)};
}

std::optional<Condition> parse_condition(Cursor& in) {
    Condition c;
    c.negated = in.accept("~");
    const auto word = in.peek_word();
    const auto name = lower(word);
    const auto pred = number_behind(name, "%pred"), count = number_behind(name, "%pcnt");
    if (!pred && !count) {
        in.fail("%predN or %pcntN expected");
        return std::nullopt;
    }
    in.word();
    if (pred.value_or(0) > 31 || count.value_or(0) > 31)
        in.fail_at(word, "predicates have numbers 0 to 31");
    c.code = static_cast<std::uint8_t>(pred ? 0x60 + *pred : 0x40 + *count);
    return c;
}

Operand parse_operand(Cursor& in) {
    Operand operand;
    in.at_end();
    const auto start = in.rest();
    const auto word = in.peek_word();
    const auto name = lower(word);
    const auto finish = [&] {
        operand.text = start.substr(0, start.size() - in.rest().size());
        return operand;
    };
    if (in.peek() == '~' || name.starts_with("%pred") || name.starts_with("%pcnt")) {
        operand.kind = Kind::Predicate;
        if (const auto c = parse_condition(in)) operand.condition = *c;
        return finish();
    }
    if (!name.starts_with("%")) {
        parse_literal(in, operand.literal);
        return finish();
    }
    in.word();
    if (parse_special(name, operand)) return finish();
    if (const auto array = number_behind(name, "%aad"); array && in.accept("[")) {
        if (*array > 31) in.fail_at(word, "%aad0 to %aad31 expected");
        parse_array_address(in, *array, operand);
        return finish();
    }
    if (const auto at = array_registers().find(name); at != array_registers().end()) {
        operand.kind = Kind::AauRegister;
        operand.address = at->second;
        return finish();
    }
    if (const auto at = state_registers().find(name); at != state_registers().end()) {
        operand.kind = Kind::StateRegister;
        operand.code = static_cast<std::uint8_t>(at->second);
        return finish();
    }
    if (!parse_register(in, word, name, operand)) in.fail_at(word, "no register has this name");
    return finish();
}

}  // namespace e2k::isa::assembler
