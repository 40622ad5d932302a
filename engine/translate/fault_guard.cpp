#include "engine/translate/fault_guard.h"

#include <signal.h>
#include <ucontext.h>

#include <array>
#include <atomic>
#include <mutex>

#include "engine/cpu/stack_watch.h"

namespace e2k::translate {
namespace {

constexpr int kMaxRanges = 64;

struct Slot {
    std::atomic<std::uint64_t> begin{0}, end{0}, resume{0};
};

std::array<Slot, kMaxRanges> slots;
struct sigaction previous_segv, previous_bus;
thread_local std::uint64_t last_fault_pc = 0;
thread_local bool last_fault_on_wall = false;

void pass_on(int signal, siginfo_t* info, void* context, const struct sigaction& previous) {
    if (previous.sa_flags & SA_SIGINFO) {
        previous.sa_sigaction(signal, info, context);
    } else if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN) {
        // The default action at the same place: return to it without a handler.
        struct sigaction standard {};
        standard.sa_handler = SIG_DFL;
        sigaction(signal, &standard, nullptr);
    } else {
        previous.sa_handler(signal);
    }
}

void on_fault(int signal, siginfo_t* info, void* context) {
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
        return;
    }
    if (signal == SIGSEGV && cpu::StackWatch::absorb(info->si_addr)) return;
    pass_on(signal, info, context, signal == SIGBUS ? previous_bus : previous_segv);
}

void install() {
    static std::once_flag once;
    std::call_once(once, [] {
        struct sigaction action {};
        action.sa_sigaction = on_fault;
        // The guest's code runs on the worker's ordinary stack, so no alternate one is needed;
        // SA_ONSTACK keeps the one a sanitizer may have set up in use.
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;
        sigemptyset(&action.sa_mask);
        sigaction(SIGSEGV, &action, &previous_segv);
        sigaction(SIGBUS, &action, &previous_bus);
    });
}

}  // namespace

FaultGuard::FaultGuard(const CodeRange& range) {
    install();
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
