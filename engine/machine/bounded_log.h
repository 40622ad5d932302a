// Append-only logs with a bound: the worker appends, the window reads what is new.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>

#include "engine/machine/machine.h"

namespace e2k::machine {

/// Keeps the newest entries up to a number and a total cost (bytes); counts what it drops. Entries
/// get consecutive sequence numbers from 0. Thread-safe.
template <class T>
class BoundedLog {
public:
    BoundedLog(std::size_t max_entries, std::size_t max_cost)
        : max_entries_(max_entries), max_cost_(max_cost) {}

    void append(T entry, std::size_t cost) {
        std::lock_guard lock(mutex_);
        entry.sequence = next_++;
        entries_.push_back({std::move(entry), cost});
        total_cost_ += cost;
        while (entries_.size() > max_entries_ || (total_cost_ > max_cost_ && entries_.size() > 1)) {
            total_cost_ -= entries_.front().cost;
            entries_.pop_front();
            ++dropped_;
        }
    }

    /// What has been appended belongs to something that is over: it is forgotten, and not counted
    /// as dropped. Sequence numbers go on.
    void begin_anew() {
        std::lock_guard lock(mutex_);
        entries_.clear();
        total_cost_ = 0;
        dropped_ = 0;
        first_ = next_;
    }

    /// Entries with sequence >= `after`.
    LogSlice<T> read(std::uint64_t after) const {
        std::lock_guard lock(mutex_);
        LogSlice<T> slice;
        slice.next = next_;
        slice.first = first_;
        slice.dropped = dropped_;
        const std::uint64_t first = next_ - entries_.size();
        const std::uint64_t skip =
            std::min<std::uint64_t>(entries_.size(), after > first ? after - first : 0);
        slice.items.reserve(entries_.size() - static_cast<std::size_t>(skip));
        for (auto i = static_cast<std::size_t>(skip); i < entries_.size(); ++i)
            slice.items.push_back(entries_[i].value);
        return slice;
    }

private:
    struct Entry {
        T value;
        std::size_t cost;
    };
    mutable std::mutex mutex_;
    std::deque<Entry> entries_;
    const std::size_t max_entries_, max_cost_;
    std::size_t total_cost_ = 0;
    std::uint64_t next_ = 0, first_ = 0, dropped_ = 0;
};

}  // namespace e2k::machine
