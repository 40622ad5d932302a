// Dynamic programs and shared objects: what the assembler asks of the dynamic linker.
#include <gtest/gtest.h>

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>

#include "engine/isa/assembler/library.h"
#include "tests/isa/assembled_section.h"

namespace e2k::isa {
namespace {

template <class T>
std::vector<T> records(const std::vector<std::uint8_t>& bytes) {
    std::vector<T> out(bytes.size() / sizeof(T));
    std::memcpy(out.data(), bytes.data(), out.size() * sizeof(T));
    return out;
}

/// A linked source and what its tables say.
class Linked {
public:
    explicit Linked(std::string_view source, LinkOptions link)
        : program_(assemble_program(source, {.link = std::move(link)})) {
        if (!program_)
            for (const AssemblyError& e : program_.error()) ADD_FAILURE() << e.report("x.s");
    }
    bool ok() const { return program_.has_value(); }
    const AssembledProgram& operator*() const { return *program_; }

    std::vector<std::uint8_t> bytes(std::string_view name) const { return section(program_, name); }
    std::uint64_t address(std::string_view name) const {
        for (const AssembledSection& s : program_->sections)
            if (s.name == name) return s.address;
        return 0;
    }
    std::uint64_t word(std::uint64_t at) const {
        for (const AssembledSection& s : program_->sections) {
            if (at < s.address || at - s.address + 8 > s.bytes.size()) continue;
            std::uint64_t value = 0;
            std::memcpy(&value, s.bytes.data() + (at - s.address), sizeof value);
            return value;
        }
        ADD_FAILURE() << "no contents at " << at;
        return 0;
    }
    std::uint64_t symbol(std::string_view name) const {
        for (const AssembledSymbol& s : program_->symbols)
            if (s.name == name) return s.address;
        ADD_FAILURE() << "no symbol " << name;
        return 0;
    }
    std::map<std::string, Elf64_Sym> dynamic_symbols() const {
        const auto strings = bytes(".dynstr");
        std::map<std::string, Elf64_Sym> out;
        for (const auto& s : records<Elf64_Sym>(bytes(".dynsym")))
            out[reinterpret_cast<const char*>(strings.data()) + s.st_name] = s;
        return out;
    }
    /// "64_COPY stdout+0", by the place's offset from `from`.
    std::vector<std::string> relocations(std::string_view table = ".rela.dyn") const {
        const auto strings = bytes(".dynstr");
        const auto symbols = records<Elf64_Sym>(bytes(".dynsym"));
        std::vector<std::string> out;
        for (const auto& r : records<Elf64_Rela>(bytes(table))) {
            const auto& s = symbols.at(ELF64_R_SYM(r.r_info));
            out.push_back(std::to_string(ELF64_R_TYPE(r.r_info)) + " " +
                          (reinterpret_cast<const char*>(strings.data()) + s.st_name) + "+" +
                          std::to_string(r.r_addend));
        }
        return out;
    }
    std::uint64_t place(std::size_t i, std::string_view table = ".rela.dyn") const {
        return records<Elf64_Rela>(bytes(table)).at(i).r_offset;
    }
    std::vector<std::uint64_t> tag(std::int64_t wanted) const {
        std::vector<std::uint64_t> out;
        for (const auto& d : records<Elf64_Dyn>(bytes(".dynamic")))
            if (d.d_tag == wanted) out.push_back(d.d_un.d_val);
        return out;
    }
    std::string text(std::uint64_t at) const {
        return reinterpret_cast<const char*>(bytes(".dynstr").data()) + at;
    }

private:
    tl::expected<AssembledProgram, AssemblyErrors> program_;
};

using Strings = std::vector<std::string>;
const LinkOptions kProgram{.kind = OutputKind::Dynamic, .needed = {"libc.so.6"}};
const LinkOptions kPie{.kind = OutputKind::PositionIndependent};
const LinkOptions kShared{.kind = OutputKind::Shared};

constexpr std::string_view kImports = R"(
        .globl _start
_start: { disp %ctpr1, puts }
        { call %ctpr1, wbs = 4 }
        { disp %ctpr2, exit }
        { call %ctpr2, wbs = 4 }
        { ldd 0, stdout, %dr0 }
        { addd 0, qsort, %dr1 }
        { addd 0, counter, %dr2 }
        .type qsort, @function
        .type counter, @object
        .size counter, 24
        .data
        .balign 8
table:  .dword puts, counter + 8, environment
        .weak environment
)";

TEST(AssemblerLink, CallsGoThroughThePltAndObjectsAreCopied) {
    const Linked p(kImports, kProgram);
    ASSERT_TRUE(p.ok());
    EXPECT_EQ(p.relocations(".rela.plt"), (Strings{"63 puts+0", "63 exit+0", "63 qsort+0"}));
    EXPECT_EQ(p.relocations(),
              (Strings{"64 counter+0", "64 stdout+0", "50 puts+0", "50 environment+0"}));
    const auto symbols = p.dynamic_symbols();
    EXPECT_EQ(symbols.at("counter").st_size, 24u);
    EXPECT_EQ(symbols.at("counter").st_value, p.place(0));
    EXPECT_EQ(symbols.at("stdout").st_size, 8u);
    EXPECT_NE(symbols.at("stdout").st_shndx, SHN_UNDEF);
    EXPECT_EQ(symbols.at("puts").st_shndx, SHN_UNDEF);
    EXPECT_EQ(symbols.at("puts").st_value, 0u);
    EXPECT_EQ(ELF64_ST_TYPE(symbols.at("puts").st_info), STT_FUNC);
    EXPECT_EQ(ELF64_ST_BIND(symbols.at("environment").st_info), STB_WEAK);
    EXPECT_EQ(p.word(p.symbol("table") + 8), symbols.at("counter").st_value + 8);
    // The address of a function of others is that of its stub, everywhere.
    EXPECT_GT(symbols.at("qsort").st_value, p.address(".plt"));
    EXPECT_EQ(symbols.at("qsort").st_shndx, SHN_UNDEF);
    // Slots point at what binds them.
    const auto got = p.address(".got");
    EXPECT_EQ(p.place(0, ".rela.plt"), got + 24);
    EXPECT_EQ(p.word(got), p.address(".dynamic"));
    EXPECT_EQ(p.word(got + 24), p.address(".plt") + 0x40);
    EXPECT_EQ(p.word(got + 32), p.address(".plt") + 0x60);
    EXPECT_EQ(p.bytes(".plt").size(), 0x40u + 3 * (0x20 + 0x28));
}

TEST(AssemblerLink, PltIsThatOfTheLinker) {
    const Linked p("_start: { disp %ctpr1, f }\n", kProgram);
    ASSERT_TRUE(p.ok());
    const auto words = records<std::uint32_t>(p.bytes(".plt"));
    const auto got = static_cast<std::uint32_t>(p.address(".got"));
    // Words of a program that binutils has linked, with the table's place put in.
    const std::vector<std::uint32_t> header{
        0x14000122, 0x67c0dc88, 0x67c8dc8a, 0, 0,          got + 8,    0x04000001, 0x61c08ad1,
        0x00009012, 0x80000420, 0x50000004, 0, 0x04000001, 0x61c088d1, 0x00001001, 0x80000420};
    const std::vector<std::uint32_t> lazy{0x0400d034, 0x80000020, 0x10c0d989, 0x0ffffff8,
                                          0,          0,          0,          0x00000110};
    const std::vector<std::uint32_t> entry{0x04008122, 0x67c0dd88, 0,          0,
                                           got + 24,   0x00000110, 0x04000001, 0x61c088d1,
                                           0x00001001, 0x80000420};
    auto expected = header;
    expected.insert(expected.end(), lazy.begin(), lazy.end());
    expected.insert(expected.end(), entry.begin(), entry.end());
    EXPECT_EQ(words, expected);
}

TEST(AssemblerLink, CodeIsAlignedWhateverStandsBefore) {
    for (const char* name : {"a", "ab", "abc", "abcd"}) {
        const Linked p(std::string(".globl ") + name + "\n" + name + ": {}\n", kShared);
        ASSERT_TRUE(p.ok());
        EXPECT_EQ(p.symbol(name) % 8, 0u) << name;
    }
}

TEST(AssemblerLink, UnknownSymbolsInCodeAreFilledIn) {
    const Linked p("_start: { addd 0, thing + 4, %dr1 }\n", kProgram);
    ASSERT_TRUE(p.ok());
    EXPECT_EQ(p.relocations(), Strings{"51 thing+4"});
    EXPECT_EQ(p.place(0), p.symbol("_start") + 8);
    EXPECT_EQ(p.tag(DT_TEXTREL).size(), 1u);
}

TEST(AssemblerLink, DynamicSectionSaysWhatIsNeeded) {
    LinkOptions link = kProgram;
    link.needed = {"libm.so.6", "libc.so.6"};
    link.runpath = "/opt/lib";
    link.bind_now = true;
    const Linked p(R"(
_start: {}
_init:  {}
_fini:  {}
        .section .init_array, "aw"
        .dword _start
        .section .fini_array, "aw"
        .dword _start, _start
)",
                   link);
    ASSERT_TRUE(p.ok());
    const auto needed = p.tag(DT_NEEDED);
    ASSERT_EQ(needed.size(), 2u);
    EXPECT_EQ(p.text(needed[0]), "libm.so.6");
    EXPECT_EQ(p.text(needed[1]), "libc.so.6");
    EXPECT_EQ(p.text(p.tag(DT_RUNPATH).at(0)), "/opt/lib");
    EXPECT_EQ(p.tag(DT_FLAGS).at(0), std::uint64_t{DF_BIND_NOW});
    EXPECT_EQ(p.tag(DT_INIT).at(0), p.symbol("_init"));
    EXPECT_EQ(p.tag(DT_FINI).at(0), p.symbol("_fini"));
    EXPECT_EQ(p.tag(DT_INIT_ARRAY).at(0), p.address(".init_array"));
    EXPECT_EQ(p.tag(DT_INIT_ARRAYSZ).at(0), 8u);
    EXPECT_EQ(p.tag(DT_FINI_ARRAYSZ).at(0), 16u);
    EXPECT_EQ(p.tag(0x70000003).size(), 1u);
    EXPECT_EQ(p.tag(DT_PLTGOT).at(0), p.address(".got"));
    const auto interpreter = p.bytes(".interp");
    EXPECT_STREQ(reinterpret_cast<const char*>(interpreter.data()), "/lib64/ld-linux.so.2");
}

