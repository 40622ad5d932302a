// One conversion of a printf format, taken apart.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace e2k::guest::libc {

enum class Length : std::uint8_t { Int, Char, Short, Long, LongDouble, IntMax };

/// A width or precision: absent, a number, or an argument's value.
struct Amount {
    enum class Kind : std::uint8_t { Absent, Number, Argument } kind = Kind::Absent;
    int number = 0;    ///< Number
    int argument = 0;  ///< Argument: its number from 1 on; 0: the next one
};

struct FormatSpec {
    bool left = false, plus = false, space = false, alternate = false, zero = false;
    Amount width, precision;
    Length length = Length::Int;
    char conversion = 0;    ///< 'd', 's', '%'; 0: the format ends inside
    int argument = 0;       ///< number of the value's argument, from 1 on; 0: the next one
    bool overflow = false;  ///< a number beyond INT_MAX (EOVERFLOW)
    std::string_view text;  ///< all of it, from '%' on
};

/// Takes the conversion apart that begins at `format[0]`, a '%'.
FormatSpec parse_format_spec(std::string_view format);

/// What the argument of a conversion is.
enum class ArgumentType : std::uint8_t { None, Integer, Real, LongReal };
ArgumentType argument_type(const FormatSpec& spec);

/// %C and %S are %lc and %ls.
bool is_wide(const FormatSpec& spec);

}  // namespace e2k::guest::libc
