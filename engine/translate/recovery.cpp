#include "engine/translate/recovery.h"

#include <asmjit/x86.h>

#include <array>
#include <bit>
#include <bitset>
#include <cstring>

#include "engine/cpu/interpreter.h"
#include "engine/translate/kernel/state.h"

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

/// Predicates of callees inside the region, by index in the value cache.
struct CalleePredicates {
    std::array<std::uint8_t, kPredicates> value{};
    std::bitset<kPredicates> own;  ///< the others are those of the caller
};

/// Makes up for the calls between the region's entry and the place.
void enter_frames(const RecoveryPoint& point, const CalleePredicates& predicates,
                  cpu::CpuState& state) {
    std::array<const CallFrame*, kPredicateFiles> path{};
    unsigned depth = 0;
    for (int f = point.frame; f >= 0; f = path[depth - 1]->parent)
        path[depth++] = &point.region->frames[static_cast<std::size_t>(f)];
    const auto ctprs = state.ctpr;  // as the callee has them; a call clears them
    const std::uint64_t base = state.usd_base, size = state.usd_size;
    const auto move_stack = [&](std::int32_t by) {
        state.usd_base = base + static_cast<std::uint64_t>(std::int64_t{by});
        state.usd_size = size + static_cast<std::uint64_t>(std::int64_t{by});
    };
    while (depth-- > 0) {
        const CallFrame& frame = *path[depth];
        state.wd = frame.caller.window();
        state.br = frame.caller.rotation();
        move_stack(frame.stack);
        cpu::push_call(state, frame.wbs, frame.return_ip);
        for (unsigned n = 0; n < state.pred.size(); ++n)
            if (predicates.own[frame.depth * 32 + n])
                state.pred[n] = predicates.value[frame.depth * 32 + n];
    }
    move_stack(point.stack);
    state.ctpr = ctprs;
}

}  // namespace

void recover(const RecoveryPoint& point, const SavedRegisters& saved, cpu::CpuState& state) {
    auto* window = reinterpret_cast<std::uint8_t*>(state.window);
    auto* base = reinterpret_cast<std::uint8_t*>(&state);
    CalleePredicates predicates;
    for (std::uint32_t i = 0; i < point.restores.count; ++i) {
        const Restore& r = point.region->restores[point.restores.begin + i];
        std::uint8_t* to = (r.to == Restore::To::Window ? window : base) + r.offset;
        if (r.to == Restore::To::Predicate) {
            const auto p = static_cast<std::size_t>(r.offset);
            to = &predicates.value[p];
            predicates.own.set(p);
        }
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
    if (point.frame >= 0) enter_frames(point, predicates, state);
    if (point.in_kernel)
        end_kernel(&state, point.region->kernel.get(), saved.gpr[host::kPassesLeft.id()],
                   point.position);
    state.wd = point.config.window();
    state.br = point.config.rotation();
    state.ip = point.address;
    state.bundles += point.bundles;
    state.operations += point.operations;
}

}  // namespace e2k::translate
