#include "engine/guest/mapping_list.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace e2k::guest {
namespace {

bool joinable(const Mapping& a, const Mapping& b) {
    return !a.file && !b.file && !a.shm && !b.shm && a.region.end == b.region.begin &&
           a.region.prot == b.region.prot && !a.region.shared && !b.region.shared &&
           a.region.name == b.region.name && a.dont_fork == b.dont_fork &&
           a.wipe_on_fork == b.wipe_on_fork;
}

}  // namespace

MappingList::~MappingList() {
    for (const auto& [fd, users] : fd_users_) close(fd);
}

bool MappingList::free_range(std::uint64_t begin, std::uint64_t end) const {
    auto it = by_begin_.lower_bound(end);
    return it == by_begin_.begin() || std::prev(it)->second.region.end <= begin;
}

std::optional<std::uint64_t> MappingList::find_gap(std::uint64_t from, std::uint64_t limit,
                                                   std::uint64_t length) const {
    std::uint64_t at = from;
    auto it = by_begin_.upper_bound(from);
    if (it != by_begin_.begin()) at = std::max(at, std::prev(it)->second.region.end);
    for (; it != by_begin_.end(); ++it) {
        if (it->first >= at && it->first - at >= length) break;
        at = std::max(at, it->second.region.end);
    }
    if (at > limit || limit - at < length) return std::nullopt;
    return at;
}

std::optional<std::uint64_t> MappingList::find_gap(std::uint64_t length) const {
    if (auto gap = find_gap(kMmapBase, kMmapLimit, length)) return gap;
    return find_gap(kHighMmapBase, kHighMmapLimit, length);
}

const Mapping* MappingList::mapping_at(std::uint64_t address) const {
    auto it = by_begin_.upper_bound(address);
    if (it == by_begin_.begin()) return nullptr;
    --it;
    return address < it->second.region.end ? &it->second : nullptr;
}

const Mapping* MappingList::mapping_or_next(std::uint64_t address) const {
    if (const Mapping* m = mapping_at(address)) return m;
    const auto it = by_begin_.upper_bound(address);
    return it == by_begin_.end() ? nullptr : &it->second;
}

bool MappingList::covered(std::uint64_t begin, std::uint64_t end) const {
    for (std::uint64_t at = begin; at < end;) {
        const Mapping* m = mapping_at(at);
        if (!m) return false;
        at = m->region.end;
    }
    return true;
}

void MappingList::hold(const Mapping& m) {
    if (m.fd >= 0) ++fd_users_[m.fd];
}

void MappingList::drop(const Mapping& m) {
    if (m.fd < 0) return;
    auto it = fd_users_.find(m.fd);
    if (--it->second == 0) {
        close(it->first);
        fd_users_.erase(it);
    }
}

void MappingList::insert(Mapping m) {
    hold(m);
    const std::uint64_t begin = m.region.begin;
    by_begin_.insert_or_assign(begin, std::move(m));
}

void MappingList::split(std::uint64_t at) {
    auto it = by_begin_.lower_bound(at);
    if (it == by_begin_.begin()) return;
    Mapping& left = std::prev(it)->second;
    if (left.region.end <= at) return;
    Mapping right = left;
    right.region.begin = at;
    right.region.file_offset += at - left.region.begin;
    left.region.end = at;
    insert(std::move(right));
}

void MappingList::erase(std::uint64_t begin, std::uint64_t end) {
    split(begin);
    split(end);
    auto it = by_begin_.lower_bound(begin);
    while (it != by_begin_.end() && it->first < end) {
        drop(it->second);
        it = by_begin_.erase(it);
    }
}

void MappingList::merge_around(std::uint64_t begin) {
    auto it = by_begin_.find(begin);
    if (it == by_begin_.end()) return;
    if (it != by_begin_.begin() && joinable(std::prev(it)->second, it->second)) {
        auto left = std::prev(it);
        left->second.region.end = it->second.region.end;
        by_begin_.erase(it);
        it = left;
    }
    auto next = std::next(it);
    if (next != by_begin_.end() && joinable(it->second, next->second)) {
        it->second.region.end = next->second.region.end;
        by_begin_.erase(next);
    }
}

}  // namespace e2k::guest
