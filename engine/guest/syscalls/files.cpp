// Descriptors and the bytes behind them.
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <csignal>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

constexpr std::uint64_t kMaxTransfer = 0x7fff'f000;  // as the kernel's MAX_RW_COUNT

/// Broken pipes: the workbench ignores SIGPIPE, the guest must not miss it.
std::int64_t with_sigpipe(Call& call, std::int64_t result) {
    if (result == -EPIPE) call.process.post_to(call.thread, SiginfoE2k::kernel(SIGPIPE));
    return result;
}

/// The guest's buffer for the kernel; the length is cut at the end of the guest's space.
std::uint64_t clamp_length(const Call& call, std::uint64_t address, std::uint64_t length) {
    length = std::min(length, kMaxTransfer);
    const std::uint64_t reach = call.memory().reach(address);
    return reach != 0 ? std::min(length, reach) : length;
}

std::int64_t read_with(Call& call, long number, std::uint64_t extra = 0) {
    const std::uint64_t length = clamp_length(call, call.arg[1], call.arg[2]);
    const std::int64_t n = call.blocking(number, static_cast<std::uint64_t>(call.fd(0)),
                                         call.pointer(call.arg[1], length), length, extra);
    if (n > 0) call.memory().note_write(call.arg[1], static_cast<std::uint64_t>(n));
    return n;
}

std::int64_t sys_read(Call& call) {
    if (auto n = read_signal_descriptor(call, call.integer(0), call.arg[1], call.arg[2])) return *n;
    if (auto n = use_memory_file(call, {call.arg[1], call.arg[2]})) return *n;
    return read_with(call, SYS_read);
}
std::int64_t sys_pread(Call& call) {
    const auto at = static_cast<std::int64_t>(call.arg[3]);
    if (auto n = use_memory_file(call, {call.arg[1], call.arg[2], false, at})) return *n;
    return read_with(call, SYS_pread64, call.arg[3]);
}

/// Output to a window goes straight to its callback, so that both streams keep their order.
std::optional<std::int64_t> write_to_window(Call& call, std::uint64_t address,
                                            std::uint64_t length) {
    if (!call.process.pump || call.process.forked) return std::nullopt;
    const int stream = call.process.fds.stream(call.integer(0));
    if (stream < 0) return std::nullopt;
    std::string text(std::min<std::uint64_t>(length, 1 << 20), '\0');
    if (!call.memory().read(address, text.data(), text.size())) return -EFAULT;
    call.process.pump->write(stream, text);
    return static_cast<std::int64_t>(text.size());
}

}  // namespace

std::int64_t write_from_host(Call& call, int fd, std::string_view bytes) {
    if (call.process.pump && !call.process.forked) {
        const int stream = call.process.fds.stream(fd);
        if (stream >= 0) {
            call.process.pump->write(stream, bytes);
            return static_cast<std::int64_t>(bytes.size());
        }
    }
    return with_sigpipe(call, call.blocking(SYS_write, word(call.process.fds.host(fd)),
                                            word(bytes.data()), bytes.size()));
}

std::int64_t read_to_host(Call& call, int fd, void* to, std::size_t size) {
    return call.blocking(SYS_read, word(call.process.fds.host(fd)), word(to), size);
}

