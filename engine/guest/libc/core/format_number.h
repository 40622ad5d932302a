// Numbers as printf writes them, without padding to the width.
#pragma once

#include <cstdint>
#include <string>

#include "engine/guest/libc/core/format_spec.h"

namespace e2k::guest::libc {

/// A number in pieces: the width's zeros go behind the prefix, zeros of a precision that the host
/// was not asked for go between `body` and `tail`.
struct NumberText {
    std::string prefix;  ///< sign, "0x"
    std::string body;
    std::uint64_t zeros = 0;
    std::string tail;       ///< exponent
    bool pad_zeros = true;  ///< the flag 0 is obeyed

    std::uint64_t size() const { return prefix.size() + body.size() + zeros + tail.size(); }
};

/// %d %i %o %u %x %X %b %B and %p of what is not null; `precision` < 0: none.
NumberText integer_text(const FormatSpec& spec, std::uint64_t value, int precision);
/// %a %e %f %g and their capitals.
NumberText real_text(const FormatSpec& spec, double value, int precision);
NumberText real_text(const FormatSpec& spec, long double value, int precision);

}  // namespace e2k::guest::libc
