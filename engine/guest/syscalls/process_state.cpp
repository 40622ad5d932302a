// What a process can set about itself and read back: prctl, personality.
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

// Younger than the headers of the oldest host.
constexpr int kSetIoFlusher = 57, kGetIoFlusher = 58;

std::int64_t host_prctl(const Call& call) {
    return Call::host(SYS_prctl, call.arg[0], call.arg[1], call.arg[2], call.arg[3], call.arg[4]);
}

/// Options without pointers that act on the calling thread alone: the guest's own.
std::int64_t change_thread(Call& call) { return host_prctl(call); }

/// Options that act on the host process: it must be the guest's own, not the window's.
std::int64_t change_process(Call& call) {
    return call.process.owns_host_process() ? host_prctl(call) : -EPERM;
}

bool rest_is_zero(const Call& call, unsigned from) {
    for (unsigned i = from; i < 5; ++i)
        if (call.arg[i] != 0) return false;
    return true;
}

std::int64_t set_name(Call& call) {
    auto text = call.memory().read_string(call.arg[1], 15);
    if (!text) return -EFAULT;
    call.process.set_name(call.thread, *text);
    return 0;
}
std::int64_t get_name(Call& call) {
    std::array<char, 16> name{};
    call.process.name_of(call.thread).copy(name.data(), name.size() - 1);
    return call.put_result(call.arg[1], name);
}

/// Host processes of a guest stay dumpable for the workbench's own sake.
std::int64_t set_dumpable(Call& call) {
    if (call.arg[1] > 1) return -EINVAL;
    call.process.self_state.dumpable = static_cast<int>(call.arg[1]);
    return 0;
}
std::int64_t get_dumpable(Call& call) { return call.process.self_state.dumpable; }

std::int64_t set_keep_capabilities(Call& call) {
    if (call.arg[1] > 1) return -EINVAL;
    if (call.process.owns_host_process()) return host_prctl(call);
    return call.arg[1] == 0 ? 0 : -EPERM;
}
std::int64_t get_keep_capabilities(Call& call) { return host_prctl(call); }

/// PR_TIMING_STATISTICAL is all there is.
std::int64_t set_timing(Call& call) { return call.arg[1] == 0 ? 0 : -EINVAL; }
std::int64_t nothing(Call&) { return 0; }
std::int64_t refused(Call&) { return -EPERM; }

std::int64_t set_subreaper(Call& call) {
    if (call.process.owns_host_process())
        if (const std::int64_t error = host_prctl(call)) return error;
    call.process.self_state.subreaper = call.arg[1] != 0;
    return 0;
}
std::int64_t get_subreaper(Call& call) {
    return call.put_result(call.arg[1], std::int32_t{call.process.self_state.subreaper});
}

std::int64_t set_no_new_privileges(Call& call) {
    if (call.arg[1] != 1 || !rest_is_zero(call, 2)) return -EINVAL;
    if (call.process.owns_host_process())
        if (const std::int64_t error = host_prctl(call)) return error;
    call.process.self_state.no_new_privileges = true;
    return 0;
}
std::int64_t get_no_new_privileges(Call& call) {
    return rest_is_zero(call, 1) ? call.process.self_state.no_new_privileges : -EINVAL;
}

std::int64_t get_tid_address(Call& call) {
    return call.put_result(call.arg[1], call.thread.clear_child_tid);
}

std::int64_t set_huge_pages(Call& call) {
    if (!rest_is_zero(call, 2)) return -EINVAL;
    call.process.self_state.huge_pages_disabled = call.arg[1] != 0;
    return 0;
}
std::int64_t get_huge_pages(Call& call) {
    return rest_is_zero(call, 1) ? call.process.self_state.huge_pages_disabled : -EINVAL;
}

struct Option {
    int number;
    std::int64_t (*handler)(Call&);
};
/// The others are of other processors, or need what this kernel was not built with: EINVAL.
constexpr std::array kOptions{
    Option{PR_GET_DUMPABLE, get_dumpable},
    Option{PR_SET_DUMPABLE, set_dumpable},
    Option{PR_GET_KEEPCAPS, get_keep_capabilities},
    Option{PR_SET_KEEPCAPS, set_keep_capabilities},
    Option{PR_GET_TIMING, nothing},
    Option{PR_SET_TIMING, set_timing},
    Option{PR_SET_NAME, set_name},
    Option{PR_GET_NAME, get_name},
    Option{PR_GET_SECCOMP, nothing},
    Option{PR_CAPBSET_READ, change_thread},
    Option{PR_CAPBSET_DROP, change_process},
    Option{PR_GET_SECUREBITS, change_thread},
    Option{PR_SET_SECUREBITS, change_process},
    Option{PR_SET_TIMERSLACK, change_thread},
    Option{PR_GET_TIMERSLACK, change_thread},
    Option{PR_TASK_PERF_EVENTS_DISABLE, nothing},
    Option{PR_TASK_PERF_EVENTS_ENABLE, nothing},
    Option{PR_MCE_KILL, change_process},
    Option{PR_MCE_KILL_GET, change_thread},
    Option{PR_SET_MM, refused},
    Option{PR_SET_CHILD_SUBREAPER, set_subreaper},
    Option{PR_GET_CHILD_SUBREAPER, get_subreaper},
    Option{PR_SET_NO_NEW_PRIVS, set_no_new_privileges},
    Option{PR_GET_NO_NEW_PRIVS, get_no_new_privileges},
    Option{PR_GET_TID_ADDRESS, get_tid_address},
    Option{PR_SET_THP_DISABLE, set_huge_pages},
    Option{PR_GET_THP_DISABLE, get_huge_pages},
    Option{PR_CAP_AMBIENT, change_process},
    Option{PR_GET_SPECULATION_CTRL, change_thread},
    Option{PR_SET_SPECULATION_CTRL, change_thread},
    Option{kSetIoFlusher, change_process},
    Option{kGetIoFlusher, change_process},
};

}  // namespace

std::int64_t process_option(Call& call) {
    for (const Option& option : kOptions)
        if (option.number == call.integer(0)) return option.handler(call);
    return -EINVAL;
}

std::int64_t sys_personality(Call& call) {
    constexpr std::uint32_t kQuery = 0xffff'ffff;
    const auto wanted = static_cast<std::uint32_t>(call.arg[0]);
    const std::uint32_t old = call.process.self_state.personality;
    if (wanted != kQuery) call.process.self_state.personality = wanted;
    return old;
}

std::string Process::Impl::name_of(const Thread& thread) {
    if (owns_host_process() && thread.tid == static_cast<std::uint32_t>(pid)) {
        // Also what has been written to the file.
        std::ifstream file("/proc/self/comm");
        std::string name;
        if (std::getline(file, name)) return name;
    }
    std::lock_guard lock(signal_mutex);
    return thread.signals->name;
}

std::string Process::Impl::program_name() const {
    return invoked_as.substr(invoked_as.rfind('/') + 1);
}

void Process::Impl::set_name(Thread& thread, const std::string& name) {
    {
        std::lock_guard lock(signal_mutex);
        thread.signals->name = name.substr(0, 15);
    }
    // In the window the host's threads keep their names.
    if (owns_host_process()) prctl(PR_SET_NAME, name.c_str());
}

}  // namespace e2k::guest
