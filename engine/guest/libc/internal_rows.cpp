// Beginning and end of programs and threads: which function comes next.
#include "engine/guest/libc/internal_rows.h"

#include <csignal>

#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {
namespace {

// Registers of the stubs, beside %r0..%r7.
constexpr unsigned kProgramEntry = 10, kExitStatus = 11, kSortMemory = 16;
constexpr unsigned kNoNumber = 0;
constexpr std::uint32_t kExitGroup = 300;

Outcome<Value> start_next(LibraryCall& call) {
    std::lock_guard lock(call.library.link_mutex);
    if (call_next_of(call, call.library.linked.startup)) return {};
    call.set_stub_register(kProgramEntry, call.system.process.image.entry);
    call.call_next(0);
    return {};
}

Outcome<Value> main_next(LibraryCall& call) {
    Library& library = call.library;
    if (library.next_main >= library.main_calls.size()) {
        call.call_next(0);
        return {};
    }
    call.call_next(library.main_calls[library.next_main++],
                   {library.argc, library.argv, library.envp, 0});
    return {};
}

/// __libc_start_main(main, argc, argv, init, fini, rtld_fini, stack_end)
Outcome<Value> main_first(LibraryCall& call) {
    Library& library = call.library;
    const std::uint64_t main = call.pointer(0), init = call.pointer(3);
    library.argc = static_cast<std::uint64_t>(call.integer(1));
    library.argv = call.pointer(2);
    library.envp = library.argv + 8 * (library.argc + 1);
    call.system.put(library.variable("environ"), library.envp);
    {
        std::lock_guard lock(library.exit_mutex);
        for (const unsigned k : {5u, 4u})  // rtld_fini, fini
            if (call.pointer(k) != 0)
                library.exit_handlers.push_back({call.pointer(k), 0, 0, false});
    }
    library.main_calls.clear();
    library.next_main = 0;
    if (init != 0)
        library.main_calls.push_back(init);
    else
        library.main_calls = library.linked.program_init;
    library.main_calls.push_back(main);
    return main_next(call);
}

/// Handlers last in first out, which may add others; then what the linker has listed.
Outcome<Value> exit_next(LibraryCall& call) {
    Library& library = call.library;
    const std::uint64_t status = call.stub_register(kExitStatus);
    {
        std::lock_guard lock(library.exit_mutex);
        if (!library.exit_handlers.empty()) {
            const ExitHandler handler = library.exit_handlers.back();
            library.exit_handlers.pop_back();
            if (handler.with_status)
                call.call_next(handler.function, {status, handler.argument, 0, 0});
            else
                call.call_next(handler.function, {handler.argument, 0, 0, 0});
            return {};
        }
        if (library.next_finish < library.linked.finish.size()) {
            call.call_next(library.linked.finish[library.next_finish++]);
            return {};
        }
    }
    if (auto flushed = flush_all(call);
        !flushed && flushed.error().kind == Trouble::Kind::Interrupted)
        return tl::unexpected(flushed.error());
    return call.kernel(kExitGroup, status).map([](std::int64_t) { return Value(); });
}

/// __cxa_finalize(dso): the handlers of one object, or all.
Outcome<Value> finalize_next(LibraryCall& call) {
    Library& library = call.library;
    const std::uint64_t object = call.pointer(0);
    std::lock_guard lock(library.exit_mutex);
    auto& handlers = library.exit_handlers;
    for (std::size_t i = handlers.size(); i-- > 0;) {
        if (object != 0 && handlers[i].object != object) continue;
        const ExitHandler handler = handlers[i];
        handlers.erase(handlers.begin() + static_cast<std::ptrdiff_t>(i));
        call.call_next(handler.function, {handler.argument, 0, 0, 0});
        return {};
    }
    call.call_next(0);
    return {};
}

/// sigsetjmp with a mask: the two bits say that there is one (syscalls.md §9.1).
Outcome<Value> save_mask(LibraryCall& call) {
    const std::uint64_t mask =
        call.system.thread.signals->mask | signal_bit(SIGKILL) | signal_bit(SIGSTOP);
    return call.memory.store(call.pointer(0), mask).map([] { return Value(); });
}

/// qsort: as much memory as the elements have; 0: there is nothing to sort.
Outcome<Value> sort_memory(LibraryCall& call) {
    constexpr std::uint64_t kMost = 1ull << 44;
    const std::uint64_t count = call.size(1), size = call.size(2);
    call.set_stub_register(kSortMemory, 0);
    if (count < 2 || size == 0) return Value();
    if (count > kMost / size) return abort_with("an array larger than all memory");
    const auto memory = call.library.heap.allocate(count * size);
    if (!memory && memory.error().kind == Trouble::Kind::Error)
        return abort_with("not enough memory to sort in");
    return memory.map([&](std::uint64_t at) {
        call.set_stub_register(kSortMemory, at);
        return Value();
    });
}
Outcome<Value> sorted(LibraryCall& call) {
    return call.library.heap.release(call.stub_register(kSortMemory)).map([] { return Value(); });
}

constexpr Row kRows[] = {
    Row{"", "", nullptr},
    Row{"bridge_start", "v()", start_next},
    Row{"__libc_start_main", "v()", main_first},
    Row{"__libc_start_main", "v()", main_next},
    Row{"exit", "v()", exit_next},
    Row{"pthread_exit", "v(p)", thread_next},
    Row{"__sigsetjmp", "v(p)", save_mask},
    Row{"pthread_once", "v(p,F)", once_begin},
    Row{"pthread_once", "v(p,F)", once_end},
    Row{"__cxa_finalize", "v(p)", finalize_next},
    Row{"qsort", "v(p,L,L,F)", sort_memory},
    Row{"qsort", "v(p,L,L,F)", sorted},
};

}  // namespace

const Row* internal_row(std::uint32_t number) {
    if (number == kNoNumber || number >= std::size(kRows)) return nullptr;
    return &kRows[number];
}

bool call_next_of(LibraryCall& call, loader::Startup& startup) {
    const auto& list = startup.calls;
    if (startup.next > 0 && startup.next <= list.size()) {
        const loader::StartCall& last = list[startup.next - 1];
        if (last.kind == loader::StartCall::Kind::Resolver)
            loader::store_address(call.memory.space(), last.store,
                                  call.last_result() + static_cast<std::uint64_t>(last.addend),
                                  last.literal);
    }
    const bool resolving =
        startup.next < list.size() && list[startup.next].kind == loader::StartCall::Kind::Resolver;
    if (!resolving) {
        constexpr std::uint64_t kPage = cpu::kPageSize;
        for (const loader::Range& range : startup.read_only) {
            // As the linkers expect: whole pages only.
            const std::uint64_t begin = range.address & ~(kPage - 1);
            const std::uint64_t end = (range.address + range.size) & ~(kPage - 1);
            if (begin < end) call.memory.space().protect(begin, end - begin, kProtRead);
        }
        startup.read_only.clear();
    }
    if (startup.next >= list.size()) return false;
    const Library& library = call.library;
    call.call_next(list[startup.next++].function, {library.argc, library.argv, library.envp, 0});
    return true;
}

}  // namespace e2k::guest::libc
