// Whole sources: sections, symbols, directives, errors with their places, ELF files.
#include <elf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "engine/isa/assembler/program.h"
#include "engine/isa/disassembler.h"

namespace e2k::isa {
namespace {

constexpr std::string_view kHello = R"(! Says hello and ends with 3.
        .globl _start
        .type _start, @function
WRITE = 4
        .equ EXIT, 1
        .rodata
text:   .ascii "hello\n"
length = . - text
        .text
        .align 8
_start: { setwd wsz = 8, nfx = 1, dbl = 1
          setbn rbs = 4, rsz = 3, rcur = 0 }
        { nop 4
          sdisp %ctpr1, 3
          addd 0, WRITE, %db[0]
          addd 0, 1, %db[1]        /* standard output */
          addd 0, text, %db[2]
          addd 0, _f32s length, %db[3] }
        { call %ctpr1, wbs = 4 }
        { nop 4 ; sdisp %ctpr1, 3 ; addd 0, EXIT, %db[0] ; addd 0, 3, %db[1] }
        { call %ctpr1, wbs = 4 }
)";

constexpr std::string_view kProgram = R"(
        .set EXIT, 1
        .globl _start
        .text
_start: { setwd wsz = 8, nfx = 1, dbl = 1 ; setbn rbs = 4, rsz = 3, rcur = 0 }
        addd 0, EXIT, %db[0]
1:      { disp %ctpr1, 2f }
        { ct %ctpr1 ? ~%pred0 }
        { disp %ctpr2, 1b }
2:      cmpesb %r1, %r2, %pred3
        { ldd,0 [table], %dr1 ; ldd,2 [%dr2 + 8], %dr3 }
end:    nop 7
        .data
table:  .quad _start, end, end - _start, table + 8
        .word 0x12345678, -1
        .byte 'A', 2, 3
        .align 4
        .short 0xffff
        .asciz "a\"b\101"
        .lcomm buffer, 100, 16
        .section .rodata
        .dword buffer
)";

std::string complaints(const std::vector<AssemblyError>& errors) {
    std::string out;
    for (const AssemblyError& e : errors) out += e.describe("source.s") + "\n";
    return out;
}

const AssembledSection* section(const AssembledProgram& p, std::string_view name) {
    const auto at = std::find_if(p.sections.begin(), p.sections.end(),
                                 [&](const AssembledSection& s) { return s.name == name; });
    return at == p.sections.end() ? nullptr : &*at;
}

std::uint64_t value(const AssembledProgram& p, std::string_view name) {
    for (const AssembledSymbol& s : p.symbols)
        if (s.name == name) return s.address;
    ADD_FAILURE() << "no symbol " << name;
    return 0;
}

std::uint64_t quad(const AssembledSection& s, std::size_t at) {
    std::uint64_t q = 0;
    std::memcpy(&q, s.bytes.data() + at, sizeof q);
    return q;
}

std::vector<std::string> listing(const AssembledProgram& p, const AssembledSection& s) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < s.bytes.size();) {
        const auto bundle = decode(std::span(s.bytes).subspan(at), s.address + at, p.iset);
        if (!bundle) return {bundle.error().message()};
        for (auto& line : disassemble(*bundle)) out.push_back(std::move(line));
        at += bundle->length;
    }
    return out;
}

