#include "engine/guest/fd_table.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace e2k::guest {

FdTable::~FdTable() {
    for (const Entry& entry : entries_)
        if (entry.host >= 0) ::close(entry.host);
}

int FdTable::host(int guest) const {
    std::lock_guard lock(mutex_);
    return guest >= 0 && guest < static_cast<int>(entries_.size())
               ? entries_[static_cast<std::size_t>(guest)].host
               : -1;
}

int FdTable::stream(int guest) const {
    std::lock_guard lock(mutex_);
    return guest >= 0 && guest < static_cast<int>(entries_.size())
               ? entries_[static_cast<std::size_t>(guest)].stream
               : -1;
}

int FdTable::guest_of(int host) const {
    std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < entries_.size(); ++i)
        if (entries_[i].host == host) return static_cast<int>(i);
    return -1;
}

tl::expected<int, int> FdTable::add(int host, int least, int stream) {
    std::lock_guard lock(mutex_);
    auto number = static_cast<std::size_t>(least);
    while (number < entries_.size() && entries_[number].host >= 0) ++number;
    if (number >= kLimit) {
        ::close(host);
        return tl::unexpected(EMFILE);
    }
    if (number >= entries_.size()) entries_.resize(number + 1);
    entries_[number] = {host, stream};
    return static_cast<int>(number);
}

tl::expected<int, int> FdTable::set(int guest, int host, int stream) {
    std::lock_guard lock(mutex_);
    if (guest < 0 || guest >= kLimit) {
        ::close(host);
        return tl::unexpected(EBADF);
    }
    const auto number = static_cast<std::size_t>(guest);
    if (number >= entries_.size()) entries_.resize(number + 1);
    if (entries_[number].host >= 0) ::close(entries_[number].host);
    entries_[number] = {host, stream};
    return guest;
}

int FdTable::close(int guest) {
    int host = -1;
    {
        std::lock_guard lock(mutex_);
        if (guest < 0 || guest >= static_cast<int>(entries_.size())) return EBADF;
        Entry& entry = entries_[static_cast<std::size_t>(guest)];
        host = entry.host;
        entry = {};
    }
    if (host < 0) return EBADF;
    return ::close(host) == 0 ? 0 : errno;
}

void FdTable::close_on_exec() {
    std::lock_guard lock(mutex_);
    for (Entry& entry : entries_) {
        if (entry.host < 0 || !(fcntl(entry.host, F_GETFD) & FD_CLOEXEC)) continue;
        ::close(entry.host);
        entry = {};
    }
}

std::vector<int> FdTable::open_numbers() const {
    std::lock_guard lock(mutex_);
    std::vector<int> numbers;
    for (std::size_t i = 0; i < entries_.size(); ++i)
        if (entries_[i].host >= 0) numbers.push_back(static_cast<int>(i));
    return numbers;
}

}  // namespace e2k::guest
