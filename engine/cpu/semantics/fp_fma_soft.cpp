// Fused multiply-add by integer arithmetic.
#include <bit>
#include <utility>

#include "engine/cpu/semantics/fp_fma.h"
#include "engine/cpu/semantics/fp_sse.h"

namespace e2k::cpu::fp {
namespace {

using U128 = unsigned __int128;

/// An IEEE interchange format.
template <int Precision, int ExponentBits>
struct Format {
    static constexpr int kPrecision = Precision;  ///< with the hidden bit
    static constexpr int kFractionBits = Precision - 1;
    static constexpr int kBias = (1 << (ExponentBits - 1)) - 1;
    static constexpr int kMinExponent = 1 - kBias;
    static constexpr int kMaxExponent = kBias;
    static constexpr std::uint64_t kSign = std::uint64_t{1} << (kFractionBits + ExponentBits);
    static constexpr std::uint64_t kFraction = (std::uint64_t{1} << kFractionBits) - 1;
    static constexpr std::uint64_t kInfinity = ((std::uint64_t{1} << ExponentBits) - 1)
                                               << kFractionBits;
    static constexpr std::uint64_t kQuiet = std::uint64_t{1} << (kFractionBits - 1);
    static constexpr std::uint64_t kDefaultNan = kSign | kInfinity | kQuiet;

    static bool nan(std::uint64_t v) { return (v & ~kSign) > kInfinity; }
    static bool signalling(std::uint64_t v) { return nan(v) && !(v & kQuiet); }
    static bool infinite(std::uint64_t v) { return (v & ~kSign) == kInfinity; }
    static bool zero(std::uint64_t v) { return (v & ~kSign) == 0; }
    static bool denormal(std::uint64_t v) { return !(v & kInfinity) && (v & kFraction); }
};
using F32 = Format<24, 8>;
using F64 = Format<53, 11>;

/// Rounding control and flush-to-zero of MXCSR, and the flags raised so far.
struct Context {
    std::uint32_t mxcsr = read_mxcsr();
    std::uint32_t flags = 0;

    bool rounds_down() const { return ((mxcsr >> 13) & 3) == 1; }
    bool flushes() const { return (mxcsr & 0x8000) != 0; }
    /// Whether a discarded part (compared with half a unit: -1 below, 0 equal, 1 above) rounds the
    /// magnitude up.
    bool away(bool negative, bool odd, bool inexact, int half) const {
        switch ((mxcsr >> 13) & 3) {
            case 0:
                return half > 0 || (half == 0 && odd);
            case 1:
                return inexact && negative;
            case 2:
                return inexact && !negative;
            default:
                return false;
        }
    }
};

constexpr int kTop = 126;  ///< position of the leading bit of a normalised significand

/// Magnitude significand * 2^(exponent - kTop); leading bit at kTop unless zero.
struct Unpacked {
    bool negative = false;
    int exponent = 0;
    U128 significand = 0;

