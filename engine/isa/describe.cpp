// Operations in words.
#include "engine/isa/describe.h"

#include <fmt/format.h>

#include <array>

namespace e2k::isa {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Family::Unknown) + 1> kFamilies = {
    "integer arithmetic or logic",
    "integer shift",
    "integer multiplication",
    "integer division",
    "bit field operation",
    "integer comparison",
    "two integer steps in one operation",
    "integer operation that yields x86 flags",
    "selection between two values",
    "floating-point arithmetic",
    "floating-point comparison",
    "conversion",
    "two floating-point steps in one operation",
    "two packed floating-point steps in one operation",
    "fused multiply-add",
    "packed floating point, 64 bits",
    "packed floating point, 128 bits",
    "80-bit floating point",
    "packed integers, 64 bits",
    "packed integers, 128 bits",
    "packed shift",
    "packed shuffle",
    "packed logic",
    "packed comparison into predicates",
    "three-input truth table",
    "carry-less multiplication",
    "load",
    "store",
    "array access",
    "segment-relative access",
    "access through a protected pointer",
    "move with tags",
    "state register access",
    "protected-mode operation",
    "control operation of v6",
    "control",
    "operation of v7",
    "operation",
};

constexpr std::array<std::string_view, static_cast<std::size_t>(Format::Apb) + 1> kFormats = {
    "ALOPF1",
    "ALOPF1_MERGE",
    "ALOPF2",
    "ALOPF3",
    "ALOPF7",
    "ALOPF8",
    "ALOPF10",
    "ALOPF11",
    "ALOPF11_MERGE",
    "ALOPF11_LIT8",
    "ALOPF12",
    "ALOPF12_PSHUFH",
    "ALOPF12_IBRANCHD",
    "ALOPF12_ICALLD",
    "ALOPF13",
    "ALOPF15",
    "ALOPF16",
    "ALOPF17",
    "ALOPF19",
    "ALOPF21",
    "ALOPF21_MERGE",
    "ALOPF22",
    "AAURR",
    "AAURW",
    "MMURR",
    "MMURW",
    "INCR",
    "HS",
    "SS",
    "CS0",
    "CS1",
    "PLS",
    "AAS",
    "APB",
};

std::string operand_words(std::string_view role, Width width) {
    switch (width) {
        case Width::None:
            return {};
        case Width::Q:
            return fmt::format("{} 128 (register pair)", role);
        case Width::Pred:
            return fmt::format("{} predicate", role);
        case Width::State:
            return fmt::format("{} state register", role);
        case Width::Aau:
            return fmt::format("{} array address", role);
        case Width::AauReg:
            return fmt::format("{} array-unit register", role);
        case Width::MmuReg:
            return fmt::format("{} MMU register", role);
        default:
            return fmt::format("{} {}", role, width_bits(width));
    }
}

std::string operands_in_words(const Operation& op) {
    std::string out;
    const auto add = [&](std::string_view role, Width width) {
        const auto words = operand_words(role, width);
        if (words.empty()) return;
        if (!out.empty()) out += ", ";
        out += words;
    };
    add("src1", op.src1);
    add("src2", op.src2);
    add("src3", op.src3);
    add("data", op.src4);
    if (op.dst == Width::None) return out;
    return fmt::format("{}{}{}", out, out.empty() ? "-> " : " -> ", operand_words("dst", op.dst));
}

std::string channels_in_words(std::uint8_t mask) {
    std::string out;
    for (int c = 0; c < kChannels; ++c)
        if ((mask >> c) & 1) out += fmt::format("{}ALC{}", out.empty() ? "" : ", ", c);
    return out;
}

std::string versions_in_words(const Operation& op) {
    if (op.iset_max == kMaxIset)
        return op.iset_min <= 1 ? "all versions" : fmt::format("since v{}", op.iset_min);
    if (op.iset_min == op.iset_max) return fmt::format("v{} only", op.iset_min);
    return fmt::format("v{} to v{}", op.iset_min, op.iset_max);
}

std::vector<std::string> notes_on(const Operation& op) {
    std::vector<std::string> notes;
    const auto note = [&](bool applies, std::string_view words) {
        if (applies) notes.emplace_back(words);
    };
    note(op.pair != Pair::None, "occupies two channels");
    note(op.has(OpFlag::Merge), "a predicate selects the operand");
    note(op.has(OpFlag::MayCarryMas), "takes a memory access specifier (MAS)");
    note(op.has(OpFlag::CtCond), "executes under the bundle's transfer condition");
    note(op.has(OpFlag::Alias), "another name of an existing encoding");
    note(!op.has(OpFlag::UserMode), "not needed by 64-bit Linux user programs");
    note(op.has(OpFlag::Unverified), "encoding from a secondary source, unverified");
    return notes;
}

}  // namespace

std::string_view family_name(Family family) { return kFamilies[static_cast<std::size_t>(family)]; }

std::string_view format_name(Format format) { return kFormats[static_cast<std::size_t>(format)]; }

unsigned width_bits(Width width) {
    switch (width) {
        case Width::S:
            return 32;
        case Width::D:
            return 64;
        case Width::X:
            return 80;
        case Width::Q:
        case Width::P:
            return 128;
        default:
            return 0;
    }
}

OperationDescription describe(const Operation& op) {
    OperationDescription d;
    d.title = fmt::format("{}: {}", op.mnemonic, family_name(op.family));
    d.formula = op.summary;
    d.operands = operands_in_words(op);
    if (op.latency) d.latency = fmt::format("{} cycle{}", op.latency, op.latency == 1 ? "" : "s");
    d.channels = channels_in_words(op.channels);
    d.versions = versions_in_words(op);
    d.notes = notes_on(op);
    return d;
}

std::string OperationDescription::text() const {
    std::string out = title;
    const auto line = [&](std::string_view label, const std::string& value) {
        if (!value.empty()) out += fmt::format("\n{}{}", label, value);
    };
    line("", formula);
    line("operands: ", operands);
    line("latency: ", latency);
    line("channels: ", channels);
    line("versions: ", versions);
    for (const auto& n : notes) line("", n);
    return out;
}

}  // namespace e2k::isa
