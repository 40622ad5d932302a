#include "engine/guest/libc/core/format_number.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "engine/guest/libc/core/c_locale.h"

namespace e2k::guest::libc {
namespace {

// Digits behind these are zeros: the smallest number of the format has that many.
constexpr int kDoubleDigits = 1100, kLongDoubleDigits = 16500;

std::uint64_t cut_to_length(std::uint64_t value, Length length, bool is_signed) {
    switch (length) {
        case Length::Char:
            return is_signed ? static_cast<std::uint64_t>(static_cast<std::int8_t>(value))
                             : static_cast<std::uint8_t>(value);
        case Length::Short:
            return is_signed ? static_cast<std::uint64_t>(static_cast<std::int16_t>(value))
                             : static_cast<std::uint16_t>(value);
        case Length::Int:
            return is_signed ? static_cast<std::uint64_t>(static_cast<std::int32_t>(value))
                             : static_cast<std::uint32_t>(value);
        default:
            return value;
    }
}

unsigned base_of(char conversion) {
    switch (conversion) {
        case 'o':
            return 8;
        case 'x':
        case 'X':
        case 'p':
            return 16;
        case 'b':
        case 'B':
            return 2;
        default:
            return 10;
    }
}

std::string digits_of(std::uint64_t value, unsigned base, bool capital) {
    const char* const digits = capital ? "0123456789ABCDEF" : "0123456789abcdef";
    std::array<char, 64> text;
    std::size_t at = text.size();
    for (; value != 0; value /= base) text[--at] = digits[value % base];
    return {text.begin() + static_cast<std::ptrdiff_t>(at), text.end()};
}

/// A long double whose integer bit does not fit its exponent is no number; the host need not know
/// what to do with it.
long double proper(long double value) {
    std::uint64_t mantissa = 0;
    std::uint16_t top = 0;
    std::memcpy(&mantissa, &value, 8);
    std::memcpy(&top, reinterpret_cast<const char*>(&value) + 8, 2);
    const bool integer_bit = (mantissa >> 63) != 0;
    const unsigned exponent = top & 0x7fff;
    if (exponent != 0 && !integer_bit) return __builtin_nanl("");
    if (exponent == 0 && integer_bit) {
        const std::uint16_t normal = top | 1;
        std::memcpy(reinterpret_cast<char*>(&value) + 8, &normal, 2);
    }
    return value;
}

/// "%+#.*Lf" for the host: no width, which is ours.
std::array<char, 12> host_spec(const FormatSpec& spec, bool precise, bool is_long) {
    std::array<char, 12> text{};
    std::size_t at = 0;
    text[at++] = '%';
    if (spec.plus) text[at++] = '+';
    if (spec.space) text[at++] = ' ';
    if (spec.alternate) text[at++] = '#';
    if (precise) {
        text[at++] = '.';
        text[at++] = '*';
    }
    if (is_long) text[at++] = 'L';
    text[at] = spec.conversion;
    return text;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
template <class T>
int host_print(char* to, std::size_t size, const char* spec, bool precise, int precision, T value) {
    return precise ? std::snprintf(to, size, spec, precision, value)
                   : std::snprintf(to, size, spec, value);
}
#pragma GCC diagnostic pop

template <class T>
std::string host_text(const FormatSpec& spec, T value, bool precise, int precision) {
    const CLocaleScope locale;
    const auto form = host_spec(spec, precise, sizeof(T) > 8);
    std::array<char, 128> text;
    const int size = host_print(text.data(), text.size(), form.data(), precise, precision, value);
    if (size < 0) return {};
    if (static_cast<std::size_t>(size) < text.size())
        return {text.data(), static_cast<std::size_t>(size)};
    std::string all(static_cast<std::size_t>(size) + 1, '\0');
    host_print(all.data(), all.size(), form.data(), precise, precision, value);
    all.pop_back();
    return all;
}

template <class T>
NumberText split_real(const FormatSpec& spec, T value, int precision, int most) {
    const int asked = std::min(precision, most);
    const std::string text = host_text(spec, value, precision >= 0, asked);
    NumberText result;
    std::size_t begin = 0;
    if (begin < text.size() && (text[0] == '-' || text[0] == '+' || text[0] == ' ')) ++begin;
    if (!std::isfinite(value)) {
        result.pad_zeros = false;
        result.prefix = text.substr(0, begin);
        result.body = text.substr(begin);
        return result;
    }
    const bool hexadecimal = spec.conversion == 'a' || spec.conversion == 'A';
    if (hexadecimal) begin += 2;
    result.prefix = text.substr(0, begin);
    std::size_t exponent = text.find_first_of(hexadecimal ? "pP" : "eE", begin);
    if (exponent == std::string::npos) exponent = text.size();
    result.body = text.substr(begin, exponent - begin);
    result.tail = text.substr(exponent);
    const bool drops_zeros = (spec.conversion == 'g' || spec.conversion == 'G') && !spec.alternate;
    if (precision > asked && !drops_zeros)
        result.zeros = static_cast<std::uint64_t>(precision) - static_cast<std::uint64_t>(asked);
    return result;
}

}  // namespace

NumberText integer_text(const FormatSpec& spec, std::uint64_t value, int precision) {
    NumberText result;
    const char c = spec.conversion;
    const bool is_signed = c == 'd' || c == 'i';
    if (c != 'p') value = cut_to_length(value, spec.length, is_signed);
    const bool negative = is_signed && static_cast<std::int64_t>(value) < 0;
    const unsigned base = base_of(c);
    result.body = digits_of(negative ? 0 - value : value, base, c == 'X');
    const bool has_sign = is_signed || c == 'p';
    if (negative)
        result.prefix += '-';
    else if (has_sign && spec.plus)
        result.prefix += '+';
    else if (has_sign && spec.space)
        result.prefix += ' ';
    if (value != 0 && (spec.alternate || c == 'p') && (base == 16 || base == 2)) {
        result.prefix += '0';
        result.prefix += c == 'p' ? 'x' : c;
    }
    // The precision is at least that many digits; without one, zero has a digit.
    const std::size_t least = precision < 0 ? 1 : static_cast<std::size_t>(precision);
    if (least > result.body.size()) {
        const std::uint64_t missing = least - result.body.size();
        result.tail = std::move(result.body);
        result.body.clear();
        result.zeros = missing;
    }
    if (spec.alternate && base == 8 && result.zeros == 0 && (result.body.empty() || value != 0))
        result.prefix += '0';
    result.pad_zeros = precision < 0;
    return result;
}

NumberText real_text(const FormatSpec& spec, double value, int precision) {
    return split_real(spec, value, precision, kDoubleDigits);
}

NumberText real_text(const FormatSpec& spec, long double value, int precision) {
    return split_real(spec, proper(value), precision, kLongDoubleDigits);
}

}  // namespace e2k::guest::libc
