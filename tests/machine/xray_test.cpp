// The x-ray of a bundle says what the step then does: on every bundle that the demos execute, and
// on random ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include <fmt/format.h>

#include "app/scratch_directory.h"
#include "engine/cpu/interpreter.h"
#include "engine/machine/guest.h"
#include "engine/machine/source_lines.h"
#include "engine/machine/xray.h"
#include "tests/support/assembled_guest.h"

namespace e2k::machine {
namespace {

namespace fs = std::filesystem;

const fs::path kDemos = fs::path(E2K_SOURCE_DIR) / "assets/demo";
constexpr int kSteps = 6000;  ///< of one demo

std::unique_ptr<Guest> start(const std::string& path) {
    GuestOptions options;
    options.process.argv = {path};
    options.tier = Tier::Interpreter;
    options.process.streams.output = [](int, std::string_view) {};
    auto guest = Guest::start(path, std::move(options));
    return guest ? std::move(*guest) : nullptr;
}

/// What a place holds now, without the bits that the x-ray does not speak of.
XrayValue held(const cpu::CpuState& s, const XrayWrite& write) {
    XrayValue value = write.after;
    const auto reg = [&](const cpu::Reg& r, std::uint8_t tag) {
        const unsigned bits = write.after.bits;
        value.lo = bits < 64 ? r.lo & ((1ull << bits) - 1) : r.lo;
        value.ext = bits > 64 ? r.ext : 0;
        value.tag = tag;
    };
    const std::uint32_t at = write.place.index;
    switch (write.place.kind) {
        case XrayPlace::Kind::File:
            reg(s.window_file[at], s.tag_file[at]);
            break;
        case XrayPlace::Kind::Global:
            reg(s.g[at], s.g_tags[at]);
            break;
        case XrayPlace::Kind::Predicate:
            value.lo = s.pred[at] & cpu::kPredValue;
            value.tag = s.pred[at] & cpu::kPredTag ? 1 : 0;
            break;
        case XrayPlace::Kind::Ctpr:
            value.lo = s.ctpr[at - 1].base;
            break;
        default:
            break;
    }
    return value;
}

std::string text_of(const XrayValue& v) {
    return fmt::format("{:#x}:{:#x} tag {} of {} bits", v.ext, v.lo, v.tag, v.bits);
}

/// Compares a picture taken before a step with the state behind it; returns how many values.
std::size_t compare(const Xray& xray, const cpu::CpuState& s, const cpu::MemoryView& memory) {
    std::size_t values = 0;
    for (const XrayOperation& op : xray.operations) {
        for (const XrayWrite& write : op.writes) {
            const XrayValue now = held(s, write);
            // A predicate's bits may have moved with a call; its file is another one then.
            if (write.place.kind == XrayPlace::Kind::Predicate && xray.taken) continue;
            EXPECT_EQ(text_of(now), text_of(write.after))
                << fmt::format("{:#x} {}: {}", xray.address, op.text, write.name);
            ++values;
        }
        for (const XrayStore& store : op.stores) {
            std::vector<std::uint8_t> now(store.after.size());
            EXPECT_TRUE(memory.copy_out(store.address, now.data(), now.size()));
            EXPECT_EQ(now, store.after) << fmt::format("{:#x} {}", xray.address, op.text);
            ++values;
        }
    }
    EXPECT_EQ(s.ip, xray.next) << fmt::format("{:#x}", xray.address);
    return values;
}

TEST(Xray, EqualsEveryStepOfTheDemos) {
    std::size_t values = 0, stores = 0, wrong_in_order = 0, crossings = 0;
    for (const auto& entry : fs::directory_iterator(kDemos)) {
        if (entry.path().extension() != ".s") continue;
        SCOPED_TRACE(entry.path().filename().string());
        auto guest = start(entry.path().string());
        ASSERT_TRUE(guest);
        Runner& runner = guest->main();
        const cpu::MemoryView memory = guest->process().memory().view();
        XrayLens lens;
        for (int n = 0; n < kSteps && !::testing::Test::HasFailure(); ++n) {
            const auto xray = lens.look(memory, runner.state());
            ASSERT_TRUE(xray);
            const std::uint64_t before = runner.state().ip;
            ASSERT_EQ(xray->address, before);
            const Event event = runner.step();
            if (event == Event::ProcessEnd) break;
            if (!xray->trap.empty()) {
                EXPECT_NE(runner.state().ip, xray->address + 8) << "it trapped";
                continue;
            }
            if (!xray->call.empty()) continue;  // the kernel has written registers of its own
            values += compare(*xray, runner.state(), memory);
            wrong_in_order += xray->wrong_in_order;
            for (const XrayOperation& op : xray->operations) {
                stores += op.stores.size();
                for (const XrayRead& read : op.reads) crossings += read.crosses >= 0;
            }
        }
    }
    EXPECT_GT(values, 10'000u);
    EXPECT_GT(stores, 100u);
    EXPECT_GE(wrong_in_order, 5u);
    EXPECT_GT(crossings, 10u);
}

TEST(Xray, LooksWithoutChangingAnything) {
    auto guest = start((kDemos / "factorial.s").string());
    ASSERT_TRUE(guest);
    Runner& runner = guest->main();
    const cpu::CpuState& s = runner.state();
    const cpu::MemoryView memory = guest->process().memory().view();
    XrayLens lens;
    for (int n = 0; n < 300; ++n) {
        std::vector<std::uint64_t> before;
        for (unsigned i = 0; i < s.wd.size; ++i) before.push_back(s.window[i].lo);
        const auto predicates = s.pred;
        const std::uint64_t ip = s.ip, bundles = s.bundles;
        std::array<std::uint8_t, 64> bytes{}, again{};
        ASSERT_TRUE(memory.copy_out(s.usd_base - 64, bytes.data(), bytes.size()));
        ASSERT_TRUE(lens.look(memory, s));
        ASSERT_TRUE(memory.copy_out(s.usd_base - 64, again.data(), again.size()));
        for (unsigned i = 0; i < s.wd.size; ++i) ASSERT_EQ(s.window[i].lo, before[i]);
        ASSERT_EQ(predicates, s.pred);
        ASSERT_EQ(ip, s.ip);
        ASSERT_EQ(bundles, s.bundles);
        ASSERT_EQ(bytes, again);
        if (runner.step() == Event::ProcessEnd) break;
    }
}

/// Bundles of the demos with other operands, on registers full of numbers and addresses.
TEST(Xray, EqualsTheStepOnRandomBundles) {
    auto guest = start((kDemos / "array_prefetch.s").string());
    ASSERT_TRUE(guest);
    Runner& runner = guest->main();
    cpu::CpuState& s = runner.state();
    const cpu::MemoryView memory = guest->process().memory().view();
    ASSERT_EQ(runner.step(), Event::Budget);  // setwd
    const auto lines = source_lines((kDemos / "array_prefetch.s").string());
    ASSERT_TRUE(lines);
    std::mt19937 random(7);
    cpu::Interpreter interpreter(memory);
    XrayLens lens;
    std::size_t executed = 0, values = 0;
    const std::uint64_t home = s.ip, data = s.usd_base - 512;
    const auto br = s.br;
    const auto wd = s.wd;
    for (int n = 0; n < 20'000 && !::testing::Test::HasFailure(); ++n) {
        const SourceLine& line = lines->lines[random() % lines->lines.size()];
        std::array<std::uint8_t, 64> bytes{};
        const std::size_t size = std::min<std::size_t>(line.end - line.address, bytes.size());
        if (!memory.copy_out(line.address, bytes.data(), size)) continue;
        // Operands and opcodes of some lanes; what is no bundle any more is left out.
        for (unsigned k = 0; k < 3; ++k)
            if (size > 8) bytes[4 + random() % (size - 4)] = static_cast<std::uint8_t>(random());
        const auto bundle = isa::decode(std::span(bytes.data(), size), home, s.iset);
        if (!bundle || bundle->length != size || !isa::check_legal(*bundle).legal) continue;
        if (bundle->cs1.call || bundle->cs1.present || bundle->ss.ctop || bundle->ss.bap) continue;
        for (unsigned i = 0; i < s.wd.size; ++i) {
            s.window[i].lo = random() % 3 ? random() % 64 : data + 8 * (random() % 32);
            s.window_tags[i] = 0;
        }
        for (auto& predicate : s.pred) predicate = random() & 1;
        s.ip = home;
        s.br = br;
        s.wd = wd;
        const auto xray = lens.look(memory, s, *bundle);
        ASSERT_TRUE(xray);
        const cpu::Stop stop = interpreter.execute(s, *bundle);
        if (stop.kind != cpu::StopKind::Budget) {
            EXPECT_FALSE(xray->trap.empty() && xray->call.empty() &&
                         stop.kind == cpu::StopKind::Trapped);
            continue;
        }
        EXPECT_EQ(xray->trap, "");
        ++executed;
        values += compare(*xray, s, memory);
    }
    EXPECT_GT(executed, 1000u);
    EXPECT_GT(values, 2000u);
}

TEST(Xray, SaysWhatWouldBeWrongOneByOne) {
    auto guest = start((kDemos / "swap.s").string());
    ASSERT_TRUE(guest);
    Runner& runner = guest->main();
    XrayLens lens;
    std::shared_ptr<const Xray> xray;
    for (int n = 0; n < 10; ++n) {
        xray = lens.look(guest->process().memory().view(), runner.state());
        ASSERT_TRUE(xray);
        if (xray->wrong_in_order) break;
        runner.step();
    }
    // %dr0 = 1, %dr1 = 2 are exchanged; one by one both would be 2.
    ASSERT_TRUE(xray->wrong_in_order);
    ASSERT_GE(xray->operations.size(), 2u);
    const XrayOperation &a = xray->operations[0], &b = xray->operations[1];
    ASSERT_EQ(a.writes.size(), 1u);
    ASSERT_EQ(b.writes.size(), 1u);
    EXPECT_EQ(a.writes[0].after.lo, 2u);
    EXPECT_EQ(b.writes[0].after.lo, 1u);
    EXPECT_EQ(a.writes[0].before.lo, 1u);
    EXPECT_FALSE(a.writes[0].sequential);
    ASSERT_TRUE(b.writes[0].sequential);
    EXPECT_EQ(b.writes[0].sequential->lo, 2u);
    ASSERT_FALSE(b.reads.empty());
    EXPECT_EQ(b.reads[0].crosses, 0) << "it reads what the other one writes";
}

TEST(SourceLines, CommentsStandBesideTheirBundles) {
    const auto lines = source_lines((kDemos / "select.s").string());
    ASSERT_TRUE(lines);
    const auto with = [&](std::string_view words) {
        return std::ranges::find_if(lines->lines, [&](const SourceLine& l) {
            return l.comment.find(words) != std::string::npos;
        });
    };
    const auto four = with("Four comparisons in one cycle");
    ASSERT_NE(four, lines->lines.end());
    EXPECT_EQ(lines->files[four->file], "select.s");
    EXPECT_EQ(four->line, 24);
    EXPECT_NE(four->comment.find("below LOW above HIGH"), std::string::npos) << four->comment;
    EXPECT_EQ(lines->at(four->address), &*four);
    EXPECT_EQ(lines->at(four->end - 1), &*four);
    EXPECT_EQ(lines->at(lines->lines.back().end), nullptr);
    const auto macro = std::ranges::find_if(lines->lines, [](const SourceLine& l) {
        return l.note.find("macro enter") != std::string::npos;
    });
    ASSERT_NE(macro, lines->lines.end());
    EXPECT_EQ(lines->files[macro->file], "lib.inc");
    EXPECT_EQ(source_lines((kDemos / "lib.inc").string()), nullptr);
}

/// Two bundles of lines 2 and 3 of part.c, then the end of the sequence (DWARF 4).
constexpr std::string_view kWithLineTable = R"(
        .globl _start
_start: { addd 0, 1, %dr0 }
second: { addd 0, 2, %dr1 }
third:
        .section .debug_line
        .4byte table_end - table
table:  .2byte 4
        .4byte program - header
header: .byte 1, 1, 1, 0xfb, 14, 10
        .byte 0, 1, 1, 1, 1, 0, 0, 0, 1     ! operands of opcodes 1 to 9
        .byte 0                             ! no directories
        .asciz "part.c"
        .byte 0, 0, 0
        .byte 0
program:
        .byte 0, 9, 2                       ! DW_LNE_set_address
        .8byte _start
        .byte 3, 1, 1                       ! one line on, a row
        .byte 9                             ! DW_LNS_fixed_advance_pc
        .2byte second - _start
        .byte 3, 1, 1
        .byte 9
        .2byte third - second
        .byte 0, 1, 1                       ! DW_LNE_end_sequence
table_end:
)";

TEST(SourceLines, OfCompiledCodeAreFileLineAndText) {
    const ScratchDirectory scratch;
    const std::string path = (scratch.path() / "compiled").string();
    e2k::test::write_guest(path, kWithLineTable);
    const auto without_text = source_lines(path);
    ASSERT_TRUE(without_text);
    ASSERT_EQ(without_text->lines.size(), 2u);
    EXPECT_EQ(without_text->lines[0].comment, "part.c:2");
    EXPECT_EQ(without_text->lines[0].end, without_text->lines[1].address);
    EXPECT_EQ(without_text->at(without_text->lines[1].end), nullptr);

    std::ofstream(scratch.path() / "part.c") << "int main() {\n    one();\n    two();\n}\n";
    const auto with_text = source_lines(path);
    ASSERT_TRUE(with_text);
    EXPECT_EQ(with_text->lines[0].comment, "part.c:2  one();");
    EXPECT_EQ(with_text->lines[1].comment, "part.c:3  two();");
    EXPECT_EQ(with_text->lines[1].text, "    two();");

    // A table cut anywhere is a table of less, or none.
    std::string whole;
    {
        std::ifstream in(path, std::ios::binary);
        whole.assign(std::istreambuf_iterator<char>(in), {});
    }
    const std::size_t name = whole.find("part.c");
    ASSERT_NE(name, std::string::npos);
    for (std::size_t i = name > 30 ? name - 30 : 0; i < name + 50 && i < whole.size(); ++i) {
        std::string broken = whole;
        broken[i] = static_cast<char>(broken[i] ^ 0xff);
        const std::string other = (scratch.path() / "broken").string();
        std::ofstream(other, std::ios::binary) << broken;
        const auto lines = source_lines(other);
        if (!lines) continue;
        for (const SourceLine& line : lines->lines) EXPECT_LT(line.address, line.end) << i;
    }
}

}  // namespace
}  // namespace e2k::machine
