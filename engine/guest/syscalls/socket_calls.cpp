// Sockets. Addresses, options and control messages are equal on both sides; descriptors inside
// them are not.
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <csignal>
#include <cstring>
#include <system_error>
#include <thread>
#include <vector>

#include "engine/guest/syscalls/rules.h"
#include "engine/guest/syscalls/socket_options.h"

namespace e2k::guest {
namespace {

constexpr std::size_t kMaxAddress = sizeof(sockaddr_storage);
constexpr std::size_t kMaxControl = 1 << 16;
constexpr std::uint64_t kMaxTransfer = 1 << 30;

std::uint64_t u(int value) { return static_cast<std::uint64_t>(static_cast<std::int64_t>(value)); }
template <class T>
std::uint64_t raw(T* pointer) {
    return reinterpret_cast<std::uint64_t>(pointer);
}

/// An address coming in, as long as the guest says: the host checks the length of each family.
struct Address {
    std::array<std::uint8_t, kMaxAddress> bytes{};
    socklen_t length = 0;

    /// The name of a local socket that is relative to the working directory.
    bool relative() const {
        sa_family_t family = AF_UNSPEC;
        std::memcpy(&family, bytes.data(), sizeof family);
        const std::uint8_t first = bytes[offsetof(sockaddr_un, sun_path)];
        return length > offsetof(sockaddr_un, sun_path) && family == AF_UNIX && first != 0 &&
               first != '/';
    }
};
tl::expected<Address, int> address_in(const Call& call, std::uint64_t at, std::uint64_t length) {
    Address address;
    if (static_cast<std::uint32_t>(length) > kMaxAddress) return tl::unexpected(EINVAL);
    address.length = static_cast<socklen_t>(length);
    if (!call.memory().read(at, address.bytes.data(), address.length))
        return tl::unexpected(EFAULT);
    return address;
}

/// Issues a call with `address` among its arguments. A relative name goes to the host as it is, or
/// its length would change and its peers would see another: a thread of its own makes the call, in
/// the guest's directory.
template <class F>
std::int64_t with_name(const Call& call, const Address& address, F&& work) {
    if (!address.relative()) return work();
    std::int64_t result = 0;
    try {
        std::thread([&] {
            result = unshare(CLONE_FS) == 0 && fchdir(call.process.cwd) == 0 ? work() : -errno;
        }).join();
    } catch (const std::system_error&) {
        return -EAGAIN;  // no more threads
    }
    return result;
}

/// An address going out: at most *length_at bytes, and *length_at tells the true length.
std::int64_t address_out(const Call& call, std::uint64_t at, std::uint64_t length_at,
                         const sockaddr_storage& address, socklen_t length) {
    if (at == 0) return 0;
    std::int32_t room = 0;
    if (!call.get(length_at, room)) return -EFAULT;
    if (room < 0) return -EINVAL;
    const auto copied =
        std::min<std::size_t>({static_cast<std::size_t>(room), length, kMaxAddress});
    if (!call.memory().write(at, &address, copied)) return -EFAULT;
    return call.put_result(length_at, static_cast<std::uint32_t>(length));
}

/// The host's answer to EPIPE includes a signal, which the workbench ignores for itself.
std::int64_t sent(Call& call, std::int64_t result, std::uint64_t flags) {
    if (result == -EPIPE && !(flags & MSG_NOSIGNAL))
        call.process.post_to(call.thread, SiginfoE2k::kernel(SIGPIPE));
    return result;
}

std::int64_t sys_socket(Call& call) {
    return adopt_fd(call, Call::host(SYS_socket, call.arg[0], call.arg[1], call.arg[2]));
}

std::int64_t sys_socketpair(Call& call) {
    std::array<int, 2> host{};
    if (socketpair(call.integer(0), call.integer(1), call.integer(2), host.data()) != 0)
        return -errno;
    FdTable& fds = call.process.fds;
    const auto a = fds.add(host[0]), b = fds.add(host[1]);
    if (a && b && call.put(call.arg[3], std::array<std::int32_t, 2>{*a, *b})) return 0;
    const std::int64_t error = a && b ? -EFAULT : -EMFILE;
    if (a) fds.close(*a);
    if (b) fds.close(*b);
    return error;
}

std::int64_t with_address(Call& call, long number) {
    if (call.fd(0) < 0) return -EBADF;
    const auto address = address_in(call, call.arg[1], call.arg[2]);
    if (!address) return -address.error();
    return with_name(call, *address, [&] {
        return call.blocking(number, u(call.fd(0)), raw(address->bytes.data()), address->length);
    });
}
std::int64_t sys_connect(Call& call) { return with_address(call, SYS_connect); }
std::int64_t sys_bind(Call& call) { return with_address(call, SYS_bind); }
std::int64_t sys_listen(Call& call) { return Call::host(SYS_listen, u(call.fd(0)), call.arg[1]); }
std::int64_t sys_shutdown(Call& call) {
    return Call::host(SYS_shutdown, u(call.fd(0)), call.arg[1]);
}

std::int64_t accept_with(Call& call, std::uint64_t flags) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    const std::int64_t host =
        call.blocking(SYS_accept4, u(call.fd(0)), raw(&address), raw(&length), flags);
    if (host < 0) return host;
    if (const auto error = address_out(call, call.arg[1], call.arg[2], address, length)) {
        close(static_cast<int>(host));
        return error;
    }
    return adopt_fd(call, host);
}
std::int64_t sys_accept(Call& call) { return accept_with(call, 0); }
std::int64_t sys_accept4(Call& call) { return accept_with(call, call.arg[3]); }

std::int64_t name_with(Call& call, long number) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    const std::int64_t result = Call::host(number, u(call.fd(0)), raw(&address), raw(&length));
    return result < 0 ? result : address_out(call, call.arg[1], call.arg[2], address, length);
}
std::int64_t sys_getsockname(Call& call) { return name_with(call, SYS_getsockname); }
std::int64_t sys_getpeername(Call& call) { return name_with(call, SYS_getpeername); }

