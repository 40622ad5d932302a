// Guest descriptor numbers → host descriptors, so that the guest sees 3, 4, 5… whatever the
// workbench itself has open, and can never name one of the workbench's own.
#pragma once

#include <mutex>
#include <vector>

#include <tl/expected.hpp>

namespace e2k::guest {

class FdTable {
public:
    static constexpr int kLimit = 1024;  ///< RLIMIT_NOFILE shown to the guest

    FdTable() = default;
    FdTable(const FdTable&) = delete;
    FdTable& operator=(const FdTable&) = delete;
    ~FdTable();  ///< closes what the guest left open

    /// Host descriptor of `guest`, or -1 (the host then answers EBADF by itself).
    int host(int guest) const;
    /// Which standard stream of the window `guest` is a copy of: 1, 2, or -1.
    int stream(int guest) const;
    /// Guest number of a host descriptor, or -1.
    int guest_of(int host) const;
    /// Takes over `host` under the lowest free number ≥ `least`; EMFILE closes it.
    tl::expected<int, int> add(int host, int least = 0, int stream = -1);
    /// Takes over `host` as exactly `guest`, closing what was there.
    tl::expected<int, int> set(int guest, int host, int stream = -1);
    /// 0 or an errno value.
    int close(int guest);
    std::vector<int> open_numbers() const;
    /// Closes what the guest has marked FD_CLOEXEC (execve).
    void close_on_exec();

    void lock_for_fork() { mutex_.lock(); }
    void unlock_after_fork() { mutex_.unlock(); }

private:
    struct Entry {
        int host = -1;
        int stream = -1;
    };
    mutable std::mutex mutex_;
    std::vector<Entry> entries_;
};

}  // namespace e2k::guest
