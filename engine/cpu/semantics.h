// Pure functions that say what each operation computes. The interpreter applies them, the
// translator calls them where it has no emitter, unit tests call them directly.
//
// Floating point runs in the *host* FP environment: while guest code runs, MXCSR holds
// PFPFR[15:0] (all exceptions masked) and the x87 control word holds FPCR (all masked), so sticky
// flags and rounding are the host's. Use FpEnvironment around any call made outside a run.
#pragma once

#include <emmintrin.h>
#include <cstdint>
#include <span>
#include <string_view>

#include "engine/isa/operation.h"

namespace e2k::cpu {

using V128 = __m128i;  ///< qp value, or FP80: bits 63:0 significand, 79:64 sign and exponent

/// a = src1, b = src2, c = src3, imm8 literal, or 0. Values are zero-extended from the operand
/// width; the result is at the destination width, zero-extended. Compares return 0 or 1.
/// merge/merge_x: a is the selected operand (P ? src2 : src1), c = src3.
using Fn64 = std::uint64_t (*)(std::uint64_t a, std::uint64_t b, std::uint64_t c);
/// Any 80- or 128-bit operand or result; narrower ones sit in the low half.
using Fn128 = V128 (*)(V128 a, V128 b, V128 c);
/// Division: `trap` nonzero = exc_div (with ,sm: result 0 and diagnostic).
struct DivResult {
    std::uint64_t value;
    std::uint64_t trap;
};
using FnDiv = DivResult (*)(std::uint64_t a, std::uint64_t b, std::uint64_t c);

enum class SemKind : std::uint8_t {
    None,    ///< no meaning known: executing the operation is a clear error, never a skip
    Int64,   ///< fn64, no FP environment
    Sse64,   ///< fn64, MXCSR environment (flags, rounding)
    Int128,  ///< fn128, no FP environment
    Sse128,  ///< fn128, MXCSR environment
    X87,     ///< fn128, x87 environment (FPCR/FPSR); values as above
    Div,     ///< fn_div
    // The rest is done by the interpreter, which owns the state they touch:
    Load,
    Store,
    ArrayStore,
    AauWrite,
    AauRead,
    MoveTag,
    StateRead,
    StateWrite,
    GetSp,
    TagOp,
    IndirectBranch,
};

struct Semantics {
    SemKind kind = SemKind::None;
    std::uint8_t access_size = 0;  ///< bytes of a load/store/array access
    union {
        Fn64 fn64;
        Fn128 fn128;
        FnDiv fn_div;
    };
    constexpr Semantics() : fn64(nullptr) {}
};

/// Semantics of row `op` on a processor of version `iset` (getf* differ, integer.md §5).
/// Constant time: a table built once from the families below.
const Semantics& semantics_of(isa::OpIndex op, int iset);

/// One family's registrations: mnemonic (without channel) → function.
struct SemanticEntry {
    std::string_view mnemonic;
    union {
        Fn64 fn64;
        Fn128 fn128;
        FnDiv fn_div;
    };
    SemKind kind;
    std::uint8_t access_size = 0;
    std::uint8_t iset_min = 1, iset_max = 7;
    constexpr SemanticEntry(std::string_view m, SemKind k, Fn64 f, int lo = 1, int hi = 7)
        : mnemonic(m),
          fn64(f),
          kind(k),
          iset_min(static_cast<std::uint8_t>(lo)),
          iset_max(static_cast<std::uint8_t>(hi)) {}
    constexpr SemanticEntry(std::string_view m, SemKind k, Fn128 f)
        : mnemonic(m), fn128(f), kind(k) {}
    constexpr SemanticEntry(std::string_view m, FnDiv f)
        : mnemonic(m), fn_div(f), kind(SemKind::Div) {}
    constexpr SemanticEntry(std::string_view m, SemKind k, std::uint8_t size)
        : mnemonic(m), fn64(nullptr), kind(k), access_size(size) {}
};

/// Whether some FP exception is unmasked, so that an operation may raise exc_fp. No compiled
/// program does this; translated code leaves such guests to the interpreter.
constexpr bool fp_exceptions_unmasked(std::uint32_t pfpfr, std::uint32_t fpcr) {
    return (pfpfr & 0x1f80) != 0x1f80 || (fpcr & 0x3f) != 0x3f;
}

/// Guest FP control in the host: loads PFPFR/FPCR into MXCSR/x87 on construction, folds the sticky
/// flags back into PFPFR/FPSR and restores the host's on destruction.
class FpEnvironment {
public:
    FpEnvironment(std::uint32_t& pfpfr, std::uint32_t& fpcr, std::uint32_t& fpsr);
    ~FpEnvironment();
    FpEnvironment(const FpEnvironment&) = delete;
    FpEnvironment& operator=(const FpEnvironment&) = delete;
    /// The host's sticky flags, while they are the guest's, into its registers.
    static void fold(std::uint32_t& pfpfr, std::uint32_t& fpsr);
    void fold();    ///< host sticky flags → pfpfr/fpsr (before the guest reads them)
    void reload();  ///< pfpfr/fpcr/fpsr → host (after the guest wrote them)
    /// Brackets one operation while fp_exceptions_unmasked(): `watch` before it, then `unmasked`
    /// tells which unmasked exceptions (flag bits 5:0) it raised; nonzero = exc_fp, or a diagnostic
    /// result with ,sm. The flags are folded in either case.
    void watch();
    std::uint32_t unmasked();

private:
    std::uint32_t &pfpfr_, &fpcr_, &fpsr_;
    std::uint32_t host_mxcsr_;
    std::uint16_t host_x87_;
};

}  // namespace e2k::cpu