std::int64_t sys_sendto(Call& call) {
    const std::uint64_t length = std::min(call.arg[2], kMaxTransfer);
    const auto address = address_in(call, call.arg[4], call.arg[4] ? call.arg[5] : 0);
    if (!address) return -address.error();
    return sent(call,
                with_name(call, *address,
                          [&] {
                              return call.blocking(
                                  SYS_sendto, u(call.fd(0)), call.pointer(call.arg[1], length),
                                  length, call.arg[3] | MSG_NOSIGNAL,
                                  call.arg[4] ? raw(address->bytes.data()) : 0, address->length);
                          }),
                call.arg[3]);
}

std::int64_t sys_recvfrom(Call& call) {
    const std::uint64_t length = std::min(call.arg[2], kMaxTransfer);
    sockaddr_storage address{};
    socklen_t address_length = sizeof address;
    const std::int64_t n =
        call.blocking(SYS_recvfrom, u(call.fd(0)), call.pointer(call.arg[1], length), length,
                      call.arg[3], raw(&address), raw(&address_length));
    if (n < 0) return n;
    call.memory().note_write(call.arg[1], std::min(static_cast<std::uint64_t>(n), length));
    const auto error = address_out(call, call.arg[4], call.arg[5], address, address_length);
    return error ? error : n;
}

// --- messages ---

constexpr int kScmPidfd = 4;  // SCM_PIDFD, only received

/// Changes the descriptors of control messages with `translate(fd)`.
template <class F>
void translate_rights(msghdr& message, F&& translate) {
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != SOL_SOCKET ||
            (c->cmsg_type != SCM_RIGHTS && c->cmsg_type != kScmPidfd))
            continue;
        if (c->cmsg_len < CMSG_LEN(0)) return;
        const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            unsigned char* at = CMSG_DATA(c) + i * sizeof fd;
            if (at + sizeof fd >
                static_cast<unsigned char*>(message.msg_control) + message.msg_controllen)
                return;
            std::memcpy(&fd, at, sizeof fd);
            fd = translate(fd);
            std::memcpy(at, &fd, sizeof fd);
        }
    }
}

/// A guest msghdr with everything it points to.
struct Message {
    msghdr guest{};
    msghdr host{};
    Address name;
    std::vector<iovec> parts;
    std::vector<std::uint64_t> control;  // aligned for cmsghdr
};
std::int64_t read_message(const Call& call, std::uint64_t at, bool sending, Message& m) {
    if (!call.get(at, m.guest)) return -EFAULT;
    const std::uint32_t name_length = m.guest.msg_name ? m.guest.msg_namelen : 0;
    if (static_cast<std::int32_t>(name_length) < 0) return -EINVAL;
    if (m.guest.msg_controllen > kMaxControl) return -ENOBUFS;
    if (m.guest.msg_iovlen > IOV_MAX) return -EMSGSIZE;
    auto parts = guest_iovec(call, raw(m.guest.msg_iov), m.guest.msg_iovlen);
    if (!parts) return -parts.error();
    m.parts = std::move(*parts);
    m.host.msg_iov = m.parts.data();
    m.host.msg_iovlen = m.parts.size();
    m.control.resize((m.guest.msg_controllen + 7) / 8);
    m.host.msg_control = m.control.data();
    m.host.msg_controllen = sending || m.guest.msg_control ? m.guest.msg_controllen : 0;
    if (sending) {
        auto name = address_in(call, raw(m.guest.msg_name),
                               std::min<std::uint32_t>(name_length, kMaxAddress));
        if (!name) return -name.error();
        m.name = *name;
        m.host.msg_namelen = m.name.length;
        if (!call.memory().read(raw(m.guest.msg_control), m.control.data(), m.host.msg_controllen))
            return -EFAULT;
    } else {
        m.host.msg_namelen = m.guest.msg_name ? kMaxAddress : 0;
    }
    m.host.msg_name = m.host.msg_namelen ? m.name.bytes.data() : nullptr;
    return 0;
}

