// Assembler of whole sources: sections, symbols, directives, a static ELF file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "engine/isa/assembler/assembler.h"

namespace e2k::isa {

struct AssembledSection {
    std::string name;
    std::uint64_t address = 0;
    std::vector<std::uint8_t> bytes;  ///< empty for .bss
    std::uint64_t size = 0;
    bool writable = false, executable = false;
};

struct AssembledSymbol {
    std::string name;
    std::uint64_t address = 0, size = 0;
    bool global = false, function = false;
};

/// A program ready to be loaded at fixed addresses.
struct AssembledProgram {
    int iset = 4;
    std::uint64_t entry = 0;  ///< `_start`
    std::vector<AssembledSection> sections;
    std::vector<AssembledSymbol> symbols;
};

struct ProgramSourceOptions {
    int iset = 4;                  ///< 2..6
    std::uint64_t base = 0x10000;  ///< address of .text; the other sections follow
};

/// Assembles the syntax of disassembly.md part B: bundles in braces on one or several lines,
/// single operations as bundles of their own, comments, labels (also `1:` with `1b`, `1f`),
/// expressions and these directives: .text .data .rodata .bss .section .globl .global .align
/// .balign .p2align .byte .short .hword .half .word .long .int .dword .quad (and .ua*) .ascii
/// .asciz .string .skip .space .zero .comm .lcomm .set .equ .type .size .file .ident
/// .ignore/.accept ld_st_style. A comparison or state-register write outside braces gets the
/// delays of B.8, but not the waits for privileged registers. Not supported: macros, relocatable
/// output, `clpandp`, `.label`, `@GOT` and its kin.
/// All errors of the source, in order, at most 100.
tl::expected<AssembledProgram, std::vector<AssemblyError>> assemble_program(
    std::string_view source, const ProgramSourceOptions& options = {});

/// The program as a static ELF64 file for Elbrus, with symbols.
std::vector<std::uint8_t> write_elf(const AssembledProgram& program);

}  // namespace e2k::isa
