// Resource limits (guest/limits.h).
#include <sys/resource.h>
#include <sys/syscall.h>

#include <algorithm>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

/// The stack keeps what is in use of it; below, it reaches as far as the limit says, up to what
/// the program was started with. More than that comes with the next program.
void apply_stack_limit(Process::Impl& p, rlim_t limit) {
    constexpr std::uint64_t kKept = 16 * cpu::kPageSize;  // below the stack pointer
    std::uint64_t bottom = kStackTop - std::min<std::uint64_t>(limit, p.stack_size);
    bottom = std::min(bottom, p.main_thread->state.usd_base - kKept) & ~(cpu::kPageSize - 1);
    const std::uint64_t least = kStackTop - p.stack_size;
    bottom = std::max(bottom, least);
    const auto now = p.memory->region_at(kStackTop - 1);
    if (!now) return;
    if (now->begin < bottom) {
        static_cast<void>(p.memory->unmap(least, bottom - least));
    } else if (now->begin > bottom) {
        for (const Region& r : p.memory->regions())
            if (r.begin < now->begin && r.end > bottom) return;  // others have settled there
        static_cast<void>(
            p.memory->map(bottom, now->begin - bottom, now->prot, true, false, -1, 0, "[stack]"));
    }
}

/// Puts the guest's own limits in force.
std::int64_t set_limit(Call& call, unsigned resource, const rlimit& limit) {
    Process::Impl& p = call.process;
    if (const int error = p.limits.set(resource, limit, p.owns_host_process())) return -error;
    if (resource == RLIMIT_NOFILE) p.fds.set_limit(limit.rlim_cur);
    if (resource == RLIMIT_STACK) apply_stack_limit(p, limit.rlim_cur);
    return 0;
}

std::int64_t sys_getrlimit(Call& call) {
    constexpr std::uint64_t kOldCap = 0x7fff'ffff;
    const auto resource = static_cast<unsigned>(call.arg[0]);
    if (!ResourceLimits::known(resource)) return -EINVAL;
    rlimit limit = call.process.limits.get(resource);
    if (call.number == 76) {
        limit.rlim_cur = std::min<std::uint64_t>(limit.rlim_cur, kOldCap);
        limit.rlim_max = std::min<std::uint64_t>(limit.rlim_max, kOldCap);
    }
    return call.put_result(call.arg[1], limit);
}

std::int64_t sys_setrlimit(Call& call) {
    rlimit limit{};
    if (!call.get(call.arg[1], limit)) return -EFAULT;
    return set_limit(call, static_cast<unsigned>(call.arg[0]), limit);
}

/// Of another process: only what its host process has can be told; its guest's own limits are in
/// its memory.
std::int64_t limits_of_other(Call& call, unsigned resource, const rlimit* fresh) {
    if (!may_touch_process(call.process, call.integer(0))) return -EPERM;
    if (resource >= RLIM_NLIMITS) return -EINVAL;
    rlimit old{};
    const std::int64_t result =
        Call::host(SYS_prlimit64, call.arg[0], resource, reinterpret_cast<std::uint64_t>(fresh),
                   call.arg[3] ? reinterpret_cast<std::uint64_t>(&old) : 0);
    if (result < 0 || !call.arg[3]) return result;
    return call.put_result(call.arg[3], old);
}

std::int64_t sys_prlimit(Call& call) {
    const auto resource = static_cast<unsigned>(call.arg[1]);
    rlimit fresh{};
    if (call.arg[2] && !call.get(call.arg[2], fresh)) return -EFAULT;
    const int pid = call.integer(0);
    if (pid != 0 && pid != call.process.pid &&
        !call.process.find_thread(static_cast<std::uint32_t>(pid)))
        return limits_of_other(call, resource, call.arg[2] ? &fresh : nullptr);
    if (!ResourceLimits::known(resource)) return -EINVAL;
    const rlimit old = call.process.limits.get(resource);
    if (call.arg[2])
        if (const std::int64_t error = set_limit(call, resource, fresh)) return error;
    return call.arg[3] ? call.put_result(call.arg[3], old) : 0;
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{75, "setrlimit", {Resource, RlimitIn}, sys_setrlimit},
    SyscallRow{76, "getrlimit", {Resource, RlimitOut}, sys_getrlimit},
    SyscallRow{191, "ugetrlimit", {Resource, RlimitOut}, sys_getrlimit},
    SyscallRow{375, "prlimit64", {Int, Resource, RlimitIn, RlimitOut}, sys_prlimit},
};

}  // namespace

std::span<const SyscallRow> limit_rows() { return kRows; }

bool within_limits(const Process::Impl& process, const MemoryGrowth& growth) {
    const rlim_t most = process.limits.soft(RLIMIT_AS);
    const rlim_t most_data = process.limits.soft(RLIMIT_DATA);
    if (most == RLIM_INFINITY && most_data == RLIM_INFINITY) return true;
    // The stack is mapped as a whole; on Linux it is as large as it was used so far.
    constexpr std::uint64_t kUsedStack = 132 * 1024;
    std::uint64_t all = growth.bytes, data = growth.data ? growth.bytes : 0;
    for (const Region& r : process.memory->regions()) {
        const std::uint64_t begin = std::max(r.begin, growth.replaced_begin);
        const std::uint64_t end = std::min(r.end, growth.replaced_end);
        const bool stack = r.name == "[stack]";
        const std::uint64_t size = stack ? std::min(r.end - r.begin, kUsedStack)
                                         : r.end - r.begin - (begin < end ? end - begin : 0);
        all += size;
        if (!stack && !r.shared && (r.prot & kProtWrite)) data += size;
    }
    return all <= most && (!growth.data || data <= most_data);
}

}  // namespace e2k::guest
