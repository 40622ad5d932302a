// Finding registers: resolves operands of the four spaces to storage (machine.md §1.2).
#pragma once

#include <array>
#include <cstdint>

#include "engine/cpu/exec/micro_op.h"
#include "engine/cpu/state.h"

namespace e2k::cpu::exec {

/// Bases of the operand spaces under the current window and rotation. Call `update` whenever
/// window, wd.size or br change.
class RegisterSpaces {
public:
    void update(CpuState& s) {
        base_[index(Space::Window)] = s.window;
        base_[index(Space::Based)] = s.window + 2u * s.br.rbs;
        base_[index(Space::Global)] = s.g.data();
        tags_[index(Space::Window)] = s.window_tags;
        tags_[index(Space::Based)] = s.window_tags + 2u * s.br.rbs;
        tags_[index(Space::Global)] = s.g_tags.data();
        tags_[index(Space::Literal)] = kNoTags.data();
        const unsigned area = 2u * s.br.rsz + 2u;
        turn_[index(Space::Based)] = 2u * s.br.rcur;
        wrap_[index(Space::Based)] = area;
        based_limit_ = 2u * s.br.rbs + area <= s.wd.size ? area : 0;
        window_size_ = s.wd.size;
    }
    void set_literals(const Reg* pool) {
        // Literals are never destinations, so the pool is not written through this pointer.
        base_[index(Space::Literal)] = const_cast<Reg*>(pool);
    }

    Reg& at(RegRef r) const { return base_[index(r.space)][position(r)]; }
    std::uint8_t& tag_at(RegRef r) const {
        return const_cast<std::uint8_t&>(tags_[index(r.space)][position(r)]);
    }

    /// True if every register a bundle can name under these limits exists; false means that the
    /// operands have to be looked at one by one.
    bool covers(const ExecBundle& b) const {
        return b.window_need <= window_size_ && b.based_need <= based_limit_;
    }

private:
    static constexpr std::size_t index(Space s) { return static_cast<std::size_t>(s); }
    unsigned position(RegRef r) const {
        const unsigned i = r.index + turn_[index(r.space)];
        const unsigned wrap = wrap_[index(r.space)];
        return i >= wrap ? i - wrap : i;
    }

    static constexpr std::array<std::uint8_t, 2 * isa::kChannels + 2> kNoTags{};
    static constexpr unsigned kNoWrap = 1u << 16;

    std::array<Reg*, kSpaces> base_{};
    std::array<const std::uint8_t*, kSpaces> tags_{};
    std::array<unsigned, kSpaces> turn_{};
    std::array<unsigned, kSpaces> wrap_{kNoWrap, 2, kNoWrap, kNoWrap};
    unsigned based_limit_ = 0, window_size_ = 0;
};

inline constexpr std::array<std::uint64_t, 11> kLowMask = {0,           // None
                                                           0xffffffff,  // S
                                                           ~0ull,      ~0ull, ~0ull, ~0ull, ~0ull,
                                                           ~0ull,      ~0ull, ~0ull, ~0ull};
inline constexpr std::array<std::uint64_t, 11> kExtensionMask = {
    0,      0, 0,  // None, S, D
    0xffff,        // X
    0,             // Q: a pair of 64-bit registers
    ~0ull,         // P
    0,      0, 0, 0, 0};

inline std::uint64_t low_mask(isa::Width w) { return kLowMask[static_cast<std::size_t>(w)]; }
inline std::uint64_t extension_mask(isa::Width w) {
    return kExtensionMask[static_cast<std::size_t>(w)];
}

}  // namespace e2k::cpu::exec
