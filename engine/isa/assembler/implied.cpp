// What a statement outside braces brings along (assembly.md §2, §8).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/isa/assembler/draft.h"

namespace e2k::isa::assembler {
namespace {

/// Registers whose write waits for everything before it (state.md §1, flag W).
constexpr std::array<std::uint8_t, 28> kWaiting{
    0x00, 0x06, 0x07, 0x09, 0x0b, 0x0d, 0x0f, 0x21, 0x22, 0x26, 0x27, 0x28, 0x29, 0x2a,
    0x2c, 0x2d, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f};
/// Registers whose read is followed by a delay (flag N).
constexpr std::array<std::uint8_t, 4> kSlow{0x30, 0x31, 0x32, 0x33};

/// Code of the state register among the operands, if there is one.
std::optional<std::uint8_t> state_register(std::string_view operands, const SourceLine& line) {
    const SymbolValues none;
    while (!operands.empty()) {
        const auto end = std::min(operands.find(','), operands.size());
        Cursor in({operands.substr(0, end), line.line, line.column}, none);
        if (in.peek() == '%') {
            const Operand o = parse_operand(in);
            if (in.ok() && o.kind == Operand::Kind::StateRegister) return o.code;
        }
        operands.remove_prefix(std::min(end + 1, operands.size()));
    }
    return std::nullopt;
}

/// "clpandp ~%pred1, %pred2, %pred3" as the operations of the predicate unit.
std::vector<std::string> predicate_pair(std::string_view name, Cursor& in) {
    const auto a = parse_condition(in);
    in.expect(",");
    const auto b = parse_condition(in);
    in.expect(",");
    const auto to = parse_condition(in);
    if (!in.ok() || !a || !b || !to) return {};
    const auto number = [](const Condition& c) { return c.code & 0x1f; };
    const auto sign = [](const Condition& c) { return c.negated ? "~" : ""; };
    return {fmt::format("pass %pred{}, @p0", number(*a)),
            fmt::format("pass %pred{}, @p1", number(*b)),
            fmt::format("{} {}@p0, {}@p1, @p4", name.substr(3), sign(*a), sign(*b)),
            fmt::format("pass @p4, %pred{}", number(*to))};
}

}  // namespace

std::vector<std::string> alone(const SourceLine& line, int iset, bool strict_delay) {
    const SymbolValues none;
    Cursor in(line, none);
    const auto name = canonical_name(lower(in.word()), iset);
    if (name == "clpandp" || name == "clplandp") return predicate_pair(name, in);
    std::vector<std::string> out{std::string(line.text)};
    const auto rows = rows_of(name, iset);
    if (rows.empty() || !strict_delay) return out;
    const Operation& row = *rows.front();
    if (row.format == Format::Alopf15) {
        out.emplace_back("nop 5");
        const auto code = state_register(in.rest(), line);
        if (code && std::find(kWaiting.begin(), kWaiting.end(), *code) != kWaiting.end())
            out.emplace_back("wait all_e = 1");
    } else if (row.format == Format::Alopf16) {
        const auto code = state_register(in.rest(), line);
        if (code && std::find(kSlow.begin(), kSlow.end(), *code) != kSlow.end())
            out.emplace_back("nop 4");
    } else if (row.dst == Width::Pred) {
        const bool slow = row.family == Family::FpCompare || row.family == Family::Fp80;
        out.emplace_back(slow ? "nop 4" : "nop 2");
    }
    return out;
}

}  // namespace e2k::isa::assembler
