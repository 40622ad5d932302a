// The array access unit: descriptors, indices, prefetch programs (arrays.md). Accesses happen
// when the `mova` or `staa` executes; buffers and timing are not modelled.
#pragma once

#include <cstdint>

#include "engine/cpu/exec/memory_access.h"
#include "engine/cpu/exec/micro_op.h"
#include "engine/cpu/memory.h"
#include "engine/cpu/state.h"

namespace e2k::cpu::exec {

/// What a `mova` delivers when its element cannot be read.
inline constexpr std::uint64_t kBadArrayElement = 0xeaed'0f70'eaed'0f70ull;

/// ISA versions from which indices have 48 bits and elements need not be aligned (arrays.md §1,
/// §4).
inline constexpr int kFirstWideIndex = 5, kFirstUnalignedElement = 5;

/// Indices are 32-bit and wrap before v5, 48-bit signed from v5 on (arrays.md §1).
std::uint64_t wrap_index(std::uint64_t value, int iset);

/// Address of a staa: AAD[d].base + AASTI[ind] + literal.
std::uint64_t array_store_address(const AauState& aau, const ArrayAddress& a);
/// Post-increment of a staa of `size` bytes (a pair's half counts as 8).
void advance_store_index(AauState& aau, const ArrayAddress& a, unsigned size, int iset);

/// aaurw*: writes the register `a` names. `size` 4 or 8 bytes of `value` are significant; for
/// aaurwq the second half writes the upper half of a descriptor. Narrower forms write nothing.
void write_array_register(AauState& aau, const ArrayAddress& a, std::uint64_t value, unsigned size,
                          bool upper_half, int iset);

/// True if every instruction of the prefetch program at `address` can be read; otherwise `fault`
/// is the first that cannot.
bool prefetch_program_readable(const MemoryView& memory, std::uint64_t address,
                               std::uint64_t& fault);
/// bap: reads the (readable) prefetch program at `address` into the areas.
void start_prefetch(AauState& aau, const MemoryView& memory, std::uint64_t address);

/// One mova: true and `value` if the element could be read; otherwise the result is diagnostic.
bool load_array_element(const AauState& aau, const MemoryView& memory, const ArrayLoad& load,
                        int iset, Value& value);
/// Advances the areas of all movas of a bundle, each area once.
void advance_areas(AauState& aau, const ArrayLoad* loads, unsigned count, int iset);

}  // namespace e2k::cpu::exec
