#include "engine/machine/xray.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/cpu/interpreter.h"
#include "engine/isa/describe.h"
#include "engine/isa/disassembler.h"

namespace e2k::machine {

namespace {

using cpu::CpuState;
using isa::Operand;
using isa::OperandKind;
using Place = XrayPlace;
using Unit = XrayOperation::Unit;

XrayValue value_of(const cpu::Reg& reg, std::uint8_t tag, std::uint8_t bits) {
    return {bits < 64 ? reg.lo & ((1ull << bits) - 1) : reg.lo, bits > 64 ? reg.ext : 0, tag, bits};
}

std::uint8_t bits_of(isa::Width width) {
    const unsigned bits = isa::width_bits(width);
    return static_cast<std::uint8_t>(bits == 0 ? 64 : std::min(bits, 128u));
}

/// Where an operand lies in `state`, whose window has `size` registers.
Place place_of(const CpuState& state, const Operand& operand, unsigned size) {
    const auto file = [&](int index) -> Place {
        if (index < 0 || index >= static_cast<int>(size)) return {};
        return {Place::Kind::File,
                static_cast<std::uint32_t>(state.window_index() + static_cast<unsigned>(index))};
    };
    switch (operand.kind) {
        case OperandKind::Window:
            return file(operand.index);
        case OperandKind::Based:
            return file(state.based_index(operand.index, size));
        case OperandKind::Global:
            return {Place::Kind::Global, operand.index};
        case OperandKind::Pred:
            return {Place::Kind::Predicate, state.pred_phys(operand.index & 31u)};
        case OperandKind::Ctpr:
            return {Place::Kind::Ctpr, operand.index};
        case OperandKind::StateReg:
            return {Place::Kind::Other, operand.index};
        default:
            return {};
    }
}

/// What a place holds; places of one state mean the same in a copy of it.
XrayValue value_at(const CpuState& state, const Place& place, std::uint8_t bits) {
    switch (place.kind) {
        case Place::Kind::File:
            return value_of(state.window_file[place.index], state.tag_file[place.index], bits);
        case Place::Kind::Global:
            return value_of(state.g[place.index & 31], state.g_tags[place.index & 31], bits);
        case Place::Kind::Predicate: {
            const std::uint8_t byte = state.pred[place.index & 31];
            return {byte & std::uint64_t{cpu::kPredValue}, 0,
                    static_cast<std::uint8_t>(byte & cpu::kPredTag ? 1 : 0), 1};
        }
        case Place::Kind::Ctpr:
            return {place.index >= 1 && place.index <= 3 ? state.ctpr[place.index - 1].base : 0, 0,
                    0, 64};
        case Place::Kind::Other: {
            const auto read =
                cpu::read_state_register(state, static_cast<std::uint8_t>(place.index));
            return {read ? *read : 0, 0, 0, 64};
        }
        case Place::Kind::None:
            break;
    }
    return {};
}

XrayGuard guard_of(const CpuState& state, const isa::PredicateRef& ref) {
    XrayGuard guard;
    guard.name = isa::predicate_text(ref);
    if (ref.kind == isa::PredicateRef::Kind::Pcnt) {
        guard.value = state.lsr.pcnt <= ref.index;
    } else {
        guard.place = {Place::Kind::Predicate, state.pred_phys(ref.index & 31u)};
        const std::uint8_t byte = state.pred[guard.place.index];
        guard.value = byte & cpu::kPredValue;
        guard.diagnostic = byte & cpu::kPredTag;
    }
    guard.holds = guard.value != ref.negated;
    return guard;
}

/// A bundle with nothing in it but one lane (and the second half of its pair), or but the
/// predicate unit.
isa::Bundle alone(const isa::Bundle& whole, int lane) {
    isa::Bundle one = whole;
    one.als_mask = 0;
    if (lane >= 0) {
        one.als_mask = static_cast<std::uint8_t>(1u << lane);
        for (int c = 0; c < isa::kChannels; ++c)
            if (c != lane && whole.has_als(c) &&
                whole.als[static_cast<std::size_t>(c)].pair_second && c == lane + 3)
                one.als_mask = static_cast<std::uint8_t>(one.als_mask | 1u << c);
        one.plu = {};
    }
    for (int c = 0; c < isa::kChannels; ++c)
        if (!one.has_als(c)) one.als[static_cast<std::size_t>(c)] = {};
    one.ss = {};
    one.cs0 = {};
    one.cs1 = {};
    one.mova = {};
    return one;
}

class Look {
public:
    Look(const cpu::MemoryView& memory, const isa::Bundle& bundle, const CpuState& before,
         cpu::StateCopy& after, cpu::StateCopy& sequential)
        : memory_(memory),
          bundle_(bundle),
          before_(before),
          after_(after),
          sequential_(sequential) {}

