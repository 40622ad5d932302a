#include "engine/isa/assembler/cursor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace e2k::isa {

std::string AssemblyError::describe(std::string_view name) const {
    auto out = fmt::format("{}:{}:{}: {}{}", file.empty() ? name : std::string_view(file), line,
                           column, warning ? "warning: " : "", message);
    if (!text.empty()) out += fmt::format(": `{}`", text);
    return note.empty() ? out : out + fmt::format(" ({})", note);
}

std::string AssemblyError::report(std::string_view name) const {
    auto out = describe(name) + "\n";
    if (source.empty()) return out;
    // The caret line repeats tabs, so that it stands right whatever their width.
    std::string under;
    for (std::size_t i = 0; i + 1 < static_cast<std::size_t>(column); ++i) {
        const char c = i < source.size() ? source[i] : ' ';
        if ((c & 0xc0) != 0x80) under += c == '\t' ? '\t' : ' ';  // a UTF-8 character is one
    }
    under += '^';
    if (text.size() > 1 && text.find('\n') == text.npos) under.append(text.size() - 1, '~');
    return out + fmt::format("{:>6} | {}\n       | {}\n", line, source, under);
}

namespace assembler {
namespace {

constexpr int kMaxNesting = 64;  ///< of parentheses and signs, against deep recursion

/// Why a reference of this kind ("got") cannot be made; empty if it can (disassembly.md B.9).
std::string refusal(std::string_view kind) {
    if (kind == "got" || kind == "gotplt" || kind == "gotoff" || kind == "size") return {};
    if (kind.starts_with("tls"))
        return "thread-local storage cannot be referred to: the program gets no TLS segment";
    if (kind.starts_with("islocal"))
        return "this reference is for protected mode, but the program is of the 64-bit mode";
    return "references are written @GOT, @GOTPLT, @GOTOFF or @SIZE";
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '%' ||
           c == '@' || c == '$' || c == '#';
}

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
                           std::string(text)};
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

Number Cursor::expression() {
    skip_blanks();
    const auto start = rest_;
    Number n = binary(0);
    // Equal texts name equal values: what two uses of a literal word are compared by.
    if (n.is_symbolic()) n.symbol = std::string(start.substr(0, start.size() - rest_.size()));
    return n;
}

std::uint32_t Cursor::constant(std::uint32_t maximum, std::string_view what, bool* symbolic) {
    skip_blanks();
    const auto start = rest_;
    const Number n = expression();
    const auto text = start.substr(0, start.size() - rest_.size());
    if (symbolic) *symbolic = n.is_symbolic();
    if (n.value > maximum && !(symbolic && *symbolic))
        fail_at(text, fmt::format("{} is a number from 0 to {}", what, maximum));
    return static_cast<std::uint32_t>(n.value);
}

/// Levels of precedence, loosest first.
Number Cursor::binary(int level) {
    constexpr std::array<std::array<std::string_view, 2>, 6> kLevels{
        {{"|", ""}, {"^", ""}, {"&", ""}, {"<<", ">>"}, {"+", "-"}, {"*", "/"}}};
    if (level == static_cast<int>(kLevels.size())) return unary();
    Number left = binary(level + 1);
    while (!error_) {
        skip_blanks();
        if (rest_.starts_with("||") || rest_.starts_with("&&")) return left;
        std::string_view op;
        for (const auto candidate : kLevels[static_cast<std::size_t>(level)])
            if (!candidate.empty() && rest_.starts_with(candidate)) op = candidate;
        if (op.empty()) return left;
        const auto operand = rest_.substr(op.size());
        const auto next = operand.find_first_not_of(" \t");
        if (next != operand.npos && operand[next] == '%') return left;  // "[8 + %dr1]"
        rest_.remove_prefix(op.size());
        const Number right = binary(level + 1);
        if (right.is_symbolic()) left.symbol += right.symbol;
        left.bits = std::max(left.bits, right.bits);
        const std::uint64_t shift = right.value & 63;
        switch (op.front()) {
            case '|':
                left.value |= right.value;
                break;
            case '^':
                left.value ^= right.value;
                break;
            case '&':
                left.value &= right.value;
                break;
            case '<':
                left.value <<= shift;
                break;
            case '>':
                left.value >>= shift;
                break;
            case '+':
                left.value += right.value;
                break;
            case '-':
                left.value -= right.value;
                break;
            case '*':
                left.value *= right.value;
                break;
            default:
                if (right.value == 0 && !right.is_symbolic()) fail("division by zero");
                left.value = right.value ? left.value / right.value : 0;
        }
    }
    return left;
}

Number Cursor::unary() {
    if (++depth_ > kMaxNesting) {
        fail("the expression is nested too deeply");
        return {};
    }
    Number n;
    if (accept("-")) {
        n = unary();
        n.value = -n.value;
    } else if (accept("~")) {
        n = unary();
        n.value = ~n.value;
    } else if (accept("+")) {
        n = unary();
    } else {
        n = primary();
    }
    --depth_;
    return n;
}

Number Cursor::primary() {
    if (accept("(")) {
        Number n = binary(0);
        expect(")");
        return n;
    }
    const char c = peek();
    if (is_digit(c)) return number();
    if (accept("'")) {
        if (rest_.empty()) fail("a character is missing after `'`");
        if (error_) return {};
        Number n{static_cast<unsigned char>(rest_.front()), {}};
        rest_.remove_prefix(1);
        accept("'");
        return n;
    }
    const auto name = word();
    if (name.empty() || name.front() == '%') {
        fail_at(name.empty() ? rest_.substr(0, 1) : name, "a number or a symbol expected");
        return {};
    }
    return symbol(name);
}

Number Cursor::symbol(std::string_view name) {
    const auto plain = plain_name(name);
    if (const auto at = plain.find('@'); at != plain.npos) {
        const auto why = refusal(lower(plain.substr(at + 1)));
        if (!why.empty()) {
            fail_at(name, why);
            return {};
        }
    }
    const auto found = symbols_ ? symbols_(plain) : std::nullopt;
    if (!found) {
        fail_at(name, "this symbol is not defined");
        return {};
    }
    return {found->value, found->constant ? std::string() : std::string(plain), found->bits};
}

Number Cursor::number() {
    const auto text = word();
    std::size_t at = 0;
    unsigned base = 10;
    if (text.size() > 1 && text[0] == '0') {
        base = text[1] == 'x' || text[1] == 'X' ? 16 : 8;
        at = base == 16 ? 2 : 1;
    }
    std::uint64_t value = 0;
    std::size_t digits = base == 8 ? 1 : 0;
    for (; at < text.size(); ++at, ++digits) {
        const char c = static_cast<char>(std::tolower(static_cast<unsigned char>(text[at])));
        const unsigned d = is_digit(c)              ? static_cast<unsigned>(c - '0')
                           : (c >= 'a' && c <= 'f') ? static_cast<unsigned>(c - 'a') + 10
                                                    : 99u;
        if (d >= base) break;
        if (value > (~std::uint64_t{0} - d) / base) {
            fail_at(text, "the number does not fit 64 bits");
            return {};
        }
        value = value * base + d;
    }
    const auto suffix = lower(text.substr(at));
    if (base != 16 && digits != 0 && (suffix == "b" || suffix == "f")) return symbol(text);
    const bool known = suffix.empty() || suffix == "u" || suffix == "ul" || suffix == "ull" ||
                       suffix == "llu" || suffix == "l" || suffix == "ll";
    if (digits == 0 || !known) fail_at(text, "this is not a number");
    return {value, {}};
}

std::string_view plain_name(std::string_view name) {
    return name.starts_with("$") ? name.substr(1) : name;
}

}  // namespace assembler
}  // namespace e2k::isa