TEST(AssemblerProgram, SectionsSymbolsAndCode) {
    const auto p = assemble_program(kProgram, {.iset = 4});
    ASSERT_TRUE(p) << complaints(p.error());
    const auto *text = section(*p, ".text"), *data = section(*p, ".data"),
               *constants = section(*p, ".rodata"), *bss = section(*p, ".bss");
    ASSERT_TRUE(text && data && constants && bss);
    EXPECT_EQ(p->entry, 0x10000u);
    EXPECT_TRUE(text->executable && !text->writable);
    EXPECT_TRUE(data->writable && !data->executable);
    EXPECT_TRUE(bss->bytes.empty());
    EXPECT_EQ(bss->size, 100u);
    for (const AssembledSection& s : p->sections) EXPECT_EQ(s.address % 0x1000, 0u) << s.name;

    const auto end = value(*p, "end"), table = value(*p, "table");
    EXPECT_EQ(quad(*data, 0), p->entry);
    EXPECT_EQ(quad(*data, 8), end);
    EXPECT_EQ(quad(*data, 16), end - p->entry);
    EXPECT_EQ(quad(*data, 24), table + 8);
    EXPECT_EQ(quad(*data, 32), 0xffffffff12345678u);
    EXPECT_EQ(std::string(data->bytes.begin() + 40, data->bytes.end()),
              std::string("A\2\3\0\xff\xff"
                          "a\"bA\0",
                          11));
    EXPECT_EQ(quad(*constants, 0), value(*p, "buffer"));
    EXPECT_EQ(value(*p, "buffer") % 16, 0u);

    const auto lines = listing(*p, *text);
    const auto has = [&](const std::string& line) {
        return std::find(lines.begin(), lines.end(), line) != lines.end();
    };
    EXPECT_TRUE(has("addd,0 0x0, 0x1, %db[0]"));
    EXPECT_TRUE(has("ct %ctpr1 ? ~%pred0"));
    EXPECT_TRUE(has("nop 2"));  // implied by the lone comparison
    EXPECT_TRUE(has("nop 7"));
    EXPECT_TRUE(has("disp %ctpr1, 0x10030")) << lines[4];
    EXPECT_TRUE(has("disp %ctpr2, 0x10018"));
}

TEST(AssemblerProgram, OtherNamesOfPlacesAreSymbols) {
    const auto p = assemble_program(R"(
        .globl _start, other, behind, number
        .weak maybe
        .set other, function
        .set maybe, function
        .set behind, function + 8
        .set inside, function
        .set number, 8
_start: {}
function: {}
        {}
)");
    ASSERT_TRUE(p) << complaints(p.error());
    const auto symbol = [&](std::string_view name) {
        const auto at = std::ranges::find(p->symbols, name, &AssembledSymbol::name);
        return at == p->symbols.end() ? nullptr : &*at;
    };
    const AssembledSymbol* const function = symbol("function");
    ASSERT_TRUE(function);
    for (const char* name : {"other", "maybe"}) {
        ASSERT_TRUE(symbol(name)) << name;
        EXPECT_EQ(symbol(name)->address, function->address);
        EXPECT_EQ(symbol(name)->section, function->section);
    }
    EXPECT_TRUE(symbol("other")->global);
    EXPECT_TRUE(symbol("maybe")->weak);
    ASSERT_TRUE(symbol("behind"));
    EXPECT_EQ(symbol("behind")->address, function->address + 8);
    EXPECT_FALSE(symbol("inside")) << "known to this source only";
    EXPECT_FALSE(symbol("number"));
}

TEST(AssemblerProgram, Hello) {
    const auto p = assemble_program(kHello);
    ASSERT_TRUE(p) << complaints(p.error());
    const auto lines = listing(*p, *section(*p, ".text"));
    EXPECT_EQ(std::count(lines.begin(), lines.end(), "call %ctpr1, wbs = 0x4"), 2);
    EXPECT_EQ(std::count(lines.begin(), lines.end(), "addd,3 0x0, _f32s 0x6, %db[3]"), 1);
    EXPECT_TRUE(p->symbols.front().name == "_start" && p->symbols.front().function);
}

