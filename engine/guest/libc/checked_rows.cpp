// The fortified names of <string.h> and others: the last argument is the room of the destination.
#include <array>
#include <cstring>

#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {
namespace {

constexpr const char* kOverflow = "*** buffer overflow detected ***";

/// The function itself, which looks at its own arguments only.
Outcome<Value> call_row(LibraryCall& call, std::string_view name) {
    return find_row(name)->function(call);
}

/// memcpy and its like: `room` is place 3.
template <bool Behind>
Outcome<Value> move_checked(LibraryCall& call) {
    if (call.size(2) > call.size(3)) return abort_with(kOverflow);
    return call.memory.move(call.pointer(0), call.pointer(1), call.size(2)).map([&] {
        return Value(call.pointer(0) + (Behind ? call.size(2) : 0));
    });
}
Outcome<Value> memset_chk(LibraryCall& call) {
    if (call.size(2) > call.size(3)) return abort_with(kOverflow);
    const auto byte = static_cast<std::uint8_t>(call.word(1));
    return call.memory.fill(call.pointer(0), byte, call.size(2)).map([&] {
        return Value(call.pointer(0));
    });
}
/// strcpy, stpcpy: `room` is place 2.
template <bool Behind>
Outcome<Value> copy_checked(LibraryCall& call) {
    const auto length = call.memory.length(call.pointer(1));
    if (!length) return tl::unexpected(length.error());
    if (*length >= call.size(2)) return abort_with(kOverflow);
    return call.memory.move(call.pointer(0), call.pointer(1), *length + 1).map([&] {
        return Value(call.pointer(0) + (Behind ? *length : 0));
    });
}
Outcome<Value> append_checked(LibraryCall& call, std::uint64_t limit, std::uint64_t room) {
    const auto before = call.memory.length(call.pointer(0), room);
    if (!before) return tl::unexpected(before.error());
    const auto length = call.memory.length(call.pointer(1), limit);
    if (!length) return tl::unexpected(length.error());
    if (*length >= room - *before) return abort_with(kOverflow);
    const std::uint64_t to = call.pointer(0) + *before;
    if (auto done = call.memory.move(to, call.pointer(1), *length); !done)
        return tl::unexpected(done.error());
    return call.memory.store(to + *length, '\0').map([&] { return Value(call.pointer(0)); });
}
Outcome<Value> strcat_chk(LibraryCall& call) { return append_checked(call, ~0ull, call.size(2)); }
Outcome<Value> strncat_chk(LibraryCall& call) {
    return append_checked(call, call.size(2), call.size(3));
}
Outcome<Value> strncpy_chk(LibraryCall& call) {
    if (call.size(2) > call.size(3)) return abort_with(kOverflow);
    return call_row(call, "strncpy");
}
Outcome<Value> stpncpy_chk(LibraryCall& call) {
    if (call.size(2) > call.size(3)) return abort_with(kOverflow);
    return call_row(call, "stpncpy");
}
/// read, pread, recv, readlink, getcwd: size in `Size`, room in `Room`.
template <unsigned Size, unsigned Room, const char* const& Name>
Outcome<Value> checked(LibraryCall& call) {
    if (call.size(Size) > call.size(Room)) return abort_with(kOverflow);
    return call_row(call, Name);
}
constexpr const char* kRead = "read";
constexpr const char* kReadlink = "readlink";
constexpr const char* kGetcwd = "getcwd";

Outcome<Value> fdelt_chk(LibraryCall& call) {
    constexpr std::uint64_t kSetSize = 1024;
    if (call.word(0) >= kSetSize) return abort_with(kOverflow);
    return Value(call.word(0) / 64);
}

constexpr std::array kRows{
    Row{"__memcpy_chk", "p(p,p,L,L)", move_checked<false>},
    Row{"__memmove_chk", "p(p,p,L,L)", move_checked<false>},
    Row{"__mempcpy_chk", "p(p,p,L,L)", move_checked<true>},
    Row{"__memset_chk", "p(p,i,L,L)", memset_chk},
    Row{"__strcpy_chk", "p(p,s,L)", copy_checked<false>},
    Row{"__stpcpy_chk", "p(p,s,L)", copy_checked<true>},
    Row{"__strcat_chk", "p(p,s,L)", strcat_chk},
    Row{"__strncat_chk", "p(p,s,L,L)", strncat_chk},
    Row{"__strncpy_chk", "p(p,s,L,L)", strncpy_chk},
    Row{"__stpncpy_chk", "p(p,s,L,L)", stpncpy_chk},
    Row{"__read_chk", "l(i,p,L,L)", checked<2, 3, kRead>},
    Row{"__readlink_chk", "l(s,p,L,L)", checked<2, 3, kReadlink>},
    Row{"__getcwd_chk", "p(p,L,L)", checked<1, 2, kGetcwd>},
    Row{"__fdelt_chk", "l(l)", fdelt_chk},
};

}  // namespace

std::span<const Row> checked_rows() { return kRows; }

}  // namespace e2k::guest::libc