namespace {

std::int64_t sys_write(Call& call) {
    const std::uint64_t length = clamp_length(call, call.arg[1], call.arg[2]);
    if (auto done = write_to_window(call, call.arg[1], length)) return *done;
    if (auto done = use_memory_file(call, {call.arg[1], call.arg[2], true})) return *done;
    return with_sigpipe(call, call.blocking(SYS_write, static_cast<std::uint64_t>(call.fd(0)),
                                            call.pointer(call.arg[1], length), length));
}

std::int64_t sys_pwrite(Call& call) {
    const auto at = static_cast<std::int64_t>(call.arg[3]);
    if (auto done = use_memory_file(call, {call.arg[1], call.arg[2], true, at})) return *done;
    const std::uint64_t length = clamp_length(call, call.arg[1], call.arg[2]);
    return call.blocking(SYS_pwrite64, static_cast<std::uint64_t>(call.fd(0)),
                         call.pointer(call.arg[1], length), length, call.arg[3]);
}

std::int64_t vector_with(Call& call, long number, bool fills) {
    auto vector = guest_iovec(call, call.arg[1], call.arg[2]);
    if (!vector) return -vector.error();
    if (fills && !vector->empty() && call.process.has_signal_descriptors) {
        // Of several parts the first gets what there is.
        const iovec& part = vector->front();
        if (auto n = read_signal_descriptor(call, call.integer(0),
                                            call.memory().guest(part.iov_base), part.iov_len))
            return *n;
    }
    // At the current position, as writev does.
    const bool second = number == SYS_preadv2 || number == SYS_pwritev2;
    const bool plain =
        number == SYS_readv || number == SYS_writev || (second && word(-1) == call.arg[3]);
    if (!vector->empty()) {  // as above
        const iovec& part = vector->front();
        MemoryFileUse use{call.memory().guest(part.iov_base), part.iov_len, !fills};
        if (!plain) use.position = static_cast<std::int64_t>(call.arg[3]);
        if (auto n = use_memory_file(call, use)) return *n;
    }
    if (plain && !fills && call.process.pump && !call.process.forked &&
        call.process.fds.stream(call.integer(0)) >= 0) {
        std::int64_t total = 0;
        for (const iovec& part : *vector) {
            const std::uint64_t at = call.memory().guest(part.iov_base);
            const auto done = write_to_window(call, at, part.iov_len);
            if (*done < 0) return total ? total : *done;
            total += *done;
        }
        return total;
    }
    const std::int64_t n = call.blocking(number, static_cast<std::uint64_t>(call.fd(0)),
                                         reinterpret_cast<std::uint64_t>(vector->data()),
                                         vector->size(), call.arg[3], 0, call.arg[5]);
    if (fills) note_iovec(call, *vector, n);
    return fills ? n : with_sigpipe(call, n);
}

std::int64_t sys_readv(Call& call) { return vector_with(call, SYS_readv, true); }
std::int64_t sys_writev(Call& call) { return vector_with(call, SYS_writev, false); }
std::int64_t sys_preadv(Call& call) { return vector_with(call, SYS_preadv, true); }
std::int64_t sys_pwritev(Call& call) { return vector_with(call, SYS_pwritev, false); }

std::int64_t sys_preadv2(Call& call) { return vector_with(call, SYS_preadv2, true); }
std::int64_t sys_pwritev2(Call& call) { return vector_with(call, SYS_pwritev2, false); }

/// Between guest memory and a pipe, in the direction of the pipe's end.
std::int64_t sys_vmsplice(Call& call) {
    const auto vector = guest_iovec(call, call.arg[1], call.arg[2]);
    if (!vector) return -vector.error();
    const std::int64_t n =
        call.blocking(SYS_vmsplice, word(call.fd(0)), word(vector->data()), vector->size(),
                      call.arg[3] & ~std::uint64_t{SPLICE_F_GIFT});
    note_iovec(call, *vector, n);
    return with_sigpipe(call, n);
}

std::int64_t sys_open(Call& call) {
    return open_file(call, kAtFdCwd, call.arg[0], call.arg[1], call.arg[2]);
}
std::int64_t sys_openat(Call& call) {
    return open_file(call, call.integer(0), call.arg[1], call.arg[2], call.arg[3]);
}
std::int64_t sys_creat(Call& call) {
    return open_file(call, kAtFdCwd, call.arg[0], O_CREAT | O_WRONLY | O_TRUNC, call.arg[1]);
}
std::int64_t sys_lseek(Call& call) {
    return Call::host(SYS_lseek, static_cast<std::uint64_t>(call.fd(0)), call.arg[1], call.arg[2]);
}

std::int64_t sys_llseek(Call& call) {
    const std::int64_t at =
        Call::host(SYS_lseek, static_cast<std::uint64_t>(call.fd(0)),
                   call.arg[1] << 32 | (call.arg[2] & 0xffff'ffff), call.arg[4]);
    return at < 0 ? at : call.put_result(call.arg[3], at);
}

std::int64_t sys_fsync(Call& call) {
    return call.blocking(SYS_fsync, static_cast<std::uint64_t>(call.fd(0)));
}
std::int64_t sys_fdatasync(Call& call) {
    return call.blocking(SYS_fdatasync, static_cast<std::uint64_t>(call.fd(0)));
}
std::int64_t sys_sync(Call&) { return Call::host(SYS_sync); }
std::int64_t sys_syncfs(Call& call) {
    return Call::host(SYS_syncfs, static_cast<std::uint64_t>(call.fd(0)));
}

std::int64_t sys_ftruncate(Call& call) {
    const std::int64_t result =
        Call::host(SYS_ftruncate, static_cast<std::uint64_t>(call.fd(0)), call.arg[1]);
    if (result == 0) call.memory().refresh_file_pages();
    return result;
}

std::int64_t sys_fallocate(Call& call) {
    const std::int64_t result = Call::host(SYS_fallocate, static_cast<std::uint64_t>(call.fd(0)),
                                           call.arg[1], call.arg[2], call.arg[3]);
    if (result == 0) call.memory().refresh_file_pages();
    return result;
}

std::int64_t sys_fadvise(Call& call) {
    return Call::host(SYS_fadvise64, static_cast<std::uint64_t>(call.fd(0)), call.arg[1],
                      call.arg[2], call.arg[3]);
}
std::int64_t sys_sync_file_range(Call& call) {
    return call.blocking(SYS_sync_file_range, word(call.fd(0)), call.arg[1], call.arg[2],
                         call.arg[3]);
}
std::int64_t sys_readahead(Call& call) {
    return Call::host(SYS_readahead, static_cast<std::uint64_t>(call.fd(0)), call.arg[1],
                      call.arg[2]);
}
std::int64_t sys_flock(Call& call) {
    return call.blocking(SYS_flock, static_cast<std::uint64_t>(call.fd(0)), call.arg[1]);
}

/// A copy between descriptors with an optional offset in guest memory.
std::int64_t sys_sendfile(Call& call) {
    std::int64_t offset = 0;
    const bool has_offset = call.arg[2] != 0;
    if (has_offset && !call.get(call.arg[2], offset)) return -EFAULT;
    const std::int64_t n =
        call.blocking(SYS_sendfile, static_cast<std::uint64_t>(call.fd(0)),
                      static_cast<std::uint64_t>(call.fd(1)),
                      has_offset ? reinterpret_cast<std::uint64_t>(&offset) : 0, call.arg[3]);
    if (n >= 0 && has_offset && !call.put(call.arg[2], offset)) return -EFAULT;
    return with_sigpipe(call, n);
}

std::int64_t copy_between(Call& call, long number) {
    std::array<std::int64_t, 2> offsets{};
    std::array<std::uint64_t, 2> pointers{};
    for (std::size_t i = 0; i < 2; ++i) {
        const std::uint64_t at = call.arg[i == 0 ? 1 : 3];
        if (at == 0) continue;
        if (!call.get(at, offsets[i])) return -EFAULT;
        pointers[i] = reinterpret_cast<std::uint64_t>(&offsets[i]);
    }
    const std::int64_t n = call.blocking(number, static_cast<std::uint64_t>(call.fd(0)),
                                         pointers[0], static_cast<std::uint64_t>(call.fd(2)),
                                         pointers[1], call.arg[4], call.arg[5]);
    for (std::size_t i = 0; i < 2 && n >= 0; ++i)
        if (pointers[i] && !call.put(call.arg[i == 0 ? 1 : 3], offsets[i])) return -EFAULT;
    return with_sigpipe(call, n);
}
std::int64_t sys_splice(Call& call) { return copy_between(call, SYS_splice); }
std::int64_t sys_copy_file_range(Call& call) { return copy_between(call, SYS_copy_file_range); }
std::int64_t sys_tee(Call& call) {
    return call.blocking(SYS_tee, static_cast<std::uint64_t>(call.fd(0)),
                         static_cast<std::uint64_t>(call.fd(1)), call.arg[2], call.arg[3]);
}

std::int64_t sys_memfd_create(Call& call) {
    auto name = call.memory().read_string(call.arg[0], 256);
    if (!name) return -EFAULT;
    return adopt_fd(call, Call::host(SYS_memfd_create,
                                     reinterpret_cast<std::uint64_t>(name->c_str()), call.arg[1]));
}

std::int64_t sys_getdents(Call& call) {
    if (const auto done = list_descriptors(call)) return *done;
    const std::uint64_t length = clamp_length(call, call.arg[1], call.arg[2]);
    const std::int64_t n = Call::host(
        call.number == 141 ? SYS_getdents : SYS_getdents64, static_cast<std::uint64_t>(call.fd(0)),
        call.pointer(call.arg[1], length), static_cast<std::uint32_t>(length));
    if (n > 0) call.memory().note_write(call.arg[1], static_cast<std::uint64_t>(n));
    return n;
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{3, "read", {Fd, OutBuffer, Size}, sys_read},
    SyscallRow{4, "write", {Fd, InBuffer, Size}, sys_write},
    SyscallRow{5, "open", {Path, OpenFlags, Mode}, sys_open},
    SyscallRow{8, "creat", {Path, Mode}, sys_creat},
    SyscallRow{19, "lseek", {Fd, Long, Whence}, sys_lseek},
    SyscallRow{36, "sync", {}, sys_sync},
    SyscallRow{93, "ftruncate", {Fd, Long}, sys_ftruncate},
    SyscallRow{118, "fsync", {Fd}, sys_fsync},
    SyscallRow{140, "_llseek", {Fd, UInt, UInt, LongOut, Whence}, sys_llseek},
    SyscallRow{141, "getdents", {Fd, Ptr, Size}, sys_getdents},
    SyscallRow{143, "flock", {Fd, Int}, sys_flock},
    SyscallRow{145, "readv", {Fd, IovOut, Int}, sys_readv},
    SyscallRow{146, "writev", {Fd, IovIn, Int}, sys_writev},
    SyscallRow{148, "fdatasync", {Fd}, sys_fdatasync},
    SyscallRow{180, "pread64", {Fd, OutBuffer, Size, Long}, sys_pread},
    SyscallRow{181, "pwrite64", {Fd, InBuffer, Size, Long}, sys_pwrite},
    SyscallRow{187, "sendfile", {Fd, Fd, Ptr, Size}, sys_sendfile},
    SyscallRow{220, "getdents64", {Fd, Ptr, Size}, sys_getdents},
    SyscallRow{245, "readahead", {Fd, Long, Size}, sys_readahead},
    SyscallRow{247, "sendfile64", {Fd, Fd, Ptr, Size}, sys_sendfile},
    SyscallRow{299, "fadvise64", {Fd, Long, Size, Int}, sys_fadvise},
    SyscallRow{310, "fadvise64_64", {Fd, Long, Long, Int}, sys_fadvise},
    SyscallRow{329, "splice", {Fd, Ptr, Fd, Ptr, Size, Hex}, sys_splice},
    SyscallRow{330, "vmsplice", {Fd, IovIn, Size, Hex}, sys_vmsplice},
    SyscallRow{331, "tee", {Fd, Fd, Size, Hex}, sys_tee},
    SyscallRow{335, "openat", {DirFd, Path, OpenFlags, Mode}, sys_openat},
    SyscallRow{354, "preadv", {Fd, IovOut, Int, Long}, sys_preadv},
    SyscallRow{355, "pwritev", {Fd, IovIn, Int, Long}, sys_pwritev},
    SyscallRow{356, "fallocate", {Fd, Int, Long, Long}, sys_fallocate},
    SyscallRow{357, "sync_file_range", {Fd, Long, Long, Hex}, sys_sync_file_range},
    SyscallRow{377, "syncfs", {Fd}, sys_syncfs},
    SyscallRow{386, "memfd_create", {Text, Hex}, sys_memfd_create},
    SyscallRow{394, "copy_file_range", {Fd, Ptr, Fd, Ptr, Size, Hex}, sys_copy_file_range},
    SyscallRow{395, "preadv2", {Fd, IovOut, Size, Long, Hex, Hex}, sys_preadv2},
    SyscallRow{396, "pwritev2", {Fd, IovIn, Size, Long, Hex, Hex}, sys_pwritev2},
};

}  // namespace

std::span<const SyscallRow> file_rows() { return kRows; }

tl::expected<std::vector<iovec>, int> guest_iovec(const Call& call, std::uint64_t address,
                                                  std::uint64_t count) {
    if (count > IOV_MAX) return tl::unexpected(EINVAL);
    std::vector<iovec> vector(count);
    if (!call.memory().read(address, vector.data(), vector.size() * sizeof(iovec)))
        return tl::unexpected(EFAULT);
    for (iovec& part : vector) {
        const auto at = reinterpret_cast<std::uint64_t>(part.iov_base);
        if (part.iov_len > SSIZE_MAX) return tl::unexpected(EINVAL);
        part.iov_len = clamp_length(call, at, part.iov_len);
        part.iov_base = reinterpret_cast<void*>(call.pointer(at, part.iov_len));
    }
    return vector;
}

void note_iovec(const Call& call, const std::vector<iovec>& vector, std::int64_t bytes) {
    for (const iovec& part : vector) {
        if (bytes <= 0) return;
        const auto n = std::min<std::uint64_t>(static_cast<std::uint64_t>(bytes), part.iov_len);
        call.memory().note_write(call.memory().guest(part.iov_base), n);
        bytes -= static_cast<std::int64_t>(n);
    }
}

}  // namespace e2k::guest
