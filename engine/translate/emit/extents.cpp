// How large the results of operations are, as far as addresses want to know (extent.h).
#include <string_view>

#include "engine/translate/region_emitter.h"

namespace e2k::translate {

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

Extent RegionEmitter::extent_of_result(const MicroOp& op) const {
    if (op.write == Write::Word && node_->bundle_dbl) return Extent::small(32);
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
            return Extent::small((8u << (*code & 3)) - ((*code & 4) == 0));
        }
        case Shape::Shift:
            return y ? v_.extent(op.a).shifted(*y & 63) : Extent();
        case Shape::And:
            return y && static_cast<std::int64_t>(*y) >= 0 ? Extent::of(*y) : Extent();
        case Shape::Field:
            return y && (*y >> 6 & 63) != 0 ? Extent::small(*y >> 6 & 63) : Extent();
        default:
            return {};
    }
}

}  // namespace e2k::translate
