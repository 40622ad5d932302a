// Memory policies of machines with several nodes. A host without them is one node.
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

constexpr std::uint64_t kMaskBytes = 4096;  // longest set of nodes the kernel takes
constexpr std::uint64_t kByNode = 1, kOfAddress = 2, kAllowedNodes = 4;  // MPOL_F_*
constexpr std::uint64_t kModes = 7, kModeFlags = 0xe000;

/// A set of nodes: `bits` counts one more than there are, as the kernel's calls do.
using NodeSet = std::vector<std::uint64_t>;

tl::expected<NodeSet, int> nodes_in(const Call& call, std::uint64_t at, std::uint64_t bits) {
    if (at == 0 || bits <= 1) return NodeSet{};
    if (bits - 1 > kMaskBytes * 8) return tl::unexpected(EINVAL);
    NodeSet set((bits - 1 + 63) / 64);
    if (!call.memory().read(at, set.data(), set.size() * 8)) return tl::unexpected(EFAULT);
    return set;
}

/// A host pointer to the set, null if it is empty, and the count that belongs to it.
std::uint64_t pointer_to(const NodeSet& set) { return set.empty() ? 0 : word(set.data()); }

/// What a kernel with one node answers to a policy: node 0 is all that may be named.
std::int64_t one_node_policy(std::uint64_t mode, const NodeSet& set) {
    if ((mode & ~kModeFlags) >= kModes) return -EINVAL;
    for (std::size_t i = 0; i < set.size(); ++i)
        if (set[i] & ~std::uint64_t{i == 0 ? 1u : 0u}) return -EINVAL;
    return 0;
}

/// [at, at+length) as the host's address, if the guest has mapped all of it.
tl::expected<std::uint64_t, int> mapped(const Call& call, std::uint64_t at, std::uint64_t length) {
    if (at % cpu::kPageSize) return tl::unexpected(EINVAL);
    if (length > cpu::kAddressEnd) return tl::unexpected(EINVAL);
    const std::uint64_t end = at + length;
    for (std::uint64_t next = at; next < end;) {
        const auto region = call.memory().region_at(next);
        if (!region) return tl::unexpected(EFAULT);
        next = region->end;
    }
    const std::uint8_t* host = call.memory().host(at, length);
    if (!host) return tl::unexpected(EFAULT);
    return word(host);
}

std::int64_t sys_mbind(Call& call) {
    const auto set = nodes_in(call, call.arg[3], call.arg[4]);
    if (!set) return -set.error();
    const auto at = mapped(call, call.arg[0], call.arg[1]);
    if (!at) return -at.error();
    const std::int64_t result = Call::host(SYS_mbind, *at, call.arg[1], call.arg[2],
                                           pointer_to(*set), call.arg[4], call.arg[5]);
    return result == -ENOSYS ? one_node_policy(call.arg[2], *set) : result;
}

std::int64_t sys_set_mempolicy(Call& call) {
    const auto set = nodes_in(call, call.arg[1], call.arg[2]);
    if (!set) return -set.error();
    const std::int64_t result =
        Call::host(SYS_set_mempolicy, call.arg[0], pointer_to(*set), call.arg[2]);
    return result == -ENOSYS ? one_node_policy(call.arg[0], *set) : result;
}

std::int64_t sys_get_mempolicy(Call& call) {
    const std::uint64_t bits = call.arg[2], flags = call.arg[4];
    const std::uint64_t bytes = call.arg[1] && bits > 1 ? (bits - 1 + 63) / 64 * 8 : 0;
    if (bytes > kMaskBytes) return -EINVAL;
    if (flags & ~(kByNode | kOfAddress | kAllowedNodes)) return -EINVAL;
    std::uint64_t at = 0;
    if (flags & kOfAddress) {
        if (!call.memory().region_at(call.arg[3])) return -EFAULT;
        at = word(call.memory().host(call.arg[3], 1));
    } else if (call.arg[3]) {
        return -EINVAL;
    }
    std::int32_t mode = 0;
    NodeSet set(bytes / 8);
    std::int64_t result = Call::host(SYS_get_mempolicy, call.arg[0] ? word(&mode) : 0,
                                     call.arg[1] ? pointer_to(set) : 0, bits, at, flags);
    if (result == -ENOSYS) {
        result = 0;
        if ((flags & kAllowedNodes) && !set.empty()) set[0] = 1;
    }
    if (result < 0) return result;
    if (call.arg[0] && !call.put(call.arg[0], mode)) return -EFAULT;
    return call.memory().write(call.arg[1], set.data(), bytes) ? result : -EFAULT;
}

