// Builds small ELF files, right or wrong on purpose.
#pragma once

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "tests/support/elf_header.h"

namespace e2k::guest::test {

/// One executable segment of 0x100 zero bytes at 0x10000 behind the headers; change what you want.
struct ElfBuilder {
    Elf64_Ehdr header = e2k::test::executable_header(0x10400, 0);
    std::vector<Elf64_Phdr> segments;
    std::vector<std::uint8_t> body = std::vector<std::uint8_t>(0x1000);

    ElfBuilder() { segments.push_back(load(0x10000, 0, 0x1000, 0x1000, PF_R | PF_X)); }
    static Elf64_Phdr load(std::uint64_t address, std::uint64_t offset, std::uint64_t filesz,
                           std::uint64_t memsz, std::uint32_t flags) {
        Elf64_Phdr ph{};
        ph.p_type = PT_LOAD;
        ph.p_flags = flags;
        ph.p_offset = offset;
        ph.p_vaddr = ph.p_paddr = address;
        ph.p_filesz = filesz;
        ph.p_memsz = memsz;
        ph.p_align = 0x1000;
        return ph;
    }
    std::vector<std::uint8_t> bytes() const {
        std::vector<std::uint8_t> file = body;
        Elf64_Ehdr h = header;
        h.e_phnum = static_cast<Elf64_Half>(segments.size());
        std::memcpy(file.data(), &h, sizeof h);
        std::memcpy(file.data() + sizeof h, segments.data(), segments.size() * sizeof(Elf64_Phdr));
        return file;
    }
};

}  // namespace e2k::guest::test
