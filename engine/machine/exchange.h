// Hands the newest value from one writer to one reader without waiting on either side.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <utility>

namespace e2k::machine {

/// Triple buffer: the writer fills its own slot and swaps it with the middle one; the reader swaps
/// only when the middle one is new. (std::atomic<std::shared_ptr> would take a lock.)
template <class T>
class Exchange {
public:
    explicit Exchange(T initial) { slots_[reader_] = std::move(initial); }

    void publish(T value) {  ///< writer thread
        slots_[writer_] = std::move(value);
        writer_ =
            middle_.exchange(static_cast<std::uint8_t>(writer_ | kNew), std::memory_order_acq_rel) &
            kIndex;
    }
    const T& latest() {  ///< reader thread; valid until its next call
        if (middle_.load(std::memory_order_relaxed) & kNew)
            reader_ = middle_.exchange(reader_, std::memory_order_acq_rel) & kIndex;
        return slots_[reader_];
    }

private:
    static constexpr std::uint8_t kNew = 4, kIndex = 3;
    std::array<T, 3> slots_;
    std::atomic<std::uint8_t> middle_{1};
    std::uint8_t writer_ = 0;
    std::uint8_t reader_ = 2;
};

}  // namespace e2k::machine
