// What the built-in dynamic linker does for shared objects and programs: thread-local storage,
// indirect functions, addresses of functions, order of constructors, read-only relocations, the
// list for debuggers.
#include <elf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "tests/guest/linked_programs.h"

namespace e2k::guest {
namespace {

using isa::OutputKind;
using test::LinkedFiles;
using test::RunResult;

class Linking : public test::Linking {};

INSTANTIATE_TEST_SUITE_P(Kinds, Linking, test::both_kinds(), test::kind_name);

// ---- thread-local storage ----------------------------------------------------------------------

/// Addresses of its variables, found in each of the ways a shared object may use.
constexpr std::string_view kThreadLibrary = R"(
        .globl shared_word, general, local, initial, zero
        .type general, @function
        .type local, @function
        .type initial, @function
        .type zero, @function
general: procedure
        general_address shared_word
        answer %db[0]
local:  procedure                       ! of one's own block: module and place
        general_address own_word
        answer %db[0]
initial: procedure
        initial_address shared_word, %dr1
        answer %dr1
zero:   procedure
        initial_address zero_word, %dr1
        answer %dr1
        .section .tdata, "awT", @progbits
        .balign 64
        .dword 0
own_word: .dword 7
shared_word: .dword 5
        .section .tbss, "awT", @nobits
        .balign 8
zero_word: .space 8
)";

/// All ways lead to one place; a second thread begins with the values of the files.
constexpr std::string_view kThreadProgram = R"(
        invoke look
        expect %db[0], 0, 1
        { addd 0, thread, %db[0]
          addd 0, 0, %db[1] }
        { addd 0, other, %db[2]
          addd 0, 0, %db[3] }
        invoke pthread_create
        load %db[0], thread
        { addd 0, result, %db[1] }
        invoke pthread_join
        load %dr4, result
        expect %dr4, 0, 2
        { addd %dg13, first@TLS_LE, %dr4 }
        { nop 4
          ldd [%dr4], %dr4 }
        expect %dr4, 111, 3             ! what this thread has stored
        invoke general
        { nop 4
          ldd [%db[0]], %dr4 }
        expect %dr4, 105, 4
        answer 0
other:  procedure
        invoke look
        answer %db[0]
look:   procedure
        { addd %dg13, first@TLS_LE, %dr1 }
        { nop 4
          ldd [%dr1], %dr2 }
        expect %dr2, 11, 10
        { addd %dr2, 100, %dr2 }
        { std %dr2, [%dr1] }
        initial_address first, %dr3
        { subd %dr3, %dr1, %dr3 }
        expect %dr3, 0, 11
        general_address first
        { subd %db[0], %dr1, %dr3 }
        expect %dr3, 0, 12
        { andd %dr1, 31, %dr3 }
        expect %dr3, 8, 13              ! as the segment is aligned
        invoke general
        { addd 0, %db[0], %dr1 }
        { andd %dr1, 63, %dr3 }
        expect %dr3, 16, 14
        invoke initial
        { subd %db[0], %dr1, %dr3 }
        expect %dr3, 0, 15
        initial_address shared_word, %dr3
        { subd %dr3, %dr1, %dr3 }
        expect %dr3, 0, 16
        general_address shared_word
        { subd %db[0], %dr1, %dr3 }
        expect %dr3, 0, 17
        { nop 4
          ldd [%dr1], %dr2 }
        expect %dr2, 5, 18
        { addd %dr2, 100, %dr2 }
        { std %dr2, [%dr1] }
        invoke local
        { subd %dr1, %db[0], %dr3 }
        expect %dr3, 8, 19
        { nop 4
          ldd [%db[0]], %dr2 }
        expect %dr2, 7, 20
        invoke zero
        { nop 4
          ldd [%db[0]], %dr2 }
        expect %dr2, 0, 21
        { std %dr1, [%db[0]] }
        answer 0
        .section .tdata, "awT", @progbits
        .balign 32
        .dword 1
first:  .dword 11
        .bss
        .balign 8
thread: .space 8
result: .space 8
)";

TEST_P(Linking, ThreadLocalStorageOfEveryModel) {
    library("libthread.so", kThreadLibrary);
    expect_status(test::run_file(program(kThreadProgram, {"libthread.so", "libc.so.6"})), 0);
}

// ---- addresses of functions --------------------------------------------------------------------

