// Family IntDiv: division and remainder (integer.md §4). A fault gives value 0, which is what
// a speculative operation writes.
#include <limits>
#include <type_traits>

#include "engine/cpu/semantics/families.h"

namespace e2k::cpu {
namespace {

using U64 = std::uint64_t;
using S64 = std::int64_t;

constexpr DivResult kFault{0, 1};

/// trunc(a / b) at the width of T; the most negative number divided by -1 stays itself.
template <class T>
constexpr DivResult divide(U64 a, U64 b, U64) {
    using Unsigned = std::make_unsigned_t<T>;
    const T dividend = static_cast<T>(a), divisor = static_cast<T>(b);
    if (divisor == 0) return kFault;
    if constexpr (std::is_signed_v<T>)
        if (divisor == -1)
            return {static_cast<Unsigned>(Unsigned{0} - static_cast<Unsigned>(a)), 0};
    return {static_cast<Unsigned>(dividend / divisor), 0};
}

/// 64-bit a by 32-bit b; the quotient must fit in 32 bits.
constexpr DivResult udiv_wide(U64 a, U64 b, U64) {
    const U64 divisor = static_cast<std::uint32_t>(b);
    if (divisor == 0) return kFault;
    const U64 quotient = a / divisor;
    if (quotient > std::numeric_limits<std::uint32_t>::max()) return kFault;
    return {quotient, 0};
}
constexpr DivResult sdiv_wide(U64 a, U64 b, U64) {
    const S64 dividend = static_cast<S64>(a), divisor = static_cast<std::int32_t>(b);
    if (divisor == 0) return kFault;
    if (dividend == std::numeric_limits<S64>::min() && divisor == -1) return kFault;
    const S64 quotient = dividend / divisor;
    if (quotient != static_cast<std::int32_t>(quotient)) return kFault;
    return {static_cast<std::uint32_t>(quotient), 0};
}

/// Remainders never check the quotient.
constexpr DivResult umod_wide(U64 a, U64 b, U64) {
    const U64 divisor = static_cast<std::uint32_t>(b);
    if (divisor == 0) return kFault;
    return {a % divisor, 0};
}
constexpr DivResult smod_wide(U64 a, U64 b, U64) {
    const S64 divisor = static_cast<std::int32_t>(b);
    if (divisor == 0) return kFault;
    if (divisor == -1) return {0, 0};  // also where the host's division would overflow
    return {static_cast<std::uint32_t>(static_cast<S64>(a) % divisor), 0};
}

constexpr SemanticEntry kEntries[] = {
    {"udivs", divide<std::uint32_t>},
    {"udivd", divide<U64>},
    {"sdivs", divide<std::int32_t>},
    {"sdivd", divide<S64>},
    {"udivx", udiv_wide},
    {"sdivx", sdiv_wide},
    {"umodx", umod_wide},
    {"smodx", smod_wide},
};

}  // namespace

std::span<const SemanticEntry> int_div_entries() { return kEntries; }

}  // namespace e2k::cpu
