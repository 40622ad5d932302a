// Comments, separators and braces (assembly.md §1).
#include "engine/isa/assembler/source.h"

#include <fmt/format.h>

#include "engine/isa/assembler/lexical.h"

namespace e2k::isa::assembler {
namespace {

constexpr std::size_t kMaxStatements = std::size_t{1} << 19;  ///< a program of 15 MiB of text
constexpr std::size_t kMaxOperations = 64;                    ///< in braces; 16 words hold fewer

class Cutter {
public:
    Cutter(std::string_view source, Complaints& errors) : source_(source), errors_(errors) {}

    std::vector<Statement> run() {
        while (at_ < source_.size() && out_.size() < kMaxStatements) step();
        if (at_ < source_.size()) {
            fail(position(1), fmt::format("a source has at most {} statements", kMaxStatements));
            return {};
        }
        finish_operation();
        if (open_) fail(open_line_, "this brace is not closed");
        return std::move(out_);
    }

private:
    char here() const { return source_[at_]; }
    char ahead() const { return at_ + 1 < source_.size() ? source_[at_ + 1] : '\0'; }

    void fail(const SourceLine& where, std::string message) {
        errors_.add({where.line, where.column, std::move(message), clip(where.text)});
    }

    void advance() {
        if (here() == '\n') {
            ++line_;
            line_start_ = at_ + 1;
        }
        ++at_;
    }

    void skip_line() {
        while (at_ < source_.size() && here() != '\n') ++at_;
    }

    void skip_block_comment() {
        const SourceLine start = position(2);
        at_ += 2;
        while (at_ < source_.size() && !(here() == '*' && ahead() == '/')) advance();
        if (at_ >= source_.size()) return fail(start, "this comment is not closed");
        at_ += 2;
    }

    SourceLine position(std::size_t length) const {
        return {source_.substr(at_, length), line_, static_cast<int>(at_ - line_start_) + 1};
    }

    void step() {
        const char c = here();
        const bool line_comment = c == '!' || (c == '#' && begin_ == npos && first_on_line());
        if (line_comment || (c == '/' && ahead() == '*') || c == '\n' || c == ';' || c == '{' ||
            c == '}') {
            finish_operation();
            if (line_comment) return skip_line();
            if (c == '/') return skip_block_comment();
            if (c == '{') open_bundle();
            if (c == '}') close_bundle();
            return advance();
        }
        if (begin_ == npos) {
            if (is_blank(c)) return advance();
            if (label()) return;
            begin_ = at_;
            start_ = position(1);
        }
        if (c == '"' || c == '\'')
            at_ = skip_quoted(source_, at_);
        else
            ++at_;
    }

    bool first_on_line() const {
        for (std::size_t i = line_start_; i < at_; ++i)
            if (source_[i] != ' ' && source_[i] != '\t') return false;
        return true;
    }

    bool label() {
        std::size_t end = at_;
        if (here() == '"')
            end = skip_quoted(source_, at_);
        else
            while (end < source_.size() && is_name(source_[end])) ++end;
        const std::size_t colon = source_.find_first_not_of(" \t", end);
        if (end == at_ || colon == npos || source_[colon] != ':') return false;
        Statement s;
        s.kind = Statement::Kind::Label;
        s.line = position(end - at_);
        if (open_ && !abandon_open_bundle())
            fail(s.line, "a label stands before the brace");
        else
            out_.push_back(std::move(s));
        at_ = colon + 1;
        return true;
    }

    /// A label or brace that begins a later line shows that the closing brace is missing.
    bool abandon_open_bundle() {
        if (line_ == open_line_.line || !first_on_line()) return false;
        fail(open_line_, "this brace is not closed");
        open_ = false;
        return true;
    }

    void open_bundle() {
        if (open_ && !abandon_open_bundle()) return fail(position(1), "braces do not nest");
        open_ = true;
        open_line_ = position(1);
        bundle_ = {};
        bundle_.braces = true;
        bundle_.line = open_line_;
    }

    void close_bundle() {
        if (!open_) return fail(position(1), "this brace closes nothing");
        open_ = false;
        out_.push_back(std::move(bundle_));
    }

    /// Ends the operation or directive that began at `begin_`.
    void finish_operation() {
        if (begin_ == npos) return;
        auto text = source_.substr(begin_, std::min(at_, source_.size()) - begin_);
        begin_ = npos;
        while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
        SourceLine line{text, start_.line, start_.column};
        if (open_) {
            if (bundle_.operations.size() == kMaxOperations)
                fail(line, fmt::format("braces hold at most {} operations", kMaxOperations));
            if (bundle_.operations.size() <= kMaxOperations) bundle_.operations.push_back(line);
            return;
        }
        Statement s;
        s.line = line;
        s.kind = text.front() == '.' && !is_assignment(text) ? Statement::Kind::Directive
                 : is_assignment(text)                       ? Statement::Kind::Assignment
                                                             : Statement::Kind::Bundle;
        if (s.kind == Statement::Kind::Bundle) s.operations.push_back(line);
        out_.push_back(std::move(s));
    }

    /// "NAME = expression".
    static bool is_assignment(std::string_view text) {
        std::size_t end = 0;
        while (end < text.size() && is_name(text[end])) ++end;
        const auto equals = text.find_first_not_of(" \t", end);
        return end > 0 && equals != text.npos && text[equals] == '=';
    }

    static constexpr std::size_t npos = std::string_view::npos;
    std::string_view source_;
    Complaints& errors_;
    std::vector<Statement> out_;
    std::size_t at_ = 0, line_start_ = 0, begin_ = npos;
    int line_ = 1;
    SourceLine start_, open_line_;
    bool open_ = false;
    Statement bundle_;
};

}  // namespace

std::vector<Statement> cut_source(std::string_view source, Complaints& errors) {
    return Cutter(source, errors).run();
}

}  // namespace e2k::isa::assembler
