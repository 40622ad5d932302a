// The list of bundles: which bytes are code, and that it is what memory holds now.
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/isa/assembler/program.h"
#include "engine/machine/code_view.h"
#include "engine/machine/machine.h"
#include "tests/support/assembled_guest.h"
#include "tests/support/child_process.h"

namespace e2k::machine {
namespace {

constexpr std::uint64_t kBase = 0x10000;

/// The section of code of an assembled source, and its symbols.
struct Code {
    CodeImage image;
    guest::SymbolTable symbols;
    std::uint64_t at(const char* name) const { return symbols.by_name(name)->address; }
};

Code code_of(std::string_view source) {
    const auto program = isa::assemble_program(source);
    if (!program) throw std::runtime_error(program.error().front().message);
    auto file = guest::ElfImage::parse(isa::write_elf(*program), "test");
    if (!file) throw std::runtime_error(file.error());
    Code code;
    for (const guest::Section& s : file->sections) {
        if (!s.executable || s.size == 0) continue;
        code.image.begin = s.address;
        const auto from = file->bytes.begin() + static_cast<std::ptrdiff_t>(s.offset);
        code.image.bytes.assign(from, from + static_cast<std::ptrdiff_t>(s.size));
        code.image.readable.assign(s.size / CodeImage::kPage + 2, 1);
        break;
    }
    code.symbols = guest::SymbolTable(file->symbols);
    return code;
}

using Addresses = std::vector<std::uint64_t>;

Addresses rows_of(const Code& code, const Addresses& executed = {}) {
    Addresses found;
    for (const auto& row : sweep_code(code.image, &code.symbols, executed, 4))
        found.push_back(row.bundle.address);
    return found;
}

bool holds(const Addresses& all, std::uint64_t address) {
    return std::ranges::find(all, address) != all.end();
}

TEST(CodeSweep, AllLabelsOfASectionAreInOneList) {
    const Code code = code_of(R"(
        .globl _start
_start: { setwd wsz = 8, nfx = 1 }
        { addd 0, 1, %dr1 }
second: { addd %dr1, 2, %dr1 }
        { disp %ctpr1, last }
        { ct %ctpr1 }
third:  { addd %dr1, 4, %dr1 }
last:   { addd %dr1, 5, %dr1 }
)");
    const Addresses rows = rows_of(code);
    EXPECT_EQ(rows.size(), 7u);
    for (const char* name : {"_start", "second", "third", "last"})
        EXPECT_TRUE(holds(rows, code.at(name))) << name;
}

TEST(CodeSweep, DataAndPaddingHaveNoRows) {
    const Code code = code_of(R"(
        .globl _start
_start: { disp %ctpr1, last }
        { ct %ctpr1 }
table:  .dword 0x0000000000010010, 0x0000000000010018
text:   .asciz "neither of these is code, nor the padding behind"
        .balign 64
last:   { addd %dr1, 5, %dr1 }
        { ldisp %ctpr2, stream }
        { ct %ctpr1 }
        .balign 16
stream: { fapb ct = 1, fmt = 4, d = 0, ind = 0, incr = 0, asz = 5, abs = 0, disp = 0
          fapb dpl = 0, fmt = 4, d = 1, ind = 0, incr = 0, asz = 5, abs = 16, disp = 0 }
)");
    const Addresses rows = rows_of(code);
    EXPECT_FALSE(holds(rows, code.at("table")));
    EXPECT_FALSE(holds(rows, code.at("table") + 8));
    EXPECT_FALSE(holds(rows, code.at("text")));
    EXPECT_FALSE(holds(rows, code.at("stream")));
    EXPECT_FALSE(holds(rows, code.at("last") - 8)) << "padding";
    EXPECT_TRUE(holds(rows, code.at("last")));
    EXPECT_EQ(rows.size(), 5u);
}

TEST(CodeSweep, ZerosBehindTheLastBundleAreNoCode) {
    const Code code = code_of(R"(
        .globl _start
_start: { disp %ctpr1, _start }
        { nop }
        { call %ctpr1, wbs = 4 }
        .skip 256
)");
    EXPECT_EQ(rows_of(code).size(), 3u);
    const std::uint64_t behind = code.image.end() - 256;
    EXPECT_EQ(rows_of(code, {behind}).size(), 4u) << "where control stands after the call";
}

TEST(CodeSweep, WhereControlIsThereIsARow) {
    const Code code = code_of(R"(
        .globl _start
_start: { disp %ctpr1, _start }
        { ct %ctpr1 }
        .long 0xffffffff, 0xffffffff
        { addd %dr1, 5, %dr1 }
)");
    const std::uint64_t bad = code.image.begin + 8 * (rows_of(code).size() - 1);
    EXPECT_FALSE(holds(rows_of(code), bad));
    const Addresses executed{bad, bad + 12};
    const auto rows = sweep_code(code.image, &code.symbols, executed, 4);
    const auto row = std::ranges::find(rows, bad, [](const auto& r) { return r.bundle.address; });
    ASSERT_NE(row, rows.end());
    EXPECT_FALSE(row->valid);
    EXPECT_FALSE(row->error.empty());
    EXPECT_TRUE(holds(rows_of(code, executed), bad + 12)) << "no multiple of 8";
}

TEST(CodeSweep, AnIllegalBundleThatControlReachesHasARow) {
    const Code code = code_of(R"(
        .globl _start
_start: { addd 0, 1, %dr1 }
        .long 0x00400000, 0
        { addd %dr1, 5, %dr1 }
)");
    EXPECT_EQ(rows_of(code).size(), 3u);
}

// --- memory as it is now ---

class CodeViews : public testing::Test {
protected:
    void SetUp() override {
        auto space = guest::AddressSpace::create();
        ASSERT_TRUE(space);
        memory_ = std::move(*space);
        ASSERT_TRUE(memory_->map(kBase, 0x2000,
                                 guest::kProtRead | guest::kProtWrite | guest::kProtExec, true,
                                 false, -1, 0, ""));
        put(kBase, 0x11111111);
        views_ = std::make_unique<CodeViewCache>(
            *memory_, std::make_shared<guest::SymbolTable>(),
            std::vector<guest::Section>{{".text", kBase, 0x40, 0, 0x40, true}}, 4);
    }
    /// { addd,0 0, literal, %dr5 }
    void put(std::uint64_t address, std::uint32_t literal) {
        const std::uint32_t words[] = {0x04000011, 0x11c0d885, 0, literal};
        ASSERT_TRUE(memory_->write(address, words, sizeof words));
    }
    static std::string text(const CodeView& view) {
        std::string all;
        for (const auto& row : view.rows)
            for (const std::string& line : row.text) all += line + "\n";
        return all;
    }

