// Finds the row of an ALS operation: (version, channel, opcode, ALES) → candidates.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/isa/operation.h"

namespace e2k::isa {

/// MAS that turns staa/ldaa into an access to an array-unit register (syllables.md §4.1).
inline constexpr std::uint8_t kAauAccessMas = 0x3f;

/// What identifies an operation inside its bundle.
struct AlsCode {
    int iset = 4;
    int channel = 0;
    std::uint32_t als = 0;
    std::uint16_t ales = 0;
    bool has_ales = false;
    std::uint8_t mas = 0;
};

/// The row, or null if no operation of this version has the encoding (syllables.md §2.1). Where
/// several names share it (plog, qplog), the canonical one.
const Operation* find_operation(const AlsCode& code);

/// How an operand byte of an ALS or ALES is read; selects a table of the decoder.
enum class OperandRole : std::uint8_t { None, Source1, Source2, Register, Destination, Predicate };

/// Where an operand comes from and how wide it is used.
struct OperandSource {
    OperandRole role = OperandRole::None;
    Width width = Width::None;
};

/// What the decoder needs of a row, in half a cache line.
struct DecodeRow {
    enum Trait : std::uint8_t {
        kMasNeeded = 1,   ///< MAS must be 0x3f (array-unit register)
        kMasRefused = 2,  ///< MAS must not be 0x3f
        kSpecial = 4,     ///< the format has fields beside plain operands
        kCarriesMas = 8,
        kAmbiguous = 16,
    };

    const Operation* op = nullptr;
    std::uint32_t als_mask = 0, als_value = 0;  ///< constant bits of the ALS besides the opcode
    std::uint8_t low_mask = 0, low_value = 0;   ///< constant bits of the ALES low byte
    std::uint8_t channels = 0;
    std::uint8_t pair_second = 0;  ///< channels that hold the second of a pair
    std::uint8_t traits = 0;
    OperandSource src1, src2, src3, data, dst;

    bool matches(unsigned channel, std::uint32_t als, std::uint16_t ales, std::uint8_t mas) const {
        const unsigned refusal = mas == kAauAccessMas ? kMasRefused : kMasNeeded;
        return ((channels >> channel) & 1) && ((als ^ als_value) & als_mask) == 0 &&
               ((ales ^ low_value) & low_mask) == 0 && !(traits & refusal);
    }
};
static_assert(sizeof(DecodeRow) == 32);

/// Rows of one version, grouped by opcode and opc2. Small, so that it stays in the caches.
class VersionIndex {
public:
    explicit VersionIndex(int iset);

    const DecodeRow* find(unsigned channel, std::uint32_t als, std::uint16_t ales, bool has_ales,
                          std::uint8_t mas) const {
        const unsigned opcode2 = has_ales ? ales >> 8u : 0u;
        if (opcode2 >= kOpcode2s || (has_ales && opcode2 == 0)) return nullptr;
        const Range range = ranges_[slot((als >> 24) & 0x7f, opcode2)];
        const DecodeRow* row = rows_.data() + range.first;
        for (const DecodeRow* const end = row + range.count; row != end; ++row)
            if (row->matches(channel, als, ales, mas)) return row;
        return nullptr;
    }

private:
    static constexpr unsigned kOpcodes = 128;
    static constexpr unsigned kOpcode2s = 24;  ///< opc2 values in use; 0 = no ALES
    struct Range {
        std::uint16_t first = 0, count = 0;
    };

    static std::size_t slot(unsigned opcode, unsigned opcode2) {
        return opcode2 * kOpcodes + opcode;
    }

    std::vector<DecodeRow> rows_;
    std::array<Range, kOpcodes * kOpcode2s> ranges_{};
};

/// The index of a version, built at its first use.
const VersionIndex& version_index(int iset);

}  // namespace e2k::isa
