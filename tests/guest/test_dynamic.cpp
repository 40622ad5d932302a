// Dynamically linked programs with the built-in linker and the C library bridge.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>

#include "engine/guest/libc/row.h"
#include "engine/guest/libc/stubs.h"
#include "tests/guest/run_loop.h"
#include "tests/support/dynamic_elf.h"

namespace e2k::guest {
namespace {

struct Result {
    ExitStatus exit;
    std::string output, detail, notice;
    std::vector<SyscallRecord> calls;
};

tl::expected<Result, std::string> run(const e2k::test::DynamicElf& program,
                                      ProcessOptions options = {}) {
    auto image = ElfImage::parse(program.bytes(), "guest");
    if (!image) return tl::unexpected(image.error());
    Result result;
    options.argv = {"guest"};
    options.environment = {"NAME=value"};
    options.log_syscalls = true;
    options.streams.output = [&](int, std::string_view text) { result.output += text; };
    options.streams.input = [](char*, std::size_t) { return std::size_t{0}; };
    auto process = Process::start(std::move(*image), options);
    if (!process) return tl::unexpected(process.error());
    (*process)->on_syscall([&](const SyscallRecord& call) { result.calls.push_back(call); });
    test::RunLoop loop(**process);
    result.exit = loop.run();
    result.detail = (*process)->exit_detail();
    result.notice = (*process)->notice();
    return result;
}

/// `_start` as compilers write it: the library calls main.
std::string with_main(std::string_view body) {
    return std::string(R"(
        begin
        main_arguments
        import __libc_start_main
main:   procedure
)") + std::string(body);
}

constexpr std::string_view kPutsAndSeven = R"(
        { addd 0, text, %db[0] }
        import puts
        { addd 0, 7, %dr0 }
        back
        .section .rodata
text:   .asciz "from main"
)";

TEST(Dynamic, MainRunsAndItsResultIsTheStatus) {
    const auto result = run({.source = with_main(kPutsAndSeven),
                             .functions = {"__libc_start_main", "puts"},
                             .objects = {}});
    ASSERT_TRUE(result) << result.error();
    EXPECT_EQ(result->output, "from main\n");
    EXPECT_EQ(result->exit.kind, ExitStatus::Kind::Exited) << result->detail;
    EXPECT_EQ(result->exit.value, 7);
    const auto call = std::ranges::find(result->calls, "puts", &SyscallRecord::name);
    ASSERT_NE(call, result->calls.end());
    EXPECT_TRUE(call->library);
    EXPECT_EQ(call->arguments, "\"from main\"");
}

TEST(Dynamic, HandlersRunLastInFirstOut) {
    const auto result = run({.source = with_main(R"(
        { addd 0, first, %db[0] }
        import atexit
        { addd 0, second, %db[0] }
        import atexit
        { addd 0, 3, %db[0] }
        import exit
first:  procedure
        { addd 0, text1, %db[0] }
        import puts
        back
second: procedure
        { addd 0, text2, %db[0] }
        import puts
        back
        .section .rodata
text1:  .asciz "one"
text2:  .asciz "two"
)"),
                             .functions = {"__libc_start_main", "puts", "atexit", "exit"},
                             .objects = {}});
    ASSERT_TRUE(result) << result.error();
    EXPECT_EQ(result->output, "two\none\n");
    EXPECT_EQ(result->exit.value, 3);
}

TEST(Dynamic, LongJumpReturnsToSetJump) {
    const auto result = run({.source = with_main(R"(
        { addd 0, buffer, %db[0] }
        import _setjmp
        { addd 0, %db[0], %dr0 }
        { nop 2
          cmpesb %r0, 0, %pred0 }
        { nop 4
          disp %ctpr1, again }
        { ct %ctpr1 ? %pred0 }
        back
again:  { nop 4
          disp %ctpr1, deeper }
        { call %ctpr1, wbs = CALL }
        { addd 0, 1, %dr0 }
        back
deeper: procedure
        { addd 0, buffer, %db[0]
          addd 0, 42, %db[1] }
        import longjmp
        .bss
        .align 16
buffer: .skip 256
)"),
                             .functions = {"__libc_start_main", "_setjmp", "longjmp"},
                             .objects = {}});
    ASSERT_TRUE(result) << result.error();
    EXPECT_EQ(result->exit.value, 42) << result->detail;
}

TEST(Dynamic, CopiedObjectsAreTheLibrarysOwn) {
    const auto result = run({.source = with_main(R"(
        { addd 0, environ_copy, %dr1 }
        { nop 2
          ldd [%dr1], %dr1 }
        { nop 2
          ldd [%dr1], %db[0] }
        import puts
        { addd 0, 0, %dr0 }
        back
)"),
                             .functions = {"__libc_start_main", "puts"},
                             .objects = {"environ"}});
    ASSERT_TRUE(result) << result.error();
    EXPECT_EQ(result->output, "NAME=value\n");
}

TEST(Dynamic, BadPointersFaultInTheStub) {
    const auto result = run({.source = with_main(R"(
        { addd 0, 16, %db[0] }
        import puts
        back
)"),
                             .functions = {"__libc_start_main", "puts"},
                             .objects = {}});
    ASSERT_TRUE(result) << result.error();
    EXPECT_EQ(result->exit.kind, ExitStatus::Kind::Signaled);
    EXPECT_EQ(result->exit.value, SIGSEGV);
    EXPECT_NE(result->detail.find("load from 0x10, not mapped, in puts called at 0x11"),
              std::string::npos)
        << result->detail;
}

TEST(Dynamic, MissingFunctionsStopTheProgramWhenItCallsThem) {
    e2k::test::DynamicElf program{.source = with_main(R"(
        { addd 0, text, %db[0] }
        import puts
        import curl_easy_init
        back
        .section .rodata
text:   .asciz "first"
)"),
                                  .functions = {"__libc_start_main", "puts", "curl_easy_init"},
                                  .objects = {},
                                  .needed = {"libcurl.so.4", "libc.so.6"}};
    const auto result = run(program);
    ASSERT_TRUE(result) << result.error();
    EXPECT_EQ(result->output, "first\n");
    EXPECT_NE(result->notice.find("libcurl.so.4"), std::string::npos) << result->notice;
    EXPECT_NE(result->notice.find("curl_easy_init"), std::string::npos) << result->notice;
    EXPECT_EQ(result->exit.kind, ExitStatus::Kind::Signaled);
    EXPECT_NE(result->detail.find("curl_easy_init"), std::string::npos) << result->detail;
    ProcessOptions strict;
    strict.strict_imports = true;
    const auto refused = run(program, strict);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().find("libcurl.so.4, curl_easy_init"), std::string::npos)
        << refused.error();
}

