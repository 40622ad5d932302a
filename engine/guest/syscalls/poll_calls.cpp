// Waiting for many descriptors: poll, select, epoll, and descriptors that are events.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <climits>
#include <vector>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

constexpr int kNoSuchFd = INT_MAX;  // the host answers POLLNVAL
constexpr std::uint64_t kSetSize = 8;

std::optional<timespec> from_milliseconds(int timeout) {
    if (timeout < 0) return std::nullopt;
    return timespec{timeout / 1000, timeout % 1000 * 1'000'000L};
}

/// Waits on host descriptors; the relative timeout keeps its end over re-issues.
std::int64_t wait_on(Call& call, std::vector<pollfd>& fds, const std::optional<timespec>& timeout) {
    const auto issue = [&](const timespec* left) {
        return call.waiting(SYS_ppoll, reinterpret_cast<std::uint64_t>(fds.data()), fds.size(),
                            reinterpret_cast<std::uint64_t>(left), 0, 0);
    };
    if (!timeout) return issue(nullptr);
    return call.wait_for(call.remaining(*timeout), 0, [&](timespec left) { return issue(&left); });
}

std::int64_t poll_guest(Call& call, const std::optional<timespec>& timeout) {
    const std::uint64_t count = static_cast<std::uint32_t>(call.arg[1]);
    if (count > static_cast<unsigned>(call.process.fds.limit())) return -EINVAL;
    std::vector<pollfd> fds(count);
    if (!call.memory().read(call.arg[0], fds.data(), count * sizeof(pollfd))) return -EFAULT;
    std::vector<pollfd> host = fds;
    for (pollfd& one : host) {
        if (one.fd < 0) continue;
        one.fd = call.process.fds.host(one.fd);
        if (one.fd < 0) one.fd = kNoSuchFd;
    }
    const std::int64_t result = wait_on(call, host, timeout);
    if (result < 0) return result;
    for (std::size_t i = 0; i < count; ++i) fds[i].revents = host[i].revents;
    return call.memory().write(call.arg[0], fds.data(), count * sizeof(pollfd)) ? result : -EFAULT;
}

std::int64_t sys_poll(Call& call) { return poll_guest(call, from_milliseconds(call.integer(2))); }

bool read_timeout(Call& call, std::uint64_t at, std::optional<timespec>& timeout,
                  std::int64_t& error) {
    if (at == 0) return true;
    timespec time{};
    error = -EFAULT;
    if (!call.get(at, time)) return false;
    error = -EINVAL;
    if (time.tv_sec < 0 || time.tv_nsec < 0 || time.tv_nsec > 999'999'999) return false;
    timeout = time;
    return true;
}

std::int64_t sys_ppoll(Call& call) {
    std::optional<timespec> timeout;
    std::int64_t error = 0;
    if (!read_timeout(call, call.arg[2], timeout, error)) return error;
    if (call.arg[3] == 0) return poll_guest(call, timeout);
    std::uint64_t set = 0;
    if (call.arg[4] != kSetSize) return -EINVAL;
    if (!call.get(call.arg[3], set)) return -EFAULT;
    const TemporaryMask mask(call, set);
    return mask.after(poll_guest(call, timeout));
}

// --- select on top of poll ---

constexpr short kReadEvents = POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR;
constexpr short kWriteEvents = POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR;
constexpr std::array<short, 3> kSetEvents{kReadEvents, kWriteEvents, POLLPRI};
constexpr std::array<short, 3> kAskEvents{POLLIN | POLLRDNORM | POLLRDBAND,
                                          POLLOUT | POLLWRNORM | POLLWRBAND, POLLPRI};

