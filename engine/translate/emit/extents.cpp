// How large the results of operations are, as far as addresses want to know (extent.h).
#include <string_view>

#include "engine/translate/emit/operands.h"
#include "engine/translate/region_emitter.h"

namespace e2k::translate {

namespace x86 = asmjit::x86;
using cpu::exec::MicroOp;
using cpu::exec::Write;

namespace {

enum class Shape : std::uint8_t { Other, Add, Subtract, Extend, Shift, And, Field };

constexpr std::pair<std::string_view, Shape> kShapes[] = {
    {"addd", Shape::Add},   {"subd", Shape::Subtract}, {"sxt", Shape::Extend},
    {"shld", Shape::Shift}, {"andd", Shape::And},      {"getfd", Shape::Field},
};

Shape shape_of(isa::OpIndex row) {
    static const std::vector<Shape> table = [] {
        std::vector<Shape> shapes(isa::operations().size(), Shape::Other);
        for (std::size_t i = 0; i < shapes.size(); ++i)
            for (const auto& [name, shape] : kShapes)
                if (isa::operations()[i].mnemonic == name) shapes[i] = shape;
        return shapes;
    }();
    return table[row];
}

}  // namespace

/// What a comparison that came out so says of its left side: an index below a bound.
void RegionEmitter::learn_extent(const PredicateValue& comparison, bool came_true) {
    if (comparison.bits != 64 || comparison.test) return;
    auto condition = static_cast<x86::CondCode>(comparison.condition);
    if (!came_true) condition = x86::negateCond(condition);
    const bool below = condition == x86::CondCode::kL || condition == x86::CondCode::kB;
    if (!below && condition != x86::CondCode::kLE && condition != x86::CondCode::kBE) return;
    ValueCache& cache = v_.cache;
    const auto holds = [&cache](unsigned slot, int r) {
        return cache.at(slot).gpr == r && cache.at(slot).gpr_bits == 64;
    };
    Extent bound;
    if (comparison.y < 0) {
        bound = Extent::of(static_cast<std::uint64_t>(std::int64_t{comparison.immediate}) - below);
    } else {
        cache.for_each([&](unsigned slot) {
            if (holds(slot, comparison.y)) bound = cache.at(slot).extent;
        });
    }
    if (!bound.is_natural()) return;
    cache.for_each([&](unsigned slot) {
        const Extent known = cache.at(slot).extent;
        if (holds(slot, comparison.x) && known.is_natural() && bound.implies(known))
            cache.set_extent(slot, bound);
    });
}

Extent RegionEmitter::extent_of_result(const MicroOp& op) const {
    if (op.kind == cpu::SemKind::AauWrite)
        return op.access_size == 8 ? v_.extent(op.data) : Extent();
    if (op.write == Write::Word && node_->bundle_dbl) return Extent::natural(32);
    if (op.write != Write::Double) return {};
    const auto y = v_.constant(op.b, 64);
    switch (shape_of(op.row)) {
        case Shape::Add:
            return v_.extent(op.a) + v_.extent(op.b);
        case Shape::Subtract:
            return v_.extent(op.a) - v_.extent(op.b);
        case Shape::Extend: {  // the code of the width: 0..2 signed, 4..6 unsigned
            const auto code = v_.constant(op.a, 32);
            if (!code || (*code & 3) == 3) return {};
            const unsigned bits = 8u << (*code & 3);
            return *code & 4 ? Extent::natural(bits) : Extent::small(bits - 1);
        }
        case Shape::Shift:
            return y ? v_.extent(op.a).shifted(*y & 63) : Extent();
        case Shape::And:
            return v_.extent(op.b).is_natural()   ? v_.extent(op.b)
                   : v_.extent(op.a).is_natural() ? v_.extent(op.a)
                                                  : Extent();
        case Shape::Field:
            return y && (*y >> 6 & 63) != 0 ? Extent::small(*y >> 6 & 63) : Extent();
        default:
            return {};
    }
}

/// Whether the loop only adds to the register, compares it and uses it for addresses: what it
/// counts is likely to stay below a bound that one sees (learn_extent()).
bool RegionEmitter::is_index(unsigned header, unsigned slot) const {
    constexpr std::uint64_t kLargestStep = 1 << 16;
    bool compared = false, addresses = false;
    for (int k = static_cast<int>(header); k <= plan_.nodes[header]->loop_end; ++k) {
        const Node& node = *plan_.nodes[static_cast<std::size_t>(k)];
        for (unsigned i = 0; i < node.bundle.op_count; ++i) {
            const MicroOp& op = node.bundle.ops[i];
            const auto is = [&](cpu::exec::RegRef r) {
                return r.space != cpu::exec::Space::Literal && slot_of(r, node) == slot;
            };
            if (op.kind == cpu::SemKind::Load || op.kind == cpu::SemKind::Store) {
                addresses |= is(op.a) || is(op.b);
            } else if (op.write == Write::Predicate) {
                compared |= (is(op.a) || is(op.b)) && op.wa == isa::Width::D;
            }
            if (!writes_register(op) || slot_of(op.dst, node) != slot) continue;
            const bool adds = shape_of(op.row) == Shape::Add && is(op.a) &&
                              op.b.space == cpu::exec::Space::Literal &&
                              node.bundle.literals[op.b.index].lo <= kLargestStep;
            if (!adds) return false;
        }
    }
    return compared && addresses;
}

}  // namespace e2k::translate
