// Structures whose layout differs between E2K Linux and x86-64 Linux, and their translation
// (signals.md, structs.md). Everything not here is equal on both sides and is copied as it is.
#pragma once

#include <sys/epoll.h>
#include <sys/sem.h>
#include <sys/stat.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>

namespace e2k::guest {

/// stat of calls 106, 107, 108, 224.
struct StatE2k {
    std::uint32_t dev = 0, pad0 = 0;
    std::uint64_t ino = 0;
    std::uint32_t mode = 0, nlink = 0, uid = 0, gid = 0, rdev = 0, pad1 = 0;
    std::int64_t size = 0, blksize = 0;
    std::uint64_t blocks = 0;
    std::int64_t atime = 0;
    std::uint64_t atime_nsec = 0;
    std::int64_t mtime = 0;
    std::uint64_t mtime_nsec = 0;
    std::int64_t ctime = 0;
    std::uint64_t ctime_nsec = 0;
    explicit StatE2k(const struct stat& host);
    StatE2k() = default;
};
static_assert(sizeof(StatE2k) == 112 && offsetof(StatE2k, size) == 40 &&
              offsetof(StatE2k, atime) == 64);

/// stat64 of calls 195, 196, 197, 361 (the 32-bit ABI's, reachable from 64-bit code).
struct Stat64E2k {
    std::uint64_t dev = 0, ino = 0;
    std::uint32_t mode = 0, nlink = 0, uid = 0, gid = 0;
    std::uint64_t rdev = 0;
    std::int64_t size = 0;
    std::uint32_t blksize = 0, pad = 0;
    std::uint64_t blocks = 0;
    std::int32_t atime = 0;
    std::uint32_t atime_nsec = 0;
    std::int32_t mtime = 0;
    std::uint32_t mtime_nsec = 0;
    std::int32_t ctime = 0;
    std::uint32_t ctime_nsec = 0;
    explicit Stat64E2k(const struct stat& host);
};
static_assert(sizeof(Stat64E2k) == 88);

struct EpollEventE2k {
    std::uint32_t events = 0, pad = 0;
    std::uint64_t data = 0;
};
static_assert(sizeof(EpollEventE2k) == 16);

/// semid64_ds: the times are not followed by padding words.
struct SemidE2k {
    std::array<std::uint8_t, 48> perm{};
    std::int64_t otime = 0, ctime = 0;
    std::uint64_t nsems = 0, unused1 = 0, unused2 = 0;
};
static_assert(sizeof(SemidE2k) == 88);

/// Kernel sigaction; equal to x86-64's.
struct SigactionE2k {
    std::uint64_t handler = 0, flags = 0, restorer = 0, mask = 0;
};
static_assert(sizeof(SigactionE2k) == 32);

struct StackE2k {
    std::uint64_t sp = 0;
    std::int32_t flags = 0, pad = 0;
    std::uint64_t size = 0;
};
static_assert(sizeof(StackE2k) == 24);

/// siginfo; the payload of faults carries the trap number, that of SIGPOLL an int band.
struct SiginfoE2k {
    std::int32_t signo = 0, error = 0, code = 0, pad = 0;
    union Payload {
        struct {
            std::int32_t pid, uid;
            std::uint64_t value;
        } sender;  ///< kill, tgkill, sigqueue, mq
        struct {
            std::int32_t id, overrun;
            std::uint64_t value;
        } timer;
        struct {
            std::int32_t pid, uid, status, pad;
            std::int64_t utime, stime;
        } child;
        struct {
            std::uint64_t address;
            std::int32_t trapno, pad;
        } fault;
        struct {
            std::int32_t band, fd;
        } poll;
        std::array<std::uint8_t, 112> bytes;
    } u{.bytes = {}};

