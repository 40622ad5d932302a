// Translated code whose guest code changes: announced by the guest, through the kernel, by new
// mappings and permissions, by breakpoints, and while another thread executes it.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/isa/assembler/program.h"
#include "engine/machine/guest.h"
#include "engine/translate/translator.h"
#include "tests/support/assembled_guest.h"
#include "tests/support/child_process.h"
#include "tests/translate/bare_guest.h"

namespace e2k::translate {
namespace {

using machine::Event;
using machine::Tier;
using std::chrono::milliseconds;

/// Raises `state.interrupt` after a while, again and again until the object goes away.
class Alarm {
public:
    explicit Alarm(cpu::CpuState& state, milliseconds after = milliseconds(5))
        : thread_([this, &state, after] {
              while (!done_) {
                  std::this_thread::sleep_for(after);
                  state.interrupt.fetch_or(1);
              }
          }) {}
    ~Alarm() {
        done_ = true;
        thread_.join();
    }
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;

private:
    std::atomic<bool> done_{false};
    std::thread thread_;
};

// --- whole programs, in both tiers ---

/// Changes a literal of its own loop in each of 100 rounds and announces it (mas = 0x17); the exit
/// code is the sum of what the changed bundle returned, modulo 256.
constexpr std::string_view kSelfModifying = R"(
        .globl _start
        .type _start, @function
_start: { setwd wsz = 8, nfx = 1, dbl = 1
          setbn rbs = 4, rsz = 3, rcur = 0 }
        { nop 4                                 ! mprotect(code, 4096, RWX)
          sdisp %ctpr1, 3
          addd 0, 125, %db[0]
          addd 0, 0x10000, %db[1]
          addd 0, 0x1000, %db[2]
          addd 0, 7, %db[3] }
        { call %ctpr1, wbs = 4 }
        { addd 0, 1, %dr0
          addd 0, 0, %dr1 }
        { disp %ctpr2, round }
        nop 5
round:  { stw,2 %r0, [ changed_end - 4 ] }
        { std,2 %dr0, [ changed_end - 4 ], mas = 0x17 }
changed:
        { addd 0, _f32s 0x7fffffff, %dr2 }
changed_end:
        { addd %dr1, %dr2, %dr1
          addd %dr0, 1, %dr0 }
        { nop 2 ; cmpesb %r0, 101, %pred0 }
        { ct %ctpr2 ? ~%pred0 }
        { nop 4 ; sdisp %ctpr1, 3 ; addd 0, 1, %db[0] ; addd 0, %dr1, %db[1] }
        { call %ctpr1, wbs = 4 }
)";

/// Adds the literal before `hot_end` to %dr0 for ever. `hot` has a page of its own.
constexpr std::string_view kAdder = R"(
        .globl _start
        .type _start, @function
_start: { setwd wsz = 8, nfx = 1, dbl = 1
          setbn rbs = 4, rsz = 3, rcur = 0 }
        addd 0, 0, %dr0
        { disp %ctpr1, hot }
        nop 5
        { ct %ctpr1 }
        .align 4096
        .globl hot
hot:    { addd %dr0, _f32s 1, %dr0 }
        .globl hot_end
hot_end:
        { ct %ctpr1 }
)";

class CodeChange : public testing::TestWithParam<Tier> {
protected:
    void start(std::string_view source) {
        const auto path = directory_.path() / "guest";
        e2k::test::write_guest(path, source);
        machine::GuestOptions options;
        options.process.argv = {path.string()};
        options.process.streams.output = [](int, std::string_view) {};
        options.process.streams.input = [](char*, std::size_t) { return std::size_t{0}; };
        options.tier = GetParam();
        auto guest = machine::Guest::start(path.string(), std::move(options));
        ASSERT_TRUE(guest) << guest.error();
        guest_ = std::move(*guest);
    }
    machine::Runner& runner() { return guest_->main(); }
    guest::AddressSpace& memory() { return guest_->process().memory(); }
    std::uint64_t symbol(const char* name) {
        const guest::Symbol* found = guest_->process().symbols()->by_name(name);
        EXPECT_NE(found, nullptr) << name;
        return found ? found->address : 0;
    }
    std::uint64_t count() { return runner().state().window[0].lo; }

