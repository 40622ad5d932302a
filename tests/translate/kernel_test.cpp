// Kernels (engine/translate/kernel/facts.h): which loops are recognised, what their counters say
// after some passes, and that their code leaves the state and the memory of the interpreter,
// however it is left.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "engine/cpu/interpreter.h"
#include "engine/translate/emitters.h"
#include "engine/translate/kernel/counts.h"
#include "engine/translate/kernel/recognise.h"
#include "engine/translate/kernel/state.h"
#include "engine/translate/translator.h"
#include "tests/translate/assembled_machine.h"

namespace e2k::translate {
namespace {

using cpu::CpuState;
using cpu::LoopState;
using cpu::StopKind;
using test::kData;
using test::Machine;

/// y[i] += a * x[i], two elements a pass, pipelined over some passes; `closing` is the transfer,
/// `extra` one more line of the first bundle. At the end it reads where nothing is mapped.
std::string daxpy(std::uint64_t lsr, std::string_view extra = "",
                  std::string_view closing = "%NOT_LOOP_END") {
    return fmt::format(R"(
        .text
        .globl _start
_start: {{ setwd wsz = 0x18, nfx = 1, dbl = 0
          setbn rbs = 8, rsz = 9, rcur = 0
          setbp psz = 1
          disp %ctpr1, again }}
        {{ rwd,0 0x{:x}, %lsr }}
again:  {{ loop_mode
          staad,2 %db[0], %aad2 [ %aasti1 ]
          fmul_addd,3,sm %dr4, %db[16], %db[14], %db[8]
          {}
          movad,0 area = 0, ind = 0, am = 0, be = 0, %db[10]
          movad,2 area = 0, ind = 0, am = 0, be = 0, %db[6] }}
        {{ loop_mode
          staad,2 %db[9], %aad2 [ %aasti1 + 8 ]
          incr,2 %aaincr1
          fmul_addd,4,sm %dr4, %db[17], %db[15], %db[1]
          movad,0 area = 0, ind = 8, am = 1, be = 0, %db[11]
          movad,2 area = 0, ind = 8, am = 1, be = 0, %db[7]
          alc alcf = 1, alct = 1
          abn abnf = 1, abnt = 1
          ct %ctpr1 ? {} }}
        {{ ldd,0 0, 0x{:x}, %dr3 }}
)",
                       lsr, extra, closing, test::kUnmapped);
}

constexpr std::uint64_t lsr_of(std::uint64_t count, std::uint64_t epilogue, std::uint64_t prologue,
                               std::uint64_t stores) {
    return count | epilogue << 32 | 1ull << 37 | prologue << 48 | stores << 53;
}

void set_up(Machine& m) {
    for (unsigned k = 0; k < test::kPage / 8; ++k) {
        const double value = 0.5 * k + 1;
        std::memcpy(m.guest.view.base + kData + 8 * k, &value, sizeof value);
    }
    const double factor = 1.25;
    std::memcpy(&m.state.window[4].lo, &factor, sizeof factor);
    cpu::AauState& aau = m.state.aau;
    aau.aaincr[1] = 2;
    aau.aad_base[0] = kData;
    aau.aad_base[1] = kData + 0x400;
    aau.aad_base[2] = kData + 0x400;
    aau.area[0] = {0, 0, 4, 0, 1, 0};
    aau.area[32] = {0, 0x10, 4, 1, 1, 0};
    aau.active = 1;
}

void expect_same(const Machine& x, const Machine& y) {
    test::expect_same_state(x.state, y.state);
    const CpuState &a = x.state, &b = y.state;
    EXPECT_EQ(a.lsr.lsr_image(), b.lsr.lsr_image());
    EXPECT_EQ(a.lsr.lcnt, b.lsr.lcnt);
    EXPECT_EQ(Config::of(a).br, Config::of(b).br);
    EXPECT_EQ(a.aau.aasti, b.aau.aasti);
    EXPECT_EQ(a.window_tags[20], b.window_tags[20]);
    for (unsigned n = 0; n < a.aau.area.size(); ++n)
        EXPECT_EQ(a.aau.area[n].cur, b.aau.area[n].cur) << n;
    EXPECT_EQ(std::memcmp(x.guest.view.base + kData, y.guest.view.base + kData, test::kPage), 0);
}

/// Runs the program both ways; the number of entries of kernels.
std::uint64_t compare(const std::string& text, const std::function<void(Machine&)>& change = {}) {
    Machine a(text), b(text);
    EXPECT_EQ(a.error, "");
    if (!a.error.empty()) return 0;
    for (Machine* m : {&a, &b}) {
        set_up(*m);
        if (change) change(*m);
    }
    TranslatorOptions options;
    options.code_cache_bytes = 4u << 20;
    options.statistics = true;
    Translator translator(a.guest.view, options);
    const std::uint64_t before = kernel_counts().entered;
    cpu::Interpreter fallback(a.guest.view), reference(b.guest.view);
    cpu::Stop stop = translator.run(a.state, fallback);
    while (stop.kind == StopKind::Budget) {  // a little further each time
        reference.run(b.state, a.state.bundles - b.state.bundles);
        expect_same(a, b);
        a.state.run_until = a.state.bundles + 100'000;
        stop = translator.run(a.state, fallback);
    }
    EXPECT_EQ(stop.kind, StopKind::Trapped) << stop.trap.detail;
    const cpu::Stop expected = reference.run(b.state, ~0ull);
    EXPECT_EQ(expected.kind, StopKind::Trapped);
    EXPECT_EQ(stop.trap.detail, expected.trap.detail);
    expect_same(a, b);
    return kernel_counts().entered - before;
}

TEST(Kernel, RunsASoftwarePipelinedLoop) {
    EXPECT_EQ(compare(daxpy(lsr_of(30, 0, 0, 2))), 1u);
    EXPECT_EQ(compare(daxpy(lsr_of(40, 5, 0, 2))), 1u);
    EXPECT_EQ(compare(daxpy(lsr_of(3, 0, 0, 7))), 1u);
}

TEST(Kernel, StoresNothingInThePrologue) {
    EXPECT_EQ(compare(daxpy(lsr_of(30, 4, 4, 2))), 1u);
    EXPECT_EQ(compare(daxpy(lsr_of(30, 4, 4, 2), "addd,5 %dr6, 1, %dr6 ? %pcnt1")), 1u);
    EXPECT_EQ(compare(daxpy(lsr_of(30, 4, 4, 2), "", "%pred3 && %NOT_LOOP_END")), 1u);
    EXPECT_EQ(compare(daxpy(lsr_of(2, 1, 9, 2))), 1u) << "it is all there is";
}

/// A loop that has been entered with one prologue and is entered with another.
TEST(Kernel, WantsItsPrologue) {
    std::string text = daxpy(lsr_of(30, 0, 3, 2));
    text.insert(text.rfind("        { ldd"), fmt::format(R"(
        {{ addd,0 %dr7, 1, %dr7
          cmpbdb,3 %dr7, 3, %pred5 }}
        {{ rwd,0 0x{:x}, %lsr
          ibranch again ? %pred5 }}
)",
                                                         lsr_of(20, 2, 1, 2)));
    EXPECT_EQ(compare(text), 4u);
}

