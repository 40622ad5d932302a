#include "engine/isa/printable.h"

#include <cstdint>

#include <fmt/format.h>

namespace e2k::isa {

namespace {

struct Character {
    std::uint32_t code = 0;
    std::size_t length = 0;  ///< 0: no well-formed UTF-8 begins here
};

/// Well-formed UTF-8 only: no overlong forms, no surrogates, nothing above U+10FFFF.
Character first_of(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return {};
    std::uint32_t code = lead & (0x7fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return {};
        code = code << 6 | (byte(i) & 0x3f);
    }
    constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    if (code < kSmallest[length] || surrogate || code > 0x10ffff) return {};
    return {code, length};
}

bool steers(std::uint32_t code) {
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
    if (code == 0x061c || code == 0x200e || code == 0x200f) return true;  // direction marks
    if (code >= 0x2028 && code <= 0x202e) return true;                    // separators, overrides
    return code >= 0x2066 && code <= 0x2069;                              // isolates
}

}  // namespace

std::string printable(std::string_view text, std::string_view keep) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Character c = first_of(text);
        const std::size_t length = c.length ? c.length : 1;
        const bool kept = keep.find(text[0]) != std::string_view::npos;
        if (kept || (c.length && !steers(c.code)))
            out += text.substr(0, length);
        else
            for (const char byte : text.substr(0, length))
                out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
        text.remove_prefix(length);
    }
    return out;
}

}  // namespace e2k::isa