TEST(AssemblerLink, PositionIndependentCodeIsRelocatedByItsBase) {
    const Linked p(R"(
_start: { addd 0, value, %dr1 }
        { disp %ctpr1, _start }
        { addd 0, value@GOTOFF, %dr2 ; ldd %dr3, value@GOT, %dr4 }
        { addd 0, _GLOBAL_OFFSET_TABLE_, %dr5 }
        .data
        .balign 8
value:  .dword value + 16, other, _start - value, 5
)",
                   kPie);
    ASSERT_TRUE(p.ok());
    EXPECT_EQ((*p).kind, OutputKind::PositionIndependent);
    const auto value = std::to_string(p.symbol("value"));
    EXPECT_EQ(p.relocations(), (Strings{"65 +" + std::to_string(p.symbol("value") + 16),
                                        "65 +" + value, "66 +" + value, "50 other+0"}));
    EXPECT_EQ(p.word(p.symbol("value") + 16), p.symbol("_start") - p.symbol("value"));
    EXPECT_LT(p.symbol("_start"), 0x1000u);
    EXPECT_EQ(p.tag(DT_FLAGS_1).at(0), std::uint64_t{DF_1_PIE});
}

TEST(AssemblerLink, SharedObjectsExportAndCanBePreempted) {
    LinkOptions link = kShared;
    link.soname = "libx.so.1";
    constexpr std::string_view kSource = R"(
        .globl f, value, hidden, resolved
        .hidden hidden
        .type f, @function
        .type value, @object
        .type resolved, @gnu_indirect_function
f:      { disp %ctpr1, f }
        { disp %ctpr1, hidden }
        .size f, . - f
hidden: {}
resolved: {}
own:    {}
        .data
        .balign 8
value:  .dword f, hidden, own
        .size value, 24
)";
    const Linked p(kSource, link);
    ASSERT_TRUE(p.ok());
    EXPECT_EQ(p.relocations(".rela.plt"), Strings{"63 f+0"});
    EXPECT_EQ(p.relocations(), (Strings{"65 +" + std::to_string(p.symbol("hidden")),
                                        "65 +" + std::to_string(p.symbol("own")), "50 f+0"}));
    const auto symbols = p.dynamic_symbols();
    EXPECT_EQ(symbols.count("hidden"), 0u);
    EXPECT_EQ(symbols.count("own"), 0u);
    EXPECT_EQ(symbols.at("f").st_value, p.symbol("f"));
    EXPECT_EQ(symbols.at("value").st_size, 24u);
    EXPECT_EQ(ELF64_ST_TYPE(symbols.at("resolved").st_info), STT_GNU_IFUNC);
    EXPECT_EQ(p.text(p.tag(DT_SONAME).at(0)), "libx.so.1");
    link.symbolic = true;
    const Linked q(kSource, link);
    ASSERT_TRUE(q.ok());
    EXPECT_TRUE(q.bytes(".rela.plt").empty());
    EXPECT_EQ(q.tag(DT_SYMBOLIC).size(), 1u);
}

