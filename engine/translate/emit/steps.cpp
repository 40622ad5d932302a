#include "engine/translate/emit/steps.h"

namespace e2k::translate {

using asmjit::imm;
using asmjit::x86::Gp;
using cpu::exec::RegRef;
namespace x86 = asmjit::x86;

namespace {

bool encodable(std::uint64_t v, unsigned bits) {
    return bits == 32 || static_cast<std::int64_t>(v) == static_cast<std::int32_t>(v);
}

std::int32_t immediate(std::uint64_t v) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(v));
}

void move(OpContext& c, unsigned bits, const Gp& dst, const Source& x) {
    if (x.value)
        c.v.load_constant(dst, *x.value);
    else
        c.a.mov(sized(dst, bits), sized(x.reg, bits));
}

/// dst = x, where an operation at width `bits` follows that clears the upper half.
void begin(OpContext& c, unsigned bits, const Gp& dst, const Source& x) {
    if (x.value || x.reg.id() != dst.id()) move(c, bits, dst, x);
}

void add(OpContext& c, unsigned bits, const Gp& dst, Source x, Source y) {
    if (x.value) std::swap(x, y);
    if (x.value) {
        c.v.load_constant(dst, bits == 32 ? static_cast<std::uint32_t>(*x.value + *y.value)
                                          : *x.value + *y.value);
    } else if (!y.value) {
        c.a.lea(sized(dst, bits), x86::ptr(x.reg.r64(), y.reg.r64()));
    } else if (*y.value == 0) {
        move(c, bits, dst, x);
    } else {
        c.a.lea(sized(dst, bits), x86::ptr(x.reg.r64(), immediate(*y.value)));
    }
}

void logic(OpContext& c, asmjit::InstId id, unsigned bits, const Gp& dst, Source x, Source y) {
    // All of them are commutative.
    if (x.value || (!y.value && y.reg.id() == dst.id())) std::swap(x, y);
    begin(c, bits, dst, x);
    if (y.value)
        c.a.emit(id, sized(dst, bits), imm(immediate(*y.value)));
    else
        c.a.emit(id, sized(dst, bits), sized(y.reg, bits));
}

/// x op ~y, where y is inverted first.
void inverted(OpContext& c, asmjit::InstId id, unsigned bits, const Gp& dst, Source x, Source y) {
    if (y.value) {
        Source flipped{~*y.value, {}};
        if (bits == 32) *flipped.value &= 0xffff'ffff;
        return logic(c, id, bits, dst, x, flipped);
    }
    move(c, bits, dst, y);
    c.a.not_(sized(dst, bits));
    if (x.value)
        c.a.emit(id, sized(dst, bits), imm(immediate(*x.value)));
    else
        c.a.emit(id, sized(dst, bits), sized(x.reg, bits));
}

void subtract(OpContext& c, unsigned bits, const Gp& dst, const Source& x, const Source& y) {
    begin(c, bits, dst, x);
    if (y.value)
        c.a.sub(sized(dst, bits), imm(immediate(*y.value)));
    else
        c.a.sub(sized(dst, bits), sized(y.reg, bits));
}

/// The host takes counts modulo the width, as the guest does.
void shift(OpContext& c, asmjit::InstId id, unsigned bits, const Gp& dst, const Source& x,
           const Source& y) {
    if (y.value) {
        const auto n = static_cast<std::uint32_t>(*y.value & (bits - 1));
        if (n == 0) return move(c, bits, dst, x);
        begin(c, bits, dst, x);
        c.a.emit(id, sized(dst, bits), imm(n));
        return;
    }
    c.a.mov(x86::ecx, y.reg.r32());
    // A count of 0 leaves the upper half as it is on some processors.
    move(c, bits, dst, x);
    c.a.emit(id, sized(dst, bits), x86::cl);
}

}  // namespace

Source source_of(OpContext& c, RegRef r, unsigned bits) {
    const auto value = c.v.constant(r, bits);
    if (value && encodable(*value, bits)) return {value, {}};
    return {std::nullopt, c.v.use(r, bits)};
}

