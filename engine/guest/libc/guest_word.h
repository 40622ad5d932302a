// Words of guest memory that threads change at the same time, and waiting for them to change.
#pragma once

#include "engine/guest/libc/library_call.h"
#include "engine/guest/memory_observer.h"

namespace e2k::guest::libc {

/// An aligned 32-bit word that may be read and written, as the host reaches it. Guest threads may
/// race on it; that is their affair.
class GuestWord {
public:
    /// A fault unless the word is there.
    static Outcome<GuestWord> at(const LibraryCall& call, std::uint64_t address) {
        const cpu::MemoryView view = call.memory.space().view();
        if (address % 4 != 0) return libc::error(EINVAL);
        if (!view.allows(address, 4, cpu::kPageRead | cpu::kPageWrite))
            return fault(address, view.allows(address, 4, cpu::kPageRead));
        if (MemoryObserver* const observer = observer_of(view.base))
            observer->may_write(address, 4);
        return GuestWord(reinterpret_cast<std::uint32_t*>(view.base + view.place(address)));
    }
    std::uint32_t load() const { return __atomic_load_n(word_, __ATOMIC_SEQ_CST); }
    void store(std::uint32_t value) const { __atomic_store_n(word_, value, __ATOMIC_SEQ_CST); }
    std::uint32_t exchange(std::uint32_t value) const {
        return __atomic_exchange_n(word_, value, __ATOMIC_SEQ_CST);
    }
    std::uint32_t add(std::uint32_t value) const {
        return __atomic_fetch_add(word_, value, __ATOMIC_SEQ_CST);
    }
    /// True if it was `expected` and is `value` now.
    bool change(std::uint32_t expected, std::uint32_t value) const {
        return __atomic_compare_exchange_n(word_, &expected, value, false, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
    }

private:
    explicit GuestWord(std::uint32_t* word) : word_(word) {}
    std::uint32_t* word_;
};

/// Waits while the word at `address` is `value`; `end` 0, or the guest address of an absolute time.
/// Errors: ETIMEDOUT. Waking up means nothing.
Outcome<void> wait_while(LibraryCall& call, std::uint64_t address, std::uint32_t value,
                         std::uint64_t end = 0, bool realtime = true);
void wake_waiters(LibraryCall& call, std::uint64_t address, int count);

/// For functions of <pthread.h>: an error is the result, errno stays as it is.
template <class T>
Outcome<Value> as_result(const Outcome<T>& done) {
    if (done) return Value(0);
    if (done.error().kind == Trouble::Kind::Error) return Value(done.error().error);
    return tl::unexpected(done.error());
}

}  // namespace e2k::guest::libc