std::int64_t select_guest(Call& call, const std::optional<timespec>& timeout) {
    const int count = call.integer(0);
    if (count < 0) return -EINVAL;
    // Sets may be larger than the C library's; what lies behind the table is not looked at.
    const auto limit = static_cast<unsigned>(std::min(count, call.process.fds.capacity()));
    const std::size_t words = (limit + 63) / 64, bytes = words * 8;
    std::array<std::vector<std::uint64_t>, 3> sets;
    for (auto& set : sets) set.resize(words);
    for (std::size_t s = 0; s < 3; ++s)
        if (call.arg[s + 1] && !call.memory().read(call.arg[s + 1], sets[s].data(), bytes))
            return -EFAULT;
    auto member = [&](std::size_t s, unsigned fd) { return sets[s][fd / 64] >> (fd % 64) & 1; };
    std::vector<pollfd> host;
    std::vector<unsigned> numbers;
    for (unsigned fd = 0; fd < limit; ++fd) {
        short events = 0;
        for (std::size_t s = 0; s < 3; ++s)
            if (member(s, fd)) events = static_cast<short>(events | kAskEvents[s]);
        if (!events) continue;
        const int at = call.process.fds.host(static_cast<int>(fd));
        if (at < 0) return -EBADF;
        host.push_back({at, events, 0});
        numbers.push_back(fd);
    }
    const std::int64_t result = wait_on(call, host, timeout);
    if (result < 0) return result;
    decltype(sets) ready;
    for (auto& set : ready) set.resize(words);
    std::int64_t total = 0;
    for (std::size_t i = 0; i < host.size(); ++i)
        for (std::size_t s = 0; s < 3; ++s)
            if (member(s, numbers[i]) && (host[i].revents & kSetEvents[s])) {
                ready[s][numbers[i] / 64] |= 1ull << (numbers[i] % 64);
                ++total;
            }
    for (std::size_t s = 0; s < 3; ++s)
        if (call.arg[s + 1] && !call.memory().write(call.arg[s + 1], ready[s].data(), bytes))
            return -EFAULT;
    return total;
}

std::int64_t sys_select(Call& call) {
    if (call.arg[4] == 0) return select_guest(call, std::nullopt);
    timeval time{};
    if (!call.get(call.arg[4], time)) return -EFAULT;
    if (time.tv_sec < 0 || time.tv_usec < 0) return -EINVAL;
    const timespec timeout{time.tv_sec + time.tv_usec / 1'000'000, time.tv_usec % 1'000'000 * 1000};
    const std::int64_t result = select_guest(call, timeout);
    if (result >= 0) {
        const timespec left = call.remaining(timeout);
        if (!call.put(call.arg[4], timeval{left.tv_sec, left.tv_nsec / 1000})) return -EFAULT;
    }
    return result;
}

std::int64_t sys_pselect6(Call& call) {
    std::optional<timespec> timeout;
    std::int64_t error = 0;
    if (!read_timeout(call, call.arg[4], timeout, error)) return error;
    std::array<std::uint64_t, 2> pack{};  // address and size of the mask
    if (call.arg[5] && !call.get(call.arg[5], pack)) return -EFAULT;
    if (pack[0] == 0) return select_guest(call, timeout);
    std::uint64_t set = 0;
    if (pack[1] != kSetSize) return -EINVAL;
    if (!call.get(pack[0], set)) return -EFAULT;
    const TemporaryMask mask(call, set);
    return mask.after(select_guest(call, timeout));
}

// --- epoll ---

std::int64_t sys_epoll_create(Call& call) {
    if (call.number == 302)
        return call.integer(0) <= 0 ? -EINVAL : adopt_fd(call, Call::host(SYS_epoll_create1, 0));
    return adopt_fd(call, Call::host(SYS_epoll_create1, call.arg[0]));
}

std::int64_t sys_epoll_ctl(Call& call) {
    epoll_event host{};
    if (call.integer(1) != EPOLL_CTL_DEL) {
        EpollEventE2k guest;
        if (!call.get(call.arg[3], guest)) return -EFAULT;
        host.events = guest.events;
        host.data.u64 = guest.data;
    }
    return epoll_ctl(call.fd(0), call.integer(1), call.process.fds.host(call.integer(2)), &host) ==
                   0
               ? 0
               : -errno;
}

std::int64_t epoll_guest(Call& call, const std::optional<timespec>& timeout) {
    const int most = call.integer(2);
    if (most <= 0 || most > 65536) return -EINVAL;
    std::vector<epoll_event> host(static_cast<std::size_t>(most));
    // The host's epoll_wait counts milliseconds: wait by poll, which knows nanoseconds, then take.
    std::vector<pollfd> self{{call.fd(0), POLLIN, 0}};
    if (self[0].fd < 0) return -EBADF;
    const std::int64_t ready = wait_on(call, self, timeout);
    if (ready < 0) return ready;
    if (ready == 0) return 0;
    const int n = epoll_wait(self[0].fd, host.data(), most, 0);
    if (n < 0) return -errno;
    std::vector<EpollEventE2k> guest(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < guest.size(); ++i) {
        guest[i].events = host[i].events;
        guest[i].data = host[i].data.u64;
    }
    return call.memory().write(call.arg[1], guest.data(), guest.size() * sizeof(EpollEventE2k))
               ? n
               : -EFAULT;
}