    bool run() {
        if (!after_.take(before_)) return false;
        result_ = cpu::preview(memory_, after_.state(), bundle_);
        return true;
    }

    Xray xray() {
        Xray out;
        out.address = bundle_.address;
        const CpuState& after = after_.state();
        if (result_.stop.kind == cpu::StopKind::Trapped) {
            out.trap = result_.stop.trap.detail.empty()
                           ? std::string(cpu::name_of(result_.stop.trap.code))
                           : result_.stop.trap.detail;
        }
        if (result_.stop.kind == cpu::StopKind::SystemCall) out.call = "system call";
        out.next = after.ip;
        out.taken = out.trap.empty() && after.ip != bundle_.next_address();
        for (int c = 0; c < isa::kChannels; ++c)
            if (bundle_.has_als(c)) out.operations.push_back(lane(c));
        if (bundle_.plu.count) out.operations.push_back(predicates());
        array(out.operations);
        if (auto control_row = control()) out.operations.push_back(std::move(*control_row));
        cross(out.operations);
        if (out.trap.empty()) in_order(out);
        return out;
    }

private:
    /// A setwd of the bundle shows registers to its operations.
    Place place(const Operand& operand) const {
        unsigned size = before_.wd.size;
        if (bundle_.cs1.setwd) size = std::max(size, 2u * bundle_.cs1.wsz);
        return place_of(before_, operand, size);
    }
    XrayRead read(const Operand& operand) const {
        XrayRead out;
        out.name = isa::operand_text(bundle_, operand);
        if (operand.kind == OperandKind::Literal) {
            out.value = {operand.literal, 0, 0, bits_of(operand.width)};
            return out;
        }
        out.place = place(operand);
        out.value = value_at(before_, out.place, bits_of(operand.width));
        return out;
    }
    XrayWrite write(std::string name, const Place& place, std::uint8_t bits) const {
        return {std::move(name),
                place,
                value_at(before_, place, bits),
                value_at(after_.state(), place, bits),
                {}};
    }

    XrayOperation lane(int channel) const {
        const isa::AlsOp& als = bundle_.als[static_cast<std::size_t>(channel)];
        XrayOperation out;
        out.lane = channel;
        out.text = isa::format_als(bundle_, channel);
        if (out.text.empty()) out.text = "(second half of a pair)";
        if (als.op) out.formula = isa::describe(*als.op).formula;
        for (const Operand* operand : {&als.src1, &als.src2, &als.src3, &als.data}) {
            if (operand->kind == OperandKind::None || operand->kind == OperandKind::Empty ||
                operand->kind == OperandKind::Illegal)
                continue;
            if (XrayRead r = read(*operand); !r.name.empty()) out.reads.push_back(std::move(r));
        }
        for (const isa::PredicateRef& ref : als.merge.span()) {
            const XrayGuard chosen = guard_of(before_, ref);
            out.reads.push_back(
                {chosen.name, chosen.place, {chosen.value, 0, chosen.diagnostic, 1}});
        }
        for (const isa::PredicateRef& ref : als.guards.span()) {
            if (ref.kind == isa::PredicateRef::Kind::Invalid) continue;
            out.guards.push_back(guard_of(before_, ref));
            out.works = out.works && out.guards.back().holds;
        }
        const bool stores = als.op && als.op->has(isa::OpFlag::Store);
        if (const Place at = place(als.dst); !stores && at.kind != Place::Kind::None)
            out.writes.push_back(
                write(isa::operand_text(bundle_, als.dst), at, bits_of(als.dst.width)));
        for (const cpu::PreviewStore& held : result_.stores) {
            if (held.channel != channel) continue;
            XrayStore store{held.address, {}, held.bytes};
            store.before.resize(held.bytes.size());
            if (!memory_.copy_out(held.address, store.before.data(), store.before.size()))
                store.before.clear();
            out.stores.push_back(std::move(store));
        }
        return out;
    }

