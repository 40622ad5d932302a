#include "engine/guest/libc/core/format_spec.h"

#include <climits>
#include <cstddef>

namespace e2k::guest::libc {
namespace {

class SpecParser {
public:
    explicit SpecParser(std::string_view format) : format_(format) {}

    FormatSpec parse() {
        at_ = 1;
        if (const int number = dollar_number()) spec_.argument = number;
        while (flag()) {
        }
        spec_.width = amount();
        if (peek() == '.') {
            ++at_;
            spec_.precision = amount();
            // "%.f" and "%.-3f" have precision 0 or none at all.
            if (spec_.precision.kind == Amount::Kind::Absent) negative_or_zero_precision();
        }
        while (length()) {
        }
        spec_.conversion = peek();
        if (spec_.conversion != 0) ++at_;
        spec_.text = format_.substr(0, at_);
        return spec_;
    }

private:
    char peek() const { return at_ < format_.size() ? format_[at_] : '\0'; }
    bool digit() const { return peek() >= '0' && peek() <= '9'; }

    int number() {
        std::int64_t value = 0;
        while (digit()) {
            value = value * 10 + (peek() - '0');
            if (value >= INT_MAX) {
                spec_.overflow = true;
                value = INT_MAX;
            }
            ++at_;
        }
        return static_cast<int>(value);
    }
    /// "3$", or 0 with nothing consumed.
    int dollar_number() {
        const std::size_t begin = at_;
        const bool overflow = spec_.overflow;
        if (digit() && peek() != '0') {
            const int value = number();
            if (peek() == '$') {
                ++at_;
                return value;
            }
        }
        at_ = begin;
        spec_.overflow = overflow;
        return 0;
    }
    bool flag() {
        switch (peek()) {
            case '-':
                spec_.left = true;
                break;
            case '+':
                spec_.plus = true;
                break;
            case ' ':
                spec_.space = true;
                break;
            case '#':
                spec_.alternate = true;
                break;
            case '0':
                spec_.zero = true;
                break;
            case '\'':  // no groups of digits in the C locale
            case 'I':
                break;
            default:
                return false;
        }
        ++at_;
        return true;
    }
    Amount amount() {
        Amount result;
        if (peek() == '*') {
            ++at_;
            result.kind = Amount::Kind::Argument;
            result.argument = dollar_number();
        } else if (digit()) {
            result.kind = Amount::Kind::Number;
            result.number = number();
        }
        return result;
    }
    void negative_or_zero_precision() {
        if (peek() == '-') {
            ++at_;
            static_cast<void>(number());
            return;
        }
        spec_.precision.kind = Amount::Kind::Number;
    }
    bool length() {
        switch (peek()) {
            case 'h':
                spec_.length = next_is('h') ? Length::Char : Length::Short;
                break;
            case 'l':
                spec_.length = next_is('l') ? Length::LongDouble : Length::Long;
                break;
            case 'L':
            case 'q':
                spec_.length = Length::LongDouble;
                break;
            case 'j':
            case 't':
            case 'z':
            case 'Z':
                spec_.length = Length::IntMax;
                break;
            default:
                return false;
        }
        ++at_;
        return true;
    }
    bool next_is(char c) {
        const bool is = at_ + 1 < format_.size() && format_[at_ + 1] == c;
        if (is) ++at_;
        return is;
    }

    std::string_view format_;
    std::size_t at_ = 0;
    FormatSpec spec_;
};

}  // namespace

FormatSpec parse_format_spec(std::string_view format) { return SpecParser(format).parse(); }

bool is_wide(const FormatSpec& spec) {
    const char c = spec.conversion;
    return c == 'C' || c == 'S' || ((c == 'c' || c == 's') && spec.length == Length::Long);
}

ArgumentType argument_type(const FormatSpec& spec) {
    switch (spec.conversion) {
        case 'd':
        case 'i':
        case 'o':
        case 'u':
        case 'x':
        case 'X':
        case 'b':
        case 'B':
        case 'c':
        case 'C':
        case 's':
        case 'S':
        case 'p':
        case 'n':
            return ArgumentType::Integer;
        case 'a':
        case 'A':
        case 'e':
        case 'E':
        case 'f':
        case 'F':
        case 'g':
        case 'G':
            return spec.length == Length::LongDouble ? ArgumentType::LongReal : ArgumentType::Real;
        default:
            return ArgumentType::None;
    }
}

}  // namespace e2k::guest::libc
