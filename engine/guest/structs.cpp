#include "engine/guest/structs.h"

#include <sys/sysmacros.h>

#include <cerrno>
#include <cstring>

namespace e2k::guest {
namespace {

/// 32-bit device number of stat_e2k.
std::uint32_t encode_device(dev_t device) {
    const unsigned maj = major(device), min = minor(device);
    return (min & 0xff) | (maj << 8) | ((min & ~0xffu) << 12);
}

// E2K MAP_* values (structs.md §1).
constexpr std::uint64_t kMapShared = 1, kMapPrivate = 2, kMapType = 3, kMapAnonymous = 0x10,
                        kMapFixed = 0x100, kMapNoReserve = 0x10000, kMapPopulate = 0x20000,
                        kMapFirst32 = 0x80000, kMapFixedNoReplace = 0x400000;
/// All from MAP_DENYWRITE to MAP_FIXED_NOREPLACE (but for WRITECOMBINED, of device drivers).
constexpr std::uint64_t kMapKnown = kMapType | kMapAnonymous | kMapFixed | 0x6ff800;

}  // namespace

StatE2k::StatE2k(const struct stat& h)
    : dev(encode_device(h.st_dev)),
      ino(h.st_ino),
      mode(h.st_mode),
      nlink(static_cast<std::uint32_t>(h.st_nlink)),
      uid(h.st_uid),
      gid(h.st_gid),
      rdev(encode_device(h.st_rdev)),
      size(h.st_size),
      blksize(h.st_blksize),
      blocks(static_cast<std::uint64_t>(h.st_blocks)),
      atime(h.st_atim.tv_sec),
      atime_nsec(static_cast<std::uint64_t>(h.st_atim.tv_nsec)),
      mtime(h.st_mtim.tv_sec),
      mtime_nsec(static_cast<std::uint64_t>(h.st_mtim.tv_nsec)),
      ctime(h.st_ctim.tv_sec),
      ctime_nsec(static_cast<std::uint64_t>(h.st_ctim.tv_nsec)) {}

Stat64E2k::Stat64E2k(const struct stat& h)
    : dev(h.st_dev),
      ino(h.st_ino),
      mode(h.st_mode),
      nlink(static_cast<std::uint32_t>(h.st_nlink)),
      uid(h.st_uid),
      gid(h.st_gid),
      rdev(h.st_rdev),
      size(h.st_size),
      blksize(static_cast<std::uint32_t>(h.st_blksize)),
      blocks(static_cast<std::uint64_t>(h.st_blocks)),
      atime(static_cast<std::int32_t>(h.st_atim.tv_sec)),
      atime_nsec(static_cast<std::uint32_t>(h.st_atim.tv_nsec)),
      mtime(static_cast<std::int32_t>(h.st_mtim.tv_sec)),
      mtime_nsec(static_cast<std::uint32_t>(h.st_mtim.tv_nsec)),
      ctime(static_cast<std::int32_t>(h.st_ctim.tv_sec)),
      ctime_nsec(static_cast<std::uint32_t>(h.st_ctim.tv_nsec)) {}

SiginfoE2k SiginfoE2k::from_host(const siginfo_t& host) {
    SiginfoE2k info;
    info.signo = host.si_signo;
    info.error = host.si_errno;
    info.code = host.si_code;
    if (host.si_signo == SIGCHLD && host.si_code > 0) {
        info.u.child = {host.si_pid,    static_cast<std::int32_t>(host.si_uid),
                        host.si_status, 0,
                        host.si_utime,  host.si_stime};
    } else if (host.si_signo == SIGIO && host.si_code > 0) {
        info.u.poll = {static_cast<std::int32_t>(host.si_band), host.si_fd};
    } else {
        info.u.sender = {host.si_pid, static_cast<std::int32_t>(host.si_uid),
                         reinterpret_cast<std::uint64_t>(host.si_value.sival_ptr)};
    }
    return info;
}

SiginfoE2k SiginfoE2k::fault(int signal, int code, std::uint64_t address, int trap_number) {
    SiginfoE2k info;
    info.signo = signal;
    info.code = code;
    info.u.fault = {address, trap_number, 0};
    return info;
}

SiginfoE2k SiginfoE2k::sent(int signal, int code, int pid, int uid, std::uint64_t value) {
    SiginfoE2k info;
    info.signo = signal;
    info.code = code;
    info.u.sender = {pid, uid, value};
    return info;
}

SiginfoE2k SiginfoE2k::timer(int signal, int id, int overrun, std::uint64_t value) {
    SiginfoE2k info;
    info.signo = signal;
    info.code = SI_TIMER;
    info.u.timer = {id, overrun, value};
    return info;
}

SiginfoE2k SiginfoE2k::kernel(int signal) {
    SiginfoE2k info;
    info.signo = signal;
    info.code = SI_KERNEL;
    return info;
}

SemidE2k semid_to_guest(const struct semid_ds& host) {
    SemidE2k guest;
    std::memcpy(guest.perm.data(), &host.sem_perm, guest.perm.size());
    guest.otime = host.sem_otime;
    guest.ctime = host.sem_ctime;
    guest.nsems = host.sem_nsems;
    return guest;
}

MapRequest decode_map_flags(std::uint64_t flags) {
    MapRequest r;
    const std::uint64_t type = flags & kMapType;
    if (type == 0) r.error = EINVAL;
    // MAP_SHARED_VALIDATE: a flag that is not known is not passed over.
    if (type == (kMapShared | kMapPrivate) && (flags & ~kMapKnown)) r.error = EOPNOTSUPP;
    r.shared = type != kMapPrivate;
    r.anonymous = (flags & kMapAnonymous) != 0;
    r.no_replace = (flags & kMapFixedNoReplace) != 0;
    r.fixed = (flags & kMapFixed) != 0 || r.no_replace;
    r.populate = (flags & kMapPopulate) != 0;
    r.first32 = (flags & kMapFirst32) != 0;
    r.no_reserve = (flags & kMapNoReserve) != 0;
    return r;
}

}  // namespace e2k::guest
