// <sys/stat.h> and <dirent.h>.
#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {
namespace {

constexpr std::uint32_t kNewfstatat = 224, kOpen = 5, kClose = 6, kLseek = 19, kGetdents64 = 220,
                        kMknodat = 337;
constexpr std::uint64_t kHere = static_cast<std::uint64_t>(AT_FDCWD);

/// struct stat of the C library (libraries.md §5).
struct LibraryStat {
    std::uint64_t dev = 0, ino = 0;
    std::uint32_t pad = 0, mode = 0;
    std::uint64_t nlink = 0;
    std::uint32_t uid = 0, gid = 0;
    std::uint64_t rdev = 0;
    std::int64_t size = 0, blksize = 0;
    std::uint64_t reserved = 0, blocks = 0;
    std::int64_t atime = 0;
    std::uint64_t atime_nsec = 0;
    std::int64_t mtime = 0;
    std::uint64_t mtime_nsec = 0;
    std::int64_t ctime = 0;
    std::uint64_t ctime_nsec = 0;
};
static_assert(sizeof(LibraryStat) == 128 && offsetof(LibraryStat, mode) == 20 &&
              offsetof(LibraryStat, size) == 48 && offsetof(LibraryStat, atime) == 80);

LibraryStat library_stat(const StatE2k& from) {
    LibraryStat to;
    to.dev = from.dev;
    to.ino = from.ino;
    to.mode = from.mode;
    to.nlink = from.nlink;
    to.uid = from.uid;
    to.gid = from.gid;
    to.rdev = from.rdev;
    to.size = from.size;
    to.blksize = from.blksize;
    to.blocks = from.blocks;
    to.atime = from.atime;
    to.atime_nsec = from.atime_nsec;
    to.mtime = from.mtime;
    to.mtime_nsec = from.mtime_nsec;
    to.ctime = from.ctime;
    to.ctime_nsec = from.ctime_nsec;
    return to;
}

/// The kernel answers where the caller wants the larger structure of the library.
Outcome<Value> stat_at(LibraryCall& call, std::uint64_t fd, std::uint64_t path, std::uint64_t to,
                       std::uint64_t flags) {
    const auto done = call.kernel(kNewfstatat, fd, path, to, flags);
    if (!done) return tl::unexpected(done.error());
    const auto got = call.memory.load<StatE2k>(to);
    if (!got) return tl::unexpected(got.error());
    return call.memory.store(to, library_stat(*got)).map([] { return Value(0); });
}

/// __xstat and its like: version 3 is the library's structure, 1 the kernel's.
Outcome<Value> versioned(LibraryCall& call, std::uint64_t fd, std::uint64_t path, std::uint64_t to,
                         std::uint64_t flags) {
    switch (call.integer(0)) {
        case 1: {
            const auto done = call.kernel(kNewfstatat, fd, path, to, flags);
            return done.map([](std::int64_t) { return Value(0); });
        }
        case 3:
            return stat_at(call, fd, path, to, flags);
        default:
            return error(EINVAL);
    }
}

/// AT_EMPTY_PATH wants a path: an empty one, in the thread's scratch memory.
Outcome<std::uint64_t> empty_path(const LibraryCall& call) {
    const std::uint64_t at = call.thread().scratch_address();
    if (auto done = call.memory.store(at, '\0'); !done) return tl::unexpected(done.error());
    return at;
}

Outcome<Value> stat_(LibraryCall& call) {
    return stat_at(call, kHere, call.pointer(0), call.pointer(1), 0);
}
Outcome<Value> lstat_(LibraryCall& call) {
    return stat_at(call, kHere, call.pointer(0), call.pointer(1), AT_SYMLINK_NOFOLLOW);
}
Outcome<Value> fstat_(LibraryCall& call) {
    return empty_path(call).and_then([&](std::uint64_t empty) {
        return stat_at(call, call.word(0), empty, call.pointer(1), AT_EMPTY_PATH);
    });
}
Outcome<Value> fstatat_(LibraryCall& call) {
    return stat_at(call, call.word(0), call.pointer(1), call.pointer(2), call.word(3));
}
Outcome<Value> xstat_(LibraryCall& call) {
    return versioned(call, kHere, call.pointer(1), call.pointer(2), 0);
}
Outcome<Value> lxstat_(LibraryCall& call) {
    return versioned(call, kHere, call.pointer(1), call.pointer(2), AT_SYMLINK_NOFOLLOW);
}
Outcome<Value> fxstat_(LibraryCall& call) {
    return empty_path(call).and_then([&](std::uint64_t empty) {
        return versioned(call, call.word(1), empty, call.pointer(2), AT_EMPTY_PATH);
    });
}
Outcome<Value> fxstatat_(LibraryCall& call) {
    return versioned(call, call.word(1), call.pointer(2), call.pointer(3), call.word(4));
}

Outcome<Value> make_node(LibraryCall& call, std::uint64_t path, std::uint64_t mode,
                         std::uint64_t device) {
    return call.kernel(kMknodat, kHere, path, mode, device).map([](std::int64_t v) {
        return Value(v);
    });
}
Outcome<Value> mknod_(LibraryCall& call) {
    return make_node(call, call.pointer(0), call.word(1), call.word(2));
}
Outcome<Value> xmknod_(LibraryCall& call) {
    if (call.integer(0) != 1) return error(EINVAL);
    const auto device = call.memory.load<std::uint64_t>(call.pointer(3));
    if (!device) return tl::unexpected(device.error());
    return make_node(call, call.pointer(1), call.word(2), *device);
}
Outcome<Value> mkfifo_(LibraryCall& call) {
    return make_node(call, call.pointer(0), call.word(1) | S_IFIFO, 0);
}

// --- directories ---
// A DIR is a block of the heap: what the guest writes into it is checked when it is read.

constexpr std::uint64_t kFd = 0, kNext = 4, kEnd = 8, kPosition = 16, kEntries = 32,
                        kRoom = 16 * 1024;

struct Directory {
    std::int32_t fd = -1;
    std::uint32_t next = 0, end = 0, pad = 0;
    std::int64_t position = 0;  ///< of the next entry
};
static_assert(offsetof(Directory, next) == kNext && offsetof(Directory, end) == kEnd &&
              offsetof(Directory, position) == kPosition && sizeof(Directory) <= kEntries);
static_assert(kFd == 0);

Outcome<Value> directory_of(LibraryCall& call, std::int32_t fd) {
    const auto at = call.library.heap.allocate(kEntries + kRoom);
    if (!at) return tl::unexpected(at.error());
    return call.memory.store(*at, Directory{.fd = fd}).map([&] { return Value(*at); });
}
Outcome<Value> opendir_(LibraryCall& call) {
    const auto fd = call.kernel(kOpen, call.pointer(0), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!fd) return tl::unexpected(fd.error());
    auto made = directory_of(call, static_cast<std::int32_t>(*fd));
    if (!made) static_cast<void>(call.kernel(kClose, static_cast<std::uint64_t>(*fd)));
    return made;
}
Outcome<Value> fdopendir_(LibraryCall& call) {
    // Not a directory: the first reading would say so; the caller wants to know now.
    const auto at = call.kernel(kLseek, call.word(0), 0, 1);
    if (!at)
        return tl::unexpected(at.error().error == ESPIPE
                                  ? Trouble{Trouble::Kind::Error, false, 0, ENOTDIR, ""}
                                  : at.error());
    return directory_of(call, call.integer(0));
}
Outcome<Value> closedir_(LibraryCall& call) {
    const auto directory = call.memory.load<Directory>(call.pointer(0));
    if (!directory) return tl::unexpected(directory.error());
    if (auto freed = call.library.heap.release(call.pointer(0)); !freed)
        return tl::unexpected(freed.error());
    return call.kernel(kClose, static_cast<std::uint64_t>(directory->fd)).map([](std::int64_t v) {
        return Value(v);
    });
}
/// The next entry: its address in the DIR, 0 at the end. Entries are the kernel's.
Outcome<std::uint64_t> next_entry(LibraryCall& call) {
    const std::uint64_t at = call.pointer(0);
    auto directory = call.memory.load<Directory>(at);
    if (!directory) return tl::unexpected(directory.error());
    if (directory->next >= directory->end) {
        const auto got = call.kernel(kGetdents64, static_cast<std::uint64_t>(directory->fd),
                                     at + kEntries, kRoom);
        if (!got) return tl::unexpected(got.error());
        if (*got == 0) return 0;
        directory->next = 0;
        directory->end = static_cast<std::uint32_t>(*got);
    }
    constexpr std::uint64_t kOffset = 8, kLength = 16;
    const std::uint64_t entry = at + kEntries + directory->next;
    const auto position = call.memory.load<std::int64_t>(entry + kOffset);
    const auto length = call.memory.load<std::uint16_t>(entry + kLength);
    if (!position) return tl::unexpected(position.error());
    if (!length) return tl::unexpected(length.error());
    directory->next += *length == 0 ? kRoom : *length;
    directory->position = *position;
    if (auto done = call.memory.store(at, *directory); !done) return tl::unexpected(done.error());
    return entry;
}
Outcome<Value> readdir_(LibraryCall& call) {
    return next_entry(call).map([](std::uint64_t entry) { return Value(entry); });
}
Outcome<Value> readdir_r_(LibraryCall& call) {
    const auto entry = next_entry(call);
    if (!entry && entry.error().kind == Trouble::Kind::Error) return Value(entry.error().error);
    if (!entry) return tl::unexpected(entry.error());
    if (*entry != 0) {
        const auto length = call.memory.load<std::uint16_t>(*entry + 16);
        if (!length) return tl::unexpected(length.error());
        if (auto done = call.memory.move(call.pointer(1), *entry, *length); !done)
            return tl::unexpected(done.error());
    }
    return call.memory.store(call.pointer(2), *entry != 0 ? call.pointer(1) : 0).map([] {
        return Value(0);
    });
}
Outcome<Value> seek_directory(LibraryCall& call, std::int64_t position) {
    auto directory = call.memory.load<Directory>(call.pointer(0));
    if (!directory) return tl::unexpected(directory.error());
    static_cast<void>(call.kernel(kLseek, static_cast<std::uint64_t>(directory->fd),
                                  static_cast<std::uint64_t>(position), 0));
    directory->next = directory->end = 0;
    directory->position = position;
    return call.memory.store(call.pointer(0), *directory).map([] { return Value(0); });
}
Outcome<Value> rewinddir_(LibraryCall& call) { return seek_directory(call, 0); }
Outcome<Value> seekdir_(LibraryCall& call) { return seek_directory(call, call.long_integer(1)); }
Outcome<Value> telldir_(LibraryCall& call) {
    return call.memory.load<Directory>(call.pointer(0)).map([](const Directory& d) {
        return Value(d.position);
    });
}
Outcome<Value> dirfd_(LibraryCall& call) {
    return call.memory.load<Directory>(call.pointer(0)).map([](const Directory& d) {
        return Value(d.fd);
    });
}

constexpr std::array kRows{
    Row{"stat", "i(s,p)", stat_},
    Row{"stat64", "i(s,p)", stat_},
    Row{"lstat", "i(s,p)", lstat_},
    Row{"lstat64", "i(s,p)", lstat_},
    Row{"fstat", "i(i,p)", fstat_},
    Row{"fstat64", "i(i,p)", fstat_},
    Row{"fstatat", "i(i,s,p,i)", fstatat_},
    Row{"fstatat64", "i(i,s,p,i)", fstatat_},
    Row{"__xstat", "i(i,s,p)", xstat_},
    Row{"__xstat64", "i(i,s,p)", xstat_},
    Row{"__lxstat", "i(i,s,p)", lxstat_},
    Row{"__lxstat64", "i(i,s,p)", lxstat_},
    Row{"__fxstat", "i(i,i,p)", fxstat_},
    Row{"__fxstat64", "i(i,i,p)", fxstat_},
    Row{"__fxstatat", "i(i,i,s,p,i)", fxstatat_},
    Row{"__fxstatat64", "i(i,i,s,p,i)", fxstatat_},
    Row{"mknod", "i(s,u,L)", mknod_},
    Row{"__xmknod", "i(i,s,u,p)", xmknod_},
    Row{"mkfifo", "i(s,u)", mkfifo_},
    Row{"opendir", "p(s)", opendir_},
    Row{"fdopendir", "p(i)", fdopendir_},
    Row{"closedir", "i(p)", closedir_},
    Row{"readdir", "p(p)", readdir_},
    Row{"readdir64", "p(p)", readdir_},
    Row{"readdir_r", "i(p,p,p)", readdir_r_},
    Row{"rewinddir", "v(p)", rewinddir_},
    Row{"seekdir", "v(p,l)", seekdir_},
    Row{"telldir", "l(p)", telldir_},
    Row{"dirfd", "i(p)", dirfd_},
};

}  // namespace

std::span<const Row> stat_rows() { return kRows; }

}  // namespace e2k::guest::libc