std::int64_t sys_epoll_wait(Call& call) {
    return epoll_guest(call, from_milliseconds(call.integer(3)));
}

std::int64_t epoll_masked(Call& call, const std::optional<timespec>& timeout) {
    if (call.arg[4] == 0) return epoll_guest(call, timeout);
    std::uint64_t set = 0;
    if (call.arg[5] != kSetSize) return -EINVAL;
    if (!call.get(call.arg[4], set)) return -EFAULT;
    const TemporaryMask mask(call, set);
    return mask.after(epoll_guest(call, timeout));
}
std::int64_t sys_epoll_pwait(Call& call) {
    return epoll_masked(call, from_milliseconds(call.integer(3)));
}
std::int64_t sys_epoll_pwait2(Call& call) {
    std::optional<timespec> timeout;
    std::int64_t error = 0;
    return read_timeout(call, call.arg[3], timeout, error) ? epoll_masked(call, timeout) : error;
}

std::int64_t sys_eventfd2(Call& call) {
    return adopt_fd(call, Call::host(SYS_eventfd2, call.arg[0], call.arg[1]));
}
std::int64_t sys_inotify_init(Call& call) {
    return adopt_fd(call, Call::host(SYS_inotify_init1, call.number == 359 ? call.arg[0] : 0));
}
std::int64_t sys_inotify_add_watch(Call& call) {
    auto at = host_path(call, kAtFdCwd, call.arg[1], Touch::Look);
    if (!at) return -at.error();
    const std::string path = at->absolute();
    const int watch =
        inotify_add_watch(call.fd(0), path.c_str(), static_cast<std::uint32_t>(call.arg[2]));
    return watch < 0 ? -errno : watch;
}
std::int64_t sys_inotify_rm_watch(Call& call) {
    return Call::host(SYS_inotify_rm_watch, static_cast<std::uint64_t>(call.fd(0)), call.arg[1]);
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{142, "_newselect", {Int, Ptr, Ptr, Ptr, TimevalIn}, sys_select},
    SyscallRow{168, "poll", {PollFds, UInt, Int}, sys_poll},
    SyscallRow{291, "inotify_init", {}, sys_inotify_init},
    SyscallRow{292, "inotify_add_watch", {Fd, Path, Hex}, sys_inotify_add_watch},
    SyscallRow{293, "inotify_rm_watch", {Fd, Int}, sys_inotify_rm_watch},
    SyscallRow{302, "epoll_create", {Int}, sys_epoll_create},
    SyscallRow{303, "epoll_ctl", {Fd, EpollOp, Fd, Ptr}, sys_epoll_ctl},
    SyscallRow{304, "epoll_wait", {Fd, Ptr, Int, Int}, sys_epoll_wait},
    SyscallRow{346, "epoll_pwait", {Fd, Ptr, Int, Int, SignalSetIn, Size}, sys_epoll_pwait},
    SyscallRow{348, "eventfd2", {UInt, Hex}, sys_eventfd2},
    SyscallRow{359, "inotify_init1", {Hex}, sys_inotify_init},
    SyscallRow{360, "epoll_create1", {Hex}, sys_epoll_create},
    SyscallRow{367, "pselect6", {Int, Ptr, Ptr, Ptr, TimespecIn, Ptr}, sys_pselect6},
    SyscallRow{368, "ppoll", {PollFds, UInt, TimespecIn, SignalSetIn, Size}, sys_ppoll},
    SyscallRow{
        436, "epoll_pwait2", {Fd, Ptr, Int, TimespecIn, SignalSetIn, Size}, sys_epoll_pwait2},
};

}  // namespace

std::span<const SyscallRow> poll_rows() { return kRows; }

}  // namespace e2k::guest
