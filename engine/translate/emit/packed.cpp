// Packed integers by SSE instructions (packed.md). A 64-bit form works on the low half of an
// XMM register whose upper half may hold anything, so what mixes the halves joins its operands
// first: lanes of b below lanes of a. The 128-bit form has the 64-bit form's name with a leading q.
#include <algorithm>
#include <array>

#include "engine/translate/emitters.h"

namespace e2k::translate {
namespace {

using asmjit::imm;
using asmjit::InstId;
using asmjit::x86::Gp;
using asmjit::x86::Xmm;
using cpu::exec::RegRef;
namespace x86 = asmjit::x86;
namespace Inst = x86::Inst;

/// d = x; d = d op y.
template <InstId Id>
void apply(OpContext& c, unsigned bits, RegRef first, RegRef second) {
    const Xmm x = c.v.use_xmm(first, bits), y = c.v.use_xmm(second, bits);
    const Xmm d = c.v.def_xmm();
    c.a.movdqa(d, x);
    c.a.emit(Id, d, y);
    c.v.set_result(d, bits);
}
template <InstId Id, unsigned Bits>
void lanes(OpContext& c) {
    apply<Id>(c, Bits, c.op.a, c.op.b);
}
/// For instructions whose operands stand the other way round.
template <InstId Id, unsigned Bits>
void lanes_of_b(OpContext& c) {
    apply<Id>(c, Bits, c.op.b, c.op.a);
}

/// A new register with `low` in the low and `high` in the high 64 bits.
Xmm joined(OpContext& c, RegRef low, RegRef high) {
    const Xmm x = c.v.use_xmm(low, 64), y = c.v.use_xmm(high, 64);
    const Xmm d = c.v.def_xmm();
    c.a.movdqa(d, x);
    c.a.punpcklqdq(d, y);
    return d;
}

/// d = Id(first below second) in the 64-bit form; the 128-bit form takes them as they are.
template <InstId Id, unsigned Bits>
void halves(OpContext& c, RegRef first, RegRef second) {
    if (Bits == 128) return apply<Id>(c, Bits, first, second);
    const Xmm d = joined(c, first, second);
    c.a.emit(Id, d, d);
    c.v.set_result(d, Bits);
}
/// Pairs of lanes: those of a give the low half of the result.
template <InstId Id, unsigned Bits>
void pairs(OpContext& c) {
    halves<Id, Bits>(c, c.op.a, c.op.b);
}
/// Saturating narrowing: the lanes of b give the low half.
template <InstId Id, unsigned Bits>
void pack(OpContext& c) {
    halves<Id, Bits>(c, c.op.b, c.op.a);
}

/// Even lanes from b, odd lanes from a.
template <InstId Id, bool High>
void interleave(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.a, 64), y = c.v.use_xmm(c.op.b, 64);
    const Xmm d = c.v.def_xmm();
    c.a.movdqa(d, y);
    c.a.emit(Id, d, x);
    if (High) c.a.psrldq(d, 8);
    c.v.set_result(d, 64);
}

/// All lanes by one count; the host takes all 64 bits of it, as the guest does.
template <InstId Id, unsigned Bits>
void shift(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.a, Bits);
    if (const auto count = c.v.constant(c.op.b, 64)) {
        const Xmm d = c.v.def_xmm();
        c.a.movdqa(d, x);
        c.a.emit(Id, d, imm(std::min<std::uint64_t>(*count, 255)));
        return c.v.set_result(d, Bits);
    }
    const Xmm count = c.v.use_xmm(c.op.b, 64);
    const Xmm d = c.v.def_xmm();
    c.a.movdqa(d, x);
    c.a.emit(Id, d, count);
    c.v.set_result(d, Bits);
}

/// Bit 7 of each byte of c selects b instead of a: a ^ ((a ^ b) & mask).
template <unsigned Bits>
void blend(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.a, Bits), y = c.v.use_xmm(c.op.b, Bits),
              z = c.v.use_xmm(c.op.c, Bits);
    const Xmm d = c.v.def_xmm();
    c.a.pxor(x86::xmm15, x86::xmm15);
    c.a.pcmpgtb(x86::xmm15, z);
    c.a.movdqa(d, x);
    c.a.pxor(d, y);
    c.a.pand(d, x86::xmm15);
    c.a.pxor(d, x);
    c.v.set_result(d, Bits);
}

