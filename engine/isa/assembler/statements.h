// A text as a sequence of statements, for the preprocessor.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/isa/assembler/complaints.h"
#include "engine/isa/assembler/lexical.h"

namespace e2k::isa::assembler {

/// A statement and where it stands. `line` lives as long as the source,
/// the other texts until the next line is read.
struct Piece {
    std::string_view line;   ///< the whole line
    std::string_view raw;    ///< with the `;`, `{` or `}` before it and a comment behind it
    std::string_view code;   ///< without them
    std::size_t column = 0;  ///< of `raw` in the line, from 0
    bool first = true;       ///< of its line
    unsigned long id = 0;    ///< of this reading of the line
    Origin origin;

    // Parts of `code`.
    std::string_view labels;  ///< "a: 1: " or empty
    std::string_view word;    ///< first word behind the labels
    std::string_view rest;    ///< what follows the word
    /// What stands before the word: separator, labels, blanks.
    std::string_view head() const {
        const auto* const from = word.empty() ? rest.data() : word.data();
        return raw.substr(0, static_cast<std::size_t>(from - uncommented.data()));
    }
    std::string_view uncommented;  ///< `raw` without its comment
};

/// Reads the statements of `text` one after the other.
class Statements {
public:
    /// `origins`: of each line; null: the lines are those of `file`.
    /// `lines_read` counts the lines of all texts: their ids.
    Statements(std::string_view text, const std::vector<Origin>* origins, int file,
               unsigned long& lines_read)
        : text_(text), origins_(origins), file_(file), lines_read_(lines_read) {}
    /// False at the end.
    bool next(Piece& piece);
    /// A comment that is open still: the line where it begins, for a complaint at `raw`.
    std::optional<Piece> open_comment() const { return open_comment_; }
    /// A note for every line (an index), in place of those of `origins`.
    void set_note(int note) { note_ = note; }

private:
    bool next_line();
    static void divide(Piece& piece);
    void note_comment();
    Origin origin() const;

    std::string_view text_;
    const std::vector<Origin>* origins_;
    int file_, note_ = 0;
    std::size_t at_ = 0, line_number_ = 0;
    bool ended_ = false;
    Comments comments_;
    std::optional<Piece> open_comment_;
    std::string_view line_;
    std::string code_;
    std::size_t start_ = std::string_view::npos;  ///< of the next statement; npos: none on the line
    bool started_ = false;  ///< a statement of the line has been read, others follow
    unsigned long& lines_read_;
    unsigned long id_ = 0;
};

}  // namespace e2k::isa::assembler
