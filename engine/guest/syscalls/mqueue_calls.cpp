// POSIX message queues. A queue is a descriptor like any other; mq_attr is equal on both sides.
#include <fcntl.h>
#include <sys/syscall.h>

#include <climits>
#include <csignal>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

struct QueueAttributes {
    std::array<std::int64_t, 8> words{};  ///< flags, most messages, size of one, messages now
};
static_assert(sizeof(QueueAttributes) == 64);

tl::expected<std::string, int> queue_name(const Call& call) {
    auto name = call.memory().read_string(call.arg[0], PATH_MAX);
    if (!name) return tl::unexpected(EFAULT);
    if (name->size() >= PATH_MAX) return tl::unexpected(ENAMETOOLONG);
    // Queues have one name space for all processes of the host.
    if (call.process.options.policy.sandbox) return tl::unexpected(EACCES);
    return std::move(*name);
}

std::int64_t sys_mq_open(Call& call) {
    const auto name = queue_name(call);
    if (!name) return -name.error();
    QueueAttributes attributes;
    const bool given = (call.arg[1] & O_CREAT) && call.arg[3];
    if (given && !call.get(call.arg[3], attributes)) return -EFAULT;
    return adopt_fd(call, Call::host(SYS_mq_open, word(name->c_str()), call.arg[1], call.arg[2],
                                     given ? word(&attributes) : 0));
}

std::int64_t sys_mq_unlink(Call& call) {
    const auto name = queue_name(call);
    return name ? Call::host(SYS_mq_unlink, word(name->c_str())) : -name.error();
}

/// The absolute time at which a wait ends; none at address 0.
std::int64_t read_end(const Call& call, std::uint64_t at, timespec& end) {
    return at && !call.get(at, end) ? -EFAULT : 0;
}

/// `issue` takes the address of the absolute time at which the host ends the wait.
template <class Issue>
std::int64_t wait_until(Call& call, const timespec& end, Issue issue) {
    if (!call.arg[4]) return issue(0);
    if (!call.process.clock->is_virtual()) return issue(word(&end));
    return call.wait_for(call.until(CLOCK_REALTIME, end), -ETIMEDOUT, [&](const timespec& left) {
        const timespec host = Call::host_end(CLOCK_REALTIME, left);
        return issue(word(&host));
    });
}

std::int64_t sys_mq_timedsend(Call& call) {
    timespec end{};
    if (const auto error = read_end(call, call.arg[4], end)) return error;
    return wait_until(call, end, [&](std::uint64_t until) {
        return call.blocking(SYS_mq_timedsend, word(call.fd(0)),
                             call.pointer(call.arg[1], call.arg[2]), call.arg[2], call.arg[3],
                             until);
    });
}

std::int64_t sys_mq_timedreceive(Call& call) {
    timespec end{};
    if (const auto error = read_end(call, call.arg[4], end)) return error;
    std::uint32_t priority = 0;
    // The host writes no more than a message of the queue, however long the buffer is.
    const std::uint64_t room = std::min<std::uint64_t>(call.arg[2], INT_MAX);
    const std::int64_t n = wait_until(call, end, [&](std::uint64_t until) {
        return call.blocking(SYS_mq_timedreceive, word(call.fd(0)), call.pointer(call.arg[1], room),
                             room, call.arg[3] ? word(&priority) : 0, until);
    });
    if (n < 0) return n;
    call.memory().note_write(call.arg[1], static_cast<std::uint64_t>(n));
    return call.arg[3] && !call.put(call.arg[3], priority) ? -EFAULT : n;
}

constexpr std::size_t kCookie = 32;  // NOTIFY_COOKIE_LEN

/// sigevent; the C library's SIGEV_THREAD names a netlink socket and 32 bytes to send over it.
struct Notification {
    std::uint64_t value = 0;
    std::int32_t signal = 0, notify = 0;
    std::array<std::uint8_t, 48> rest{};
};
static_assert(sizeof(Notification) == 64);

std::int64_t sys_mq_notify(Call& call) {
    if (call.arg[1] == 0) return Call::host(SYS_mq_notify, word(call.fd(0)), 0);
    Notification event;
    std::array<std::uint8_t, kCookie> cookie{};
    if (!call.get(call.arg[1], event)) return -EFAULT;
    switch (event.notify) {
        case SIGEV_NONE:
            break;
        case SIGEV_SIGNAL:
            if (event.signal < 1 || event.signal > kSignals) return -EINVAL;
            if (call.process.window && is_windows_own(event.signal)) return -EPERM;
            // The host's signal is passed on to the guest, whatever it does with it.
            call.process.watch_signal(event.signal);
            break;
        case SIGEV_THREAD:
            if (!call.get(event.value, cookie)) return -EFAULT;
            event.value = word(cookie.data());
            event.signal = call.process.fds.host(event.signal);
            if (event.signal < 0) return -EBADF;
            break;
        default:
            return -EINVAL;
    }
    return Call::host(SYS_mq_notify, word(call.fd(0)), word(&event));
}

std::int64_t sys_mq_getsetattr(Call& call) {
    QueueAttributes fresh, old;
    if (call.arg[1] && !call.get(call.arg[1], fresh)) return -EFAULT;
    const std::int64_t result =
        Call::host(SYS_mq_getsetattr, word(call.fd(0)), call.arg[1] ? word(&fresh) : 0, word(&old));
    if (result < 0 || call.arg[2] == 0) return result;
    return call.put_result(call.arg[2], old);
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{315, "mq_open", {Text, OpenFlags, Mode, Ptr}, sys_mq_open},
    SyscallRow{316, "mq_unlink", {Text}, sys_mq_unlink},
    SyscallRow{317, "mq_timedsend", {Fd, InBuffer, Size, UInt, TimespecIn}, sys_mq_timedsend},
    SyscallRow{
        318, "mq_timedreceive", {Fd, OutBuffer, Size, WordOut, TimespecIn}, sys_mq_timedreceive},
    SyscallRow{319, "mq_notify", {Fd, Ptr}, sys_mq_notify},
    SyscallRow{320, "mq_getsetattr", {Fd, Ptr, Ptr}, sys_mq_getsetattr},
};

}  // namespace

std::span<const SyscallRow> mqueue_rows() { return kRows; }

}  // namespace e2k::guest
