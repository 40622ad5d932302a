// Guest descriptor numbers → host descriptors, so that the guest sees 3, 4, 5… whatever the
// workbench itself has open, and can never name one of the workbench's own.
#pragma once

#include <atomic>
#include <mutex>
#include <span>
#include <vector>

#include <tl/expected.hpp>

namespace e2k::guest {

/// Host descriptors 0, 1 and 2 are never free in the workbench: where the guest has closed one, a
/// descriptor that can neither be read nor written takes its place, so that nothing the workbench
/// opens or prints goes where the guest's caller expects the guest.
class FdTable {
public:
    static constexpr int kUsualLimit = 1024;

    FdTable() = default;
    FdTable(const FdTable&) = delete;
    FdTable& operator=(const FdTable&) = delete;
    ~FdTable();  ///< closes what the guest left open, except host descriptors 0, 1 and 2

    /// RLIMIT_NOFILE of the guest: numbers from here on are not given out. Those open stay open.
    int limit() const { return limit_; }
    void set_limit(std::uint64_t limit);

    /// How many numbers the table has room for now; grows as the kernel's.
    int capacity() const;

    /// Host descriptor of `guest`, or -1 (the host then answers EBADF by itself).
    int host(int guest) const;
    /// What `stream` is for a descriptor of /proc/self/mem.
    static constexpr int kGuestMemory = -2;
    /// Which standard stream of the window `guest` is a copy of: 1, 2, kGuestMemory, or -1.
    int stream(int guest) const;
    /// Guest number of a host descriptor, or -1.
    int guest_of(int host) const;
    /// Takes over host descriptors under their own numbers, whatever the limit.
    void inherit(std::span<const int> descriptors);
    /// Takes over `host` under the lowest free number ≥ `least`; EMFILE closes it.
    tl::expected<int, int> add(int host, int least = 0, int stream = -1);
    /// Takes over `host` as exactly `guest`, closing what was there. A guest whose descriptors 0, 1
    /// and 2 are the host's replaces the host's.
    tl::expected<int, int> set(int guest, int host, int stream = -1);
    /// 0 or an errno value.
    int close(int guest);
    /// Ascending.
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
    Entry at(int guest) const;

    mutable std::mutex mutex_;
    std::vector<Entry> entries_;
    std::size_t first_free_ = 0;  ///< all numbers below are in use
    std::atomic<int> limit_{kUsualLimit};
    bool inherited_ = false;
};

/// Gives a descriptor of the workbench's own (-1 is passed through) a number above those a guest
/// usually has. Returns the new one; the old one if there is no place.
int move_out_of_the_way(int own);

}  // namespace e2k::guest
