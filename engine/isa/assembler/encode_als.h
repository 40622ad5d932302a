// Syllables of one operation.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/isa/assembler/draft.h"

namespace e2k::isa::assembler {

/// An operation whose operands have been matched with its row.
struct EncodedAls {
    std::uint8_t byte1 = 0, byte2 = 0, byte3 = 0;
    bool has_ales = false;
    std::uint16_t ales = 0;
    Literal* literal = nullptr;  ///< src2, or the offset of an array address
    bool literal_is_offset = false;
    std::uint8_t quad = 0;  ///< bit 0 byte1, 1 byte2, 2 byte3, 3 ALES: one more in the second lane
    std::uint8_t empty_quad = 0;  ///< bit 0: byte1 is an %empty pair, 0xde and 0xdf
    std::uint8_t mas = 0;

    std::uint32_t word(const AlsDraft& op, bool second) const;
    std::uint16_t extension(bool second) const;
};

/// Matches operands and row; the literal's code is filled in by `finish_literal`.
std::optional<AssemblyError> encode_als(AlsDraft& op, const AssemblerOptions& options,
                                        EncodedAls& out);
void finish_literal(EncodedAls& als);

}  // namespace e2k::isa::assembler
