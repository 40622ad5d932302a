// Exact tags: diagnostic values, predicates and their rules (predicates.md §3, speculation.md),
// beyond what the vectors cover.
#include "tests/cpu/interpreter_fixture.h"

namespace e2k::cpu::test {
namespace {

constexpr std::uint8_t kDiagnostic = 5;
constexpr std::uint8_t kTaggedTrue = kPredValue | kPredTag;

class Tags : public InterpreterTest {
protected:
    void SetUp() override {
        InterpreterTest::SetUp();
        state.exact_tags = 1;
    }
    std::uint8_t& tag(unsigned n) { return state.window_tags[n]; }
    void again() { state.ip = kCode; }
    /// PLS0: inputs %pred a and b, `opcode` (0 andp, 1 landp, 3 movep), result to %pred d.
    static std::uint32_t pls(unsigned opcode, unsigned a, unsigned b, unsigned d) {
        return (0x60u + a) << 24 | (0x60u + b) << 16 | opcode << 14 | 0u << 10 | 1u << 6 | 1u << 5 |
               d;
    }
};

TEST_F(Tags, DiagnosticSourceTrapsOrPropagates) {
    emit(Syllables{}.alc(0, als(kAddd, r(1), lit(1), r(2))));
    const std::uint64_t speculative =
        emit(Syllables{}.alc(0, kSpeculative | als(kAddd, r(1), lit(1), r(2))));
    reg(1).lo = 10;
    tag(1) = kDiagnostic;
    expect_trap(TrapCode::DiagOperand);
    state.ip = speculative;
    step_ok();
    EXPECT_EQ(reg(2).lo, 11u);
    EXPECT_EQ(tag(2), kDiagnostic);
}

TEST_F(Tags, WordOperationLooksAtTheLowWordOnly) {
    emit(Syllables{}.alc(0, als(kAdds, r(1), lit(1), r(2))));
    tag(1) = 4;  // upper word diagnostic
    tag(2) = kDiagnostic;
    step_ok();
    EXPECT_EQ(tag(2), 4);  // the result is a number, the kept upper word stays diagnostic
    state.wd.dbl = 1;
    again();
    step_ok();
    EXPECT_EQ(tag(2), 0);
}

TEST_F(Tags, FailedSpeculativeLoadIsDiagnosticAndStoringItGivesANumber) {
    emit(Syllables{}.alc(0, kSpeculative | als(kLdd, r(1), lit(0), r(2))));
    emit(Syllables{}.alc(2, kSpeculative | als(kStd, r(3), lit(0), r(2))));
    emit(Syllables{}.alc(0, als(kLdd, r(3), lit(0), r(4))));
    reg(1).lo = kUnmapped;
    reg(3).lo = kData;
    tag(4) = kDiagnostic;
    for (int i = 0; i < 3; ++i) step_ok();
    EXPECT_EQ(tag(2), kDiagnostic);
    EXPECT_EQ(reg(4).lo, reg(2).lo);
    EXPECT_EQ(tag(4), 0);
}

TEST_F(Tags, OrdinaryStoreOfADiagnosticValueTraps) {
    emit(Syllables{}.alc(2, als(kStd, r(3), lit(0), r(2))));
    reg(3).lo = kData;
    tag(2) = kDiagnostic;
    expect_trap(TrapCode::DiagOperand);
}

TEST_F(Tags, RegistersUncoveredBySetwdAreDiagnostic) {
    emit(Syllables{}.alc(0, als(kAddd, lit(0), lit(3), r(33))).control1(0).literal(18u << 5));
    emit(Syllables{}.alc(0, als(kAddd, r(33), lit(1), r(0))));
    emit(Syllables{}.alc(0, als(kAddd, r(34), lit(1), r(0))));
    step_ok();
    step_ok();  // written in the bundle that uncovers it
    EXPECT_EQ(reg(0).lo, 4u);
    expect_trap(TrapCode::DiagOperand);
}

TEST_F(Tags, CompareOfADiagnosticValueMarksThePredicate) {
    emit(Syllables{}.alc(0, kSpeculative | als(kCmpesb, r(1), lit(0), 2u << 5 | 3)));
    tag(1) = kDiagnostic;
    step_ok();
    EXPECT_EQ(state.pred[3], kTaggedTrue);
}

TEST_F(Tags, DiagnosticGuardTrapsOrMarksTheResult) {
    emit(Syllables{}.alc(0, als(kAddd, lit(0), lit(1), r(2))).guard(0, 3));
    const std::uint64_t speculative =
        emit(Syllables{}.alc(0, kSpeculative | als(kAddd, lit(0), lit(1), r(2))).guard(0, 3));
    state.pred[3] = kPredTag;  // false, but not reliably so: the speculative form executes
    expect_trap(TrapCode::DiagCond);
    state.ip = speculative;
    step_ok();
    EXPECT_EQ(reg(2).lo, 0x4000000040000001u);
    EXPECT_EQ(tag(2), kDiagnostic);
}

TEST_F(Tags, TransferOnADiagnosticPredicateTrapsUnlessThePrologueIgnoresIt) {
    emit(Syllables{}.stubs(transfer(2, 3)).control0(0x20));
    const std::uint64_t loop = emit(Syllables{}.stubs(transfer(15, 3)).control0(0x20));
    state.pred[3] = kTaggedTrue;
    expect_trap(TrapCode::DiagCtCond);
    state.ip = loop;
    expect_trap(TrapCode::DiagCtCond);
    state.lsr.pcnt = 1;
    step_ok();
    EXPECT_EQ(state.ip, loop + 0x100);
}

TEST_F(Tags, PredicateLogicPropagatesTags) {
    struct Case {
        unsigned opcode;
        std::uint8_t a, b, result;
    };
    constexpr std::uint8_t kOld = kPredValue;  // of the destination
    const Case cases[] = {
        {0, 0, kPredTag, kPredTag},                 // andp: either operand
        {0, kPredValue, kPredValue, kPredValue},    //
        {1, 0, kTaggedTrue, 0},                     // landp: a false first operand decides
        {1, kPredValue, kPredTag, kPredTag},        //
        {1, kPredTag, 0, kPredTag},                 //
        {3, 0, kTaggedTrue, kOld},                  // movep: not written
        {3, kPredValue, kTaggedTrue, kTaggedTrue},  //
        {3, kPredTag, kPredValue, kPredTag},        // an unreliable condition marks the result
    };
    for (const Case& c : cases) {
        const auto words = Syllables{}.logic(pls(c.opcode, 1, 2, 6)).words();
        std::memcpy(memory.base + kCode, words.data(), words.size() * 4);
        interpreter->invalidate(kCode, kCode + 64);
        state.pred[1] = c.a;
        state.pred[2] = c.b;
        state.pred[6] = kOld;
        again();
        step_ok();
        EXPECT_EQ(state.pred[6], c.result)
            << "opcode " << c.opcode << " a " << int{c.a} << " b " << int{c.b};
    }
}

TEST_F(Tags, TransferRegisterRemembersADiagnosticTarget) {
    emit(Syllables{}.alc(0, als(kMovtd, lit(0), r(1), 0xd1)));
    emit(Syllables{}.stubs(transfer(1, 0, 1)));
    reg(1).lo = kCode;
    tag(1) = kDiagnostic;
    step_ok();
    EXPECT_EQ(state.ctpr[0].tag, CtprTag::Diagnostic);
    expect_trap(TrapCode::DiagInstrAddr);
}

TEST_F(Tags, TagsSurviveCallAndReturn) {
    push_call(state, 8, kCode);
    tag(0) = kDiagnostic;
    pop_return(state);
    EXPECT_EQ(tag(8), kDiagnostic);
}

}  // namespace
}  // namespace e2k::cpu::test