/// Whether the relation holds in any (else in every) lane, to a predicate.
template <InstId Id, unsigned Bits, bool Any>
void compare(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.a, Bits), y = c.v.use_xmm(c.op.b, Bits);
    const Gp d = c.v.def();
    c.a.movdqa(x86::xmm15, x);
    c.a.emit(Id, x86::xmm15, y);
    c.a.pmovmskb(x86::eax, x86::xmm15);
    constexpr unsigned kAll = Bits == 64 ? 0xff : 0xffff;
    if (Any) {
        c.a.test(x86::eax, imm(kAll));
        c.a.setnz(d.r8());
    } else {
        c.a.not_(x86::eax);
        c.a.test(x86::eax, imm(kAll));
        c.a.setz(d.r8());
    }
    c.v.set_result(d);
}

// --- joined shifts, selection by literal ---

unsigned literal(const OpContext& c) { return static_cast<unsigned>(*c.v.constant(c.op.c, 64)); }

/// 64 bits of {a:b} shifted by whole bytes.
template <bool Left, bool High>
void shift_joined(OpContext& c) {
    const unsigned bytes = literal(c);
    const Xmm d = joined(c, c.op.b, c.op.a);
    const unsigned by = std::min(bytes, 255u);
    if (by != 0) Left ? c.a.pslldq(d, imm(by)) : c.a.psrldq(d, imm(by));
    if (High) c.a.psrldq(d, 8);
    c.v.set_result(d, 64);
}

void extract_half(OpContext& c) {
    const unsigned n = literal(c);
    const Gp x = c.v.use(n & 4 ? c.op.a : c.op.b, 64);
    const Gp d = c.v.def();
    c.a.mov(d, x);
    if (n & 3) c.a.shr(d, 16 * (n & 3));
    c.a.movzx(d.r32(), d.r16());
    c.v.set_result(d);
}

void insert_half(OpContext& c) {
    const unsigned at = 16 * (literal(c) & 3);
    const Gp x = c.v.use(c.op.a, 64), y = c.v.use(c.op.b, 64);
    const Gp d = c.v.def();
    c.a.mov(d, x);
    if (at) c.a.ror(d, at);
    c.a.mov(d.r16(), y.r16());
    if (at) c.a.rol(d, at);
    c.v.set_result(d);
}

void shuffle_halves(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.b, 64);
    const Xmm d = c.v.def_xmm();
    c.a.pshuflw(d, x, imm(literal(c) & 0xff));
    c.v.set_result(d, 64);
}

void shuffle_words(OpContext& c) {
    const Xmm d = joined(c, c.op.b, c.op.a);
    c.a.pshufd(d, d, imm(literal(c) & 0xf));
    c.v.set_result(d, 64);
}

/// Sign bits of the lanes of {a:b}.
template <InstId Id>
void signs(OpContext& c) {
    const Xmm x = joined(c, c.op.b, c.op.a);
    const Gp d = c.v.def();
    c.a.emit(Id, d.r32(), x);
    c.v.set_result(d);
}

// --- 128-bit helpers ---

void join_halves(OpContext& c) { c.v.set_result(joined(c, c.op.b, c.op.a), 128); }

template <unsigned Order>
void permute_words(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.b, 128);
    const Xmm d = c.v.def_xmm();
    c.a.pshufd(d, x, imm(Order));
    c.v.set_result(d, 128);
}

template <std::uint8_t Byte>
void extend_with(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.b, 64);
    const Xmm d = c.v.def_xmm();
    c.a.movq(d, x);
    if (Byte != 0) {
        c.v.load_constant(x86::rax, 0x0101'0101'0101'0101ull * Byte);
        c.a.movq(x86::xmm15, x86::rax);
        c.a.punpcklqdq(d, x86::xmm15);
    }
    c.v.set_result(d, 128);
}

void signs_to_mask(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.b, 128);
    const Xmm d = c.v.def_xmm();
    c.a.pmovmskb(x86::eax, x);
    c.a.movd(d, x86::eax);
    c.v.set_result(d, 128);
}

// --- the list ---

using Emit = void (*)(OpContext&);
/// One operation in both register widths.
struct Both {
    std::string_view qname;
    Emit narrow, wide;
};

template <InstId Id>
constexpr Both lanewise(std::string_view qname) {
    return {qname, lanes<Id, 64>, lanes<Id, 128>};
}
template <InstId Id>
constexpr Both exchanged(std::string_view qname) {
    return {qname, lanes_of_b<Id, 64>, lanes_of_b<Id, 128>};
}
template <InstId Id>
constexpr Both pairwise(std::string_view qname) {
    return {qname, pairs<Id, 64>, pairs<Id, 128>};
}
template <InstId Id>
constexpr Both packing(std::string_view qname) {
    return {qname, pack<Id, 64>, pack<Id, 128>};
}
template <InstId Id>
constexpr Both shifting(std::string_view qname) {
    return {qname, shift<Id, 64>, shift<Id, 128>};
}
template <InstId Id, bool Any>
constexpr Both comparing(std::string_view qname) {
    return {qname, compare<Id, 64, Any>, compare<Id, 128, Any>};
}