    XrayOperation predicates() const {
        XrayOperation out;
        out.unit = Unit::Predicates;
        for (const isa::DisassemblyLine& line :
             isa::disassemble_lines(bundle_, isa::DisassemblyStyle::native())) {
            if (line.unit != isa::Unit::Pls) continue;
            if (!out.text.empty()) out.text += "; ";
            out.text += line.text;
        }
        for (const isa::Elp& elp : bundle_.plu.elp) {
            if (elp.kind != isa::Elp::Kind::Pred) continue;
            Operand operand;
            operand.kind = OperandKind::Pred;
            operand.index = elp.index;
            XrayRead r{fmt::format("%pred{}", elp.index), place(operand), {}};
            r.value = value_at(before_, r.place, 1);
            out.reads.push_back(std::move(r));
        }
        for (const isa::Clp& clp : bundle_.plu.clp) {
            if (!clp.writes) continue;
            const Place place{Place::Kind::Predicate, before_.pred_phys(clp.pdst & 31u)};
            out.writes.push_back(write(fmt::format("%pred{}", clp.pdst), place, 1));
        }
        return out;
    }

    void array(std::vector<XrayOperation>& to) const {
        std::vector<std::string> texts;
        for (const isa::DisassemblyLine& line :
             isa::disassemble_lines(bundle_, isa::DisassemblyStyle::native()))
            if (line.unit == isa::Unit::Aas) texts.push_back(line.text);
        std::size_t n = 0;
        for (const isa::MovaOp& mova : bundle_.mova) {
            if (!mova.present) continue;
            XrayOperation out;
            out.unit = Unit::Array;
            out.text = n < texts.size() ? texts[n] : "mova";
            ++n;
            if (const Place at = place(mova.dst); at.kind != Place::Kind::None)
                out.writes.push_back(
                    write(isa::operand_text(bundle_, mova.dst), at, bits_of(mova.dst.width)));
            to.push_back(std::move(out));
        }
    }

    void add(XrayOperation& to, const char* name, std::uint64_t before, std::uint64_t after) const {
        if (before == after) return;
        to.writes.push_back({name, {Place::Kind::Other, 0}, {before}, {after}, {}});
    }

    /// Everything that no lane writes: transfers, windows, rotation, the loop's counters.
    std::optional<XrayOperation> control() const {
        XrayOperation out;
        out.unit = Unit::Control;
        for (const isa::DisassemblyLine& line :
             isa::disassemble_lines(bundle_, isa::DisassemblyStyle::native())) {
            using isa::Unit;
            const bool control =
                line.unit == Unit::Ss || line.unit == Unit::Cs0 || line.unit == Unit::Cs1;
            if (!control || line.text.empty() || line.text.starts_with("ipd ")) continue;
            if (!out.text.empty()) out.text += "; ";
            out.text += line.text;
        }
        const CpuState& after = after_.state();
        for (unsigned i = 0; i < 3; ++i) {
            const bool used = bundle_.ss.ctop == i + 1;
            if (used)
                out.reads.push_back({fmt::format("%ctpr{}", i + 1),
                                     {Place::Kind::Ctpr, i + 1},
                                     {before_.ctpr[i].base, 0, 0, 64}});
        }
        condition(out);
        for (unsigned i = 0; i < 3; ++i) {
            if (before_.ctpr[i].image() == after.ctpr[i].image()) continue;
            const Place place{Place::Kind::Ctpr, i + 1};
            out.writes.push_back(write(fmt::format("%ctpr{}", i + 1), place, 64));
        }
        add(out, "lsr.lcnt", before_.lsr.lcnt, after.lsr.lcnt);
        add(out, "lsr.ecnt", before_.lsr.ecnt, after.lsr.ecnt);
        add(out, "lsr.pcnt", before_.lsr.pcnt, after.lsr.pcnt);
        add(out, "br.rbs", before_.br.rbs, after.br.rbs);
        add(out, "br.rsz", before_.br.rsz, after.br.rsz);
        add(out, "br.rcur", before_.br.rcur, after.br.rcur);
        add(out, "br.psz", before_.br.psz, after.br.psz);
        add(out, "br.pcur", before_.br.pcur, after.br.pcur);
        add(out, "window", before_.window_index(), after.window_index());
        add(out, "wsz", before_.wd.size, after.wd.size);
        if (after.ip != bundle_.next_address()) add(out, "ip", bundle_.address, after.ip);
        if (out.text.empty() && out.writes.empty()) return std::nullopt;
        return out;
    }

