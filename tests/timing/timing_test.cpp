// The cycle model on small pieces of code, and the data files it reads.
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "engine/isa/assembler/program.h"
#include "engine/timing/data_file.h"
#include "engine/timing/model.h"
#include "engine/timing/timeline.h"

namespace e2k::timing {
namespace {

constexpr std::uint64_t kData = 0x40000;

/// Bundles given to the model one after another, as an interpreter would.
class Timing : public testing::Test {
protected:
    Timing() : model(*find_processor("e8c"), library_costs()) {
        EXPECT_TRUE(stacks.reserve(4096, 64));
        stacks.attach(state);
        state.wd.size = 64;
        state.iset = 4;
        state.window[10].lo = kData;
    }

    std::vector<isa::Bundle> assemble(const std::string& source) {
        const auto program =
            isa::assemble_program("  .text\n  .ignore strict_delay\n_start:\n" + source);
        if (!program) {
            ADD_FAILURE() << program.error().front().message;
            return {};
        }
        std::vector<isa::Bundle> bundles;
        const auto& text = program->sections.front();
        for (std::uint64_t at = 0; at < text.bytes.size();) {
            auto bundle = isa::decode(std::span(text.bytes).subspan(at), text.address + at, 4);
            if (!bundle) break;
            at += bundle->length;
            const bool padding = !bundle->als_mask && !bundle->ss.present && !bundle->cs0.present;
            if (!padding) bundles.push_back(*bundle);
        }
        return bundles;
    }

    void execute(const isa::Bundle& bundle) {
        state.ip = bundle.address;
        model.before(model.learn(bundle, state.iset), state);
    }

    /// Cycles until the last bundle has issued.
    std::uint64_t cycles(const std::string& source) {
        for (const isa::Bundle& b : assemble(source)) execute(b);
        return model.cycles();
    }
    std::uint64_t spent(Reason reason) {
        return model.totals().by_reason[static_cast<std::size_t>(reason)];
    }

