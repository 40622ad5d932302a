// Contents of data directives: numbers, strings, floating-point numbers.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <charconv>
#include <cstdlib>

#include "engine/isa/assembler/cursor.h"

namespace e2k::isa::assembler {
namespace {

void append(std::uint64_t value, unsigned size, std::vector<std::uint8_t>& bytes) {
    for (unsigned i = 0; i < size; ++i)
        bytes.push_back(i < 8 ? static_cast<std::uint8_t>(value >> (8 * i)) : 0);
}

/// A number that a dynamic linker must complete is told, or is refused.
void note(Cursor& in, const Number& n, std::string_view start, unsigned size,
          const std::vector<std::uint8_t>& bytes, std::vector<LinkedField>* fields) {
    if (n.link.fixed()) return;
    const auto text = start.substr(0, start.size() - in.rest().size());
    if (!fields) return in.fail_at(text, "an address that is not known yet cannot stand here");
    LinkedField& f = fields->emplace_back();
    f.offset = static_cast<std::uint32_t>(bytes.size());
    f.size = size;
    f.value = n.value;
    f.link = n.link;
    f.line = in.line().line;
    f.column = in.line().column;
    f.text = text;
}

/// Up to `most` digits of base 8 or 16 directly at the cursor; only the low byte counts.
char escape_digits(Cursor& in, unsigned base, std::size_t most, unsigned value) {
    for (std::size_t i = 0; i < most && !in.rest().empty(); ++i) {
        const auto c = static_cast<unsigned char>(in.rest().front());
        const unsigned d = std::isdigit(c)    ? c - '0'
                           : std::isxdigit(c) ? static_cast<unsigned>(std::tolower(c)) - 'a' + 10
                                              : base;
        if (d >= base) break;
        value = (value * base + d) & 0xff;
        in.take();
    }
    return static_cast<char>(value);
}

/// The number in "<27>".
std::uint64_t character_code(Cursor& in) {
    constexpr std::uint64_t kMost = 0xff;
    const std::string text(in.symbol_name());
    char* end = nullptr;
    const std::uint64_t code = std::strtoull(text.c_str(), &end, 0);
    if (text.empty() || *end || code > kMost) in.fail("the code of a character expected");
    return code;
}

}  // namespace

char escape(Cursor& in) {
    constexpr std::string_view kLetters = "bfnrt", kCodes = "\b\f\n\r\t";
    const char c = in.take().value_or('\\');
    if (const auto at = kLetters.find(c); at != kLetters.npos) return kCodes[at];
    if (c == 'x' || c == 'X') return escape_digits(in, 16, in.rest().size(), 0);
    if (c < '0' || c > '7') return c;
    return escape_digits(in, 8, 2, static_cast<unsigned>(c - '0'));
}

void read_number(Cursor& in, unsigned size, std::vector<std::uint8_t>& bytes,
                 std::vector<LinkedField>* fields) {
    in.at_end();
    const auto start = in.rest();
    const Number n = in.expression();
    note(in, n, start, size, bytes, fields);
    const auto sign = static_cast<std::int64_t>(n.value) >> std::min(8 * size - 1, 63u);
    if (size < 8 && n.value >> (8 * size) && sign != -1)
        in.fail_at(start.substr(0, start.size() - in.rest().size()),
                   fmt::format("the number does not fit {} bits", 8 * size));
    append(n.value, size, bytes);
}

void read_octa(Cursor& in, std::vector<std::uint8_t>& bytes, std::vector<LinkedField>* fields) {
    constexpr std::size_t kHalf = 16, kMost = 2 * kHalf;  // digits
    const bool hexadecimal = in.peek() == '0' && lower(in.rest().substr(0, 2)) == "0x";
    const auto word = hexadecimal ? in.peek_word().substr(2) : std::string_view{};
    const auto digits = word.substr(std::min(word.find_first_not_of('0'), word.size()));
    if (digits.size() <= kHalf) {
        const auto start = in.rest();
        const Number n = in.expression();
        note(in, n, start, 8, bytes, fields);
        append(n.value, 8, bytes);
        append(n.is_symbolic() || !(n.value >> 63) || hexadecimal ? 0 : ~std::uint64_t{0}, 8,
               bytes);
        return;
    }
    const auto value = [&](std::string_view part) {
        std::uint64_t out = 0;
        const auto end = std::from_chars(part.data(), part.data() + part.size(), out, 16);
        if (end.ptr != part.data() + part.size() || digits.size() > kMost)
            in.fail_at(in.peek_word(), "an integer of 128 bits expected");
        return out;
    };
    const auto split = digits.size() - kHalf;
    append(value(digits.substr(split)), 8, bytes);
    append(value(digits.substr(0, split)), 8, bytes);
    in.word();
}

void read_leb128(Cursor& in, bool is_signed, std::vector<std::uint8_t>& bytes) {
    const auto start = in.rest();
    const Number n = in.expression();
    note(in, n, start, 8, bytes, nullptr);
    std::uint64_t value = n.value;
    for (bool more = true; more;) {
        const auto group = static_cast<std::uint8_t>(value & 0x7f);
        if (is_signed) {
            value = static_cast<std::uint64_t>(static_cast<std::int64_t>(value) >> 7);
            more = value != (group & 0x40 ? ~std::uint64_t{0} : 0);
        } else {
            value >>= 7;
            more = value != 0;
        }
        bytes.push_back(static_cast<std::uint8_t>(group | (more ? 0x80 : 0)));
    }
}

bool read_string(Cursor& in, unsigned size, std::vector<std::uint8_t>& bytes) {
    const auto quoted = [&] {
        while (in.ok()) {
            const auto c = in.take();
            if (!c) in.fail("the string is not closed");
            if (!c || *c == '"') break;
            append(static_cast<std::uint8_t>(*c == '\\' ? escape(in) : *c), size, bytes);
        }
    };
    do {
        if (in.accept("<")) {
            append(character_code(in), size, bytes);
            in.expect(">");
        } else {
            in.expect("\"");
            quoted();
        }
    } while (in.ok() && (in.peek() == '"' || in.peek() == '<'));
    return in.ok();
}

bool read_real(Cursor& in, bool twice, std::vector<std::uint8_t>& bytes) {
    in.at_end();
    const auto rest = in.rest();
    std::string text(rest.substr(0, rest.find_first_of(", \t")));
    const std::size_t length = text.size();
    // "0f1.5": the letter says what follows.
    if (text.size() > 2 && text[0] == '0' && std::isalpha(static_cast<unsigned char>(text[1])) &&
        text[1] != 'x' && text[1] != 'X')
        text.erase(0, 2);
    char* end = nullptr;
    const double wide = std::strtod(text.c_str(), &end);
    const float narrow = std::strtof(text.c_str(), nullptr);
    if (text.empty() || *end != '\0') {
        in.fail_at(rest.substr(0, length), "a floating-point number expected");
        return false;
    }
    const auto bits =
        twice ? std::bit_cast<std::uint64_t>(wide) : std::bit_cast<std::uint32_t>(narrow);
    for (unsigned i = 0; i < (twice ? 8u : 4u); ++i)
        bytes.push_back(static_cast<std::uint8_t>(bits >> (8 * i)));
    for (std::size_t i = 0; i < length; ++i) in.take();
    return true;
}

}  // namespace e2k::isa::assembler