TEST(Kernel, KnowsTheStagesOfAPass) {
    EXPECT_EQ(compare(daxpy(lsr_of(20, 0, 0, 2), "addd,5 %dr6, 1, %dr6 ? %pcnt3")), 1u);
    EXPECT_EQ(compare(daxpy(lsr_of(20, 0, 0, 2), "addd,5 %dr6, 1, %dr6 ? ~%pcnt3")), 1u);
}

TEST(Kernel, IsLeftByAPredicate) {
    EXPECT_EQ(
        compare(daxpy(lsr_of(30, 0, 0, 2), "cmpbdb,4 %dr6, 0x8, %pred3", "%pred3 && %NOT_LOOP_END"),
                [](Machine& m) { m.state.pred[3] = 1; }),
        1u);
    EXPECT_EQ(
        compare(daxpy(lsr_of(30, 0, 0, 2), "addd,5 %dr6, 1, %dr6", "~%pred3 && %NOT_LOOP_END")),
        1u);
    EXPECT_EQ(compare(daxpy(lsr_of(30, 0, 0, 2), "cmpbdb,4 %db[4], 0x8, %pred0",
                            "~%pred1 && %NOT_LOOP_END")),
              1u);
}

/// A loop that its counters do not end: a predicate does, after so many passes.
std::string endless(unsigned passes, std::uint64_t lsr) {
    return fmt::format(R"(
        .text
        .globl _start
_start: {{ setwd wsz = 0x18, nfx = 1, dbl = 0
          setbn rbs = 8, rsz = 3, rcur = 0
          setbp psz = 1
          disp %ctpr1, again }}
        {{ rwd,0 0x{:x}, %lsr }}
again:  {{ loop_mode
          addd,0 %dr6, 1, %dr6
          addd,1 %db[2], %dr6, %db[0] ? %pcnt1
          cmpbdb,3 %dr6, 0x{:x}, %pred0
          alc alcf = 1, alct = 1
          abn abnf = 1, abnt = 1
          abp abpf = 1, abpt = 1
          ct %ctpr1 ? %pred1 && %NOT_LOOP_END }}
        {{ ldd,0 0, 0x{:x}, %dr3 }}
)",
                       lsr, passes, test::kUnmapped);
}

