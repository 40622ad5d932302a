#include "engine/cpu/exec/bundle_cache.h"

#include <algorithm>

namespace e2k::cpu::exec {

ExecBundle* BundleCache::find_slow(std::uint64_t address) {
    const auto it = all_.find(address);
    if (it == all_.end()) return nullptr;
    return recent_[slot(address)] = it->second;
}

ExecBundle* BundleCache::insert(const isa::Bundle& bundle, int iset) {
    if (used_in_chunk_ == kChunk) {
        chunks_.push_back(std::make_unique<std::array<ExecBundle, kChunk>>());
        used_in_chunk_ = 0;
    }
    ExecBundle* entry = &(*chunks_.back())[used_in_chunk_++];
    predecode(bundle, iset, *entry);
    all_[bundle.address] = entry;
    recent_[slot(bundle.address)] = entry;
    pages_.insert(bundle.address >> kPageShift);
    pages_.insert((bundle.next_address() - 1) >> kPageShift);
    return entry;
}

bool BundleCache::overlaps(std::uint64_t begin, std::uint64_t end) const {
    if (begin >= end) return false;
    const std::uint64_t first = begin >> kPageShift, last = (end - 1) >> kPageShift;
    if (last - first > pages_.size()) {
        for (const std::uint64_t page : pages_)
            if (page >= first && page <= last) return true;
        return false;
    }
    for (std::uint64_t page = first; page <= last; ++page)
        if (pages_.contains(page)) return true;
    return false;
}

void BundleCache::flush() {
    if (all_.empty()) return;
    std::fill_n(recent_.get(), kRecent, nullptr);
    all_.clear();
    pages_.clear();
    if (chunks_.empty()) return;
    chunks_.resize(1);  // one is kept: flushes come in series
    used_in_chunk_ = 0;
}

}  // namespace e2k::cpu::exec
