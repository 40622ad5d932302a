// What the assembler made of a source, for tests.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/isa/assembler/program.h"

namespace e2k::isa {

/// Contents of a section; empty if there is none. Errors of the assembler fail the test.
inline std::vector<std::uint8_t> section(
    const tl::expected<AssembledProgram, AssemblyErrors>& program, std::string_view name) {
    if (!program) {
        for (const AssemblyError& e : program.error()) ADD_FAILURE() << e.report("x.s");
        return {};
    }
    for (const AssembledSection& s : program->sections)
        if (s.name == name) return s.bytes;
    return {};
}

}  // namespace e2k::isa
