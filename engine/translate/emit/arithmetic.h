// Floating-point instructions of two operands, in the host's form of three where it has that.
#pragma once

#include <asmjit/x86.h>

#include "engine/translate/emitters.h"
#include "engine/translate/host_features.h"

namespace e2k::translate {

/// The AVX form of an SSE instruction.
constexpr asmjit::InstId with_three_operands(asmjit::InstId id) {
    namespace Inst = asmjit::x86::Inst;
    constexpr asmjit::InstId kForms[][2] = {
        {Inst::kIdAddss, Inst::kIdVaddss},       {Inst::kIdAddsd, Inst::kIdVaddsd},
        {Inst::kIdAddps, Inst::kIdVaddps},       {Inst::kIdAddpd, Inst::kIdVaddpd},
        {Inst::kIdSubss, Inst::kIdVsubss},       {Inst::kIdSubsd, Inst::kIdVsubsd},
        {Inst::kIdSubps, Inst::kIdVsubps},       {Inst::kIdSubpd, Inst::kIdVsubpd},
        {Inst::kIdMulss, Inst::kIdVmulss},       {Inst::kIdMulsd, Inst::kIdVmulsd},
        {Inst::kIdMulps, Inst::kIdVmulps},       {Inst::kIdMulpd, Inst::kIdVmulpd},
        {Inst::kIdDivss, Inst::kIdVdivss},       {Inst::kIdDivsd, Inst::kIdVdivsd},
        {Inst::kIdMinss, Inst::kIdVminss},       {Inst::kIdMinsd, Inst::kIdVminsd},
        {Inst::kIdMaxss, Inst::kIdVmaxss},       {Inst::kIdMaxsd, Inst::kIdVmaxsd},
        {Inst::kIdAddsubps, Inst::kIdVaddsubps}, {Inst::kIdAddsubpd, Inst::kIdVaddsubpd},
        {Inst::kIdHaddps, Inst::kIdVhaddps},     {Inst::kIdHsubps, Inst::kIdVhsubps},
    };
    for (const auto& form : kForms)
        if (form[0] == id) return form[1];
    return Inst::kIdNone;
}

/// d = x op y; y a register or memory, d not y.
template <asmjit::InstId Id>
void arithmetic(OpContext& c, const asmjit::x86::Xmm& d, const asmjit::x86::Xmm& x,
                const asmjit::Operand& y) {
    constexpr asmjit::InstId kThree = with_three_operands(Id);
    static_assert(kThree != asmjit::x86::Inst::kIdNone);
    if (d.id() != x.id() && host_features().avx) return (void)c.a.emit(kThree, d, x, y);
    if (d.id() != x.id()) c.a.movaps(d, x);
    c.a.emit(Id, d, y);
}

}  // namespace e2k::translate
