// Text to numbers (<stdlib.h>).
#include <array>
#include <cerrno>
#include <cstdlib>

#include "engine/cpu/semantics.h"
#include "engine/guest/libc/core/c_locale.h"
#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {
namespace {

/// More of a number than this is not looked at.
constexpr std::uint64_t kLongestNumber = 1u << 16;

/// The text in place 0, cut where it is longer than any number; the rest need not be mapped.
Outcome<std::string> number_text(const LibraryCall& call) {
    std::string text;
    const auto done = call.memory.each_piece(call.pointer(0), kLongestNumber,
                                             [&](const char* piece, std::size_t size) {
                                                 text.append(piece, size);
                                                 return Outcome<void>();
                                             });
    if (!done) return tl::unexpected(done.error());
    return text;
}

/// Where the number ends, to the pointer in place 1.
template <class T>
Outcome<Value> converted(LibraryCall& call, T value, std::size_t length, int host_errno) {
    if (call.pointer(1) != 0)
        if (auto done = call.memory.store(call.pointer(1), call.pointer(0) + length); !done)
            return tl::unexpected(done.error());
    if (host_errno != 0) call.set_errno(host_errno);
    return Value(value);
}

template <class T, T (*Convert)(const char*, char**, int, locale_t)>
Outcome<Value> to_integer(LibraryCall& call) {
    const auto text = number_text(call);
    if (!text) return tl::unexpected(text.error());
    char* end = nullptr;
    errno = 0;
    const T value = Convert(text->c_str(), &end, call.integer(2), c_locale());
    const int error = errno;
    return converted(call, value, static_cast<std::size_t>(end - text->c_str()), error);
}

template <class T, T (*Convert)(const char*, char**, locale_t)>
Outcome<Value> to_real(LibraryCall& call) {
    const auto text = number_text(call);
    if (!text) return tl::unexpected(text.error());
    char* end = nullptr;
    cpu::CpuState& s = call.system.thread.state;
    T value = 0;
    int error = 0;
    {
        cpu::FpEnvironment guest(s.pfpfr, s.fpcr, s.fpsr);
        errno = 0;
        value = Convert(text->c_str(), &end, c_locale());
        error = errno;
    }
    return converted(call, value, static_cast<std::size_t>(end - text->c_str()), error);
}

Outcome<Value> atoi_(LibraryCall& call) {
    const auto text = number_text(call);
    if (!text) return tl::unexpected(text.error());
    return Value(static_cast<int>(strtol_l(text->c_str(), nullptr, 10, c_locale())));
}
Outcome<Value> atol_(LibraryCall& call) {
    const auto text = number_text(call);
    if (!text) return tl::unexpected(text.error());
    return Value(strtol_l(text->c_str(), nullptr, 10, c_locale()));
}
Outcome<Value> atof_(LibraryCall& call) {
    const auto text = number_text(call);
    if (!text) return tl::unexpected(text.error());
    return Value(strtod_l(text->c_str(), nullptr, c_locale()));
}

constexpr std::array kRows{
    Row{"strtol", "l(s,p,i)", to_integer<long, strtol_l>},
    Row{"strtoll", "l(s,p,i)", to_integer<long long, strtoll_l>},
    Row{"strtoul", "L(s,p,i)", to_integer<unsigned long, strtoul_l>},
    Row{"strtoull", "L(s,p,i)", to_integer<unsigned long long, strtoull_l>},
    Row{"strtoimax", "l(s,p,i)", to_integer<long, strtol_l>},
    Row{"strtoumax", "L(s,p,i)", to_integer<unsigned long, strtoul_l>},
    Row{"strtoq", "l(s,p,i)", to_integer<long long, strtoll_l>},
    Row{"strtouq", "L(s,p,i)", to_integer<unsigned long long, strtoull_l>},
    Row{"strtod", "d(s,p)", to_real<double, strtod_l>},
    Row{"strtof", "f(s,p)", to_real<float, strtof_l>},
    Row{"strtold", "D(s,p)", to_real<long double, strtold_l>},
    Row{"atoi", "i(s)", atoi_},
    Row{"atol", "l(s)", atol_},
    Row{"atoll", "l(s)", atol_},
    Row{"atof", "d(s)", atof_},
};

}  // namespace

std::span<const Row> number_rows() { return kRows; }

}  // namespace e2k::guest::libc
