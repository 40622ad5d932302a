// Characters, words, comments and separators of a source (assembly.md §1).
#pragma once

#include <cctype>
#include <string>
#include <string_view>

namespace e2k::isa::assembler {

inline bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
/// A character of a name; every character outside ASCII is a letter.
inline bool is_name(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '$' ||
           static_cast<unsigned char>(c) >= 0x80;
}

std::string_view trim(std::string_view text);
/// The name at the start of `text`; empty if there is none.
std::string_view first_word(std::string_view text);
/// The quoted text at the start of `text` without its quotes, escapes untouched; `text` moves
/// behind it. Not closed: to the end of `text`.
std::string_view take_quoted(std::string_view& text);
/// Index behind the string or the character constant that begins at `at`.
std::size_t skip_quoted(std::string_view text, std::size_t at);

/// Comments of a source that is read line by line.
class Comments {
public:
    /// The line with blanks in place of its comments: columns stay what they are.
    std::string strip(std::string_view line);
    /// Whether the line read last begins, ends or contains a comment between `/*` and `*/`.
    bool block() const { return block_; }

private:
    bool inside_ = false, block_ = false;
};

/// Index of the next `;`, `{` or `}` outside of quotes, with which a statement begins; npos: none.
std::size_t next_statement(std::string_view code, std::size_t from);

/// Blanks as the E2K assembler leaves them: one between words, none beside operators.
std::string scrub(std::string_view text);

/// At most so many characters of a text for a message.
std::string clip(std::string_view text);

}  // namespace e2k::isa::assembler
