// Numbers of the ELF format that only Elbrus has (elf.md §5, §6).
#pragma once

#include <cstdint>

namespace e2k::guest::loader {

inline constexpr std::int64_t kTagLazy = 0x7000'0001, kTagLazyBug75842 = 0x7000'0002,
                              kTagLazyGot = 0x7000'0003;

/// More thread-local storage than this no program of ours has: a damaged size is told at once.
inline constexpr std::uint64_t kMaxTls = 64u << 20;

enum RelocationType : std::uint32_t {
    kR32Abs = 0,
    k64Abs = 50,
    k64AbsLiteral = 51,
    k64PcLiteral = 54,
    k64JumpSlot = 63,
    k64Copy = 64,
    k64Relative = 65,
    k64RelativeLiteral = 66,
    k64IndirectRelative = 67,
    k64Size = 68,
    kTlsModule = 82,
    kTlsOffset = 83,
    kTlsFromPointer32 = 84,
    kTlsFromPointer = 85,
    kNone = 112,
};

}  // namespace e2k::guest::loader
