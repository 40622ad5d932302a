#include "engine/guest/libc/guest_word.h"

#include <linux/futex.h>

namespace e2k::guest::libc {
namespace {
constexpr std::uint32_t kFutex = 248;
}

Outcome<void> wait_while(LibraryCall& call, std::uint64_t address, std::uint32_t value,
                         std::uint64_t end, bool realtime) {
    const std::uint64_t operation =
        end == 0 ? FUTEX_WAIT : FUTEX_WAIT_BITSET | (realtime ? FUTEX_CLOCK_REALTIME : 0);
    const auto done =
        call.kernel(kFutex, address, operation, value, end, 0, FUTEX_BITSET_MATCH_ANY);
    if (done || (done.error().kind == Trouble::Kind::Error && done.error().error == EAGAIN))
        return {};
    return tl::unexpected(done.error());
}

void wake_waiters(LibraryCall& call, std::uint64_t address, int count) {
    static_cast<void>(call.kernel(kFutex, address, FUTEX_WAKE, static_cast<std::uint64_t>(count)));
}

}  // namespace e2k::guest::libc
