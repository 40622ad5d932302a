// Loops inside a region: the registers a loop reads before it writes them enter it in host
// registers, and each back edge brings them there again. Memory holds them too, as everywhere.
#include <algorithm>

#include "engine/translate/region_emitter.h"

namespace e2k::translate {

using cpu::SemKind;
using cpu::exec::MicroOp;
using cpu::exec::RegRef;
using cpu::exec::Space;
using cpu::exec::Write;
namespace x86 = asmjit::x86;

namespace {

constexpr std::size_t kCarriedGprs = 5, kCarriedXmms = 10;

unsigned slot_of(RegRef r, Config config) {
    if (r.space == Space::Window) return r.index;
    if (r.space == Space::Based)
        return static_cast<unsigned>(based_index(config.rotation(), r.index, kGlobalSlot));
    return kGlobalSlot + r.index;
}

bool in_xmm(const MicroOp& op, isa::Width w) {
    switch (isa::operation(op.row).family) {
        case isa::Family::FpScalar:
        case isa::Family::FpCompare:
        case isa::Family::FpCombined:
            return true;
        default:
            return w == isa::Width::P;
    }
}

bool writes_register(const MicroOp& op) {
    return op.write != Write::None && op.write != Write::Predicate && op.write != Write::Ctpr &&
           op.write != Write::State;
}

}  // namespace

/// Guest registers the loop reads before it has surely written them, in order of first use.
std::vector<RegionEmitter::Carried> RegionEmitter::loop_inputs(unsigned header) const {
    std::vector<Carried> inputs;
    std::bitset<kGuestRegisters> written;
    std::size_t gprs = 0, xmms = 0;
    const auto read = [&](RegRef r, isa::Width w, Config config, bool xmm) {
        if (r.space == Space::Literal || w == isa::Width::None) return;
        const unsigned slot = slot_of(r, config);
        if (written[slot]) return;
        const unsigned bits = w == isa::Width::S ? 32 : w == isa::Width::P ? 128 : 64;
        for (Carried& c : inputs)
            if (c.slot == slot) {
                if (c.xmm == xmm) c.bits = std::max(c.bits, bits);
                return;
            }
        if ((xmm ? xmms : gprs) >= (xmm ? kCarriedXmms : kCarriedGprs)) return;
        ++(xmm ? xmms : gprs);
        inputs.push_back({slot, xmm, bits, -1});
    };
    for (int k = static_cast<int>(header); k <= plan_.nodes[header]->loop_end; ++k) {
        const Node& node = *plan_.nodes[static_cast<std::size_t>(k)];
        for (unsigned i = 0; i < node.bundle.op_count; ++i) {
            const MicroOp& op = node.bundle.ops[i];
            const bool memory = op.kind == SemKind::Load || op.kind == SemKind::Store;
            const bool called = !memory && op.kind != SemKind::MoveTag &&
                                op.kind != SemKind::TagOp && op.kind != SemKind::GetSp &&
                                !emitter_of(op.row);
            if (called) continue;  // takes its operands from memory
            read(op.a, op.wa, node.config, in_xmm(op, op.wa));
            read(op.b, op.wb, node.config, in_xmm(op, op.wb));
            read(op.c, op.wc, node.config, in_xmm(op, op.wc));
            if (op.kind == SemKind::Store)
                read(op.data, op.access_size == 16 ? isa::Width::P : isa::Width::D, node.config,
                     op.access_size == 16);
        }
        for (unsigned i = 0; i < node.bundle.op_count; ++i) {
            const MicroOp& op = node.bundle.ops[i];
            if (writes_register(op) && op.guard.count == 0)
                written.set(slot_of(op.dst, node.config));
        }
    }
    return inputs;
}

/// Binds the labels of a loop header. False: nothing is carried, the node is an ordinary join.
bool RegionEmitter::emit_loop_header(unsigned index, bool fell) {
    Node& node = *plan_.nodes[index];
    if (node.loop_end < 0 || node.entered_by_return) return false;
    std::vector<Carried> carried = loop_inputs(index);
    if (carried.empty()) return false;
    Header& header = headers_[index];
    v_.start_bundle(node.bundle, node.config);
    if (fell) {
        flush_counts();
        mark(Reason::Spill);
    } else {
        mark(Reason::Spill);
        a_.bind(labels_[index]);
        v_.cache.forget_all();
    }
    // Each carried value needs a register of its own: they may differ after an iteration.
    std::uint32_t taken_gprs = 0, taken_xmms = 0;
    for (Carried& c : carried) {
        const RegRef ref =
            c.slot >= kGlobalSlot
                ? RegRef{Space::Global, static_cast<std::uint8_t>(c.slot - kGlobalSlot)}
                : RegRef{Space::Window, static_cast<std::uint8_t>(c.slot)};
        if (c.xmm) {
            x86::Xmm r = v_.use_xmm(ref, c.bits);
            if (taken_xmms >> r.id() & 1) {
                const x86::Xmm copy = v_.def_xmm();
                a_.movaps(copy, r);
                r = copy;
            }
            taken_xmms |= 1u << r.id();
            c.reg = static_cast<int>(r.id());
        } else {
            Gp r = v_.use(ref, c.bits);
            if (taken_gprs >> r.id() & 1) {
                const Gp copy = v_.def();
                a_.mov(copy, r);
                r = copy;
            }
            taken_gprs |= 1u << r.id();
            c.reg = static_cast<int>(r.id());
        }
    }
    v_.end_bundle();
    v_.cache.forget_all();
    for (const Carried& c : carried)
        c.xmm ? v_.cache.set_xmm(c.slot, c.reg, c.bits) : v_.cache.set_gpr(c.slot, c.reg, c.bits);
    header.carried = std::move(carried);
    header.emitted = true;
    if (fell) {
        cold([this, index] {
            mark(Reason::Spill);
            a_.bind(labels_[index]);
            load_carried(headers_[index].carried);
            a_.jmp(headers_[index].hot);
        });
    }
    a_.bind(header.hot);
    return true;
}

void RegionEmitter::load_carried(const std::vector<Carried>& carried) {
    for (const Carried& c : carried) {
        if (c.xmm) {
            const x86::Xmm r = x86::xmm(static_cast<std::uint32_t>(c.reg));
            if (c.bits == 32)
                a_.movss(r, v_.memory(c.slot, 4));
            else if (c.bits == 64)
                a_.movsd(r, v_.memory(c.slot, 8));
            else
                a_.movaps(r, v_.memory(c.slot, 16));
        } else {
            const Gp r = x86::gpq(static_cast<std::uint32_t>(c.reg));
            c.bits == 32 ? a_.mov(r.r32(), v_.memory(c.slot, 4)) : a_.mov(r, v_.memory(c.slot, 8));
        }
    }
}

void RegionEmitter::shuffle_to(const std::vector<Carried>& carried) {
    mark(Reason::Spill);
    struct Move {
        const Carried* to;
        int from;
    };
    std::vector<Move> moves;
    std::vector<Carried> loads;
    for (const Carried& c : carried) {
        const GuestValue& v = v_.cache.at(c.slot);
        const int now = c.xmm ? v.xmm : v.gpr;
        const unsigned bits = c.xmm ? v.xmm_bits : v.gpr_bits;
        if (now < 0 || bits < c.bits)
            loads.push_back(c);
        else if (now != c.reg)
            moves.push_back({&c, now});
    }
    // A move may be done when no other still reads its destination.
    while (!moves.empty()) {
        const auto ready = std::find_if(moves.begin(), moves.end(), [&](const Move& m) {
            return std::none_of(moves.begin(), moves.end(), [&](const Move& other) {
                return &other != &m && other.to->xmm == m.to->xmm && other.from == m.to->reg;
            });
        });
        if (ready == moves.end()) {  // a cycle: memory breaks it
            loads.push_back(*moves.back().to);
            moves.pop_back();
            continue;
        }
        const auto from = static_cast<std::uint32_t>(ready->from);
        const auto to = static_cast<std::uint32_t>(ready->to->reg);
        if (ready->to->xmm)
            a_.movaps(x86::xmm(to), x86::xmm(from));
        else
            a_.mov(x86::gpq(to), x86::gpq(from));
        moves.erase(ready);
    }
    load_carried(loads);
}

}  // namespace e2k::translate