    /// Runs to the end of the process, or until it has gone on for a while and `done()` holds.
    template <class Done>
    Event run(Done done) {
        const Alarm alarm(runner().state());
        const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (std::chrono::steady_clock::now() < limit) {
            const Event event = runner().advance();
            if (event == Event::ProcessEnd || event == Event::Failed) return event;
            if (event == Event::Interrupted && done()) return event;
        }
        ADD_FAILURE() << "it neither ends nor goes on";
        return Event::Failed;
    }
    Event run_to_end() {
        return run([] { return false; });
    }
    /// Runs the adder; what it added must be a multiple of `step`.
    void expect_step(std::uint64_t step) {
        const std::uint64_t before = count();
        ASSERT_EQ(run([&] { return count() - before >= 1000 * step; }), Event::Interrupted);
        const std::uint64_t added = count() - before;
        EXPECT_EQ(added % step, 0u) << added;
    }
    void expect_death(const char* detail) {
        ASSERT_EQ(run_to_end(), Event::ProcessEnd);
        const auto status = guest_->process().exit_status();
        EXPECT_EQ(status.kind, guest::ExitStatus::Kind::Signaled);
        EXPECT_EQ(status.value, SIGSEGV);
        EXPECT_NE(guest_->process().exit_detail().find(detail), std::string::npos)
            << guest_->process().exit_detail();
    }
    void write_step(std::uint64_t code_end, std::uint32_t step) {
        ASSERT_TRUE(memory().write(code_end - 4, &step, sizeof step));
    }

    e2k::test::ScratchDirectory directory_;
    std::unique_ptr<machine::Guest> guest_;
};

INSTANTIATE_TEST_SUITE_P(Tiers, CodeChange, testing::Values(Tier::Interpreter, Tier::Translator),
                         [](const auto& info) {
                             return info.param == Tier::Interpreter ? "Interpreter" : "Translator";
                         });

constexpr int kRwx = guest::kProtRead | guest::kProtWrite | guest::kProtExec;

TEST_P(CodeChange, SelfModifyingLoopSeesItsChanges) {
    start(kSelfModifying);
    EXPECT_EQ(run_to_end(), Event::ProcessEnd);
    const auto status = guest_->process().exit_status();
    EXPECT_EQ(status.kind, guest::ExitStatus::Kind::Exited) << guest_->process().exit_detail();
    EXPECT_EQ(status.value, 100 * 101 / 2 % 256);
    if (GetParam() == Tier::Translator) {
        EXPECT_GE(guest_->translator().stats().regions, 100u);
    }
}

TEST_P(CodeChange, WritesOfTheKernelReachTheCode) {
    start(kAdder);
    const std::uint64_t hot = symbol("hot"), end = symbol("hot_end");
    ASSERT_TRUE(memory().protect(hot, 4096, kRwx));
    expect_step(1);
    for (const std::uint32_t step : {1'000'003u, 65'537u, 999'983u}) {
        write_step(end, step);  // as read(2) into the page would
        expect_step(step);
    }
}

TEST_P(CodeChange, LosingPermissionStopsTheCode) {
    start(kAdder);
    expect_step(1);
    ASSERT_TRUE(memory().protect(symbol("hot"), 4096, guest::kProtRead));
    expect_death("SIGSEGV");
}

TEST_P(CodeChange, PermissionCanComeBack) {
    start(kAdder);
    const std::uint64_t hot = symbol("hot");
    expect_step(1);
    ASSERT_TRUE(memory().protect(hot, 4096, guest::kProtRead));
    ASSERT_TRUE(memory().protect(hot, 4096, guest::kProtRead | guest::kProtExec));
    expect_step(1);
}

TEST_P(CodeChange, UnmappedCodeStops) {
    start(kAdder);
    expect_step(1);
    ASSERT_TRUE(memory().unmap(symbol("hot"), 4096));
    expect_death("SIGSEGV");
}

TEST_P(CodeChange, AnotherMappingBringsOtherCode) {
    start(kAdder);
    const std::uint64_t hot = symbol("hot"), end = symbol("hot_end");
    expect_step(1);
    std::vector<std::uint8_t> page(4096);
    ASSERT_TRUE(memory().read(hot, page.data(), page.size()));
    const std::uint32_t step = 500'009;
    std::memcpy(&page[end - hot - 4], &step, sizeof step);
    ASSERT_TRUE(memory().map(hot, 4096, kRwx, true, false, -1, 0, ""));
    ASSERT_TRUE(memory().write(hot, page.data(), page.size()));
    expect_step(step);
}

TEST_P(CodeChange, MovedCodeRunsAtItsNewPlaceOnly) {
    start(kAdder);
    const std::uint64_t hot = symbol("hot");
    expect_step(1);
    const auto moved = memory().remap(hot, 4096, 4096, true, 0x50'0000'0000);
    ASSERT_TRUE(moved) << moved.error();
    ASSERT_EQ(*moved, 0x50'0000'0000u);
    runner().state().ip = *moved;
    runner().state().ctpr[0].base = *moved;
    expect_step(1);
    runner().state().ip = hot;
    expect_death("SIGSEGV");
}

// --- several threads on one translator ---

/// A state that executes `source` from kCode, without a process around it.
class Loop {
public:
    Loop(test::BareGuest& guest, Translator& translator)
        : translator_(translator), interpreter_(guest.view) {
        guest.attach(state_);
        stacks_.reserve(1u << 12, 1u << 6);
        stacks_.attach(state_);
    }
    cpu::CpuState& state() { return state_; }
    std::uint64_t count() const { return state_.window[0].lo; }
    cpu::Stop run() { return translator_.run(state_, interpreter_); }
    cpu::Stop run_region() { return translator_.run_region(state_, interpreter_); }
    cpu::Interpreter& interpreter() { return interpreter_; }

private:
    Translator& translator_;
    cpu::HardwareStacks stacks_;
    cpu::CpuState state_;
    cpu::Interpreter interpreter_;
};

