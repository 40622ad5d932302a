// State that is not in memory while a region runs: what must be written where it is left, and the
// table from which the dispatcher restores it where a bundle is handed back.
#include "engine/translate/emit/control_state.h"
#include "engine/translate/region_emitter.h"

namespace e2k::translate {

using asmjit::imm;
using cpu::CpuState;
using cpu::Ctpr;
namespace x86 = asmjit::x86;

namespace {

/// A CTPR whose contents are known and that the state may lack.
bool lazy(const CtprFact& fact) { return fact.kind == CtprFact::Kind::Known && !fact.in_state; }

std::uint64_t image(const CtprFact& fact) { return ctpr_image(fact.tag, fact.opc, fact.ipd); }

}  // namespace

RestoreList RegionEmitter::snapshot(const Facts& facts) {
    if (has_snapshot_ && last_version_ == v_.cache.version) return last_snapshot_;
    std::vector<Restore>& table = region_.restores;
    const auto begin = static_cast<std::uint32_t>(table.size());
    const ValueCache& cache = v_.cache;
    cache.for_each([&](unsigned slot) {
        const GuestValue& v = cache.at(slot);
        if (!v.dirty) return;
        Restore r;
        r.bytes = static_cast<std::uint8_t>(v.dirty / 8);
        if (slot >= kGlobalSlot) {
            r.to = Restore::To::State;
            r.offset = static_cast<std::int32_t>(offsetof(CpuState, g) +
                                                 (slot - kGlobalSlot) * sizeof(cpu::Reg));
        } else {
            r.to = Restore::To::Window;
            r.offset = static_cast<std::int32_t>(slot * sizeof(cpu::Reg));
        }
        if (v.constant_bits >= v.dirty) {
            r.from = Restore::From::Constant;
            r.constant = v.constant;
        } else if (v.gpr >= 0 && v.gpr_bits >= v.dirty) {
            r.from = Restore::From::Gpr;
            r.reg = static_cast<std::uint8_t>(v.gpr);
        } else {
            r.from = Restore::From::Xmm;
            r.reg = static_cast<std::uint8_t>(v.xmm);
        }
        table.push_back(r);
    });
    cache.for_each_predicate([&](unsigned p) {
        const PredicateValue& v = cache.predicate(p);
        Restore r;
        r.bytes = 1;
        if (p < 32) {
            r.offset = static_cast<std::int32_t>(offsetof(CpuState, pred) + p);
        } else {
            r.to = Restore::To::Predicate;
            r.offset = static_cast<std::int32_t>(p);
        }
        r.from = v.kind == PredicateValue::Kind::Constant ? Restore::From::Constant
                                                          : Restore::From::Compare;
        r.constant = v.value;
        r.compare = v;
        table.push_back(r);
    });
    for (int f = frame_; f >= 0; f = plan_.frames[static_cast<std::size_t>(f)].parent) {
        const CallFrame& frame = plan_.frames[static_cast<std::size_t>(f)];
        for (std::uint32_t m = frame.writes; m; m &= m - 1) {
            const unsigned p = frame.depth * 32 + static_cast<unsigned>(std::countr_zero(m));
            const PredicateValue& v = cache.predicate(p);
            if (v.lazy() || v.kind == PredicateValue::Kind::Inherited) continue;
            Restore r;
            r.from = Restore::From::Predicate;
            r.to = Restore::To::Predicate;
            r.bytes = 1;
            r.reg = static_cast<std::uint8_t>(p - 32);
            r.offset = static_cast<std::int32_t>(p);
            table.push_back(r);
        }
    }
    for (unsigned n = 0; n < facts.size(); ++n) {
        if (!lazy(facts[n]) || (cache.stored_ctprs >> n & 1)) continue;
        Restore r;
        r.offset = static_cast<std::int32_t>(ctpr_offset(n + 1));
        r.constant = facts[n].base;
        table.push_back(r);
        r.offset += 8;
        r.constant = image(facts[n]);
        table.push_back(r);
    }
    last_snapshot_ = {begin, static_cast<std::uint32_t>(table.size()) - begin};
    last_version_ = cache.version;
    has_snapshot_ = true;
    return last_snapshot_;
}

RecoveryPoint& RegionEmitter::recovery(Leave why, std::uint64_t address, Config config,
                                       const Facts& facts) {
    RecoveryPoint& point = region_.recoveries.emplace_back();
    point.why = why;
    point.address = address;
    point.config = config;
    point.bundles = pending_bundles_;
    point.operations = pending_operations_;
    point.restores = snapshot(facts);
    point.frame = frame_;
    point.stack = stack_;
    point.region = &region_;
    point.node = static_cast<std::uint16_t>(node_index_);
    point.executed = executed_;
    point.in_kernel = in_kernel_;
    if (in_kernel_) point.position = static_cast<std::uint8_t>(kernel_position());
    return point;
}

void RegionEmitter::leave_by(const RecoveryPoint& point) {
    a_.mov(x86::rax, reinterpret_cast<std::uint64_t>(static_cast<const Exit*>(&point)));
    a_.jmp(imm(request_.stubs.recover));
}

void RegionEmitter::settle(Config config) {
    mark(Reason::Exit);
    v_.write_back_all();
    for (unsigned n = 0; n < facts_.size(); ++n) {
        if (!lazy(facts_[n]) || (v_.cache.stored_ctprs >> n & 1)) continue;
        store_immediate64(ctpr_offset(n + 1), facts_[n].base);
        store_immediate64(ctpr_offset(n + 1) + offsetof(Ctpr, tag), image(facts_[n]));
    }
    settle_control(config);
    if (in_kernel_) settle_kernel();
}

void RegionEmitter::settle_control(Config config) {
    if (!one_wd_) store_immediate64(offsetof(CpuState, wd), config.wd);
    if (!one_br_) store_immediate64(offsetof(CpuState, br), config.br);
}

RegionEmitter::Access::Access(RegionEmitter& emitter)
    : emitter_(emitter),
      begin_(static_cast<std::uint32_t>(emitter.a_.offset())),
      point_(&emitter.recovery(Leave::Interpret, emitter.node_->address, emitter.config_,
                               emitter.node_->facts)) {}

RegionEmitter::Access::~Access() {
    emitter_.region_.faults.push_back(
        {begin_, static_cast<std::uint32_t>(emitter_.a_.offset()), point_});
}

}  // namespace e2k::translate
