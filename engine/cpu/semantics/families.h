// Registrations of the families; semantics_of() collects them. A row whose mnemonic no family
// registers has SemKind::None.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "engine/cpu/semantics.h"
#include "engine/cpu/semantics/fp_families.h"

namespace e2k::cpu {

std::span<const SemanticEntry> int_alu_entries();
std::span<const SemanticEntry> int_shift_entries();
std::span<const SemanticEntry> int_mul_entries();
std::span<const SemanticEntry> int_div_entries();
std::span<const SemanticEntry> int_bitfield_entries();
std::span<const SemanticEntry> int_compare_entries();
std::span<const SemanticEntry> int_combined_entries();
std::span<const SemanticEntry> select_entries();
std::span<const SemanticEntry> packed_int64_entries();
std::span<const SemanticEntry> packed_int128_entries();
std::span<const SemanticEntry> packed_multiply_entries();
std::span<const SemanticEntry> packed_shift_entries();
std::span<const SemanticEntry> packed_shuffle_entries();
std::span<const SemanticEntry> packed_logic_entries();
std::span<const SemanticEntry> packed_compare_entries();
std::span<const SemanticEntry> clmul_entries();
/// Operations the interpreter performs itself: memory, tags, state registers, branches.
std::span<const SemanticEntry> state_entries();

/// Bit i of the result is bit (a_i << 2 | b_i << 1 | c_i) of `table` (packed.md §9). The
/// table is part of the opcode, so these are found from the encoding and not by name.
std::uint8_t plog_table(const isa::Operation& row);
Fn64 plog(std::uint8_t table);
Fn128 qplog(std::uint8_t table);

/// All non-FP families above.
inline std::array<std::span<const SemanticEntry>, 17> integer_families() {
    return {int_alu_entries(),
            int_shift_entries(),
            int_mul_entries(),
            int_div_entries(),
            int_bitfield_entries(),
            int_compare_entries(),
            int_combined_entries(),
            select_entries(),
            packed_int64_entries(),
            packed_int128_entries(),
            packed_multiply_entries(),
            packed_shift_entries(),
            packed_shuffle_entries(),
            packed_logic_entries(),
            packed_compare_entries(),
            clmul_entries(),
            state_entries()};
}

}  // namespace e2k::cpu
