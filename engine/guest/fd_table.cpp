#include "engine/guest/fd_table.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "engine/guest/limits.h"

namespace e2k::guest {
namespace {

constexpr int kStandardStreams = 3;
constexpr rlim_t kHighest = 1 << 16;  // for descriptors of the workbench: the host keeps a table

/// Closes a host descriptor; 0, 1 and 2 become dead ends instead. 0 or an errno value.
int release(int host) {
    if (host >= kStandardStreams) return ::close(host) == 0 ? 0 : errno;
    const int dead_end = open("/", O_PATH | O_CLOEXEC);
    if (dead_end < 0) return ::close(host) == 0 ? 0 : errno;
    dup3(dead_end, host, O_CLOEXEC);
    ::close(dead_end);
    return 0;
}

bool closes_at_exec(int host) { return (fcntl(host, F_GETFD) & FD_CLOEXEC) != 0; }

}  // namespace

int move_out_of_the_way(int own) {
    if (own < 0) return own;
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    constexpr rlim_t kPlaces = 256;
    const rlim_t first = std::min<rlim_t>(ResourceLimits::callers().get(RLIMIT_NOFILE).rlim_cur,
                                          limit.rlim_cur - std::min(limit.rlim_cur / 4, kPlaces));
    const int high = fcntl(own, F_DUPFD_CLOEXEC, static_cast<int>(std::min(first, kHighest)));
    if (high < 0) return own;
    ::close(own);
    return high;
}

FdTable::~FdTable() {
    for (const Entry& entry : entries_)
        if (entry.host >= kStandardStreams) ::close(entry.host);
}

void FdTable::set_limit(std::uint64_t limit) {
    constexpr std::uint64_t kMost = 1 << 20;  // what the host usually allows at most
    limit_ = static_cast<int>(std::min(limit, kMost));
}

int FdTable::capacity() const {
    constexpr std::size_t kFirst = 64, kStep = 128;
    std::lock_guard lock(mutex_);
    if (entries_.size() <= kFirst) return kFirst;
    return static_cast<int>(std::bit_ceil((entries_.size() - 1) / kStep + 1) * kStep);
}

FdTable::Entry FdTable::at(int guest) const {
    std::lock_guard lock(mutex_);
    return guest >= 0 && guest < static_cast<int>(entries_.size())
               ? entries_[static_cast<std::size_t>(guest)]
               : Entry{};
}

int FdTable::host(int guest) const { return at(guest).host; }
int FdTable::stream(int guest) const { return at(guest).stream; }

int FdTable::guest_of(int host) const {
    std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < entries_.size(); ++i)
        if (entries_[i].host == host) return static_cast<int>(i);
    return -1;
}

void FdTable::inherit(std::span<const int> descriptors) {
    std::lock_guard lock(mutex_);
    inherited_ = true;
    for (const int fd : descriptors) {
        const auto number = static_cast<std::size_t>(fd);
        if (number >= entries_.size()) entries_.resize(number + 1);
        entries_[number].host = fd;
    }
}

tl::expected<int, int> FdTable::add(int host, int least, int stream) {
    std::lock_guard lock(mutex_);
    auto number = std::max(static_cast<std::size_t>(least), first_free_);
    while (number < entries_.size() && entries_[number].host >= 0) ++number;
    if (number >= static_cast<std::size_t>(limit_.load())) {
        release(host);
        return tl::unexpected(EMFILE);
    }
    if (number >= entries_.size()) entries_.resize(number + 1);
    entries_[number] = {host, stream};
    if (static_cast<std::size_t>(least) <= first_free_) first_free_ = number + 1;
    return static_cast<int>(number);
}

tl::expected<int, int> FdTable::set(int guest, int host, int stream) {
    std::lock_guard lock(mutex_);
    if (guest < 0 || guest >= limit_) {
        release(host);
        return tl::unexpected(EBADF);
    }
    const auto number = static_cast<std::size_t>(guest);
    if (number >= entries_.size()) entries_.resize(number + 1);
    Entry& entry = entries_[number];
    if (inherited_ && guest < kStandardStreams && host >= kStandardStreams) {
        dup3(host, guest, closes_at_exec(host) ? O_CLOEXEC : 0);
        ::close(host);
        host = guest;
    }
    if (entry.host >= 0 && entry.host != host) release(entry.host);
    entry = {host, stream};
    return guest;
}

int FdTable::close(int guest) {
    std::unique_lock lock(mutex_);
    if (guest < 0 || guest >= static_cast<int>(entries_.size())) return EBADF;
    Entry& entry = entries_[static_cast<std::size_t>(guest)];
    if (entry.host < 0) return EBADF;
    const int host = entry.host;
    entry = {};
    first_free_ = std::min(first_free_, static_cast<std::size_t>(guest));
    // Closing may take its time; only where the number stays in use others must wait for it.
    if (host >= kStandardStreams) lock.unlock();
    return release(host);
}

std::vector<int> FdTable::open_numbers() const {
    std::lock_guard lock(mutex_);
    std::vector<int> numbers;
    for (std::size_t i = 0; i < entries_.size(); ++i)
        if (entries_[i].host >= 0) numbers.push_back(static_cast<int>(i));
    return numbers;
}

void FdTable::close_on_exec() {
    for (const int guest : open_numbers())
        if (closes_at_exec(host(guest))) close(guest);
}

}  // namespace e2k::guest
