#include "engine/translate/fault_guard.h"

#include <signal.h>
#include <ucontext.h>

#include <array>
#include <atomic>

#include "engine/cpu/host_faults.h"
#include "engine/cpu/stack_watch.h"

namespace e2k::translate {
namespace {

constexpr int kMaxRanges = 64;

struct Slot {
    std::atomic<std::uint64_t> begin{0}, end{0}, resume{0};
};

std::array<Slot, kMaxRanges> slots;
thread_local std::uint64_t last_fault_pc = 0;
thread_local bool last_fault_on_wall = false;

/// Leaves the region whose code has faulted. Its guest code runs on the worker's ordinary stack.
bool on_fault(int signal, siginfo_t* info, void* context) {
    if (signal != SIGSEGV && signal != SIGBUS) return false;
    auto* machine = static_cast<ucontext_t*>(context);
    const auto pc = static_cast<std::uint64_t>(machine->uc_mcontext.gregs[REG_RIP]);
    for (Slot& slot : slots) {
        if (pc < slot.begin.load(std::memory_order_acquire) ||
            pc >= slot.end.load(std::memory_order_acquire))
            continue;
        last_fault_pc = pc;
        last_fault_on_wall = signal == SIGSEGV && cpu::StackWatch::on_wall(info->si_addr);
        machine->uc_mcontext.gregs[REG_RIP] =
            static_cast<greg_t>(slot.resume.load(std::memory_order_relaxed));
        return true;
    }
    return signal == SIGSEGV && cpu::StackWatch::absorb(info->si_addr);
}

}  // namespace

FaultGuard::FaultGuard(const CodeRange& range) {
    cpu::handle_host_faults(on_fault);
    for (int i = 0; i < kMaxRanges; ++i) {
        std::uint64_t free = 0;
        if (!slots[static_cast<std::size_t>(i)].begin.compare_exchange_strong(free, ~0ull))
            continue;
        Slot& slot = slots[static_cast<std::size_t>(i)];
        slot.resume.store(range.resume);
        slot.end.store(range.end, std::memory_order_release);
        slot.begin.store(range.begin, std::memory_order_release);
        slot_ = i;
        return;
    }
}

FaultGuard::~FaultGuard() {
    if (slot_ < 0) return;
    Slot& slot = slots[static_cast<std::size_t>(slot_)];
    slot.end.store(0, std::memory_order_release);
    slot.begin.store(0, std::memory_order_release);
}

std::uint64_t FaultGuard::fault_pc() { return last_fault_pc; }
bool FaultGuard::fault_on_wall() { return last_fault_on_wall; }

}  // namespace e2k::translate
