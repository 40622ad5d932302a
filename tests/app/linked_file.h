// A program or shared object of our own assembler as a file that can be executed.
#pragma once

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "engine/isa/assembler/program.h"

namespace e2k::test {

inline void write_linked(const std::filesystem::path& path, const std::string& source,
                         const isa::LinkOptions& link) {
    const auto program = isa::assemble_program(source, {.link = link});
    if (!program) throw std::runtime_error(program.error().front().report(path.string()));
    const auto elf = isa::write_elf(*program);
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(elf.data()), static_cast<std::streamsize>(elf.size()));
    file.close();
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

}  // namespace e2k::test