    cpu::HardwareStacks stacks;
    cpu::CpuState state;
    CycleModel model;
};

TEST_F(Timing, BundlesWithoutDependencesTakeACycleEach) {
    EXPECT_EQ(cycles("{ addd,0 %dr1, 1, %dr2\n addd,3 %dr1, 1, %dr3 }\n{ addd,0 %dr4, 1, %dr5 }\n"),
              2u);
    EXPECT_EQ(model.totals().useful, 3u);
}

TEST_F(Timing, NopsAreEmptyCycles) {
    EXPECT_EQ(cycles("{ nop 4\n addd,0 %dr1, 1, %dr2 }\n{ addd,0 %dr2, 1, %dr5 }\n"), 6u);
    EXPECT_EQ(spent(Reason::Pause), 4u);
    EXPECT_EQ(spent(Reason::Operand), 0u);
}

TEST_F(Timing, AResultIsWaitedForAndTheOperandNamed) {
    const auto code = assemble("{ muld,0 %dr1, %dr1, %dr2 }\n{ addd,0 %dr2, 1, %dr5 }\n");
    ASSERT_EQ(code.size(), 2u);
    for (const isa::Bundle& b : code) execute(b);
    EXPECT_GE(spent(Reason::Operand), 3u);
    EXPECT_EQ(model.bundles().back().last_wait.text(), "%r2");
    EXPECT_EQ(spent(Reason::Issue), 2u);
    EXPECT_EQ(model.cycles(), spent(Reason::Operand) + 2);
}

TEST_F(Timing, CrossingClustersCostsACycle) {
    EXPECT_EQ(cycles("{ addd,0 %dr1, 1, %dr2 }\n{ addd,0 %dr2, 1, %dr3 }\n"), 2u);
    EXPECT_EQ(cycles("{ addd,0 %dr1, 1, %dr2 }\n{ addd,3 %dr2, 1, %dr3 }\n"), 5u);
}

TEST_F(Timing, ALoadCostsWhatItsCacheDoes) {
    const auto code = assemble("{ ldd,0 %dr10, 0, %dr2 }\n{ addd,0 %dr2, 1, %dr5 }\n");
    for (const isa::Bundle& b : code) execute(b);
    const std::uint64_t first = model.cycles();
    EXPECT_EQ(first, 2u + model.processor().memory.latency - 1);
    EXPECT_EQ(spent(Reason::Miss), model.processor().memory.latency - 1u);
    for (const isa::Bundle& b : code) execute(b);
    EXPECT_EQ(model.cycles() - first, 2u + 3 - 1);
    EXPECT_EQ(spent(Reason::Load), 2u);
}

TEST_F(Timing, AFalseGuardLeavesItsDestinationAsReadyAsItWas) {
    state.pred[0] = 0;
    EXPECT_EQ(cycles("{ muld,0 %dr1, %dr1, %dr2 ? %pred0 }\n{ addd,0 %dr2, 1, %dr5 }\n"), 2u);
    EXPECT_EQ(model.totals().annulled[0], 1u);
    EXPECT_EQ(model.totals().useful, 1u);
}

TEST_F(Timing, APredicateReachesGuardsLaterThanLogic) {
    EXPECT_EQ(cycles("{ cmpedb,0 %dr1, %dr3, %pred0 }\n{ addd,0 %dr4, 1, %dr5 ? %pred0 }\n"), 3u);
    EXPECT_EQ(spent(Reason::Predicate), 1u);
}

TEST_F(Timing, ATransferWaitsForItsRegister) {
    EXPECT_EQ(cycles("{ disp %ctpr1, _start }\n{ ct %ctpr1 }\n"), 6u);
    EXPECT_EQ(spent(Reason::Prepare), 4u);
}

TEST_F(Timing, CyclesOfAllReasonsAreAllCycles) {
    cycles(
        "{ nop 2\n ldd,0 %dr10, 0, %dr2 }\n{ fdivd,5 %dr2, %dr2, %dr3 }\n"
        "{ faddd,0 %dr3, %dr3, %dr4 }\n{ std,2 %dr10, 0, %dr4 }\n");
    std::uint64_t sum = 0;
    for (const std::uint64_t c : model.totals().by_reason) sum += c;
    EXPECT_EQ(sum, model.cycles());
    std::uint64_t of_bundles = 0;
    for (const TimedBundle& b : model.bundles()) of_bundles += b.total_cycles();
    EXPECT_EQ(of_bundles, model.cycles());
}

TEST_F(Timing, ATimelineHoldsWhatTheModelSays) {
    TimelineRecorder recorder(100'000);
    model.set_sink(&recorder);
    const auto code =
        assemble("{ ldd,0 %dr10, 0, %dr2 }\n{ addd,0 %dr2, 1, %dr5\n addd,3 %dr1, 1, %dr6 }\n");
    for (int i = 0; i < 5000; ++i)
        for (const isa::Bundle& b : code) execute(b);
    const auto timeline = recorder.picture(model);
    ASSERT_EQ(timeline->size(), 10'000u);
    std::uint64_t waits = 0;
    for (std::size_t i = 0; i < timeline->size(); ++i) waits += (*timeline)[i].wait;
    EXPECT_EQ(waits, model.cycles() - 10'000);
    EXPECT_EQ(timeline->at_cycle((*timeline)[7777].cycle), 7777u);
    EXPECT_EQ((*timeline)[1].waited.text(), "%r2");
    EXPECT_EQ(timeline->bundle(1).operations.size(), 2u);

    const auto place = [](std::uint64_t) { return std::string("f\"oo"); };
    const std::string log = konata_log(*timeline, place);
    EXPECT_EQ(log.substr(0, 12), "Kanata\t0004\n");
    std::size_t begun = 0, retired = 0;
    for (std::size_t at = 0; at < log.size(); at = log.find('\n', at) + 1) {
        begun += log.compare(at, 2, "I\t") == 0;
        retired += log.compare(at, 2, "R\t") == 0;
    }
    EXPECT_EQ(begun, 15'000u);
    EXPECT_EQ(retired, 15'000u);
    EXPECT_TRUE(nlohmann::json::accept(chrome_trace(*timeline, place)));
}

TEST(Processors, AllDataFilesParse) {
    std::size_t files = 0;
    for (std::size_t i = 0; i < kBuiltInFileCount; ++i) {
        const BuiltInFile& file = kBuiltInFiles[i];
        if (!std::string_view(file.name).ends_with(".cpu")) {
            EXPECT_TRUE(parse_library_costs(file.text, file.name)) << file.name;
            continue;
        }
        ++files;
        const auto processor = parse_processor(file.text, file.name);
        EXPECT_TRUE(processor) << processor.error();
    }
    EXPECT_EQ(processors().size(), files);
    EXPECT_EQ(files, 7u);
    for (int version = 2; version <= 6; ++version)
        EXPECT_EQ(usual_processor(version).version, version);
}

TEST(Processors, ErrorsNameLineAndWhatIsKnown) {
    const auto error = [](std::string_view text) {
        const auto parsed = parse_processor(text, "x.cpu");
        return parsed ? std::string() : parsed.error();
    };
    EXPECT_NE(error("name x\nfrequency 3\n").find("x.cpu:2: unknown keyword \"frequency\""),
              std::string::npos);
    EXPECT_NE(error("\n\nlatency flaot 3\n").find("x.cpu:3: \"flaot\" is no class"),
              std::string::npos);
    EXPECT_NE(error("latency float 0").find("from 1 to 255"), std::string::npos);
    EXPECT_NE(error("latency float 4 integre 1").find("none of cross, integer"), std::string::npos);
    EXPECT_NE(error("cache L1 size 60K line 32 ways 4").find("power of two"), std::string::npos);
    EXPECT_NE(error("cache L2 size 64K").find("instead of L1"), std::string::npos);
    EXPECT_NE(error("name x").find("no line \"mhz\""), std::string::npos);
    EXPECT_NE(find_processor("i486").error().find("e2c+, "), std::string::npos);
}

TEST(LibraryCosts, ClassesAndFunctions) {
    const auto costs = parse_library_costs("class slow 9\nclass any 1\nslow sin cos\nany *\n", "x");
    ASSERT_TRUE(costs);
    EXPECT_EQ(costs->find("cos")->cycles, 9u);
    EXPECT_EQ(costs->find("strlen"), nullptr);
    EXPECT_EQ(costs->classes[costs->others].name, "any");
    EXPECT_FALSE(parse_library_costs("class a 1\na f f *\n", "x"));
    EXPECT_FALSE(parse_library_costs("b f\n", "x"));
    EXPECT_FALSE(parse_library_costs("class a 1\n", "x"));
}

}  // namespace
}  // namespace e2k::timing
