// The gdb protocol over guests that are known bundle by bundle.
#include <chrono>
#include <csignal>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "engine/tools/gdb/signals.h"
#include "tests/tools/gdb_client.h"

namespace e2k::tools::gdb::test {
namespace {

/// main calls leaf(i) three times, which adds i to a counter; exit code 43.
class Counter : public testing::Test {
protected:
    static constexpr std::uint64_t kLeaf = 0x100f8;

    std::string path(const std::string& name = "gt") {
        const std::string to = (folder_.path() / name).string();
        std::ifstream file(data("gdb/" + name + ".s"));
        std::stringstream source;
        source << file.rdbuf();
        isa::ProgramSourceOptions options;
        options.iset = 3;
        const auto program = isa::assemble_program(source.str(), options);
        if (!program) throw std::runtime_error(program.error().front().describe(name));
        for (const isa::AssembledSymbol& symbol : program->symbols)
            if (symbol.name == "counter") counter_ = symbol.address;
        const auto elf = isa::write_elf(*program);
        std::ofstream(to, std::ios::binary)
            .write(reinterpret_cast<const char*>(elf.data()), std::ssize(elf));
        return to;
    }
    ScratchDirectory folder_;
    std::uint64_t counter_ = 0;  ///< address
};

TEST(Packets, AreTakenFromAStream) {
    PacketReader reader;
    reader.feed("+noise$g#67\x03$bad#00-$m10");
    const auto kinds = [&] {
        std::string all;
        while (const auto packet = reader.next())
            all += fmt::format("{}:{} ", static_cast<int>(packet->kind), packet->text);
        return all;
    };
    EXPECT_EQ(kinds(), "3: 0:g 1: 2: 4: ");
    reader.feed(",4#2e");
    EXPECT_EQ(kinds(), "0:m10,4 ");
    reader.feed("$lost$?#3f");
    EXPECT_EQ(kinds(), "0:? ") << "a frame that was cut off";
    EXPECT_EQ(escaped("a#$}*b"), "a}\x03}\x04}]}\nb");
    EXPECT_EQ(framed("g"), "$g#67");
    EXPECT_EQ(unescaped(escaped("a#$}*b")), "a#$}*b");
    reader.feed(std::string(PacketReader::kMostBytes + 100, '$'));
    EXPECT_EQ(kinds(), "2: ");
}

TEST(Signals, HaveTheNumbersOfGdb) {
    for (int signal = 1; signal <= 64; ++signal) EXPECT_EQ(from_gdb(to_gdb(signal)), signal);
    EXPECT_EQ(to_gdb(SIGALRM), 14);
    EXPECT_EQ(to_gdb(SIGUSR1), 30);
    EXPECT_EQ(to_gdb(SIGCHLD), 20);
    EXPECT_EQ(to_gdb(33), 45);
    EXPECT_EQ(from_gdb(0), 0);
    EXPECT_EQ(from_gdb(255), 0);
}

/// Lengths of `g`, and every register by itself.
TEST_F(Counter, RegistersHaveTheirPlaces) {
    const std::map<int, std::size_t> lengths{{2, 4596}, {3, 4604}, {4, 4604}, {5, 4908}, {6, 4948}};
    const std::map<int, std::size_t> counts{{2, 841}, {3, 842}, {4, 842}, {5, 908}, {6, 913}};
    const std::string program = path();
    for (const auto& [iset, length] : lengths) {
        SCOPED_TRACE(iset);
        Client client(program, iset);
        const std::string all = client("g");
        EXPECT_EQ(all.size(), 2 * length);
        std::string pieces;
        for (unsigned number = 0; number < kRegisters; ++number) {
            const std::string one = client(fmt::format("p{:x}", number));
            if (!one.starts_with("E")) pieces += one;
        }
        const std::size_t clock = 2 * 2496;  // %clkr goes on
        EXPECT_EQ(pieces.substr(0, clock), all.substr(0, clock));
        EXPECT_EQ(pieces.substr(clock + 16), all.substr(clock + 16));
        EXPECT_EQ(client("p29e"), "E01");

        std::string text;
        for (std::string part; text.empty() || part.front() != 'l';) {
            part = client(fmt::format("qXfer:features:read:target.xml:{:x},100", text.size()));
            ASSERT_FALSE(part.empty());
            text += unescaped(std::string_view(part).substr(1));
        }
        EXPECT_NE(text.find(fmt::format("<architecture>elbrus-v{}:64<", iset)), std::string::npos);
        std::set<std::string> names;
        for (std::size_t at = 0; (at = text.find("<reg name=\"", at)) != std::string::npos;) {
            at += 11;
            names.insert(text.substr(at, text.find('"', at) - at));
        }
        EXPECT_EQ(names.size(), counts.at(iset));
        for (const char* name : {"_sizeof", "aad31_hi", "tir_18_hi", "_e2k_quad_stack", "_r63",
                                 "_b127", "_pred31", "_tagged128", "ctpr3", "_dummy_6", "mlt_15"})
            EXPECT_TRUE(names.contains(name)) << name;
    }
}

TEST(Gdb, TheStartIsTheEndOfTheChain) {
    Client client(guest("hello"));
    EXPECT_EQ(client("?").substr(0, 16), "T05thread:p1.1;2");
    EXPECT_EQ(client.pc(), 0x100b0u);
    EXPECT_EQ(client.chain_index(), 0x20u);
    EXPECT_EQ(client.memory(client.chain_base(), 32), std::vector<std::uint8_t>(32));
    EXPECT_EQ(client.reg(654), client.chain_base());
    EXPECT_EQ(client.reg(2), 0x20u);
    EXPECT_EQ(client.reg(334) >> 16, 0u);
    EXPECT_EQ(client.procedure_index(), 32 * client.window_size());
    EXPECT_EQ(client("vMustReplyEmpty"), "");
    EXPECT_EQ(client("qC"), "QCp1.1");
    EXPECT_EQ(client("qXfer:exec-file:read:1:0,1000"), "l" + guest("hello"));
    EXPECT_EQ(client("qXfer:auxv:read::0,1000").front(), 'l');
}

TEST(Gdb, ABreakpointIsNoticedAndNotSeen) {
    Client client(guest("hello"));
    const auto code = client.memory(0x100c0, 16);
    EXPECT_EQ(client("Z0,100c0,8"), "OK");
    EXPECT_EQ(client.go_on().substr(0, 12), "T05swbreak:;");
    EXPECT_EQ(client.pc(), 0x100c0u);
    EXPECT_EQ(client.memory(0x100c0, 16), code);
    EXPECT_EQ(client("z0,100c0,8"), "OK");
    EXPECT_EQ(client.step().substr(0, 4), "T05t");
    EXPECT_EQ(client.pc(), 0x100e8u) << "a system call is one step";
    EXPECT_EQ(client.word(client.place_of(8, 2)), 14u);
    EXPECT_EQ(client.go_on(), "W00;process:1");
    EXPECT_EQ(client.output, "Hello, Elbrus\n");
}

TEST_F(Counter, CallersLieOnTheStacks) {
    Client client(path());
    client("Z0,100f8,8");
    client.go_on();
    const std::uint64_t chain = client.chain_base(), registers = client.procedure_base();
    EXPECT_EQ(client.chain_index(), 0x60u);
    EXPECT_EQ(client.word(chain + 0x28), 0x10020u);
    EXPECT_EQ(client.word(chain + 0x30) >> 33 & 127, 4u);
    EXPECT_EQ(client.word(chain + 0x48), 0x10088u);
    EXPECT_EQ(client.word(chain + 0x50) >> 33 & 127, 6u);
    EXPECT_EQ(client.word(Client::register_at(registers + 0x80, 5, 3)), 0x55u) << "main's %r5";
    const std::uint64_t bottom = (client.reg(47) & Client::kAddress) - (client.reg(48) >> 32);
    EXPECT_EQ(bottom + 16 * (client.word(chain + 0x58) >> 36), client.reg(47) & Client::kAddress);
    const std::uint64_t stack = client.reg(47);
    client("z0,100f8,8");
    client.step();
    EXPECT_EQ(client.window_size(), 8u);
    EXPECT_EQ(client.procedure_index(), 0x240u);
    EXPECT_EQ(client.reg(47), stack - 16);
    EXPECT_EQ((client.reg(47) & Client::kAddress) - (client.reg(48) >> 32), bottom);
    // Versions from 5 on keep the extension beside each value.
    Client other(path(), 5);
    other("Z0,100f8,8");
    other.go_on();
    EXPECT_EQ(other.word(other.procedure_base() + 0x80 + 0x50), 0x55u);
}

TEST_F(Counter, WritesReachTheMachine) {
    Client client(path());
    client("Z0,100f8,8");
    client.go_on();
    client.go_on();
    const std::uint64_t r0 = client.place_of(0, 3);
    EXPECT_EQ(client.word(r0), 1u);
    EXPECT_EQ(client(fmt::format("M{:x},8:0700000000000000", r0)), "OK");
    EXPECT_EQ(client.word(r0), 7u);
    EXPECT_EQ(client("P8=7700000000000000"), "OK");
    EXPECT_EQ(client.reg(8), 0x77u);
    EXPECT_EQ(client("P386=0000000000000000"), "OK");
    EXPECT_EQ(client(fmt::format("qXfer:tags:read::{:x},2", r0)), std::string("l\0\0", 3));
    client(std::string(fmt::format("qXfer:tags:write::{:x}:", r0)) + std::string("\1\0", 2));
    EXPECT_EQ(client(fmt::format("qXfer:tags:read::{:x},2", r0)), std::string("l\1\0", 3));
    client(std::string(fmt::format("qXfer:tags:write::{:x}:", r0)) + std::string("\0\0", 2));
    client("z0,100f8,8");
    EXPECT_EQ(client.go_on().substr(0, 3), "W31");  // 49 instead of 43
    EXPECT_EQ(client("M0,8:0000000000000000"), "E14");
}

TEST_F(Counter, APredicateTurnsTheLoop) {
    Client client(path());
    client("Z0,100a8,8");
    client.go_on();
    const std::uint64_t predicates = client.reg(52);
    EXPECT_EQ(predicates >> 2 & 1, 1u);
    const std::uint64_t changed = predicates & ~4ull;
    EXPECT_EQ(client("P34=" + to_hex({reinterpret_cast<const std::uint8_t*>(&changed), 8})), "OK");
    client("z0,100a8,8");
    EXPECT_EQ(client.go_on().substr(0, 3), "W28");
}

TEST_F(Counter, CodeCanBeWritten) {
    Client client(path());
    const auto code = client.memory(kLeaf, 8);
    EXPECT_EQ(client(fmt::format("M{:x},8:{}", kLeaf, to_hex(code))), "OK");
    EXPECT_EQ(client.go_on().substr(0, 3), "W2b");
}

struct WatchCase {
    const char* packet;
    std::uint64_t pc;
    unsigned count;
    const char* reason;
};
class Watches : public Counter, public testing::WithParamInterface<WatchCase> {};

/// Both tiers execute the program; the watchpoint is met after the bundle that touches the counter.
TEST_P(Watches, StopAfterTheAccess) {
    const WatchCase& test = GetParam();
    Client client(path());
    EXPECT_EQ(client(fmt::format("{},{:x},8", test.packet, counter_)), "OK");
    const std::string reason = fmt::format("{}:{:x};", test.reason, counter_);
    unsigned count = 0;
    std::string reply;
    while ((reply = client.go_on()).front() == 'T' && count < 20) {
        EXPECT_NE(reply.find(reason), std::string::npos) << reply;
        if (count++ == 0) {
            EXPECT_EQ(client.pc(), test.pc);
        }
    }
    EXPECT_EQ(count, test.count);
    EXPECT_EQ(reply.substr(0, 3), "W2b");
}
INSTANTIATE_TEST_SUITE_P(Kinds, Watches,
                         testing::Values(WatchCase{"Z2", 0x10148, 3, "watch"},
                                         WatchCase{"Z3", 0x10130, 3, "rwatch"},
                                         WatchCase{"Z4", 0x10130, 6, "awatch"}),
                         [](const auto& info) { return info.param.packet; });

TEST_F(Counter, AWatchElsewhereOnThePageIsNotMet) {
    Client client(path());
    client(fmt::format("Z4,{:x},8", counter_ + 16));
    EXPECT_EQ(client.go_on().substr(0, 3), "W2b");
}

TEST(Gdb, WhatTheKernelWritesIsWatchedToo) {
    Client client(guest("sysinfo"));
    // Whatever the program reads its answers into: the page of its stack pointer.
    const std::uint64_t stack = client.reg(47) & Client::kAddress;
    EXPECT_EQ(client(fmt::format("Z2,{:x},1000", (stack - 0x1000) & ~7ull)), "OK");
    const std::string reply = client.go_on();
    EXPECT_TRUE(reply.front() == 'T' || reply.front() == 'W') << reply;
}

TEST_F(Counter, AnEndlessLoopIsInterrupted) {
    Client client(path("spin"));
    std::atomic<bool> wanted{false};
    client.interrupted = [&] { return wanted.exchange(false); };
    std::uint64_t last = 0;
    for (int round = 0; round < 2; ++round) {
        std::thread keys([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            wanted = true;
            client.debuggee->interrupt();
        });
        EXPECT_EQ(client("c").substr(0, 3), "T02");
        keys.join();
        const std::uint64_t now = client.word(client.place_of(0, 3));
        EXPECT_GT(now, last);
        last = now;
    }
}

TEST(Gdb, SystemCallsAreCaught) {
    Client client(guest("hello"));
    EXPECT_EQ(client("QCatchSyscalls:1;4"), "OK");
    EXPECT_EQ(client.go_on().substr(0, 18), "T05syscall_entry:4");
    EXPECT_EQ(client.pc(), 0x100e8u);
    EXPECT_EQ(client.reg(1), 4u);
    EXPECT_EQ(client.word(client.place_of(8, 2)) & 0xffff'ffff, 4u);
    EXPECT_EQ(client.go_on().substr(0, 19), "T05syscall_return:4");
    EXPECT_EQ(client.word(client.place_of(8, 2)), 14u);
    EXPECT_EQ(client("QCatchSyscalls:0"), "OK");
    EXPECT_EQ(client.go_on(), "W00;process:1");
}

TEST(Gdb, ASignalIsSeenBeforeItsHandler) {
    Client client(guest("sig_segv_catch"));
    EXPECT_EQ(client.go_on().substr(0, 3), "T0b");
    EXPECT_EQ(client.pc(), 0x11968u);
    EXPECT_EQ(client.reg(441) >> 29 & 1, 1u) << "exc_data_page";
    const std::string information = client("qXfer:siginfo:read::0,1000");
    EXPECT_EQ(information.substr(0, 2), "l\x0b");
    // Without the signal the access happens again.
    EXPECT_EQ(client("vCont;c:p1.1").substr(0, 3), "T0b");
    EXPECT_EQ(client("vCont;C0b:p1.1").substr(0, 3), "W05");
}

TEST(Gdb, AHandlerHasTwoRecords) {
    Client client(guest("sig_alarm"));
    EXPECT_EQ(client("QPassSignals:e;1e;1f;10;14;17"), "OK");
    client("Z0,11738,8");
    EXPECT_EQ(client.go_on().substr(0, 12), "T05swbreak:;");
    const std::uint64_t end = client.chain_base() + client.chain_index();
    EXPECT_EQ(client.word(end - 24) & 0xe200'0000'0000, 0xe200'0000'0000u);
    const std::uint64_t interrupted = client.word(end - 56);
    EXPECT_TRUE(interrupted >= 0x10000 && interrupted < 0x12000) << std::hex << interrupted;
}

TEST(Gdb, ThreadsAreListedAndStandStill) {
    Client client(guest("threads_futex"));
    client("Z0,11c20,8");
    ASSERT_EQ(client.go_on().substr(0, 12), "T05swbreak:;");
    const auto threads = client.debuggee->threads();
    ASSERT_GE(threads.size(), 2u);
    const unsigned worker = threads.back();
    EXPECT_NE(client("qfThreadInfo").find(fmt::format("p1.{:x}", worker)), std::string::npos);
    std::vector<std::uint64_t> places;
    for (const unsigned number : threads)
        places.push_back(client.debuggee->stopped(number).state->ip);
    client("z0,11c20,8");
    client(fmt::format("vCont;s:p1.{:x}", client.session->last_stop().thread));
    for (std::size_t i = 0; i < threads.size(); ++i) {
        if (threads[i] == client.session->last_stop().thread) continue;
        EXPECT_EQ(client.debuggee->stopped(threads[i]).state->ip, places[i]) << threads[i];
    }
    EXPECT_EQ(client("T" + fmt::format("p1.{:x}", worker)), "OK");
    EXPECT_EQ(client("Tp1.77"), "E02");
    EXPECT_EQ(client.go_on().substr(0, 3), "W00");
}

TEST(Gdb, AForkIsReportedAndTheChildRunsOn) {
    Client client(guest("pipe_fork"));
    const std::string reply = client.go_on();
    ASSERT_NE(reply.find("fork:p"), std::string::npos) << reply;
    const std::string child = reply.substr(reply.find("fork:p") + 6, reply.find('.') - 11);
    EXPECT_EQ(client("D;" + child), "OK");
    std::string last;
    while ((last = client.go_on()).front() == 'T') {
        if (last.substr(0, 3) != "T05") client(fmt::format("QPassSignals:{}", last.substr(1, 2)));
    }
    EXPECT_EQ(last.substr(0, 3), "W00");
}

/// "print leaf(5)" at main, as gdb does it.
TEST_F(Counter, GoesBack) {
    Client client(path());
    const std::string begin = client("bs");
    EXPECT_EQ(begin.substr(0, 20), "T05replaylog:begin;t") << begin;
    std::vector<std::string> states;
    for (int i = 0; i < 6; ++i) {
        states.push_back(client("g"));
        client.step();
    }
    for (std::size_t i = states.size(); i-- > 0;) {
        EXPECT_EQ(client("bs").substr(0, 3), "T05");
        std::string state = client("g");
        // All but the clock.
        EXPECT_EQ(state.substr(0, 2 * 2496), states[i].substr(0, 2 * 2496)) << i;
    }
    EXPECT_EQ(client("P35=f800010000000000"), "E01") << "the past stays as it was";
    EXPECT_EQ(client(fmt::format("M{:x},1:00", counter_)), "E14");
    EXPECT_NE(client("bs").find("replaylog:begin"), std::string::npos);

    // Forward into what has not been executed yet, and back to breakpoints.
    client(fmt::format("Z0,{:x},8", kLeaf));
    for (std::uint64_t before : {40u, 41u, 43u}) {
        EXPECT_NE(client.go_on().find("swbreak"), std::string::npos);
        EXPECT_EQ(client.pc(), kLeaf);
        if (before == 40) {
            EXPECT_EQ(client.word(counter_), before);
        }
    }
    const std::uint64_t third = client.word(counter_);
    EXPECT_NE(client("bc").find("swbreak"), std::string::npos);
    EXPECT_EQ(client.pc(), kLeaf);
    EXPECT_LT(client.word(counter_), third);
    EXPECT_NE(client("bc").find("swbreak"), std::string::npos);
    EXPECT_EQ(client.word(counter_), 40u);
    EXPECT_NE(client("bc").find("replaylog:begin"), std::string::npos);
    client(fmt::format("z0,{:x},8", kLeaf));
    // A watchpoint, from the end of what has been executed.
    client(fmt::format("Z2,{:x},8", counter_));
    EXPECT_NE(client.go_on().find("watch"), std::string::npos);
    const std::uint64_t after = client.pc();
    EXPECT_NE(client("bc").find("watch"), std::string::npos);
    EXPECT_LT(client.pc(), after) << "before the store";
    client(fmt::format("z2,{:x},8", counter_));
    client("qRcmd," + to_hex(std::string("goto 3")));
    EXPECT_EQ(client("g").substr(0, 2 * 2496), states[3].substr(0, 2 * 2496));
    client("qRcmd," + to_hex(std::string("history")));
    EXPECT_NE(client.session->console.back().find("here: bundle 3"), std::string::npos);
    EXPECT_EQ(client.go_on().substr(0, 3), "W2b") << "forward again, to the end";
}

TEST_F(Counter, ChangesByTheDebuggerAreHistoryToo) {
    Client client(path());
    client.step();
    const std::uint64_t before = client.reg(8);
    EXPECT_EQ(client("P8=7700000000000000"), "OK");
    EXPECT_EQ(client(fmt::format("M{:x},1:07", counter_)), "OK");
    client.step();
    EXPECT_EQ(client("bs").substr(0, 3), "T05");
    EXPECT_EQ(client.reg(8), 0x77u);
    client("bs");
    client("bs");
    EXPECT_EQ(client.reg(8), before);
    EXPECT_EQ(client.word(counter_) & 0xff, 40u);
    client.go_on();
}

TEST_F(Counter, AFunctionIsCalled) {
    Client client(path());
    client("Z0,10040,8");
    client.go_on();
    client("z0,10040,8");
    std::string before = client("g");
    const std::uint64_t stack = client.reg(47), offset = client.reg(2);
    const std::string zero(16, '0'), one = "0100000000000000", five = "0500000000000000";
    for (const std::string& packet :
         {"P295=" + one, std::string("P296=0100010000000000"), "P297=" + one,
          std::string("P298=f1ffffffffffffff"), "P29b=" + one + zero + five + "00",
          "P29a=" + one + zero + five + "00", "P299=" + one, std::string("P35=f800010000000000")})
        EXPECT_EQ(client(packet), "OK") << packet;
    client("Z0,10000,8");
    client.go_on();
    EXPECT_EQ(client.pc(), 0x10000u);
    EXPECT_EQ(client.window_size(), 5u);
    EXPECT_EQ(client.reg(47), stack - 16);
    const auto b0 = static_cast<unsigned>(2 * (client.reg(55) & 63));
    EXPECT_EQ(client.word(client.place_of(b0, 3)), 45u);
    client("z0,10000,8");
    EXPECT_EQ(client("P2=" + to_hex({reinterpret_cast<const std::uint8_t*>(&offset), 8})), "OK");
    std::string after = client("g");
    for (std::string* all : {&before, &after}) all->replace(2 * 2496, 16, 16, '0');
    EXPECT_EQ(after, before);
    EXPECT_EQ(client.go_on().substr(0, 3), "W30");
}

TEST_F(Counter, MonitorCommandsAnswer) {
    Client client(path());
    EXPECT_EQ(client("qRcmd," + to_hex("help")), "OK");
    ASSERT_FALSE(client.session->console.empty());
    EXPECT_NE(client.session->console.back().find("monitor syscalls"), std::string::npos);
    client("Z0,100f8,8");
    client.go_on();
    client("qRcmd," + to_hex("quality"));
    EXPECT_NE(client.session->console.back().find("bundles"), std::string::npos);
}

/// Whatever arrives has one answer, and the guest can still be ended.
TEST_F(Counter, RandomPacketsDoNoHarm) {
    const std::string program = path();
    std::mt19937 random(7);
    auto client = std::make_unique<Client>(program);
    const std::vector<std::string> known{"?",
                                         "g",
                                         "p35",
                                         "P35=f800010000000000",
                                         "m10040,20",
                                         "Mffff,1:00",
                                         "Z0,100f8,8",
                                         "Z2,11210,8",
                                         "z2,11210,8",
                                         "vCont;c",
                                         "bs",
                                         "bc",
                                         "vCont;s:p1.1",
                                         "s",
                                         "Hgp1.1",
                                         "qXfer:features:read:target.xml:0,100",
                                         "qXfer:threads:read::0,1000",
                                         "qRcmd,68656c70",
                                         "QPassSignals:e;f",
                                         "QCatchSyscalls:1",
                                         "X10040,0:",
                                         "P297=0100000000000000",
                                         "P298=f1ffffffffffffff",
                                         "P299=0100000000000000",
                                         "qXfer:tags:read::e000000000,8"};
    std::mutex mutex;
    std::atomic<bool> end{false};
    std::thread ticker([&] {  // as bytes that arrive while the guest runs
        while (!end) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            const std::lock_guard lock(mutex);
            client->debuggee->interrupt();
        }
    });
    for (int i = 0; i < 10'000; ++i) {
        std::string packet = known[random() % known.size()];
        for (unsigned k = random() % 4; k > 0 && !packet.empty(); --k) switch (random() % 3) {
                case 0:
                    packet[random() % packet.size()] = static_cast<char>(random());
                    break;
                case 1:
                    packet.erase(random() % packet.size());
                    break;
                default:
                    packet.insert(random() % packet.size(), 1,
                                  "0123456789abcdef;:,-"[random() % 20]);
            }
        int asked = 0;
        client->interrupted = [&] { return ++asked > 3; };
        const auto answer = client->session->answer(packet, [&] { return client->interrupted(); });
        EXPECT_TRUE(answer || client->session->killed) << packet;
        client->session->console.clear();
        if (client->session->killed || client->session->detached ||
            client->session->last_stop().ended()) {
            // One after the other: with its repetition each takes up two address spaces.
            const std::lock_guard lock(mutex);
            client.reset();
            client = std::make_unique<Client>(program);
        }
    }
    end = true;
    ticker.join();
}

}  // namespace
}  // namespace e2k::tools::gdb::test
