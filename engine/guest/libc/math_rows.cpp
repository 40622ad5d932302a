// <math.h>: the host's functions under the guest's rounding mode.
#include <array>
#include <cerrno>
#include <cmath>

#include "engine/cpu/semantics.h"
#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {
namespace {

/// What `compute` gives under the guest's rounding, and its error.
template <class Compute>
Outcome<Value> under_rounding(LibraryCall& call, Compute compute) {
    cpu::CpuState& s = call.system.thread.state;
    double value = 0;
    int error = 0;
    {
        cpu::FpEnvironment guest(s.pfpfr, s.fpcr, s.fpsr);
        errno = 0;
        value = compute();
        error = errno;
    }
    if (error != 0) call.set_errno(error);
    return Value(value);
}

template <double (*F)(double)>
Outcome<Value> real_function(LibraryCall& call) {
    return under_rounding(call, [&] { return F(call.real(0)); });
}

template <double (*F)(double, double)>
Outcome<Value> real_function_of_two(LibraryCall& call) {
    return under_rounding(call, [&] { return F(call.real(0), call.real(1)); });
}

constexpr std::array kRows{
    Row{"sin", "d(d)", real_function<std::sin>},
    Row{"cos", "d(d)", real_function<std::cos>},
    Row{"tan", "d(d)", real_function<std::tan>},
    Row{"asin", "d(d)", real_function<std::asin>},
    Row{"acos", "d(d)", real_function<std::acos>},
    Row{"atan", "d(d)", real_function<std::atan>},
    Row{"sinh", "d(d)", real_function<std::sinh>},
    Row{"cosh", "d(d)", real_function<std::cosh>},
    Row{"tanh", "d(d)", real_function<std::tanh>},
    Row{"exp", "d(d)", real_function<std::exp>},
    Row{"exp2", "d(d)", real_function<std::exp2>},
    Row{"log", "d(d)", real_function<std::log>},
    Row{"log2", "d(d)", real_function<std::log2>},
    Row{"log10", "d(d)", real_function<std::log10>},
    Row{"sqrt", "d(d)", real_function<std::sqrt>},
    Row{"cbrt", "d(d)", real_function<std::cbrt>},
    Row{"floor", "d(d)", real_function<std::floor>},
    Row{"ceil", "d(d)", real_function<std::ceil>},
    Row{"trunc", "d(d)", real_function<std::trunc>},
    Row{"round", "d(d)", real_function<std::round>},
    Row{"rint", "d(d)", real_function<std::rint>},
    Row{"fabs", "d(d)", real_function<std::fabs>},
    Row{"pow", "d(d,d)", real_function_of_two<std::pow>},
    Row{"fmod", "d(d,d)", real_function_of_two<std::fmod>},
    Row{"atan2", "d(d,d)", real_function_of_two<std::atan2>},
    Row{"hypot", "d(d,d)", real_function_of_two<std::hypot>},
    Row{"__exp_finite", "d(d)", real_function<std::exp>},
    Row{"__log_finite", "d(d)", real_function<std::log>},
    Row{"__log10_finite", "d(d)", real_function<std::log10>},
    Row{"__pow_finite", "d(d,d)", real_function_of_two<std::pow>},
};

}  // namespace

std::span<const Row> math_rows() { return kRows; }

}  // namespace e2k::guest::libc
