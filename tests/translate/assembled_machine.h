// A guest without a process whose code is written in assembler.
#pragma once

#include <cstdint>
#include <string>

#include "engine/cpu/state.h"
#include "engine/isa/assembler/program.h"
#include "tests/translate/bare_guest.h"

namespace e2k::translate::test {

/// The state stands at the start of the code. `error`: what the assembler says; empty: nothing.
class Machine {
public:
    explicit Machine(const std::string& text) {
        isa::ProgramSourceOptions options;
        options.iset = kIset;
        options.base = kCode;
        const auto program = isa::assemble_program(text, options);
        if (!program) {
            error = program.error().front().describe("source");
            return;
        }
        guest.load(program->sections.front().bytes);
        guest.attach(state);
        state.iset = kIset;
        state.wd.size = 32;
        state.wd.psize = 8;
        state.usd_base = kData + 0x800;
        state.usd_size = 0x400;
        state.pfpfr = 0x1f80;
        state.fpcr = 0x37f;
    }
    static constexpr std::uint8_t kIset = 5;
    std::string error;
    BareGuest guest;
    cpu::CpuState state;
};

}  // namespace e2k::translate::test