TEST(Dynamic, TheBridgeCannotBeReachedFromElsewhere) {
    const auto result = run({.source = with_main(R"(
        { nop 4
          sdisp %ctpr1, 0x1d
          addd 0, 64, %db[0] }
        { call %ctpr1, wbs = CALL }
        back
)"),
                             .functions = {"__libc_start_main"},
                             .objects = {}});
    ASSERT_TRUE(result) << result.error();
    EXPECT_EQ(result->exit.value, SIGILL) << result->detail;
}

TEST(Dynamic, NamesOfRowsAreUnique) {
    const auto rows = libc::library_rows();
    for (std::size_t i = 1; i < rows.size(); ++i) EXPECT_LT(rows[i - 1].name, rows[i].name);
}

TEST(Dynamic, EveryNameOfAFunctionInGuestCodeIsKnown) {
    std::vector<std::string_view> names;
    for (const libc::StubSymbol& symbol : libc::stub_symbols()) names.push_back(symbol.name);
    for (const char* name :
         {"longjmp", "_longjmp", "siglongjmp", "__longjmp_chk", "setjmp", "_setjmp", "__sigsetjmp"})
        EXPECT_NE(std::ranges::find(names, name), names.end()) << name;
}

/// Calls a function of the bridge that is guest code, as a compiled caller would.
class GuestCode : public ::testing::Test {
protected:
    static constexpr std::uint64_t kPage = cpu::kPageSize;

    void SetUp() override {
        const e2k::test::DynamicElf program{.source = with_main("        back\n"),
                                            .functions = {"__libc_start_main"},
                                            .objects = {}};
        auto image = ElfImage::parse(program.bytes(), "guest");
        ASSERT_TRUE(image) << image.error();
        ProcessOptions options;
        options.argv = {"guest"};
        auto started = Process::start(std::move(*image), options);
        ASSERT_TRUE(started) << started.error();
        process = std::move(*started);
        interpreter = std::make_unique<cpu::Interpreter>(process->memory().view());
        // Two pages with nothing behind them.
        const auto at =
            process->memory().map(0, 3 * kPage, kProtRead | kProtWrite, false, false, -1, 0, "");
        ASSERT_TRUE(at);
        area = *at;
        ASSERT_TRUE(process->memory().unmap(area + 2 * kPage, kPage));
    }
    std::uint64_t end() const { return area + 2 * kPage; }

