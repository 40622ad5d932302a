// Code of the procedure linkage table, as the linker of binutils writes it (elf.md §7,
// LAZY_GOT).
#pragma once

#include <cstdint>
#include <vector>

namespace e2k::isa::assembler {

struct PltPlan {
    int iset = 4;
    bool position_independent = false;
    std::size_t stubs = 0;
    std::uint64_t address = 0;  ///< of the section .plt
    std::uint64_t table = 0;    ///< of .got, where three words stand before the slots
};

/// Slots stand behind the words for the dynamic linker.
inline constexpr std::size_t kReservedWords = 3;

/// The whole section: the header, an entry for each function that has not been bound yet, and one
/// that the program calls.
std::vector<std::uint8_t> plt_code(const PltPlan& plan);
/// Address of the entry that the program calls.
std::uint64_t plt_entry(const PltPlan& plan, std::size_t stub);
/// Address of the entry that a slot points at first.
std::uint64_t plt_lazy_entry(const PltPlan& plan, std::size_t stub);

}  // namespace e2k::isa::assembler
