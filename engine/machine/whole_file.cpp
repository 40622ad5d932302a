#include "engine/machine/whole_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

namespace e2k::machine {
namespace {

namespace fs = std::filesystem;

std::string reason(int error) { return std::strerror(error ? error : EIO); }

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }
    /// False if what was written is lost (a network file system says so only now).
    bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

private:
    int fd_;
};

/// While it lives, a file size limit is an error of `write`, not a signal that ends the process.
class SizeLimitIsAnError {
public:
    SizeLimitIsAnError() {
        struct sigaction ignore {};
        ignore.sa_handler = SIG_IGN;
        sigaction(SIGXFSZ, &ignore, &before_);
    }
    ~SizeLimitIsAnError() { sigaction(SIGXFSZ, &before_, nullptr); }
    SizeLimitIsAnError(const SizeLimitIsAnError&) = delete;
    SizeLimitIsAnError& operator=(const SizeLimitIsAnError&) = delete;

private:
    struct sigaction before_ {};
};

bool write_all(int fd, std::string_view content) {
    while (!content.empty()) {
        const ssize_t n = ::write(fd, content.data(), content.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        content.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

/// The file behind symbolic links, which need not exist.
fs::path behind_links(fs::path path) {
    constexpr int kMaxLinks = 40;
    std::error_code error;
    for (int i = 0; i < kMaxLinks && fs::is_symlink(path, error); ++i) {
        const fs::path target = fs::read_symlink(path, error);
        if (error) break;
        path = target.is_absolute() ? target : path.parent_path() / target;
        // What a descriptor's link names need not be where the descriptor leads.
        if (path.string().starts_with("/proc/")) break;
    }
    return path;
}

std::string write_in_place(const fs::path& path, std::string_view content, bool truncate) {
    const int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY | (truncate ? O_TRUNC : 0);
    Descriptor file(::open(path.c_str(), flags));
    if (file.get() < 0 || !write_all(file.get(), content)) return reason(errno);
    return file.close() ? "" : reason(errno);
}

/// A new file beside `path`; its name becomes `name`. Its permissions are what the umask leaves.
int open_beside(const fs::path& path, mode_t mode, std::string& name) {
    constexpr std::size_t kMaxBase = 200;  // a name has at most 255 bytes
    constexpr int kMaxTries = 100;
    static std::atomic<unsigned> counter{0};
    const auto base = path.filename().string().substr(0, kMaxBase);
    for (int i = 0; i < kMaxTries; ++i) {
        const auto own = fmt::format(".{}.{}-{}", base, getpid(), counter++);
        name = (path.parent_path() / own).string();
        const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
}

std::string replace(const fs::path& path, const struct stat* before, std::string_view content,
                    const WholeFileOptions& options) {
    constexpr mode_t kAll = 0777, kData = 0666;
    std::string beside;
    Descriptor file(open_beside(path, options.executable ? kAll : kData, beside));
    if (file.get() < 0) {
        const int error = errno;
        // The directory may not be writable though the file is.
        const bool only_directory = error == EACCES || error == EPERM || error == EROFS;
        if (before && only_directory) return write_in_place(path, content, true);
        return reason(error);
    }
    const bool keep_mode = before && !options.executable;
    const bool written = write_all(file.get(), content) &&
                         (!keep_mode || fchmod(file.get(), before->st_mode & kAll) == 0) &&
                         fsync(file.get()) == 0 && file.close() &&
                         ::rename(beside.c_str(), path.c_str()) == 0;
    if (!written) {
        const int error = errno;
        ::unlink(beside.c_str());
        return reason(error);
    }
    const auto directory = path.has_parent_path() ? path.parent_path() : fs::path(".");
    const Descriptor parent(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (parent.get() >= 0) fsync(parent.get());
    return "";
}

}  // namespace

std::string write_whole_file(const std::string& path, std::string_view content,
                             const WholeFileOptions& options) {
    const SizeLimitIsAnError guard;
    if (path == "-") {
        if (std::fflush(stdout) != 0 || !write_all(STDOUT_FILENO, content)) return reason(errno);
        return "";
    }
    const fs::path target = behind_links(path);
    struct stat before {};
    const bool exists = ::stat(target.c_str(), &before) == 0;
    if (!exists && errno != ENOENT) return reason(errno);
    const bool descriptor =
        target.string().starts_with("/proc/") || target.string().starts_with("/dev/fd/");
    if (exists && (!S_ISREG(before.st_mode) || descriptor))
        return write_in_place(target, content, false);
    if (exists && faccessat(AT_FDCWD, target.c_str(), W_OK, AT_EACCESS) != 0) return reason(errno);
    return replace(target, exists ? &before : nullptr, content, options);
}

}  // namespace e2k::machine
