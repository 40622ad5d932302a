// signalfd4: signals read from a descriptor.
#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

constexpr std::uint64_t kUnblockable = signal_bit(SIGKILL) | signal_bit(SIGSTOP);

std::optional<DescriptorIdentity> identity_of(int host) {
    struct stat st {};
    if (host < 0 || fstat(host, &st) != 0 || !S_ISFIFO(st.st_mode)) return std::nullopt;
    return DescriptorIdentity{st.st_dev, st.st_ino};
}

signalfd_siginfo to_descriptor(const SiginfoE2k& info) {
    signalfd_siginfo to{};
    to.ssi_signo = static_cast<std::uint32_t>(info.signo);
    to.ssi_errno = info.error;
    to.ssi_code = info.code;
    const bool kernel = info.code > 0;
    if (info.signo == SIGCHLD && kernel) {
        to.ssi_pid = static_cast<std::uint32_t>(info.u.child.pid);
        to.ssi_uid = static_cast<std::uint32_t>(info.u.child.uid);
        to.ssi_status = info.u.child.status;
        to.ssi_utime = static_cast<std::uint64_t>(info.u.child.utime);
        to.ssi_stime = static_cast<std::uint64_t>(info.u.child.stime);
    } else if (info.signo == SIGIO && kernel) {
        to.ssi_band = static_cast<std::uint32_t>(info.u.poll.band);
        to.ssi_fd = info.u.poll.fd;
    } else if (info.code == SI_TIMER) {
        to.ssi_tid = static_cast<std::uint32_t>(info.u.timer.id);
        to.ssi_overrun = static_cast<std::uint32_t>(info.u.timer.overrun);
        to.ssi_ptr = info.u.timer.value;
        to.ssi_int = static_cast<std::int32_t>(info.u.timer.value);
    } else if (!kernel) {
        to.ssi_pid = static_cast<std::uint32_t>(info.u.sender.pid);
        to.ssi_uid = static_cast<std::uint32_t>(info.u.sender.uid);
        to.ssi_ptr = info.u.sender.value;
        to.ssi_int = static_cast<std::int32_t>(info.u.sender.value);
    }
    return to;
}

void close_ends(const SignalDescriptor& d) {
    if (d.reader >= 0) close(d.reader);
    if (d.writer >= 0) close(d.writer);
}

/// Descriptors of which the guest has closed all copies.
void drop_unused(Process::Impl& p) {
    std::vector<DescriptorIdentity> used;
    for (const int guest : p.fds.open_numbers())
        if (auto identity = identity_of(p.fds.host(guest))) used.push_back(*identity);
    std::lock_guard lock(p.signal_mutex);
    std::erase_if(p.signal_descriptors, [&](const auto& entry) {
        if (std::ranges::find(used, entry.first) != used.end()) return false;
        close_ends(entry.second);
        return true;
    });
}

/// A new pipe whose readable end is for the guest: {the guest's end, what is kept}, or an errno.
tl::expected<std::pair<int, SignalDescriptor>, int> make_pipe(std::uint64_t mask, int flags) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return tl::unexpected(errno);
    SignalDescriptor d{mask, ends[1], fcntl(ends[0], F_DUPFD_CLOEXEC, 0), false};
    // Both reading ends are one open file; the workbench itself never reads where nothing is.
    if (d.reader < 0 || fcntl(ends[0], F_SETFL, flags & SFD_NONBLOCK) != 0) {
        const int error = errno;
        close(ends[0]);
        close_ends(d);
        return tl::unexpected(error);
    }
    if (!(flags & SFD_CLOEXEC)) fcntl(ends[0], F_SETFD, 0);
    return std::pair{ends[0], d};
}

/// Reads what is pending into [address, address + length); the number of bytes.
std::int64_t take_signals(Call& call, std::uint64_t mask, std::uint64_t address,
                          std::uint64_t length) {
    constexpr std::uint64_t kRecord = sizeof(signalfd_siginfo);
    std::uint64_t done = 0;
    while (length - done >= kRecord) {
        const auto info = call.process.take_signal(call.thread, mask);
        if (!info) break;
        if (!call.put(address + done, to_descriptor(*info)))
            return done ? static_cast<std::int64_t>(done) : -EFAULT;
        done += kRecord;
    }
    return static_cast<std::int64_t>(done);
}

}  // namespace

