// Functions that the host computes for the guest: both tiers give what the host gives, bit for bit,
// with its errors and flags, under every rounding mode.
#include <math.h>

#include <bit>
#include <cerrno>
#include <cfenv>
#include <cstring>
#include <random>

#include "tests/machine/bridge_caller.h"

namespace e2k::test {
namespace {

using Tier = BridgeCaller::Tier;

/// Bits 14:13 of PFPFR, and what the host calls them.
struct Rounding {
    std::uint32_t guest;
    int host;
};
constexpr Rounding kRoundings[] = {
    {0x0000, FE_TONEAREST}, {0x2000, FE_DOWNWARD}, {0x4000, FE_UPWARD}, {0x6000, FE_TOWARDZERO}};

void set_rounding(cpu::CpuState& state, std::uint32_t bits) {
    state.pfpfr = 0x1f80 | bits;
    state.fpcr = 0x37f | bits >> 3;
    state.fpsr = 0;
}

struct HostResult {
    std::uint64_t low = 0, high = 0;
    int error = 0;
};
template <class T, class Compute>
HostResult on_host(int rounding, Compute compute) {
    fesetround(rounding);
    errno = 0;
    const volatile T value = compute();
    HostResult result;
    result.error = errno;
    fesetround(FE_TONEAREST);
    const T copy = value;
    std::memcpy(&result.low, &copy, std::min<std::size_t>(sizeof copy, 8));
    if (sizeof copy > 8) std::memcpy(&result.high, reinterpret_cast<const char*>(&copy) + 8, 2);
    return result;
}

/// Both tiers against the host.
void check(BridgeCaller& guest, const std::string& name, const std::vector<std::uint64_t>& words,
           std::uint32_t rounding, const HostResult& expected, bool wide = false) {
    std::uint32_t flags[2] = {};
    for (const Tier tier : {Tier::Interpreted, Tier::Translated}) {
        set_rounding(guest.state(), rounding);
        guest.clear_errno();
        const auto result = guest.call(name, words, tier);
        ASSERT_TRUE(result.returned) << name;
        ASSERT_EQ(result.low, expected.low) << name << std::hex << ' ' << words[0];
        if (wide) {
            ASSERT_EQ(result.high & 0xffff, expected.high) << name << std::hex << ' ' << words[0];
        }
        ASSERT_EQ(guest.guest_errno(), expected.error) << name << std::hex << ' ' << words[0];
        flags[tier == Tier::Translated] = (guest.state().pfpfr | guest.state().fpsr) & 0x3f;
    }
    ASSERT_EQ(flags[0], flags[1]) << name;
}

const std::vector<double>& reals() {
    static const std::vector<double> list = [] {
        std::vector<double> v{
            0.0,    -0.0,   1.0,      -1.0,      0.5,          -0.5,
            2.0,    1e-310, 4e-324,   1e308,     -1e308,       710.,
            -745.2, 1e16,   HUGE_VAL, -HUGE_VAL, std::nan(""), 3.1415926535897931};
        std::mt19937_64 random(11);
        for (int i = 0; i < 12; ++i) v.push_back(std::bit_cast<double>(random()));
        for (int i = 0; i < 6; ++i)
            v.push_back(std::uniform_real_distribution<double>(-9, 9)(random));
        return v;
    }();
    return list;
}

TEST(HostLeafs, OfOneNumberAsTheHost) {
    struct Function {
        const char* name;
        double (*of_double)(double);
        float (*of_float)(float);
    };
    static const Function kFunctions[] = {
        {"sin", ::sin, ::sinf},       {"cos", ::cos, ::cosf},       {"tan", ::tan, ::tanf},
        {"asin", ::asin, ::asinf},    {"acos", ::acos, ::acosf},    {"atan", ::atan, ::atanf},
        {"sinh", ::sinh, ::sinhf},    {"tanh", ::tanh, ::tanhf},    {"acosh", ::acosh, ::acoshf},
        {"exp", ::exp, ::expf},       {"exp2", ::exp2, ::exp2f},    {"expm1", ::expm1, ::expm1f},
        {"log", ::log, ::logf},       {"log2", ::log2, ::log2f},    {"log10", ::log10, ::log10f},
        {"log1p", ::log1p, ::log1pf}, {"logb", ::logb, ::logbf},    {"sqrt", ::sqrt, ::sqrtf},
        {"cbrt", ::cbrt, ::cbrtf},    {"floor", ::floor, ::floorf}, {"ceil", ::ceil, ::ceilf},
        {"trunc", ::trunc, ::truncf}, {"round", ::round, ::roundf}, {"rint", ::rint, ::rintf},
        {"fabs", ::fabs, ::fabsf},    {"erf", ::erf, ::erff},       {"tgamma", ::tgamma, ::tgammaf},
        {"y0", ::y0, ::y0f}};
    std::vector<std::string> names;
    for (const Function& f : kFunctions) {
        names.emplace_back(f.name);
        names.push_back(f.name + std::string("f"));
    }
    BridgeCaller guest(names);
    for (const Function& f : kFunctions)
        for (const Rounding& rounding : kRoundings)
            for (const double x : reals()) {
                check(guest, f.name, {std::bit_cast<std::uint64_t>(x)}, rounding.guest,
                      on_host<double>(rounding.host, [&] { return f.of_double(x); }));
                const auto single = static_cast<float>(x);
                // The upper half of a float's word is anything.
                check(guest, f.name + std::string("f"),
                      {0xdeadbeef00000000 | std::bit_cast<std::uint32_t>(single)}, rounding.guest,
                      on_host<float>(rounding.host, [&] { return f.of_float(single); }));
                if (testing::Test::HasFatalFailure()) return;
            }
}

TEST(HostLeafs, OfTwoNumbersAsTheHost) {
    struct Function {
        const char* name;
        double (*function)(double, double);
    };
    static const Function kFunctions[] = {
        {"pow", ::pow},   {"fmod", ::fmod},           {"atan2", ::atan2}, {"hypot", ::hypot},
        {"fmax", ::fmax}, {"nextafter", ::nextafter}, {"fdim", ::fdim},   {"copysign", ::copysign}};
    std::vector<std::string> names;
    for (const Function& f : kFunctions) names.emplace_back(f.name);
    BridgeCaller guest(names);
    for (const Function& f : kFunctions)
        for (const Rounding& rounding : kRoundings)
            for (std::size_t i = 0; i < reals().size(); ++i) {
                const double x = reals()[i], y = reals()[(7 * i + 3) % reals().size()];
                check(guest, f.name,
                      {std::bit_cast<std::uint64_t>(x), std::bit_cast<std::uint64_t>(y)},
                      rounding.guest,
                      on_host<double>(rounding.host, [&] { return f.function(x, y); }));
                if (testing::Test::HasFatalFailure()) return;
            }
}

TEST(HostLeafs, LongDoublesAndIntegersAsTheHost) {
    struct Function {
        const char* name;
        long double (*function)(long double);
    };
    static const Function kFunctions[] = {{"sinl", ::sinl},
                                          {"expl", ::expl},
                                          {"logl", ::logl},
                                          {"sqrtl", ::sqrtl},
                                          {"floorl", ::floorl}};
    BridgeCaller guest({"sinl", "expl", "logl", "sqrtl", "floorl", "lrint", "ldexp", "ilogb",
                        "__isinf", "isalpha", "toascii", "abs", "labs", "ldexpl"});
    for (const Function& f : kFunctions)
        for (const Rounding& rounding : kRoundings)
            for (const double x : reals()) {
                const auto wide = static_cast<long double>(x);
                std::uint64_t words[2] = {};
                std::memcpy(words, &wide, 10);
                check(guest, f.name, {words[0], words[1] | 0xabcd0000}, rounding.guest,
                      on_host<long double>(rounding.host, [&] { return f.function(wide); }), true);
                if (testing::Test::HasFatalFailure()) return;
            }
    const auto word = [](double x) { return std::bit_cast<std::uint64_t>(x); };
    const auto plain = [&](const char* name, const std::vector<std::uint64_t>& words) {
        set_rounding(guest.state(), 0);
        const auto a = guest.call(name, words, Tier::Interpreted).low;
        const auto b = guest.call(name, words, Tier::Translated).low;
        EXPECT_EQ(a, b) << name;
        return static_cast<std::int64_t>(b);
    };
    EXPECT_EQ(plain("lrint", {word(2.5)}), 2);
    EXPECT_EQ(plain("ldexp", {word(1.5), 0xffffffff00000004}), static_cast<std::int64_t>(word(24)));
    EXPECT_EQ(plain("ilogb", {word(0)}), -2147483647);
    EXPECT_EQ(plain("ilogb", {word(NAN)}), 2147483647);
    EXPECT_EQ(plain("__isinf", {word(-HUGE_VAL)}), -1);
    EXPECT_NE(plain("isalpha", {0x1200000000ull | 'q'}), 0);
    EXPECT_EQ(plain("isalpha", {0xe4}), 0);
    EXPECT_EQ(plain("abs", {0x80000001}), 0x7fffffff);
    EXPECT_EQ(plain("labs", {~0ull}), 1);
    const long double one = 1;
    std::uint64_t words[2] = {};
    std::memcpy(words, &one, 10);
    EXPECT_EQ(plain("ldexpl", {words[0], words[1], 3}), static_cast<std::int64_t>(words[0]));
}

/// Outside of the bridge's own code the operation stays what it is for user programs.
TEST(HostLeafs, OnlyTheBridgeMayAskForThem) {
    const auto bundle_at = [](std::uint64_t address) {
        BridgeCaller guest({"floor"});
        std::vector<std::uint8_t> code(256);
        EXPECT_TRUE(
            guest.process().memory().read(guest.address("floor"), code.data(), code.size()));
        if (address == 0) return guest.call("floor", {0}, Tier::Translated).returned;
        auto& memory = guest.process().memory();
        EXPECT_TRUE(memory.map(address, 4096,
                               guest::kProtRead | guest::kProtWrite | guest::kProtExec,
                               guest::AddressSpace::Place::Fixed, false, -1, 0, "code"));
        EXPECT_TRUE(memory.write(address, code.data(), code.size()));
        return guest.call_at(address, {0}, Tier::Translated).returned;
    };
    EXPECT_TRUE(bundle_at(0));
    EXPECT_FALSE(bundle_at(0x5'0000'0000));
}

}  // namespace
}  // namespace e2k::test
