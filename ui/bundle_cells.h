// A bundle laid out as cells of the grid: the disassembler's lines sorted by unit, shortened and
// split into tokens that can be coloured, wrapped and compared.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "engine/guest/elf_image.h"
#include "engine/machine/snapshot.h"

namespace e2k::ui {

enum class TokenKind : std::uint8_t {
    Mnemonic,
    Register,
    Literal,
    Predicate,
    Address,
    Plain,
    Bad,
};

struct Token {
    std::string text;
    TokenKind kind = TokenKind::Plain;
};

/// One operation: mnemonic, operands, guards, in reading order. A line break is preferred before a
/// group than inside it.
struct OpText {
    std::vector<Token> mnemonic, operands, guards;
    std::string joined() const;
};

/// Columns of the grid.
enum class Unit : std::uint8_t { Alc0, Alc1, Alc2, Alc3, Alc4, Alc5, Control, Predicates, Aau };
inline constexpr std::size_t kUnits = 9;
const char* title_of(Unit unit);

struct GridRow {
    std::uint64_t address = 0;
    std::string label;  ///< symbol that starts here
    std::array<std::vector<OpText>, kUnits> cells;
    unsigned nop = 0;
    bool loop_mode = false;
    std::string pause;         ///< "nop 2 loop": what the header of the bundle says
    std::size_t logic = 0;     ///< lines of the disassembler that became formulas
    std::string error;         ///< not a bundle
    std::uint64_t target = 0;  ///< static target of a disp/ibranch in this bundle, 0 = none
};

/// Tokens of one disassembled line, e.g. "addd,0,sm %dr1, 0x8, %dr2 ? %pred0". With a result the
/// last operand is preceded by an arrow; `to_predicate`: that is a predicate.
OpText tokenize(std::string_view line, bool has_result, const guest::SymbolTable* symbols,
                bool to_predicate = false);

GridRow grid_row(const machine::CodeView::Row& row, const guest::SymbolTable* symbols);
std::vector<GridRow> grid_rows(const machine::CodeView& code, const guest::SymbolTable* symbols);

/// Name of each raw syllable of a bundle, in memory order: "HS", "SS", "ALS0", "CS0", "half",
/// "LTS0".
std::vector<std::string> syllable_names(const isa::Bundle& bundle);

}  // namespace e2k::ui
