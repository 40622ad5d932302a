// Two packed floating-point steps in one operation (float.md §8): t = a op1 b, d = c op2 t,
// both rounded. All products of the step lists.
#include <algorithm>
#include <array>
#include <utility>

#include "engine/translate/emit/arithmetic.h"
#include "engine/translate/emitters.h"

namespace e2k::translate {
namespace {

using asmjit::InstId;
using asmjit::x86::Xmm;
namespace x86 = asmjit::x86;
namespace Inst = x86::Inst;

enum Shape { PairS, ScalarD, QuadS, PairD };
enum class Kind { Add, Sub, ReverseSub, Mul, AddSub, PairAdd, PairSub };

constexpr bool horizontal(Kind k) { return k == Kind::PairAdd || k == Kind::PairSub; }

constexpr InstId instruction(Kind kind, Shape shape) {
    const bool single = shape == PairS || shape == QuadS;
    switch (kind) {
        case Kind::Add:
            return single ? Inst::kIdAddps : shape == PairD ? Inst::kIdAddpd : Inst::kIdAddsd;
        case Kind::Mul:
            return single ? Inst::kIdMulps : shape == PairD ? Inst::kIdMulpd : Inst::kIdMulsd;
        case Kind::AddSub:
            return single ? Inst::kIdAddsubps : Inst::kIdAddsubpd;
        case Kind::PairAdd:
            return Inst::kIdHaddps;
        case Kind::PairSub:
            return Inst::kIdHsubps;
        default:
            return single ? Inst::kIdSubps : shape == PairD ? Inst::kIdSubpd : Inst::kIdSubsd;
    }
}

struct Named {
    Kind kind;
    std::string_view name;
};
/// Those of 32-bit lanes; the scalar f64 form has the first three of each list.
constexpr Named kFirst[] = {{Kind::Add, "add"},      {Kind::Sub, "sub"},
                            {Kind::Mul, "mul"},      {Kind::AddSub, "addsub"},
                            {Kind::PairAdd, "hadd"}, {Kind::PairSub, "hsub"}};
constexpr Named kSecond[] = {{Kind::Add, "add"},         {Kind::Sub, "sub"},
                             {Kind::ReverseSub, "rsub"}, {Kind::AddSub, "addsub"},
                             {Kind::PairAdd, "hadd"},    {Kind::PairSub, "hsub"}};

/// One step on the two lanes of 64-bit registers: d = x op y. The lanes above are zeros, which
/// raise no flags, or after a horizontal step copies of those below. `cleared` is another register
/// for y without the lanes above, or y itself if they are zeros.
void pair_step(OpContext& c, Kind kind, const Xmm& d, const Xmm& x, const Xmm& y,
               const Xmm& cleared) {
    c.a.movq(d, x);
    if (horizontal(kind)) {
        c.a.punpcklqdq(d, y);
        c.a.emit(instruction(kind, PairS), d, d);
    } else {
        if (cleared.id() != y.id()) c.a.movq(cleared, y);
        c.a.emit(instruction(kind, PairS), d, cleared);
    }
}

template <Kind First, Kind Second>
void combined_pair(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.a, 64), y = c.v.use_xmm(c.op.b, 64), z = c.v.use_xmm(c.op.c, 64);
    const Xmm d = c.v.def_xmm(), t = x86::xmm15;
    if constexpr (Second == Kind::ReverseSub) {
        pair_step(c, First, d, x, y, t);
        pair_step(c, Second, d, d, z, t);
    } else {
        pair_step(c, First, t, x, y, d);
        if (horizontal(First) && !horizontal(Second)) c.a.movq(t, t);
        pair_step(c, Second, d, z, t, t);
    }
    c.v.set_result(d, 64);
}

template <Kind First, Kind Second, Shape S>
void combined(OpContext& c) {
    constexpr unsigned kBits = S == ScalarD ? 64 : 128;
    const Xmm x = c.v.use_xmm(c.op.a, kBits);
    const asmjit::Operand y = c.v.use_xmm_or_memory(c.op.b, kBits);
    if constexpr (Second == Kind::ReverseSub) {
        const asmjit::Operand z = c.v.use_xmm_or_memory(c.op.c, kBits);
        const Xmm d = c.v.def_over(c.op.a, x);
        arithmetic<instruction(First, S)>(c, d, x, y);
        arithmetic<instruction(Second, S)>(c, d, d, z);
        c.v.set_result(d, kBits);
    } else {
        const Xmm z = c.v.use_xmm(c.op.c, kBits);
        const Xmm d = c.v.def_over(c.op.c, z);
        arithmetic<instruction(First, S)>(c, x86::xmm15, x, y);
        arithmetic<instruction(Second, S)>(c, d, z, x86::xmm15);
        c.v.set_result(d, kBits);
    }
}

/// `pf<first>_<second>` and the width letter, with a leading q for 128 bits.
template <std::size_t F, std::size_t L, Shape S>
struct Name {
    static constexpr bool kWide = S == QuadS || S == PairD;
    static constexpr std::size_t kSize =
        kFirst[F].name.size() + kSecond[L].name.size() + (kWide ? 5 : 4);
    static constexpr std::array<char, kSize> kText = [] {
        std::array<char, kSize> text{};
        constexpr std::string_view kPrefix = kWide ? "qpf" : "pf";
        auto end = std::copy(kPrefix.begin(), kPrefix.end(), text.begin());
        end = std::copy(kFirst[F].name.begin(), kFirst[F].name.end(), end);
        *end++ = '_';
        end = std::copy(kSecond[L].name.begin(), kSecond[L].name.end(), end);
        *end = S == PairS || S == QuadS ? 's' : 'd';
        return text;
    }();
};

template <std::size_t F, std::size_t L, Shape S>
constexpr Emitter entry() {
    constexpr std::string_view kName(Name<F, L, S>::kText.data(), Name<F, L, S>::kSize);
    if constexpr (S == PairS)
        return {kName, combined_pair<kFirst[F].kind, kSecond[L].kind>, false};
    else
        return {kName, combined<kFirst[F].kind, kSecond[L].kind, S>, false};
}

/// The first `Firsts` steps of the one list with the first `Seconds` of the other.
template <Shape S, std::size_t Seconds, std::size_t... I>
constexpr auto products(std::index_sequence<I...>) {
    return std::array<Emitter, sizeof...(I)>{entry<I / Seconds, I % Seconds, S>()...};
}
template <Shape S, std::size_t Firsts, std::size_t Seconds>
constexpr auto kProducts = products<S, Seconds>(std::make_index_sequence<Firsts * Seconds>{});

template <std::size_t... N>
constexpr auto joined(const std::array<Emitter, N>&... lists) {
    std::array<Emitter, (N + ...)> all{};
    auto end = all.begin();
    ((end = std::copy(lists.begin(), lists.end(), end)), ...);
    return all;
}

constexpr auto kEmitters = joined(kProducts<PairS, 6, 6>, kProducts<QuadS, 6, 6>,
                                  kProducts<ScalarD, 3, 3>, kProducts<PairD, 4, 4>);

}  // namespace

std::span<const Emitter> float_combined_packed_emitters() { return kEmitters; }

}  // namespace e2k::translate
