// Integer comparisons to a predicate (integer.md §7): the host's conditions after cmp, test.
#include "engine/translate/emit/steps.h"

namespace e2k::translate {
namespace {

using asmjit::x86::CondCode;
using asmjit::x86::Gp;

template <CondCode Cc, unsigned Bits, bool And>
void compare(OpContext& c) {
    const Gp x = c.v.use(c.op.a, Bits);
    const Source y = source_of(c, c.op.b, Bits);
    c.v.set_compare(Cc, And, Bits, x, y.value ? nullptr : &y.reg,
                    y.value ? static_cast<std::int32_t>(static_cast<std::uint32_t>(*y.value)) : 0);
}

template <CondCode Cc>
constexpr auto kS = compare<Cc, 32, false>;
template <CondCode Cc>
constexpr auto kD = compare<Cc, 64, false>;
template <CondCode Cc>
constexpr auto kAndS = compare<Cc, 32, true>;
template <CondCode Cc>
constexpr auto kAndD = compare<Cc, 64, true>;

constexpr Emitter kEmitters[] = {
    {"cmposb", kS<CondCode::kO>},         {"cmpodb", kD<CondCode::kO>},
    {"cmpbsb", kS<CondCode::kB>},         {"cmpbdb", kD<CondCode::kB>},
    {"cmpesb", kS<CondCode::kE>},         {"cmpedb", kD<CondCode::kE>},
    {"cmpbesb", kS<CondCode::kBE>},       {"cmpbedb", kD<CondCode::kBE>},
    {"cmpssb", kS<CondCode::kS>},         {"cmpsdb", kD<CondCode::kS>},
    {"cmppsb", kS<CondCode::kP>},         {"cmppdb", kD<CondCode::kP>},
    {"cmplsb", kS<CondCode::kL>},         {"cmpldb", kD<CondCode::kL>},
    {"cmplesb", kS<CondCode::kLE>},       {"cmpledb", kD<CondCode::kLE>},
    {"cmpandesb", kAndS<CondCode::kE>},   {"cmpandedb", kAndD<CondCode::kE>},
    {"cmpandssb", kAndS<CondCode::kS>},   {"cmpandsdb", kAndD<CondCode::kS>},
    {"cmpandpsb", kAndS<CondCode::kP>},   {"cmpandpdb", kAndD<CondCode::kP>},
    {"cmpandlesb", kAndS<CondCode::kLE>}, {"cmpandledb", kAndD<CondCode::kLE>},
};

}  // namespace

std::span<const Emitter> compare_emitters() { return kEmitters; }

}  // namespace e2k::translate
