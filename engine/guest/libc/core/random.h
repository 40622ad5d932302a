// rand and random as the GNU C library computes them: an additive feedback generator of degree 31.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>

namespace e2k::guest::libc {

/// Thread-safe. Programs see the sequences of real machines.
class RandomSequence {
public:
    RandomSequence() { seed(1); }

    /// srandom, srand.
    void seed(std::uint32_t seed) {
        const std::lock_guard lock(mutex_);
        std::int64_t word = seed == 0 ? 1 : static_cast<std::int32_t>(seed);
        for (std::uint32_t& place : state_) {
            place = static_cast<std::uint32_t>(word);
            // 16807 · word mod 2^31 - 1, without overflow.
            word = 16807 * (word % 127773) - 2836 * (word / 127773);
            if (word < 0) word += 2147483647;
        }
        front_ = 3;
        rear_ = 0;
        for (int i = 0; i < 310; ++i) step();
    }
    /// random, rand: 0 … 2^31 - 1.
    std::int32_t next() {
        const std::lock_guard lock(mutex_);
        return step();
    }

    void lock_for_fork() { mutex_.lock(); }
    void unlock_after_fork() { mutex_.unlock(); }

private:
    std::int32_t step() {
        state_[front_] += state_[rear_];
        const auto result = static_cast<std::int32_t>(state_[front_] >> 1);
        front_ = (front_ + 1) % state_.size();
        rear_ = (rear_ + 1) % state_.size();
        return result;
    }

    std::mutex mutex_;
    std::array<std::uint32_t, 31> state_{};
    std::size_t front_ = 3, rear_ = 0;
};

}  // namespace e2k::guest::libc
