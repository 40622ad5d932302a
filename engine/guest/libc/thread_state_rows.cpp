// <pthread.h>: names, signals, processors and attributes of threads.
#include <pthread.h>
#include <signal.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "engine/guest/libc/guest_word.h"

namespace e2k::guest::libc {
namespace {

constexpr std::uint32_t kGetpid = 20, kTgkill = 308, kSchedSet = 249, kSchedGet = 250;
constexpr std::size_t kNameBytes = 16;

Outcome<Value> nothing(LibraryCall&) { return Value(0); }

/// The number of a thread by its pthread_t; 0: it has ended, or there never was one.
std::uint32_t thread_number(LibraryCall& call, std::uint64_t handle) {
    std::uint64_t at = 0;
    {
        std::lock_guard lock(call.library.thread_mutex);
        const auto found = call.library.threads.find(handle);
        if (found == call.library.threads.end() || found->second->ended) return 0;
        // The first thread has the number of the process, and no word that says so.
        if (found->second->mapping != 0) at = found->second->tid_address();
    }
    if (at == 0) {
        const auto process = call.kernel(kGetpid);
        return process ? static_cast<std::uint32_t>(*process) : 0;
    }
    const auto number = call.memory.load<std::uint32_t>(at);
    return number ? *number : 0;
}
std::shared_ptr<Thread> find_thread(LibraryCall& call, std::uint32_t number) {
    std::lock_guard lock(call.system.process.thread_mutex);
    for (const auto& thread : call.system.process.threads)
        if (thread->tid == number) return thread;
    return nullptr;
}

Outcome<Value> setname(LibraryCall& call) {
    auto name = call.text(1, kNameBytes);
    if (!name && name.error().kind == Trouble::Kind::Error) return Value(ERANGE);
    if (!name) return tl::unexpected(name.error());
    if (name->size() >= kNameBytes) return Value(ERANGE);
    const auto thread = find_thread(call, thread_number(call, call.pointer(0)));
    if (!thread) return Value(ESRCH);
    std::lock_guard lock(call.system.process.signal_mutex);
    thread->signals->name = std::move(*name);
    return Value(0);
}
Outcome<Value> getname(LibraryCall& call) {
    const auto thread = find_thread(call, thread_number(call, call.pointer(0)));
    if (!thread) return Value(ESRCH);
    std::string name;
    {
        std::lock_guard lock(call.system.process.signal_mutex);
        name = thread->signals->name;
    }
    if (name.size() >= call.size(2)) return Value(ERANGE);
    return as_result(call.memory.write(call.pointer(1), name.c_str(), name.size() + 1));
}

Outcome<Value> kill(LibraryCall& call) {
    const std::uint32_t number = thread_number(call, call.pointer(0));
    if (number == 0) return Value(ESRCH);
    const auto process = call.kernel(kGetpid);
    if (!process) return tl::unexpected(process.error());
    return as_result(
        call.kernel(kTgkill, static_cast<std::uint64_t>(*process), number, call.word(1)));
}

template <std::uint32_t Number>
Outcome<Value> affinity(LibraryCall& call) {
    const std::uint32_t number = thread_number(call, call.pointer(0));
    if (number == 0) return Value(ESRCH);
    const auto done = call.kernel(Number, number, call.size(1), call.pointer(2));
    if (!done || Number != kSchedGet) return as_result(done);
    // The kernel fills what it has; the rest of the set is empty.
    const auto filled = static_cast<std::uint64_t>(*done);
    if (filled >= call.size(1)) return Value(0);
    return as_result(call.memory.fill(call.pointer(2) + filled, 0, call.size(1) - filled));
}
Outcome<Value> getcpuclockid(LibraryCall& call) {
    const std::uint32_t number = thread_number(call, call.pointer(0));
    if (number == 0) return Value(ESRCH);
    const std::int32_t clock = static_cast<std::int32_t>(~number << 3 | 6u);
    return as_result(call.memory.store(call.pointer(1), clock));
}

/// Threads are not cancelled (pthread_cancel is a function that nobody has): what they would allow
/// is of no account.
Outcome<Value> setcancel(LibraryCall& call) {
    if (call.unsigned_integer(0) > 1) return Value(EINVAL);
    if (call.pointer(1) == 0) return Value(0);
    return as_result(call.memory.store(call.pointer(1), std::uint32_t{0}));
}

/// Every thread has the policy SCHED_OTHER and priority 0.
Outcome<Value> getschedparam(LibraryCall& call) {
    if (auto done = call.memory.store(call.pointer(1), std::uint32_t{SCHED_OTHER}); !done)
        return as_result(done);
    return as_result(call.memory.store(call.pointer(2), std::uint32_t{0}));
}
Outcome<Value> setschedparam(LibraryCall& call) {
    if (thread_number(call, call.pointer(0)) == 0) return Value(ESRCH);
    const auto priority = call.memory.load<std::uint32_t>(call.pointer(2));
    if (!priority) return tl::unexpected(priority.error());
    if (call.integer(1) != SCHED_OTHER) return Value(EPERM);
    return Value(*priority == 0 ? 0 : EINVAL);
}

constexpr std::array kRows{
    Row{"pthread_setname_np", "i(L,s)", setname},
    Row{"pthread_getname_np", "i(L,p,L)", getname},
    Row{"pthread_kill", "i(L,i)", kill},
    Row{"pthread_setaffinity_np", "i(L,L,p)", affinity<kSchedSet>},
    Row{"pthread_getaffinity_np", "i(L,L,p)", affinity<kSchedGet>},
    Row{"pthread_getcpuclockid", "i(L,p)", getcpuclockid},
    Row{"pthread_setcancelstate", "i(i,p)", setcancel},
    Row{"pthread_setcanceltype", "i(i,p)", setcancel},
    Row{"pthread_testcancel", "v()", nothing},
    Row{"pthread_setconcurrency", "i(i)", nothing},
    Row{"pthread_getschedparam", "i(L,p,p)", getschedparam},
    Row{"pthread_setschedparam", "i(L,i,p)", setschedparam},
    Row{"pthread_attr_setscope", "i(p,i)", nothing},
    Row{"pthread_attr_setinheritsched", "i(p,i)", nothing},
    Row{"pthread_attr_setguardsize", "i(p,L)", nothing},
};

}  // namespace

std::span<const Row> thread_state_rows() { return kRows; }

}  // namespace e2k::guest::libc
