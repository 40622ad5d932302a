// Pure functions of the host's C library as the workbench's own code calls them: with the operands
// of an operation, by interpreter and translator alike.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/cpu/semantics.h"

namespace e2k::cpu {

/// Where the workbench's own code lies in a guest (guest/libc/stubs.h). There `getpl NUMBER, dst`,
/// which no user program can execute, is a call of a host leaf.
inline constexpr std::uint64_t kOwnCodeBegin = 0xdf'0000'0000;
inline constexpr std::uint64_t kOwnCodeEnd = kOwnCodeBegin + (1u << 20);

/// A function whose result follows from its arguments and the floating-point environment. Those
/// arguments are the first words of the window; what the functions below are given.
struct HostLeaf {
    enum class Result : std::uint8_t { Other, Double, Float, Long };

    std::string name;
    std::uint8_t words = 0;         ///< of arguments
    Result result = Result::Other;  ///< how a stub tells that there can be no error
    SemKind kind = SemKind::Int64;  ///< Int64 or Sse64
    Fn64 value = nullptr;           ///< %r0
    Fn64 error = nullptr;           ///< the errno that the same call sets, or 0; null: always 0
    Fn64 high = nullptr;            ///< %r1 of a long double
};

/// What `getpl` is asked for: kLeafParts * index + one of these.
inline constexpr std::uint32_t kLeafValue = 0, kLeafError = 1, kLeafHigh = 2, kLeafParts = 4;

/// Never changes.
std::span<const HostLeaf> host_leafs();
const HostLeaf* find_host_leaf(std::string_view name);

}  // namespace e2k::cpu