TEST(AssemblerLink, IndirectFunctionsAreResolvedAtTheStart) {
    const Linked p(R"(
        .type best, @gnu_indirect_function
_start: { disp %ctpr1, best }
        { addd 0, best, %dr1 }
best:   {}
)",
                   kPie);
    ASSERT_TRUE(p.ok());
    EXPECT_EQ(p.relocations(".rela.plt"), Strings{"67 +" + std::to_string(p.symbol("best"))});
    ASSERT_EQ(p.relocations().size(), 1u);
    EXPECT_EQ(p.relocations()[0].substr(0, 3), "66 ");
}

constexpr std::string_view kThreadData = R"(
        .globl _start
_start: { addd %dg13, second@TLS_LE, %dr1 }
        .section .tdata, "awT", @progbits
        .balign 64
first:  .dword 1
second: .dword 2
        .section .tbss, "awT", @nobits
third:  .space 32
        .data
        .balign 8
offset: .dword third@TLS_LE
)";

TEST(AssemblerLink, ThreadLocalStorageHasItsSegment) {
    for (const OutputKind kind :
         {OutputKind::Static, OutputKind::Dynamic, OutputKind::PositionIndependent}) {
        const Linked p(kThreadData, {.kind = kind});
        ASSERT_TRUE(p.ok());
        const auto& segments = (*p).segments;
        const auto tls =
            std::ranges::find(segments, std::uint32_t{PT_TLS}, &AssembledSegment::type);
        ASSERT_NE(tls, segments.end());
        EXPECT_EQ(tls->file_size, 16u);
        EXPECT_EQ(tls->size, 48u);
        EXPECT_EQ(tls->alignment, 64u);
        EXPECT_EQ(tls->address % 64, 0u);
        // 16 bytes at the thread pointer, rounded up to the alignment.
        EXPECT_EQ(p.word(p.symbol("offset")), 64u + 16);
        EXPECT_EQ(p.symbol("second"), 8u) << "offset in the block";
    }
}