bool getf_accepts(std::uint64_t descriptor, unsigned bits, int iset) {
    const unsigned offset = descriptor & (bits - 1), length = descriptor >> 6 & (bits - 1);
    if (length == 0 || offset + length > bits) return false;
    if (!(descriptor >> 12 & 1) || iset >= 5) return true;
    // v1..v4 name the byte that holds the sign (integer.md §5).
    const unsigned byte = (descriptor >> 13 & 7) % (bits / 8);
    return byte * 8 + (offset + length - 1) % 8 == offset + length - 1;
}

void emit_getf(OpContext& c, unsigned bits, const Gp& dst, const Source& x,
               std::uint64_t descriptor) {
    const unsigned offset = descriptor & (bits - 1), length = descriptor >> 6 & (bits - 1);
    const bool is_signed = descriptor >> 12 & 1;
    const Gp d = sized(dst, bits);
    const unsigned left = bits - offset - length;
    if (!is_signed && offset == 0 && !x.value && (length == 8 || length == 16 || length == 32)) {
        if (length == 8)
            c.a.movzx(dst.r32(), x.reg.r8());
        else if (length == 16)
            c.a.movzx(dst.r32(), x.reg.r16());
        else
            c.a.mov(dst.r32(), x.reg.r32());
        return;
    }
    move(c, bits, dst, x);
    if (is_signed) {
        if (left) c.a.shl(d, left);
        c.a.sar(d, bits - length);
    } else if (left == 0) {
        if (offset) c.a.shr(d, offset);
    } else if (length <= 31) {
        if (offset) c.a.shr(d, offset);
        c.a.and_(dst.r32(), imm((1u << length) - 1));
    } else {
        c.a.shl(d, left);
        c.a.shr(d, bits - length);
    }
}

void emit_select(OpContext& c, unsigned bits, const Gp& dst) {
    if (!c.selects) {  // no selecting predicate: src1
        move(c, bits, dst, source_of(c, c.op.a, bits));
        return;
    }
    const Source a = source_of(c, c.op.a, bits);
    const Gp b = c.v.use(c.op.b, bits);
    move(c, bits, dst, a);
    c.a.cmov(c.select_condition(), sized(dst, bits), sized(b, bits));
}

void emit_step(OpContext& c, Step step, unsigned bits, const Gp& dst, const Source& x,
               const Source& y) {
    namespace Inst = x86::Inst;
    switch (step) {
        case Step::Add:
            return add(c, bits, dst, x, y);
        case Step::Sub:
            return subtract(c, bits, dst, x, y);
        case Step::ReverseSub:
            return subtract(c, bits, dst, y, x);
        case Step::And:
            return logic(c, Inst::kIdAnd, bits, dst, x, y);
        case Step::Or:
            return logic(c, Inst::kIdOr, bits, dst, x, y);
        case Step::Xor:
            return logic(c, Inst::kIdXor, bits, dst, x, y);
        case Step::AndNot:
            return inverted(c, Inst::kIdAnd, bits, dst, x, y);
        case Step::OrNot:
            return inverted(c, Inst::kIdOr, bits, dst, x, y);
        case Step::XorNot:
            return inverted(c, Inst::kIdXor, bits, dst, x, y);
        case Step::Shl:
            return shift(c, Inst::kIdShl, bits, dst, x, y);
        case Step::Shr:
            return shift(c, Inst::kIdShr, bits, dst, x, y);
        case Step::Sar:
            return shift(c, Inst::kIdSar, bits, dst, x, y);
        case Step::Scl:
            return shift(c, Inst::kIdRol, bits, dst, x, y);
        case Step::Scr:
            return shift(c, Inst::kIdRor, bits, dst, x, y);
        case Step::Getf:
            return emit_getf(c, bits, dst, x, *y.value);
        case Step::Merge:
            return emit_select(c, bits, dst);
    }
}

}  // namespace e2k::translate
