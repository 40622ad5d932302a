// Assembler: text of bundles to bytes, in the syntax of assembly.md.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace e2k::isa {

/// What is wrong with a source, and where.
struct AssemblyError {
    int line = 1, column = 1;  ///< both from 1; the line counts operations in `assemble_bundle`
    std::string message;
    std::string text;         ///< offending part of the source
    std::string file = {};    ///< included file; empty: the source itself
    std::string source = {};  ///< the whole line, with macro arguments in place; may be empty
    std::string note = {};    ///< "in macro NAME of line 7", or empty
    bool warning = false;
    std::size_t more = 0;  ///< so many more say the same about this line
    /// "file:3:14: message: `text`"; `name` is that of the source itself.
    std::string describe(std::string_view name) const;
    /// The same, then the line and a caret below the offending text; ends in a newline.
    std::string report(std::string_view name) const;
};
using AssemblyErrors = std::vector<AssemblyError>;
/// Of one source; what else is wrong is not kept.
inline constexpr std::size_t kMaxAssemblyErrors = 100;

/// What a dynamic linker has to do with a value before the program runs.
struct Link {
    int base = 0;              ///< how often the address the file is loaded at is part of the value
    std::string symbol = {};   ///< that is looked up; empty: the value is of this file alone
    bool foreign = false;      ///< nothing in the source defines `symbol`
    std::uint64_t origin = 0;  ///< value of `symbol` here; the rest is the addend
    std::uint64_t call = 0;    ///< from `origin` to what a transfer goes to in its place
    bool mixed = false;        ///< no relocation can express it
    bool fixed() const { return base == 0 && symbol.empty() && !mixed; }
};

/// A part of a bundle or of data that holds such a value.
struct LinkedField {
    enum class Kind : std::uint8_t { Displacement, Literal32, Literal64, Data };
    Kind kind = Kind::Data;
    std::uint32_t offset = 0;  ///< in bytes
    unsigned size = 8;         ///< in bytes
    std::uint64_t value = 0;
    Link link;
    int line = 1, column = 1;
    std::string text;  ///< as the source has it
};

/// A number that is a constant chooses the shortest literal; one that may still change, such as an
/// address, takes 64 bits unless the source says `_f32s`.
struct SymbolValue {
    std::uint64_t value = 0;
    bool constant = false;
    int bits = 0;  ///< of the literal if the source names none; 0: 64
    /// Of an address: the distance between two of one region is a constant; 0: it is not.
    int region = 0;
    Link link = {};
    std::string refusal = {};  ///< why it cannot be used in this way; empty: it can
};
/// Value of a symbol, or nothing if it is not defined. Names may end in `@GOT`, `@GOTPLT`,
/// `@GOTOFF`, `@PLT`, `@SIZE` or `@TLS_…`.
using SymbolValues = std::function<std::optional<SymbolValue>(std::string_view)>;

struct AssemblerOptions {
    int iset = 4;
    /// The text is a listing of `disassemble`: transfer targets are addresses instead of raw
    /// displacements, stores name the data last, `movaq` has a line for each half, `apb` is
    /// `fapb`, a missing `ipd` is 0 (assembly.md §2, "Differences").
    bool listing = false;
    bool data_last = false;              ///< `.ignore ld_st_style`: stores name the data last
    SymbolValues symbols = {};           ///< none: every symbol is undefined
    AssemblyErrors* warnings = nullptr;  ///< where to put what is odd but legal
    /// Receives for each operation where its syllable stands, in bytes from the bundle's start.
    std::vector<std::uint32_t>* syllables = nullptr;
    /// Receives the parts a dynamic linker or the caller must know of.
    std::vector<LinkedField>* fields = nullptr;
};

/// One operation of a bundle and where it stands in the source.
struct SourceLine {
    std::string_view text;
    int line = 1, column = 1;
};

/// Packs the operations of one bundle (or the halves of one asynchronous instruction) that starts
/// at `address`. Channels, literal words and condition halves not named by the source are chosen
/// as the E2K assembler does (assembly.md §3, §5, §6, §7). Errors: of every operation its first.
tl::expected<std::vector<std::uint8_t>, AssemblyErrors> assemble_bundle(
    std::span<const SourceLine> operations, std::uint64_t address, const AssemblerOptions& options);

}  // namespace e2k::isa
