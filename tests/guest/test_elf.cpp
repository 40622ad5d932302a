// Which files are refused and in what words; that no file, however damaged, does harm.
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <random>

#include "engine/guest/address_space.h"
#include "engine/guest/elf_image.h"
#include "engine/guest/process.h"
#include "tests/guest/elf_builder.h"

namespace e2k::guest {
namespace {

using test::ElfBuilder;

struct RefusalCase {
    const char* name;
    std::function<void(ElfBuilder&)> damage;
    const char* message;  ///< must be part of the refusal
};
void PrintTo(const RefusalCase& c, std::ostream* os) { *os << c.name; }

class ElfRefusal : public testing::TestWithParam<RefusalCase> {};

TEST_P(ElfRefusal, SaysWhatIsWrong) {
    ElfBuilder builder;
    GetParam().damage(builder);
    const auto image = ElfImage::parse(builder.bytes(), "prog");
    ASSERT_FALSE(image);
    EXPECT_TRUE(image.error().starts_with("prog: ")) << image.error();
    EXPECT_NE(image.error().find(GetParam().message), std::string::npos) << image.error();
}

INSTANTIATE_TEST_SUITE_P(
    Files, ElfRefusal,
    testing::Values(
        RefusalCase{"magic", [](ElfBuilder& b) { b.header.e_ident[0] = '#'; }, "not an ELF file"},
        RefusalCase{"x86_64", [](ElfBuilder& b) { b.header.e_machine = EM_X86_64; },
                    "ELF for machine 62 (x86-64), not Elbrus (175)"},
        RefusalCase{"machine_49", [](ElfBuilder& b) { b.header.e_machine = 49; },
                    "pre-standard Elbrus ELF (machine 49)"},
        RefusalCase{"class_32", [](ElfBuilder& b) { b.header.e_ident[EI_CLASS] = ELFCLASS32; },
                    "32-bit pointer mode (ELFCLASS32) is not supported: its system calls (trap 1)"},
        RefusalCase{"big_endian", [](ElfBuilder& b) { b.header.e_ident[EI_DATA] = ELFDATA2MSB; },
                    "big-endian"},
        RefusalCase{"protected", [](ElfBuilder& b) { b.header.e_flags |= 0x20; },
                    "protected mode (128-bit pointers) is not supported: pointers that carry"},
        RefusalCase{"x86app", [](ElfBuilder& b) { b.header.e_flags |= 4; }, "binary-translator"},
        RefusalCase{"relocatable", [](ElfBuilder& b) { b.header.e_type = ET_REL; },
                    "relocatable object, link it first"},
        RefusalCase{"core", [](ElfBuilder& b) { b.header.e_type = ET_CORE; },
                    "ELF type 4 cannot be executed"},
        RefusalCase{"v1", [](ElfBuilder& b) { b.header.e_flags = 1u << 24; }, "elbrus-v1"},
        RefusalCase{"v7", [](ElfBuilder& b) { b.header.e_flags = 7u << 24; }, "elbrus-v7"},
        RefusalCase{"cpu_99", [](ElfBuilder& b) { b.header.e_flags = 99u << 24; },
                    "unknown Elbrus CPU code 99"},
        RefusalCase{"no_segments", [](ElfBuilder& b) { b.segments.clear(); },
                    "damaged program header table"},
        RefusalCase{"only_notes", [](ElfBuilder& b) { b.segments[0].p_type = PT_NOTE; },
                    "none of its 1 entries loads anything"},
        RefusalCase{"phentsize", [](ElfBuilder& b) { b.header.e_phentsize = 32; },
                    "entries of 32 bytes"},
        RefusalCase{"table_past_end", [](ElfBuilder& b) { b.header.e_phoff = 0xfff; },
                    "damaged program header table"},
        RefusalCase{"table_far_away", [](ElfBuilder& b) { b.header.e_phoff = ~0ull - 8; },
                    "damaged program header table"},
        RefusalCase{"memsz_small", [](ElfBuilder& b) { b.segments[0].p_memsz = 0x10; },
                    "below its file size"},
        RefusalCase{"truncated", [](ElfBuilder& b) { b.body.resize(0x800); },
                    "the file is truncated"},
        RefusalCase{"offset_overflow", [](ElfBuilder& b) { b.segments[0].p_offset = ~0xfffull; },
                    "but the file ends at"},
        RefusalCase{"huge", [](ElfBuilder& b) { b.segments[0].p_memsz = 1ull << 50; },
                    "too large or too high"},
        RefusalCase{"wraps", [](ElfBuilder& b) { b.segments[0].p_memsz = ~0ull; },
                    "too large or too high"},
        RefusalCase{"high", [](ElfBuilder& b) { b.segments[0].p_vaddr = 0xd000'0000'0000; },
                    "too large or too high"},
        RefusalCase{"page_zero",
                    [](ElfBuilder& b) {
                        b.segments[0].p_vaddr = 0;
                        b.header.e_entry = 0x400;
                    },
                    "the first page must stay unmapped"},
        RefusalCase{"misaligned", [](ElfBuilder& b) { b.segments[0].p_vaddr = 0x10008; },
                    "differ modulo the page size"},
        RefusalCase{"overlap",
                    [](ElfBuilder& b) {
                        b.segments.push_back(
                            ElfBuilder::load(0x10000, 0, 0x100, 0x2000, PF_R | PF_W));
                    },
                    "overlap"},
        RefusalCase{"entry_odd", [](ElfBuilder& b) { b.header.e_entry = 0x10404; },
                    "bad entry point 0x10404: not a multiple of 8"},
        RefusalCase{"entry_outside", [](ElfBuilder& b) { b.header.e_entry = 0x20000; },
                    "not inside an executable segment"},
        RefusalCase{"entry_in_data", [](ElfBuilder& b) { b.segments[0].p_flags = PF_R | PF_W; },
                    "not inside an executable segment"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Elf, AcceptsEveryKnownProcessor) {
    const struct {
        unsigned code;
        int iset;
    } known[] = {{0, 4}, {2, 2},  {3, 3},  {4, 4},  {5, 5},
                 {6, 6}, {19, 4}, {20, 4}, {21, 6}, {23, 6}};
    for (const auto& row : known) {
        ElfBuilder builder;
        builder.header.e_flags = row.code << 24 | 0x10;
        const auto image = ElfImage::parse(builder.bytes(), "prog");
        ASSERT_TRUE(image) << image.error();
        EXPECT_EQ(image->iset, row.iset) << row.code;
    }
}

TEST(Elf, EmptyAndTinyFiles) {
    EXPECT_NE(ElfImage::parse({}, "prog").error().find("it is empty"), std::string::npos);
    auto bytes = ElfBuilder().bytes();
    for (std::size_t size = 1; size < 64; ++size) {
        const auto image =
            ElfImage::parse({bytes.begin(), bytes.begin() + static_cast<long>(size)}, "prog");
        ASSERT_FALSE(image);
    }
}

TEST(Elf, DynamicProgramsNeedADynamicSection) {
    ElfBuilder builder;
    Elf64_Phdr interp{};
    interp.p_type = PT_INTERP;
    interp.p_offset = 0x800;
    const char name[] = "/lib64/ld-linux.so.2";
    interp.p_filesz = sizeof name;
    std::memcpy(builder.body.data() + 0x800, name, sizeof name);
    builder.segments.push_back(interp);
    auto image = ElfImage::parse(builder.bytes(), "prog");
    ASSERT_TRUE(image) << image.error();
    EXPECT_EQ(image->interpreter, name);
    const auto process = Process::start(std::move(*image), {});
    ASSERT_FALSE(process);
    EXPECT_EQ(process.error(), "prog: damaged dynamic section: there is none (PT_DYNAMIC)");
}

/// Section headers behind the code: the null one, an executable one, the names.
struct SectionBuilder {
    ElfBuilder elf;
    Elf64_Shdr code{};
    std::string name = ".text";

    SectionBuilder() {
        code.sh_type = SHT_PROGBITS;
        code.sh_flags = SHF_ALLOC | SHF_EXECINSTR;
        code.sh_addr = 0x10400;
        code.sh_offset = 0x400;
        code.sh_size = 0x40;
        code.sh_name = 1;
    }
    std::vector<std::uint8_t> bytes() {
        constexpr std::uint64_t kNames = 0x800, kHeaders = 0x900;
        Elf64_Shdr names{};
        names.sh_type = SHT_STRTAB;
        names.sh_offset = kNames;
        names.sh_size = name.size() + 2;
        elf.header.e_shoff = kHeaders;
        elf.header.e_shentsize = sizeof(Elf64_Shdr);
        elf.header.e_shnum = 3;
        elf.header.e_shstrndx = 2;
        std::memcpy(elf.body.data() + kNames + 1, name.c_str(), name.size() + 1);
        std::memcpy(elf.body.data() + kHeaders + sizeof code, &code, sizeof code);
        std::memcpy(elf.body.data() + kHeaders + 2 * sizeof code, &names, sizeof names);
        return elf.bytes();
    }
};

TEST(Elf, OnlyBytesOfTheFileAreInASection) {
    SectionBuilder builder;
    builder.code.sh_type = SHT_NOBITS;
    builder.code.sh_size = 0x100000000;
    const auto image = ElfImage::parse(builder.bytes(), "prog");
    ASSERT_TRUE(image) << image.error();
    ASSERT_EQ(image->sections.size(), 1u);
    EXPECT_EQ(image->sections[0].size, 0x100000000u);
    EXPECT_EQ(image->sections[0].file_size, 0u);
}

TEST(Elf, WithoutSectionsTheExecutableSegmentsStandForThem) {
    ElfBuilder builder;
    builder.segments[0].p_memsz = 0x3000;
    const auto image = ElfImage::parse(builder.bytes(), "prog");
    ASSERT_TRUE(image) << image.error();
    ASSERT_EQ(image->sections.size(), 1u);
    const Section& code = image->sections[0];
    EXPECT_TRUE(code.executable);
    EXPECT_EQ(code.name, "segment at 0x10000");
    EXPECT_EQ(code.address, 0x10000u);
    EXPECT_EQ(code.file_size, 0x1000u);
    EXPECT_EQ(code.size, 0x3000u);
}

TEST(Elf, NamesAreFitForATerminal) {
    SectionBuilder builder;
    builder.name = ".te\x1b[7mxt";
    const auto image = ElfImage::parse(builder.bytes(), "prog");
    ASSERT_TRUE(image) << image.error();
    ASSERT_EQ(image->sections.size(), 1u);
    EXPECT_EQ(image->sections[0].name, ".te\\x1b[7mxt");
    EXPECT_EQ(image->sections[0].file_size, 0x40u);
}

TEST(Elf, MissingFileNamesTheReason) {
    const auto image = ElfImage::load("/no/such/program");
    ASSERT_FALSE(image);
    EXPECT_EQ(image.error(), "/no/such/program: cannot open: No such file or directory");
    EXPECT_NE(ElfImage::load("/").error().find("it is a directory"), std::string::npos);
}

TEST(Elf, SymbolsOfARealProgram) {
    const auto image = ElfImage::load(E2K_SOURCE_DIR "/tests/data/guests/elf/hello");
    ASSERT_TRUE(image) << image.error();
    const SymbolTable symbols(image->symbols);
    const Symbol* start = symbols.by_name("_start");
    ASSERT_NE(start, nullptr);
    EXPECT_EQ(start->address, image->entry);
    EXPECT_EQ(symbols.describe(start->address), "_start");
    EXPECT_EQ(symbols.describe(start->address + 0x18), "_start+0x18");
    EXPECT_EQ(symbols.describe(0x4000000000), "");
}

TEST(Elf, SymbolLookupPrefersFunctionsAndCoveringSymbols) {
    const SymbolTable symbols({{0x1000, 0x40, "object", false},
                               {0x1000, 0x40, "function", true},
                               {0x1010, 0, "label", true},
                               {0x2000, 0, "tail", true}});
    EXPECT_EQ(symbols.describe(0x1000), "function");
    EXPECT_EQ(symbols.describe(0x1018), "function+0x18");
    EXPECT_EQ(symbols.describe(0x2008), "tail+0x8");
    EXPECT_EQ(symbols.find(0xfff), nullptr);
}

/// Mutations of a real program: each is refused in words, or loads and starts.
TEST(Elf, MutatedFilesNeverDoHarm) {
    std::ifstream file(E2K_SOURCE_DIR "/tests/data/guests/elf/hello", std::ios::binary);
    const std::vector<std::uint8_t> original((std::istreambuf_iterator<char>(file)), {});
    ASSERT_GT(original.size(), 64u);
    std::mt19937_64 random(20240607);
    unsigned accepted = 0, refused = 0;
    for (int round = 0; round < 20000; ++round) {
        auto bytes = original;
        const unsigned changes = 1 + random() % 4;
        for (unsigned i = 0; i < changes; ++i) {
            // Mostly the headers, where it matters.
            const std::size_t at = random() % (random() % 4 ? 256 : bytes.size());
            bytes[at] = static_cast<std::uint8_t>(random() % 3 ? random() : ~bytes[at]);
        }
        if (random() % 8 == 0) bytes.resize(random() % bytes.size());
        auto image = ElfImage::parse(std::move(bytes), "prog");
        if (!image) {
            ++refused;
            EXPECT_GT(image.error().size(), 10u);
            continue;
        }
        ++accepted;
        const SymbolTable symbols(image->symbols);
        EXPECT_NO_FATAL_FAILURE(symbols.describe(image->entry));
        if (accepted % 64 == 0) {
            const auto process = Process::start(std::move(*image), {});
            EXPECT_TRUE(process || process.error().size() > 10u);
        }
    }
    EXPECT_GT(accepted, 100u);
    EXPECT_GT(refused, 100u);
}

}  // namespace
}  // namespace e2k::guest
