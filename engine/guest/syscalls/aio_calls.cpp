// Asynchronous input and output: io_submit does the work before it returns, which Linux allows.
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <csignal>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

constexpr std::uint64_t kMaxEvents = 0x10000;  // as /proc/sys/fs/aio-max-nr

/// struct iocb; equal on both sides.
struct ControlBlock {
    std::uint64_t data = 0;
    std::uint32_t key = 0, rw_flags = 0;
    std::uint16_t opcode = 0;
    std::int16_t priority = 0;
    std::uint32_t fd = 0;
    std::uint64_t buffer = 0, bytes = 0;
    std::int64_t offset = 0;
    std::uint64_t reserved = 0;
    std::uint32_t flags = 0, event_fd = 0;
};
static_assert(sizeof(ControlBlock) == 64);

enum Opcode : std::uint16_t {
    kRead = 0,
    kWrite = 1,
    kFsync = 2,
    kFdsync = 3,
    kPoll = 5,
    kNothing = 6,
    kReadVector = 7,
    kWriteVector = 8
};
constexpr std::uint32_t kFlagEventFd = 1;

std::shared_ptr<AioContext> find(const Call& call, std::uint64_t id) {
    AioContexts& contexts = call.process.aio;
    std::lock_guard lock(contexts.mutex);
    if (contexts.owner != call.process.pid) return nullptr;
    const auto at = contexts.all.find(id);
    return at == contexts.all.end() ? nullptr : at->second;
}

std::int64_t sys_io_setup(Call& call) {
    std::uint64_t id = 0;
    if (!call.get(call.arg[1], id)) return -EFAULT;
    const auto count = static_cast<std::uint32_t>(call.arg[0]);
    if (id != 0 || count == 0) return -EINVAL;
    if (count > kMaxEvents) return -EAGAIN;
    auto context = std::make_shared<AioContext>();
    context->limit = count;
    context->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (context->ready < 0) return -EAGAIN;
    const auto page =
        call.memory().map(0, cpu::kPageSize, kProtRead, false, false, -1, 0, "/[aio]");
    if (!page) return -page.error();
    if (!call.put(call.arg[1], *page)) {
        static_cast<void>(call.memory().unmap(*page, cpu::kPageSize));
        return -EFAULT;
    }
    AioContexts& contexts = call.process.aio;
    std::lock_guard lock(contexts.mutex);
    if (contexts.owner != call.process.pid) contexts.all.clear();
    contexts.owner = call.process.pid;
    contexts.all[*page] = std::move(context);
    return 0;
}

std::int64_t sys_io_destroy(Call& call) {
    if (!find(call, call.arg[0])) return -EINVAL;
    AioContexts& contexts = call.process.aio;
    std::lock_guard lock(contexts.mutex);
    contexts.all.erase(call.arg[0]);
    static_cast<void>(call.memory().unmap(call.arg[0], cpu::kPageSize));
    return 0;
}

// --- submission ---

