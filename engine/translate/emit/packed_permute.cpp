// Bytes chosen by a register (packed.md §6). The host's PSHUFB takes bits 3:0 of a selector
// and makes 0 of one with bit 7, as the guest's does but for the modifiers in the other bits, whose
// part is jumped over where no byte has one.
#include <optional>

#include "engine/translate/emitters.h"

namespace e2k::translate {
namespace {

using asmjit::x86::Mem;
using asmjit::x86::Xmm;
using cpu::exec::RegRef;
namespace x86 = asmjit::x86;

/// Sixteen bytes that host code reads where they are.
struct alignas(16) Bytes {
    std::uint8_t byte[16];
};
constexpr Bytes repeat(std::uint8_t value, unsigned count = 16) {
    Bytes all{};
    for (unsigned i = 0; i < count; ++i) all.byte[i] = value;
    return all;
}
constexpr unsigned reversed(unsigned nibble) {
    return (nibble & 1) << 3 | (nibble & 2) << 1 | (nibble & 4) >> 1 | (nibble & 8) >> 3;
}

constexpr Bytes kNibble = repeat(0x0f), kSeven = repeat(0x07), kSigns = repeat(0x80);
constexpr Bytes kShuffleModifiers = repeat(0x70), kShuffleModifiers64 = repeat(0x70, 8),
                kPermuteModifiers = repeat(0xe0);
constexpr Bytes kBit[] = {repeat(0x01), repeat(0x02), repeat(0x04), repeat(0x08),
                          repeat(0x10), repeat(0x20), repeat(0x40), repeat(0x80)};
constexpr Bytes kReversedLow = [] {
    Bytes all{};
    for (unsigned i = 0; i < 16; ++i) all.byte[i] = static_cast<std::uint8_t>(reversed(i) << 4);
    return all;
}();
constexpr Bytes kReversedHigh = [] {
    Bytes all{};
    for (unsigned i = 0; i < 16; ++i) all.byte[i] = static_cast<std::uint8_t>(reversed(i));
    return all;
}();
/// What a selector with bit 7 stands for, by its bits 6:4.
constexpr Bytes kConstants{{0, 0, 0x7f, 0, 0x80, 0, 0xff, 0}};
/// Byte i / 8 of a mask, and bit i % 8 of it.
constexpr Bytes kSpread{{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1}};
constexpr Bytes kEachBit{{1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128}};

/// As an operand. Uses rax.
Mem at(OpContext& c, const Bytes& bytes) {
    c.a.mov(x86::rax, reinterpret_cast<std::uint64_t>(&bytes));
    return x86::ptr(x86::rax, 0, sizeof(Bytes));
}

/// d = mask ? other : d. Changes `other`.
void choose(OpContext& c, const Xmm& d, const Xmm& other, const Xmm& mask) {
    c.a.pxor(other, d);
    c.a.pand(other, mask);
    c.a.pxor(d, other);
}

/// All ones in the bytes whose selector has the bit.
void mask_of_bit(OpContext& c, const Xmm& mask, const Xmm& selectors, unsigned bit) {
    const Mem one = at(c, kBit[bit]);
    c.a.movdqa(mask, selectors);
    c.a.pand(mask, one);
    c.a.pcmpeqb(mask, one);
}

/// What three bits of each selector, from `first` on, do to its byte: complement, reversal of the
/// bits, eight copies of the sign.
void modify(OpContext& c, const Xmm& d, const Xmm& selectors, unsigned first, const Xmm& t,
            const Xmm& u) {
    mask_of_bit(c, t, selectors, first);
    c.a.pxor(d, t);

    const Xmm nibbles = x86::xmm15;
    c.a.movdqa(nibbles, d);
    c.a.pand(nibbles, at(c, kNibble));
    c.a.movdqa(u, at(c, kReversedLow));
    c.a.pshufb(u, nibbles);
    c.a.movdqa(nibbles, d);
    c.a.psrlw(nibbles, 4);
    c.a.pand(nibbles, at(c, kNibble));
    c.a.movdqa(t, at(c, kReversedHigh));
    c.a.pshufb(t, nibbles);
    c.a.por(u, t);
    mask_of_bit(c, t, selectors, first + 1);
    choose(c, d, u, t);

    c.a.pxor(u, u);
    c.a.pcmpgtb(u, d);
    mask_of_bit(c, t, selectors, first + 2);
    choose(c, d, u, t);
}

/// The selectors with bit 7 among those of d's bytes.
void put_constants(OpContext& c, const Xmm& d, const Xmm& selectors, const Xmm& t, const Xmm& u) {
    c.a.movdqa(t, selectors);
    c.a.psrlw(t, 4);
    c.a.pand(t, at(c, kSeven));
    c.a.movdqa(u, at(c, kConstants));
    c.a.pshufb(u, t);
    c.a.pxor(t, t);
    c.a.pcmpgtb(t, selectors);
    choose(c, d, u, t);
}

/// A new register with `low` in the low and `high` in the high 64 bits.
Xmm joined(OpContext& c, RegRef low, RegRef high) {
    const Xmm x = c.v.use_xmm(low, 64), y = c.v.use_xmm(high, 64);
    const Xmm d = c.v.def_xmm();
    c.a.movdqa(d, x);
    c.a.punpcklqdq(d, y);
    return d;
}

/// Known selectors as PSHUFB takes them, if none has a modifier.
std::optional<std::uint64_t> plain_selectors(std::uint64_t descriptor) {
    std::uint64_t host = 0;
    for (unsigned i = 0; i < 64; i += 8) {
        const std::uint64_t byte = descriptor >> i & 0xff, kind = byte & 0xf0;
        // 0xa0, 0xc0 and 0xe0 stand for 0x7f, 0x80 and 0xff, the others from 0x80 on for 0.
        const bool zero = kind >= 0x80 && kind != 0xa0 && kind != 0xc0 && kind != 0xe0;
        if (zero)
            host |= std::uint64_t{0x80} << i;
        else if (kind == 0)
            host |= byte << i;
        else
            return std::nullopt;
    }
    return host;
}

void finish_shuffle(OpContext& c, const Xmm& d, const Xmm& selectors, const Bytes& modifiers,
                    unsigned bits) {
    const Xmm t = c.v.def_xmm(), u = c.v.def_xmm();
    const asmjit::Label plain = c.a.newLabel();
    c.a.ptest(selectors, at(c, modifiers));
    c.a.jz(plain);
    modify(c, d, selectors, 4, t, u);
    put_constants(c, d, selectors, t, u);
    c.a.bind(plain);
    c.v.set_result(d, bits);
}

/// Bytes of {a:b}.
void shuffle64(OpContext& c) {
    const auto known = c.v.constant(c.op.c, 64);
    if (const auto selectors = known ? plain_selectors(*known) : std::nullopt) {
        const Xmm d = joined(c, c.op.b, c.op.a);
        c.v.load_constant(x86::rax, *selectors);
        c.a.movq(x86::xmm15, x86::rax);
        c.a.pshufb(d, x86::xmm15);
        return c.v.set_result(d, 64);
    }
    const Xmm selectors = c.v.use_xmm(c.op.c, 64);
    const Xmm d = joined(c, c.op.b, c.op.a);
    c.a.pshufb(d, selectors);
    finish_shuffle(c, d, selectors, kShuffleModifiers64, 64);
}

/// The high half from a, the low half from b.
void shuffle128(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.a, 128), y = c.v.use_xmm(c.op.b, 128),
              selectors = c.v.use_xmm(c.op.c, 128);
    const Xmm d = c.v.def_xmm();
    c.a.movdqa(d, x);
    c.a.pshufb(d, selectors);
    c.a.movdqa(x86::xmm15, y);
    c.a.pshufb(x86::xmm15, selectors);
    c.a.movsd(d, x86::xmm15);
    finish_shuffle(c, d, selectors, kShuffleModifiers, 128);
}

/// Bit 4 of a selector chooses a, else b.
void permute(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.a, 128), y = c.v.use_xmm(c.op.b, 128),
              selectors = c.v.use_xmm(c.op.c, 128);
    const Xmm d = c.v.def_xmm(), t = c.v.def_xmm(), u = c.v.def_xmm();
    c.a.movdqa(x86::xmm15, selectors);
    c.a.pand(x86::xmm15, at(c, kNibble));
    c.a.movdqa(d, y);
    c.a.pshufb(d, x86::xmm15);
    c.a.movdqa(t, x);
    c.a.pshufb(t, x86::xmm15);
    mask_of_bit(c, u, selectors, 4);
    choose(c, d, t, u);
    const asmjit::Label plain = c.a.newLabel();
    c.a.ptest(selectors, at(c, kPermuteModifiers));
    c.a.jz(plain);
    modify(c, d, selectors, 5, t, u);
    c.a.bind(plain);
    c.v.set_result(d, 128);
}

/// Bit i of b becomes the sign of byte i of a.
void mask_to_signs(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.a, 128), mask = c.v.use_xmm(c.op.b, 32);
    const Xmm d = c.v.def_xmm();
    c.a.movdqa(x86::xmm15, mask);
    c.a.pshufb(x86::xmm15, at(c, kSpread));
    const Mem each = at(c, kEachBit);
    c.a.pand(x86::xmm15, each);
    c.a.pcmpeqb(x86::xmm15, each);
    const Mem signs = at(c, kSigns);
    c.a.pand(x86::xmm15, signs);
    c.a.movdqa(d, signs);
    c.a.pandn(d, x);
    c.a.por(d, x86::xmm15);
    c.v.set_result(d, 128);
}

constexpr Emitter kEmitters[] = {
    {"pshufb", shuffle64, false},
    {"qpshufb", shuffle128, false},
    {"qppermb", permute, false},
    {"qpmsk2sgnb", mask_to_signs, false},
};

}  // namespace

std::span<const Emitter> packed_permute_emitters() { return kEmitters; }

}  // namespace e2k::translate
