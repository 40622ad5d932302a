// Cases the tuples do not contain: rules that depend on the version, faults, counts at the limits
// (integer.md, packed.md) and the examples of the reference.
#include <gtest/gtest.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "engine/cpu/semantics.h"
#include "engine/cpu/semantics/families.h"
#include "tests/cpu/fp_support.h"

namespace e2k::cpu {
namespace {

using U64 = std::uint64_t;
constexpr U64 kAll = ~U64{0};

const Semantics& named(std::string_view mnemonic, int iset = 6) {
    for (const isa::Operation& op : isa::operations())
        if (op.mnemonic == mnemonic) return semantics_of(isa::index_of(op), iset);
    throw std::runtime_error("no operation " + std::string(mnemonic));
}
U64 run(std::string_view mnemonic, U64 a, U64 b, U64 c = 0, int iset = 6) {
    const Semantics& semantics = named(mnemonic, iset);
    EXPECT_EQ(semantics.kind, SemKind::Int64) << mnemonic;
    return semantics.fn64(a, b, c);
}
DivResult divide(std::string_view mnemonic, U64 a, U64 b) {
    const Semantics& semantics = named(mnemonic);
    EXPECT_EQ(semantics.kind, SemKind::Div) << mnemonic;
    return semantics.fn_div(a, b, 0);
}

TEST(IntSemantics, CarryAndBorrowAtTheLimits) {
    EXPECT_EQ(run("addcd", kAll, 0, 1), 0u);
    EXPECT_EQ(run("addcd_c", kAll, 0, 1), 1u);
    EXPECT_EQ(run("addcd_c", 5, kAll, 1), 1u);  // b + c = 2^64
    EXPECT_EQ(run("addcd_c", 5, kAll, 0), 1u);
    EXPECT_EQ(run("addcd_c", 0, kAll, 0), 0u);
    EXPECT_EQ(run("addcd_c", 0, 1, 2), 0u);  // only bit 0 of c
    EXPECT_EQ(run("subcd_c", 5, kAll, 1), 1u);
    EXPECT_EQ(run("subcd_c", kAll, kAll, 1), 1u);
    EXPECT_EQ(run("subcd_c", kAll, kAll, 0), 0u);
    EXPECT_EQ(run("subcd", 0, 0, 1), kAll);
}

TEST(IntSemantics, ShiftCountsAreModuloTheWidth) {
    EXPECT_EQ(run("shls", 1, 33), 2u);
    EXPECT_EQ(run("sars", 0x80000000, 31), 0xffffffffu);
    EXPECT_EQ(run("scrd", 1, 1), U64{1} << 63);
    EXPECT_EQ(run("shrd", U64{1} << 63, 127), 1u);
    EXPECT_EQ(run("shl_addd", 5, 3, 100), 140u);
    EXPECT_EQ(run("shl_adds", 1, 33, 1), 3u);
}

TEST(IntSemantics, CombinedOperandOrder) {
    EXPECT_EQ(run("sub_rsubd", 10, 3, 100), U64{7} - 100);
    EXPECT_EQ(run("sub_subd", 10, 3, 100), 93u);
    EXPECT_EQ(run("and_subd", 0xff, 0x0f, 0x100), 0xf1u);
    EXPECT_EQ(run("and_andns", 0xff, 0x0f, 0xffffffff), 0xfffffff0u);
}

TEST(IntSemantics, GetfTakesItsSignByVersion) {
    EXPECT_EQ(run("getfs", 0x12345678, 0x0208), 0x56u);
    EXPECT_EQ(run("getfs", 0x8123, 0x3400), 0xffff8123u);
    EXPECT_EQ(run("getfs", 0x8123, 0x3400, 0, 4), 0xffff8123u);
    EXPECT_EQ(run("getfd", 0xf123456789abcdef, 0x013c), 0xfu);
    // Length 16, signed, but byte number 0: its top bit decides before v5.
    EXPECT_EQ(run("getfs", 0x8123, 0x1400, 0, 4), 0x8123u);
    EXPECT_EQ(run("getfs", 0x8123, 0x1400, 0, 5), 0xffff8123u);
    EXPECT_EQ(run("getf_adds", 0x8123, 0x1400, 0, 4), 0x8123u);
    EXPECT_EQ(run("getf_adds", 0x8123, 0x1400, 0, 5), 0xffff8123u);
    // An empty field.
    EXPECT_EQ(run("getfd", kAll, 0x0000), 0u);
    EXPECT_EQ(run("getfd", 0x80, 0x1000), kAll);
    EXPECT_EQ(run("getfd", 0x80, 0x3000), 0u);
    EXPECT_EQ(run("getfd", 0x80, 0x1000, 0, 4), kAll);
}

TEST(IntSemantics, GetfzAndInsf) {
    EXPECT_EQ(run("getfzd", 0x12345678, 0x6404), 0x4560u);
    EXPECT_EQ(run("getfzd", kAll, 0x1000), kAll);  // empty and signed: the operand's sign
    EXPECT_EQ(run("insfd", 0x1111222233334444, 0x0410, 0xabcd), 0x444411112222abcdu);
    EXPECT_EQ(run("insfd", 0x1111222233334444, 0x8800, 0xffffffffabcdef01), 0x11112222abcdef01u);
}

TEST(IntSemantics, Sxt) {
    EXPECT_EQ(run("sxt", 0, 0x80), 0xffffffffffffff80u);
    EXPECT_EQ(run("sxt", 6, 0x80000000), 0x80000000u);
    EXPECT_EQ(run("sxt", 3, 0x80000000), 0xffffffff80000000u);
    EXPECT_EQ(run("sxt", 8, 0x80), 0xffffffffffffff80u);  // only bits 2:0 of the selector
}

TEST(IntSemantics, Multiply) {
    EXPECT_EQ(run("umulx", 0xffffffff, 0xffffffff), 0xfffffffe00000001u);
    EXPECT_EQ(run("smulx", 0xffffffff, 0xffffffff), 1u);
    EXPECT_EQ(run("smulhd", kAll, 2), kAll);
    EXPECT_EQ(run("umulhd", kAll, 2), 1u);
    EXPECT_EQ(run("muls", 0x10000, 0x10001), 0x10000u);
}

TEST(IntSemantics, DivisionFaults) {
    for (const char* name :
         {"udivs", "udivd", "sdivs", "sdivd", "udivx", "sdivx", "umodx", "smodx"}) {
        const DivResult result = divide(name, 7, 0);
        EXPECT_NE(result.trap, 0u) << name;
        EXPECT_EQ(result.value, 0u) << name;
    }
    EXPECT_EQ(divide("sdivs", 0x80000000, 0xffffffff).value, 0x80000000u);
    EXPECT_EQ(divide("sdivs", 0x80000000, 0xffffffff).trap, 0u);
    EXPECT_EQ(divide("sdivd", U64{1} << 63, kAll).value, U64{1} << 63);
    EXPECT_EQ(divide("sdivd", U64{1} << 63, kAll).trap, 0u);
    EXPECT_EQ(divide("sdivs", static_cast<std::uint32_t>(-7), 2).value,
              static_cast<std::uint32_t>(-3));

    EXPECT_EQ(divide("udivx", U64{1} << 32, 1).trap, 1u);
    EXPECT_EQ(divide("udivx", (U64{1} << 32) - 1, 1).value, 0xffffffffu);
    EXPECT_EQ(divide("sdivx", U64{1} << 31, 1).trap, 1u);
    EXPECT_EQ(divide("sdivx", -(U64{1} << 31), 1).value, 0x80000000u);
    EXPECT_EQ(divide("sdivx", U64{1} << 63, 0xffffffff).trap, 1u);
    EXPECT_EQ(divide("sdivx", -U64{7}, static_cast<std::uint32_t>(-2)).value, 3u);
    EXPECT_EQ(divide("smodx", -U64{7}, 2).value, 0xffffffffu);
    EXPECT_EQ(divide("smodx", U64{1} << 63, 0xffffffff).value, 0u);
    EXPECT_EQ(divide("umodx", kAll, 10).value, kAll % 10);
}

TEST(IntSemantics, CompareConditions) {
    EXPECT_EQ(run("cmposb", 0x80000000, 1), 1u);
    EXPECT_EQ(run("cmposb", 0x80000000, 0), 0u);
    EXPECT_EQ(run("cmplsb", 0x80000000, 1), 1u);
    EXPECT_EQ(run("cmpbsb", 0x80000000, 1), 0u);
    EXPECT_EQ(run("cmppsb", 3, 0), 1u);
    EXPECT_EQ(run("cmppsb", 0x100, 0), 1u);  // only the low byte counts
    EXPECT_EQ(run("cmppdb", 1, 0), 0u);
    EXPECT_EQ(run("cmpandledb", U64{1} << 63, kAll), 1u);
    EXPECT_EQ(run("cmpandledb", 1, kAll), 0u);
    EXPECT_EQ(run("cmpandesb", 1, 2), 1u);
}

TEST(PackedSemantics, JoinedShiftsByAnyLiteral) {
    constexpr U64 a = 0x1111111111111122, b = 0x3344444444444444;
    EXPECT_EQ(run("psrlql", a, b, 1), 0x2233444444444444u);
    EXPECT_EQ(run("psllqh", 0x1122222222222222, b, 1), 0x2222222222222233u);
    EXPECT_EQ(run("psllqh", a, b, 0), a);
    EXPECT_EQ(run("psrlql", a, b, 0), b);
    EXPECT_EQ(run("psllqh", a, b, 8), b);
    EXPECT_EQ(run("psrlql", a, b, 8), a);
    EXPECT_EQ(run("psllql", a, b, 8), 0u);
    EXPECT_EQ(run("psrlqh", a, b, 9), 0u);
    EXPECT_EQ(run("psllqh", a, b, 15), b << 56);
    EXPECT_EQ(run("psllqh", a, b, 16), 0u);
    EXPECT_EQ(run("psrlql", a, b, 255), 0u);
}

TEST(PackedSemantics, ExamplesOfTheReference) {
    EXPECT_EQ(run("pextrh", 0x8888777766665555, 0x4444333322221111, 5), 0x6666u);
    EXPECT_EQ(run("pshufw", 0xaaaaaaaabbbbbbbb, 0xccccccccdddddddd, 6), 0xccccccccbbbbbbbbu);
    EXPECT_EQ(run("packsshb", 0x7fff8000ff80007f, 0x0001ffff00800100), 0x7f80807f01ff7f7fu);
    EXPECT_EQ(run("punpckhwd", 0x1111111122222222, 0x3333333344444444), 0x1111111133333333u);
    EXPECT_EQ(run("pmovmskb", 0x8000000000000080, 0x0000000080808080), 0x810fu);
    EXPECT_EQ(run("phaddw", 0x0000000200000001, 0x0000000400000003), 0x0000000700000003u);
    EXPECT_EQ(run("psrah", 0x80007fff00010002, 100), 0xffff000000000000u);
    EXPECT_EQ(run("pmulubhh", 0x04030201, 0x0100ff0000800040), 0x0004fffd00010000u);
    EXPECT_EQ(run("mpsadbh", 0x0706050403020100, 0x03020100), 0x000c000800040000u);
    EXPECT_EQ(run("phminposuh", 0x0005000400030009, 0x0008000700060003), 0x00010003u);
    EXPECT_EQ(run("pmaddubsh", 0x7f7f7f7f7f7f7f7f, kAll), 0x7fff7fff7fff7fffu);
    EXPECT_EQ(run("pmerge", 0x1111111111111111, 0x2222222222222222, 0x80007f8000ff0100),
              0x2211112211221111u);
    constexpr U64 a = 0x8f8e8d8c8b8a8988, b = 0x8786858483828180;
    EXPECT_EQ(run("pshufb", a, b, 0x0f08070080a0c0e0), 0x8f888780007f80ffu);
    EXPECT_EQ(run("pshufb", a, b, 0x1020400102030405), 0x7f01ff8182838485u);
}

TEST(PackedSemantics, LimitsOfLanes) {
    constexpr U64 lowest_halves = 0x8000800080008000;
    EXPECT_EQ(run("pmaddh", lowest_halves, lowest_halves), 0x8000000080000000u);  // wraps
    EXPECT_EQ(run("psignh", lowest_halves, kAll), lowest_halves);
    EXPECT_EQ(run("psignw", 0x8000000000000005, 0xffffffff00000000), 0x8000000000000000u);
    EXPECT_EQ(run("pmulhrsh", lowest_halves, lowest_halves), lowest_halves);
    EXPECT_EQ(run("phminposuh", kAll, kAll), 0xffffu);
    EXPECT_EQ(run("psllh", kAll, U64{1} << 63), 0u);
    EXPECT_EQ(run("psraw", 0x8000000070000000, kAll), 0xffffffff00000000u);
    EXPECT_EQ(run("psrcw", 0x0000000100000002, 33), 0x8000000000000001u);
}

/// The definition, bit by bit, for all 256 tables through every spelling's row.
TEST(PlogSemantics, EveryTable) {
    constexpr U64 a = 0xfedcba9876543210, b = 0x0123456789abcdef, c = 0xa5a5f00f5a5ac33c;
    int rows = 0;
    for (const isa::Operation& op : isa::operations()) {
        const bool wide = op.mnemonic.starts_with("qplog_");
        if (!wide && !op.mnemonic.starts_with("plog_")) continue;
        const std::string name(op.mnemonic.substr(op.mnemonic.find('_') + 1));
        const unsigned table = name == "and"   ? 0x80
                               : name == "xor" ? 0x96
                               : name == "or"  ? 0xfe
                               : name == "mjr" ? 0xe8
                               : name == "sel3"
                                   ? 0xd8
                                   : static_cast<unsigned>(std::stoul(name, nullptr, 0));
        U64 expected = 0;
        for (unsigned i = 0; i < 64; ++i) {
            const U64 index = (a >> i & 1) << 2 | (b >> i & 1) << 1 | (c >> i & 1);
            expected |= U64{table >> index & 1} << i;
        }
        const Semantics& semantics = semantics_of(isa::index_of(op), 5);
        if (wide) {
            ASSERT_EQ(semantics.kind, SemKind::Int128) << op.mnemonic;
            const auto got = test::from_v128(semantics.fn128(
                test::to_v128({a, b}), test::to_v128({b, c}), test::to_v128({c, a})));
            EXPECT_EQ(got.low, expected) << op.mnemonic;
            EXPECT_EQ(got.high, plog(static_cast<std::uint8_t>(table))(b, c, a)) << op.mnemonic;
        } else {
            ASSERT_EQ(semantics.kind, SemKind::Int64) << op.mnemonic;
            EXPECT_EQ(semantics.fn64(a, b, c), expected) << op.mnemonic;
        }
        ++rows;
    }
    EXPECT_GE(rows, 1024);
}

}  // namespace
}  // namespace e2k::cpu
