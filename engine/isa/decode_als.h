// Decoding steps shared by the files of the decoder.
#pragma once

#include "engine/isa/bundle.h"
#include "engine/isa/opcode_index.h"

namespace e2k::isa {

/// Operand codes, syllables.md §3.1, §3.2, §3.3, §3.4
Operand source2_operand(const Bundle& bundle, std::uint8_t code, Width width);
Operand register_operand(std::uint8_t code, Width width);  ///< src3, stored data
Operand destination_operand(std::uint8_t code, Width width);

/// Address part of staa/ldaa and register part of aaurw/aaurr (syllables.md §4.1).
AauAddress aau_address(const Bundle& bundle, std::uint32_t als);
AauAddress aau_register(std::uint32_t als);

/// Fills all of `bundle.als[channel]` from its raw syllables; literals and MAS must be decoded
/// already.
void decode_als(Bundle& bundle, unsigned channel, const VersionIndex& index);
/// Attaches the conditions of the CDS words to channels, increments and crp/srp (syllables.md §9).
void attach_conditions(Bundle& bundle);

}  // namespace e2k::isa