    bool zero() const { return significand == 0; }
};

int leading_zeros(U128 v) {
    const auto high = static_cast<std::uint64_t>(v >> 64);
    return high ? std::countl_zero(high) : 64 + std::countl_zero(static_cast<std::uint64_t>(v));
}

/// Right shift that keeps a 1 in the last bit when bits are lost: enough for one later rounding.
U128 shift_right_sticky(U128 v, int count) {
    if (count == 0) return v;
    if (count > 127) return v != 0;
    const U128 lost = v & ((U128{1} << count) - 1);
    return (v >> count) | (lost != 0);
}

/// Moves the leading bit to kTop.
void normalise(Unpacked& v) {
    if (v.zero()) return;
    const int shift = leading_zeros(v.significand) - (127 - kTop);
    v.significand = shift < 0 ? shift_right_sticky(v.significand, -shift) : v.significand << shift;
    v.exponent -= shift;
}

template <class F>
Unpacked unpack(std::uint64_t v) {
    Unpacked r;
    r.negative = (v & F::kSign) != 0;
    const auto field = static_cast<int>((v & F::kInfinity) >> F::kFractionBits);
    const std::uint64_t fraction = v & F::kFraction;
    const std::uint64_t integer = field ? fraction | (F::kFraction + 1) : fraction;
    r.significand = U128{integer} << (kTop - F::kFractionBits);
    r.exponent = field ? field - F::kBias : F::kMinExponent;
    normalise(r);
    return r;
}

/// Drops `count` (1..127) low bits, rounding.
std::uint64_t round_off(U128 significand, int count, bool negative, const Context& context,
                        bool& inexact) {
    const U128 unit = U128{1} << count;
    const U128 rest = significand & (unit - 1);
    const U128 half = unit >> 1;
    auto kept = static_cast<std::uint64_t>(significand >> count);
    inexact = rest != 0;
    const int relation = rest < half ? -1 : rest == half ? 0 : 1;
    if (context.away(negative, kept & 1, inexact, relation)) ++kept;
    return kept;
}

template <class F>
std::uint64_t overflowed(bool negative, Context& context) {
    context.flags |= kOverflow | kInexact;
    const std::uint64_t magnitude =
        context.away(negative, true, true, 1) ? F::kInfinity : F::kInfinity - 1;
    return (negative ? F::kSign : 0) | magnitude;
}

/// The one rounding to format F. Tininess is detected after rounding; a tiny result is flushed
/// when FZ is set (float.md §1).
template <class F>
std::uint64_t round_and_pack(const Unpacked& v, Context& context) {
    constexpr int kDrop = kTop - F::kFractionBits;
    const std::uint64_t sign = v.negative ? F::kSign : 0;
    bool inexact = false;
    std::uint64_t kept = round_off(v.significand, kDrop, v.negative, context, inexact);
    int exponent = v.exponent;
    if (kept > F::kFraction * 2 + 1) {
        kept >>= 1;
        ++exponent;
    }
    if (exponent > F::kMaxExponent) return overflowed<F>(v.negative, context);
    const bool tiny = exponent < F::kMinExponent;
    if (tiny && context.flushes()) {
        context.flags |= kUnderflow | kInexact;
        return sign;
    }
    if (v.exponent < F::kMinExponent) {
        const int deeper = F::kMinExponent - v.exponent;
        kept = round_off(shift_right_sticky(v.significand, deeper), kDrop, v.negative, context,
                         inexact);
        if (inexact) context.flags |= kInexact | (tiny ? std::uint32_t{kUnderflow} : 0u);
        return sign | kept;  // reaching the hidden bit makes it the least normal number
    }
    if (inexact) context.flags |= kInexact;
    return sign | ((static_cast<std::uint64_t>(exponent + F::kBias) << F::kFractionBits) +
                   (kept & F::kFraction));
}

/// Exact product of two F values (at most 2 * 53 bits).
template <class F>
Unpacked product(const Unpacked& a, const Unpacked& b) {
    constexpr int kDrop = kTop - F::kFractionBits;
    Unpacked r;
    r.negative = a.negative != b.negative;
    r.exponent = a.exponent + b.exponent;
    r.significand = (a.significand >> kDrop) * (b.significand >> kDrop)
                    << (kTop - 2 * F::kFractionBits);
    normalise(r);
    return r;
}

/// Exact sum of two nonzero values up to a sticky last bit; zero if they cancel.
Unpacked sum(Unpacked a, Unpacked b) {
    const bool swap =
        a.exponent < b.exponent || (a.exponent == b.exponent && a.significand < b.significand);
    if (swap) std::swap(a, b);
    const U128 smaller = shift_right_sticky(b.significand, a.exponent - b.exponent);
    a.significand = a.negative == b.negative ? a.significand + smaller : a.significand - smaller;
    normalise(a);
    return a;
}

/// Result of an operation with a NaN or infinite operand, or of an invalid one.
template <class F>
std::uint64_t special(std::uint64_t a, std::uint64_t b, std::uint64_t c, bool product_negative,
                      bool addend_negative, Context& context) {
    if (F::signalling(a) || F::signalling(b) || F::signalling(c)) context.flags |= kInvalid;
    for (const std::uint64_t v : {a, b, c})
        if (F::nan(v)) return v | F::kQuiet;
    const bool infinite_product = F::infinite(a) || F::infinite(b);
    const bool undefined_product = (F::infinite(a) && F::zero(b)) || (F::zero(a) && F::infinite(b));
    const bool cancels = infinite_product && F::infinite(c) && product_negative != addend_negative;
    if (undefined_product || cancels) {
        context.flags |= kInvalid;
        return F::kDefaultNan;
    }
    if (F::denormal(a) || F::denormal(b) || F::denormal(c)) context.flags |= kDenormal;
    const bool negative = infinite_product ? product_negative : addend_negative;
    return (negative ? F::kSign : 0) | F::kInfinity;
}

template <class F>
std::uint64_t finite(std::uint64_t a, std::uint64_t b, std::uint64_t c, bool negate_product,
                     bool negate_addend, Context& context) {
    if (F::denormal(a) || F::denormal(b) || F::denormal(c)) context.flags |= kDenormal;
    Unpacked p = product<F>(unpack<F>(a), unpack<F>(b));
    Unpacked addend = unpack<F>(c);
    p.negative = p.negative != negate_product;
    addend.negative = addend.negative != negate_addend;
    if (p.zero() && addend.zero()) {
        const bool negative = p.negative == addend.negative ? p.negative : context.rounds_down();
        return negative ? F::kSign : 0;
    }
    if (p.zero()) return round_and_pack<F>(addend, context);
    if (addend.zero()) return round_and_pack<F>(p, context);
    const Unpacked total = sum(p, addend);
    if (total.zero()) return context.rounds_down() ? F::kSign : 0;
    return round_and_pack<F>(total, context);
}

template <class F>
std::uint64_t fma(std::uint64_t a, std::uint64_t b, std::uint64_t c, bool negate_product,
                  bool negate_addend) {
    Context context;
    const auto exceptional = [](std::uint64_t v) { return (v & F::kInfinity) == F::kInfinity; };
    std::uint64_t result;
    if (exceptional(a) || exceptional(b) || exceptional(c)) {
        const bool product_negative = (((a ^ b) & F::kSign) != 0) != negate_product;
        const bool addend_negative = ((c & F::kSign) != 0) != negate_addend;
        result = special<F>(a, b, c, product_negative, addend_negative, context);
    } else {
        result = finite<F>(a, b, c, negate_product, negate_addend, context);
    }
    if (context.flags) write_mxcsr(context.mxcsr | context.flags);
    return result;
}

}  // namespace

std::uint64_t fma_f64(std::uint64_t a, std::uint64_t b, std::uint64_t c, bool negate_product,
                      bool negate_addend) {
    return fma<F64>(a, b, c, negate_product, negate_addend);
}

std::uint32_t fma_f32(std::uint32_t a, std::uint32_t b, std::uint32_t c, bool negate_product,
                      bool negate_addend) {
    return static_cast<std::uint32_t>(fma<F32>(a, b, c, negate_product, negate_addend));
}

}  // namespace e2k::cpu::fp
