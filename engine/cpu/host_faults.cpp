// Handlers of the host's fault signals. Built without the thread sanitizer (engine/CMakeLists.txt).
#include "engine/cpu/host_faults.h"

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>

#include "engine/cpu/memory.h"

// Copies [%rsi, +%rdx) to %rdi; a fault between the labels goes on at the last one. Returns 1 or 0.
extern "C" bool e2k_guarded_copy(void* to, const void* from, std::size_t size) noexcept;
extern "C" bool e2k_touch(const std::uint8_t* at) noexcept;
extern "C" const char e2k_guarded_begin[], e2k_guarded_end[], e2k_guarded_failed[];
asm(R"(
    .text
    .p2align 4
    .globl e2k_guarded_copy
    .hidden e2k_guarded_copy
    .type e2k_guarded_copy, @function
e2k_guarded_copy:
    .cfi_startproc
    endbr64
    mov %rdx, %rcx
    .globl e2k_guarded_begin
    .hidden e2k_guarded_begin
e2k_guarded_begin:
    rep movsb
    mov $1, %eax
    ret
    .cfi_endproc
    .size e2k_guarded_copy, . - e2k_guarded_copy
    .p2align 4
    .globl e2k_touch
    .hidden e2k_touch
    .type e2k_touch, @function
e2k_touch:
    .cfi_startproc
    endbr64
    movzbl (%rdi), %eax
    mov $1, %eax
    ret
    .globl e2k_guarded_end
    .hidden e2k_guarded_end
e2k_guarded_end:
    .globl e2k_guarded_failed
    .hidden e2k_guarded_failed
e2k_guarded_failed:
    xor %eax, %eax
    ret
    .cfi_endproc
    .size e2k_touch, . - e2k_touch
)");

#ifdef E2K_THREAD_SANITIZER
/// The C library's own name for sigaction (see guest/host_signals.cpp).
extern "C" int __sigaction(int, const struct sigaction*, struct sigaction*) noexcept;
#endif

