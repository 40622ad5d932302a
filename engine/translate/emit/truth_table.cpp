// Three-input truth tables by and, or, xor (packed.md §9). A function is split at one of its
// operands p: f = low ^ (p & change), where `low` is f with p = 0 and `change` what p = 1 makes
// different; both are functions of the other two operands.
#include <array>
#include <bit>
#include <utility>

#include "engine/cpu/semantics/families.h"
#include "engine/translate/emitters.h"

namespace e2k::translate {
namespace {

using asmjit::x86::Gp;
using asmjit::x86::Xmm;
namespace x86 = asmjit::x86;

// Functions of two operands x and y as tables: bit 2 * x + y.
constexpr unsigned kAll = 0xf, kSecondOnly = 0x2, kFirstOnly = 0x4, kXor = 0x6, kAnd = 0x8,
                   kSecond = 0xa, kFirst = 0xc, kOr = 0xe;

/// The 64-bit form, in general registers.
struct Whole64 {
    using Reg = Gp;
    asmjit::x86::Assembler& a;
    Reg temporary = x86::rax;

    static Reg use(OpContext& c, cpu::exec::RegRef r) { return c.v.use(r, 64); }
    static Reg result(OpContext& c) { return c.v.def(); }
    static void set(OpContext& c, const Reg& d) { c.v.set_result(d); }
    void clear(const Reg& d) { a.xor_(d.r32(), d.r32()); }
    void move(const Reg& d, const Reg& s) { a.mov(d, s); }
    void and_with(const Reg& d, const Reg& s) { a.and_(d, s); }
    void or_with(const Reg& d, const Reg& s) { a.or_(d, s); }
    void xor_with(const Reg& d, const Reg& s) { a.xor_(d, s); }
    void mask_out(const Reg& d, const Reg& s) {  // d = ~d & s
        a.not_(d);
        a.and_(d, s);
    }
    void invert(const Reg& d) { a.not_(d); }
};

struct Whole128 {
    using Reg = Xmm;
    asmjit::x86::Assembler& a;
    Reg temporary = x86::xmm15;

    static Reg use(OpContext& c, cpu::exec::RegRef r) { return c.v.use_xmm(r, 128); }
    static Reg result(OpContext& c) { return c.v.def_xmm(); }
    static void set(OpContext& c, const Reg& d) { c.v.set_result(d, 128); }
    void clear(const Reg& d) { a.pxor(d, d); }
    void move(const Reg& d, const Reg& s) { a.movdqa(d, s); }
    void and_with(const Reg& d, const Reg& s) { a.pand(d, s); }
    void or_with(const Reg& d, const Reg& s) { a.por(d, s); }
    void xor_with(const Reg& d, const Reg& s) { a.pxor(d, s); }
    void mask_out(const Reg& d, const Reg& s) { a.pandn(d, s); }
    void invert(const Reg& d) {  // the temporary is free when the result is ready
        a.pcmpeqd(temporary, temporary);
        a.pxor(d, temporary);
    }
};

struct Split {
    unsigned pivot = 0, low = 0, change = 0;
};

/// Indices of the two operands that are not the pivot.
constexpr std::pair<unsigned, unsigned> others(unsigned pivot) {
    return {pivot == 0 ? 1 : 0, pivot == 2 ? 1 : 2};
}

constexpr Split split_at(unsigned pivot, unsigned table) {
    const auto [first, second] = others(pivot);
    Split split{pivot, 0, 0};
    for (unsigned xy = 0; xy < 4; ++xy) {
        // Operand i is bit 2 - i of a table's index.
        const unsigned index = (xy >> 1) << (2 - first) | (xy & 1) << (2 - second);
        const unsigned zero = table >> index & 1, one = table >> (index | 4 >> pivot) & 1;
        split.low |= zero << xy;
        split.change |= (zero ^ one) << xy;
    }
    return split;
}

/// Instructions of a function of two operands that is 0 for zeros.
constexpr unsigned cost(unsigned pair) {
    return pair == 0 ? 0 : pair == kFirst || pair == kSecond ? 1 : 2;
}
constexpr unsigned cost(const Split& s) {
    const unsigned change = s.change & 1 ? ~s.change & kAll : s.change;
    if (change == 0) return cost(s.low) + (s.change ? 1 : 0);
    return cost(change) + 1 + (s.low ? cost(s.low) + 1 : 0);
}

constexpr Split best_split(unsigned table) {
    Split best = split_at(0, table);
    for (unsigned pivot = 1; pivot < 3; ++pivot)
        if (const Split s = split_at(pivot, table); cost(s) < cost(best)) best = s;
    return best;
}

/// d = pair(x, y); pair is one that is 0 for zeros.
template <class Unit>
void emit_pair(Unit& u, unsigned pair, const typename Unit::Reg& d, const typename Unit::Reg& x,
               const typename Unit::Reg& y) {
    if (pair == 0) return u.clear(d);
    u.move(d, pair == kSecond || pair == kFirstOnly ? y : x);
    switch (pair) {
        case kSecondOnly:
            return u.mask_out(d, y);
        case kFirstOnly:
            return u.mask_out(d, x);
        case kXor:
            return u.xor_with(d, y);
        case kAnd:
            return u.and_with(d, y);
        case kOr:
            return u.or_with(d, y);
        default:  // kFirst, kSecond
            return;
    }
}

/// d = low ^ (p & change); the temporary is free.
template <class Unit>
void emit_split(Unit& u, const Split& s, const typename Unit::Reg& d, const typename Unit::Reg& p,
                const typename Unit::Reg& x, const typename Unit::Reg& y) {
    const bool inverted = s.change & 1;
    const unsigned change = inverted ? ~s.change & kAll : s.change;
    if (change == 0) {  // of p itself, or not at all
        if (!inverted) return emit_pair(u, s.low, d, x, y);
        if (s.low == 0) return u.move(d, p);
        emit_pair(u, s.low, d, x, y);
        return u.xor_with(d, p);
    }
    const typename Unit::Reg part = s.low ? u.temporary : d;
    emit_pair(u, change, part, x, y);
    inverted ? u.mask_out(part, p) : u.and_with(part, p);
    if (s.low == 0) return;
    emit_pair(u, s.low, d, x, y);
    u.xor_with(d, part);
}

template <class Unit>
void truth_table(OpContext& c) {
    const unsigned table = cpu::plog_table(isa::operation(c.op.row));
    const bool inverted = table & 1;
    const Split split = best_split(inverted ? ~table & 0xff : table);
    const std::array refs{c.op.a, c.op.b, c.op.c};
    std::array<typename Unit::Reg, 3> operands;
    for (unsigned i = 0; i < 3; ++i)
        if (split_at(i, table).change) operands[i] = Unit::use(c, refs[i]);
    Unit unit{c.a};
    const typename Unit::Reg d = Unit::result(c);
    const auto [first, second] = others(split.pivot);
    emit_split(unit, split, d, operands[split.pivot], operands[first], operands[second]);
    if (inverted) unit.invert(d);
    Unit::set(c, d);
}

constexpr Emitter kWhole64{"plog", truth_table<Whole64>};
constexpr Emitter kWhole128{"qplog", truth_table<Whole128>, false};

}  // namespace

const Emitter& truth_table_emitter(const isa::Operation& row) {
    return row.dst == isa::Width::P ? kWhole128 : kWhole64;
}

}  // namespace e2k::translate
