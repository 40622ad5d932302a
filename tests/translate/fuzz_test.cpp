// The short deterministic portion of the differential fuzzer, and that it finds a planted bug.
#include <gtest/gtest.h>

#include "engine/translate/emitters.h"
#include "tests/translate/fuzz/fuzzer.h"

namespace e2k::translate {
namespace {

class Fuzz : public testing::TestWithParam<unsigned> {};

TEST_P(Fuzz, TranslatorAgreesWithTheInterpreter) {
    const auto result = fuzz::fuzz({.seed = GetParam(), .cases = 300});
    EXPECT_EQ(result.difference, "");
    EXPECT_EQ(result.cases, 300u);
    EXPECT_GT(result.bundles, 3000u);
    EXPECT_LT(result.interpreted, result.bundles);
    EXPECT_GT(result.kernels, 20u);
    EXPECT_GT(result.kernel_entries, 200u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Fuzz, testing::Range(1u, 5u));

TEST(Fuzz, RegionsCountEveryBundleTheyExecute) {
    const auto result = fuzz::fuzz({.seed = 5, .cases = 300, .profile = true});
    EXPECT_EQ(result.difference, "");
    EXPECT_EQ(result.profiled + result.interpreted, result.bundles);
    EXPECT_GT(result.profiled, 3000u);
}

/// The emitter of `subs` with its operands exchanged.
void wrong_subtraction(OpContext& c) {
    const auto x = c.v.use(c.op.a, 32), y = c.v.use(c.op.b, 32);
    const auto d = c.v.def();
    c.a.mov(d.r32(), y.r32());
    c.a.sub(d.r32(), x.r32());
    c.v.set_result(d);
}

TEST(Fuzz, FindsAWrongEmitter) {
    constexpr Emitter kWrong{"subs", wrong_subtraction};
    replace_emitter_for_test("subs", &kWrong);
    const auto result = fuzz::fuzz({.seed = 1, .cases = 2000});
    replace_emitter_for_test("subs", nullptr);
    EXPECT_NE(result.difference, "") << result.cases << " programs";
    const auto again = fuzz::fuzz({.seed = 1, .first_case = result.bad_case, .cases = 1});
    EXPECT_EQ(again.difference, "") << "the emitter is not back in its place";
}

}  // namespace
}  // namespace e2k::translate
