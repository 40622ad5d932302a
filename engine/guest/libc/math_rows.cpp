// <math.h>, as far as the functions are not host leafs (cpu/host_leafs.h): those that write memory
// or have two arguments of 80 bits. The host's functions under the guest's rounding mode.
#include <math.h>

#include <array>
#include <cerrno>
#include <type_traits>

#include "engine/cpu/semantics.h"
#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {
namespace {

/// What `compute` gives under the guest's rounding, and its error.
template <class Compute>
auto under_rounding(LibraryCall& call, Compute compute) {
    cpu::CpuState& s = call.system.thread.state;
    decltype(compute()) value{};
    int error = 0;
    {
        cpu::FpEnvironment guest(s.pfpfr, s.fpcr, s.fpsr);
        errno = 0;
        value = compute();
        error = errno;
    }
    if (error != 0) call.set_errno(error);
    return value;
}

template <long double (*F)(long double, long double)>
Outcome<Value> long_of_two(LibraryCall& call) {
    return Value(under_rounding(call, [&] { return F(call.long_real(0), call.long_real(2)); }));
}
Outcome<Value> fmal_(LibraryCall& call) {
    return Value(under_rounding(
        call, [&] { return fmal(call.long_real(0), call.long_real(2), call.long_real(4)); }));
}
Outcome<Value> nexttoward_(LibraryCall& call) {
    return Value(under_rounding(call, [&] { return nexttoward(call.real(0), call.long_real(2)); }));
}
Outcome<Value> nexttowardf_(LibraryCall& call) {
    return Value(
        under_rounding(call, [&] { return nexttowardf(call.single(0), call.long_real(2)); }));
}

// --- results in memory ---

/// An argument of type T in the first places, and the place behind it.
template <class T>
T first(const LibraryCall& call) {
    if constexpr (std::is_same_v<T, double>)
        return call.real(0);
    else if constexpr (std::is_same_v<T, float>)
        return call.single(0);
    else
        return call.long_real(0);
}
template <class T>
constexpr unsigned kBehind = std::is_same_v<T, long double> ? 2 : 1;

template <class T>
Outcome<void> store_real(const LibraryCall& call, std::uint64_t to, T value) {
    constexpr std::size_t kBytes = std::is_same_v<T, long double> ? 10 : sizeof(T);
    return call.memory.write(to, &value, kBytes);
}

template <class T, T (*F)(T, int*)>
Outcome<Value> with_integer(LibraryCall& call) {
    int number = 0;
    const T value = under_rounding(call, [&] { return F(first<T>(call), &number); });
    return call.memory.store(call.pointer(kBehind<T>), number).map([&] { return Value(value); });
}
template <class T, T (*F)(T, T*)>
Outcome<Value> with_whole(LibraryCall& call) {
    T whole = 0;
    const T value = under_rounding(call, [&] { return F(first<T>(call), &whole); });
    return store_real(call, call.pointer(kBehind<T>), whole).map([&] { return Value(value); });
}
template <class T, void (*F)(T, T*, T*)>
Outcome<Value> sine_and_cosine(LibraryCall& call) {
    T sine = 0, cosine = 0;
    under_rounding(call, [&] {
        F(first<T>(call), &sine, &cosine);
        return 0;
    });
    if (auto done = store_real(call, call.pointer(kBehind<T>), sine); !done)
        return tl::unexpected(done.error());
    return store_real(call, call.pointer(kBehind<T> + 1), cosine).map([] { return Value(); });
}
/// The sign goes to the program's `signgam`.
template <class T, T (*F)(T, int*), bool Own>
Outcome<Value> log_gamma(LibraryCall& call) {
    int sign = 1;
    const T value = under_rounding(call, [&] { return F(first<T>(call), &sign); });
    const std::uint64_t to = Own ? call.pointer(kBehind<T>) : call.library.variable("signgam");
    return call.memory.store(to, sign).map([&] { return Value(value); });
}
template <class T, T (*F)(T, T, int*)>
Outcome<Value> remainder_and_quotient(LibraryCall& call) {
    int quotient = 0;
    const T second =
        std::is_same_v<T, double> ? static_cast<T>(call.real(1)) : static_cast<T>(call.single(1));
    const T value = under_rounding(call, [&] { return F(first<T>(call), second, &quotient); });
    return call.memory.store(call.pointer(2), quotient).map([&] { return Value(value); });
}
template <class T, T (*F)(const char*)>
Outcome<Value> not_a_number(LibraryCall& call) {
    return call.text(0, 4096).map([](const std::string& text) { return Value(F(text.c_str())); });
}

constexpr std::array kRows{
    Row{"powl", "D(D,D)", long_of_two<::powl>},
    Row{"__powl_finite", "D(D,D)", long_of_two<::powl>},
    Row{"fmodl", "D(D,D)", long_of_two<::fmodl>},
    Row{"atan2l", "D(D,D)", long_of_two<::atan2l>},
    Row{"hypotl", "D(D,D)", long_of_two<::hypotl>},
    Row{"remainderl", "D(D,D)", long_of_two<::remainderl>},
    Row{"fdiml", "D(D,D)", long_of_two<::fdiml>},
    Row{"fmaxl", "D(D,D)", long_of_two<::fmaxl>},
    Row{"fminl", "D(D,D)", long_of_two<::fminl>},
    Row{"copysignl", "D(D,D)", long_of_two<::copysignl>},
    Row{"nextafterl", "D(D,D)", long_of_two<::nextafterl>},
    Row{"nexttowardl", "D(D,D)", long_of_two<::nexttowardl>},
    Row{"nexttoward", "d(d,D)", nexttoward_},
    Row{"nexttowardf", "f(f,D)", nexttowardf_},
    Row{"fmal", "D(D,D,D)", fmal_},
    Row{"frexp", "d(d,p)", with_integer<double, ::frexp>},
    Row{"frexpf", "f(f,p)", with_integer<float, ::frexpf>},
    Row{"frexpl", "D(D,p)", with_integer<long double, ::frexpl>},
    Row{"modf", "d(d,p)", with_whole<double, ::modf>},
    Row{"modff", "f(f,p)", with_whole<float, ::modff>},
    Row{"modfl", "D(D,p)", with_whole<long double, ::modfl>},
    Row{"sincos", "v(d,p,p)", sine_and_cosine<double, ::sincos>},
    Row{"sincosf", "v(f,p,p)", sine_and_cosine<float, ::sincosf>},
    Row{"sincosl", "v(D,p,p)", sine_and_cosine<long double, ::sincosl>},
    Row{"lgamma", "d(d)", log_gamma<double, ::lgamma_r, false>},
    Row{"lgammaf", "f(f)", log_gamma<float, ::lgammaf_r, false>},
    Row{"lgammal", "D(D)", log_gamma<long double, ::lgammal_r, false>},
    Row{"gamma", "d(d)", log_gamma<double, ::lgamma_r, false>},
    Row{"lgamma_r", "d(d,p)", log_gamma<double, ::lgamma_r, true>},
    Row{"lgammaf_r", "f(f,p)", log_gamma<float, ::lgammaf_r, true>},
    Row{"remquo", "d(d,d,p)", remainder_and_quotient<double, ::remquo>},
    Row{"remquof", "f(f,f,p)", remainder_and_quotient<float, ::remquof>},
    Row{"nan", "d(s)", not_a_number<double, ::nan>},
    Row{"nanf", "f(s)", not_a_number<float, ::nanf>},
};

}  // namespace

std::span<const Row> math_rows() { return kRows; }

}  // namespace e2k::guest::libc
