// The ELF header of executables that tests make by hand.
#pragma once

#include <elf.h>

#include <cstdint>
#include <cstring>

namespace e2k::test {

/// Of a program for elbrus-v4; the program headers follow at once, `segments` of them.
inline Elf64_Ehdr executable_header(std::uint64_t entry, std::uint16_t segments) {
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_EXEC;
    header.e_machine = 175;
    header.e_version = EV_CURRENT;
    header.e_entry = entry;
    header.e_phoff = sizeof header;
    header.e_flags = 4u << 24;
    header.e_ehsize = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = segments;
    return header;
}

}  // namespace e2k::test
