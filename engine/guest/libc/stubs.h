// The guest code of the bridge, as assembled from stubs/*.s when the workbench is built.
#pragma once

#include <cstdint>
#include <span>

namespace e2k::guest::libc {

/// Where the bridge's code lies in the guest, and its data behind it.
inline constexpr std::uint64_t kBridgeBase = 0xdf'0000'0000, kBridgeSize = 1u << 20;
inline constexpr std::uint64_t kDataBase = kBridgeBase + kBridgeSize, kDataSize = 1u << 20;
/// Entry of the bridge for `sdisp`.
inline constexpr std::uint32_t kBridgeGate = 0x1d;
/// The literals that a copy of `bridge_stub` or of `leaf_…` replaces by its number, and by the one
/// or two behind it.
inline constexpr std::uint32_t kRowMark = 0x7a5b4c3d, kRowMarks = 3;

struct StubSymbol {
    const char* name;
    std::uint32_t offset, size;  ///< size 0: another name
};
std::span<const std::uint8_t> stub_bytes();
std::span<const StubSymbol> stub_symbols();

}  // namespace e2k::guest::libc