    std::uint64_t call(const char* name, std::initializer_list<std::uint64_t> arguments) {
        const auto symbols = process->symbols();
        const Symbol* symbol = symbols->by_name(name);
        if (!symbol) {
            ADD_FAILURE() << name << " is not guest code";
            return 0;
        }
        cpu::CpuState& s = process->main_thread().state;
        s.wd = {16, 8, 1, 0, 0};
        unsigned k = 0;
        for (const std::uint64_t argument : arguments) s.window[k++].lo = argument;
        cpu::push_call(s, 0, cpu::kSentinelReturn);
        s.ip = symbol->address;
        const cpu::Stop stop = interpreter->run(s, 1'000'000);
        EXPECT_EQ(stop.kind, cpu::StopKind::SignalReturn) << name << " " << stop.trap.detail;
        return s.window[0].lo;
    }
    void store(std::uint64_t at, const std::string& bytes) {
        ASSERT_TRUE(process->memory().write(at, bytes.data(), bytes.size()));
    }
    std::string load(std::uint64_t at, std::size_t size) {
        std::string bytes(size, '\0');
        EXPECT_TRUE(process->memory().read(at, bytes.data(), size));
        return bytes;
    }

    std::unique_ptr<Process> process;
    std::unique_ptr<cpu::Interpreter> interpreter;
    std::uint64_t area = 0;
};

int sign(std::int64_t value) { return value < 0 ? -1 : value > 0 ? 1 : 0; }

TEST_F(GuestCode, TextsAreMeasuredComparedAndCopiedAsByTheHost) {
    std::mt19937 random(7);
    for (int i = 0; i < 2000; ++i) {
        // Few different bytes, some above 127; often right before memory that is not there.
        static constexpr char kBytes[] = {1, 2, 'a', '\x7f', '\x80', '\x81', '\xff'};
        std::string a(random() % 40, 'a'), b;
        for (char& c : a) c = kBytes[random() % sizeof kBytes];
        b = a;
        if (random() % 2 && !b.empty()) b[random() % b.size()] = kBytes[random() % sizeof kBytes];
        if (random() % 3 == 0) b.resize(random() % (b.size() + 1));
        const auto place = [&](std::uint64_t page_end, const std::string& text) {
            return page_end - text.size() - 1 - (random() % 2 ? random() % 16 : 0);
        };
        const std::uint64_t at_a = place(end(), a), at_b = place(end() - kPage, b);
        store(at_a, a + '\0');
        store(at_b, b + '\0');
        ASSERT_EQ(call("strlen", {at_a}), a.size());
        ASSERT_EQ(sign(static_cast<std::int64_t>(call("strcmp", {at_a, at_b}))),
                  sign(std::strcmp(a.c_str(), b.c_str())))
            << i;
        ASSERT_EQ(sign(static_cast<std::int64_t>(call("strcmp", {at_b, at_a}))),
                  sign(std::strcmp(b.c_str(), a.c_str())));
        const char wanted = random() % 8 ? kBytes[random() % sizeof kBytes] : '\0';
        const char* found = std::strchr(a.c_str(), wanted);
        ASSERT_EQ(call("strchr", {at_a, static_cast<std::uint64_t>(wanted)}),
                  found ? at_a + static_cast<std::uint64_t>(found - a.c_str()) : 0);
        store(area, std::string(64, '#'));
        ASSERT_EQ(call("strcpy", {area + 3, at_a}), area + 3);
        ASSERT_EQ(load(area, a.size() + 6), "###" + a + '\0' + "##");
    }
}

TEST_F(GuestCode, MemoryIsCopiedSetAndComparedAsByTheHost) {
    std::mt19937 random(9);
    for (int i = 0; i < 2000; ++i) {
        std::string a(random() % 150, '\0');
        for (char& c : a) c = static_cast<char>(random() % 3 * 100);
        const std::uint64_t from = end() - a.size() - (random() % 2 ? random() % 9 : 0);
        const std::uint64_t to = area + random() % 9;
        store(from, a);
        store(area, std::string(200, '#'));
        ASSERT_EQ(call("memcpy", {to, from, a.size()}), to);
        ASSERT_EQ(load(to, a.size() + 1), a + '#');
        std::string b = a;
        if (!b.empty() && random() % 2) b[random() % b.size()] = static_cast<char>(random());
        store(to, b);
        ASSERT_EQ(sign(static_cast<std::int32_t>(call("memcmp", {from, to, a.size()}))),
                  sign(std::memcmp(a.data(), b.data(), a.size())));
        const char c = static_cast<char>(random());
        ASSERT_EQ(call("memset", {to, 0xff00u | static_cast<std::uint8_t>(c), a.size()}), to);
        ASSERT_EQ(load(to, a.size() + 1), std::string(a.size(), c) + '#');
    }
}