std::int64_t sys_migrate_pages(Call& call) {
    const auto from = nodes_in(call, call.arg[2], call.arg[1]);
    if (!from) return -from.error();
    const auto to = nodes_in(call, call.arg[3], call.arg[1]);
    if (!to) return -to.error();
    const int pid = call.integer(0);
    if (pid != 0 && pid != call.process.pid) return -EPERM;
    const std::int64_t result =
        Call::host(SYS_migrate_pages, 0, call.arg[1], pointer_to(*from), pointer_to(*to));
    return result == -ENOSYS ? 0 : result;
}

/// Nodes of `count` pages from `first` on, or their move.
std::int64_t move_some_pages(Call& call, std::uint64_t first, std::uint64_t count) {
    std::vector<std::uint64_t> pages(count);
    std::vector<std::int32_t> nodes(count), status(count);
    if (!call.memory().read(call.arg[2] + 8 * first, pages.data(), count * 8)) return -EFAULT;
    if (call.arg[3] && !call.memory().read(call.arg[3] + 4 * first, nodes.data(), count * 4))
        return -EFAULT;
    for (std::size_t i = 0; i < count; ++i) {
        status[i] = call.memory().region_at(pages[i]) ? 0 : -EFAULT;
        pages[i] = call.pointer(pages[i], 1);
    }
    const std::vector<std::int32_t> on_one_node = status;
    std::int64_t result =
        Call::host(SYS_move_pages, 0, count, word(pages.data()),
                   call.arg[3] ? word(nodes.data()) : 0, word(status.data()), call.arg[5]);
    if (result == -ENOSYS) {
        result = std::ranges::all_of(nodes, [](std::int32_t n) { return n == 0; }) ? 0 : -ENODEV;
        status = on_one_node;
    }
    if (result < 0) return result;
    return call.memory().write(call.arg[4] + 4 * first, status.data(), count * 4) ? result
                                                                                  : -EFAULT;
}

std::int64_t sys_move_pages(Call& call) {
    constexpr std::uint64_t kAtOnce = 1024, kMove = 2, kMoveAll = 4;
    if (call.arg[5] & 0xffff'ffff & ~(kMove | kMoveAll)) return -EINVAL;
    if (call.arg[5] & kMoveAll) return -EPERM;
    const int pid = call.integer(0);
    if (pid != 0 && pid != call.process.pid) return -EPERM;
    if (call.arg[1] > cpu::kGuestSpace) return -E2BIG;
    std::int64_t result = 0;
    for (std::uint64_t done = 0; done < call.arg[1] && result >= 0; done += kAtOnce) {
        const std::int64_t part =
            move_some_pages(call, done, std::min(kAtOnce, call.arg[1] - done));
        result = part < 0 ? part : result + part;
    }
    return result;
}

std::int64_t sys_set_home_node(Call& call) {
    const auto at = mapped(call, call.arg[0], call.arg[1]);
    if (!at) return -at.error();
    const std::int64_t result =
        Call::host(450 /* set_mempolicy_home_node */, *at, call.arg[1], call.arg[2], call.arg[3]);
    if (result != -ENOSYS) return result;
    return call.arg[2] == 0 && call.arg[3] == 0 ? 0 : -EINVAL;
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{312, "mbind", {Ptr, Size, Int, Ptr, Size, Hex}, sys_mbind},
    SyscallRow{313, "get_mempolicy", {WordOut, Ptr, Size, Ptr, Hex}, sys_get_mempolicy},
    SyscallRow{314, "set_mempolicy", {Int, Ptr, Size}, sys_set_mempolicy},
    SyscallRow{328, "move_pages", {Int, Size, Ptr, Ptr, Ptr, Hex}, sys_move_pages},
    SyscallRow{332, "migrate_pages", {Int, Size, Ptr, Ptr}, sys_migrate_pages},
    SyscallRow{444, "set_mempolicy_home_node", {Ptr, Size, Size, Hex}, sys_set_home_node},
};

}  // namespace

std::span<const SyscallRow> numa_rows() { return kRows; }

}  // namespace e2k::guest
