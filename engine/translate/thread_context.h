// What the translator keeps for each guest thread: predictions of indirect transfers and returns.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "engine/cpu/state.h"
#include "engine/translate/host_frame.h"
#include "engine/translate/window_config.h"

namespace e2k::translate {

/// Set in CpuState::interrupt to make a thread leave translated code for the translator's own
/// reasons; never reported to the caller of `run`.
inline constexpr std::uint32_t kKick = 1u << 31;

class ThreadContext {
public:
    explicit ThreadContext(const cpu::CpuState& state);
    ~ThreadContext();
    ThreadContext(const ThreadContext&) = delete;
    ThreadContext& operator=(const ThreadContext&) = delete;

    /// Forgets all predictions; only by the thread itself or while it is not in translated code.
    void clear();
    void predict(std::uint64_t ip, Config config, std::uint8_t* code);
    /// What was predicted; null: nothing.
    std::uint8_t* predicted(std::uint64_t ip, Config config) const;
    /// The thread runs on `state` from now on and can be kicked; null: no longer.
    void run_on(cpu::CpuState* state);
    void kick();
    std::uint64_t shadow_bias() const { return shadow_bias_; }
    JumpCacheEntry* jump_cache() { return jump_cache_.data(); }
    SavedRegisters* saved() { return saved_.get(); }
    /// A place where code met tags.
    struct TaggedPlace {
        unsigned block = 0;     ///< bundles to the next transfer; 0: not known yet
        unsigned refusals = 0;  ///< so often
    };
    TaggedPlace& tagged_place(std::uint64_t ip) {
        constexpr std::size_t kMost = 4096;
        if (tagged_places_.size() >= kMost) tagged_places_.clear();
        return tagged_places_[ip];
    }
    bool fits(const cpu::CpuState& state) const { return state.chain_limit == chain_limit_; }

    // A thread says that it is in code before it looks whether it is stale; who is about to drop
    // code says that it is stale before looking whether it is in code.
    std::atomic<bool> stale{false};    ///< clear() is due before translated code runs again
    std::atomic<bool> in_code{false};  ///< the thread may be in translated code

private:
    std::mutex kick_mutex_;  ///< of `running_`: its owner may destroy it as soon as it is null
    cpu::CpuState* running_ = nullptr;
    std::vector<JumpCacheEntry> jump_cache_;
    std::unique_ptr<SavedRegisters> saved_ = std::make_unique<SavedRegisters>();
    std::unordered_map<std::uint64_t, TaggedPlace> tagged_places_;
    const cpu::ChainFrame* chain_limit_;
    std::uint8_t* shadow_ =
        nullptr;  ///< one host address per chain frame: where its return continues
    std::size_t shadow_bytes_ = 0;
    std::uint64_t shadow_bias_ = 0;
};

}  // namespace e2k::translate
