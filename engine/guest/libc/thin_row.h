// Functions of the C library that are one system call.
#pragma once

#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {

inline Outcome<Value> as_value(const Outcome<std::int64_t>& result) {
    return result.map([](std::int64_t v) { return Value(v); });
}

/// All arguments are the system call's.
template <std::uint32_t Number>
Outcome<Value> thin(LibraryCall& call) {
    return as_value(call.kernel(Number, call.word(0), call.word(1), call.word(2), call.word(3),
                                call.word(4), call.word(5)));
}

}  // namespace e2k::guest::libc