TEST_P(Linking, IndirectFunctionsAreChosenByTheirResolvers) {
    library("libchoice.so", R"(
        .globl choice, ask
        .type choice, @gnu_indirect_function
        .type ask, @function
choice: procedure
        { addd 0, chosen, %dr0 }
        back
chosen: procedure
        load %dr1, number
        answer %dr1
ask:    procedure
        invoke choice
        answer %db[0]
        .data
        .balign 8
number: .dword 33
)");
    expect_status(test::run_file(program(R"(
        .type best, @gnu_indirect_function
        invoke choice
        expect %db[0], 33, 1
        load %dr4, foreign
        call_at %dr4
        expect %db[0], 33, 2
        invoke ask
        expect %db[0], 33, 3
        invoke best
        expect %db[0], 44, 4
        load %dr4, own
        call_at %dr4
        expect %db[0], 44, 5
        answer 0
best:   procedure
        { addd 0, better, %dr0 }
        back
better: procedure
        answer 44
        .data
        .balign 8
foreign: .dword choice
own:    .dword best
)",
                                         {"libchoice.so", "libc.so.6"})),
                  0);
}

/// However a program and its library come by the address of a function, it is one address.
TEST_P(Linking, AFunctionHasOneAddress) {
    library("libwho.so", R"(
        .globl who, address_of_who
        .type who, @function
        .type address_of_who, @function
who:    procedure
        answer 9
address_of_who: procedure
        load %dr1, pointer
        answer %dr1
        .data
        .balign 8
pointer: .dword who
)");
    expect_status(test::run_file(program(R"(
        .type who, @function
        { addd 0, _f64 who, %dr4 }
        load %dr5, pointer
        { subd %dr4, %dr5, %dr6 }
        expect %dr6, 0, 1
        invoke address_of_who
        { subd %dr4, %db[0], %dr6 }
        expect %dr6, 0, 2
        call_at %dr4
        expect %db[0], 9, 3
        invoke who
        expect %db[0], 9, 4
        answer 0
        .data
        .balign 8
pointer: .dword who
)",
                                         {"libwho.so", "libc.so.6"})),
                  0);
}

/// The program's own definition is the one that its libraries use, but for what they hide.
TEST_P(Linking, DefinitionsOfTheProgramComeFirst) {
    library("libstep.so", R"(
        .globl sum, step, firm
        .protected firm
        .type sum, @function
sum:    procedure
        invoke step
        { addd 0, %db[0], %dr4 }
        invoke firm
        { addd %dr4, %db[0], %dr0 }
        back
step:   procedure
        answer 1
firm:   procedure
        answer 10
)");
    const std::string path =
        files.link("program", std::string(test::kMain) + R"(
        .globl step, firm
        invoke sum
        answer %db[0]
step:   procedure
        answer 2
firm:   procedure
        answer 20
)",
                   {.kind = GetParam(), .needed = {"libstep.so", "libc.so.6"}, .export_all = true});
    expect_status(test::run_file(path), 12);
}

// ---- beginning and end -------------------------------------------------------------------------

/// Prints NAME and a digit wherever the dynamic linker or the C library calls it.
std::string speaking(const std::string& name, bool with_preinit = false) {
    std::string text;
    const auto function = [&](const std::string& label, char what) {
        text += label + ": procedure\n        sys 4, 1, text_" + label + ", 3\n        back\n";
        text += "        .section .rodata\ntext_" + label + ": .ascii \"" + name + what +
                " \"\n        .text\n";
    };
    function("_init", 'i');
    function("_fini", 'f');
    for (const char what : {'0', '1', '2', '3', '4'}) function(std::string("part") + what, what);
    text += "        .section .init_array, \"aw\"\n        .quad part1, part2\n";
    text += "        .section .fini_array, \"aw\"\n        .quad part3, part4\n";
    if (with_preinit) text += "        .section .preinit_array, \"aw\"\n        .quad part0\n";
    return text + "        .text\n";
}

TEST_P(Linking, ConstructorsRunBehindThoseTheyNeed) {
    // In the order of loading a stands behind b, which it needs; b needs d; c and e need each
    // other.
    library("a.so", speaking("a"), {"b.so"});
    library("b.so", speaking("b"), {"d.so"});
    library("c.so", speaking("c"), {"e.so"});
    library("d.so", speaking("d"));
    library("e.so", speaking("e"), {"c.so", "d.so"});
    const RunResult result =
        test::run_file(program("        sys 4, 1, text_main, 5\n        answer 3\n        .section "
                               ".rodata\ntext_main: .ascii \"main \"\n        .text\n" +
                                   speaking("p", true),
                               {"b.so", "a.so", "c.so", "libc.so.6"}));
    expect_status(result, 3);
    const auto at = [&](std::string_view text) { return result.output.find(text); };
    for (const char* pair : {"d2 bi", "b2 ai"}) {
        const std::string first(pair, 2), second(pair + 3, 2);
        EXPECT_LT(at(first), at(second)) << pair << ": " << result.output;
    }
    EXPECT_LT(at("d2"), at("ei")) << result.output;
    EXPECT_NE(at("p0 pi p1 p2 main p4 p3 pf "), std::string::npos) << result.output;
    // Each of them once, and at the end the other way round.
    std::vector<char> begun, ended;
    for (std::size_t i = 0; i + 2 < result.output.size(); ++i) {
        if (result.output.substr(i + 1, 2) == "i ") begun.push_back(result.output[i]);
        if (result.output.substr(i + 1, 2) == "f ") ended.push_back(result.output[i]);
    }
    EXPECT_EQ(begun.size(), 6u) << result.output;
    std::ranges::reverse(ended);
    EXPECT_EQ(begun, ended) << result.output;
}