    static SiginfoE2k from_host(const siginfo_t& host);
    static SiginfoE2k fault(int signal, int code, std::uint64_t address, int trap_number);
    /// Sent by kill(2) and friends; code SI_USER, SI_TKILL or SI_QUEUE.
    static SiginfoE2k sent(int signal, int code, int pid, int uid, std::uint64_t value = 0);
    static SiginfoE2k timer(int signal, int id, int overrun, std::uint64_t value);
    static SiginfoE2k kernel(int signal);  ///< SI_KERNEL, e.g. SIGPIPE, SIGALRM of setitimer
};
static_assert(sizeof(SiginfoE2k) == 128);

/// uc_mcontext (signals.md §4).
struct SigcontextE2k {
    std::uint64_t cr0_lo = 0, cr0_hi = 0, cr1_lo = 0, cr1_hi = 0;
    std::uint64_t sbr = 0, usd_lo = 0, usd_hi = 0, psp_lo = 0, psp_hi = 0, pcsp_lo = 0, pcsp_hi = 0;
    std::uint64_t rpr_hi = 0, rpr_lo = 0, nr_tirs = 0;
    std::array<std::uint64_t, 19> tir_lo{}, tir_hi{};
    std::array<std::uint64_t, 10> trap_cell_addr{}, trap_cell_val{};
    std::array<std::uint8_t, 16> trap_cell_tag{};
    std::array<std::uint64_t, 10> trap_cell_info{};
    std::array<std::uint64_t, 32> dam{}, sbbp{};
    std::array<std::uint64_t, 48> mlt{};
    std::uint64_t upsr = 0;
};
static_assert(sizeof(SigcontextE2k) == 1576 && offsetof(SigcontextE2k, trap_cell_addr) == 416 &&
              offsetof(SigcontextE2k, dam) == 672 && offsetof(SigcontextE2k, upsr) == 1568);

/// uc_extra.
struct SigextraE2k {
    std::int32_t size = 0, curr_cnt = -1, tc_count = 0, fpcr = 0, fpsr = 0, pfpfr = 0;
    std::array<std::uint64_t, 3> ctpr{};
    std::uint64_t sc_need_restart = 0;
    std::array<std::uint64_t, 3> ctpr_hi{};
    std::uint64_t chain_stack_offset = 0, proc_stack_offset = 0;
    std::uint32_t bgr = 0xff, pad = 0;
    std::array<std::uint64_t, 16> g{};
    std::array<std::uint8_t, 16> g_tag{};
    std::array<std::uint64_t, 16> g_ext{};
    std::array<std::uint8_t, 16> g_ext_tag{};
    std::uint64_t lsr = 0, ilcr = 0, lsr1 = 0, ilcr1 = 0;
};
static_assert(offsetof(SigextraE2k, ctpr) == 24 && offsetof(SigextraE2k, g) == 104 &&
              offsetof(SigextraE2k, g_ext) == 248 && offsetof(SigextraE2k, lsr) == 392);

struct UcontextE2k {
    std::uint64_t flags = 0, link = 0;
    StackE2k stack;
    SigcontextE2k context;
    std::uint64_t sigmask = 0;
    std::array<std::uint64_t, 15> sigmask_rest{};
    SigextraE2k extra;
};
static_assert(offsetof(UcontextE2k, context) == 40 && offsetof(UcontextE2k, sigmask) == 1616 &&
              offsetof(UcontextE2k, extra) == 1744);

/// What lies on the user stack while a handler runs, from the handler's SP upwards.
struct SignalFrameE2k {
    std::array<std::uint64_t, 8> home{};  ///< the handler's own parameter homes
    SiginfoE2k info;
    UcontextE2k context;
    std::uint64_t return_ip = 0;
};
static_assert(offsetof(SignalFrameE2k, info) == 64 && offsetof(SignalFrameE2k, context) == 192);

/// Ten words that setjmp fills and e2k_longjmp2 reads (syscalls.md §9.1).
struct JumpBufferE2k {
    std::uint64_t sigmask = 0, ip = 0, cr1_lo = 0, pcsp_lo = 0, pcsp_hi = 0;
    std::uint32_t pcshtp = 0, br = 0;
    std::uint64_t usd_lo = 0;
    std::uint32_t reserved = 0, wd_hi = 0;
    std::array<std::uint64_t, 2> rest{};
};
static_assert(sizeof(JumpBufferE2k) == 80 && offsetof(JumpBufferE2k, br) == 0x2c &&
              offsetof(JumpBufferE2k, wd_hi) == 0x3c);

/// One record of the chain stack as access_hw_stacks shows it.
struct ChainRecordE2k {
    std::uint64_t cr0_lo = 0, cr0_hi = 0, cr1_lo = 0, cr1_hi = 0;
};
static_assert(sizeof(ChainRecordE2k) == 32);

SemidE2k semid_to_guest(const struct semid_ds& host);

/// MAP_* and PROT_* of E2K → host mmap's; only the bits AddressSpace does not handle itself.
struct MapRequest {
    bool shared = false, anonymous = false, fixed = false, no_replace = false, populate = false;
    bool first32 = false, no_reserve = false;
    int error = 0;  ///< EINVAL, EOPNOTSUPP
};
MapRequest decode_map_flags(std::uint64_t flags);
inline constexpr int kProtMask = 7;  ///< PROT_READ|WRITE|EXEC; bits 8..23 belong to protected mode

}  // namespace e2k::guest
