#include "engine/isa/assembler/statements.h"

#include <algorithm>

namespace e2k::isa::assembler {

bool Statements::next_line() {
    if (ended_) return false;
    const auto end = std::min(text_.find('\n', at_), text_.size());
    line_ = text_.substr(at_, end - at_);
    at_ = end + 1;
    ended_ = at_ >= text_.size();
    if (line_.ends_with('\r')) line_.remove_suffix(1);
    ++line_number_;
    code_ = comments_.strip(line_);
    code_.resize(line_.size(), ' ');
    if (comments_.block()) note_comment();
    start_ = 0;
    id_ = ++lines_read_;
    return true;
}

/// Remembers where a comment begins until it ends.
void Statements::note_comment() {
    constexpr std::string_view kOpen = "/*";
    const bool inside = Comments(comments_).strip("x") == " ";
    if (!inside) return open_comment_.reset();
    const auto at = line_.rfind(kOpen);
    if (open_comment_ || at == line_.npos) return;
    Piece& piece = open_comment_.emplace();
    piece.line = line_;
    piece.raw = line_.substr(at, kOpen.size());
    piece.origin = origin();
    piece.id = ++lines_read_;
}

Origin Statements::origin() const {
    Origin origin{file_, static_cast<int>(line_number_), 0};
    if (origins_ && line_number_ <= origins_->size()) origin = (*origins_)[line_number_ - 1];
    if (note_) origin.note = note_;
    return origin;
}

void Statements::divide(Piece& piece) {
    auto code = piece.uncommented;
    if (!piece.first) code.remove_prefix(1);
    piece.code = trim(code);
    auto rest = piece.code;
    piece.word = first_word(rest);
    while (!piece.word.empty()) {
        const auto after = trim(rest.substr(piece.word.size()));
        if (after.empty() || after.front() != ':') break;
        rest = after.substr(1);
        rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
        piece.word = first_word(rest);
    }
    piece.labels = piece.code.substr(0, static_cast<std::size_t>(rest.data() - piece.code.data()));
    piece.rest = trim(rest.substr(piece.word.size()));
    if (piece.rest.empty()) piece.rest = rest.substr(piece.word.size(), 0);
}

bool Statements::next(Piece& piece) {
    if (start_ == line_.npos && !next_line()) return false;
    const std::size_t begin = start_;
    piece.first = !started_;
    start_ = next_statement(code_, piece.first ? begin : begin + 1);
    started_ = start_ != line_.npos;
    const std::size_t end = std::min(start_, line_.size());
    piece.line = line_;
    piece.uncommented = std::string_view(code_).substr(begin, end - begin);
    // A comment over several lines goes: not all of its lines need to come out together.
    piece.raw = comments_.block() ? piece.uncommented : line_.substr(begin, end - begin);
    piece.column = begin;
    piece.id = id_;
    piece.origin = origin();
    divide(piece);
    return true;
}

}  // namespace e2k::isa::assembler
