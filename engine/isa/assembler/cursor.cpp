#include "engine/isa/assembler/cursor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "engine/isa/assembler/lexical.h"

namespace e2k::isa {

namespace {

/// Text of a source for a terminal: nothing in it acts on the terminal.
std::string shown(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto code = static_cast<unsigned char>(c);
        if ((code < 0x20 && c != '\t') || code == 0x7f)
            out += fmt::format("\\x{:02x}", code);
        else
            out += c;
    }
    return out;
}

}  // namespace

std::string AssemblyError::describe(std::string_view name) const {
    auto out = fmt::format("{}:{}:{}: {}{}", file.empty() ? name : std::string_view(file), line,
                           column, warning ? "warning: " : "", message);
    if (!text.empty()) out += fmt::format(": `{}`", text);
    return shown(note.empty() ? out : out + fmt::format(" ({})", note));
}

std::string AssemblyError::report(std::string_view name) const {
    auto out = describe(name) + "\n";
    if (!source.empty()) {
        // The caret line repeats tabs, so that it stands right whatever their width.
        std::string under;
        for (std::size_t i = 0; i + 1 < static_cast<std::size_t>(column); ++i) {
            const char c = i < source.size() ? source[i] : ' ';
            if ((c & 0xc0) != 0x80) under += c == '\t' ? '\t' : ' ';  // a UTF-8 character is one
        }
        under += '^';
        if (text.size() > 1 && text.find('\n') == text.npos) under.append(text.size() - 1, '~');
        out += fmt::format("{:>6} | {}\n       | {}\n", line, shown(source), under);
    }
    if (more) out += fmt::format("       and {} more of this line\n", more);
    return out;
}

namespace assembler {
namespace {

bool is_word(char c) { return is_name(c) || c == '%' || c == '@' || c == '#'; }

}  // namespace

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

void Cursor::fail(std::string message) {
    skip_blanks();
    fail_at(rest_.substr(0, rest_.find_first_of(",;}")), std::move(message));
}

void Cursor::fail_at(std::string_view text, std::string message) {
    if (error_) return;
    const bool inside =
        text.data() >= line_.text.data() && text.data() <= line_.text.data() + line_.text.size();
    const auto offset = inside ? text.data() - line_.text.data() : 0;
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    error_ = AssemblyError{line_.line, line_.column + static_cast<int>(offset), std::move(message),
                           clip(text)};
}

void Cursor::skip_blanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t'))
        rest_.remove_prefix(1);
}

bool Cursor::at_end() {
    skip_blanks();
    return rest_.empty();
}

char Cursor::peek() { return at_end() ? '\0' : rest_.front(); }

bool Cursor::accept(std::string_view punctuation) {
    skip_blanks();
    if (error_ || !rest_.starts_with(punctuation)) return false;
    rest_.remove_prefix(punctuation.size());
    return true;
}

void Cursor::expect(std::string_view punctuation) {
    if (!accept(punctuation)) fail(fmt::format("`{}` expected", punctuation));
}

std::string_view Cursor::peek_word() {
    skip_blanks();
    if (error_) return {};
    std::size_t n = 0;
    while (n < rest_.size() && is_word(rest_[n])) ++n;
    return rest_.substr(0, n);
}

std::string_view Cursor::word() {
    const auto w = peek_word();
    rest_.remove_prefix(w.size());
    return w;
}

std::string_view Cursor::symbol_name() {
    skip_blanks();
    if (error_) return {};
    std::size_t n = 0;
    while (n < rest_.size() && (is_name(rest_[n]) || rest_[n] == '@')) ++n;
    const auto name = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return name;
}

std::string Cursor::name() {
    if (peek() == '"' && !error_) return std::string(take_quoted(rest_));
    const auto name = plain_name(symbol_name());
    if (name.empty()) fail("the name of a symbol expected");
    return std::string(name);
}

bool Cursor::accept_word(std::string_view name) {
    if (error_ || lower(peek_word()) != name) return false;
    word();
    return true;
}

bool Cursor::accept_key(std::string_view name) {
    const auto saved = rest_;
    if (accept_word(name) && accept("=")) return true;
    rest_ = saved;
    return false;
}

std::optional<char> Cursor::take() {
    if (rest_.empty()) return std::nullopt;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
}

std::optional<unsigned> Cursor::digits() {
    unsigned value = 0;
    std::size_t n = 0;
    while (n < rest_.size() && is_digit(rest_[n]) && n < 6)
        value = value * 10 + static_cast<unsigned>(rest_[n++] - '0');
    if (n == 0 || error_) return std::nullopt;
    rest_.remove_prefix(n);
    return value;
}

std::string_view plain_name(std::string_view name) {
    return name.starts_with("$") ? name.substr(1) : name;
}

}  // namespace assembler
}  // namespace e2k::isa