constexpr Both kBoth[] = {
    lanewise<Inst::kIdPaddb>("qpaddb"),
    lanewise<Inst::kIdPaddw>("qpaddh"),
    lanewise<Inst::kIdPaddd>("qpaddw"),
    lanewise<Inst::kIdPaddq>("qpaddd"),
    lanewise<Inst::kIdPsubb>("qpsubb"),
    lanewise<Inst::kIdPsubw>("qpsubh"),
    lanewise<Inst::kIdPsubd>("qpsubw"),
    lanewise<Inst::kIdPsubq>("qpsubd"),
    lanewise<Inst::kIdPaddsb>("qpaddsb"),
    lanewise<Inst::kIdPaddsw>("qpaddsh"),
    lanewise<Inst::kIdPaddusb>("qpaddusb"),
    lanewise<Inst::kIdPaddusw>("qpaddush"),
    lanewise<Inst::kIdPsubsb>("qpsubsb"),
    lanewise<Inst::kIdPsubsw>("qpsubsh"),
    lanewise<Inst::kIdPsubusb>("qpsubusb"),
    lanewise<Inst::kIdPsubusw>("qpsubush"),
    lanewise<Inst::kIdPminsb>("qpminsb"),
    lanewise<Inst::kIdPminsw>("qpminsh"),
    lanewise<Inst::kIdPminsd>("qpminsw"),
    lanewise<Inst::kIdPminub>("qpminub"),
    lanewise<Inst::kIdPminuw>("qpminuh"),
    lanewise<Inst::kIdPminud>("qpminuw"),
    lanewise<Inst::kIdPmaxsb>("qpmaxsb"),
    lanewise<Inst::kIdPmaxsw>("qpmaxsh"),
    lanewise<Inst::kIdPmaxsd>("qpmaxsw"),
    lanewise<Inst::kIdPmaxub>("qpmaxub"),
    lanewise<Inst::kIdPmaxuw>("qpmaxuh"),
    lanewise<Inst::kIdPmaxud>("qpmaxuw"),
    lanewise<Inst::kIdPavgb>("qpavgusb"),
    lanewise<Inst::kIdPavgw>("qpavgush"),
    lanewise<Inst::kIdPcmpeqb>("qpcmpeqb"),
    lanewise<Inst::kIdPcmpeqw>("qpcmpeqh"),
    lanewise<Inst::kIdPcmpeqd>("qpcmpeqw"),
    lanewise<Inst::kIdPcmpeqq>("qpcmpeqd"),
    lanewise<Inst::kIdPcmpgtb>("qpcmpgtb"),
    lanewise<Inst::kIdPcmpgtw>("qpcmpgth"),
    lanewise<Inst::kIdPcmpgtd>("qpcmpgtw"),
    lanewise<Inst::kIdPcmpgtq>("qpcmpgtd"),
    lanewise<Inst::kIdPsignb>("qpsignb"),
    lanewise<Inst::kIdPsignw>("qpsignh"),
    lanewise<Inst::kIdPsignd>("qpsignw"),
    lanewise<Inst::kIdPmullw>("qpmullh"),
    lanewise<Inst::kIdPmulld>("qpmullw"),
    lanewise<Inst::kIdPmulhw>("qpmulhh"),
    lanewise<Inst::kIdPmulhuw>("qpmulhuh"),
    lanewise<Inst::kIdPmulhrsw>("qpmulhrsh"),
    lanewise<Inst::kIdPmaddwd>("qpmaddh"),
    lanewise<Inst::kIdPsadbw>("qpsadbw"),
    // The bytes of a are signed, those of b are not.
    exchanged<Inst::kIdPmaddubsw>("qpmaddubsh"),
    pairwise<Inst::kIdPhaddw>("qphaddh"),
    pairwise<Inst::kIdPhaddd>("qphaddw"),
    pairwise<Inst::kIdPhsubw>("qphsubh"),
    pairwise<Inst::kIdPhsubd>("qphsubw"),
    pairwise<Inst::kIdPhaddsw>("qphaddsh"),
    pairwise<Inst::kIdPhsubsw>("qphsubsh"),
    packing<Inst::kIdPacksswb>("qpacksshb"),
    packing<Inst::kIdPackuswb>("qpackushb"),
    packing<Inst::kIdPackssdw>("qpacksswh"),
    packing<Inst::kIdPackusdw>("qpackuswh"),
    shifting<Inst::kIdPsllw>("qpsllh"),
    shifting<Inst::kIdPslld>("qpsllw"),
    shifting<Inst::kIdPsllq>("qpslld"),
    shifting<Inst::kIdPsrlw>("qpsrlh"),
    shifting<Inst::kIdPsrld>("qpsrlw"),
    shifting<Inst::kIdPsrlq>("qpsrld"),
    shifting<Inst::kIdPsraw>("qpsrah"),
    shifting<Inst::kIdPsrad>("qpsraw"),
    {"qpmerge", blend<64>, blend<128>},
    comparing<Inst::kIdPcmpeqb, true>("qpcmpeqbop"),
    comparing<Inst::kIdPcmpeqb, false>("qpcmpeqbap"),
    comparing<Inst::kIdPcmpeqw, true>("qpcmpeqhop"),
    comparing<Inst::kIdPcmpeqw, false>("qpcmpeqhap"),
    comparing<Inst::kIdPcmpeqd, true>("qpcmpeqwop"),
    comparing<Inst::kIdPcmpeqd, false>("qpcmpeqwap"),
    comparing<Inst::kIdPcmpeqq, true>("qpcmpeqdop"),
    comparing<Inst::kIdPcmpeqq, false>("qpcmpeqdap"),
    comparing<Inst::kIdPcmpgtb, true>("qpcmpgtbop"),
    comparing<Inst::kIdPcmpgtb, false>("qpcmpgtbap"),
    comparing<Inst::kIdPcmpgtw, true>("qpcmpgthop"),
    comparing<Inst::kIdPcmpgtw, false>("qpcmpgthap"),
    comparing<Inst::kIdPcmpgtd, true>("qpcmpgtwop"),
    comparing<Inst::kIdPcmpgtd, false>("qpcmpgtwap"),
    comparing<Inst::kIdPcmpgtq, true>("qpcmpgtdop"),
    comparing<Inst::kIdPcmpgtq, false>("qpcmpgtdap"),
};

