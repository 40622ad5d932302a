// Processes, System V memory, and what a program asks about the machine.
#include <sched.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "engine/guest/libc/thin_row.h"

namespace e2k::guest::libc {
namespace {

constexpr std::uint32_t kFork = 2, kWaitpid = 7, kGetpid = 20, kUname = 122, kExitGroup = 300,
                        kShmget = 278, kShmat = 280, kShmdt = 281;
constexpr std::uint64_t kPageBytes = 4096;

Outcome<Value> exit_now(LibraryCall& call) {
    return call.kernel(kExitGroup, call.word(0)).map([](std::int64_t) { return Value(); });
}

Outcome<Value> shmat_(LibraryCall& call) {
    const auto at = call.kernel(kShmat, call.word(0), call.word(1), call.word(2));
    if (!at && at.error().kind == Trouble::Kind::Error) {
        call.set_errno(at.error().error);
        return Value(-1);
    }
    return at.map([](std::int64_t v) { return Value(v); });
}

/// Processors that the guest may use.
Outcome<Value> get_nprocs_(LibraryCall&) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return Value(1);
    return Value(CPU_COUNT(&set));
}
Outcome<Value> getpagesize_(LibraryCall&) { return Value(static_cast<int>(kPageBytes)); }
Outcome<Value> get_phys_pages_(LibraryCall&) {
    const std::uint64_t pages = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES));
    return Value(pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) / kPageBytes);
}

Outcome<Value> add_handler(LibraryCall& call, ExitHandler handler) {
    constexpr std::size_t kMostHandlers = 1u << 16;
    std::lock_guard lock(call.library.exit_mutex);
    if (call.library.exit_handlers.size() >= kMostHandlers) return error(ENOMEM);
    call.library.exit_handlers.push_back(handler);
    return Value(0);
}
Outcome<Value> atexit_(LibraryCall& call) {
    return add_handler(call, {call.pointer(0), 0, 0, false});
}
Outcome<Value> cxa_atexit_(LibraryCall& call) {
    return add_handler(call, {call.pointer(0), call.word(1), call.pointer(2), false});
}
Outcome<Value> on_exit_(LibraryCall& call) {
    return add_handler(call, {call.pointer(0), call.word(1), 0, true});
}

Outcome<Value> abort_(LibraryCall& call) {
    call.system.process.post_to(call.system.thread, SiginfoE2k::kernel(SIGABRT));
    call.system.next = call.system.process.deliver(call.system.thread, nullptr);
    if (call.system.next == Next::Continue)
        call.system.next = call.system.process.die(SIGABRT, "SIGABRT: abort");
    return Value();
}
Outcome<Value> stack_chk_fail(LibraryCall&) { return abort_with("stack smashing detected"); }

constexpr std::array kRows{
    Row{"fork", "i()", thin<kFork>},
    Row{"vfork", "i()", thin<kFork>},  // a copy of the stack does no harm
    Row{"waitpid", "i(i,p,i)", thin<kWaitpid>},
    Row{"getpid", "i()", thin<kGetpid>},
    Row{"uname", "i(p)", thin<kUname>},
    Row{"shmget", "i(i,L,i)", thin<kShmget>},
    Row{"shmat", "p(i,p,i)", shmat_},
    Row{"shmdt", "i(p)", thin<kShmdt>},
    Row{"_exit", "v(i)", exit_now},
    Row{"_Exit", "v(i)", exit_now},
    Row{"abort", "v()", abort_},
    Row{"__stack_chk_fail", "v()", stack_chk_fail},
    Row{"atexit", "i(F)", atexit_},
    Row{"__cxa_atexit", "i(F,p,p)", cxa_atexit_},
    Row{"on_exit", "i(F,p)", on_exit_},
    Row{"get_nprocs", "i()", get_nprocs_},
    Row{"get_nprocs_conf", "i()", get_nprocs_},
    Row{"getpagesize", "i()", getpagesize_},
    Row{"get_phys_pages", "l()", get_phys_pages_},
};

}  // namespace

std::span<const Row> process_rows() { return kRows; }

}  // namespace e2k::guest::libc
