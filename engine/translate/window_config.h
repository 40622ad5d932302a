// What the meaning of register and predicate names depends on. A region is specialised on it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "engine/cpu/exec/micro_op.h"
#include "engine/cpu/state.h"

namespace e2k::translate {

/// Window descriptor and rotation state as 8-byte images: what state.wd and state.br hold. While
/// code runs that expects visible tags, state.wd.tagged is 1: it is a part of the configuration
/// that keeps such code apart, in links, predictions and returns.
struct Config {
    std::uint64_t wd = 0, br = 0;

    static Config of(const cpu::CpuState& s) {
        return {std::bit_cast<std::uint64_t>(s.wd), std::bit_cast<std::uint64_t>(s.br)};
    }
    static Config of(const cpu::WindowDescriptor& wd, const cpu::RotationState& br) {
        return {std::bit_cast<std::uint64_t>(wd), std::bit_cast<std::uint64_t>(br)};
    }
    cpu::WindowDescriptor window() const { return std::bit_cast<cpu::WindowDescriptor>(wd); }
    cpu::RotationState rotation() const { return std::bit_cast<cpu::RotationState>(br); }
    bool operator==(const Config&) const = default;
};

/// WindowDescriptor::tagged in its image.
inline constexpr unsigned kTaggedBit = 48;
static_assert(offsetof(cpu::WindowDescriptor, tagged) * 8 == kTaggedBit);

using cpu::kMaxWindow;

/// Physical predicate of %predN (registers.md §4).
constexpr unsigned pred_phys(const cpu::RotationState& br, unsigned n) {
    const unsigned m = br.psz + 1u;
    if (n >= m) return n;
    const unsigned i = n + br.pcur;
    return i >= m ? i - m : i;
}

/// Window index of %b[n], or -1 outside the rotating area or the window (registers.md §2).
constexpr int based_index(const cpu::RotationState& br, unsigned n, unsigned window_size) {
    const unsigned bz = 2u * br.rsz + 2u;
    if (n >= bz) return -1;
    unsigned i = n + 2u * br.rcur;
    if (i >= bz) i -= bz;
    const unsigned at = 2u * br.rbs + i;
    return at < window_size ? static_cast<int>(at) : -1;
}

/// The configuration after `b`, transfer taken or not; calls and returns are not included.
Config config_after(const cpu::exec::ExecBundle& b, Config before, bool taken);
/// The configuration in which a callee starts, `wbs` registers up (windows.md §4).
Config config_of_callee(Config caller, unsigned wbs);

}  // namespace e2k::translate