    std::unique_ptr<guest::AddressSpace> memory_;
    std::unique_ptr<CodeViewCache> views_;
};

TEST_F(CodeViews, FollowWhatIsWritten) {
    const auto before = views_->executing(kBase);
    EXPECT_NE(text(*before).find("0x11111111"), std::string::npos) << text(*before);
    EXPECT_EQ(views_->executing(kBase), before) << "made once";
    put(kBase, 0x22222222);
    const auto after = views_->executing(kBase);
    EXPECT_EQ(text(*after).find("0x11111111"), std::string::npos);
    EXPECT_NE(text(*after).find("0x22222222"), std::string::npos) << text(*after);
    EXPECT_NE(after->generation, before->generation);
    EXPECT_NE(text(*before).find("0x11111111"), std::string::npos) << "views never change";
}

TEST_F(CodeViews, FollowProtectionAndMappings) {
    ASSERT_FALSE(views_->executing(kBase)->rows.empty());
    ASSERT_TRUE(memory_->protect(kBase, 0x1000, guest::kProtNone));
    EXPECT_TRUE(views_->around(kBase)->rows.empty());
    ASSERT_TRUE(memory_->protect(kBase, 0x1000, guest::kProtRead));
    EXPECT_FALSE(views_->around(kBase)->rows.empty());
    ASSERT_TRUE(memory_->unmap(kBase, 0x1000));
    EXPECT_TRUE(views_->around(kBase)->rows.empty());
    // Control there has a row all the same, which says why nothing can be executed.
    const auto view = views_->executing(kBase + 8);
    ASSERT_NE(view->row_at(kBase + 8), nullptr);
    EXPECT_FALSE(view->row_at(kBase + 8)->valid);
}

TEST_F(CodeViews, OfALongSectionThereIsAPart) {
    constexpr std::uint64_t kLong = 0x100000, kSize = 1u << 20;
    ASSERT_TRUE(
        memory_->map(kLong, kSize, guest::kProtRead | guest::kProtWrite, true, false, -1, 0, ""));
    const std::uint32_t one[] = {0x04000001, 0x11c0c085};
    for (std::uint64_t at = kLong; at < kLong + kSize; at += sizeof one)
        memory_->view().store(at, static_cast<std::uint64_t>(one[1]) << 32 | one[0]);
    CodeViewCache views(*memory_, std::make_shared<guest::SymbolTable>(),
                        std::vector<guest::Section>{{".text", kLong, kSize, 0, kSize, true}}, 4);
    const auto view = views.around(kLong + kSize / 2);
    EXPECT_NE(view->row_at(kLong + kSize / 2), nullptr);
    EXPECT_LT(view->rows.size(), kSize / 8 / 2);
    EXPECT_EQ(view->whole_begin, kLong);
    EXPECT_EQ(view->whole_end, kLong + kSize);
    EXPECT_NE(views.around(view->end)->row_at(view->end), nullptr) << "and the next part";
}

/// The whole way: a program that rewrites itself, seen in the snapshots of its stops.
TEST(CodeOfAStoppedProgram, IsWhatItExecutesNext) {
    const e2k::test::ScratchDirectory directory;
    const std::string path = (directory.path() / "guest").string();
    e2k::test::write_guest(path, R"(
        .globl _start
_start: { setwd wsz = 16, nfx = 1, dbl = 1 }
        { nop 4
          sdisp %ctpr1, 3
          addd 0, 125, %dr16
          addd 0, _start, %dr17 }
        { andd %dr17, -4096, %dr17
          addd 0, 4096, %dr18
          addd 0, 7, %dr19 }
        { call %ctpr1, wbs = 8 }
        { addd 0, place, %dr1
          addd 0, other, %dr2 }
        { nop 4
          ldd [%dr2 + 0], %dr3
          ldd [%dr2 + 8], %dr4 }
        { std %dr3, [%dr1 + 0] }
        { std %dr4, [%dr1 + 8] }
        .balign 16
place:  { addd 0, 0x11111111, %dr5 }
after:  { nop }
        .balign 16
other:  { addd 0, 0x22222222, %dr5 }
)");
    Machine machine;
    Open open;
    open.path = path;
    machine.send(std::move(open));
    const auto at_place = [&] {
        const auto now = machine.wait_until_stopped();
        const auto* symbol = now->symbols->by_name("place");
        const auto* row = now->code ? now->code->row_at(symbol->address) : nullptr;
        return row && !row->text.empty() ? row->text.front() : std::string("no row");
    };
    EXPECT_NE(at_place().find("0x11111111"), std::string::npos) << at_place();
    const auto now = machine.wait_until_stopped();
    machine.send(RunTo{now->symbols->by_name("place")->address});
    EXPECT_NE(at_place().find("0x22222222"), std::string::npos) << at_place();
}

}  // namespace
}  // namespace e2k::machine
