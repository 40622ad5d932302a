// <pthread.h>: beginning and end of threads, keys, pthread_once. Locks: lock_rows.cpp.
#include <linux/sched.h>

#include <array>
#include <climits>

#include "engine/guest/libc/guest_word.h"
#include "engine/guest/libc/internal_rows.h"

namespace e2k::guest::libc {
namespace {

constexpr std::uint32_t kExit = 1;
constexpr std::uint64_t kPage = cpu::kPageSize;
constexpr std::uint64_t kUsualStack = 4u << 20, kLeastStack = 64u << 10, kMostStack = 1u << 30;
constexpr std::uint32_t kMostKeys = 1024;
constexpr std::uint64_t kThreadFlags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
                                       CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
                                       CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;

/// pthread_attr_t as the bridge fills it; 56 bytes are the program's.
struct Attributes {
    std::uint32_t detached = 0, unused = 0;
    std::uint64_t stack_size = 0;
};

// States of a pthread_once_t.
constexpr std::uint32_t kFresh = 0, kRunning = 1, kDone = 2;

/// The next destructor of a key that has a value.
bool call_destructor(LibraryCall& call) {
    ThreadData& data = call.thread();
    std::lock_guard lock(call.library.thread_mutex);
    for (auto& [number, value] : data.keys) {
        if (value == 0 || number >= call.library.keys.size()) continue;
        const Library::Key& key = call.library.keys[number];
        if (!key.used || key.destructor == 0) continue;
        call.call_next(key.destructor, {std::exchange(value, 0), 0, 0, 0});
        return true;
    }
    return false;
}

void unmap_thread(LibraryCall& call, const ThreadData& data) {
    if (data.mapping != 0)
        static_cast<void>(call.memory.space().unmap(data.mapping, data.mapping_size));
}

bool is_last(const Process::Impl& process) {
    std::lock_guard lock(process.thread_mutex);
    return process.threads.size() == 1;
}

}  // namespace

Outcome<Value> thread_next(LibraryCall& call) {
    ThreadData& data = call.thread();
    constexpr unsigned kMostRounds = 4096;
    if (data.destructors_called++ < kMostRounds && call_destructor(call)) return Value();
    if (is_last(call.system.process)) {
        call.call_next(call.library.address_of("exit"), {0, 0, 0, 0});
        return Value();
    }
    {
        std::lock_guard lock(call.library.thread_mutex);
        data.result = call.word(0);
        data.ended = true;
        if (data.detached) {
            call.system.thread.clear_child_tid = 0;
            unmap_thread(call, data);
            call.library.threads.erase(data.pointer);
        }
    }
    return call.kernel(kExit, 0).map([](std::int64_t) { return Value(); });
}

Outcome<Value> once_begin(LibraryCall& call) {
    const auto word = GuestWord::at(call, call.pointer(0));
    if (!word) return tl::unexpected(word.error());
    for (;;) {
        if (word->change(kFresh, kRunning)) {
            call.call_next(call.pointer(1));
            return Value();
        }
        if (word->load() != kRunning) break;
        if (auto done = wait_while(call, call.pointer(0), kRunning); !done)
            return tl::unexpected(done.error());
    }
    call.call_next(0);
    return Value();
}

Outcome<Value> once_end(LibraryCall& call) {
    const auto word = GuestWord::at(call, call.pointer(0));
    if (!word) return tl::unexpected(word.error());
    word->store(kDone);
    wake_waiters(call, call.pointer(0), INT_MAX);
    call.call_next(0);
    return Value();
}

namespace {

Outcome<Value> pthread_create_(LibraryCall& call) {
    Library& library = call.library;
    Attributes attributes;
    if (call.pointer(1) != 0) {
        const auto given = call.memory.load<Attributes>(call.pointer(1));
        if (!given) return tl::unexpected(given.error());
        attributes = *given;
    }
    const std::uint64_t wanted = attributes.stack_size ? attributes.stack_size : kUsualStack;
    const std::uint64_t stack =
        std::clamp(wanted, kLeastStack, kMostStack) & ~(kPage - 1);  // and a page that is none
    const std::uint64_t size = kPage + stack + library.thread_area_size();
    if (!within_limits(call.system.process, {.bytes = size, .data = true})) return Value(EAGAIN);
    AddressSpace& space = call.memory.space();
    const auto begin = space.map(0, size, kProtRead | kProtWrite, AddressSpace::Place::Hint, false,
                                 -1, 0, "[thread]");
    if (!begin) return Value(EAGAIN);
    static_cast<void>(space.protect(*begin, kPage, kProtNone));
    const std::uint64_t top = *begin + kPage + stack;
    const auto pointer = library.make_thread_area(top);
    auto data = std::make_shared<ThreadData>();
    data->mapping = *begin;
    data->mapping_size = size;
    data->detached = (attributes.detached & 1) != 0;
    if (!pointer || !call.system.put(call.pointer(0), *pointer)) {
        unmap_thread(call, *data);
        return pointer ? Outcome<Value>(fault(call.pointer(0), true)) : Value(EAGAIN);
    }
    data->pointer = *pointer;
    {
        std::lock_guard lock(library.thread_mutex);
        library.threads[*pointer] = data;
    }
    CloneRequest request;
    request.flags = kThreadFlags;
    request.stack = top;
    request.stack_bottom = *begin + kPage;
    request.parent_tid = request.child_tid = data->tid_address();
    request.tls = *pointer;
    request.entry = library.address_of("bridge_thread");
    request.arguments = {call.pointer(2), call.word(3)};
    request.library = data;
    const std::int64_t result = clone_guest(call.system, request);
    if (result > 0) return Value(0);
    {
        std::lock_guard lock(library.thread_mutex);
        library.threads.erase(*pointer);
    }
    unmap_thread(call, *data);
    return Value(EAGAIN);
}

std::shared_ptr<ThreadData> find_thread(LibraryCall& call, std::uint64_t pointer) {
    std::lock_guard lock(call.library.thread_mutex);
    const auto found = call.library.threads.find(pointer);
    return found == call.library.threads.end() ? nullptr : found->second;
}

Outcome<Value> pthread_join_(LibraryCall& call) {
    const auto data = find_thread(call, call.word(0));
    if (!data) return Value(ESRCH);
    if (data.get() == &call.thread()) return Value(EDEADLK);
    {
        std::lock_guard lock(call.library.thread_mutex);
        if (data->detached) return Value(EINVAL);
    }
    for (;;) {
        const auto tid = call.memory.load<std::uint32_t>(data->tid_address());
        if (!tid || *tid == 0) break;
        if (auto done = wait_while(call, data->tid_address(), *tid); !done)
            return tl::unexpected(done.error());
    }
    std::uint64_t result = 0;
    {
        std::lock_guard lock(call.library.thread_mutex);
        result = data->result;
    }
    if (call.pointer(1) != 0)
        if (auto done = call.memory.store(call.pointer(1), result); !done)
            return tl::unexpected(done.error());
    std::lock_guard lock(call.library.thread_mutex);
    if (call.library.threads.erase(data->pointer) != 0) unmap_thread(call, *data);
    return Value(0);
}

Outcome<Value> pthread_detach_(LibraryCall& call) {
    const auto data = find_thread(call, call.word(0));
    if (!data) return Value(ESRCH);
    std::lock_guard lock(call.library.thread_mutex);
    if (data->detached) return Value(EINVAL);
    data->detached = true;
    if (data->ended && call.library.threads.erase(data->pointer) != 0) unmap_thread(call, *data);
    return Value(0);
}

Outcome<Value> pthread_self_(LibraryCall& call) { return Value(call.thread().pointer); }
Outcome<Value> pthread_equal_(LibraryCall& call) {
    return Value(static_cast<int>(call.word(0) == call.word(1)));
}

Outcome<Value> attr_init(LibraryCall& call) {
    const std::array<std::uint8_t, 56> empty{};
    return call.memory.write(call.pointer(0), empty.data(), empty.size()).map([] {
        return Value(0);
    });
}
Outcome<Value> attr_destroy(LibraryCall&) { return Value(0); }
Outcome<Value> attr_setdetachstate(LibraryCall& call) {
    return call.memory.store(call.pointer(0), call.unsigned_integer(1)).map([] {
        return Value(0);
    });
}
Outcome<Value> attr_setstacksize(LibraryCall& call) {
    if (call.size(1) < kLeastStack) return Value(EINVAL);
    return call.memory.store(call.pointer(0) + offsetof(Attributes, stack_size), call.size(1))
        .map([] { return Value(0); });
}
Outcome<Value> attr_getstacksize(LibraryCall& call) {
    const auto given = call.memory.load<Attributes>(call.pointer(0));
    if (!given) return tl::unexpected(given.error());
    return call.memory.store(call.pointer(1), given->stack_size ? given->stack_size : kUsualStack)
        .map([] { return Value(0); });
}

Outcome<Value> key_create(LibraryCall& call) {
    std::lock_guard lock(call.library.thread_mutex);
    auto& keys = call.library.keys;
    std::uint32_t number = 0;
    while (number < keys.size() && keys[number].used) ++number;
    if (number >= kMostKeys) return Value(EAGAIN);
    if (auto done = call.memory.store(call.pointer(0), number); !done)
        return tl::unexpected(done.error());
    if (number == keys.size()) keys.emplace_back();
    keys[number] = {true, call.pointer(1)};
    for (auto& [pointer, data] : call.library.threads) data->keys.erase(number);
    return Value(0);
}
Outcome<Value> key_delete(LibraryCall& call) {
    std::lock_guard lock(call.library.thread_mutex);
    const std::uint32_t number = call.unsigned_integer(0);
    if (number >= call.library.keys.size() || !call.library.keys[number].used) return Value(EINVAL);
    call.library.keys[number] = {};
    return Value(0);
}
Outcome<Value> setspecific(LibraryCall& call) {
    std::lock_guard lock(call.library.thread_mutex);
    const std::uint32_t number = call.unsigned_integer(0);
    if (number >= call.library.keys.size() || !call.library.keys[number].used) return Value(EINVAL);
    call.thread().keys[number] = call.word(1);
    return Value(0);
}
Outcome<Value> getspecific(LibraryCall& call) {
    std::lock_guard lock(call.library.thread_mutex);
    const auto& keys = call.thread().keys;
    const auto found = keys.find(call.unsigned_integer(0));
    return Value(found == keys.end() ? 0 : found->second);
}

/// __tls_get_addr(module, offset)
Outcome<Value> tls_get_addr(LibraryCall& call) {
    const std::uint64_t module = call.word(0);
    std::lock_guard lock(call.library.link_mutex);
    const auto& modules = call.library.linked.tls.modules;
    if (module == 0 || module > modules.size())
        return abort_with("__tls_get_addr: there is no such module");
    return Value(call.thread().pointer + modules[module - 1].offset + call.word(1));
}

constexpr std::array kRows{
    Row{"pthread_create", "i(p,p,F,p)", pthread_create_},
    Row{"pthread_join", "i(L,p)", pthread_join_},
    Row{"pthread_detach", "i(L)", pthread_detach_},
    Row{"pthread_self", "L()", pthread_self_},
    Row{"pthread_equal", "i(L,L)", pthread_equal_},
    Row{"pthread_attr_init", "i(p)", attr_init},
    Row{"pthread_attr_destroy", "i(p)", attr_destroy},
    Row{"pthread_attr_setdetachstate", "i(p,i)", attr_setdetachstate},
    Row{"pthread_attr_setstacksize", "i(p,L)", attr_setstacksize},
    Row{"pthread_attr_getstacksize", "i(p,p)", attr_getstacksize},
    Row{"pthread_key_create", "i(p,F)", key_create},
    Row{"__pthread_key_create", "i(p,F)", key_create},
    Row{"pthread_key_delete", "i(u)", key_delete},
    Row{"pthread_setspecific", "i(u,p)", setspecific},
    Row{"pthread_getspecific", "p(u)", getspecific},
    Row{"__tls_get_addr", "p(L,L)", tls_get_addr},
};

}  // namespace

std::span<const Row> thread_rows() { return kRows; }

}  // namespace e2k::guest::libc
