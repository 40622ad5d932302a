// System calls by their numbers, processors, random bytes.
#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>

#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {
namespace {

constexpr std::uint32_t kSchedSet = 249, kSchedGet = 250, kGetrandom = 385;

/// GLIBC_2.3.3 has no size argument: a set of 1024 processors.
template <std::uint32_t Number>
Outcome<Value> old_affinity(LibraryCall& call) {
    constexpr std::uint64_t kSetSize = 128;
    const auto done = call.kernel(Number, call.word(0), kSetSize, call.pointer(1));
    return done.map([](std::int64_t) { return Value(0); });
}
/// CPU_COUNT.
Outcome<Value> sched_cpucount_(LibraryCall& call) {
    int count = 0;
    for (std::uint64_t i = 0; i + 8 <= call.size(0); i += 8) {
        const auto word = call.memory.load<std::uint64_t>(call.pointer(1) + i);
        if (!word) return tl::unexpected(word.error());
        count += std::popcount(*word);
    }
    return Value(count);
}
/// Signals of real time that programs may have: the library keeps none for itself.
Outcome<Value> least_real_time(LibraryCall&) { return Value(34); }
Outcome<Value> most_real_time(LibraryCall&) { return Value(64); }
/// CPU_ALLOC and CPU_FREE.
Outcome<Value> sched_cpualloc_(LibraryCall& call) {
    constexpr std::uint64_t kMost = 1u << 20;
    if (call.size(0) > kMost) return error(ENOMEM);
    return call.library.heap.allocate((call.size(0) + 63) / 64 * 8).map([](std::uint64_t at) {
        return Value(at);
    });
}
Outcome<Value> sched_cpufree_(LibraryCall& call) {
    return call.library.heap.release(call.pointer(0)).map([] { return Value(); });
}

/// syscall(number, …): the kernel's calls by their numbers.
Outcome<Value> syscall_(LibraryCall& call) {
    const auto last = call.place(6);
    if (!last) return tl::unexpected(last.error());
    return call
        .kernel(call.unsigned_integer(0), call.word(1), call.word(2), call.word(3), call.word(4),
                call.word(5), *last)
        .map([](std::int64_t v) { return Value(v); });
}

// --- random bytes ---

Outcome<std::uint32_t> random_word(LibraryCall& call) {
    const std::uint64_t at = call.thread().scratch_address();
    if (auto done = call.kernel(kGetrandom, at, sizeof(std::uint32_t), 0); !done)
        return tl::unexpected(done.error());
    return call.memory.load<std::uint32_t>(at);
}
Outcome<Value> arc4random_(LibraryCall& call) {
    return random_word(call).map([](std::uint32_t v) { return Value(v); });
}
Outcome<Value> arc4random_uniform_(LibraryCall& call) {
    const std::uint32_t bound = call.unsigned_integer(0);
    if (bound < 2) return Value(0);
    const std::uint32_t least = -bound % bound;  // below it some results would be likelier
    for (;;) {
        const auto word = random_word(call);
        if (!word) return tl::unexpected(word.error());
        if (*word >= least) return Value(*word % bound);
    }
}
Outcome<Value> arc4random_buf_(LibraryCall& call) {
    constexpr std::uint64_t kPart = 256;
    for (std::uint64_t done = 0; done < call.size(1);) {
        const std::uint64_t part = std::min(kPart, call.size(1) - done);
        if (auto got = call.memory.fill(call.pointer(0) + done, 0, part); !got)
            return tl::unexpected(got.error());
        if (auto got = call.kernel(kGetrandom, call.pointer(0) + done, part, 0); !got)
            return tl::unexpected(got.error());
        done += part;
    }
    return Value();
}

constexpr std::array kRows{
    Row{"syscall", "l(l,...)", syscall_},
    Row{"arc4random", "u()", arc4random_},
    Row{"arc4random_uniform", "u(u)", arc4random_uniform_},
    Row{"arc4random_buf", "v(p,L)", arc4random_buf_},
    Row{"__sched_cpucount", "i(L,p)", sched_cpucount_},
    Row{"__libc_current_sigrtmin", "i()", least_real_time},
    Row{"__libc_current_sigrtmax", "i()", most_real_time},
    Row{"__sched_cpualloc", "p(L)", sched_cpualloc_},
    Row{"__sched_cpufree", "v(p)", sched_cpufree_},
    Row{"sched_getaffinity@GLIBC_2.3.3", "i(i,p)", old_affinity<kSchedGet>},
    Row{"sched_setaffinity@GLIBC_2.3.3", "i(i,p)", old_affinity<kSchedSet>},
};

}  // namespace

std::span<const Row> kernel_rows() { return kRows; }

}  // namespace e2k::guest::libc