namespace e2k::cpu {

/// Pages made accessible by force wait in `forced` until their owner takes them.
struct GuardedRange {
    static constexpr std::uint32_t kForced = 1024;
    static constexpr std::uint64_t kPresent = 1, kReplaced = 2;
    std::atomic<std::uint8_t*> begin{nullptr};
    std::atomic<std::uint64_t> size{0};
    std::uint8_t* pages = nullptr;
    std::atomic<bool> used{false};
    std::array<std::atomic<std::uint64_t>, kForced> forced{};  ///< offset | kPresent | kReplaced
    std::atomic<std::uint32_t> written{0}, taken{0};
};

namespace {

constexpr std::array kFaults{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
constexpr int kMaxRanges = 64, kMaxResponders = 8;

std::array<GuardedRange, kMaxRanges> g_ranges;
std::array<std::atomic<FaultResponder>, kMaxResponders> g_responders;
std::atomic<SentSignalReceiver> g_receiver{nullptr};
std::array<struct sigaction, 65> g_previous;
std::mutex g_mutex;
bool g_memory_faults = false, g_all_faults = false;

int set_action(int signal, const struct sigaction& action, struct sigaction* old) {
#ifdef E2K_THREAD_SANITIZER
    return __sigaction(signal, &action, old);
#else
    return sigaction(signal, &action, old);
#endif
}

bool goes_on_after_guard(ucontext_t* context) {
    auto& ip = context->uc_mcontext.gregs[REG_RIP];
    const auto at = static_cast<std::uint64_t>(ip);
    if (at < reinterpret_cast<std::uint64_t>(e2k_guarded_begin) ||
        at >= reinterpret_cast<std::uint64_t>(e2k_guarded_end))
        return false;
    ip = reinterpret_cast<greg_t>(e2k_guarded_failed);
    return true;
}

/// The faulting access of code that nothing guards shall succeed.
bool force_page(int signal, const siginfo_t* info) {
    auto* const at = static_cast<std::uint8_t*>(info->si_addr);
    for (GuardedRange& range : g_ranges) {
        std::uint8_t* const begin = range.begin.load();
        if (!begin || at < begin || at >= begin + range.size.load()) continue;
        const auto offset = static_cast<std::uint64_t>(at - begin) & ~(kPageSize - 1);
        std::uint8_t* const page = begin + offset;
        const std::uint32_t n = range.written.fetch_add(1);
        if (n - range.taken.load() >= GuardedRange::kForced) return false;
        const bool replace =
            signal != SIGSEGV || mprotect(page, kPageSize, PROT_READ | PROT_WRITE) != 0;
        if (replace &&
            mmap(page, kPageSize, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
            return false;
        // The next access of the interpreter stops there and has it put right.
        std::uint8_t& bits = range.pages[offset >> kPageShift];
        if (__atomic_load_n(&bits, __ATOMIC_RELAXED) != 0)
            __atomic_store_n(&bits, std::uint8_t{kPageMapped | kPageFile}, __ATOMIC_RELAXED);
        range.forced[n % GuardedRange::kForced].store(offset | GuardedRange::kPresent |
                                                      (replace ? GuardedRange::kReplaced : 0));
        return true;
    }
    return false;
}

/// What would have happened without this handler.
void pass_on(int signal, siginfo_t* info, void* context, bool sent) {
    const struct sigaction& previous = g_previous[static_cast<std::size_t>(signal)];
    if (previous.sa_flags & SA_SIGINFO) {
        previous.sa_sigaction(signal, info, context);
    } else if (previous.sa_handler == SIG_IGN && sent) {
        return;
    } else if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN) {
        // The default action at the same place: return to it without a handler.
        struct sigaction standard {};
        standard.sa_handler = SIG_DFL;
        set_action(signal, standard, nullptr);
        if (sent) kill(getpid(), signal);
    } else {
        previous.sa_handler(signal);
    }
}

void on_fault(int signal, siginfo_t* info, void* context) {
    const int saved = errno;
    // The kernel's codes are positive; no sender can have one.
    const bool sent = info->si_code <= 0;
    bool done = false;
    if (sent) {
        const SentSignalReceiver receiver = g_receiver.load();
        done = receiver && receiver(signal, info, context);
    } else if (signal == SIGSEGV || signal == SIGBUS) {
        done = goes_on_after_guard(static_cast<ucontext_t*>(context));
    }
    for (auto& slot : g_responders) {
        if (done || sent) break;
        const FaultResponder responder = slot.load();
        done = responder && responder(signal, info, context);
    }
    if (!done && !sent && (signal == SIGBUS || signal == SIGSEGV)) done = force_page(signal, info);
    if (!done) pass_on(signal, info, context, sent);
    errno = saved;
}

void install(int signal) {
    struct sigaction action {};
    action.sa_sigaction = on_fault;
    // SA_ONSTACK keeps the stack that a sanitizer may have set up in use; SA_RESTART and NODEFER,
    // because these are ordinary signals, too, when somebody sends them.
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    set_action(signal, action, &g_previous[static_cast<std::size_t>(signal)]);
}

void install_memory_faults() {
    if (g_memory_faults) return;
    g_memory_faults = true;
    install(SIGSEGV);
    install(SIGBUS);
}

}  // namespace

void handle_host_faults(FaultResponder responder) {
    std::lock_guard lock(g_mutex);
    install_memory_faults();
    if (!responder) return;
    for (auto& slot : g_responders) {
        FaultResponder expected = nullptr;
        if (slot.load() == responder || slot.compare_exchange_strong(expected, responder)) return;
    }
}

void receive_sent_faults(SentSignalReceiver receiver) {
    std::lock_guard lock(g_mutex);
    g_receiver.store(receiver);
    install_memory_faults();
    if (g_all_faults) return;
    g_all_faults = true;
    for (const int signal : kFaults)
        if (signal != SIGSEGV && signal != SIGBUS) install(signal);
}

bool guarded_copy(void* to, const void* from, std::size_t size) noexcept {
    return e2k_guarded_copy(to, from, size);
}

bool can_touch(const std::uint8_t* at) noexcept { return e2k_touch(at); }

GuardedRange* register_guarded_range(std::uint8_t* begin, std::uint64_t size, std::uint8_t* pages) {
    handle_host_faults();
    for (GuardedRange& range : g_ranges) {
        if (range.used.exchange(true)) continue;
        range.pages = pages;
        range.written = range.taken = 0;
        for (auto& page : range.forced) page = 0;
        range.size = size;
        range.begin = begin;
        return &range;
    }
    return nullptr;  // guarded copies work all the same
}

void unregister_guarded_range(GuardedRange* range) {
    if (!range) return;
    range->begin = nullptr;
    range->size = 0;
    range->used = false;
}

std::optional<ForcedPage> next_forced_page(GuardedRange* range) {
    if (!range || range->taken.load() == range->written.load()) return std::nullopt;
    const std::uint32_t n = range->taken.load();
    const std::uint64_t page = range->forced[n % GuardedRange::kForced].exchange(0);
    if (!(page & GuardedRange::kPresent)) return std::nullopt;  // about to be noted
    range->taken.store(n + 1);
    return ForcedPage{page & ~(kPageSize - 1), (page & GuardedRange::kReplaced) != 0};
}

}  // namespace e2k::cpu
