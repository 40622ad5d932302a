// Dynamic relocations (elf.md §6) and the places they are made for.
#pragma once

#include <cstdint>
#include <string>

#include "engine/isa/assembler/assembler.h"

namespace e2k::isa::assembler {

enum class RelocationType : std::uint32_t {
    Absolute = 50,
    AbsoluteLiteral = 51,
    JumpSlot = 63,
    Copy = 64,
    Relative = 65,
    RelativeLiteral = 66,
    IndirectRelative = 67,
    ThreadModule = 82,
    ThreadPosition = 83,
    ThreadOffset = 85,
};

struct Relocation {
    std::uint64_t at = 0;
    RelocationType type = RelocationType::Absolute;
    std::string symbol = {};  ///< empty: none
    std::uint64_t addend = 0;
};

/// A field and where in the sections it stands.
struct NotedField {
    std::size_t section = 0;
    int part = 0;
    std::uint64_t offset = 0;
    LinkedField field;
};

}  // namespace e2k::isa::assembler
