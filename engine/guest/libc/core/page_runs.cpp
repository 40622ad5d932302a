#include "engine/guest/libc/core/page_runs.h"

namespace e2k::guest::libc {

void PageRuns::remove(Run run) {
    by_size_.erase({run->second, run->first});
    by_address_.erase(run);
}

void PageRuns::give(std::uint64_t address, std::uint64_t bytes) {
    if (bytes == 0) return;
    auto next = by_address_.lower_bound(address);
    if (next != by_address_.end() && next->first == address + bytes) {
        bytes += next->second;
        remove(next++);
    }
    if (next != by_address_.begin()) {
        auto before = std::prev(next);
        if (before->first + before->second == address) {
            address = before->first;
            bytes += before->second;
            remove(before);
        }
    }
    by_address_.emplace(address, bytes);
    by_size_.emplace(bytes, address);
}

std::optional<std::uint64_t> PageRuns::take(std::uint64_t bytes) {
    const auto best = by_size_.lower_bound({bytes, 0});
    if (best == by_size_.end()) return std::nullopt;
    const std::uint64_t address = best->second;
    if (!take_at(address, bytes)) return std::nullopt;
    return address;
}

std::optional<std::uint64_t> PageRuns::take_aligned(std::uint64_t bytes, std::uint64_t alignment) {
    const auto best = by_size_.lower_bound({bytes + alignment, 0});
    if (best == by_size_.end()) return std::nullopt;
    const std::uint64_t address = (best->second + alignment - 1) & ~(alignment - 1);
    if (!take_at(address, bytes)) return std::nullopt;
    return address;
}

bool PageRuns::take_at(std::uint64_t address, std::uint64_t bytes) {
    auto run = by_address_.upper_bound(address);
    if (run == by_address_.begin()) return false;
    --run;
    const auto [begin, size] = *run;
    const std::uint64_t end = begin + size;
    if (address + bytes > end) return false;
    remove(run);
    give(begin, address - begin);
    give(address + bytes, end - address - bytes);
    return true;
}

}  // namespace e2k::guest::libc
