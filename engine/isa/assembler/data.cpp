// Contents of data directives: numbers, strings, floating-point numbers.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "engine/isa/assembler/cursor.h"

namespace e2k::isa::assembler {
namespace {

/// The character behind a backslash, or up to three octal digits.
char escape(Cursor& in) {
    const char c = in.take().value_or('\\');
    switch (c) {
        case 'n':
            return '\n';
        case 't':
            return '\t';
        case 'r':
            return '\r';
        default:
            break;
    }
    if (c < '0' || c > '7') return c;
    int value = c - '0';
    for (int i = 0; i < 2 && !in.rest().empty(); ++i) {
        const char d = in.rest().front();
        if (d < '0' || d > '7') break;
        value = value * 8 + (*in.take() - '0');
    }
    return static_cast<char>(value);
}

}  // namespace

void read_number(Cursor& in, unsigned size, std::vector<std::uint8_t>& bytes) {
    in.at_end();
    const auto start = in.rest();
    const Number n = in.expression();
    const auto sign = static_cast<std::int64_t>(n.value) >> std::min(8 * size - 1, 63u);
    if (size < 8 && n.value >> (8 * size) && sign != -1)
        in.fail_at(start.substr(0, start.size() - in.rest().size()),
                   fmt::format("the number does not fit {} bits", 8 * size));
    for (unsigned i = 0; i < size; ++i)
        bytes.push_back(i < 8 ? static_cast<std::uint8_t>(n.value >> (8 * i)) : 0);
}

bool read_string(Cursor& in, std::vector<std::uint8_t>& bytes) {
    in.expect("\"");
    while (in.ok()) {
        const auto c = in.take();
        if (!c) in.fail("the string is not closed");
        if (!c || *c == '"') break;
        bytes.push_back(static_cast<std::uint8_t>(*c == '\\' ? escape(in) : *c));
    }
    return in.ok();
}

bool read_real(Cursor& in, bool twice, std::vector<std::uint8_t>& bytes) {
    in.at_end();
    const auto rest = in.rest();
    const std::string text(rest.substr(0, rest.find_first_of(", \t")));
    char* end = nullptr;
    const double wide = std::strtod(text.c_str(), &end);
    const float narrow = std::strtof(text.c_str(), nullptr);
    if (text.empty() || *end != '\0') {
        in.fail_at(rest.substr(0, text.size()), "a floating-point number expected");
        return false;
    }
    const auto bits =
        twice ? std::bit_cast<std::uint64_t>(wide) : std::bit_cast<std::uint32_t>(narrow);
    for (unsigned i = 0; i < (twice ? 8u : 4u); ++i)
        bytes.push_back(static_cast<std::uint8_t>(bits >> (8 * i)));
    for (std::size_t i = 0; i < text.size(); ++i) in.take();
    return true;
}

}  // namespace e2k::isa::assembler
