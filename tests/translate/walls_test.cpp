// What stands between a guest and the workbench in translated code: damaged windows do not run,
// walls turn host faults into faults of the guest, code is never writable where it is executable.
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "engine/cpu/interpreter.h"
#include "engine/cpu/stack_watch.h"
#include "engine/translate/code_arena.h"
#include "engine/translate/fault_guard.h"
#include "engine/translate/translator.h"
#include "tests/translate/assembled_machine.h"

namespace e2k::translate {
namespace {

using cpu::Stop;
using cpu::StopKind;
using cpu::TrapCode;
using test::Machine;

/// Lines of /proc/self/maps whose rights have all of `wanted`, e.g. "wx".
std::vector<std::string> mappings_with(const std::string& wanted) {
    std::vector<std::string> found;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        std::string range, rights;
        std::istringstream(line) >> range >> rights;
        bool all = true;
        for (const char right : wanted) all &= rights.find(right) != std::string::npos;
        if (all) found.push_back(line);
    }
    return found;
}

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

// --- the code arena ---

/// mov eax, value; ret
std::array<std::uint8_t, 6> returning(std::uint8_t value) { return {0xb8, value, 0, 0, 0, 0xc3}; }

int call(const std::uint8_t* code) {
    return reinterpret_cast<int (*)()>(reinterpret_cast<std::uintptr_t>(code))();
}

TEST(CodeArena, IsWrittenAndExecutedAtDifferentAddresses) {
    CodeArena arena(1u << 16);
    ASSERT_TRUE(arena.valid());
    std::uint8_t* const code = arena.cursor();
    arena.commit(returning(7));
    EXPECT_EQ(call(code), 7);
    EXPECT_EQ(rights_at(code), "r-xs");
    EXPECT_EQ(rights_at(arena.writable(code)), "rw-s");
    arena.writable(code)[1] = 8;
    EXPECT_EQ(call(code), 8);
}

/// In the child of a fork; its exit code says whether `what` held.
bool holds_in_child(CodeArena& arena, const std::function<bool()>& what) {
    arena.prepare_fork();
    const pid_t child = fork();
    arena.after_fork(child == 0);
    if (child == 0) _exit(what() ? 0 : 1);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(CodeArena, AChildHasCodeOfItsOwn) {
    CodeArena arena(1u << 16);
    std::uint8_t* const code = arena.cursor();
    arena.commit(returning(7));
    EXPECT_TRUE(holds_in_child(arena, [&] {
        const bool same = call(code) == 7;
        arena.writable(code)[1] = 9;
        std::uint8_t* const more = arena.cursor();
        arena.commit(returning(11));
        return same && call(code) == 9 && call(more) == 11 && rights_at(code) == "r-xs" &&
               rights_at(arena.writable(code)) == "rw-s";
    }));
    EXPECT_EQ(call(code), 7);
    std::uint8_t* const next = arena.cursor();
    arena.commit(returning(12));
    EXPECT_EQ(call(next), 12);
}

// --- walls ---

TEST(Walls, AFaultOnThemInterruptsTheStateThatRuns) {
    Machine m(".globl _start\n_start: nop 5");
    ASSERT_EQ(m.error, "");
    const Translator handlers(m.guest.view, {});  // installs them
    auto* const wall = reinterpret_cast<volatile std::uint8_t*>(m.state.walls_begin + 5);
    EXPECT_FALSE(cpu::StackWatch::on_wall(const_cast<const std::uint8_t*>(wall)));
    {
        const cpu::StackWatch watch(m.state);
        *wall = 1;
        EXPECT_EQ(*wall, 1);
    }
    EXPECT_EQ(m.state.stack_fault.load(), 1u);
    EXPECT_NE(m.state.interrupt.load(), 0u);
    cpu::Interpreter interpreter(m.guest.view);
    const Stop stop = interpreter.run(m.state, 10);
    EXPECT_EQ(stop.kind, StopKind::Trapped);
    EXPECT_TRUE(stop.trap.fatal);
}

TEST(Walls, AFaultOnThemInCodeLeavesIt) {
    Machine m(".globl _start\n_start: nop 5");
    ASSERT_EQ(m.error, "");
    CodeArena arena(1u << 16);
    std::uint8_t* const code = arena.cursor();
    // mov (%rdi), %al; mov $1, %eax; ret
    arena.commit(std::array<std::uint8_t, 8>{0x8a, 0x07, 0xb8, 1, 0, 0, 0, 0xc3});
    std::uint8_t* const resume = arena.cursor();
    arena.commit(returning(2));
    const auto address = [](const std::uint8_t* p) { return reinterpret_cast<std::uint64_t>(p); };
    const FaultGuard guard({address(code), address(code) + 8, address(resume)});
    ASSERT_TRUE(guard.active());
    const auto run = [code](std::uintptr_t at) {
        return reinterpret_cast<int (*)(std::uintptr_t)>(code)(at);
    };
    const cpu::StackWatch watch(m.state);
    EXPECT_EQ(run(m.state.walls_end - 1), 2);
    EXPECT_TRUE(FaultGuard::fault_on_wall());
    EXPECT_EQ(run(8), 2);
    EXPECT_FALSE(FaultGuard::fault_on_wall());
}

// --- whole translators ---

TEST(Walls, NoMappingIsWritableAndExecutableWhileATranslatorRuns) {
    Machine m(R"(
        .globl _start
_start: { disp %ctpr1, loop }
        addd 0, 1000, %dr1
        nop 5
loop:   { subd %dr1, 1, %dr1
          cmpedb %dr1, 1, %pred0 }
        nop 3
        { ct %ctpr1 ? ~%pred0 }
        { nop 4
          sdisp %ctpr1, 3 }
        { call %ctpr1, wbs = 4 }
)");
    ASSERT_EQ(m.error, "");
    Translator translator(m.guest.view, {});
    cpu::Interpreter interpreter(m.guest.view);
    EXPECT_EQ(translator.run(m.state, interpreter).kind, StopKind::SystemCall);
    EXPECT_GT(translator.stats().regions, 0u);
    EXPECT_TRUE(mappings_with("wx").empty()) << mappings_with("wx").front();
    EXPECT_FALSE(mappings_with("xs").empty());
}

/// A forked child goes on with the regions it has and makes more; the parent's stay as they are.
TEST(Walls, AForkedTranslatorGoesOn) {
    const std::string source = R"(
        .globl _start
_start:
again:  { disp %ctpr1, loop }
        addd 0, 1000, %dr1
        nop 5
loop:   { subd %dr1, 1, %dr1
          cmpedb %dr1, 1, %pred0 }
        nop 3
        { ct %ctpr1 ? ~%pred0 }
        { addd %dr2, 1, %dr2 }
        { nop 4
          sdisp %ctpr1, 3 }
        { call %ctpr1, wbs = 4 }
        { disp %ctpr1, again }
        nop 5
        { ct %ctpr1 }
)";
    Machine m(source);
    ASSERT_EQ(m.error, "");
    Translator translator(m.guest.view, {});
    cpu::Interpreter interpreter(m.guest.view);
    const auto rounds = [&](unsigned count) {
        for (unsigned i = 0; i < count; ++i)
            if (translator.run(m.state, interpreter).kind != StopKind::SystemCall) return false;
        return true;
    };
    ASSERT_TRUE(rounds(3));
    for (int i = 0; i < 3; ++i) {
        const pid_t child = fork();
        if (child == 0)
            _exit(rounds(5) && m.state.window[2].lo == static_cast<unsigned>(3 + i + 5) &&
                          mappings_with("wx").empty()
                      ? 0
                      : 1);
        ASSERT_TRUE(rounds(1));
        int status = 0;
        waitpid(child, &status, 0);
        EXPECT_EQ(status, 0);
    }
    EXPECT_EQ(m.state.window[2].lo, 6u);
}

/// A function that makes a system call, in which the test changes the chain; then it returns.
constexpr const char* kReturnsAfterCall = R"(
        .globl _start
_start:
again:  { nop 4
          disp %ctpr1, callee }
        { call %ctpr1, wbs = 8 }
        { addd %dr2, 1, %dr2
          disp %ctpr1, again }
        nop 5
        { ct %ctpr1 }
callee: { nop 4
          sdisp %ctpr1, 3 }
        { call %ctpr1, wbs = 4 }
        { return %ctpr3 }
        nop 5
        { ct %ctpr3 }
)";

