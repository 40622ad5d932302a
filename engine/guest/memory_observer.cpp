#include "engine/guest/memory_observer.h"

#include <atomic>

namespace e2k::guest {
namespace {

std::atomic<MemoryObserver*> observer{nullptr};
std::atomic<const std::uint8_t*> observed{nullptr};

}  // namespace

void observe_memory(const std::uint8_t* base, MemoryObserver* wanted) {
    if (!wanted && observed.load() != base) return;
    observer = nullptr;
    observed = wanted ? base : nullptr;
    observer = wanted;
}

MemoryObserver* observer_of(const std::uint8_t* base) {
    MemoryObserver* const found = observer.load(std::memory_order_relaxed);
    return found && observed.load(std::memory_order_relaxed) == base ? found : nullptr;
}

}  // namespace e2k::guest