/// In the sandbox a message has neither a name, which leads to others, nor descriptors: it is sent
/// as one buffer, by the call whose arguments show that (see the second wall).
std::int64_t send_plain(Call& call, std::uint64_t at, std::uint64_t flags) {
    constexpr std::uint64_t kMost = 4 << 20;  // more than any socket takes at once
    msghdr message{};
    if (!call.get(at, message)) return -EFAULT;
    if (message.msg_name && message.msg_namelen) return -EACCES;
    if (message.msg_control && message.msg_controllen) return -EPERM;
    if (message.msg_iovlen > IOV_MAX) return -EMSGSIZE;
    std::vector<std::uint8_t> bytes;
    for (std::uint64_t i = 0; i < message.msg_iovlen; ++i) {
        iovec part{};
        if (!call.get(raw(message.msg_iov) + i * sizeof part, part)) return -EFAULT;
        const std::size_t before = bytes.size();
        const auto size = std::min<std::uint64_t>(part.iov_len, kMost - before);
        bytes.resize(before + size);
        if (!call.memory().read(raw(part.iov_base), bytes.data() + before, size)) return -EFAULT;
    }
    return sent(call,
                call.blocking(SYS_sendto, u(call.fd(0)), raw(bytes.data()), bytes.size(),
                              flags | MSG_NOSIGNAL, 0, 0),
                flags);
}

/// Levels whose messages might hold addresses of the sender's memory are refused.
bool plain_control(msghdr& message) {
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
        if (!plain_control_level(c->cmsg_level)) return false;
    return true;
}

std::int64_t send_message(Call& call, std::uint64_t at, std::uint64_t flags) {
    if (call.process.sandbox()) return send_plain(call, at, flags);
    Message m;
    if (const auto error = read_message(call, at, true, m)) return error;
    if (!plain_control(m.host)) return -EINVAL;
    translate_rights(m.host, [&](int fd) { return call.process.fds.host(fd); });
    return sent(call,
                with_name(call, m.name,
                          [&] {
                              return call.blocking(SYS_sendmsg, u(call.fd(0)), raw(&m.host),
                                                   flags | MSG_NOSIGNAL);
                          }),
                flags);
}

std::int64_t receive_message(Call& call, std::uint64_t at, std::uint64_t flags) {
    Message m;
    if (const auto error = read_message(call, at, false, m)) return error;
    const std::int64_t n = call.blocking(SYS_recvmsg, u(call.fd(0)), raw(&m.host), flags);
    if (n < 0) return n;
    note_iovec(call, m.parts, n);
    translate_rights(m.host, [&](int fd) {
        const auto guest = call.process.fds.add(fd);
        return guest ? *guest : -1;
    });
    if (m.guest.msg_name) {
        const auto copied = std::min<std::size_t>(m.guest.msg_namelen, m.host.msg_namelen);
        if (!call.memory().write(raw(m.guest.msg_name), m.name.bytes.data(), copied))
            return -EFAULT;
        m.guest.msg_namelen = m.host.msg_namelen;
    }
    if (!call.memory().write(raw(m.guest.msg_control), m.control.data(), m.host.msg_controllen))
        return -EFAULT;
    m.guest.msg_controllen = m.host.msg_controllen;
    m.guest.msg_flags = m.host.msg_flags;
    return call.put(at, m.guest) ? n : -EFAULT;
}

std::int64_t sys_sendmsg(Call& call) { return send_message(call, call.arg[1], call.arg[2]); }
std::int64_t sys_recvmsg(Call& call) { return receive_message(call, call.arg[1], call.arg[2]); }

