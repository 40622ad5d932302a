#include "engine/guest/syscalls/socket_options.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>

namespace e2k::guest {
namespace {

constexpr std::size_t kMaxOption = 4096;

enum Use : std::uint8_t { kGet = 1, kSet = 2, kBoth = 3 };
struct Option {
    int level, name;
    Use use;
};
constexpr Option socket_level(int name, Use use = kBoth) { return {SOL_SOCKET, name, use}; }
constexpr Option ip(int name, Use use = kBoth) { return {IPPROTO_IP, name, use}; }
constexpr Option ipv6(int name, Use use = kBoth) { return {IPPROTO_IPV6, name, use}; }
constexpr Option tcp(int name, Use use = kBoth) { return {IPPROTO_TCP, name, use}; }

/// Values that are numbers, times, names or addresses of the network.
constexpr std::array kOptions{
    socket_level(SO_DEBUG),
    socket_level(SO_REUSEADDR),
    socket_level(SO_TYPE, kGet),
    socket_level(SO_ERROR, kGet),
    socket_level(SO_DONTROUTE),
    socket_level(SO_BROADCAST),
    socket_level(SO_SNDBUF),
    socket_level(SO_RCVBUF),
    socket_level(SO_SNDBUFFORCE, kSet),
    socket_level(SO_RCVBUFFORCE, kSet),
    socket_level(SO_KEEPALIVE),
    socket_level(SO_OOBINLINE),
    socket_level(SO_NO_CHECK),
    socket_level(SO_PRIORITY),
    socket_level(SO_LINGER),
    socket_level(SO_REUSEPORT),
    socket_level(SO_PASSCRED),
    socket_level(SO_PEERCRED, kGet),
    socket_level(SO_RCVLOWAT),
    socket_level(SO_SNDLOWAT),
    socket_level(SO_RCVTIMEO),
    socket_level(SO_SNDTIMEO),
    socket_level(SO_BINDTODEVICE),
    socket_level(SO_DETACH_FILTER, kSet),
    socket_level(SO_PEERNAME, kGet),
    socket_level(SO_TIMESTAMP),
    socket_level(SO_ACCEPTCONN, kGet),
    socket_level(SO_PEERSEC, kGet),
    socket_level(SO_PASSSEC),
    socket_level(SO_TIMESTAMPNS),
    socket_level(SO_MARK),
    socket_level(SO_TIMESTAMPING),
    socket_level(SO_PROTOCOL, kGet),
    socket_level(SO_DOMAIN, kGet),
    socket_level(SO_RXQ_OVFL),
    socket_level(SO_PEEK_OFF),
    socket_level(SO_LOCK_FILTER),
    socket_level(SO_BUSY_POLL),
    socket_level(SO_MAX_PACING_RATE),
    socket_level(SO_INCOMING_CPU),
    socket_level(SO_COOKIE, kGet),
    socket_level(SO_MEMINFO, kGet),
    socket_level(SO_PEERGROUPS, kGet),
    ip(IP_TOS),
    ip(IP_TTL),
    ip(IP_HDRINCL),
    ip(IP_OPTIONS),
    ip(IP_RECVOPTS),
    ip(IP_RETOPTS),
    ip(IP_PKTINFO),
    ip(IP_MTU_DISCOVER),
    ip(IP_RECVERR),
    ip(IP_RECVTTL),
    ip(IP_RECVTOS),
    ip(IP_MTU, kGet),
    ip(IP_FREEBIND),
    ip(IP_TRANSPARENT),
    ip(IP_MULTICAST_IF),
    ip(IP_MULTICAST_TTL),
    ip(IP_MULTICAST_LOOP),
    ip(IP_ADD_MEMBERSHIP, kSet),
    ip(IP_DROP_MEMBERSHIP, kSet),
    ip(IP_ADD_SOURCE_MEMBERSHIP, kSet),
    ip(IP_DROP_SOURCE_MEMBERSHIP, kSet),
    ip(IP_BLOCK_SOURCE, kSet),
    ip(IP_UNBLOCK_SOURCE, kSet),
    ip(MCAST_JOIN_GROUP, kSet),
    ip(MCAST_LEAVE_GROUP, kSet),
    ip(MCAST_BLOCK_SOURCE, kSet),
    ip(MCAST_UNBLOCK_SOURCE, kSet),
    ip(MCAST_JOIN_SOURCE_GROUP, kSet),
    ip(MCAST_LEAVE_SOURCE_GROUP, kSet),
    ip(IP_MULTICAST_ALL),
    ip(IP_UNICAST_IF),
    ip(IP_BIND_ADDRESS_NO_PORT),
    ip(IP_MINTTL),
    ip(IP_RECVORIGDSTADDR),
    ipv6(IPV6_V6ONLY),
    ipv6(IPV6_UNICAST_HOPS),
    ipv6(IPV6_MULTICAST_IF),
    ipv6(IPV6_MULTICAST_HOPS),
    ipv6(IPV6_MULTICAST_LOOP),
    ipv6(IPV6_JOIN_GROUP, kSet),
    ipv6(IPV6_LEAVE_GROUP, kSet),
    ipv6(MCAST_JOIN_GROUP, kSet),
    ipv6(MCAST_LEAVE_GROUP, kSet),
    ipv6(MCAST_BLOCK_SOURCE, kSet),
    ipv6(MCAST_UNBLOCK_SOURCE, kSet),
    ipv6(MCAST_JOIN_SOURCE_GROUP, kSet),
    ipv6(MCAST_LEAVE_SOURCE_GROUP, kSet),
    ipv6(IPV6_MTU),
    ipv6(IPV6_MTU_DISCOVER),
    ipv6(IPV6_RECVERR),
    ipv6(IPV6_RECVPKTINFO),
    ipv6(IPV6_PKTINFO),
    ipv6(IPV6_RECVHOPLIMIT),
    ipv6(IPV6_RECVTCLASS),
    ipv6(IPV6_TCLASS),
    ipv6(IPV6_DONTFRAG),
    ipv6(IPV6_FREEBIND),
    ipv6(IPV6_UNICAST_IF),
    ipv6(IPV6_MULTICAST_ALL),
    ipv6(IPV6_ADDR_PREFERENCES),
    ipv6(IPV6_AUTOFLOWLABEL),
    ipv6(IPV6_TRANSPARENT),
    tcp(TCP_NODELAY),
    tcp(TCP_MAXSEG),
    tcp(TCP_CORK),
    tcp(TCP_KEEPIDLE),
    tcp(TCP_KEEPINTVL),
    tcp(TCP_KEEPCNT),
    tcp(TCP_SYNCNT),
    tcp(TCP_LINGER2),
    tcp(TCP_DEFER_ACCEPT),
    tcp(TCP_WINDOW_CLAMP),
    tcp(TCP_INFO, kGet),
    tcp(TCP_QUICKACK),
    tcp(TCP_CONGESTION),
    tcp(TCP_USER_TIMEOUT),
    tcp(TCP_FASTOPEN),
    tcp(TCP_FASTOPEN_CONNECT),
    tcp(TCP_NOTSENT_LOWAT),
    tcp(TCP_SAVE_SYN),
    tcp(TCP_TIMESTAMP),
    Option{IPPROTO_UDP, UDP_CORK, kBoth},
    Option{IPPROTO_UDP, UDP_SEGMENT, kBoth},
    Option{IPPROTO_UDP, UDP_GRO, kBoth},
};

bool known(const Call& call, Use use) {
    return std::ranges::any_of(kOptions, [&](const Option& option) {
        return option.level == call.integer(1) && option.name == call.integer(2) &&
               (option.use & use);
    });
}

template <class T>
std::uint64_t raw(T* pointer) {
    return reinterpret_cast<std::uint64_t>(pointer);
}

/// A filter program lies behind a pointer: the host gets a copy of it.
std::int64_t attach_filter(Call& call) {
    struct {
        std::uint16_t length = 0;
        std::array<std::uint8_t, 6> unused{};
        std::uint64_t program = 0;
    } guest;
    static_assert(sizeof guest == sizeof(sock_fprog));
    if (static_cast<std::uint32_t>(call.arg[4]) != sizeof guest) return -EINVAL;
    if (!call.get(call.arg[3], guest)) return -EFAULT;
    if (guest.length == 0 || guest.length > BPF_MAXINSNS) return -EINVAL;
    std::vector<sock_filter> program(guest.length);
    if (!call.memory().read(guest.program, program.data(), program.size() * sizeof(sock_filter)))
        return -EFAULT;
    const sock_fprog host{guest.length, program.data()};
    return Call::host(SYS_setsockopt, static_cast<std::uint64_t>(call.fd(0)), call.arg[1],
                      call.arg[2], raw(&host), sizeof host);
}

}  // namespace

std::int64_t set_socket_option(Call& call) {
    if (call.integer(1) == SOL_SOCKET &&
        (call.integer(2) == SO_ATTACH_FILTER || call.integer(2) == SO_ATTACH_REUSEPORT_CBPF))
        return attach_filter(call);
    if (call.fd(0) < 0) return -EBADF;
    if (!known(call, kSet)) return -ENOPROTOOPT;
    const std::uint64_t length = static_cast<std::uint32_t>(call.arg[4]);
    if (length > kMaxOption) return -EINVAL;
    std::vector<std::uint8_t> value(length);
    if (!call.memory().read(call.arg[3], value.data(), length)) return -EFAULT;
    return Call::host(SYS_setsockopt, static_cast<std::uint64_t>(call.fd(0)), call.arg[1],
                      call.arg[2], raw(value.data()), length);
}

std::int64_t get_socket_option(Call& call) {
    if (call.fd(0) < 0) return -EBADF;
    if (!known(call, kGet)) return -ENOPROTOOPT;
    std::uint32_t length = 0;
    if (!call.get(call.arg[4], length)) return -EFAULT;
    if (static_cast<std::int32_t>(length) < 0) return -EINVAL;
    length = std::min<std::uint32_t>(length, kMaxOption);
    std::vector<std::uint8_t> value(kMaxOption);
    const std::int64_t result =
        Call::host(SYS_getsockopt, static_cast<std::uint64_t>(call.fd(0)), call.arg[1], call.arg[2],
                   raw(value.data()), raw(&length));
    if (result < 0) return result;
    if (!call.memory().write(call.arg[3], value.data(),
                             std::min<std::size_t>(length, value.size())))
        return -EFAULT;
    return call.put_result(call.arg[4], length);
}

bool plain_control_level(int level) {
    return level == SOL_SOCKET || level == IPPROTO_IP || level == IPPROTO_IPV6 ||
           level == IPPROTO_UDP;
}

}  // namespace e2k::guest
