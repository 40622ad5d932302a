// The mappings of an address space as a list: who owns which addresses. No host page is touched
// here, and nothing is locked (address_space.cpp does both).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "engine/guest/address_space.h"

namespace e2k::guest {

struct Mapping {
    Region region;
    bool file = false;  ///< `device`, `inode` and `length_of` are valid
    dev_t device = 0;
    ino_t inode = 0;
    int fd = -1;       ///< own descriptor, to learn the file's length; shared by split parts
    bool shm = false;  ///< System V segment
    bool dont_fork = false, wipe_on_fork = false;  ///< madvise
};

/// Disjoint mappings by address, and the files they keep open.
class MappingList {
public:
    MappingList() = default;
    ~MappingList();
    MappingList(const MappingList&) = delete;
    MappingList& operator=(const MappingList&) = delete;

    bool free_range(std::uint64_t begin, std::uint64_t end) const;
    /// The first gap of `length` bytes in [from, limit).
    std::optional<std::uint64_t> find_gap(std::uint64_t from, std::uint64_t limit,
                                          std::uint64_t length) const;
    /// The first gap where mappings without a wish go.
    std::optional<std::uint64_t> find_gap(std::uint64_t length) const;
    const Mapping* mapping_at(std::uint64_t address) const;
    /// The same, or the first one behind it.
    const Mapping* mapping_or_next(std::uint64_t address) const;
    /// The mapping that begins exactly at `begin`; there must be one.
    Mapping& beginning_at(std::uint64_t begin) { return by_begin_.at(begin); }
    /// True if every page of the range belongs to some mapping.
    bool covered(std::uint64_t begin, std::uint64_t end) const;

    /// The descriptor of a mapping stays open while somebody holds it; the list holds its own.
    void hold(const Mapping& m);
    void drop(const Mapping& m);

    void insert(Mapping m);
    /// Cuts the mapping that crosses `at` into two.
    void split(std::uint64_t at);
    /// Forgets all mappings inside [begin, end); the pages themselves are replaced by the caller.
    void erase(std::uint64_t begin, std::uint64_t end);
    /// Joins the anonymous mapping at `begin` with equal neighbours (heap, growing arrays).
    void merge_around(std::uint64_t begin);

    /// Mappings that begin in [begin, end), in order.
    template <class Visit>
    void each_in(std::uint64_t begin, std::uint64_t end, Visit visit) {
        for (auto it = by_begin_.lower_bound(begin); it != by_begin_.end() && it->first < end; ++it)
            visit(it->second);
    }
    const std::map<std::uint64_t, Mapping>& all() const { return by_begin_; }

private:
    std::map<std::uint64_t, Mapping> by_begin_;
    std::map<int, int> fd_users_;  ///< own descriptor → number of holders
};

}  // namespace e2k::guest
