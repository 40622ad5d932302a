#include "engine/timing/timed_bundle.h"

#include <fmt/format.h>

#include "engine/cpu/host_leafs.h"

namespace e2k::timing {

using cpu::SemKind;
using cpu::exec::ExecBundle;
using cpu::exec::MicroOp;
using cpu::exec::RegRef;
using cpu::exec::Space;

namespace {

struct ReasonText {
    std::string_view name, meaning;
};
constexpr std::array<ReasonText, kReasons> kReasonTexts{{
    {"issue", "a bundle issues"},
    {"nop", "empty cycles that the bundle before asks for"},
    {"operand", "a result is not ready yet"},
    {"load", "a load that hits L1 is not ready yet"},
    {"miss", "a load that misses L1 is not ready yet"},
    {"predicate", "a predicate is not ready yet"},
    {"prepare", "the transfer register is not ready yet"},
    {"branch", "transfers without preparation, calls, returns"},
    {"unit", "the unit still works on the operation before"},
    {"array", "an array element has not arrived yet"},
    {"store", "stores wait for their way out of L1"},
    {"window", "registers are spilled to memory or filled from it"},
    {"library", "functions of the library that the workbench computes"},
    {"system", "system calls"},
}};

std::uint8_t cluster_of(unsigned channel) { return channel >= 3 ? 1 : 0; }

class Maker {
public:
    Maker(const ExecBundle& form, const Processor& processor, TimedBundle& out)
        : form_(form), p_(processor), out_(out) {}

    void run() {
        out_.literals = form_.literals;
        out_.guards = form_.conditions;
        out_.guard_count = form_.condition_count;
        for (unsigned i = 0; i < form_.op_count; ++i) operation(form_.ops[i]);
        for (unsigned i = 0; i < form_.condition_count; ++i)
            if (!form_.conditions[i].pcnt)
                condition(form_.conditions[i].index, TimedCondition::Use::Guard);
        logic();
        out_.transfer = form_.transfer;
        out_.prepare = form_.prepare;
        out_.begins_prefetch = form_.bap;
        out_.stores = form_.flags & cpu::exec::kStores;
        out_.mova = form_.mova;
        out_.mova_count = form_.mova_count;
        if (reads_predicate(form_.transfer.condition))
            condition(form_.transfer.psrc, TimedCondition::Use::Transfer);
        using cpu::exec::TransferKind;
        if (form_.transfer.kind == TransferKind::IndirectJump ||
            form_.transfer.kind == TransferKind::IndirectCall)
            read(form_.transfer.target_register, Consumer::Address, 0);
    }

private:
    static bool reads_predicate(isa::ConditionType c) {
        using isa::ConditionType;
        return c == ConditionType::Pred || c == ConditionType::NotPred ||
               c == ConditionType::PredOrLoopEnd || c == ConditionType::NotPredAndNotLoopEnd ||
               c == ConditionType::NotPredOrLoopEnd || c == ConditionType::PredAndNotLoopEnd;
    }

    void read(RegRef ref, Consumer consumer, unsigned channel) {
        if (ref.space == Space::Literal || out_.read_count == out_.reads.size()) return;
        out_.reads[out_.read_count++] = {ref, consumer, cluster_of(channel)};
    }

    void condition(std::uint8_t index, TimedCondition::Use use) {
        if (out_.condition_count == out_.conditions.size()) return;
        out_.conditions[out_.condition_count++] = {index, use};
    }

    void operation(const MicroOp& micro) {
        const isa::Operation& row = isa::operation(micro.row);
        TimedOp& op = out_.ops[out_.op_count++];
        op.operation = &row;
        op.op_class = class_of(row);
        op.channel = micro.channel;
        op.speculative = micro.speculative;
        op.float_compare = consumer_of(row) == Consumer::Float;
        op.write = micro.write;
        op.dst = micro.dst;
        op.a = micro.a;
        op.b = micro.b;
        op.c = micro.c;
        op.data = micro.data;
        op.wa = micro.wa;
        op.wb = micro.wb;
        op.size = micro.access_size;
        op.guard = micro.guard;
        op.merge = micro.merge;
        if (micro.kind == SemKind::Load)
            op.kind = micro.mode == cpu::exec::MemoryMode::CheckLoad ? TimedOp::Kind::CheckLoad
                                                                     : TimedOp::Kind::Load;
        else if (micro.kind == SemKind::Store)
            op.kind = TimedOp::Kind::Store;
        else if (micro.kind == SemKind::ArrayStore)
            op.kind = TimedOp::Kind::ArrayStore;
        if (op.kind == TimedOp::Kind::CheckLoad) op.op_class = OpClass::Check;
        if (micro.kind == SemKind::ArrayStore) op.array = form_.arrays[micro.array];
        const ClassTiming& timing = p_.timing(op.op_class);
        op.latency = timing.by_operation && row.latency ? row.latency : timing.latency;
        op.every = timing.every;

        const Consumer consumer = consumer_of(row);
        read(micro.a, consumer, micro.channel);
        read(micro.b, consumer, micro.channel);
        read(micro.c, consumer, micro.channel);
        if (op.kind == TimedOp::Kind::Store || op.kind == TimedOp::Kind::ArrayStore ||
            micro.kind == SemKind::AauWrite)
            read(micro.data, Consumer::StoreData, micro.channel);
    }

    void logic() {
        const isa::PredicateLogic& plu = form_.plu;
        if (plu.count == 0) return;
        for (const isa::Elp& elp : plu.elp)
            if (elp.kind == isa::Elp::Kind::Pred) condition(elp.index, TimedCondition::Use::Logic);
        for (const isa::Clp& clp : plu.clp)
            if (clp.writes) out_.logic[out_.logic_count++] = clp.pdst;
    }

    const ExecBundle& form_;
    const Processor& p_;
    TimedBundle& out_;
};

}  // namespace

std::string_view name_of(Reason reason) {
    return kReasonTexts[static_cast<std::size_t>(reason)].name;
}
std::string_view meaning_of(Reason reason) {
    return kReasonTexts[static_cast<std::size_t>(reason)].meaning;
}

std::string Waited::text() const {
    switch (kind) {
        case Kind::Nothing:
            return {};
        case Kind::Predicate:
            return fmt::format("%pred{}", index);
        case Kind::Ctpr:
            return fmt::format("%ctpr{}", index);
        case Kind::Area:
            return fmt::format("area {}", index);
        case Kind::Channel:
            return fmt::format("ALC{}", index);
        case Kind::Register:
            break;
    }
    switch (space) {
        case Space::Window:
            return fmt::format("%r{}", index);
        case Space::Based:
            return fmt::format("%b[{}]", index);
        case Space::Global:
            return fmt::format("%g{}", index);
        case Space::Literal:
            break;
    }
    return {};
}

void make_timed(const isa::Bundle& bundle, int iset, const Processor& processor, TimedBundle& out) {
    ExecBundle form;
    cpu::exec::predecode(bundle, iset, form);
    out.bundle = bundle;
    out.address = bundle.address;
    out.next_address = bundle.next_address();
    out.pause = bundle.nop;
    out.own_code = bundle.address >= cpu::kOwnCodeBegin && bundle.address < cpu::kOwnCodeEnd;
    Maker(form, processor, out).run();
}

}  // namespace e2k::timing