constexpr Emitter kSingle[] = {
    {"punpcklbh", interleave<Inst::kIdPunpcklbw, false>, false},
    {"punpcklhw", interleave<Inst::kIdPunpcklwd, false>, false},
    {"punpcklwd", interleave<Inst::kIdPunpckldq, false>, false},
    {"punpckhbh", interleave<Inst::kIdPunpcklbw, true>, false},
    {"punpckhhw", interleave<Inst::kIdPunpcklwd, true>, false},
    {"punpckhwd", interleave<Inst::kIdPunpckldq, true>, false},
    {"psllqh", shift_joined<true, true>, false},
    {"psllql", shift_joined<true, false>, false},
    {"psrlqh", shift_joined<false, true>, false},
    {"psrlql", shift_joined<false, false>, false},
    {"pextrh", extract_half},
    {"pinsh", insert_half},
    {"pshufh", shuffle_halves, false},
    {"pshufw", shuffle_words, false},
    {"pmovmskb", signs<Inst::kIdPmovmskb>},
    {"pmovmskps", signs<Inst::kIdMovmskps>},
    {"pmovmskpd", signs<Inst::kIdMovmskpd>},
    {"qpand", lanes<Inst::kIdPand, 128>, false},
    {"qpandn", lanes_of_b<Inst::kIdPandn, 128>, false},  // a & ~b
    {"qpor", lanes<Inst::kIdPor, 128>, false},
    {"qpxor", lanes<Inst::kIdPxor, 128>, false},
    {"qppackdl", join_halves, false},
    {"qpswitchd", permute_words<0x4e>, false},
    {"qpswitchw", permute_words<0xb1>, false},
    {"qpcext_0x00", extend_with<0x00>, false},
    {"qpcext_0x7f", extend_with<0x7f>, false},
    {"qpcext_0x80", extend_with<0x80>, false},
    {"qpcext_0xff", extend_with<0xff>, false},
    {"qpsgn2mskb", signs_to_mask, false},
};

/// `pure` says that a dropped result may be computed into a general register: only predicates.
constexpr auto kEmitters = [] {
    std::array<Emitter, 2 * std::size(kBoth) + std::size(kSingle)> all{};
    std::size_t n = 0;
    for (const Both& both : kBoth) {
        const char last = both.qname.back();
        const bool predicate = last == 'p';
        all[n++] = {both.qname.substr(1), both.narrow, predicate};
        all[n++] = {both.qname, both.wide, predicate};
    }
    for (const Emitter& e : kSingle) all[n++] = e;
    return all;
}();

}  // namespace

std::span<const Emitter> packed_emitters() { return kEmitters; }

}  // namespace e2k::translate
