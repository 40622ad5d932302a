// Free runs of pages of the heap.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace e2k::guest::libc {

/// Runs are [address, address + bytes); neighbours melt together. Not thread-safe.
class PageRuns {
public:
    void give(std::uint64_t address, std::uint64_t bytes);
    /// The smallest run that is large enough, or a part of it.
    std::optional<std::uint64_t> take(std::uint64_t bytes);
    /// As take(), at a multiple of `alignment`.
    std::optional<std::uint64_t> take_aligned(std::uint64_t bytes, std::uint64_t alignment);
    /// [address, address + bytes), if all of it is free.
    bool take_at(std::uint64_t address, std::uint64_t bytes);

private:
    using Run = std::map<std::uint64_t, std::uint64_t>::iterator;
    void remove(Run run);

    std::map<std::uint64_t, std::uint64_t> by_address_;               ///< address → bytes
    std::set<std::pair<std::uint64_t, std::uint64_t>> by_size_ = {};  ///< (bytes, address)
};

}  // namespace e2k::guest::libc