TEST(Kernel, MayHaveNoEnd) {
    const auto begin = [](Machine& m) { m.state.pred[0] = m.state.pred[1] = 1; };
    constexpr std::uint64_t kPrologue = 3ull << 48;
    EXPECT_EQ(compare(endless(40, 0), begin), 1u);
    EXPECT_EQ(compare(endless(40, kPrologue), begin), 1u);
    EXPECT_EQ(compare(endless(40, kPrologue | 7 | 2ull << 32), begin), 1u);
    EXPECT_GE(compare(endless(2'500'000, kPrologue), begin), 3u);
}

/// The end of the loop lets fewer stores through than a pass has.
TEST(Kernel, WantsAllStoresOfTheLastPass) { EXPECT_EQ(compare(daxpy(lsr_of(20, 0, 0, 1))), 0u); }

TEST(Kernel, IsLeftWhereAnElementCannotBeRead) {
    for (unsigned distance = 0; distance < 64; distance += 8)
        EXPECT_GE(compare(daxpy(lsr_of(30, 0, 0, 2)),
                          [&](Machine& m) {
                              m.state.aau.aad_base[0] = kData + 2 * test::kPage - 64 - distance;
                          }),
                  1u);
}

TEST(Kernel, WantsToWriteAllThatItMayStore) {
    EXPECT_EQ(compare(daxpy(lsr_of(30, 0, 0, 2)),
                      [](Machine& m) { m.state.aau.aad_base[2] = kData + test::kPage - 64; }),
              0u);
}

TEST(Kernel, WantsTheArrayUnitAsItWas) {
    EXPECT_EQ(compare(daxpy(lsr_of(30, 0, 0, 2)), [](Machine& m) { m.state.aau.active = 0; }), 0u);
    EXPECT_EQ(compare(daxpy(lsr_of(30, 0, 0, 2)), [](Machine& m) { m.state.aau.area[0].fmt = 2; }),
              0u);
    // Backwards, and across the end of the index before version 5.
    const auto backwards = [](Machine& m) {
        m.state.aau.aaincr[1] = ~std::uint64_t{1};
        for (auto& base : m.state.aau.aad_base) base += 0x200;
    };
    EXPECT_EQ(compare(daxpy(lsr_of(30, 0, 0, 2)), backwards), 1u);
    EXPECT_EQ(compare(daxpy(lsr_of(30, 0, 0, 2)),
                      [&](Machine& m) {
                          backwards(m);
                          m.state.aau.aaincr[1] &= 0xffff'ffff;
                          m.state.iset = 4;
                      }),
              0u);
}

