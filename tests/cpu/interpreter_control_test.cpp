// Control: transfers, system calls, stops, locks, advanced loads, breakpoints, the bundle cache.
#include <deque>

#include "tests/cpu/interpreter_fixture.h"

namespace e2k::cpu::test {
namespace {

constexpr unsigned kAlways = 1, kMlock = 8, kNotLoopEnd = 5;

class Control : public InterpreterTest {
protected:
    /// disp %ctprN to `target` (CS0).
    static std::uint32_t disp(unsigned ctpr, std::uint64_t from, std::uint64_t target) {
        const auto units = static_cast<std::int64_t>(target - from) / 8;
        return ctpr << 30 | (static_cast<std::uint32_t>(units) & 0x0fff'ffff);
    }
    static std::uint32_t sdisp(unsigned ctpr, unsigned entry) {
        return ctpr << 30 | 2u << 28 | entry;
    }
    static constexpr std::uint32_t kReturn = 0xf000'0000;
    static std::uint32_t call(unsigned wbs) { return 5u << 28 | wbs; }
};

TEST_F(Control, CallMovesTheWindowAndReturnRestoresIt) {
    emit(Syllables{}.control0(disp(1, kCode, kCode + 0x100)));
    const std::uint64_t at = emit(Syllables{}.stubs(transfer(kAlways, 0, 1)).control1(call(4)));
    for (int i = 0; i < 2; ++i) step_ok();
    EXPECT_EQ(state.ip, kCode + 0x100);
    EXPECT_EQ(state.window_index(), 8u);
    EXPECT_EQ(state.wd.size, 24u);
    EXPECT_EQ(state.wd.psize, 24u);
    EXPECT_EQ(state.ctpr[0].tag, CtprTag::Empty);

    // Callee: result into %r0, return.
    const auto callee =
        Syllables{}.alc(0, als(kAddd, lit(0), lit(9), r(0))).control0(kReturn).words();
    std::memcpy(memory.base + kCode + 0x100, callee.data(), callee.size() * 4);
    const auto leave = Syllables{}.stubs(transfer(kAlways, 0, 3)).words();
    std::memcpy(memory.base + kCode + 0x100 + callee.size() * 4, leave.data(), leave.size() * 4);
    state.pred[4] = kPredValue;
    state.br.rcur = 2;
    for (int i = 0; i < 2; ++i) step_ok();
    EXPECT_EQ(state.ip, at + 16);
    EXPECT_EQ(state.window_index(), 0u);
    EXPECT_EQ(state.wd.size, 32u);
    EXPECT_EQ(state.wd.psize, 8u);
    EXPECT_EQ(state.pred[4], 0);
    EXPECT_EQ(state.br.rcur, 0);
    EXPECT_EQ(reg(8).lo, 9u);
}

TEST_F(Control, CallBeyondTheWindowTraps) {
    emit(Syllables{}.control0(disp(1, kCode, kCode + 0x100)));
    emit(Syllables{}.stubs(transfer(kAlways, 0, 1)).control1(call(17)));
    step_ok();
    expect_trap(TrapCode::IllegalOperand);
}

TEST_F(Control, EndlessRecursionTrapsWhenTheChainStackIsFull) {
    emit(Syllables{}.control0(disp(1, kCode, kCode)));
    emit(Syllables{}.stubs(transfer(kAlways, 0, 1)).control1(call(0)));
    const Stop stop = interpreter->run(state, 1000);
    ASSERT_EQ(stop.kind, StopKind::Trapped);
    EXPECT_EQ(stop.trap.code, TrapCode::ChainStackBounds);
    EXPECT_EQ(state.depth(), 64u);
}

TEST_F(Control, TransferThroughAnEmptyRegisterTraps) {
    emit(Syllables{}.stubs(transfer(kAlways, 0, 2)));
    expect_trap(TrapCode::IllegalInstrAddr);
}

TEST_F(Control, TransferToAMisalignedAddressTraps) {
    emit(Syllables{}.alc(0, als(kMovtd, lit(0), r(1), 0xd1)));
    emit(Syllables{}.stubs(transfer(kAlways, 0, 1)));
    reg(1).lo = kCode + 4;
    step_ok();
    expect_trap(TrapCode::IllegalInstrAddr);
}

TEST_F(Control, SystemCallStopsWithEntryWindowAndReturnAddress) {
    emit(Syllables{}.control0(sdisp(1, 3)));
    const std::uint64_t at = emit(Syllables{}.stubs(transfer(kAlways, 0, 1)).control1(call(4)));
    step_ok();
    const Stop stop = step();
    EXPECT_EQ(stop.kind, StopKind::SystemCall);
    EXPECT_EQ(stop.syscall_entry, 3u);
    EXPECT_EQ(stop.syscall_wbs, 4u);
    EXPECT_EQ(state.ip, at + 16);
    EXPECT_EQ(state.window_index(), 0u);
    EXPECT_EQ(state.ctpr[0].tag, CtprTag::Empty);
}

TEST_F(Control, ReturnToASentinelFrameStops) {
    push_call(state, 0, kSentinelReturn);
    emit(Syllables{}.control0(kReturn));
    emit(Syllables{}.stubs(transfer(kAlways, 0, 3)));
    step_ok();
    EXPECT_EQ(step().kind, StopKind::SignalReturn);
}

TEST_F(Control, LoopCountersAdvanceAfterTheDecision) {
    // { adds %r3, 1 -> %r3 ; alc ; ct %ctpr1 ? #NOT_LOOP_END }, lcnt = 3: three rounds.
    emit(Syllables{}.control0(disp(1, kCode, kCode + 8)));
    const std::uint64_t loop = emit(Syllables{}
                                        .alc(0, als(kAdds, r(3), lit(1), r(3)))
                                        .stubs(3u << 16 | transfer(kNotLoopEnd, 0, 1)));
    ASSERT_EQ(loop, kCode + 8);
    state.lsr.vlc = 1;
    state.lsr.lcnt = 3;
    for (int i = 0; i < 4; ++i) step_ok();
    EXPECT_EQ(reg(3).lo, 3u);
    EXPECT_EQ(state.ip, loop + 16);
    EXPECT_EQ(state.lsr.over, 1);
}

TEST_F(Control, ConditionalStoreSucceedsWhileTheLockHolds) {
    emit(Syllables{}.alc(0, als(kLdd, r(1), lit(0), r(2))).control1(mas(7, 0, 0, 0)));
    emit(Syllables{}
             .alc(2, als(kStd, r(1), lit(0), r(3)))
             .control1(mas(0, 2, 0, 0))
             .control0(0x100)
             .stubs(transfer(kMlock)));
    reg(1).lo = kData;
    reg(3).lo = 99;
    poke<std::uint64_t>(kData, 5);
    step_ok();
    step_ok();
    EXPECT_EQ(load<std::uint64_t>(kData), 99u);
    EXPECT_LT(state.ip, kCode + 0x100);

    // Changed in between: nothing is stored and the branch is taken.
    state.ip = kCode;
    step_ok();
    poke<std::uint64_t>(kData, 6);
    step_ok();
    EXPECT_EQ(load<std::uint64_t>(kData), 6u);
    EXPECT_GT(state.ip, kCode + 0x100);
    EXPECT_EQ(state.lock.valid, 0);
}

TEST_F(Control, CheckLoadBranchesOnlyWhenTheValueChanged) {
    emit(Syllables{}
             .alc(2, als(kLdd, r(1), lit(0), r(2)))
             .control1(mas(0, 3, 0, 0))
             .control0(0x100)
             .stubs(transfer(kMlock)));
    reg(1).lo = kData;
    poke<std::uint64_t>(kData, 5);
    reg(2).lo = 5;
    step_ok();
    EXPECT_LT(state.ip, kCode + 0x100);
    state.ip = kCode;
    reg(2).lo = 4;
    step_ok();
    EXPECT_EQ(reg(2).lo, 5u);
    EXPECT_GE(state.ip, kCode + 0x100);
}

TEST_F(Control, CodeFlushStopsAfterItsBundle) {
    const std::uint64_t at =
        emit(Syllables{}.alc(2, als(kStd, r(1), lit(0), r(2))).control1(mas(0, 0x17, 0, 0)));
    reg(1).lo = kCode + 0x40;
    const Stop stop = step();
    EXPECT_EQ(stop.kind, StopKind::CodeFlush);
    EXPECT_EQ(stop.flush_address, kCode + 0x40);
    EXPECT_GT(state.ip, at);
}

TEST_F(Control, ChangedCodeRunsAfterInvalidate) {
    emit(Syllables{}.alc(0, als(kAddd, lit(0), lit(1), r(1))));
    step_ok();
    EXPECT_EQ(reg(1).lo, 1u);
    const auto other = Syllables{}.alc(0, als(kAddd, lit(0), lit(2), r(1))).words();
    std::memcpy(memory.base + kCode, other.data(), other.size() * 4);
    interpreter->invalidate(kCode, kCode + 8);
    state.ip = kCode;
    step_ok();
    EXPECT_EQ(reg(1).lo, 2u);
}

TEST_F(Control, ExecuteRunsAGivenBundleWithoutMemory) {
    const auto words = Syllables{}.alc(0, als(kAddd, lit(0), lit(3), r(1))).words();
    std::array<std::uint8_t, 8> bytes{};
    std::memcpy(bytes.data(), words.data(), bytes.size());
    for (unsigned value = 3; value < 5; ++value) {  // other bytes at the same address
        bytes[5] = static_cast<std::uint8_t>(0xc0 + value);
        const auto bundle = isa::decode(bytes, kUnmapped, 4);
        ASSERT_TRUE(bundle);
        state.ip = kUnmapped;
        EXPECT_EQ(interpreter->execute(state, *bundle).kind, StopKind::Budget);
        EXPECT_EQ(reg(1).lo, value);
        EXPECT_EQ(state.ip, kUnmapped + 8);
    }
}

TEST_F(Control, RunStopsForBudgetBreakpointAndInterrupt) {
    for (int i = 0; i < 8; ++i) emit(Syllables{}.alc(0, als(kAddd, r(1), lit(1), r(1))));
    EXPECT_EQ(interpreter->run(state, 3).kind, StopKind::Budget);
    EXPECT_EQ(reg(1).lo, 3u);
    EXPECT_EQ(state.bundles, 3u);
    EXPECT_EQ(state.operations, 3u);
    const std::uint64_t at = kCode + 5 * 8;
    interpreter->set_breakpoints(std::array{at});
    EXPECT_EQ(interpreter->run(state, 100).kind, StopKind::Breakpoint);
    EXPECT_EQ(state.ip, at);
    step_ok();  // step ignores it
    EXPECT_EQ(reg(1).lo, 6u);
    state.interrupt = 1;
    EXPECT_EQ(interpreter->run(state, 100).kind, StopKind::Interrupted);
    EXPECT_EQ(reg(1).lo, 6u);
    step_ok();  // and interrupts
    EXPECT_EQ(reg(1).lo, 7u);
}

TEST_F(Control, ObserverSeesEachBundleBeforeItRuns) {
    struct Recorder : BundleObserver {
        struct Known : Observed {
            explicit Known(std::uint64_t at) : address(at) {}
            std::uint64_t address;
        };
        std::deque<Known> known;
        std::vector<std::uint64_t> seen;
        Observed& learn(const isa::Bundle& bundle, int) override {
            return known.emplace_back(bundle.address);
        }
        void before(Observed& bundle, const CpuState& s) override {
            EXPECT_EQ(static_cast<Known&>(bundle).address, s.ip);
            seen.push_back(s.ip);
        }
    } recorder;
    const std::uint64_t a = emit(Syllables{}.alc(0, als(kAddd, r(1), lit(1), r(1))));
    const std::uint64_t b = emit(Syllables{}.alc(0, als(kAddd, r(1), lit(1), r(1))));
    interpreter->set_observer(&recorder);
    interpreter->run(state, 2);
    state.ip = a;
    interpreter->run(state, 1);
    EXPECT_EQ(recorder.seen, (std::vector{a, b, a}));
    EXPECT_EQ(recorder.known.size(), 2u);
}

TEST_F(Control, UnmaskedFloatingPointExceptionTrapsWithoutEffect) {
    // fdivd,5 has opcode 0x4b with ALES 01c0: 1.0 / 0.0 with ZM clear.
    constexpr double kOne = 1.0;
    Syllables s;
    s.alc(5, als(static_cast<Cop>(0x4b), r(1), r(2), r(3)));
    std::vector<std::uint32_t> words = s.words();
    words[0] |= 1u << 25;  // HS.ale of channel 5: the implied 0x01c0
    std::memcpy(memory.base + kCode, words.data(), words.size() * 4);
    std::memcpy(&reg(1).lo, &kOne, sizeof kOne);
    reg(2).lo = 0;
    reg(3).lo = 77;
    state.pfpfr = 0x1f80 & ~(1u << 9);
    expect_trap(TrapCode::FloatingPoint);
    EXPECT_EQ(trapped.fp_flags, 4);
    EXPECT_EQ(reg(3).lo, 77u);
    EXPECT_EQ(state.pfpfr & 0x3f, 0u);
    state.pfpfr = 0x1f80;
    step_ok();
    EXPECT_EQ(reg(3).lo, 0x7ff0000000000000u);
    EXPECT_EQ(state.pfpfr & 0x3f, 4u);
}

TEST_F(Control, DebuggersBundleIsABreakpointTrap) {
    poke<std::uint64_t>(kCode, 0x0dc0c080'04000001);
    expect_trap(TrapCode::Breakpoint);
}

TEST_F(Control, FetchFromAnUnmappedPageTrapsAtTheTarget) {
    state.ip = kUnmapped;
    expect_trap(TrapCode::InstrPageMiss);
}

TEST_F(Control, OperationWithoutMeaningIsNamed) {
    // ldrd,0 (recovery load): in the table, deliberately not executed.
    poke<std::uint32_t>(kCode, 1u << 26 | 1u << 20 | 1u << 4 | 1);
    poke<std::uint32_t>(kCode + 4, als(static_cast<Cop>(0x5b), r(1), lit(0), r(2)));
    poke<std::uint32_t>(kCode + 8, 0x01c0'0000);
    expect_trap(TrapCode::Unsupported);
    EXPECT_NE(trapped.detail.find("ldrd"), std::string::npos) << trapped.detail;
    EXPECT_NE(trapped.detail.find("0x10000"), std::string::npos) << trapped.detail;
}

TEST_F(Control, LoopModeMasksStoresInThePrologue) {
    Syllables s;
    s.alc(2, als(kStd, r(1), lit(0), r(2)));
    s.loop_mode = true;
    emit(s);
    reg(1).lo = kData;
    reg(2).lo = 7;
    state.lsr.pcnt = 1;
    step_ok();
    EXPECT_EQ(load<std::uint64_t>(kData), 0u);
    state.lsr.pcnt = 0;
    state.ip = kCode;
    step_ok();
    EXPECT_EQ(load<std::uint64_t>(kData), 7u);
    // Last iteration: only as many stores as strmd allows.
    state.lsr.vlc = 1;
    state.lsr.strmd = 1;
    reg(2).lo = 8;
    for (int i = 0; i < 2; ++i) {
        state.ip = kCode;
        step_ok();
        EXPECT_EQ(load<std::uint64_t>(kData), 8u);
        reg(2).lo = 9;
    }
    EXPECT_EQ(state.lsr.strmd, 0);
}

}  // namespace
}  // namespace e2k::cpu::test
