// <pthread.h>: mutexes and condition variables, on the guest's own words. Nothing but the words
// that are named here is read or written, and no host lock is held while a thread waits.
#include <array>
#include <cerrno>
#include <climits>
#include <ctime>

#include "engine/guest/libc/guest_word.h"

namespace e2k::guest::libc {
namespace {

// pthread_mutex_t: the lock, how often it is held, by whom, what kind it is.
constexpr std::uint64_t kCount = 4, kOwner = 8, kKind = 16, kMutexBytes = 40;
constexpr std::uint32_t kFree = 0, kHeld = 1, kAwaited = 2;
constexpr std::uint32_t kRecursive = 1, kErrorChecking = 2, kKindMask = 3;

struct Mutex {
    GuestWord lock, count, owner;
    std::uint32_t kind = 0;
    std::uint64_t address = 0;

    static Outcome<Mutex> at(const LibraryCall& call, std::uint64_t address) {
        const auto lock = GuestWord::at(call, address);
        if (!lock) return tl::unexpected(lock.error());
        const auto count = GuestWord::at(call, address + kCount);
        if (!count) return tl::unexpected(count.error());
        const auto owner = GuestWord::at(call, address + kOwner);
        if (!owner) return tl::unexpected(owner.error());
        const auto kind = GuestWord::at(call, address + kKind);
        if (!kind) return tl::unexpected(kind.error());
        return Mutex{*lock, *count, *owner, kind->load() & kKindMask, address};
    }
};

/// `end`: 0, or the guest address of the time when waiting ends.
Outcome<void> take(LibraryCall& call, const Mutex& mutex, bool wait, std::uint64_t end = 0) {
    const std::uint32_t self = call.system.thread.tid;
    if (!mutex.lock.change(kFree, kHeld)) {
        if (mutex.owner.load() == self) {
            if (mutex.kind == kRecursive) {
                mutex.count.add(1);
                return {};
            }
            if (mutex.kind == kErrorChecking) return error(wait ? EDEADLK : EBUSY);
        }
        if (!wait) return error(EBUSY);
        while (mutex.lock.exchange(kAwaited) != kFree)
            if (auto done = wait_while(call, mutex.address, kAwaited, end); !done) return done;
    }
    mutex.owner.store(self);
    mutex.count.store(1);
    return {};
}

Outcome<void> release(LibraryCall& call, const Mutex& mutex) {
    if ((mutex.kind == kRecursive || mutex.kind == kErrorChecking) &&
        mutex.owner.load() != call.system.thread.tid)
        return error(EPERM);
    if (mutex.kind == kRecursive && mutex.count.load() > 1) {
        mutex.count.add(~0u);
        return {};
    }
    mutex.owner.store(0);
    mutex.count.store(0);
    if (mutex.lock.exchange(kFree) == kAwaited) wake_waiters(call, mutex.address, 1);
    return {};
}

template <class F>
Outcome<Value> with_mutex(LibraryCall& call, unsigned place, F act) {
    const auto mutex = Mutex::at(call, call.pointer(place));
    if (!mutex) return tl::unexpected(mutex.error());
    return as_result(act(*mutex));
}

Outcome<Value> mutex_lock(LibraryCall& call) {
    return with_mutex(call, 0, [&](const Mutex& m) { return take(call, m, true); });
}
Outcome<Value> mutex_trylock(LibraryCall& call) {
    return with_mutex(call, 0, [&](const Mutex& m) { return take(call, m, false); });
}
Outcome<Value> mutex_timedlock(LibraryCall& call) {
    return with_mutex(call, 0,
                      [&](const Mutex& m) { return take(call, m, true, call.pointer(1)); });
}
Outcome<Value> mutex_unlock(LibraryCall& call) {
    return with_mutex(call, 0, [&](const Mutex& m) { return release(call, m); });
}
Outcome<Value> mutex_init(LibraryCall& call) {
    std::array<std::uint32_t, kMutexBytes / 4> fresh{};
    if (call.pointer(1) != 0) {
        const auto kind = call.memory.load<std::uint32_t>(call.pointer(1));
        if (!kind) return tl::unexpected(kind.error());
        fresh[kKind / 4] = *kind & kKindMask;
    }
    return as_result(call.memory.write(call.pointer(0), fresh.data(), kMutexBytes));
}
Outcome<Value> nothing(LibraryCall&) { return Value(0); }
Outcome<Value> mutexattr_init(LibraryCall& call) {
    return as_result(call.memory.store(call.pointer(0), std::uint32_t{0}));
}
Outcome<Value> mutexattr_settype(LibraryCall& call) {
    if (call.unsigned_integer(1) > kKindMask) return Value(EINVAL);
    return as_result(call.memory.store(call.pointer(0), call.unsigned_integer(1)));
}
Outcome<Value> mutexattr_gettype(LibraryCall& call) {
    const auto kind = call.memory.load<std::uint32_t>(call.pointer(0));
    if (!kind) return tl::unexpected(kind.error());
    return as_result(call.memory.store(call.pointer(1), *kind));
}

// --- condition variables: a word that counts signals, and the clock of time-outs ---

constexpr std::uint64_t kCondBytes = 48, kCondClock = 4;

Outcome<Value> cond_wait_until(LibraryCall& call, std::uint64_t end, bool realtime = true) {
    const auto mutex = Mutex::at(call, call.pointer(1));
    if (!mutex) return tl::unexpected(mutex.error());
    ThreadData& data = call.thread();
    // Entered again while it was taking the mutex back.
    if (data.retaking != mutex->address) {
        const auto word = GuestWord::at(call, call.pointer(0));
        if (!word) return tl::unexpected(word.error());
        const std::uint32_t count = word->load();
        if (auto done = release(call, *mutex); !done) return as_result(done);
        const auto waited = wait_while(call, call.pointer(0), count, end, realtime);
        data.retaking = mutex->address;
        data.wait_error = !waited && waited.error().kind == Trouble::Kind::Error
                              ? waited.error().error
                              : 0;  // signals may wake it, too
    }
    if (auto done = take(call, *mutex, true); !done) return as_result(done);
    data.retaking = 0;
    return Value(data.wait_error);
}
Outcome<Value> cond_wait(LibraryCall& call) { return cond_wait_until(call, 0); }
Outcome<Value> cond_timedwait(LibraryCall& call) {
    const auto clock = call.memory.load<std::uint32_t>(call.pointer(0) + kCondClock);
    if (!clock) return tl::unexpected(clock.error());
    return cond_wait_until(call, call.pointer(2), *clock == CLOCK_REALTIME);
}
Outcome<Value> cond_clockwait(LibraryCall& call) {
    const std::uint32_t clock = call.unsigned_integer(2);
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) return Value(EINVAL);
    return cond_wait_until(call, call.pointer(3), clock == CLOCK_REALTIME);
}

template <int Count>
Outcome<Value> cond_wake(LibraryCall& call) {
    const auto word = GuestWord::at(call, call.pointer(0));
    if (!word) return tl::unexpected(word.error());
    word->add(1);
    wake_waiters(call, call.pointer(0), Count);
    return Value(0);
}
Outcome<Value> cond_init(LibraryCall& call) {
    std::array<std::uint32_t, kCondBytes / 4> fresh{};
    if (call.pointer(1) != 0) {
        const auto clock = call.memory.load<std::uint32_t>(call.pointer(1));
        if (!clock) return tl::unexpected(clock.error());
        fresh[kCondClock / 4] = *clock == CLOCK_MONOTONIC ? CLOCK_MONOTONIC : CLOCK_REALTIME;
    }
    return as_result(call.memory.write(call.pointer(0), fresh.data(), kCondBytes));
}
/// A pthread_condattr_t is the number of the clock.
Outcome<Value> condattr_init(LibraryCall& call) {
    return as_result(call.memory.store(call.pointer(0), std::uint32_t{CLOCK_REALTIME}));
}
Outcome<Value> condattr_setclock(LibraryCall& call) {
    const std::uint32_t clock = call.unsigned_integer(1);
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) return Value(EINVAL);
    return as_result(call.memory.store(call.pointer(0), clock));
}
Outcome<Value> condattr_getclock(LibraryCall& call) {
    const auto clock = call.memory.load<std::uint32_t>(call.pointer(0));
    if (!clock) return tl::unexpected(clock.error());
    return as_result(call.memory.store(call.pointer(1), *clock));
}

