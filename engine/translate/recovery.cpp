#include "engine/translate/recovery.h"

#include <asmjit/x86.h>

#include <bit>
#include <cstring>

namespace e2k::translate {
namespace {

using asmjit::x86::CondCode;

/// What the host's cmp or test and the condition would say.
template <typename T>
bool holds(const PredicateValue& c, T x, T y) {
    using Signed = std::make_signed_t<T>;
    const T r = c.test ? static_cast<T>(x & y) : static_cast<T>(x - y);
    const bool zero = r == 0, sign = static_cast<Signed>(r) < 0;
    const bool carry = !c.test && x < y;
    const bool overflow = !c.test && static_cast<Signed>(static_cast<T>((x ^ y) & (x ^ r))) < 0;
    const bool parity = std::popcount(static_cast<std::uint8_t>(r)) % 2 == 0;
    switch (static_cast<CondCode>(c.condition)) {
        case CondCode::kO:
            return overflow;
        case CondCode::kNO:
            return !overflow;
        case CondCode::kB:
            return carry;
        case CondCode::kAE:
            return !carry;
        case CondCode::kE:
            return zero;
        case CondCode::kNE:
            return !zero;
        case CondCode::kBE:
            return carry || zero;
        case CondCode::kA:
            return !carry && !zero;
        case CondCode::kS:
            return sign;
        case CondCode::kNS:
            return !sign;
        case CondCode::kP:
            return parity;
        case CondCode::kNP:
            return !parity;
        case CondCode::kL:
            return sign != overflow;
        case CondCode::kGE:
            return sign == overflow;
        case CondCode::kLE:
            return zero || sign != overflow;
        default:
            return !zero && sign == overflow;
    }
}

bool holds(const PredicateValue& c, const SavedRegisters& saved) {
    const std::uint64_t x = saved.gpr[static_cast<std::size_t>(c.x)];
    const std::uint64_t y =
        c.y >= 0 ? saved.gpr[static_cast<std::size_t>(c.y)]
                 : static_cast<std::uint64_t>(static_cast<std::int64_t>(c.immediate));
    if (c.bits == 32) return holds(c, static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y));
    return holds(c, x, y);
}

}  // namespace

void recover(const RecoveryPoint& point, const SavedRegisters& saved, cpu::CpuState& state) {
    auto* window = reinterpret_cast<std::uint8_t*>(state.window);
    auto* base = reinterpret_cast<std::uint8_t*>(&state);
    for (std::uint32_t i = 0; i < point.restores.count; ++i) {
        const Restore& r = point.region->restores[point.restores.begin + i];
        std::uint8_t* to = (r.to == Restore::To::Window ? window : base) + r.offset;
        switch (r.from) {
            case Restore::From::Gpr:
                std::memcpy(to, &saved.gpr[r.reg], r.bytes);
                break;
            case Restore::From::Xmm:
                std::memcpy(to, &saved.xmm[r.reg], r.bytes);
                break;
            case Restore::From::Constant:
                std::memcpy(to, &r.constant, r.bytes);
                break;
            case Restore::From::Compare:
                *to = holds(r.compare, saved);
                break;
            case Restore::From::Predicate:
                *to = saved.predicates[r.reg];
                break;
        }
    }
    state.wd = point.config.window();
    state.br = point.config.rotation();
    state.ip = point.address;
    state.bundles += point.bundles;
    state.operations += point.operations;
}

}  // namespace e2k::translate