std::int64_t sys_signalfd4(Call& call) {
    Process::Impl& p = call.process;
    const int fd = call.integer(0), flags = call.integer(3);
    std::uint64_t mask = 0;
    if (call.arg[2] != sizeof mask || (flags & ~(SFD_CLOEXEC | SFD_NONBLOCK))) return -EINVAL;
    if (!call.get(call.arg[1], mask)) return -EFAULT;
    mask &= ~kUnblockable;
    if (fd != -1) {
        if (p.fds.host(fd) < 0) return -EBADF;
        const auto identity = identity_of(p.fds.host(fd));
        std::lock_guard lock(p.signal_mutex);
        const auto found =
            identity ? p.signal_descriptors.find(*identity) : p.signal_descriptors.end();
        if (found == p.signal_descriptors.end()) return -EINVAL;
        found->second.mask = mask;
        p.descriptors_follow();
        return fd;
    }
    drop_unused(p);
    auto made = make_pipe(mask, flags);
    if (!made) return -made.error();
    const auto identity = identity_of(made->first);
    if (!identity) return -ENODEV;
    {
        std::lock_guard lock(p.signal_mutex);
        p.signal_descriptors[*identity] = made->second;
        p.has_signal_descriptors = true;
        p.fetch_pending();
        p.descriptors_follow();
    }
    return adopt_fd(call, made->first);
}

std::optional<std::int64_t> read_signal_descriptor(Call& call, int fd, std::uint64_t address,
                                                   std::uint64_t length) {
    Process::Impl& p = call.process;
    if (!p.has_signal_descriptors) return std::nullopt;
    const int host = p.fds.host(fd);
    const auto identity = identity_of(host);
    if (!identity) return std::nullopt;
    for (;;) {
        std::uint64_t mask = 0;
        {
            std::lock_guard lock(p.signal_mutex);
            const auto found = p.signal_descriptors.find(*identity);
            if (found == p.signal_descriptors.end()) return std::nullopt;
            mask = found->second.mask;
        }
        if (length < sizeof(signalfd_siginfo)) return -EINVAL;
        if (const std::int64_t n = take_signals(call, mask, address, length)) return n;
        if (fcntl(host, F_GETFL) & O_NONBLOCK) return -EAGAIN;
        pollfd wanted{host, POLLIN, 0};
        const std::int64_t result =
            call.blocking(SYS_ppoll, reinterpret_cast<std::uint64_t>(&wanted), 1, 0, 0, 0);
        if (result < 0) return result;
    }
}

void Process::Impl::descriptors_follow() {
    if (signal_descriptors.empty()) return;
    std::uint64_t set = 0;
    for (const SiginfoE2k& info : pending) set |= signal_bit(info.signo);
    wakers.fetch_add(1);
    for (auto& slot : wake_list)
        if (Thread::SignalState* thread = slot.load())
            for (const SiginfoE2k& info : thread->pending) set |= signal_bit(info.signo);
    wakers.fetch_sub(1);
    for (auto& [identity, d] : signal_descriptors) {
        const bool ready = (set & d.mask) != 0;
        if (ready == d.ready) continue;
        char byte = 0;
        const ssize_t done = ready ? ::write(d.writer, &byte, 1) : ::read(d.reader, &byte, 1);
        if (done == 1) d.ready = ready;
    }
}

void Process::Impl::renew_signal_descriptors() {
    auto old = std::exchange(signal_descriptors, {});
    for (auto& [identity, d] : old) {
        int guest_end = -1;
        for (const int guest : fds.open_numbers()) {
            const int host = fds.host(guest);
            if (identity_of(host) != identity) continue;
            if (guest_end < 0) {
                auto made = make_pipe(d.mask, (fcntl(host, F_GETFL) & O_NONBLOCK) | SFD_CLOEXEC);
                if (!made) break;
                guest_end = made->first;
                signal_descriptors[*identity_of(guest_end)] = made->second;
            }
            dup3(guest_end, host, (fcntl(host, F_GETFD) & FD_CLOEXEC) ? O_CLOEXEC : 0);
        }
        if (guest_end >= 0) close(guest_end);
        close_ends(d);
    }
}

}  // namespace e2k::guest
