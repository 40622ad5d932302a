// <stdlib.h> beyond memory and numbers, sysconf, and what stands in for things a program asks for.
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {
namespace {

// --- random numbers ---

Outcome<Value> random_(LibraryCall& call) { return Value(call.library.random.next()); }
Outcome<Value> srandom_(LibraryCall& call) {
    call.library.random.seed(call.unsigned_integer(0));
    return Value();
}
Outcome<Value> rand_r_(LibraryCall& call) {
    auto seed = call.memory.load<std::uint32_t>(call.pointer(0));
    if (!seed) return tl::unexpected(seed.error());
    const int value = rand_r(&*seed);
    return call.memory.store(call.pointer(0), *seed).map([&] { return Value(value); });
}

// --- memory ---

Outcome<Value> reallocarray_(LibraryCall& call) {
    return call.library.heap.reallocate_array(call.pointer(0), call.size(1), call.size(2))
        .map([](std::uint64_t at) { return Value(at); });
}
Outcome<Value> malloc_usable_size_(LibraryCall& call) {
    return Value(call.library.heap.usable_size(call.pointer(0)));
}
Outcome<Value> valloc_(LibraryCall& call) {
    return call.library.heap.allocate_aligned(cpu::kPageSize, call.size(0))
        .map([](std::uint64_t at) { return Value(at); });
}
Outcome<Value> malloc_trim_(LibraryCall&) { return Value(0); }

// --- sysconf ---

Outcome<Value> sysconf_(LibraryCall& call) {
    const int name = call.integer(0);
    switch (name) {
        case _SC_PAGESIZE:
            return Value(cpu::kPageSize);
        case _SC_OPEN_MAX:
            return Value(call.system.process.fds.limit());
        case _SC_NPROCESSORS_ONLN:
        case _SC_NPROCESSORS_CONF:
            return find_row("get_nprocs")->function(call);
        case _SC_PHYS_PAGES:
        case _SC_AVPHYS_PAGES:
            return find_row("get_phys_pages")->function(call);
        // What the guest's headers and its kernel say as well as the host's.
        case _SC_ARG_MAX:
        case _SC_CHILD_MAX:
        case _SC_CLK_TCK:
        case _SC_NGROUPS_MAX:
        case _SC_STREAM_MAX:
        case _SC_TZNAME_MAX:
        case _SC_JOB_CONTROL:
        case _SC_SAVED_IDS:
        case _SC_VERSION:
        case _SC_IOV_MAX:
        case _SC_HOST_NAME_MAX:
        case _SC_LOGIN_NAME_MAX:
        case _SC_GETPW_R_SIZE_MAX:
        case _SC_GETGR_R_SIZE_MAX:
        case _SC_LINE_MAX:
        case _SC_SYMLOOP_MAX:
        case _SC_TTY_NAME_MAX:
        case _SC_THREADS:
        case _SC_MONOTONIC_CLOCK:
        case _SC_MAPPED_FILES:
        case _SC_FSYNC:
            return Value(sysconf(name));
        default:
            return error(EINVAL);
    }
}

/// A terminal is what answers TCGETS.
Outcome<Value> isatty_(LibraryCall& call) {
    constexpr std::uint32_t kIoctl = 54;
    constexpr std::uint64_t kTcgets = 0x5401;
    const auto done = call.kernel(kIoctl, call.word(0), kTcgets, call.thread().scratch_address());
    if (!done && done.error().kind == Trouble::Kind::Error) {
        call.set_errno(done.error().error == EBADF ? EBADF : ENOTTY);
        return Value(0);
    }
    return done.map([](std::int64_t) { return Value(1); });
}

constexpr std::array kRows{
    Row{"rand", "i()", random_},
    Row{"random", "l()", random_},
    Row{"srand", "v(u)", srandom_},
    Row{"srandom", "v(u)", srandom_},
    Row{"rand_r", "i(p)", rand_r_},
    Row{"reallocarray", "p(p,L,L)", reallocarray_},
    Row{"malloc_usable_size", "L(p)", malloc_usable_size_},
    Row{"valloc", "p(L)", valloc_},
    Row{"malloc_trim", "i(L)", malloc_trim_},
    Row{"sysconf", "l(i)", sysconf_},
    Row{"isatty", "i(i)", isatty_},
};

}  // namespace

std::span<const Row> standard_rows() { return kRows; }

}  // namespace e2k::guest::libc
