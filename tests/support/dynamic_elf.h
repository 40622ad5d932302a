// Dynamically linked programs, assembled in a test: one segment that holds everything.
#pragma once

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/isa/assembler/program.h"
#include "tests/support/elf_header.h"
#include "tests/support/guest_macros.h"

namespace e2k::test {

/// Functions in `functions` are called by `import NAME` in the source, which begins with `begin`
/// (guest_macros.h); `objects` are copied to `NAME_copy` (8 bytes each). `_start` gets the stack of
/// the kernel.
struct DynamicElf {
    static constexpr std::uint64_t kBase = 0x10000, kText = 0x11000, kTables = 0x14000;
    static constexpr std::uint64_t kSize = 0x6000;
    static constexpr std::uint64_t kGot = kTables + 0x1800, kCopies = kTables + 0x1c00;
    static constexpr std::uint32_t kJumpSlot = 63, kCopy = 64, kTagLazyGot = 0x70000003;

    std::string source;
    std::vector<std::string> functions;
    std::vector<std::string> objects;
    std::vector<std::string> needed{"libc.so.6"};

    std::vector<std::uint8_t> bytes() const {
        std::vector<std::uint8_t> image(kSize);
        const std::uint64_t entry = place_code(image);
        place_tables(image, entry);
        return image;
    }

private:
    template <class T>
    static void put(std::vector<std::uint8_t>& image, std::uint64_t address, const T& value) {
        std::memcpy(image.data() + (address - kBase), &value, sizeof value);
    }

    std::uint64_t place_code(std::vector<std::uint8_t>& image) const {
        std::string text(kGuestMacros);
        for (std::size_t i = 0; i < functions.size(); ++i)
            text +=
                "        .equ " + functions[i] + "_slot, " + std::to_string(kGot + 8 * i) + "\n";
        for (std::size_t i = 0; i < objects.size(); ++i)
            text +=
                "        .equ " + objects[i] + "_copy, " + std::to_string(kCopies + 8 * i) + "\n";
        text += R"(
        .macro import name
        { addd 0, \name\()_slot, %dr19 }
        { nop 2
          ldd [%dr19], %dr19 }
        { nop 5
          movtd %dr19, %ctpr1 }
        { call %ctpr1, wbs = CALL }
        .endm
)" + source;
        isa::ProgramSourceOptions options;
        options.base = kText;
        const auto program = isa::assemble_program(text, options);
        if (!program) throw std::runtime_error(program.error().front().describe("guest"));
        for (const auto& section : program->sections) {
            if (!section.loaded) continue;
            if (section.address + section.size > kTables) throw std::runtime_error("too large");
            if (!section.bytes.empty())
                std::memcpy(image.data() + (section.address - kBase), section.bytes.data(),
                            section.bytes.size());
        }
        return program->entry;
    }

    void place_tables(std::vector<std::uint8_t>& image, std::uint64_t entry) const {
        constexpr std::uint64_t kDynamic = kTables, kSymbols = kTables + 0x200,
                                kStrings = kTables + 0x800, kHash = kTables + 0xe00,
                                kRela = kTables + 0x1000, kInterpreter = kTables + 0x1f00;
        std::string strings(1, '\0');
        const auto name = [&](const std::string& text) {
            const std::size_t at = strings.size();
            strings += text + '\0';
            return static_cast<std::uint32_t>(at);
        };
        std::vector<Elf64_Dyn> dynamic;
        const auto tag = [&](std::int64_t t, std::uint64_t value) {
            dynamic.push_back({t, {value}});
        };
        for (const std::string& library : needed) tag(DT_NEEDED, name(library));
        std::uint32_t symbol = 1, relocation = 0;
        const auto add = [&](const std::string& text, std::uint8_t type, std::uint32_t kind,
                             std::uint64_t place) {
            Elf64_Sym s{};
            s.st_name = name(text);
            s.st_info = ELF64_ST_INFO(STB_GLOBAL, type);
            if (kind == kCopy) {
                s.st_value = place;
                s.st_size = 8;
                s.st_shndx = 1;
            }
            put(image, kSymbols + symbol * sizeof s, s);
            const Elf64_Rela r{place, ELF64_R_INFO(std::uint64_t{symbol}, kind), 0};
            put(image, kRela + relocation++ * sizeof r, r);
            ++symbol;
        };
        for (std::size_t i = 0; i < objects.size(); ++i)
            add(objects[i], STT_OBJECT, kCopy, kCopies + 8 * i);
        const std::uint64_t plt = kRela + relocation * sizeof(Elf64_Rela);
        for (std::size_t i = 0; i < functions.size(); ++i)
            add(functions[i], STT_FUNC, kJumpSlot, kGot + 8 * i);
        const std::uint32_t hash[] = {1, symbol, 0};
        put(image, kHash, hash);
        tag(DT_HASH, kHash);
        tag(DT_STRTAB, kStrings);
        tag(DT_STRSZ, strings.size());
        tag(DT_SYMTAB, kSymbols);
        tag(DT_SYMENT, sizeof(Elf64_Sym));
        tag(DT_RELA, kRela);
        tag(DT_RELASZ, relocation * sizeof(Elf64_Rela));
        tag(DT_RELAENT, sizeof(Elf64_Rela));
        tag(DT_JMPREL, plt);
        tag(DT_PLTRELSZ, functions.size() * sizeof(Elf64_Rela));
        tag(DT_PLTREL, DT_RELA);
        tag(kTagLazyGot, 0);
        tag(DT_NULL, 0);
        std::memcpy(image.data() + (kDynamic - kBase), dynamic.data(),
                    dynamic.size() * sizeof(Elf64_Dyn));
        std::memcpy(image.data() + (kStrings - kBase), strings.data(), strings.size());
        static constexpr char kName[] = "/lib64/ld-linux.so.2";
        put(image, kInterpreter, kName);
        place_headers(image, entry, {kInterpreter, sizeof kName},
                      {kDynamic, dynamic.size() * sizeof(Elf64_Dyn)});
    }

    struct Area {
        std::uint64_t address, size;
    };
    static void place_headers(std::vector<std::uint8_t>& image, std::uint64_t entry,
                              Area interpreter, Area dynamic) {
        put(image, kBase, executable_header(entry, 3));
        const auto segment = [&](unsigned i, std::uint32_t type, Area area) {
            Elf64_Phdr ph{};
            ph.p_type = type;
            ph.p_flags = PF_R | PF_W | PF_X;
            ph.p_offset = area.address - kBase;
            ph.p_vaddr = ph.p_paddr = area.address;
            ph.p_filesz = ph.p_memsz = area.size;
            ph.p_align = type == PT_LOAD ? 0x1000 : 8;
            put(image, kBase + sizeof(Elf64_Ehdr) + i * sizeof ph, ph);
        };
        segment(0, PT_INTERP, interpreter);
        segment(1, PT_LOAD, {kBase, kSize});
        segment(2, PT_DYNAMIC, dynamic);
    }
};

}  // namespace e2k::test
