// Two-operand integer steps at width U (std::uint32_t or std::uint64_t), and the functions that
// apply one of them or two in a row (integer.md §1, §2, §5, §9).
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>

namespace e2k::cpu::integer {

template <class U>
inline constexpr unsigned kWidth = std::numeric_limits<U>::digits;

template <class U>
constexpr bool sign_bit(U v) {
    return (v >> (kWidth<U> - 1)) != 0;
}

/// Shift and rotate counts are taken modulo the width.
template <class U>
constexpr unsigned count(U b) {
    return static_cast<unsigned>(b % kWidth<U>);
}

// kName is the step's part of a combined operation's name, `shl` in `shl_addd`.

struct And {
    static constexpr std::string_view kName = "and";
    template <class U>
    static constexpr U of(U a, U b) {
        return a & b;
    }
};
struct AndNot {
    static constexpr std::string_view kName = "andn";
    template <class U>
    static constexpr U of(U a, U b) {
        return a & ~b;
    }
};
struct Or {
    static constexpr std::string_view kName = "or";
    template <class U>
    static constexpr U of(U a, U b) {
        return a | b;
    }
};
struct OrNot {
    static constexpr std::string_view kName = "orn";
    template <class U>
    static constexpr U of(U a, U b) {
        return a | ~b;
    }
};
struct Xor {
    static constexpr std::string_view kName = "xor";
    template <class U>
    static constexpr U of(U a, U b) {
        return a ^ b;
    }
};
struct XorNot {
    static constexpr std::string_view kName = "xorn";
    template <class U>
    static constexpr U of(U a, U b) {
        return a ^ ~b;
    }
};
struct Add {
    static constexpr std::string_view kName = "add";
    template <class U>
    static constexpr U of(U a, U b) {
        return a + b;
    }
};
struct Sub {
    static constexpr std::string_view kName = "sub";
    template <class U>
    static constexpr U of(U a, U b) {
        return a - b;
    }
};
/// Only a second step.
struct ReverseSub {
    static constexpr std::string_view kName = "rsub";
    template <class U>
    static constexpr U of(U a, U b) {
        return b - a;
    }
};
struct Shl {
    static constexpr std::string_view kName = "shl";
    template <class U>
    static constexpr U of(U a, U b) {
        return a << count(b);
    }
};
struct Shr {
    static constexpr std::string_view kName = "shr";
    template <class U>
    static constexpr U of(U a, U b) {
        return a >> count(b);
    }
};
struct Sar {
    static constexpr std::string_view kName = "sar";
    template <class U>
    static constexpr U of(U a, U b) {
        return static_cast<U>(static_cast<std::make_signed_t<U>>(a) >> count(b));
    }
};
struct Scl {
    static constexpr std::string_view kName = "scl";
    template <class U>
    static constexpr U of(U a, U b) {
        return std::rotl(a, static_cast<int>(count(b)));
    }
};
struct Scr {
    static constexpr std::string_view kName = "scr";
    template <class U>
    static constexpr U of(U a, U b) {
        return std::rotr(a, static_cast<int>(count(b)));
    }
};
/// The caller has selected the operand already (Fn64: a = P ? src2 : src1).
struct Selected {
    static constexpr std::string_view kName = "merge";
    template <class U>
    static constexpr U of(U a, U) {
        return a;
    }
};

/// Descriptor operand of getf, getfz and insf.
template <class U>
struct Field {
    unsigned offset, length;
    bool is_signed;  ///< getf, getfz
    unsigned top;    ///< bits 15:13: byte number (v1..v4), low bits to clear (getfz)
    constexpr explicit Field(U b)
        : offset(count(b)),
          length(count(b >> 6)),
          is_signed((b >> 12 & 1) != 0),
          top(static_cast<unsigned>(b >> 13 & 7)) {}
    constexpr U mask() const { return (U{1} << length) - 1; }
    constexpr U rotate(U a) const { return std::rotr(a, static_cast<int>(offset)); }
};

/// getf on v1..v4: the descriptor names the byte of src1 that holds the sign.
struct GetfByByte {
    static constexpr std::string_view kName = "getf";
    template <class U>
    static constexpr U of(U a, U b) {
        const Field<U> field(b);
        const unsigned byte = field.top % sizeof(U);
        const unsigned bit = byte * 8 + (field.offset + field.length - 1) % 8;
        const bool negative = field.is_signed && (a >> bit & 1) != 0;
        return (field.rotate(a) & field.mask()) | (negative ? ~field.mask() : 0);
    }
};

/// getf on v5 and later: the field's top bit is its sign. The sign of an empty field is unknown;
/// it follows the older rule (execute vectors).
struct GetfByField {
    static constexpr std::string_view kName = "getf";
    template <class U>
    static constexpr U of(U a, U b) {
        const Field<U> field(b);
        if (field.length == 0) return GetfByByte::of(a, b);
        const U rotated = field.rotate(a);
        const bool negative = field.is_signed && (rotated >> (field.length - 1) & 1) != 0;
        return (rotated & field.mask()) | (negative ? ~field.mask() : 0);
    }
};

/// As getf on v5, then the low `top` bits are cleared; an empty signed field takes the sign of the
/// rotated operand.
struct Getfz {
    template <class U>
    static constexpr U of(U a, U b) {
        const Field<U> field(b);
        const U rotated = field.rotate(a);
        const bool negative = field.is_signed && (rotated >> count<U>(field.length - 1) & 1) != 0;
        const U value = (rotated & field.mask()) | (negative ? ~field.mask() : 0);
        return value & ~((U{1} << field.top) - 1);
    }
};

/// One step as a semantic function.
template <class Op, class U>
constexpr std::uint64_t binary(std::uint64_t a, std::uint64_t b, std::uint64_t) {
    return Op::of(static_cast<U>(a), static_cast<U>(b));
}

/// Two steps: src3 is the left operand of the second.
template <class First, class Second, class U>
constexpr std::uint64_t combined(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
    return Second::of(static_cast<U>(c), First::of(static_cast<U>(a), static_cast<U>(b)));
}

}  // namespace e2k::cpu::integer
