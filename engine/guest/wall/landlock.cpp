// Landlock: what may be written, made and removed in the file system, and which processes may be
// signalled. Numbers of its own, because Debian's headers are older than the kernels it runs on.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "engine/guest/wall.h"

namespace e2k::guest {
namespace {

constexpr long kCreateRuleset = 444, kAddRule = 445, kRestrictSelf = 446;
constexpr std::uint32_t kAskVersion = 1;
constexpr int kPathBeneath = 1;

enum Right : std::uint64_t {
    kExecute = 1 << 0,
    kWriteFile = 1 << 1,
    kRemoveDirectory = 1 << 4,
    kRemoveFile = 1 << 5,
    kMakeCharacterDevice = 1 << 6,
    kMakeDirectory = 1 << 7,
    kMakeFile = 1 << 8,
    kMakeSocket = 1 << 9,
    kMakeFifo = 1 << 10,
    kMakeBlockDevice = 1 << 11,
    kMakeLink = 1 << 12,
    kRefer = 1 << 13,          // version 2
    kTruncate = 1 << 14,       // version 3
    kControlDevice = 1 << 15,  // version 5
};
constexpr std::uint64_t kBindTcp = 1, kConnectTcp = 2;         // version 4
constexpr std::uint64_t kScopeSockets = 1, kScopeSignals = 2;  // version 6

/// Everything that changes something. Reading is free in the sandbox.
constexpr std::uint64_t kHandled = kExecute | kWriteFile | kRemoveDirectory | kRemoveFile |
                                   kMakeCharacterDevice | kMakeDirectory | kMakeFile | kMakeSocket |
                                   kMakeFifo | kMakeBlockDevice | kMakeLink | kRefer | kTruncate |
                                   kControlDevice;
/// Below a writable directory: all but devices and running programs.
constexpr std::uint64_t kWritable = kWriteFile | kRemoveDirectory | kRemoveFile | kMakeDirectory |
                                    kMakeFile | kMakeSocket | kMakeFifo | kMakeLink | kRefer |
                                    kTruncate;
constexpr std::uint64_t kDevice = kWriteFile | kTruncate | kControlDevice;

struct Ruleset {
    std::uint64_t files = 0, network = 0, scoped = 0;
};
struct __attribute__((packed)) PathRule {
    std::uint64_t allowed;
    std::int32_t parent;
};

/// Devices that keep nothing (written to by programs as by the engine), the terminal, and those
/// that are only read. The filter of system calls knows the requests they may be sent.
struct Device {
    const char* path;
    unsigned major, minor;
    std::uint64_t rights;
};
constexpr std::array kDevices{
    Device{"/dev/null", 1, 3, kDevice},          Device{"/dev/zero", 1, 5, kDevice},
    Device{"/dev/full", 1, 7, kDevice},          Device{"/dev/tty", 5, 0, kDevice},
    Device{"/dev/random", 1, 8, kControlDevice}, Device{"/dev/urandom", 1, 9, kControlDevice}};

std::uint64_t known_rights(int version) {
    std::uint64_t rights = kHandled;
    if (version < 2) rights &= ~std::uint64_t{kRefer};
    if (version < 3) rights &= ~std::uint64_t{kTruncate};
    if (version < 5) rights &= ~std::uint64_t{kControlDevice};
    return rights;
}

/// Closes itself.
struct Descriptor {
    explicit Descriptor(long number) : fd(static_cast<int>(number)) {}
    ~Descriptor() {
        if (fd >= 0) close(fd);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int fd;
};

bool allow(int ruleset, int parent, std::uint64_t rights) {
    const PathRule rule{rights, parent};
    return syscall(kAddRule, ruleset, kPathBeneath, &rule, 0) == 0;
}

tl::unexpected<std::string> failed(const std::string& what) {
    return tl::unexpected(what + ": " + std::strerror(errno));
}

}  // namespace

tl::expected<int, std::string> raise_landlock(const Sandbox& sandbox) {
    const auto version = static_cast<int>(syscall(kCreateRuleset, nullptr, 0, kAskVersion));
    if (version <= 0) return 0;  // not built in, or not switched on
    const std::uint64_t rights = known_rights(version);
    Ruleset wanted{rights, version >= 4 ? kBindTcp | kConnectTcp : 0,
                   version >= 6 ? kScopeSockets | kScopeSignals : 0};
    const std::size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
    const Descriptor ruleset(syscall(kCreateRuleset, &wanted, size, 0));
    if (ruleset.fd < 0) return failed("cannot make a ruleset");
    for (const std::string& directory : sandbox.writable()) {
        const Descriptor parent(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (parent.fd < 0 || !allow(ruleset.fd, parent.fd, kWritable & rights))
            return failed(directory);
    }
    for (const Device& device : kDevices) {
        const Descriptor file(open(device.path, O_PATH | O_CLOEXEC));
        struct stat st {};
        if (file.fd < 0 || fstat(file.fd, &st) != 0 || !S_ISCHR(st.st_mode) ||
            st.st_rdev != makedev(device.major, device.minor))
            continue;
        const std::uint64_t allowed = device.rights & rights;
        if (allowed && !allow(ruleset.fd, file.fd, allowed)) return failed(device.path);
    }
    if (syscall(kRestrictSelf, ruleset.fd, 0) != 0) return failed("cannot restrict this thread");
    return version;
}

}  // namespace e2k::guest