TEST(AssemblerLink, ThreadLocalReferencesInSharedObjects) {
    const Linked p(R"(
        .globl mine
f:      { ldd %dr1, mine@TLS_GDMOD, %dr2 ; ldd %dr1, mine@TLS_GDREL, %dr3 }
        { ldd %dr1, own@TLS_GDMOD, %dr2 ; ldd %dr1, own@TLS_GDREL, %dr3 }
        { ldd %dr1, own@TLS_IE, %dr2 ; ldd %dr1, errno@TLS_IE, %dr3 }
        .section .tbss, "awT", @nobits
        .space 8
own:    .space 8
mine:   .space 8
)",
                   kShared);
    ASSERT_TRUE(p.ok());
    EXPECT_EQ(p.relocations(), (Strings{"82 mine+0", "83 mine+0", "82 +0", "85 +8", "85 errno+0"}));
    EXPECT_EQ(p.word(p.address(".got") + 24 + 3 * 8), 8u) << "place of `own` in the block";
    EXPECT_EQ(p.dynamic_symbols().at("mine").st_value, 16u);
    EXPECT_EQ(ELF64_ST_TYPE(p.dynamic_symbols().at("errno").st_info), STT_TLS);
    EXPECT_EQ(p.tag(DT_FLAGS).at(0), std::uint64_t{DF_STATIC_TLS});
}

