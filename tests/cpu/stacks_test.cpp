// Windows, chain and their walls: what the architecture allows, and what becomes of anything else.
#include <fstream>
#include <functional>
#include <sstream>
#include <string>

#include "tests/cpu/interpreter_fixture.h"

namespace e2k::cpu::test {
namespace {

constexpr unsigned kAlways = 1, kByCompare = 9;

/// Rights ("rw-p") of the host page at `at`, "" if there is none.
std::string rights_at(const void* at) {
    const auto address = reinterpret_cast<std::uintptr_t>(at);
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        std::uintptr_t begin = 0, end = 0;
        char dash = 0;
        std::string rights;
        std::istringstream(line) >> std::hex >> begin >> dash >> end >> rights;
        if (address >= begin && address < end) return rights;
    }
    return "";
}

TEST(HardwareStacks, LieBetweenWalls) {
    constexpr std::size_t kRegisters = 1u << 13, kFrames = 1u << 9;
    HardwareStacks stacks;
    ASSERT_TRUE(stacks.reserve(kRegisters, kFrames));
    CpuState state;
    stacks.attach(state);
    constexpr std::ptrdiff_t kPage = 4096;
    const auto around = [](const auto* begin, const auto* end) {
        const auto* first = reinterpret_cast<const std::uint8_t*>(begin);
        const auto* last = reinterpret_cast<const std::uint8_t*>(end);
        EXPECT_EQ(rights_at(first), "rw-p");
        EXPECT_EQ(rights_at(last - 1), "rw-p");
        EXPECT_EQ(rights_at(first - 1), "---p");
        EXPECT_EQ(rights_at(last + kPage), "---p");
    };
    around(state.window_file, state.window_limit + kWindowSlack);
    around(state.tag_file, state.tag_file + kRegisters + kWindowSlack);
    around(state.chain_file, state.chain_limit);
    EXPECT_EQ(rights_at(reinterpret_cast<const void*>(state.walls_begin)), "---p");
    EXPECT_EQ(rights_at(reinterpret_cast<const void*>(state.walls_end - 1)), "---p");
}

TEST(HardwareStacks, WallsHoldEveryStepThatTheChainHasRoomFor) {
    constexpr std::size_t kRegisters = 1u << 13, kFrames = 1u << 9, kStep = 254;
    HardwareStacks stacks;
    ASSERT_TRUE(stacks.reserve(kRegisters, kFrames));
    CpuState state;
    stacks.attach(state);
    const auto* file = reinterpret_cast<const std::uint8_t*>(state.window_file);
    const auto* limit = reinterpret_cast<const std::uint8_t*>(state.window_limit + kWindowSlack);
    EXPECT_EQ(rights_at(file - kFrames * kStep * sizeof(Reg)), "---p");
    EXPECT_EQ(rights_at(limit + kFrames * kStep * sizeof(Reg)), "---p");
    EXPECT_EQ(rights_at(state.tag_file - kFrames * kStep), "---p");
    EXPECT_EQ(rights_at(state.tag_file + kRegisters + kWindowSlack + kFrames * kStep), "---p");
}

class Stacks : public InterpreterTest {
protected:
    static std::uint32_t disp(unsigned ctpr, std::uint64_t from, std::uint64_t target) {
        const auto units = static_cast<std::int64_t>(target - from) / 8;
        return ctpr << 30 | (static_cast<std::uint32_t>(units) & 0x0fff'ffff);
    }
    static constexpr std::uint32_t kReturn = 0xf000'0000;
    static std::uint32_t call(unsigned wbs) { return 5u << 28 | wbs; }
    /// return %ctpr3; ct %ctpr3
    void emit_return() {
        emit(Syllables{}.control0(kReturn));
        emit(Syllables{}.stubs(transfer(kAlways, 0, 3)));
    }
    void push(unsigned wbs, unsigned psize) {
        ChainFrame& frame = *state.chain_top++;
        frame = {};
        frame.return_ip = kCode;
        frame.wbs = wbs;
        frame.wd.psize = static_cast<std::uint16_t>(psize);
        frame.wd.size = 32;
        state.window += 100;
        state.window_tags += 100;
    }
};

TEST_F(Stacks, NothingRunsOnDamagedOnes) {
    emit(Syllables{}.alc(0, als(kAddd, lit(0), lit(9), r(0))));
    const std::vector<std::function<void(CpuState&)>> damages{
        [](CpuState& s) { s.wd.size = kMaxWindow + 2; },
        [](CpuState& s) { s.wd.psize = kMaxWindow + 2; },
        [](CpuState& s) { s.window = s.window_file - 2, s.window_tags = s.tag_file - 2; },
        [](CpuState& s) {
            s.window = s.window_limit - 2;
            s.window_tags = s.tag_file + (s.window - s.window_file);
        },
        [](CpuState& s) { s.window_tags += 2; },
        [](CpuState& s) { s.chain_top = s.chain_file - 1; },
        [](CpuState& s) { s.chain_top = s.chain_limit + 1; },
        [](CpuState& s) { s.br.rsz = 64; },
        [](CpuState& s) { s.br.pcur = 32; },
        [](CpuState& s) { s.stack_fault = 1; },
    };
    for (std::size_t i = 0; i < damages.size(); ++i) {
        SetUpState();
        damages[i](state);
        for (const Stop& stop : {interpreter->step(state), interpreter->run(state, 1)}) {
            EXPECT_EQ(stop.kind, StopKind::Trapped) << i;
            EXPECT_TRUE(stop.trap.fatal) << i;
            EXPECT_FALSE(stop.trap.detail.empty()) << i;
        }
        EXPECT_EQ(state.bundles, 0u) << i;
    }
    SetUpState();
    step_ok();
}

TEST_F(Stacks, ReturnMakesNoWindowOfMoreThan112Quads) {
    emit_return();
    for (const bool prepared_before : {true, false}) {
        SetUpState();
        push(80, 8);
        state.wd.psize = kMaxWindow - 80;
        state.wd.size = kMaxWindow - 80;
        if (prepared_before) step_ok();
        if (!prepared_before) {
            state.ctpr[2].tag = CtprTag::Return;
            state.ip = kCode + 8;
        }
        state.wd.psize = state.wd.size = kMaxWindow - 80 + 2;
        expect_trap(TrapCode::WindowBounds);
        EXPECT_FALSE(trapped.fatal);
        EXPECT_NE(trapped.detail.find("226"), std::string::npos) << trapped.detail;
        state.wd.psize = state.wd.size = kMaxWindow - 80;
        step_ok();
        EXPECT_EQ(state.wd.size, kMaxWindow);
    }
}

TEST_F(Stacks, ReturnDoesNotLeaveTheProcedureStack) {
    emit_return();
    push(102, 8);
    state.wd.size = state.wd.psize = 8;
    step_ok();
    expect_trap(TrapCode::WindowBounds);
}

/// syllables.md §1.3, type 9: the condition is a comparison of the bundle itself, so the transfer
/// is decided last. It is checked like any other.
TEST_F(Stacks, TransfersDecidedByTheirOwnBundleAreChecked) {
    emit(Syllables{}.control0(disp(1, kCode, kCode + 0x100)));
    emit(Syllables{}
             .alc(0, als(kCmpesb, lit(0), lit(0), 0x40))
             .stubs(transfer(kByCompare, 0, 1))
             .control1(call(127)));
    step_ok();
    expect_trap(TrapCode::IllegalOperand);
    EXPECT_EQ(state.window_index(), 0u);
}

TEST_F(Stacks, JumpsDecidedByTheirOwnBundleNeedAPreparation) {
    emit(Syllables{}.alc(0, als(kCmpesb, lit(0), lit(0), 0x40)).stubs(transfer(kByCompare, 0, 3)));
    expect_trap(TrapCode::IllegalInstrAddr);
    state.ctpr[2].tag = CtprTag::Label;
    state.ctpr[2].base = kCode + 4;
    expect_trap(TrapCode::IllegalInstrAddr);
}

TEST_F(Stacks, RotationBeyondItsAreaNamesNoRegisterOutsideTheWindow) {
    constexpr std::uint32_t kBased0 = 0x00;
    state.br = {};
    state.br.rcur = 63;  // %b[0] is register 124 of 32
    emit(Syllables{}.alc(0, als(kAddd, lit(0), lit(9), kBased0)));
    expect_trap(TrapCode::WindowBounds);
}

}  // namespace
}  // namespace e2k::cpu::test
