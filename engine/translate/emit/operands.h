// Which registers an operation reads and writes, as slots of the value cache.
#pragma once

#include "engine/isa/operation.h"
#include "engine/translate/plan.h"
#include "engine/translate/value_cache.h"

namespace e2k::translate {

inline unsigned slot_of(cpu::exec::RegRef r, const Node& node) {
    if (r.space == cpu::exec::Space::Window) return node.window + r.index;
    if (r.space == cpu::exec::Space::Based)
        return node.window +
               static_cast<unsigned>(based_index(node.config.rotation(), r.index, kGlobalSlot));
    return kGlobalSlot + r.index;
}

inline bool floating(const cpu::exec::MicroOp& op) {
    switch (isa::operation(op.row).family) {
        case isa::Family::FpScalar:
        case isa::Family::FpCompare:
        case isa::Family::FpCombined:
            return true;
        default:
            return false;
    }
}

inline bool writes_register(const cpu::exec::MicroOp& op) {
    return op.write != cpu::exec::Write::None && op.write != cpu::exec::Write::Predicate &&
           op.write != cpu::exec::Write::Ctpr && op.write != cpu::exec::Write::State;
}

inline bool stores(const cpu::exec::MicroOp& op) {
    return op.kind == cpu::SemKind::Store || op.kind == cpu::SemKind::ArrayStore;
}

inline unsigned bits_of(isa::Width w) {
    return w == isa::Width::S ? 32 : w == isa::Width::P || w == isa::Width::X ? 128 : 64;
}

/// Calls f(slot, bits, xmm) for each register an operation reads.
template <typename F>
void for_each_read(const cpu::exec::MicroOp& op, const Node& node, F&& f) {
    const auto read = [&](cpu::exec::RegRef r, isa::Width w) {
        if (r.space == cpu::exec::Space::Literal || w == isa::Width::None) return;
        f(slot_of(r, node), bits_of(w), floating(op) || bits_of(w) == 128);
    };
    read(op.a, op.wa);
    read(op.b, op.wb);
    read(op.c, op.wc);
    const bool stores = op.kind == cpu::SemKind::Store || op.kind == cpu::SemKind::ArrayStore ||
                        op.kind == cpu::SemKind::AauWrite;
    if (stores && op.data.space != cpu::exec::Space::Literal)
        f(slot_of(op.data, node),
          op.access_size == 16  ? 128u
          : op.access_size == 8 ? 64u
                                : 32u,
          op.access_size == 16);
}

inline unsigned written_bits(const cpu::exec::MicroOp& op, const Node& node) {
    switch (op.write) {
        case cpu::exec::Write::Packed:
        case cpu::exec::Write::Extended:
            return 128;
        case cpu::exec::Write::Word:
            return node.bundle_dbl ? 64 : 32;
        case cpu::exec::Write::WordKeep:
            return 32;
        default:
            return 64;
    }
}

}  // namespace e2k::translate
