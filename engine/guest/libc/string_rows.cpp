// <string.h>, as far as it is not guest code (stubs/strings.s).
#include <array>

#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {
namespace {

Outcome<Value> memmove_(LibraryCall& call) {
    return call.memory.move(call.pointer(0), call.pointer(1), call.size(2)).map([&] {
        return Value(call.pointer(0));
    });
}

Outcome<Value> strdup_(LibraryCall& call) {
    const auto length = call.memory.length(call.pointer(0));
    if (!length) return tl::unexpected(length.error());
    const auto copy = call.library.heap.allocate(*length + 1);
    if (!copy) return tl::unexpected(copy.error());
    return call.memory.move(*copy, call.pointer(0), *length + 1).map([&] { return Value(*copy); });
}

constexpr std::array kRows{
    Row{"memmove", "p(p,p,L)", memmove_},
    Row{"strdup", "p(s)", strdup_},
};

}  // namespace

std::span<const Row> string_rows() { return kRows; }

}  // namespace e2k::guest::libc
