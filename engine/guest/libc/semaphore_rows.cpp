// <semaphore.h>, and of <pthread.h> locks for readers and writers, barriers and spin locks: on the
// guest's own words, which processes may share. No host lock is held while a thread waits.
#include <pthread.h>
#include <array>
#include <cerrno>
#include <climits>

#include "engine/guest/libc/guest_word.h"

namespace e2k::guest::libc {
namespace {

constexpr std::uint32_t kSchedYield = 158;

Outcome<Value> nothing(LibraryCall&) { return Value(0); }

/// Zeros, but for the first word.
template <std::size_t Bytes>
Outcome<void> make(LibraryCall& call, std::uint32_t first) {
    std::array<std::uint32_t, Bytes / 4> fresh{};
    fresh[0] = first;
    return call.memory.write(call.pointer(0), fresh.data(), Bytes);
}

// --- sem_t: 32 bytes; a word that counts ---

constexpr std::uint32_t kMostCount = INT_MAX;

Outcome<Value> sem_init_(LibraryCall& call) {
    if (call.unsigned_integer(2) > kMostCount) return error(EINVAL);
    return make<32>(call, call.unsigned_integer(2)).map([] { return Value(0); });
}
bool take_one(const GuestWord& word) {
    for (std::uint32_t count = word.load(); count != 0; count = word.load())
        if (word.change(count, count - 1)) return true;
    return false;
}
Outcome<Value> sem_wait_until(LibraryCall& call, std::uint64_t end, bool realtime = true) {
    const auto word = GuestWord::at(call, call.pointer(0));
    if (!word) return tl::unexpected(word.error());
    while (!take_one(*word))
        if (auto done = wait_while(call, call.pointer(0), 0, end, realtime); !done)
            return tl::unexpected(done.error());
    return Value(0);
}
Outcome<Value> sem_wait_(LibraryCall& call) { return sem_wait_until(call, 0); }
Outcome<Value> sem_timedwait_(LibraryCall& call) { return sem_wait_until(call, call.pointer(1)); }
Outcome<Value> sem_clockwait_(LibraryCall& call) {
    const std::uint32_t clock = call.unsigned_integer(1);
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) return error(EINVAL);
    return sem_wait_until(call, call.pointer(2), clock == CLOCK_REALTIME);
}
Outcome<Value> sem_trywait_(LibraryCall& call) {
    const auto word = GuestWord::at(call, call.pointer(0));
    if (!word) return tl::unexpected(word.error());
    return take_one(*word) ? Outcome<Value>(Value(0)) : error(EAGAIN);
}
Outcome<Value> sem_post_(LibraryCall& call) {
    const auto word = GuestWord::at(call, call.pointer(0));
    if (!word) return tl::unexpected(word.error());
    for (std::uint32_t count = word->load();; count = word->load()) {
        if (count >= kMostCount) return error(EOVERFLOW);
        if (word->change(count, count + 1)) break;
    }
    wake_waiters(call, call.pointer(0), 1);
    return Value(0);
}
Outcome<Value> sem_getvalue_(LibraryCall& call) {
    const auto word = GuestWord::at(call, call.pointer(0));
    if (!word) return tl::unexpected(word.error());
    return call.memory.store(call.pointer(1), word->load()).map([] { return Value(0); });
}

// --- pthread_rwlock_t: 56 bytes; how many read, or that one writes; who writes ---

constexpr std::uint32_t kWritten = ~0u, kMostReaders = INT_MAX;
constexpr std::uint64_t kWriter = 4;

struct ReadWriteLock {
    GuestWord state, writer;
    std::uint64_t address = 0;

