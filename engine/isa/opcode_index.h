// Finds the row of an ALS operation: (version, channel, opcode, ALES) → candidates.
#pragma once

#include <cstdint>

#include "engine/isa/operation.h"

namespace e2k::isa {

/// MAS that turns staa/ldaa into an access to an array-unit register (encoding.md §4.9).
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

/// The row, or null if no operation of this version has the encoding (encoding.md §4.1). Where
/// several names share it (plog, qplog), the canonical one.
const Operation* find_operation(const AlsCode& code);

}  // namespace e2k::isa
