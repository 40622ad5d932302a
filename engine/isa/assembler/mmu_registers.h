// Registers of the memory unit by name: `mmurr` and `mmurw` are a load and a store with a memory
// access specifier that says which register is meant (syllables.md §4.2).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace e2k::isa::assembler {

struct MmuRegister {
    std::uint32_t address = 0;  ///< second source of the load or store
    std::uint8_t mas = 0;
    std::uint8_t channel = 2;  ///< 2, or 5 for some registers of the DAM tables
    bool readable = true;
};

/// `name` in lower case, with its `%`.
std::optional<MmuRegister> mmu_register(std::string_view name);

}  // namespace e2k::isa::assembler