    static Outcome<ReadWriteLock> of(const LibraryCall& call) {
        const std::uint64_t address = call.pointer(0);
        const auto state = GuestWord::at(call, address);
        if (!state) return tl::unexpected(state.error());
        const auto writer = GuestWord::at(call, address + kWriter);
        if (!writer) return tl::unexpected(writer.error());
        return ReadWriteLock{*state, *writer, address};
    }
    /// False: it is held in a way that does not go together with this one.
    bool take(bool write, std::uint32_t self) const {
        for (;;) {
            const std::uint32_t now = state.load();
            if (write ? now != 0 : now >= kMostReaders) return false;
            if (!state.change(now, write ? kWritten : now + 1)) continue;
            if (write) writer.store(self);
            return true;
        }
    }
};

Outcome<void> take(LibraryCall& call, bool write, bool wait, std::uint64_t end = 0) {
    const auto lock = ReadWriteLock::of(call);
    if (!lock) return tl::unexpected(lock.error());
    const std::uint32_t self = call.system.thread.tid;
    while (!lock->take(write, self)) {
        if (!wait) return error(EBUSY);
        const std::uint32_t now = lock->state.load();
        if (now == kWritten && lock->writer.load() == self) return error(EDEADLK);
        if (write ? now == 0 : now < kMostReaders) continue;  // just left
        if (auto done = wait_while(call, lock->address, now, end); !done) return done;
    }
    return {};
}
template <bool Write, bool Wait>
Outcome<Value> rwlock_take(LibraryCall& call) {
    return as_result(take(call, Write, Wait));
}
template <bool Write>
Outcome<Value> rwlock_take_until(LibraryCall& call) {
    return as_result(take(call, Write, true, call.pointer(1)));
}
Outcome<Value> rwlock_unlock(LibraryCall& call) {
    const auto lock = ReadWriteLock::of(call);
    if (!lock) return as_result(lock);
    const std::uint32_t now = lock->state.load();
    if (now == 0) return Value(EPERM);
    if (now == kWritten) {
        lock->writer.store(0);
        lock->state.store(0);
    } else if (lock->state.add(~0u) != 1) {
        return Value(0);
    }
    wake_waiters(call, lock->address, INT_MAX);
    return Value(0);
}
Outcome<Value> rwlock_init(LibraryCall& call) { return as_result(make<56>(call, 0)); }
Outcome<Value> rwlockattr_init(LibraryCall& call) { return as_result(make<8>(call, 0)); }

// --- pthread_barrier_t: 32 bytes; how many meet there, how many are there, how often they met ---

constexpr std::uint64_t kArrived = 4, kMeetings = 8;

Outcome<Value> barrier_init(LibraryCall& call) {
    const std::uint32_t count = call.unsigned_integer(2);
    if (count == 0 || count > kMostCount) return Value(EINVAL);
    return as_result(make<32>(call, count));
}
Outcome<Value> barrier_wait(LibraryCall& call) {
    const std::uint64_t address = call.pointer(0);
    const auto count = GuestWord::at(call, address),
               arrived = GuestWord::at(call, address + kArrived),
               meetings = GuestWord::at(call, address + kMeetings);
    for (const auto* word : {&count, &arrived, &meetings})
        if (!*word) return as_result(*word);
    ThreadData& data = call.thread();
    // Entered again after a signal: it has arrived already.
    if (data.retaking != address) {
        const std::uint32_t meeting = meetings->load();
        if (arrived->add(1) + 1 >= count->load()) {
            arrived->store(0);
            meetings->add(1);
            wake_waiters(call, address + kMeetings, INT_MAX);
            return Value(PTHREAD_BARRIER_SERIAL_THREAD);
        }
        data.retaking = address;
        data.wait_error = static_cast<int>(meeting);
    }
    const auto meeting = static_cast<std::uint32_t>(data.wait_error);
    while (meetings->load() == meeting)
        if (auto done = wait_while(call, address + kMeetings, meeting); !done)
            return tl::unexpected(done.error());
    data.retaking = 0;
    return Value(0);
}

// --- pthread_spinlock_t: a word ---

Outcome<Value> spin_init(LibraryCall& call) {
    return as_result(call.memory.store(call.pointer(0), std::uint32_t{0}));
}
template <bool Wait>
Outcome<Value> spin_take(LibraryCall& call) {
    const auto word = GuestWord::at(call, call.pointer(0));
    if (!word) return as_result(word);
    while (!word->change(0, 1)) {
        if (!Wait) return Value(EBUSY);
        if (auto done = call.kernel(kSchedYield); !done) return tl::unexpected(done.error());
    }
    return Value(0);
}
Outcome<Value> spin_unlock(LibraryCall& call) {
    const auto word = GuestWord::at(call, call.pointer(0));
    if (!word) return as_result(word);
    word->store(0);
    return Value(0);
}

constexpr std::array kRows{
    Row{"sem_init", "i(p,i,u)", sem_init_},
    Row{"sem_destroy", "i(p)", nothing},
    Row{"sem_wait", "i(p)", sem_wait_},
    Row{"sem_timedwait", "i(p,p)", sem_timedwait_},
    Row{"sem_clockwait", "i(p,i,p)", sem_clockwait_},
    Row{"sem_trywait", "i(p)", sem_trywait_},
    Row{"sem_post", "i(p)", sem_post_},
    Row{"sem_getvalue", "i(p,p)", sem_getvalue_},
    Row{"pthread_rwlock_init", "i(p,p)", rwlock_init},
    Row{"pthread_rwlock_destroy", "i(p)", nothing},
    Row{"pthread_rwlock_rdlock", "i(p)", rwlock_take<false, true>},
    Row{"pthread_rwlock_tryrdlock", "i(p)", rwlock_take<false, false>},
    Row{"pthread_rwlock_timedrdlock", "i(p,p)", rwlock_take_until<false>},
    Row{"pthread_rwlock_wrlock", "i(p)", rwlock_take<true, true>},
    Row{"pthread_rwlock_trywrlock", "i(p)", rwlock_take<true, false>},
    Row{"pthread_rwlock_timedwrlock", "i(p,p)", rwlock_take_until<true>},
    Row{"pthread_rwlock_unlock", "i(p)", rwlock_unlock},
    Row{"pthread_rwlockattr_init", "i(p)", rwlockattr_init},
    Row{"pthread_rwlockattr_destroy", "i(p)", nothing},
    Row{"pthread_rwlockattr_setkind_np", "i(p,i)", nothing},
    Row{"pthread_rwlockattr_setpshared", "i(p,i)", nothing},
    Row{"pthread_barrier_init", "i(p,p,u)", barrier_init},
    Row{"pthread_barrier_destroy", "i(p)", nothing},
    Row{"pthread_barrier_wait", "i(p)", barrier_wait},
    Row{"pthread_spin_init", "i(p,i)", spin_init},
    Row{"pthread_spin_destroy", "i(p)", nothing},
    Row{"pthread_spin_lock", "i(p)", spin_take<true>},
    Row{"pthread_spin_trylock", "i(p)", spin_take<false>},
    Row{"pthread_spin_unlock", "i(p)", spin_unlock},
};

}  // namespace

std::span<const Row> semaphore_rows() { return kRows; }

}  // namespace e2k::guest::libc
