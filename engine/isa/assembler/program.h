// Assembler of whole sources: sections, symbols, directives, a static ELF file.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "engine/isa/assembler/assembler.h"

namespace e2k::isa {

/// What the assembler, in the place of a linker, makes of a source.
enum class OutputKind : std::uint8_t {
    Static,               ///< everything is defined; fixed addresses
    Dynamic,              ///< fixed addresses; what nothing defines comes from shared objects
    PositionIndependent,  ///< the same, loaded anywhere
    Shared,               ///< a shared object
};

/// A symbol that a shared object the program is linked with defines.
struct LibrarySymbol {
    std::string name;
    std::uint64_t size = 0;
    bool object = false, function = false;
};

struct LinkOptions {
    OutputKind kind = OutputKind::Static;
    std::vector<std::string> needed = {};  ///< DT_NEEDED, in this order
    std::string soname = {}, runpath = {};
    std::string interpreter = "/lib64/ld-linux.so.2";  ///< of programs; empty: none
    std::vector<LibrarySymbol> library = {};           ///< what is known of the needed ones
    bool export_all = false;  ///< a program's global symbols can be found, too
    bool symbolic = false;    ///< a shared object uses its own definitions
    bool bind_now = false;    ///< DT_FLAGS says that nothing is to be bound late
    bool dynamic() const { return kind != OutputKind::Static; }
    bool position_independent() const {
        return kind == OutputKind::PositionIndependent || kind == OutputKind::Shared;
    }
};

struct AssembledSection {
    std::string name;
    std::uint64_t address = 0;
    std::vector<std::uint8_t> bytes;  ///< empty for .bss
    std::uint64_t size = 0;
    bool writable = false, executable = false;
    bool loaded = true;           ///< false: in the file only, like .comment
    bool tls = false;             ///< each thread has its own copy
    std::uint64_t alignment = 8;  ///< of the address
};

enum class SymbolType : std::uint8_t { None, Object, Function, Tls, Common, IndirectFunction };
enum class SymbolVisibility : std::uint8_t { Default, Internal, Hidden, Protected };

struct AssembledSymbol {
    std::string name;
    std::uint64_t address = 0, size = 0;
    bool global = false, function = false;
    bool weak = false;
    SymbolType type = SymbolType::None;
    SymbolVisibility visibility = SymbolVisibility::Default;
    int section = -1;  ///< index into `AssembledProgram::sections`; -1: a number
    bool undefined = false;
};

/// A part of the file that is loaded or that a dynamic linker looks for, as a program header says.
struct AssembledSegment {
    std::uint32_t type = 0, flags = 0;
    std::uint64_t address = 0, file_size = 0, size = 0, alignment = 8;
};

/// Bytes that one statement of the source became; data and bundles, in order of the source.
struct AssembledLine {
    int line = 1;            ///< as the reader of the source sees it
    int last_line = 1;       ///< greater for a bundle over several lines
    std::string file, note;  ///< as in AssemblyError
    std::uint64_t address = 0;
    std::vector<std::uint8_t> bytes;
    std::string text;  ///< the source, one or several lines
};

/// A program ready to be loaded, or a shared object.
struct AssembledProgram {
    int iset = 4;
    OutputKind kind = OutputKind::Static;
    /// Empty: each section is its own. Otherwise the file's byte at offset N is loaded at
    /// `base` + N.
    std::vector<AssembledSegment> segments;
    std::uint64_t base = 0;
    std::uint64_t entry = 0;  ///< `_start`
    std::vector<AssembledSection> sections;
    std::vector<AssembledSymbol> symbols;
    std::vector<AssembledLine> lines;  ///< only if asked for
    AssemblyErrors warnings;
    std::vector<std::string> printed;  ///< what `.print` says
};

/// Content of an included file; the error says why there is none.
using SourceReader = std::function<tl::expected<std::string, std::string>(const std::string&)>;

struct ProgramSourceOptions {
    int iset = 0;                  ///< 2..6; 0: what `.cpu` in the source says, else 4
    std::uint64_t base = 0x10000;  ///< address of .text; the other sections follow
    SourceReader read = {};        ///< for `.include` and `.incbin`
    bool strict_delay = true;      ///< false: as after `.ignore strict_delay`
    bool keep_lines = false;       ///< fill `AssembledProgram::lines`
    bool externals = false;        ///< symbols that nothing defines are those of other files
    LinkOptions link = {};
};

/// Assembles the syntax of assembly.md: bundles in braces on one or several lines,
/// single operations as bundles of their own, comments, labels (also `1:` with `1b`, `1f`),
/// expressions, macros and directives. README.md of this folder lists them and tells what differs
/// from the E2K assembler of binutils. What stands outside braces gets the delays of B.8;
/// `clpandp`, `clplandp` become their four operations. `.label NAME` inside braces names the
/// syllable of the next operation. `x@GOT` and `x@GOTPLT` are offsets in a table of addresses,
/// made as section .got, `x@GOTOFF` that of x from it, `_GLOBAL_OFFSET_TABLE_` its address (in
/// code: less that of the bundle), `x@SIZE` what `.size` says, `x@TLS_LE` the distance from the
/// thread pointer, `x@TLS_IE`, `x@TLS_GDMOD` and `x@TLS_GDREL` entries of the table. Not supported:
/// relocatable output, protected mode. All errors of the source, in order of their lines, at
/// most 100. Whatever the source, memory and time stay bounded.
tl::expected<AssembledProgram, AssemblyErrors> assemble_program(
    std::string_view source, const ProgramSourceOptions& options = {});

/// Reads and assembles a file. Included files are looked for beside it. The error is what there is
/// to print: why the file cannot be read, or a report of every complaint (`AssemblyError::report`).
tl::expected<AssembledProgram, std::string> assemble_file(const std::string& path,
                                                          ProgramSourceOptions options = {});
/// True if the name says that the file is an assembler source: "x.s", "x.S".
bool is_assembler_source(std::string_view path);

/// Table of addresses, words and source lines.
std::string assembly_listing(const AssembledProgram& program);

/// The program as an ELF64 file for Elbrus, with symbols.
std::vector<std::uint8_t> write_elf(const AssembledProgram& program);

}  // namespace e2k::isa
