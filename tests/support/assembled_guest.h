// Guest programs written in E2K assembly inside a test.
#pragma once

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "engine/isa/assembler/program.h"

namespace e2k::test {

/// Assembles `source` into an ELF file `path`; a mistake in the source is thrown with its place.
inline void write_guest(const std::filesystem::path& path, std::string_view source) {
    const auto program = isa::assemble_program(source);
    if (!program) throw std::runtime_error(program.error().front().describe(path.string()));
    const auto elf = isa::write_elf(*program);
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(elf.data()), static_cast<std::streamsize>(elf.size()));
    if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

/// Counts in %dr0 for ever, in a loop of one bundle: nothing but translated code runs.
inline constexpr std::string_view kEndlessLoop = R"(
        .globl _start
        .type _start, @function
_start: { setwd wsz = 8, nfx = 1, dbl = 1
          setbn rbs = 4, rsz = 3, rcur = 0 }
        addd 0, 0, %dr0
        { disp %ctpr1, loop }
        nop 5
loop:   { addd %dr0, 1, %dr0
          ct %ctpr1 }
)";

/// The same in bundles that can each hold a breakpoint: two a round, four before the first.
inline constexpr std::string_view kEndlessPair = R"(
        .globl _start
        .type _start, @function
_start: { setwd wsz = 8, nfx = 1, dbl = 1
          setbn rbs = 4, rsz = 3, rcur = 0 }
        addd 0, 0, %dr0
        { disp %ctpr1, hot }
        nop 5
        .globl hot
hot:    { addd %dr0, 1, %dr0 }
        .globl middle
middle: { ct %ctpr1 }
)";

}  // namespace e2k::test