// ---- read-only after relocation; the list for debuggers ----------------------------------------

TEST_P(Linking, RelocatedDataIsReadOnlyAfterwards) {
    library("libspoil.so", R"(
        .globl spoil, number
        .type spoil, @function
spoil:  procedure
        { addd 0, _DYNAMIC, %dr1 }
        { std %dr1, [%dr1] }
        back
)");
    constexpr std::string_view kWrites = R"(
        { addd 0, plain, %dr4
          addd 0, 5, %dr5 }
        { std %dr5, [%dr4] }
        { addd 0, _DYNAMIC, %dr4 }
        { nop 4
          ldd [%dr4], %dr5 }
        sys 4, 1, plain, 1
        .ifdef LIBRARY
        invoke spoil
        .else
        { std %dr5, [%dr4] }
        .endif
        answer 0
        .data
        .balign 8
plain:  .dword 0
)";
    for (const char* where : {"", "        .set LIBRARY, 1\n"}) {
        const RunResult result =
            test::run_file(program(where + std::string(kWrites), {"libspoil.so", "libc.so.6"}));
        EXPECT_EQ(result.output, std::string(1, '\5')) << "the rest can be written";
        EXPECT_EQ(result.exit.kind, ExitStatus::Kind::Signaled);
        EXPECT_EQ(result.exit.value, SIGSEGV);
        EXPECT_NE(result.detail.find("write-protected"), std::string::npos) << result.detail;
    }
}

/// Walks struct r_debug as a debugger does: version, then address, name and dynamic section of
/// each object, and the way back.
TEST_P(Linking, DebuggersFindTheObjects) {
    const std::string place = library("libother.so", R"(
        .globl other
        .type other, @function
other:  procedure
        { addd 0, _DYNAMIC, %dr0 }
        back
)");
    const std::string kind = GetParam() == OutputKind::Dynamic ? "" : "        .set PIE, 1\n";
    const RunResult result = test::run_file(program(kind + R"(
        { addd 0, _DYNAMIC, %dr4 }
tag:    { nop 4
          ldd [%dr4], %dr5
          ldd [%dr4 + 8], %dr6 }
        { addd %dr4, 16, %dr4 }
        { nop 2
          cmpedb %dr5, 21, %pred3 }     ! DT_DEBUG
        { nop 4
          disp %ctpr1, tag }
        { ct %ctpr1 ? ~%pred3 }
        { nop 4
          ldw [%dr6], %dr7
          ldd [%dr6 + 8], %dr8 }        ! version, the first object
        { sxt 2, %dr7, %dr7 }
        expect %dr7, 1, 1
        { nop 4
          ldd [%dr8], %dr9
          ldd [%dr8 + 16], %dr10 }
        { addd 0, __ehdr_start, %dr11
          addd 0, _DYNAMIC, %dr12 }
        { subd %dr11, %dr9, %dr11
          subd %dr12, %dr10, %dr12 }
        expect %dr12, 0, 2
        .ifdef PIE
        expect %dr11, 0, 3
        .else
        expect %dr9, 0, 3
        .endif
        { nop 4
          ldd [%dr8 + 24], %dr13
          ldd [%dr8 + 32], %dr14 }      ! next, previous
        expect %dr14, 0, 4
        { nop 4
          ldd [%dr13 + 8], %db[0]
          ldd [%dr13 + 32], %dr14 }
        { subd %dr14, %dr8, %dr14 }
        expect %dr14, 0, 5
        invoke puts
        invoke other
        { nop 4
          ldd [%dr13 + 16], %dr14
          ldd [%dr13 + 24], %dr15 }
        { subd %dr14, %db[0], %dr14 }
        expect %dr14, 0, 6
        expect %dr15, 0, 7
        answer 0
)",
                                                    {"libother.so", "libc.so.6"}));
    expect_status(result, 0);
    EXPECT_EQ(result.output, place + "\n");
}

}  // namespace
}  // namespace e2k::guest