TEST(Kernel, StopsForABudget) {
    const auto endless = [](Machine& m) {
        m.state.aau.aaincr[1] = 0;
        m.state.run_until = 70'000;
    };
    EXPECT_GE(compare(daxpy(lsr_of(200'000, 0, 0, 2)), endless), 2u);
}

TEST(Kernel, RunsWhileTagsAreVisible) {
    const auto run = [](unsigned tagged) {
        return compare(daxpy(lsr_of(30, 0, 0, 2)), [&](Machine& m) {
            m.state.exact_tags = 1;
            m.state.uncover_tags = 0;
            m.state.window_tags[tagged] = 5;
        });
    };
    EXPECT_EQ(run(5), 1u);
    // Of the ring: looked at by some pass, or overwritten before.
    for (unsigned tagged = 16; tagged < 32; ++tagged) run(tagged);
}

/// An emitter that drops its second operand shows in the result.
TEST(Kernel, AWrongEmitterShows) {
    constexpr Emitter kWrong{"addd", [](OpContext& c) {
                                 const auto d = c.v.def();
                                 c.a.mov(d, c.v.use(c.op.a, 64));
                                 c.v.set_result(d);
                             }};
    const std::string text = daxpy(lsr_of(20, 0, 0, 2), "addd,5 %dr6, 1, %dr6");
    Machine m(text);
    ASSERT_EQ(m.error, "");
    set_up(m);
    replace_emitter_for_test("addd", &kWrong);
    Translator translator(m.guest.view, {.code_cache_bytes = 4u << 20});
    cpu::Interpreter fallback(m.guest.view);
    translator.run(m.state, fallback);
    replace_emitter_for_test("addd", nullptr);
    EXPECT_EQ(m.state.window[6].lo, 0u);
}

// --- counters ---

/// The counters and an index of loads and one of stores.
struct Counted {
    LoopState lsr;
    std::uint64_t loads = 0x100, stores = 0x200;

    /// One pass of the loop (loops.md §2, §3, §5) with `count` stores.
    void advance(unsigned count) {
        if (lsr.loop_end() && lsr.pcnt == 0)
            lsr.strmd = static_cast<std::uint8_t>(lsr.strmd - count);
        loads += 16;
        if (lsr.pcnt == 0) stores += 8;
        if (lsr.pcnt != 0) --lsr.pcnt;
        if (lsr.lcnt != 0) --lsr.lcnt;
        lsr.over = lsr.lcnt == 0;
        if (lsr.vlc && lsr.lcnt == 0 && lsr.ecnt != 0) --lsr.ecnt;
    }
};

/// Of a pass of one bundle with two stores.
void set_facts(KernelFacts& facts, unsigned stores) {
    facts.stores = {0, stores};
    facts.bundles = 1;
    facts.iset = 5;
    facts.indices = {{false, 3, 16, {0, 16}, 0}, {true, 4, 8, {0, 8}, 0}};
}

/// From `begin`, after so many passes.
void expect_after(const KernelFacts& facts, const Counted& begin, std::uint64_t done,
                  const Counted& now, bool same) {
    CpuState state;
    state.lsr = begin.lsr;
    state.aau.area[3].cur = begin.loads;
    state.aau.aasti[4] = begin.stores;
    end_kernel(&state, &facts, passes_left(begin.lsr) - done, 0);
    const bool equal = state.lsr.lcnt == now.lsr.lcnt &&
                       state.lsr.lsr_image() == now.lsr.lsr_image() &&
                       state.aau.area[3].cur == now.loads && state.aau.aasti[4] == now.stores;
    EXPECT_EQ(equal, same) << begin.lsr.lcnt << " " << int{begin.lsr.ecnt} << " "
                           << int{begin.lsr.pcnt} << " after " << done;
}

TEST(KernelState, CountsPasses) {
    KernelFacts facts;
    set_facts(facts, 2);
    for (unsigned count = 0; count < 6; ++count)
        for (unsigned epilogue = 0; epilogue < 5; ++epilogue)
            for (unsigned prologue = 0; prologue < 5; ++prologue) {
                facts.prologue = prologue;
                Counted now;
                now.lsr.lcnt = count;
                now.lsr.ecnt = static_cast<std::uint8_t>(epilogue);
                now.lsr.pcnt = static_cast<std::uint8_t>(prologue);
                now.lsr.vlc = 1;
                now.lsr.strmd = 3;
                const Counted begin = now;
                const std::uint64_t passes = passes_left(now.lsr);
                for (std::uint64_t done = 0; done <= passes; ++done) {
                    expect_after(facts, begin, done, now, true);
                    if (done < passes) {
                        EXPECT_EQ(now.lsr.loop_end(), done + 1 == passes);
                    }
                    now.advance(2);
                }
            }
}

/// What the code says wrongly of a kernel is seen: stores of a pass that are not counted.
TEST(KernelState, AMissedStoreShows) {
    KernelFacts facts;
    set_facts(facts, 1);
    Counted now;
    now.lsr.lcnt = 1;
    now.lsr.vlc = 1;
    now.lsr.strmd = 3;
    const Counted begin = now;
    now.advance(2);
    expect_after(facts, begin, 1, now, false);
}

// --- recognition ---

std::optional<KernelShape> shape_of(const std::string& text) {
    Machine m(text);
    EXPECT_EQ(m.error, "");
    cpu::Interpreter interpreter(m.guest.view);
    interpreter.run(m.state, 2);
    const std::function<bool(std::uint64_t)> none = [](std::uint64_t) { return false; };
    return find_kernel({m.guest.view, m.state.iset, m.state.ip, Config::of(m.state), none});
}

TEST(KernelShape, HasACopyForEachPositionOfTheRing) {
    const auto shape = shape_of(daxpy(lsr_of(20, 0, 0, 2)));
    ASSERT_TRUE(shape);
    EXPECT_EQ(shape->body.size(), 2u);
    EXPECT_EQ(shape->period, 10u);
}

TEST(KernelShape, AsksNothingButItsCounter) {
    constexpr std::uint64_t kState = lsr_of(20, 0, 0, 2);
    EXPECT_TRUE(shape_of(daxpy(kState, "addd,5 %dr6, 1, %dr6 ? %pcnt2")));
    EXPECT_FALSE(shape_of(daxpy(kState, "merged,5 %dr6, 1, %dr6, %pcnt2")));
    EXPECT_FALSE(shape_of(daxpy(kState, "disp %ctpr2, again")));
    EXPECT_FALSE(shape_of(daxpy(kState, "rrd,0 %lsr, %dr6")));
    EXPECT_FALSE(shape_of(daxpy(kState, "", "%LOOP_END")));
}

}  // namespace
}  // namespace e2k::translate