/// Damages the state where the callee's system call has stopped; the next stop must be a trap.
void expect_refused(const std::function<void(cpu::CpuState&)>& damage, bool translated) {
    Machine m(kReturnsAfterCall);
    ASSERT_EQ(m.error, "");
    Translator translator(m.guest.view, {});
    cpu::Interpreter interpreter(m.guest.view);
    const auto run = [&] {
        return translated ? translator.run(m.state, interpreter)
                          : interpreter.run(m.state, 100'000);
    };
    for (int i = 0; i < 20; ++i) ASSERT_EQ(run().kind, StopKind::SystemCall);
    damage(m.state);
    const Stop stop = run();
    ASSERT_EQ(stop.kind, StopKind::Trapped) << "translated: " << translated;
    EXPECT_STREQ(cpu::name_of(stop.trap.code), cpu::name_of(TrapCode::WindowBounds));
    EXPECT_FALSE(stop.trap.detail.empty());
}

TEST(Walls, ForgedRecordsMakeNoWindowInEitherTier) {
    const std::vector<std::function<void(cpu::CpuState&)>> damages{
        [](cpu::CpuState& s) { s.chain_top[-1].wbs = 254; },
        [](cpu::CpuState& s) { s.chain_top[-1].wbs = 220; },
        [](cpu::CpuState& s) { s.chain_top[-1].wbs = 18; },  // below the file
        [](cpu::CpuState& s) { s.wd.psize = s.wd.size = 226; },
        [](cpu::CpuState& s) { s.wd.psize = 222; },  // with the record's wbs
        [](cpu::CpuState& s) { s.window += 1u << 13; },
        [](cpu::CpuState& s) { s.window -= 32; },
        [](cpu::CpuState& s) { s.chain_top = s.chain_limit + 8; },
        [](cpu::CpuState& s) { s.br.rsz = 200; },
    };
    for (const auto& damage : damages)
        for (const bool translated : {false, true}) expect_refused(damage, translated);
}

}  // namespace
}  // namespace e2k::translate
