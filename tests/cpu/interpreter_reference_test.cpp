// Rare operations and conditions, each as the reference defines it: bundles written as text.
#include <algorithm>
#include <string_view>
#include <vector>

#include "engine/isa/assembler/assembler.h"
#include "tests/cpu/interpreter_fixture.h"

namespace e2k::cpu::test {
namespace {

class Reference : public InterpreterTest {
protected:
    /// Puts the bundle at kCode and the state before it.
    void bundle(std::string_view text, int iset = 4) {
        state.iset = static_cast<std::uint8_t>(iset);
        state.ip = kCode;
        std::vector<isa::SourceLine> lines;
        for (std::size_t at = 0; at <= text.size();) {
            const auto end = std::min(text.find('\n', at), text.size());
            lines.push_back({text.substr(at, end - at), static_cast<int>(lines.size()) + 1, 1});
            at = end + 1;
        }
        const auto bytes = isa::assemble_bundle(lines, kCode, {.iset = iset});
        ASSERT_TRUE(bytes) << bytes.error().front().describe("bundle");
        for (std::size_t i = 0; i < bytes->size(); ++i) poke(kCode + i, (*bytes)[i]);
        interpreter->invalidate(kCode, kCode + 64);
    }
    void traps(std::string_view text, TrapCode code, std::string_view word, int iset = 4) {
        bundle(text, iset);
        expect_trap(code);
        EXPECT_NE(trapped.detail.find(word), std::string::npos) << trapped.detail;
    }
    void runs(std::string_view text, int iset = 4) {
        bundle(text, iset);
        step_ok();
    }
};

TEST_F(Reference, WhatSixtyFourBitProgramsHaveNot) {  // versions.md §1
    for (const int iset : {2, 4, 6}) {
        traps("abg 1", TrapCode::IllegalOpcode, "abg", iset);
        traps("vfdi", TrapCode::IllegalOpcode, "vfdi", iset);
    }
}

TEST_F(Reference, WhatThePrivilegedDo) {
    traps("setei 1", TrapCode::PrivilegedAction, "setei");
    traps("done", TrapCode::PrivilegedAction, "done");
    traps("hcall 1, wbs = 4", TrapCode::PrivilegedAction, "hcall", 6);
    traps("rwd %dr1, %psr", TrapCode::PrivilegedAction, "0x00");
    traps("rwd %dr1, %ip", TrapCode::IllegalOpcode, "0x81");
    traps("puttsd 2", TrapCode::PrivilegedAction, "puttsd", 2);
    traps("ldd,0 [%dr1], %dr2, mas = 1", TrapCode::PrivilegedAction, "kernel");
}

TEST_F(Reference, WhatLeftTheArchitecture) {  // versions.md §2
    for (const int iset : {3, 4, 5, 6}) {
        traps("puttsd 2", TrapCode::IllegalOpcode, "elbrus-v2", iset);
        traps("gettsd %ctpr1", TrapCode::IllegalOpcode, "elbrus-v2", iset);
    }
}

TEST_F(Reference, SoftwareTrap) { traps("setsft", TrapCode::SoftwareTrap, "setsft"); }

TEST_F(Reference, WhatNoReferenceDefinesIsNamed) {
    traps("srp", TrapCode::Unsupported, "recovery points");
    traps("crp", TrapCode::Unsupported, "recovery points");
    traps("flushts", TrapCode::Unsupported, "flushts");
    traps("vfbg umask = 1", TrapCode::Unsupported, "vfbg");
    traps("cctope %r1, %pred1", TrapCode::Unsupported, "cctope");
    traps("adds_fb %r1, %r2, %r3", TrapCode::Unsupported, "adds_fb");
}

TEST_F(Reference, NewerThanTheProcessor) {
    for (const auto& [text, first] : {std::pair{"qpaddb %qpr1, %qpr2, %qpr3", 5},
                                      {"fmad %dr1, %dr2, %dr3, %dr4", 6},
                                      {"pshufb %dr1, %dr2, %dr3, %dr4", 2}}) {
        runs(text, first);
        state.iset = static_cast<std::uint8_t>(first - 1);
        if (first == 2) continue;  // programs of v1 do not run at all
        state.ip = kCode;
        interpreter->invalidate(kCode, kCode + 64);
        expect_trap(TrapCode::IllegalOpcode);
    }
}

TEST_F(Reference, RegistersOutsideTheWindow) {  // registers.md §2
    state.wd.size = 16;
    traps("addd 0, %dr16, %dr1", TrapCode::WindowBounds, "16");
    traps("addd 0, 1, %dr20", TrapCode::WindowBounds, "20");
    state.br.rbs = 4;
    state.br.rsz = 1;
    runs("addd 0, 1, %db[3]");
    traps("addd 0, 1, %db[4]", TrapCode::WindowBounds, "4");
    state.br.rbs = 7;  // inside the rotating area, outside the window
    traps("addd 0, 1, %db[2]", TrapCode::WindowBounds, "2");
    // A bundle with setwd: sources against the old window, results against the new one.
    runs("setwd wsz = 10, nfx = 1, dbl = 1\naddd 0, 1, %dr18");
}

TEST_F(Reference, ResultsForTransferRegisters) {
    reg(1).lo = kCode + 64;
    runs("movtd,0 %dr1, %ctpr1");
    EXPECT_EQ(state.ctpr[0].base, kCode + 64);
    // Assemblers refuse the others; here are their words: addd,0 0, 1 to %ctpr1.
    bundle("addd,0 0, 1, %dr1");
    poke<std::uint8_t>(kCode + 4, 0xd1);
    interpreter->invalidate(kCode, kCode + 64);
    expect_trap(TrapCode::IllegalOpcode);
}

TEST_F(Reference, StrictAlignment) {  // state.md §2.2
    const std::uint64_t odd = kData + 3;
    reg(1).lo = odd;
    reg(2).lo = 0x1122334455667788;
    const auto repeat = [&](std::string_view text) { runs(text); };
    for (const std::uint32_t upsr : {0u, 4u}) {  // lenient, whatever UPSR.ac says
        state.upsr = upsr;
        repeat("ldd,0 [%dr1], %dr3");
        repeat("std,2 %dr2, [%dr1]");
    }
    state.strict_alignment = 1;
    state.upsr = 0;
    repeat("ldd,0 [%dr1], %dr3");
    state.upsr = 4;
    traps("ldd,0 [%dr1], %dr3", TrapCode::AddressNotAligned, "UPSR.ac");
    EXPECT_EQ(trapped.address, odd);
    traps("stw,2 %dr2, [%dr1]", TrapCode::AddressNotAligned, "UPSR.ac");
    repeat("ldb,0 [%dr1], %dr3");
    repeat("ldd,0 [%dr1 + 5], %dr3");
    repeat("ldd,0 [%dr1], %dr3, mas = 0x10");  // the specifier allows it before v6
    state.iset = 6;
    traps("ldh,0 [%dr1], %dr3, mas = 0x20", TrapCode::AddressNotAligned, "UPSR.ac", 6);
    repeat("ldd,0,sm [%dr1], %dr3");  // fails without a trap
    EXPECT_EQ(reg(3).lo, 0x4afafafa4afafafau);
}

TEST_F(Reference, ALabelInTheSecondRegisterEndsThePrefetch) {  // control.md §1, arrays.md §2
    state.aau.active = 1;
    runs("disp %ctpr1, 2");
    runs("disp %ctpr3, 2");
    runs("ldisp %ctpr2, 2");
    runs("sdisp %ctpr2, 3");
    EXPECT_EQ(state.aau.active, 1);
    runs("disp %ctpr2, 2");
    EXPECT_EQ(state.aau.active, 0);
    state.aau.active = 1;
    runs("eap");
    EXPECT_EQ(state.aau.active, 0);
}

/// Elements of `fmt` at kData in area 0 of the left plane.
class ArrayReference : public Reference {
protected:
    static constexpr std::uint64_t kBad = 0xeaed0f70eaed0f70;
    void area(std::uint8_t fmt, std::uint64_t base) {
        state.aau = AauState{};
        state.aau.active = 1;
        state.aau.area[0].fmt = fmt;
        state.aau.aad_base[0] = base;
    }
    std::uint64_t take(std::string_view text, int iset) {
        state.exact_tags = 1;
        reg(16).lo = 0;
        runs(text, iset);
        // Diagnostic exactly where the pattern of failure is.
        EXPECT_EQ(state.window_tags[16], reg(16).lo == kBad ? 5 : 0) << text;
        return reg(16).lo;
    }
};

TEST_F(ArrayReference, LoadWiderThanItsElement) {  // arrays.md §4
    poke<std::uint64_t>(kData, 0x1122334455667788);
    struct Case {
        const char* text;
        std::uint8_t fmt;
        std::uint64_t value;
    };
    for (const Case& c : {Case{"movab,0 area = 0, %b[0]", 1, 0x88},
                          {"movah,0 area = 0, %b[0]", 1, kBad},
                          {"movah,0 area = 0, %b[0]", 2, 0x7788},
                          {"movaw,0 area = 0, %b[0]", 2, kBad},
                          {"movaw,0 area = 0, %b[0]", 3, 0x55667788},
                          {"movad,0 area = 0, %db[0]", 3, kBad},
                          {"movad,0 area = 0, %db[0]", 4, 0x1122334455667788},
                          {"movab,0 area = 0, %b[0]", 4, 0x88},
                          {"movab,0 area = 0, %b[0]", 0, kBad}}) {
        area(c.fmt, kData);
        EXPECT_EQ(take(c.text, 4), c.value) << c.text << " of format " << int{c.fmt};
    }
}

TEST_F(ArrayReference, AlignmentByVersion) {  // arrays.md §4
    poke<std::uint64_t>(kData + 1, 0x1122334455667788);
    for (const int iset : {2, 3, 4}) {
        area(4, kData + 1);
        EXPECT_EQ(take("movad,0 area = 0, %db[0]", iset), kBad);
        area(4, kData + 1);
        EXPECT_EQ(take("movab,0 area = 0, %b[0]", iset), 0x88u);
    }
    for (const int iset : {5, 6}) {
        area(4, kData + 1);
        EXPECT_EQ(take("movad,0 area = 0, %db[0]", iset), 0x1122334455667788u);
    }
}

TEST_F(ArrayReference, IndexWidthByVersion) {  // arrays.md §1: 32 bits up to v4, then 48 signed
    for (const int iset : {4, 5}) {
        area(4, kData + 16);
        state.aau.aaincr[1] = ~0ull;  // one element back
        state.aau.area[0].incr = 1;
        runs("movad,0 area = 0, am = 1, %db[0]", iset);
        EXPECT_EQ(state.aau.area[0].cur, iset < 5 ? 0xfffffff8u : ~7ull);
    }
}

}  // namespace
}  // namespace e2k::cpu::test