    /// The condition of the transfer, as guards.
    void condition(XrayOperation& to) const {
        using isa::ConditionType;
        const auto type = static_cast<ConditionType>(bundle_.ss.condition);
        if (type == ConditionType::Never || type == ConditionType::Always) return;
        const bool on_predicate =
            type == ConditionType::Pred || type == ConditionType::NotPred ||
            type == ConditionType::PredOrLoopEnd || type == ConditionType::NotPredAndNotLoopEnd ||
            type == ConditionType::NotPredOrLoopEnd || type == ConditionType::PredAndNotLoopEnd;
        if (on_predicate) {
            isa::PredicateRef ref;
            ref.kind = isa::PredicateRef::Kind::Pred;
            ref.index = bundle_.ss.psrc & 31;
            ref.negated = type == ConditionType::NotPred ||
                          type == ConditionType::NotPredAndNotLoopEnd ||
                          type == ConditionType::NotPredOrLoopEnd;
            to.guards.push_back(guard_of(before_, ref));
        }
        const bool on_loop = type != ConditionType::Pred && type != ConditionType::NotPred &&
                             type != ConditionType::Mlock && type != ConditionType::MlockOrCompare;
        if (on_loop) {
            const bool negated = type == ConditionType::NotLoopEnd ||
                                 type == ConditionType::NotPredAndNotLoopEnd ||
                                 type == ConditionType::PredAndNotLoopEnd;
            XrayGuard guard;
            guard.name = negated ? "~%LOOP_END" : "%LOOP_END";
            guard.value = before_.lsr.loop_end();
            guard.holds = guard.value != negated;
            to.guards.push_back(std::move(guard));
        }
    }

    /// Who reads what another operation of the bundle writes.
    static void cross(std::vector<XrayOperation>& all) {
        for (std::size_t i = 0; i < all.size(); ++i)
            for (XrayRead& read : all[i].reads)
                for (std::size_t k = 0; k < all.size(); ++k)
                    for (const XrayWrite& write : all[k].writes)
                        if (k != i && read.place.kind != Place::Kind::None &&
                            read.place.kind != Place::Kind::Other && write.place == read.place)
                            read.crosses = static_cast<int>(k);
    }

    /// Executes the lanes one after the other, then the predicate unit, and notes what differs.
    void in_order(Xray& out) {
        if (!sequential_.take(before_)) return;
        for (XrayOperation& op : out.operations) {
            if (op.unit != Unit::Lane && op.unit != Unit::Predicates) continue;
            if (op.lane >= 0 && bundle_.als[static_cast<std::size_t>(op.lane)].pair_second)
                continue;
            CpuState& state = sequential_.state();
            state.ip = bundle_.address;
            const isa::Bundle one = alone(bundle_, op.lane);
            if (cpu::preview(memory_, state, one).stop.kind == cpu::StopKind::Trapped) return;
            for (XrayWrite& write : op.writes) {
                const XrayValue value = value_at(state, write.place, write.after.bits);
                if (value == write.after) continue;
                write.sequential = value;
                out.wrong_in_order = true;
            }
        }
    }

    const cpu::MemoryView& memory_;
    const isa::Bundle& bundle_;
    const CpuState& before_;
    cpu::StateCopy& after_;
    cpu::StateCopy& sequential_;
    cpu::PreviewResult result_;
};

}  // namespace

std::shared_ptr<const Xray> XrayLens::look(const cpu::MemoryView& memory,
                                           const cpu::CpuState& state) {
    const auto bundle = cpu::fetch(memory, state.ip, state.iset);
    return bundle ? look(memory, state, *bundle) : nullptr;
}

std::shared_ptr<const Xray> XrayLens::look(const cpu::MemoryView& memory,
                                           const cpu::CpuState& state, const isa::Bundle& bundle) {
    Look look(memory, bundle, state, after_, sequential_);
    if (!look.run()) return nullptr;
    return std::make_shared<const Xray>(look.xray());
}

}  // namespace e2k::machine
