// What traps and what does not, to the word and the part of a condition (execution.md §1, loops.md
// §5, speculation.md §1, memory.md §1): beyond what the vectors cover.
#include <string>
#include <vector>

#include "engine/isa/assembler/assembler.h"
#include "tests/cpu/interpreter_fixture.h"

namespace e2k::cpu::test {
namespace {

constexpr std::uint8_t kLowWord = 1, kHighWord = 4, kBothWords = 5;

class Exactness : public InterpreterTest {
protected:
    void SetUp() override {
        InterpreterTest::SetUp();
        state.exact_tags = 1;
        state.strict = 1;
        state.iset = 6;
    }

    /// The next bundle to execute, made by the assembler.
    void bundle(const std::vector<std::string>& lines) {
        std::vector<isa::SourceLine> source;
        for (const std::string& line : lines) source.push_back({line});
        isa::AssemblerOptions options;
        options.iset = state.iset;
        const auto bytes = isa::assemble_bundle(source, kCode, options);
        ASSERT_TRUE(bytes) << bytes.error().front().message;
        std::memcpy(memory.base + kCode, bytes->data(), bytes->size());
        interpreter->invalidate(kCode, kCode + 64);
        state.ip = kCode;
    }
    void runs(const std::vector<std::string>& lines) {
        bundle(lines);
        step_ok();
    }
    /// Traps, and says `words`.
    void traps(const std::vector<std::string>& lines, TrapCode code, const std::string& words) {
        bundle(lines);
        expect_trap(code);
        EXPECT_NE(trapped.detail.find(words), std::string::npos) << trapped.detail;
    }
    std::uint8_t& tag(unsigned n) { return state.window_tags[n]; }
    /// The loop's pipeline fills: %pcnt0 is false, stores are masked.
    void prologue() {
        state.lsr = {};
        state.lsr.vlc = 1;
        state.lsr.pcnt = 1;
        state.lsr.lcnt = 5;
    }
};

// --- which words count ---

TEST_F(Exactness, TheDescriptorOfInsfdSaysWhichWordsOfItsSourcesCount) {
    struct Case {
        const char* descriptor;
        std::uint8_t first, third;  // tags of the sources
        const char* culprit;        // null: no trap
    };
    const Case cases[] = {
        {"0x0800", kLowWord, 0, "%r1 is diagnostic"},   // bit 13 clear: both words of source 1
        {"0x0800", kHighWord, 0, "%r1 is diagnostic"},  //
        {"0x2800", kHighWord, 0, nullptr},              // set: the low one
        {"0x2800", kLowWord, 0, "%r1 is diagnostic"},   //
        {"0x0800", 0, kLowWord, "%r2 is diagnostic"},   // bit 15 clear: both words of source 3
        {"0x0800", 0, kHighWord, "%r2 is diagnostic"},  //
        {"0x8800", 0, kHighWord, nullptr},              // set: the low one
        {"0x8800", 0, kLowWord, "%r2 is diagnostic"},   //
        {"0xa800", kHighWord, kHighWord, nullptr},      //
        {"0x8800", kHighWord, kHighWord, "%r1 is diagnostic"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(std::string(c.descriptor) + " tags " + std::to_string(c.first) + " and " +
                     std::to_string(c.third));
        tag(1) = c.first;
        tag(2) = c.third;
        const std::string operands = std::string("%dr1, ") + c.descriptor + ", %dr2, %dr3";
        tag(3) = 0;
        if (c.culprit)
            traps({"insfd,0 " + operands}, TrapCode::DiagOperand, c.culprit);
        else
            runs({"insfd,0 " + operands});
        runs({"insfd,0,sm " + operands});
        EXPECT_EQ(tag(3), c.culprit ? kBothWords : 0);
    }
}

TEST_F(Exactness, AStoreLooksAtTheWordsItWrites) {
    reg(3).lo = kData;
    tag(2) = kHighWord;
    runs({"stw,2 %r2, [ %dr3 + 0 ]"});
    traps({"std,2 %dr2, [ %dr3 + 0 ]"}, TrapCode::DiagOperand, "%r2 is diagnostic");
    tag(2) = 0x50;  // the upper half of the 128-bit register
    runs({"std,2 %dr2, [ %dr3 + 0 ]"});
    traps({"stqp,2 %qpr2, [ %dr3 + 0 ]"}, TrapCode::DiagOperand, "%r2 is diagnostic");
    runs({"stqp,2,sm %qpr2, [ %dr3 + 0 ]"});
    // Half of a register pair is a 64-bit register.
    tag(3) = 0x50;
    runs({"aaurwq,2 %qr2, %aad1"});
}

TEST_F(Exactness, AMoveToATransferRegisterTakesTheTagOfItsOwnWords) {
    reg(1).lo = kCode;
    tag(1) = 0x50;
    runs({"movtd,0 %dr1, %ctpr1"});
    EXPECT_EQ(state.ctpr[0].tag, CtprTag::Label);
    tag(1) = kHighWord;
    runs({"movtd,0 %dr1, %ctpr1"});
    EXPECT_EQ(state.ctpr[0].tag, CtprTag::Diagnostic);
}

// --- conditions of several parts ---

TEST_F(Exactness, AFalsePartOfAGuardDecidesWhateverTheTagOfTheOther) {
    state.pred[0] = kPredValue | kPredTag;
    state.lsr.pcnt = 1;
    reg(3) = {7, 0};
    for (const char* mode : {"", ",sm"}) {
        runs({std::string("addd,0") + mode + " 0x0, 0x9, %r3 ? %pred0, %pcnt0"});
        EXPECT_EQ(reg(3).lo, 7u);
        EXPECT_EQ(tag(3), 0);
    }
    // A true part decides nothing, and a tagged part is not false although it looks so.
    for (const std::uint8_t value : {kPredTag, static_cast<std::uint8_t>(kPredValue | kPredTag)}) {
        state.pred[0] = value;
        traps({"addd,0 0x0, 0x9, %r3 ? %pred0, %pcnt1"}, TrapCode::DiagCond,
              "%pred0, the guard, is diagnostic");
    }
    runs({"addd,0,sm 0x0, 0x9, %r3 ? %pred0, %pcnt1"});
    EXPECT_EQ(tag(3), kBothWords);
}

TEST_F(Exactness, ADisabledOperationChecksNothing) {
    state.pred[1] = 0;
    tag(1) = kBothWords;
    runs({"addd,0 %r1, 0x1, %r2 ? %pred1", "udivd,5 %r4, 0x0, %r5 ? %pred1"});
    reg(3).lo = kUnmapped;
    runs({"std,2 %dr1, [ %dr3 + 0 ] ? %pred1"});
}

// --- stores that the loop masks ---

TEST_F(Exactness, AMaskedStoreChecksNothing) {
    prologue();
    state.pred[0] = kPredTag;
    reg(3).lo = kUnmapped;
    tag(2) = kBothWords;
    runs({"loop_mode", "std,2 %dr2, [ %dr3 + 0 ] ? %pred0"});  // guard, data, address
    tag(3) = kBothWords;
    runs({"loop_mode", "std,2 %dr2, [ %dr3 + 0 ]", "stb,5 %r2, [ %dr3 + 1 ]"});
    runs({"loop_mode", "stmqp,2 %qpr2, %dr3, 0xffff"});
    runs({"loop_mode", "staad,2 %dr2, %aad0 [ %aasti1 ] ? %pred0", "incr,2 %aaincr0 ? %pred0"});
    EXPECT_EQ(state.aau.aasti[1], 0u);
    // At the loop's end with strmd used up as well.
    state.lsr.pcnt = 0;
    state.lsr.lcnt = 0;
    state.lsr.strmd = 0;
    runs({"loop_mode", "std,2 %dr2, [ %dr3 + 0 ] ? %pred0"});
    // One more that is not masked is checked.
    state.lsr.strmd = 1;
    traps({"loop_mode", "std,2 %dr2, [ %dr3 + 0 ] ? %pred0"}, TrapCode::DiagCond, "%pred0");
    EXPECT_EQ(state.lsr.strmd, 1);
    // Loads are not masked.
    prologue();
    traps({"loop_mode", "ldd,3 %r4, 0x0, %r5 ? %pred0", "std,5 %dr2, [ %dr3 + 0 ]"},
          TrapCode::DiagCond, "%pred0");
}

TEST_F(Exactness, TheGuardOfAnIncrementIsCheckedOnItsOwn) {
    state.aau.aad_base[1] = kData;
    state.pred[0] = kPredTag;
    state.pred[1] = 0;
    traps({"staad,2 %dr2, %aad1 [ %aasti1 ] ? %pred1", "incr,2 %aaincr1 ? %pred0"},
          TrapCode::DiagCond, "%pred0, the guard of the increment, is diagnostic");
}

// --- alignment ---

TEST_F(Exactness, StmqpOfVersion5WantsAMultipleOfSixteen) {
    reg(3).lo = kData + 1;
    reg(2) = {0x1122, 0};
    runs({"stmqp,2 %qpr2, %dr3, 0x3"});
    EXPECT_EQ(load<std::uint16_t>(kData + 1), 0x1122);
    state.iset = 5;
    traps({"stmqp,2 %qpr2, %dr3, 0x3"}, TrapCode::AddressNotAligned, "multiple of 16");
    EXPECT_EQ(trapped.address, kData + 1);
    traps({"stmqp,2 %qpr2, %dr3, 0x3, mas = 0x10"}, TrapCode::AddressNotAligned, "multiple of 16");
    runs({"stmqp,2 %qpr2, %dr3, 0x0"});     // nothing is accessed
    runs({"stmqp,2,sm %qpr2, %dr3, 0x3"});  // dropped
    reg(3).lo = kData;
    runs({"stmqp,2 %qpr2, %dr3, 0x1"});
    reg(3).lo = kUnmapped + 8;
    traps({"stmqp,2 %qpr2, %dr3, 0x1"}, TrapCode::AddressNotAligned, "multiple of 16");
}

// --- array stores with the MAS of a register access ---

TEST_F(Exactness, ThereIsNoArrayRegisterWriteOfAByteOrHalfword) {
    state.aau.aad_base[1] = kData;
    state.aau.aaincr[0] = 1;
    reg(2) = {0x7788, 0};
    state.iset = 2;
    runs({"staah,2 %r2, %aad1 [ %aasti1 ], mas = 0x3f", "incr,2 %aaincr0"});
    EXPECT_EQ(load<std::uint16_t>(kData), 0x7788);
    EXPECT_EQ(state.aau.aasti[1], 2u);
    runs({"staab,5 %r2, %aad1 [ %aasti1 ], mas = 0x3f"});
    EXPECT_EQ(load<std::uint32_t>(kData), 0x00887788u);
    state.iset = 4;  // later versions: nothing happens (arrays.md §3)
    runs({"staah,2 %r2, %aad1 [ %aasti2 + 0x10 ], mas = 0x3f", "incr,2 %aaincr0"});
    EXPECT_EQ(load<std::uint16_t>(kData + 0x10), 0u);
    EXPECT_EQ(state.aau.aasti[2], 0u);
    EXPECT_EQ(state.aau.aad_base[1], kData);
}

// --- texts ---

TEST_F(Exactness, TextsNameTheRegister) {
    tag(5) = kBothWords;
    traps({"addd,0 %r5, 0x1, %r2"}, TrapCode::DiagOperand, "%r5 is diagnostic");
    traps({"addd,0 0x1, %r5, %r2"}, TrapCode::DiagOperand, "%r5 is diagnostic");
    traps({"and_addd,1 %r1, %r1, %r5, %r2"}, TrapCode::DiagOperand, "%r5 is diagnostic");
    traps({"ldd,0 %r5, 0x0, %r2"}, TrapCode::DiagOperand, "%r5 is diagnostic");
    state.g_tags[3] = kLowWord;
    traps({"adds,0 %g3, 0x1, %r2"}, TrapCode::DiagOperand, "%g3 is diagnostic");
    state.window_tags[state.based_index(1, state.wd.size)] = kBothWords;
    traps({"addd,0 %b[1], 0x1, %r2"}, TrapCode::DiagOperand, "%b[1] is diagnostic");
    state.pred[4] = kPredTag;
    traps({"merged,0 %r1, %r2, %r3, %pred4"}, TrapCode::DiagCond,
          "%pred4, which selects, is diagnostic");
    reg(1).lo = kCode;
    tag(1) = kBothWords;
    runs({"movtd,0 %dr1, %ctpr1"});
    traps({"ct %ctpr1"}, TrapCode::DiagInstrAddr, "%ctpr1 is diagnostic");
}

}  // namespace
}  // namespace e2k::cpu::test