/// What a reader of .gnu.hash or .hash finds.
TEST(AssemblerLink, HashTablesFindEverySymbol) {
    std::string source;
    for (int i = 0; i < 40; ++i) {
        const auto name = "symbol_" + std::to_string(i);
        source += ".globl " + name + "\n" + name + ": {}\n";
    }
    const Linked p(source + "{ disp %ctpr1, elsewhere }\n", kShared);
    ASSERT_TRUE(p.ok());
    const auto hash = records<std::uint32_t>(p.bytes(".hash"));
    const auto gnu = records<std::uint32_t>(p.bytes(".gnu.hash"));
    const auto symbols = records<Elf64_Sym>(p.bytes(".dynsym"));
    ASSERT_EQ(hash.at(1), symbols.size());
    for (std::uint32_t i = 1; i < symbols.size(); ++i) {
        const std::string name = p.text(symbols[i].st_name);
        std::uint32_t h = 0, g = 5381;
        for (const char c : name) {
            h = (h << 4) + static_cast<unsigned char>(c);
            if (const std::uint32_t high = h & 0xf0000000) h = (h ^ high >> 24) & ~high;
            g = g * 33 + static_cast<unsigned char>(c);
        }
        std::uint32_t at = hash[2 + h % hash[0]];
        while (at && at != i) at = hash[2 + hash[0] + at];
        EXPECT_EQ(at, i) << name;
        if (symbols[i].st_shndx == SHN_UNDEF) continue;
        const std::uint32_t *filter = &gnu[4], *buckets = filter + 2 * gnu[2],
                            *chain = buckets + gnu[0];
        const std::uint32_t word = g / 64 % gnu[2];
        const std::uint64_t bits = filter[2 * word] | std::uint64_t{filter[2 * word + 1]} << 32;
        EXPECT_TRUE(bits >> g % 64 & 1) << name;
        EXPECT_TRUE(bits >> (g >> gnu[3]) % 64 & 1) << name;
        at = buckets[g % gnu[0]];
        ASSERT_GE(at, gnu[1]) << name;
        while (at != i && !(chain[at - gnu[1]] & 1)) ++at;
        EXPECT_EQ(at, i) << name;
        EXPECT_EQ(chain[at - gnu[1]] | 1, g | 1) << name;
    }
}

TEST(AssemblerLink, CompiledSourcesGetAStart) {
    constexpr std::string_view kCompiled = R"(
        .ignore ld_st_style
        .ignore strict_delay
        .text
        .global main
        .type main, #function
        .align 8
main:
        {
          setwd wsz = 0x8, nfx = 0x1, dbl = 0x0
          setbn rsz = 0x3, rbs = 0x4, rcur = 0x0
          disp %ctpr1, printf
        }
        {
          addd,0 0x0, [ _f64,_lts0 .LC.2 ], %b[0]
        }
        {
          call %ctpr1, wbs = 0x4
        }
        {
          nop 5
          return %ctpr3
          addd,0 0x0, 0x0, %r0
        }
        {
          ct %ctpr3
        }
        .size main, .- main
        .section .rodata
.LC.2:  .ascii "text\000"
)";
    for (const OutputKind kind : {OutputKind::Dynamic, OutputKind::PositionIndependent}) {
        const Linked p(kCompiled, {.kind = kind, .needed = {"libc.so.6"}});
        ASSERT_TRUE(p.ok());
        EXPECT_EQ(p.relocations(".rela.plt"), (Strings{"63 printf+0", "63 __libc_start_main+0"}));
        EXPECT_EQ((*p).entry, p.symbol("_start"));
        EXPECT_TRUE((*p).warnings.empty());
    }
    const Linked own("_start: {}\nmain: {}\n", kProgram);
    ASSERT_TRUE(own.ok());
    EXPECT_TRUE(own.bytes(".rela.plt").empty());
}