TEST_F(GuestCode, LettersChangeTheirCase) {
    for (int c = -1; c < 300; ++c) {
        const bool lower = c >= 'a' && c <= 'z', upper = c >= 'A' && c <= 'Z';
        const auto argument = static_cast<std::uint32_t>(c) | 0xabcd'0000'0000ull;
        ASSERT_EQ(static_cast<std::int64_t>(call("toupper", {argument})), lower ? c - 32 : c);
        ASSERT_EQ(static_cast<std::int64_t>(call("tolower", {argument})), upper ? c + 32 : c);
    }
}

TEST_F(GuestCode, BadPointersFaultInTheFunction) {
    const auto symbols = process->symbols();
    for (const char* name : {"strlen", "strcmp", "strcpy", "strchr"}) {
        cpu::CpuState& s = process->main_thread().state;
        s.wd = {16, 8, 1, 0, 0};
        s.window[0].lo = s.window[1].lo = end();
        cpu::push_call(s, 0, cpu::kSentinelReturn);
        s.ip = symbols->by_name(name)->address;
        const cpu::Stop stop = interpreter->run(s, 1000);
        ASSERT_EQ(stop.kind, cpu::StopKind::Trapped) << name;
        if (std::string_view(name) != "strchr") continue;
        EXPECT_EQ(stop.trap.address, end());
    }
}

/// Programs with bytes changed: refused, or run for a while; never anything else.
TEST(Dynamic, DamagedProgramsDoNoHarm) {
    const e2k::test::DynamicElf program{.source = with_main(kPutsAndSeven),
                                        .functions = {"__libc_start_main", "puts", "malloc"},
                                        .objects = {"stdout"}};
    const std::vector<std::uint8_t> good = program.bytes();
    constexpr std::uint64_t kTables = e2k::test::DynamicElf::kTables - e2k::test::DynamicElf::kBase;
    std::mt19937_64 random(1);
    const char* all = std::getenv("E2K_MUTATIONS");
    const int cases = all ? std::atoi(all) : 500;
    int refused = 0;
    for (int i = 0; i < cases; ++i) {
        std::vector<std::uint8_t> bytes = good;
        const int changes = 1 + static_cast<int>(random() % 4);
        for (int k = 0; k < changes; ++k) {
            // Headers or tables; a byte, or a word of an awkward value.
            const std::uint64_t at =
                random() % 4 == 0 ? random() % 0xf0 : kTables + random() % (good.size() - kTables);
            static constexpr std::uint64_t kAwkward[] = {0,
                                                         1,
                                                         7,
                                                         8,
                                                         0xfff,
                                                         0x10000,
                                                         0x7fffffff,
                                                         0x80000000,
                                                         0xffffffff,
                                                         1ull << 40,
                                                         0x7fffffffffffffff,
                                                         0xffffffffffffff00,
                                                         ~0ull};
            const std::uint64_t value = kAwkward[random() % std::size(kAwkward)];
            if (random() % 2 == 0 || at + 8 > bytes.size())
                bytes[at] = static_cast<std::uint8_t>(random());
            else
                std::memcpy(bytes.data() + (at & ~7ull), &value, sizeof value);
        }
        const auto begin = std::chrono::steady_clock::now();
        auto image = ElfImage::parse(std::move(bytes), "guest");
        if (!image) {
            ++refused;
            continue;
        }
        ProcessOptions options;
        options.argv = {"guest"};
        options.streams.output = [](int, std::string_view) {};
        options.streams.input = [](char*, std::size_t) { return std::size_t{0}; };
        auto process = Process::start(std::move(*image), options);
        if (process) {
            Thread& thread = (*process)->main_thread();
            cpu::Interpreter interpreter((*process)->memory().view());
            Next next = Next::Continue;
            for (int round = 0; round < 50 && next == Next::Continue; ++round) {
                const cpu::Stop stop = interpreter.run(thread.state, 200);
                if (stop.kind == cpu::StopKind::SystemCall)
                    next = (*process)->system_call(thread, stop);
                else if (stop.kind == cpu::StopKind::Trapped)
                    next = (*process)->trap(thread, stop.trap);
            }
        } else {
            EXPECT_FALSE(process.error().empty());
            ++refused;
        }
        EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2))
            << "case " << i;
    }
    EXPECT_GT(refused, cases / 10);
    EXPECT_LT(refused, cases);
}

}  // namespace
}  // namespace e2k::guest