/// `end` is asked after each message, as Linux does: true stops.
template <class F>
std::int64_t many_messages(Call& call, bool sending, F&& end) {
    const std::uint64_t count =
        std::min<std::uint64_t>(static_cast<std::uint32_t>(call.arg[2]), IOV_MAX);
    std::uint64_t flags = call.arg[3] & ~std::uint64_t{MSG_WAITFORONE};
    std::uint64_t done = 0;
    while (done < count) {
        const std::uint64_t at = call.arg[1] + done * sizeof(mmsghdr);
        std::int64_t n = sending ? send_message(call, at, flags) : receive_message(call, at, flags);
        if (n >= 0 && !call.put(at + offsetof(mmsghdr, msg_len), static_cast<std::uint32_t>(n)))
            n = -EFAULT;
        if (n < 0) return done ? static_cast<std::int64_t>(done) : n;
        ++done;
        if (end()) break;
        if (call.arg[3] & MSG_WAITFORONE) flags |= MSG_DONTWAIT;
    }
    return static_cast<std::int64_t>(done);
}
std::int64_t sys_sendmmsg(Call& call) {
    return many_messages(call, true, [] { return false; });
}
std::int64_t sys_recvmmsg(Call& call) {
    if (call.arg[4] == 0) return many_messages(call, false, [] { return false; });
    timespec time{};
    if (!call.get(call.arg[4], time)) return -EFAULT;
    if (time.tv_sec < 0 || time.tv_nsec < 0 || time.tv_nsec > 999'999'999) return -EINVAL;
    static_cast<void>(call.remaining(time));  // counts from here
    const std::int64_t result = many_messages(call, false, [&] {
        const timespec left = call.remaining(time);
        return left.tv_sec == 0 && left.tv_nsec == 0;
    });
    return result > 0 && !call.put(call.arg[4], call.remaining(time)) ? -EFAULT : result;
}

/// socketcall (102): the older C library's single entry; arguments are 64-bit words in memory.
struct SocketCall {
    std::uint16_t number;  ///< the call of its own that does the same
    std::uint8_t words;
};
constexpr SocketCall kSocketCalls[] = {
    {0, 0},   {403, 3}, {410, 3}, {404, 3}, {411, 2}, {405, 3}, {412, 3},
    {413, 3}, {414, 4}, {406, 4}, {407, 4}, {406, 6}, {407, 6}, {393, 2},
    {415, 5}, {416, 5}, {408, 3}, {409, 3}, {286, 4}, {349, 5}, {378, 4},
};
std::int64_t sys_socketcall(Call& call) {
    const std::uint64_t which = static_cast<std::uint32_t>(call.arg[0]);
    if (which == 0 || which >= std::size(kSocketCalls)) return -EINVAL;
    Call inner = call;
    inner.number = kSocketCalls[which].number;
    inner.arg = {};  // send and recv are sendto and recvfrom without an address
    if (!call.memory().read(call.arg[1], inner.arg.data(), 8u * kSocketCalls[which].words))
        return -EFAULT;
    return perform(*find_syscall(inner.number), inner);
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{102, "socketcall", {Int, Ptr}, sys_socketcall},
    SyscallRow{286, "accept4", {Fd, Ptr, Ptr, SocketType}, sys_accept4},
    SyscallRow{349, "recvmmsg", {Fd, Ptr, UInt, Hex, Ptr}, sys_recvmmsg},
    SyscallRow{378, "sendmmsg", {Fd, Ptr, UInt, Hex}, sys_sendmmsg},
    SyscallRow{393, "shutdown", {Fd, Int}, sys_shutdown},
    SyscallRow{403, "socket", {SocketDomain, SocketType, Int}, sys_socket},
    SyscallRow{404, "connect", {Fd, SockaddrIn, Int}, sys_connect},
    SyscallRow{405, "accept", {Fd, Ptr, Ptr}, sys_accept},
    SyscallRow{406, "sendto", {Fd, InBuffer, Size, Hex, SockaddrIn, Int}, sys_sendto},
    SyscallRow{407, "recvfrom", {Fd, OutBuffer, Size, Hex, Ptr, Ptr}, sys_recvfrom},
    SyscallRow{408, "sendmsg", {Fd, Ptr, Hex}, sys_sendmsg},
    SyscallRow{409, "recvmsg", {Fd, Ptr, Hex}, sys_recvmsg},
    SyscallRow{410, "bind", {Fd, SockaddrIn, Int}, sys_bind},
    SyscallRow{411, "listen", {Fd, Int}, sys_listen},
    SyscallRow{412, "getsockname", {Fd, Ptr, Ptr}, sys_getsockname},
    SyscallRow{413, "getpeername", {Fd, Ptr, Ptr}, sys_getpeername},
    SyscallRow{414, "socketpair", {SocketDomain, SocketType, Int, FdPairOut}, sys_socketpair},
    SyscallRow{415, "setsockopt", {Fd, Int, Int, Ptr, Int}, set_socket_option},
    SyscallRow{416, "getsockopt", {Fd, Int, Int, Ptr, Ptr}, get_socket_option},
};

}  // namespace

std::span<const SyscallRow> socket_rows() { return kRows; }

}  // namespace e2k::guest
