// Robust futexes: what becomes of locks whose owner ends (set_robust_list).
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/guest/process_impl.h"

namespace e2k::guest {
namespace {

constexpr unsigned kLongestList = 2048;           ///< entries; a list may be a circle
constexpr std::uint64_t kPriorityInheriting = 1;  ///< in the pointer to an entry

/// robust_list_head.
struct ListHead {
    std::uint64_t first = 0;
    std::int64_t offset = 0;  ///< of the futex from its entry
    std::uint64_t pending = 0;
};

/// One futex that the thread may own.
void release(AddressSpace& memory, std::uint64_t address, std::uint32_t tid, bool inheriting,
             bool pending) {
    if ((address & 3) || !memory.view().allows(address, 4, cpu::kPageRead | cpu::kPageWrite))
        return;
    auto* const word = reinterpret_cast<std::uint32_t*>(memory.host(address, 4));
    if (!word) return;
    const auto wake = [&] { syscall(SYS_futex, word, FUTEX_WAKE, 1, nullptr, nullptr, 0); };
    std::uint32_t value = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    do {
        // It died between giving the lock back and waking the next.
        if (pending && !inheriting && value == 0) return wake();
        if ((value & FUTEX_TID_MASK) != tid) return;
    } while (!__atomic_compare_exchange_n(word, &value, (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED,
                                          false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    if (!inheriting && (value & FUTEX_WAITERS)) wake();
}

}  // namespace

void Process::Impl::release_robust_futexes(Thread& thread) {
    const std::uint64_t at = std::exchange(thread.signals->robust_list, 0);
    ListHead head;
    if (at == 0 || !memory->read(at, &head, sizeof head)) return;
    const auto futex = [&](std::uint64_t entry) {
        return (entry & ~kPriorityInheriting) + static_cast<std::uint64_t>(head.offset);
    };
    std::uint64_t entry = head.first;
    for (unsigned n = 0; n < kLongestList && (entry & ~kPriorityInheriting) != at; ++n) {
        // Its successor first: who gets the lock may take the entry out of the list.
        std::uint64_t next = 0;
        const bool readable = memory->read(entry & ~kPriorityInheriting, &next, sizeof next);
        if (entry != head.pending)
            release(*memory, futex(entry), thread.tid, entry & kPriorityInheriting, false);
        if (!readable) break;
        entry = next;
    }
    if (head.pending & ~kPriorityInheriting)
        release(*memory, futex(head.pending), thread.tid, head.pending & kPriorityInheriting, true);
}

}  // namespace e2k::guest
