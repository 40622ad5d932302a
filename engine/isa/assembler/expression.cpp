// Expressions with the operators and the precedence of the E2K assembler.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/isa/assembler/cursor.h"
#include "engine/isa/assembler/lexical.h"

namespace e2k::isa::assembler {
namespace {

constexpr int kMaxNesting = 64;  ///< of parentheses and signs, against deep recursion

/// Why a reference of this kind ("got") cannot be made; empty if it can (assembly.md §9).
std::string refusal(std::string_view kind) {
    if (kind == "got" || kind == "gotplt" || kind == "gotoff" || kind == "size" || kind == "plt")
        return {};
    if (kind == "tls_le" || kind == "tls_ie" || kind == "tls_gdmod" || kind == "tls_gdrel")
        return {};
    if (kind.starts_with("tls"))
        return "thread-local storage is reached by @TLS_LE, @TLS_IE, @TLS_GDMOD and @TLS_GDREL";
    if (kind.starts_with("islocal"))
        return "this reference is for protected mode, but the program is of the 64-bit mode";
    return "references are written @GOT, @GOTPLT, @GOTOFF, @PLT, @SIZE or @TLS_LE";
}

enum class Operator : std::uint8_t {
    LogicalOr,
    LogicalAnd,
    Equal,
    NotEqual,
    LessEqual,
    GreaterEqual,
    Less,
    Greater,
    Add,
    Subtract,
    Or,
    And,
    Xor,
    Multiply,
    Divide,
    Modulus,
    ShiftLeft,
    ShiftRight,
};

struct OperatorRow {
    std::string_view text;
    Operator name;
    int level;  ///< of precedence, loosest first
};
/// Longer texts before their beginnings. `!=` and `!` are comments in this syntax.
constexpr std::array kOperators{
    OperatorRow{"||", Operator::LogicalOr, 0}, OperatorRow{"&&", Operator::LogicalAnd, 1},
    OperatorRow{"<<", Operator::ShiftLeft, 5}, OperatorRow{">>", Operator::ShiftRight, 5},
    OperatorRow{"==", Operator::Equal, 2},     OperatorRow{"<>", Operator::NotEqual, 2},
    OperatorRow{"<=", Operator::LessEqual, 2}, OperatorRow{">=", Operator::GreaterEqual, 2},
    OperatorRow{"<", Operator::Less, 2},       OperatorRow{">", Operator::Greater, 2},
    OperatorRow{"+", Operator::Add, 3},        OperatorRow{"-", Operator::Subtract, 3},
    OperatorRow{"|", Operator::Or, 4},         OperatorRow{"&", Operator::And, 4},
    OperatorRow{"^", Operator::Xor, 4},        OperatorRow{"*", Operator::Multiply, 5},
    OperatorRow{"/", Operator::Divide, 5},     OperatorRow{"%", Operator::Modulus, 5},
};
constexpr int kLevels = 6;

const OperatorRow* operator_at(std::string_view text) {
    const auto at = std::find_if(kOperators.begin(), kOperators.end(),
                                 [&](const OperatorRow& r) { return text.starts_with(r.text); });
    return at == kOperators.end() ? nullptr : &*at;
}

/// Numbers are signed; shifts move zeros in; a comparison that holds is -1.
std::uint64_t apply(Operator op, std::uint64_t left, std::uint64_t right) {
    constexpr std::uint64_t kTrue = ~std::uint64_t{0};
    constexpr std::uint64_t kBits = 64;
    const auto a = static_cast<std::int64_t>(left), b = static_cast<std::int64_t>(right);
    const auto truth = [](bool holds) { return holds ? kTrue : 0; };
    switch (op) {
        case Operator::LogicalOr:
            return left || right;
        case Operator::LogicalAnd:
            return left && right;
        case Operator::Equal:
            return truth(a == b);
        case Operator::NotEqual:
            return truth(a != b);
        case Operator::LessEqual:
            return truth(a <= b);
        case Operator::GreaterEqual:
            return truth(a >= b);
        case Operator::Less:
            return truth(a < b);
        case Operator::Greater:
            return truth(a > b);
        case Operator::Add:
            return left + right;
        case Operator::Subtract:
            return left - right;
        case Operator::Or:
            return left | right;
        case Operator::And:
            return left & right;
        case Operator::Xor:
            return left ^ right;
        case Operator::Multiply:
            return left * right;
        case Operator::Divide:
            // The most negative number divided by -1 is itself.
            return b == 0 ? 0 : b == -1 ? 0 - left : static_cast<std::uint64_t>(a / b);
        case Operator::Modulus:
            return b == 0 || b == -1 ? 0 : static_cast<std::uint64_t>(a % b);
        case Operator::ShiftLeft:
            return right < kBits ? left << right : 0;
        case Operator::ShiftRight:
            return right < kBits ? left >> right : 0;
    }
    return 0;
}

/// What remains for a dynamic linker: addresses and constants may be added, and two addresses
/// subtracted.
Link combine_links(Operator op, const Link& left, const Link& right) {
    if (left.fixed() && right.fixed()) return {};
    const bool adds = op == Operator::Add, subtracts = op == Operator::Subtract;
    if ((adds || subtracts) && right.fixed()) return left;
    if (adds && left.fixed()) return right;
    Link out;
    const bool compares = op >= Operator::Equal && op <= Operator::Greater;
    const bool one_symbol = left.foreign && right.foreign && left.symbol == right.symbol;
    if ((subtracts || compares) && one_symbol) return {};
    out.mixed = left.mixed || right.mixed || left.foreign || right.foreign;
    out.base = subtracts || compares ? left.base - right.base : left.base + right.base;
    if (compares && out.base == 0) return out;
    if (!adds && !subtracts) out.mixed = true;
    return out;
}

/// What the sizes of literals may depend on: constants, and distances inside one region.
Number combine(Operator op, const Number& left, const Number& right) {
    Number out;
    out.value = apply(op, left.value, right.value);
    out.link = combine_links(op, left.link, right.link);
    out.bits = std::max(left.bits, right.bits);
    const bool compares = op >= Operator::Equal && op <= Operator::Greater;
    if (left.region && left.region == right.region && (op == Operator::Subtract || compares))
        return out;
    out.symbol = left.symbol.empty() ? right.symbol : left.symbol;
    if (op == Operator::Add && !left.is_symbolic()) out.region = right.region;
    if ((op == Operator::Add || op == Operator::Subtract) && !right.is_symbolic())
        out.region = left.region;
    return out;
}

}  // namespace

Number Cursor::expression() {
    skip_blanks();
    const auto start = rest_;
    Number n = binary(0);
    // Equal texts name equal values: what two uses of a literal word are compared by.
    if (n.is_symbolic()) {
        n.symbol = start.substr(0, start.size() - rest_.size());
        std::erase_if(n.symbol, is_blank);
    }
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

Number Cursor::binary(int level) {
    if (level == kLevels) return unary();
    Number left = binary(level + 1);
    while (!error_) {
        skip_blanks();
        const OperatorRow* const op = operator_at(rest_);
        if (!op || op->level != level) return left;
        const auto operand = rest_.substr(op->text.size());
        const auto next = operand.find_first_not_of(" \t");
        if (next != operand.npos && operand[next] == '%') return left;  // "[8 + %dr1]"
        rest_.remove_prefix(op->text.size());
        const Number right = binary(level + 1);
        const bool divides = op->name == Operator::Divide || op->name == Operator::Modulus;
        if (divides && right.value == 0 && !right.is_symbolic()) fail("division by zero");
        left = combine(op->name, left, right);
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
        n.region = 0;
        n.link = combine_links(Operator::Subtract, {}, n.link);
    } else if (accept("~")) {
        n = unary();
        n.value = ~n.value;
        n.region = 0;
        if (!n.link.fixed()) n.link.mixed = true;
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
    if (accept("'")) return character();
    if (c == '"') {  // a name with other characters
        const auto name = take_quoted(rest_);
        return symbol(name);
    }
    const auto name = symbol_name();
    if (name.empty()) {
        const auto other = peek_word();
        fail_at(other.empty() ? rest_.substr(0, 1) : other, "a number or a symbol expected");
        return {};
    }
    return symbol(name);
}

Number Cursor::character() {
    if (rest_.empty()) fail("a character is missing after `'`");
    if (error_) return {};
    const auto start = rest_;
    const char first = *take();
    const char c = first == '\\' ? escape(*this) : first;
    if (static_cast<unsigned char>(first) >= 0x80)
        fail_at(start.substr(0, 1), "only ASCII characters are numbers");
    if (rest_.starts_with("'")) take();
    return {static_cast<unsigned char>(c), {}};
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
    if (!found->refusal.empty()) {
        fail_at(name, found->refusal);
        return {};
    }
    Number n{found->value, found->constant ? std::string() : std::string(plain), found->bits};
    if (!found->constant) n.region = found->region;
    n.link = found->link;
    return n;
}

Number Cursor::number() {
    const auto text = symbol_name();
    const auto digit_of = [](char c) {
        const char d = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        return is_digit(d)              ? static_cast<unsigned>(d - '0')
               : (d >= 'a' && d <= 'f') ? static_cast<unsigned>(d - 'a') + 10
                                        : 99u;
    };
    std::size_t at = 0;
    unsigned base = 10;
    if (text.size() > 1 && text[0] == '0') {
        const char mark = static_cast<char>(std::tolower(static_cast<unsigned char>(text[1])));
        // "0b" and "0b+4" are a label behind; "0b1" is a number.
        const bool binary_mark = mark == 'b' && text.size() > 2 && digit_of(text[2]) < 2;
        base = mark == 'x' ? 16 : binary_mark ? 2 : 8;
        at = base == 8 ? 1 : 2;
    }
    std::uint64_t value = 0;
    std::size_t digits = base == 8 ? 1 : 0;
    for (; at < text.size(); ++at, ++digits) {
        const unsigned d = digit_of(text[at]);
        if (d >= base) break;
        if (value > (~std::uint64_t{0} - d) / base) {
            fail_at(text, "the number does not fit 64 bits");
            return {};
        }
        value = value * base + d;
    }
    const auto suffix = lower(text.substr(at));
    const bool label = suffix == "b" || suffix == "f" || suffix == "$";
    if (base != 16 && base != 2 && digits != 0 && label) return symbol(text);
    const bool known = suffix.empty() || suffix == "u" || suffix == "ul" || suffix == "ull" ||
                       suffix == "llu" || suffix == "l" || suffix == "ll";
    if (digits == 0 || !known) fail_at(text, "this is not a number");
    return {value, {}};
}

}  // namespace e2k::isa::assembler