constexpr std::array kRows{
    Row{"pthread_mutex_lock", "i(p)", mutex_lock},
    Row{"pthread_mutex_trylock", "i(p)", mutex_trylock},
    Row{"pthread_mutex_unlock", "i(p)", mutex_unlock},
    Row{"pthread_mutex_timedlock", "i(p,p)", mutex_timedlock},
    Row{"pthread_mutex_init", "i(p,p)", mutex_init},
    Row{"pthread_mutex_destroy", "i(p)", nothing},
    Row{"pthread_mutexattr_init", "i(p)", mutexattr_init},
    Row{"pthread_mutexattr_destroy", "i(p)", nothing},
    Row{"pthread_mutexattr_settype", "i(p,i)", mutexattr_settype},
    Row{"pthread_mutexattr_gettype", "i(p,p)", mutexattr_gettype},
    Row{"pthread_mutexattr_setpshared", "i(p,i)", nothing},
    Row{"pthread_condattr_init", "i(p)", condattr_init},
    Row{"pthread_condattr_destroy", "i(p)", nothing},
    Row{"pthread_condattr_setclock", "i(p,i)", condattr_setclock},
    Row{"pthread_condattr_getclock", "i(p,p)", condattr_getclock},
    Row{"pthread_condattr_setpshared", "i(p,i)", nothing},
    Row{"pthread_cond_clockwait", "i(p,p,i,p)", cond_clockwait},
    Row{"pthread_cond_init", "i(p,p)", cond_init},
    Row{"pthread_cond_destroy", "i(p)", nothing},
    Row{"pthread_cond_wait", "i(p,p)", cond_wait},
    Row{"pthread_cond_timedwait", "i(p,p,p)", cond_timedwait},
    Row{"pthread_cond_signal", "i(p)", cond_wake<1>},
    Row{"pthread_cond_broadcast", "i(p)", cond_wake<INT_MAX>},
};

}  // namespace

std::span<const Row> lock_rows() { return kRows; }

}  // namespace e2k::guest::libc
