// How much of the instruction set is built: counts that may grow, never fall.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

#include "engine/isa/describe.h"
#include "engine/machine/coverage.h"

namespace e2k::machine {
namespace {

using isa::Family;

struct Count {
    unsigned known, interpreted, emitted;
};
/// Versions 2 to 7.
struct Floor {
    Family family;
    std::array<Count, 6> versions;
};

// clang-format off
const std::array kFloors{
    Floor{Family::IntAlu, {{{16, 16, 16}, {16, 16, 16}, {16, 16, 16}, {20, 20, 20}, {20, 20, 20}, {20, 20, 20}}}},
    Floor{Family::IntShift, {{{10, 10, 10}, {10, 10, 10}, {10, 10, 10}, {10, 10, 10}, {10, 10, 10}, {10, 10, 10}}}},
    Floor{Family::IntMul, {{{4, 4, 4}, {6, 6, 6}, {6, 6, 6}, {6, 6, 6}, {6, 6, 6}, {6, 6, 6}}}},
    Floor{Family::IntDiv, {{{8, 8, 8}, {8, 8, 8}, {8, 8, 8}, {8, 8, 8}, {8, 8, 8}, {8, 8, 8}}}},
    Floor{Family::IntBitfield, {{{11, 11, 11}, {11, 11, 11}, {11, 11, 11}, {13, 13, 13}, {13, 13, 13}, {13, 13, 13}}}},
    Floor{Family::IntCompare, {{{32, 24, 24}, {32, 24, 24}, {32, 24, 24}, {32, 24, 24}, {32, 24, 24}, {32, 24, 24}}}},
    Floor{Family::IntCombined, {{{270, 270, 270}, {270, 270, 270}, {270, 270, 270}, {270, 270, 270}, {270, 270, 270}, {270, 270, 270}}}},
    Floor{Family::IntFlags, {{{51, 0, 0}, {66, 0, 0}, {66, 0, 0}, {66, 0, 0}, {66, 0, 0}, {66, 0, 0}}}},
    Floor{Family::Select, {{{2, 2, 2}, {2, 2, 2}, {2, 2, 2}, {2, 2, 2}, {4, 4, 4}, {4, 4, 4}}}},
    Floor{Family::FpScalar, {{{19, 19, 19}, {19, 19, 19}, {21, 21, 21}, {21, 21, 21}, {21, 21, 21}, {21, 21, 21}}}},
    Floor{Family::FpCompare, {{{36, 36, 36}, {36, 36, 36}, {36, 36, 36}, {36, 36, 36}, {36, 36, 36}, {36, 36, 36}}}},
    Floor{Family::FpConvert, {{{14, 14, 14}, {16, 16, 16}, {16, 16, 16}, {16, 16, 16}, {16, 16, 16}, {16, 16, 16}}}},
    Floor{Family::FpCombined, {{{18, 18, 18}, {18, 18, 18}, {18, 18, 18}, {18, 18, 18}, {18, 18, 18}, {18, 18, 18}}}},
    Floor{Family::FpCombinedPacked, {{{18, 18, 18}, {45, 45, 45}, {45, 45, 45}, {97, 97, 97}, {97, 97, 97}, {97, 97, 97}}}},
    Floor{Family::FpFma, {{{0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {20, 20, 20}, {20, 20, 20}}}},
    Floor{Family::FpPacked64, {{{35, 35, 35}, {40, 40, 40}, {40, 40, 40}, {40, 40, 40}, {40, 40, 40}, {40, 40, 40}}}},
    Floor{Family::FpPacked128, {{{0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {46, 46, 46}, {46, 46, 46}, {46, 46, 46}}}},
    Floor{Family::Fp80, {{{90, 90, 90}, {90, 90, 90}, {91, 91, 91}, {91, 91, 91}, {91, 91, 91}, {91, 91, 91}}}},
    Floor{Family::PackedInt64, {{{34, 34, 34}, {57, 57, 57}, {57, 57, 57}, {58, 58, 58}, {58, 58, 58}, {58, 58, 58}}}},
    Floor{Family::PackedInt128, {{{0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {58, 58, 58}, {58, 58, 58}, {58, 58, 58}}}},
    Floor{Family::PackedShift, {{{8, 8, 8}, {8, 8, 8}, {8, 8, 8}, {20, 20, 20}, {21, 21, 21}, {21, 21, 21}}}},
    Floor{Family::PackedShuffle, {{{22, 22, 22}, {23, 23, 23}, {23, 23, 23}, {35, 35, 35}, {39, 39, 39}, {39, 39, 39}}}},
    Floor{Family::PackedLogic, {{{4, 4, 4}, {4, 4, 4}, {4, 4, 4}, {8, 8, 8}, {8, 8, 8}, {8, 8, 8}}}},
    Floor{Family::PackedComparePred, {{{0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {32, 32, 32}, {32, 32, 32}}}},
    Floor{Family::Plog, {{{0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {1034, 1034, 1034}, {1034, 1034, 1034}, {1034, 1034, 1034}}}},
    Floor{Family::Clmul, {{{0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {2, 2, 2}, {2, 2, 2}}}},
    Floor{Family::MemLoad, {{{4, 4, 4}, {4, 4, 4}, {4, 4, 4}, {5, 5, 5}, {5, 5, 5}, {5, 5, 5}}}},
    Floor{Family::MemStore, {{{4, 4, 4}, {4, 4, 4}, {4, 4, 4}, {6, 6, 6}, {6, 6, 6}, {6, 6, 6}}}},
    Floor{Family::MemArray, {{{22, 14, 14}, {22, 14, 14}, {22, 14, 14}, {25, 16, 16}, {25, 16, 16}, {25, 16, 16}}}},
    Floor{Family::MemSegment, {{{75, 0, 0}, {75, 0, 0}, {75, 0, 0}, {97, 0, 0}, {97, 0, 0}, {97, 0, 0}}}},
    Floor{Family::MemProtected, {{{42, 0, 0}, {12, 0, 0}, {12, 0, 0}, {19, 0, 0}, {19, 0, 0}, {19, 0, 0}}}},
    Floor{Family::MoveTag, {{{16, 10, 10}, {16, 10, 10}, {16, 10, 10}, {17, 11, 11}, {17, 11, 11}, {17, 11, 11}}}},
    Floor{Family::State, {{{5, 5, 5}, {5, 5, 5}, {5, 5, 5}, {5, 5, 5}, {5, 5, 5}, {5, 5, 5}}}},
    Floor{Family::ProtectedMisc, {{{16, 0, 0}, {12, 0, 0}, {12, 0, 0}, {12, 0, 0}, {12, 0, 0}, {12, 0, 0}}}},
    Floor{Family::ControlV6, {{{0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {2, 2, 0}, {2, 2, 0}}}},
    Floor{Family::Control, {{{43, 39, 33}, {48, 41, 33}, {48, 41, 33}, {48, 41, 33}, {55, 48, 36}, {55, 48, 36}}}},
    Floor{Family::V7, {{{0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {40, 0, 0}}}},
    Floor{Family::Unknown, {{{2, 2, 0}, {2, 2, 0}, {2, 2, 0}, {2, 2, 0}, {8, 2, 0}, {8, 2, 0}}}},
};
// clang-format on

TEST(Coverage, DoesNotFall) {
    const auto all = coverage();
    EXPECT_EQ(all.size(), kFloors.size());
    for (const Floor& floor : kFloors) {
        const auto found = std::ranges::find(all, floor.family, &FamilyCoverage::family);
        ASSERT_NE(found, all.end());
        for (int v = 2; v <= 7; ++v) {
            const Count& least = floor.versions[static_cast<std::size_t>(v - 2)];
            const CoverageCount& count = found->versions[v];
            const std::string where =
                std::string(isa::family_name(floor.family)) + " v" + std::to_string(v);
            EXPECT_EQ(count.known, least.known) << where;
            EXPECT_GE(count.interpreted, least.interpreted) << where;
            EXPECT_GE(count.emitted, least.emitted) << where;
            EXPECT_GE(count.translated, count.emitted) << where;
            EXPECT_GE(count.interpreted, count.translated) << where;
        }
    }
}

TEST(Coverage, KnowsHowFarAnOperationGoes) {
    EXPECT_EQ(reach_of("addd", 4), Reach::Emitted);
    EXPECT_EQ(reach_of("sdivd", 4), Reach::Emitted);
    EXPECT_EQ(reach_of("movad", 4), Reach::Emitted);
    EXPECT_EQ(reach_of("fscaled", 4), Reach::Emitted);
    EXPECT_EQ(reach_of("rrd", 4), Reach::Emitted);
    EXPECT_EQ(reach_of("rrs", 4), Reach::Emitted);
    EXPECT_EQ(reach_of("aaurrd", 4), Reach::Known);
    EXPECT_EQ(reach_of("bap", 4), Reach::Emitted);
    EXPECT_EQ(reach_of("done", 4), Reach::Privileged);
    EXPECT_EQ(reach_of("cctope", 4), Reach::Known);
    EXPECT_EQ(reach_of("fmad", 5), Reach::Absent);
    EXPECT_GE(reach_of("fmad", 6), Reach::Interpreted);
    EXPECT_EQ(reach_of("nothing", 4), Reach::Absent);
}

/// Every operation that 64-bit programs need is executed, in every version that has it.
TEST(Coverage, UserModeIsComplete) {
    std::string missing;
    for (const isa::Operation& op : isa::operations()) {
        if (!op.has(isa::OpFlag::UserMode) || op.channels == 0) continue;
        for (int v = std::max<int>(op.iset_min, 2); v <= std::min<int>(op.iset_max, 6); ++v)
            if (reach_of(op.mnemonic, v) == Reach::Known)
                missing += std::string(op.mnemonic) + " v" + std::to_string(v) + "\n";
    }
    EXPECT_EQ(missing, "");
}

TEST(Coverage, TableNamesFamiliesAndWhatIsMissing) {
    const std::string table = format_coverage(coverage(), 0);
    for (const char* word : {"integer shift", "v2", "v7", "all", "cctope"})
        EXPECT_NE(table.find(word), std::string::npos) << word;
    const std::string one = format_coverage(coverage(), 4);
    EXPECT_EQ(one.find("v5"), std::string::npos);
}

}  // namespace
}  // namespace e2k::machine
