// Reads one statement; the first error stays and makes all later reads fail.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/isa/assembler/assembler.h"

namespace e2k::isa::assembler {

/// A number, or a symbol whose value may still be unknown. Sizes never depend on the value of a
/// symbolic number, so that labels may be used before they are defined.
struct Number {
    std::uint64_t value = 0;
    std::string symbol;  ///< text of the expression if it holds a symbol; empty for constants
    int bits = 0;        ///< of the literal that a reference like `x@GOT` takes; 0: of any
    /// Of an address: where distances are constants, `SymbolValue::region`; 0: nowhere.
    int region = 0;
    Link link = {};
    bool is_symbolic() const { return !symbol.empty(); }
};

class Cursor {
public:
    Cursor(const SourceLine& line, const SymbolValues& symbols)
        : line_(line), symbols_(symbols), rest_(line.text) {}

    bool ok() const { return !error_; }
    const std::optional<AssemblyError>& error() const { return error_; }
    void fail(std::string message);
    /// Fails at `text`, a part of the statement.
    void fail_at(std::string_view text, std::string message);

    bool at_end();
    /// Next character after blanks, 0 at the end.
    char peek();
    bool accept(std::string_view punctuation);
    void expect(std::string_view punctuation);
    /// A name of letters, digits and `_ . % @`; empty if there is none.
    std::string_view word();
    std::string_view peek_word();
    /// Takes `name` if it is the next word, whatever the case.
    bool accept_word(std::string_view name);
    /// Takes `name =` (or nothing).
    bool accept_key(std::string_view name);
    /// The next character, blank or not.
    std::optional<char> take();
    /// Digits directly at the cursor.
    std::optional<unsigned> digits();
    /// Letters, digits and `_ . $ @`; empty if there are none.
    std::string_view symbol_name();
    /// The name of a symbol, in quotes or not; empty and an error if there is none.
    std::string name();
    /// Constant or symbolic expression. Operators, loosest first: `||`, `&&`, comparisons, `+ -`,
    /// `| & ^`, `* / % << >>`, then the signs `- ~ +`.
    Number expression();
    /// Constant expression between 0 and `maximum`. `symbolic`: told whether it holds a symbol.
    std::uint32_t constant(std::uint32_t maximum, std::string_view what, bool* symbolic = nullptr);
    std::string_view rest() const { return rest_; }
    std::string_view statement() const { return line_.text; }
    const SourceLine& line() const { return line_; }

private:
    void skip_blanks();
    Number binary(int level);
    Number unary();
    Number primary();
    Number character();
    Number number();  ///< or a local label, `1b`, `1f`
    Number symbol(std::string_view name);

    SourceLine line_;
    const SymbolValues& symbols_;
    std::string_view rest_;
    std::optional<AssemblyError> error_;
    int depth_ = 0;
};

std::string lower(std::string_view text);
/// The name of a symbol without the `$` that may stand before it.
std::string_view plain_name(std::string_view name);

/// The character behind a backslash: a letter, up to three octal digits, `x` and hexadecimal ones.
char escape(Cursor& in);
/// Appends a number of `size` bytes, the lowest first.
/// What a dynamic linker must fill in goes to `fields`, and is refused without one.
void read_number(Cursor& in, unsigned size, std::vector<std::uint8_t>& bytes,
                 std::vector<LinkedField>* fields = nullptr);
/// Appends one or more quoted strings without their quotes, and `<27>` as a character each of
/// `size` bytes; false and an error if there is none.
bool read_string(Cursor& in, unsigned size, std::vector<std::uint8_t>& bytes);
/// Appends an integer of 16 bytes, which may have up to 32 hexadecimal digits.
void read_octa(Cursor& in, std::vector<std::uint8_t>& bytes, std::vector<LinkedField>* fields);
/// Appends an integer as DWARF writes it, in groups of seven bits.
void read_leb128(Cursor& in, bool is_signed, std::vector<std::uint8_t>& bytes);
/// Appends a floating-point number of 4 or, `twice`, 8 bytes: decimal, hexadecimal, inf, nan.
bool read_real(Cursor& in, bool twice, std::vector<std::uint8_t>& bytes);

}  // namespace e2k::isa::assembler
