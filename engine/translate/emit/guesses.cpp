// What a region is likely to meet because it was so when it was made: values of registers that it
// does not change, the set-up of the array access unit. Code looks once whether it is so and relies
// on it from there on; where it is not, the region is made anew without that guess
// (Leave::Distrust).
#include <cstring>

#include "engine/cpu/exec/aau.h"
#include "engine/translate/emit/control_state.h"
#include "engine/translate/emit/operands.h"
#include "engine/translate/region_emitter.h"

namespace e2k::translate {

using asmjit::imm;
using cpu::AauArea;
using cpu::AauState;
using cpu::CpuState;
using cpu::SemKind;
using cpu::exec::ArrayLoad;
using cpu::exec::MicroOp;
namespace x86 = asmjit::x86;

namespace {

constexpr unsigned kPlaneAreas = 32;
constexpr unsigned area_of(const ArrayLoad& load) {
    return load.area + (load.channel >= 2 ? kPlaneAreas : 0u);
}

/// Everything of an area but its index lies in 8 bytes.
constexpr std::size_t kFixedPart = offsetof(AauArea, disp);
static_assert(sizeof(AauArea) == kFixedPart + 8);
constexpr std::size_t fixed_part(unsigned n) {
    return offsetof(CpuState, aau) + offsetof(AauState, area) + n * sizeof(AauArea) + kFixedPart;
}
constexpr std::size_t step_offset(unsigned n) {
    return offsetof(CpuState, aau) + offsetof(AauState, aaincr) + n * sizeof(std::uint64_t);
}

bool fits_immediate(std::uint64_t value) {
    return static_cast<std::int64_t>(value) == static_cast<std::int32_t>(value);
}

}  // namespace

/// Jumps to `other` unless the 8 bytes of the state at `offset` are `value`. Changes rax.
void RegionEmitter::expect_state(std::size_t offset, std::uint64_t value, const Label& other) {
    if (fits_immediate(value)) {
        a_.cmp(state(offset, 8), imm(static_cast<std::int32_t>(value)));
    } else {
        a_.mov(x86::rax, value);
        a_.cmp(state(offset, 8), x86::rax);
    }
    a_.jne(other);
}

// --- registers ---

/// Of a register that the region does not write, or not since it was a constant in front of a loop.
std::optional<std::uint64_t> RegionEmitter::likely_value(unsigned slot) const {
    const auto constant = loop_constants_.find(slot);
    if (constant != loop_constants_.end()) return constant->second;
    if (!request_.hint || touched_all_[slot]) return std::nullopt;
    if (slot >= kGlobalSlot) return request_.hint->g[slot - kGlobalSlot].lo;
    if (slot >= request_.hint->wd.size) return std::nullopt;
    return request_.hint->window[slot].lo;
}

/// What is no longer known at the header of a loop, because other ways lead there too.
void RegionEmitter::remember_constants(unsigned header, const ValueCache& from) {
    const Node& node = *plan_.nodes[header];
    from.for_each([&](unsigned slot) {
        const GuestValue& v = from.at(slot);
        bool changes = v.constant_bits < 32;
        for (int k = static_cast<int>(header); k <= node.loop_end && !changes; ++k)
            changes = touched_[static_cast<std::size_t>(k)][slot];
        if (!changes) loop_constants_[slot] = v.constant;
    });
}

/// A descriptor of a bit field that is in a register hardly ever changes.
void RegionEmitter::expect_descriptor(unsigned i) {
    const MicroOp& op = b_->ops[i];
    const Emitter* emitter = has_function(op.kind) ? emitter_of(op.row) : nullptr;
    if (!emitter || !emitter->accepts || op.b.space == cpu::exec::Space::Literal) return;
    const unsigned bits = op.wb == isa::Width::S ? 32 : 64;
    if (v_.constant(op.b, bits) || request_.distrusted.contains(node_->address) ||
        emits_directly(context_of(op)))
        return;
    const unsigned slot = v_.slot(op.b);
    auto value = likely_value(slot);
    if (value && bits == 32) *value &= 0xffff'ffff;
    if (!value || (bits == 64 && !fits_immediate(*value))) return;
    v_.cache.set_constant(slot, *value, bits);
    const bool helps = emits_directly(context_of(op));
    v_.cache.forget_constant(slot);
    if (!helps) return;
    v_.start_operation(i);
    const Gp r = v_.use(op.b, bits);
    mark(Reason::BoundCheck, op.channel);
    const Label other = distrust();
    a_.cmp(sized(r, bits), imm(static_cast<std::int32_t>(static_cast<std::uint32_t>(*value))));
    a_.jne(other);
    v_.end_operation();
    v_.cache.set_constant(slot, *value, bits);
}

// --- the CTPRs ---

/// At the region's entry: transfers go where the CTPRs led when the region was made.
void RegionEmitter::expect_ctprs() {
    if (!plan_.guessed_ctprs) return;
    mark(Reason::ControlTransfer);
    const Label other = a_.newLabel();
    for (unsigned n = 0; n < plan_.entry_facts.size(); ++n) {
        if (!(plan_.guessed_ctprs >> n & 1)) continue;
        const CtprFact& fact = plan_.entry_facts[n];
        const std::size_t at = ctpr_offset(n + 1);
        constexpr auto kTag = offsetof(cpu::Ctpr, tag);
        // The tag and what kind of preparation it was, in one word.
        static_assert(offsetof(cpu::Ctpr, opc) == kTag + 1);
        a_.movzx(x86::eax, state(at + kTag, 2));
        a_.cmp(x86::eax, imm(static_cast<int>(fact.tag) | fact.opc << 8));
        a_.jne(other);
        expect_state(at, fact.base, other);
    }
    stop_cold(other, Leave::Distrust);
}

// --- the array access unit ---

bool RegionEmitter::guesses_arrays(const Node& node) const {
    return request_.hint && request_.hint->aau.active && !request_.kernel && !node.interpret &&
           !request_.distrusted.contains(node.address);
}

bool RegionEmitter::likely_area(const ArrayLoad& load) const {
    constexpr unsigned kLargestFormat = 7, kDescriptors = 32, kSteps = 8;
    const AauArea& area = request_.hint->aau.area[area_of(load)];
    return area.fmt >= load.min_fmt && area.fmt != 0 && area.fmt <= kLargestFormat &&
           area.d < kDescriptors && area.incr < kSteps;
}

std::optional<std::int32_t> RegionEmitter::likely_step(unsigned n) const {
    // As a multiple of the largest element it must fit an immediate operand.
    constexpr std::int64_t kLargest = 1 << 24;
    const auto step = static_cast<std::int64_t>(request_.hint->aau.aaincr[n]);
    const std::int64_t value = plan_.iset < cpu::exec::kFirstWideIndex
                                   ? std::int64_t{static_cast<std::int32_t>(step)}
                                   : step;
    if (value > kLargest || value < -kLargest) return std::nullopt;
    return static_cast<std::int32_t>(value);
}

/// What a bundle relies on.
ArrayFacts RegionEmitter::array_facts_used(const Node& node) const {
    ArrayFacts used;
    if (!guesses_arrays(node)) return used;
    for (unsigned k = 0; k < node.bundle.mova_count; ++k) {
        const ArrayLoad& load = node.bundle.mova[k];
        if (!likely_area(load)) continue;
        used.areas |= std::uint64_t{1} << area_of(load);
        const unsigned step = request_.hint->aau.area[area_of(load)].incr;
        if (load.advance && likely_step(step)) used.steps |= static_cast<std::uint8_t>(1u << step);
    }
    for (unsigned i = 0; i < node.bundle.op_count; ++i) {
        const MicroOp& op = node.bundle.ops[i];
        if (op.kind != SemKind::ArrayStore) continue;
        const cpu::exec::ArrayAddress& array = node.bundle.arrays[op.array];
        if (array.increments && likely_step(array.incr))
            used.steps |= static_cast<std::uint8_t>(1u << array.incr);
    }
    return used;
}

/// Compares what is wanted and not yet known. May change rax.
void RegionEmitter::expect_arrays(const ArrayFacts& wanted, const Label& other) {
    ArrayFacts& known = v_.cache.arrays;
    mark(Reason::BoundCheck);
    if (wanted.areas && !known.areas) {
        a_.cmp(state(offsetof(CpuState, aau) + offsetof(AauState, active), 1), imm(0));
        a_.je(other);
    }
    for (std::uint64_t m = wanted.areas & ~known.areas; m; m &= m - 1) {
        const auto n = static_cast<unsigned>(std::countr_zero(m));
        std::uint64_t fixed;
        const auto* area = reinterpret_cast<const std::uint8_t*>(&request_.hint->aau.area[n]);
        std::memcpy(&fixed, area + kFixedPart, sizeof fixed);
        a_.mov(x86::rax, fixed);
        a_.cmp(state(fixed_part(n), 8), x86::rax);
        a_.jne(other);
    }
    for (unsigned m = wanted.steps & ~known.steps; m; m &= m - 1) {
        const auto n = static_cast<unsigned>(std::countr_zero(m));
        expect_state(step_offset(n), request_.hint->aau.aaincr[n], other);
    }
    known.areas |= wanted.areas;
    known.steps |= wanted.steps;
}

void RegionEmitter::expect_arrays() {
    if (v_.cache.arrays.stale) return;
    const ArrayFacts used = array_facts_used(*node_);
    if ((used.areas & ~v_.cache.arrays.areas) || (used.steps & ~v_.cache.arrays.steps))
        expect_arrays(used, distrust());
}

/// What is known behind a join: as on the first way there; in a loop that does not change it, all
/// that the loop relies on, so that it is looked at in front of it.
ArrayFacts RegionEmitter::loop_arrays(unsigned header, const ArrayFacts& from) const {
    const Node& node = *plan_.nodes[header];
    if (request_.distrusted.contains(node.address)) return {};
    ArrayFacts facts = from;
    if (facts.stale) return facts;
    for (int k = static_cast<int>(header); k <= node.loop_end; ++k) {
        const Node& inside = *plan_.nodes[static_cast<std::size_t>(k)];
        if (inside.bundle.bap || inside.bundle.eap || (inside.bundle.flags & cpu::exec::kAauWrite))
            return {};
        const ArrayFacts used = array_facts_used(inside);
        facts.areas |= used.areas;
        facts.steps |= used.steps;
    }
    return facts;
}

/// `address` is where the way leads.
void RegionEmitter::conform_arrays(const ArrayFacts& wanted, std::uint64_t address, Config config,
                                   const Facts& facts) {
    const ArrayFacts& known = v_.cache.arrays;
    if (!(wanted.areas & ~known.areas) && !(wanted.steps & ~known.steps)) return;
    const RecoveryPoint& point = recovery(Leave::Distrust, address, config, facts);
    const Label other = a_.newLabel();
    expect_arrays(wanted, other);
    cold([this, other, &point] {
        mark(Reason::Exit);
        a_.bind(other);
        leave_by(point);
    });
}

/// The area of an array load if it is known, but for its index.
const AauArea* RegionEmitter::known_area(const ArrayLoad& load) const {
    const unsigned n = area_of(load);
    if (!(v_.cache.arrays.areas >> n & 1) || !likely_area(load)) return nullptr;
    return &request_.hint->aau.area[n];
}

std::optional<std::int32_t> RegionEmitter::known_step(unsigned n) const {
    if (n == 0) return 1;
    if (!(v_.cache.arrays.steps >> n & 1) || !request_.hint) return std::nullopt;
    return likely_step(n);
}

/// Adds to an index the known step of elements of 1 << shift bytes. Changes rax.
void RegionEmitter::advance_index(const Mem& index, unsigned step, unsigned shift) {
    const std::int32_t by = *known_step(step) * (1 << shift);
    if (plan_.iset < cpu::exec::kFirstWideIndex) {
        Mem low = index;  // the upper half is 0
        low.setSize(4);
        return (void)a_.add(low, imm(by));
    }
    a_.mov(x86::rax, index);
    a_.add(x86::rax, imm(by));
    wrap_index();
    a_.mov(index, x86::rax);
}

}  // namespace e2k::translate
