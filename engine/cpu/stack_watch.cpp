#include "engine/cpu/stack_watch.h"

#include <sys/mman.h>

#include <cerrno>

namespace e2k::cpu {
namespace {

constexpr std::uintptr_t kPage = 4096;
thread_local CpuState* watched = nullptr;

}  // namespace

StackWatch::StackWatch(CpuState& state) : before_(watched) { watched = &state; }

StackWatch::~StackWatch() { watched = before_; }

CpuState* StackWatch::current() noexcept { return watched; }

bool StackWatch::on_wall(const void* address) noexcept {
    const auto at = reinterpret_cast<std::uintptr_t>(address);
    return watched && at >= watched->walls_begin && at < watched->walls_end;
}

bool StackWatch::absorb(const void* address) noexcept {
    if (!on_wall(address)) return false;
    const int saved = errno;
    const auto page = reinterpret_cast<std::uintptr_t>(address) & ~(kPage - 1);
    const void* mapped = mmap(reinterpret_cast<void*>(page), kPage, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    errno = saved;
    if (mapped == MAP_FAILED) return false;
    watched->stack_fault.store(1, std::memory_order_relaxed);
    watched->interrupt.fetch_or(1);
    return true;
}

}  // namespace e2k::cpu