std::int64_t transfer(Call& call, const ControlBlock& block, int host) {
    const bool writes = block.opcode == kWrite || block.opcode == kWriteVector;
    std::vector<iovec> parts;
    if (block.opcode == kRead || block.opcode == kWrite) {
        if (block.bytes > SSIZE_MAX) return -EINVAL;
        const std::uint64_t length = std::min<std::uint64_t>(block.bytes, 0x7fff'f000);
        parts.push_back({reinterpret_cast<void*>(call.pointer(block.buffer, length)), length});
    } else {
        auto vector = guest_iovec(call, block.buffer, block.bytes);
        if (!vector) return -vector.error();
        parts = std::move(*vector);
    }
    std::int64_t n =
        call.blocking(writes ? SYS_pwritev2 : SYS_preadv2, word(host), word(parts.data()),
                      parts.size(), word(block.offset), 0, block.rw_flags);
    if (n == -ESPIPE)  // pipes, sockets: the offset means nothing
        n = call.blocking(writes ? SYS_writev : SYS_readv, word(host), word(parts.data()),
                          parts.size());
    if (!writes) note_iovec(call, parts, n);
    if (n == -EPIPE) call.process.post_to(call.thread, SiginfoE2k::kernel(SIGPIPE));
    return n;
}

/// The result of the operation itself; `refused` tells that the block makes no sense at all.
std::int64_t perform(Call& call, const ControlBlock& block, int host, bool& refused) {
    refused = false;
    switch (block.opcode) {
        case kRead:
        case kWrite:
        case kReadVector:
        case kWriteVector:
            return transfer(call, block, host);
        case kFsync:
        case kFdsync:
            return call.blocking(block.opcode == kFsync ? SYS_fsync : SYS_fdatasync, word(host));
        case kPoll: {
            pollfd one{host, static_cast<short>(block.buffer), 0};
            const std::int64_t n = call.blocking(SYS_poll, word(&one), 1, word(-1));
            return n < 0 ? n : one.revents;
        }
        default:
            refused = true;
            return -EINVAL;
    }
}

std::int64_t submit_one(Call& call, AioContext& context, std::uint64_t at) {
    ControlBlock block;
    if (!call.get(at, block)) return -EFAULT;
    if (block.reserved || block.bytes > SSIZE_MAX) return -EINVAL;
    {
        std::lock_guard lock(call.process.aio.mutex);
        if (context.done.size() >= context.limit) return -EAGAIN;
    }
    const int host = call.process.fds.host(static_cast<int>(block.fd));
    if (host < 0) return -EBADF;
    int event_fd = -1;
    if (block.flags & kFlagEventFd) {
        event_fd = call.process.fds.host(static_cast<int>(block.event_fd));
        if (event_fd < 0) return -EBADF;
        std::array<char, 64> name{};
        const std::string link = "/proc/self/fd/" + std::to_string(event_fd);
        const ssize_t n = readlink(link.c_str(), name.data(), name.size() - 1);
        if (n < 0 || std::string_view(name.data()) != "anon_inode:[eventfd]") return -EINVAL;
    }
    if (!call.put(at + offsetof(ControlBlock, key), std::uint32_t{0})) return -EFAULT;
    bool refused = false;
    const std::int64_t result = perform(call, block, host, refused);
    if (refused || result == kRestart) return result;
    {
        std::lock_guard lock(call.process.aio.mutex);
        context.done.push_back({block.data, at, result, 0});
        const std::uint64_t one = 1;
        static_cast<void>(!write(context.ready, &one, sizeof one));
    }
    if (event_fd >= 0) eventfd_write(event_fd, 1);
    return 0;
}

std::int64_t sys_io_submit(Call& call) {
    const auto count = static_cast<std::int64_t>(call.arg[1]);
    if (count < 0) return -EINVAL;
    const auto context = find(call, call.arg[0]);
    if (!context) return -EINVAL;
    std::int64_t done = 0;
    for (; done < count; ++done) {
        std::uint64_t at = 0;
        std::int64_t error = -EFAULT;
        if (call.get(call.arg[2] + 8 * static_cast<std::uint64_t>(done), at))
            error = submit_one(call, *context, at);
        if (error) return done ? done : error;
    }
    return done;
}

std::int64_t sys_io_cancel(Call& call) {
    std::uint32_t key = 0;
    if (!call.get(call.arg[1] + offsetof(ControlBlock, key), key)) return -EFAULT;
    return -EINVAL;  // nothing is ever in progress
}

// --- results ---

/// Moves up to `most` results to guest memory, from the `stored`th place on; how many, or an error.
std::int64_t take_events(Call& call, AioContext& context, std::int64_t stored, std::int64_t most) {
    std::lock_guard lock(call.process.aio.mutex);
    std::int64_t taken = 0;
    while (stored + taken < most && !context.done.empty()) {
        const std::uint64_t at =
            call.arg[3] + sizeof(AioEvent) * static_cast<std::uint64_t>(stored + taken);
        if (!call.put(at, context.done.front())) return -EFAULT;
        context.done.pop_front();
        ++taken;
    }
    std::uint64_t count = 0;
    if (context.done.empty()) static_cast<void>(!read(context.ready, &count, sizeof count));
    return taken;
}

std::int64_t get_events(Call& call) {
    const auto least = static_cast<std::int64_t>(call.arg[1]);
    const auto most = static_cast<std::int64_t>(call.arg[2]);
    timespec time{};
    if (call.arg[4] && !call.get(call.arg[4], time)) return -EFAULT;
    if (call.arg[4] && (time.tv_sec < 0 || time.tv_nsec < 0 || time.tv_nsec > 999'999'999))
        return -EINVAL;
    const auto context = find(call, call.arg[0]);
    if (!context || least < 0 || most < least) return -EINVAL;
    for (std::int64_t stored = 0;;) {
        const std::int64_t n = take_events(call, *context, stored, most);
        if (n < 0) return stored ? stored : n;
        stored += n;
        if (stored >= least) return stored;
        timespec left{};
        if (call.arg[4]) {
            left = call.remaining(time);
            if (left.tv_sec == 0 && left.tv_nsec == 0) return stored;
        }
        pollfd wait{context->ready, POLLIN, 0};
        const std::int64_t result =
            call.arg[4] ? call.wait_for(left, 0,
                                        [&](timespec part) {
                                            return call.waiting(SYS_ppoll, word(&wait), 1,
                                                                word(&part), 0, 0);
                                        })
                        : call.waiting(SYS_ppoll, word(&wait), 1, 0, 0, 0);
        if (result < 0) return stored ? stored : result;
    }
}

/// {address of a signal mask, its size}, as of pselect6.
std::int64_t sys_io_pgetevents(Call& call) {
    std::array<std::uint64_t, 2> pack{};
    if (call.arg[5] && !call.get(call.arg[5], pack)) return -EFAULT;
    if (pack[0] == 0) return get_events(call);
    std::uint64_t set = 0;
    if (pack[1] != sizeof set) return -EINVAL;
    if (!call.get(pack[0], set)) return -EFAULT;
    const TemporaryMask mask(call, set);
    return mask.after(get_events(call));
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{285, "io_pgetevents", {Hex, Long, Long, Ptr, TimespecIn, Ptr}, sys_io_pgetevents},
    SyscallRow{294, "io_setup", {UInt, Ptr}, sys_io_setup},
    SyscallRow{295, "io_destroy", {Hex}, sys_io_destroy},
    SyscallRow{296, "io_getevents", {Hex, Long, Long, Ptr, TimespecIn}, get_events},
    SyscallRow{297, "io_submit", {Hex, Long, Ptr}, sys_io_submit},
    SyscallRow{298, "io_cancel", {Hex, Ptr, Ptr}, sys_io_cancel},
};

}  // namespace

AioContext::~AioContext() {
    if (ready >= 0) close(ready);
}

std::span<const SyscallRow> aio_rows() { return kRows; }

}  // namespace e2k::guest
