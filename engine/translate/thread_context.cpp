#include "engine/translate/thread_context.h"

#include <sys/mman.h>

#include <algorithm>
#include <stdexcept>

namespace e2k::translate {

namespace {

constexpr std::size_t kPage = 4096, kWall = 1u << 20;

}  // namespace

ThreadContext::ThreadContext(const cpu::CpuState& state)
    : jump_cache_(kJumpCacheSize), chain_limit_(state.chain_limit) {
    const auto frames = static_cast<std::size_t>(state.chain_limit - state.chain_file);
    shadow_bytes_ = (frames * sizeof(std::uint64_t) + kPage - 1) & ~(kPage - 1);
    // Apart from everything else, like the stacks it belongs to: it holds host addresses.
    void* const reserved = mmap(nullptr, kWall + shadow_bytes_ + kWall, PROT_NONE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED) throw std::bad_alloc();
    shadow_ = static_cast<std::uint8_t*>(reserved) + kWall;
    if (mprotect(shadow_, shadow_bytes_, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    // A chain frame has 64 bytes, its prediction 8.
    static_assert(sizeof(cpu::ChainFrame) == 8 * sizeof(std::uint64_t));
    shadow_bias_ = reinterpret_cast<std::uint64_t>(shadow_) -
                   (reinterpret_cast<std::uint64_t>(state.chain_file) >> 3);
}

ThreadContext::~ThreadContext() { munmap(shadow_ - kWall, kWall + shadow_bytes_ + kWall); }

void ThreadContext::clear() {
    std::fill(jump_cache_.begin(), jump_cache_.end(), JumpCacheEntry{});
    tagged_places_.clear();
    // Anonymous pages read as zero again: no prediction.
    madvise(shadow_, shadow_bytes_, MADV_DONTNEED);
}

void ThreadContext::run_on(cpu::CpuState* state) {
    const std::lock_guard lock(kick_mutex_);
    if (running_ && !state) running_->interrupt.fetch_and(~kKick);
    running_ = state;
}

void ThreadContext::kick() {
    stale = true;
    const std::lock_guard lock(kick_mutex_);
    if (running_) running_->interrupt.fetch_or(kKick);
}

std::uint8_t* ThreadContext::predicted(std::uint64_t ip, Config config) const {
    const JumpCacheEntry& entry = jump_cache_[(ip >> 3) & (kJumpCacheSize - 1)];
    return entry.ip == ip && entry.wd == config.wd && entry.br == config.br ? entry.code : nullptr;
}

void ThreadContext::predict(std::uint64_t ip, Config config, std::uint8_t* code) {
    jump_cache_[(ip >> 3) & (kJumpCacheSize - 1)] = {ip, config.wd, config.br, code};
}

}  // namespace e2k::translate