struct Wrong {
    const char* name;
    OutputKind kind;
    const char* source;
    const char* message;
};
void PrintTo(const Wrong& w, std::ostream* os) { *os << w.name; }

class AssemblerLinkErrors : public testing::TestWithParam<Wrong> {};

TEST_P(AssemblerLinkErrors, SayWhatCannotBeLinked) {
    const Wrong& w = GetParam();
    const auto program =
        assemble_program(std::string("_start: {}\n") + w.source, {.link = {.kind = w.kind}});
    ASSERT_FALSE(program);
    EXPECT_NE(program.error().front().report("x.s").find(w.message), std::string::npos)
        << program.error().front().report("x.s");
    EXPECT_EQ(program.error().front().line, 2);
}

INSTANTIATE_TEST_SUITE_P(
    Sources, AssemblerLinkErrors,
    testing::Values(
        Wrong{"Short", OutputKind::PositionIndependent, ".word _start", "fills 64 bits, not 32"},
        Wrong{"ShortLiteral", OutputKind::PositionIndependent, "{ addd 0, _f32s _start, %dr1 }",
              "fills 64 bits"},
        Wrong{"ShortImport", OutputKind::Dynamic, ".word other", "fills 64 bits"},
        Wrong{"Product", OutputKind::PositionIndependent, ".dword _start * 2", "no relocation"},
        Wrong{"Difference", OutputKind::PositionIndependent, ".dword other - .", "no relocation"},
        Wrong{"Sum", OutputKind::PositionIndependent, ".dword _start + _start", "no relocation"},
        Wrong{"Fill", OutputKind::Dynamic, ".dcb.l 2, other", "not known yet"},
        Wrong{"ThreadOffset", OutputKind::Shared,
              "{ addd 0, x@TLS_LE, %dr1 }\n.section .tbss, "
              "\"awT\"\nx: .dword 0",
              "a shared object does not know"},
        Wrong{"ThreadOther", OutputKind::Dynamic, "{ addd 0, x@TLS_LE, %dr1 }",
              "reached by @TLS_IE"},
        Wrong{"Section", OutputKind::Dynamic, ".section .dynamic, \"aw\"",
              "belongs to the assembler"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(AssemblerLink, LibrariesTellWhatTheyOffer) {
    const auto library =
        assemble_program(R"(
        .globl counter, step
        .type counter, @object
        .type step, @function
step:   {}
        .data
counter: .dword 0, 0
        .size counter, 16
)",
                         {.link = {.kind = OutputKind::Shared, .soname = "lib.so.2"}});
    ASSERT_TRUE(library);
    const auto file = write_elf(*library);
    const std::string_view bytes(reinterpret_cast<const char*>(file.data()), file.size());
    const auto read = parse_library(bytes);
    ASSERT_TRUE(read) << read.error();
    EXPECT_EQ(read->soname, "lib.so.2");
    LinkOptions link = kProgram;
    link.library = read->symbols;
    const Linked p("_start: { addd 0, counter, %dr1 ; addd 0, step, %dr2 }\n", link);
    ASSERT_TRUE(p.ok());
    EXPECT_EQ(p.relocations(), Strings{"64 counter+0"});
    EXPECT_EQ(p.dynamic_symbols().at("counter").st_size, 16u);
    EXPECT_EQ(p.relocations(".rela.plt"), Strings{"63 step+0"});
    // Whatever is cut off: an answer.
    for (std::size_t size = 0; size < bytes.size(); size += 7) {
        const auto part = parse_library(bytes.substr(0, size));
        EXPECT_TRUE(part || !part.error().empty());
    }
}

}  // namespace
}  // namespace e2k::isa
