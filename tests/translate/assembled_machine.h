// A guest without a process whose code is written in assembler.
#pragma once

#include <gtest/gtest.h>

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

/// What a translated run of such a program must leave as the interpreter does.
inline void expect_same_state(const cpu::CpuState& x, const cpu::CpuState& y) {
    EXPECT_EQ(x.ip, y.ip);
    EXPECT_EQ(x.bundles, y.bundles);
    EXPECT_EQ(x.operations, y.operations);
    EXPECT_EQ(x.depth(), y.depth());
    EXPECT_EQ(x.window_index(), y.window_index());
    EXPECT_EQ(x.pred, y.pred);
    EXPECT_EQ(x.usd_base, y.usd_base);
    EXPECT_EQ(x.usd_size, y.usd_size);
    for (unsigned i = 0; i < 3; ++i) EXPECT_EQ(x.ctpr[i].image(), y.ctpr[i].image()) << i;
    for (unsigned i = 0; i < 64; ++i)
        EXPECT_EQ(x.window_file[i].lo, y.window_file[i].lo) << "register " << i << " of the file";
    EXPECT_EQ(x.g[16].lo, y.g[16].lo);
    for (const cpu::ChainFrame *f = x.chain_file, *g = y.chain_file; f != x.chain_top; ++f, ++g) {
        EXPECT_EQ(f->return_ip, g->return_ip);
        EXPECT_EQ(f->pred, g->pred);
        EXPECT_EQ(f->wbs, g->wbs);
        EXPECT_EQ(f->ussz, g->ussz);
    }
}

}  // namespace e2k::translate::test
