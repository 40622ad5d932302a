// Finding registers: resolves operands of the four spaces to storage (registers.md §2).
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
        const unsigned area = 2u * s.br.rsz + 2u;
        const unsigned start = 2u * s.br.rbs;
        slot(Space::Window) = {s.window, 0, kNoWrap};
        slot(Space::Based) = {s.window + start, 2u * s.br.rcur, area};
        slot(Space::Global) = {s.g.data(), 0, kNoWrap};
        tags_[index(Space::Window)] = s.window_tags;
        tags_[index(Space::Based)] = s.window_tags + start;
        tags_[index(Space::Global)] = s.g_tags.data();
        // A rotation beyond the area (setbn can name one) reaches past it: look one by one.
        const bool inside = start + area <= s.wd.size && s.br.rcur <= s.br.rsz;
        based_limit_ = inside ? area : 0;
        window_size_ = s.wd.size;
    }
    void set_literals(const Reg* pool) {
        // Literals are never destinations, so the pool is not written through this pointer.
        slot(Space::Literal).base = const_cast<Reg*>(pool);
    }

    Reg& at(RegRef r) const {
        const Slot& s = slots_[index(r.space)];
        return s.base[position(s, r)];
    }
    std::uint8_t& tag_at(RegRef r) const {
        return const_cast<std::uint8_t&>(
            tags_[index(r.space)][position(slots_[index(r.space)], r)]);
    }

    /// True if every register a bundle can name under these limits exists; false means that the
    /// operands have to be looked at one by one.
    bool covers(const ExecBundle& b) const {
        return b.window_need <= window_size_ && b.based_need <= based_limit_;
    }

private:
    /// Where a space starts, and how its numbers rotate.
    struct Slot {
        Reg* base = nullptr;
        unsigned turn = 0, wrap = kNoWrap;
    };
    static constexpr unsigned kNoWrap = 1u << 16;
    static constexpr std::array<std::uint8_t, 2 * isa::kChannels + 2> kNoTags{};

    static constexpr std::size_t index(Space s) { return static_cast<std::size_t>(s); }
    Slot& slot(Space s) { return slots_[index(s)]; }
    static unsigned position(const Slot& s, RegRef r) {
        const unsigned i = r.index + s.turn;
        return i >= s.wrap ? i - s.wrap : i;
    }

    std::array<Slot, kSpaces> slots_{};
    std::array<const std::uint8_t*, kSpaces> tags_{nullptr, nullptr, nullptr, kNoTags.data()};
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