TEST(AssemblerProgram, ElfFile) {
    const auto p = assemble_program(kProgram, {.iset = 5});
    ASSERT_TRUE(p) << complaints(p.error());
    const auto file = write_elf(*p);
    Elf64_Ehdr header;
    ASSERT_GE(file.size(), sizeof header);
    std::memcpy(&header, file.data(), sizeof header);
    EXPECT_EQ(std::memcmp(header.e_ident, ELFMAG, SELFMAG), 0);
    EXPECT_EQ(header.e_machine, 175);
    EXPECT_EQ(header.e_flags, 5u << 24);
    EXPECT_EQ(header.e_entry, p->entry);
    ASSERT_EQ(header.e_phnum, p->sections.size());
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr segment;
        std::memcpy(&segment, file.data() + header.e_phoff + i * sizeof segment, sizeof segment);
        const AssembledSection& s = p->sections[i];
        EXPECT_EQ(segment.p_vaddr, s.address);
        EXPECT_EQ(segment.p_memsz, s.size);
        ASSERT_LE(segment.p_offset + segment.p_filesz, file.size());
        EXPECT_TRUE(std::equal(s.bytes.begin(), s.bytes.end(),
                               file.begin() + static_cast<std::ptrdiff_t>(segment.p_offset)));
    }
}

struct Wrong {
    const char* source;
    int line, column;
    const char* message;
};
void PrintTo(const Wrong& w, std::ostream* out) { *out << w.source; }

class ProgramErrors : public testing::TestWithParam<Wrong> {};

TEST_P(ProgramErrors, NameThePlace) {
    const Wrong& w = GetParam();
    const auto p = assemble_program(std::string(w.source) + "\n_start: {}\n");
    ASSERT_FALSE(p);
    const AssemblyError& e = p.error().front();
    EXPECT_EQ(e.line, w.line);
    EXPECT_EQ(e.column, w.column);
    EXPECT_NE(e.message.find(w.message), std::string::npos) << e.message;
}

INSTANTIATE_TEST_SUITE_P(
    Isa, ProgramErrors,
    testing::Values(
        Wrong{"{ addd 0, 1, %dr1\n", 1, 1, "not closed"}, Wrong{"  }", 1, 3, "closes nothing"},
        Wrong{"{ { }", 1, 3, "do not nest"}, Wrong{"/* a comment", 1, 1, "not closed"},
        Wrong{"a: {}\na: {}", 2, 1, "defined already"}, Wrong{".frobnicate 1", 1, 1, "not known"},
        Wrong{".byte 256", 1, 7, "does not fit 8 bits"}, Wrong{".ascii \"abc", 1, 12, "not closed"},
        Wrong{".byte 1\n nop", 2, 2, "multiple of 8"},
        Wrong{".bss\n .byte 1", 2, 2, "only reserved space"},
        Wrong{".align 3", 1, 1, "power of two"},
        Wrong{"nop\n{ nop 2\n  addq 1, 2, %r3 }", 3, 3, "no operation has this name"},
        Wrong{"addd 0, nowhere, %dr1", 1, 9, "not defined"},
        Wrong{"{ l: nop }", 1, 3, "before the brace"}));

TEST(AssemblerProgram, WithoutAStartBeginsAtItsFirstBundle) {
    const auto p = assemble_program(".data\n.quad 1\n.text\nnop\n");
    ASSERT_TRUE(p);
    ASSERT_EQ(p->warnings.size(), 1u);
    EXPECT_NE(p->warnings.front().message.find("_start"), std::string::npos);
    EXPECT_EQ(p->entry, section(*p, ".text")->address);
}

TEST(AssemblerProgram, DamagedSourcesAreRefusedOrAssembled) {
    constexpr std::string_view kAlphabet = "\n;{}!#/*\":'=.,%@ \t019abfrd+-()\\";
    std::mt19937 random(3);
    unsigned refused = 0;
    for (int n = 0; n < 3'000; ++n) {
        std::string source(n % 2 ? kProgram : kHello);
        for (unsigned edits = 1 + random() % 5; edits-- > 0;) {
            const auto at = random() % source.size();
            if (random() % 2)
                source[at] = kAlphabet[random() % kAlphabet.size()];
            else
                source.erase(at, 1 + random() % 3);
        }
        const auto p = assemble_program(source);
        if (!p) {
            ++refused;
            ASSERT_FALSE(p.error().empty());
        } else {
            ASSERT_FALSE(write_elf(*p).empty());
        }
    }
    EXPECT_GT(refused, 300u);
}

}  // namespace
}  // namespace e2k::isa