isa::AssembledProgram assembled(std::string_view source) {
    auto program = isa::assemble_program(source);
    if (!program) throw std::runtime_error(program.error().front().describe("source"));
    return std::move(*program);
}

std::uint64_t symbol(const isa::AssembledProgram& program, std::string_view name) {
    for (const auto& symbol : program.symbols)
        if (symbol.name == name) return symbol.address;
    throw std::runtime_error("no symbol " + std::string(name));
}

class Concurrent : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(guest_.ready);
        program_ = assembled(e2k::test::kEndlessPair);
        const auto& text = program_.sections.front();
        ASSERT_EQ(text.address, test::kCode);
        guest_.poke(text.address, text.bytes.data(), text.bytes.size());
    }
    /// Runs `loop` on a thread of its own until it is interrupted while `act` works.
    template <class Act>
    cpu::Stop beside(Loop& loop, Act act) {
        cpu::Stop stop;
        std::thread runner([&] { stop = loop.run(); });
        act();
        loop.state().interrupt.fetch_or(1);
        runner.join();
        return stop;
    }

    test::BareGuest guest_;
    isa::AssembledProgram program_;
};

TEST_F(Concurrent, InvalidatingBesideTheRunningCode) {
    Translator translator(guest_.view, {});
    Loop loop(guest_, translator);
    const cpu::Stop stop = beside(loop, [&] {
        for (int i = 0; i < 300 || translator.stats().regions < 50; ++i) {
            translator.invalidate(test::kCode, test::kCode + test::kPage);
            std::this_thread::sleep_for(std::chrono::microseconds(100));
        }
    });
    EXPECT_EQ(stop.kind, cpu::StopKind::Interrupted);
    // Two bundles a round, four before the first.
    EXPECT_GT(loop.state().bundles, 1000u);
    EXPECT_NEAR(static_cast<double>(loop.count()),
                static_cast<double>(loop.state().bundles - 4) / 2, 1.0);
    EXPECT_GT(translator.stats().regions, 10u) << "the code was never translated again";
}

TEST_F(Concurrent, FlushingBesideTheRunningCode) {
    // The smallest cache: it is full after some hundred regions and must be emptied, while the
    // other thread is inside it.
    Translator translator(guest_.view, {.code_cache_bytes = 1});
    Loop loop(guest_, translator), other(guest_, translator);
    std::uint64_t flushes = 0;
    const cpu::Stop stop = beside(loop, [&] {
        for (int i = 0; i < 100'000 && flushes < 5; ++i) {
            translator.invalidate(test::kCode, test::kCode + test::kPage);
            other.state().interrupt = 1;  // one round of the loop, then out
            ASSERT_EQ(other.run_region().kind, cpu::StopKind::Budget);
            flushes = translator.stats().flushes;
        }
    });
    EXPECT_EQ(stop.kind, cpu::StopKind::Interrupted);
    EXPECT_GE(flushes, 5u);
    for (Loop* one : {&loop, &other})
        EXPECT_NEAR(static_cast<double>(one->count()),
                    static_cast<double>(one->state().bundles - 4) / 2, 1.0);
}

TEST_F(Concurrent, BreakpointsCutRunningRegions) {
    Translator translator(guest_.view, {});
    Loop loop(guest_, translator);
    const std::uint64_t middle = symbol(program_, "middle");
    for (int i = 0; i < 20; ++i) {
        // `middle` lies inside the region that starts at `hot`.
        std::thread setter([&] {
            std::this_thread::sleep_for(milliseconds(2));
            translator.set_breakpoints(std::vector{middle});
        });
        cpu::Stop stop = loop.run();
        setter.join();
        ASSERT_EQ(stop.kind, cpu::StopKind::Breakpoint);
        ASSERT_EQ(loop.state().ip, middle);
        // It holds until it is taken away.
        ASSERT_EQ(loop.run().kind, cpu::StopKind::Breakpoint);
        const std::uint64_t bundles = loop.state().bundles;
        ASSERT_EQ(loop.interpreter().step(loop.state()).kind, cpu::StopKind::Budget);
        ASSERT_EQ(loop.run().kind, cpu::StopKind::Breakpoint);
        ASSERT_EQ(loop.state().bundles, bundles + 2);
        translator.set_breakpoints({});
        const std::uint64_t before = loop.count();
        do {
            loop.state().interrupt = 0;
            stop = beside(loop, [] { std::this_thread::sleep_for(milliseconds(2)); });
            ASSERT_EQ(stop.kind, cpu::StopKind::Interrupted);
        } while (loop.count() == before);
        loop.state().interrupt = 0;
        ASSERT_GT(loop.count(), before);
    }
}

}  // namespace
}  // namespace e2k::translate
