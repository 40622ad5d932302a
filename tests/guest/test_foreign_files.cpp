// Shared objects and programs as other linkers write them, made of our own by changing tables:
// forms of the procedure linkage table, versions of symbols.
#include <elf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "tests/guest/linked_programs.h"

namespace e2k::guest {
namespace {

using isa::OutputKind;
using test::LinkedFiles;
using test::Linking;
using test::RunResult;

/// A linked file whose tables a test changes.
class Patch {
public:
    Patch(const isa::AssembledProgram& program, std::vector<std::uint8_t>& bytes)
        : program_(program), bytes_(bytes) {}

    std::uint64_t symbol(std::string_view name) const {
        return std::ranges::find(program_.symbols, name, &isa::AssembledSymbol::name)->address;
    }
    const isa::AssembledSection& section(std::string_view name) const {
        return *std::ranges::find(program_.sections, name, &isa::AssembledSection::name);
    }
    template <class T>
    T get(std::uint64_t address) const {
        T value;
        std::memcpy(&value, bytes_.data() + (address - program_.base), sizeof value);
        return value;
    }
    template <class T>
    void put(std::uint64_t address, const T& value) {
        std::memcpy(bytes_.data() + (address - program_.base), &value, sizeof value);
    }
    /// Another entry in place of the `skip`-th with this tag.
    void replace_tag(std::int64_t tag, unsigned skip, std::int64_t with, std::uint64_t value) {
        const auto& dynamic = section(".dynamic");
        for (std::uint64_t at = dynamic.address; at < dynamic.address + dynamic.size; at += 16)
            if (get<std::int64_t>(at) == tag && skip-- == 0) {
                put(at, with);
                put(at + 8, value);
                return;
            }
        throw std::runtime_error("no such tag");
    }
    std::uint32_t string(std::string_view text) const {
        const auto& strings = section(".dynstr");
        const std::string_view all(
            reinterpret_cast<const char*>(bytes_.data() + (strings.address - program_.base)),
            strings.size);
        const auto at = all.find(std::string(1, '\0') + std::string(text) + '\0');
        if (at == std::string_view::npos) throw std::runtime_error("no such string");
        return static_cast<std::uint32_t>(at + 1);
    }
    /// Address of a dynamic symbol, and its number.
    std::pair<std::uint64_t, unsigned> dynamic_symbol(std::string_view name) const {
        const auto& table = section(".dynsym");
        const std::uint32_t wanted = string(name);
        for (unsigned i = 0; i < table.size / sizeof(Elf64_Sym); ++i)
            if (get<Elf64_Sym>(table.address + i * sizeof(Elf64_Sym)).st_name == wanted)
                return {table.address + i * sizeof(Elf64_Sym), i};
        throw std::runtime_error("no such symbol");
    }
    /// Versions of all symbols at `versions`, 256 bytes of the source: those named, else none. Two
    /// of the needed libraries, behind the first `kept`, give way to the tags.
    void version_indices(unsigned kept,
                         const std::vector<std::pair<std::string, std::uint16_t>>& versions) {
        const std::uint64_t table = symbol("versions");
        for (unsigned i = 0; i < section(".dynsym").size / sizeof(Elf64_Sym); ++i)
            put<std::uint16_t>(table + 2 * i, i != 0);
        for (const auto& [name, version] : versions)
            put<std::uint16_t>(table + 2 * dynamic_symbol(name).second, version);
        replace_tag(DT_NEEDED, kept, DT_VERSYM, table);
    }

private:
    const isa::AssembledProgram& program_;
    std::vector<std::uint8_t>& bytes_;
};

class ForeignFiles : public test::Linking {};

INSTANTIATE_TEST_SUITE_P(Kinds, ForeignFiles, test::both_kinds(), test::kind_name);

/// Where the 64-bit literal of a hand-written entry has its address from.
struct PltForm {
    const char* name;
    std::int64_t tag;
    std::uint64_t behind;  ///< of the literal, from the place that the relocation names
};

TEST_P(ForeignFiles, EntriesOfThePltMayHoldTheAddressThemselves) {
    constexpr std::int64_t kTagLazyGot = 0x70000003;
    for (const PltForm& form : {PltForm{"literal", DT_BIND_NOW, 0}, PltForm{"entry", 0x70000001, 8},
                                PltForm{"word 20", 0x70000002, 20 * 8}}) {
        const RunResult result = test::run_file(program(
            R"(
        { addd 0, text, %db[0] }
        invoke entry
        answer 6
        invoke puts                     ! (for its relocation)
        .skip 512
entry:  { movtd _f64 0x3333333333333333, %ctpr1 }
        { ct %ctpr1 }
        .section .rodata
text:   .asciz "called"
)",
            {"libc.so.6"}, [&](const isa::AssembledProgram& linked, std::vector<std::uint8_t>& b) {
                Patch patch(linked, b);
                const std::uint64_t literal = patch.symbol("entry") + 8;
                ASSERT_EQ(patch.get<std::uint64_t>(literal), 0x3333333333333333u);
                patch.replace_tag(kTagLazyGot, 0, form.tag, 0);
                const std::uint64_t records = patch.section(".rela.plt").address;
                for (std::uint64_t at = records;; at += sizeof(Elf64_Rela)) {
                    auto record = patch.get<Elf64_Rela>(at);
                    if (ELF64_R_SYM(record.r_info) != patch.dynamic_symbol("puts").second) continue;
                    record.r_offset = literal - form.behind;
                    patch.put(at, record);
                    break;
                }
                // The other one is called through the table.
                const auto start = patch.dynamic_symbol("__libc_start_main").second;
                for (std::uint64_t at = records;; at += sizeof(Elf64_Rela)) {
                    auto record = patch.get<Elf64_Rela>(at);
                    if (ELF64_R_SYM(record.r_info) != start) continue;
                    record.r_info = ELF64_R_INFO(std::uint64_t{start}, 50);
                    patch.put(at, record);
                    break;
                }
            }));
        EXPECT_EQ(result.output, "called\n") << form.name;
        expect_status(result, 6);
    }
}

TEST_P(ForeignFiles, ASymbolMayHaveTwoVersions) {
    library("libversions.so", R"(
        .globl value, value_of_old
        .type value, @function
        .type value_of_old, @function
value:  procedure
        answer 2
value_of_old: procedure
        answer 1
        .section .rodata
        .balign 8
versions: .skip 256
)",
            {"OLD_1", "NEW_2", "third"},
            [](const isa::AssembledProgram& linked, std::vector<std::uint8_t>& bytes) {
                constexpr std::uint16_t kOld = 2, kNew = 3, kHidden = 0x8000;
                Patch patch(linked, bytes);
                patch.version_indices(0, {{"value", kNew}, {"value_of_old", kOld | kHidden}});
                const std::uint64_t table = patch.symbol("versions") + 128;
                patch.replace_tag(DT_NEEDED, 0, DT_VERDEF, table);
                patch.replace_tag(DT_NEEDED, 0, DT_VERDEFNUM, 2);
                constexpr std::uint32_t kSize = sizeof(Elf64_Verdef) + sizeof(Elf64_Verdaux);
                for (const std::uint16_t number : {kOld, kNew}) {
                    const std::uint64_t at = table + (number - kOld) * kSize;
                    patch.put(at, Elf64_Verdef{1, 0, number, 1, 0, sizeof(Elf64_Verdef),
                                               number == kNew ? 0 : kSize});
                    patch.put(at + sizeof(Elf64_Verdef),
                              Elf64_Verdaux{patch.string(number == kNew ? "NEW_2" : "OLD_1"), 0});
                }
                const std::uint64_t old = patch.dynamic_symbol("value_of_old").first;
                auto symbol = patch.get<Elf64_Sym>(old);
                symbol.st_name = patch.string("value");
                patch.put(old, symbol);
            });
    struct Wanted {
        const char* version;
        int value;
    };
    for (const Wanted wanted : {Wanted{"OLD_1", 1}, Wanted{"NEW_2", 2}, Wanted{"", 2}}) {
        const std::string name = *wanted.version ? wanted.version : "none";
        const std::string path = program(
            R"(
        invoke value
        answer %db[0]
        .section .rodata
        .balign 8
versions: .skip 256
)",
            {"libversions.so", "libc.so.6", name, "second", "third"},
            [&](const isa::AssembledProgram& linked, std::vector<std::uint8_t>& bytes) {
                constexpr std::uint16_t kOurs = 2;
                Patch patch(linked, bytes);
                patch.version_indices(2, {{"value", *wanted.version ? kOurs : std::uint16_t{1}}});
                const std::uint64_t table = patch.symbol("versions") + 128;
                patch.replace_tag(DT_NEEDED, 2, DT_VERNEED, table);
                patch.replace_tag(DT_NEEDED, 2, DT_VERNEEDNUM, 1);
                patch.put(table, Elf64_Verneed{1, 1, patch.string("libversions.so"),
                                               sizeof(Elf64_Verneed), 0});
                patch.put(table + sizeof(Elf64_Verneed),
                          Elf64_Vernaux{0, 0, kOurs, patch.string(name), 0});
            });
        expect_status(test::run_file(path), wanted.value);
    }
}

}  // namespace
}  // namespace e2k::guest
