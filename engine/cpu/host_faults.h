// Faults that the host raises in this process, and the same signals sent by somebody. One owner of
// the handlers of SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGTRAP; others register what they know.
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace e2k::cpu {

/// Asked in turn about a fault of this process's own code; true: dealt with, execution goes on as
/// `context` (a ucontext_t) says. Async-signal-safe code only.
using FaultResponder = bool (*)(int signal, siginfo_t* info, void* context);

/// Takes over the handlers of SIGSEGV and SIGBUS, once; `responder` (if any) is asked from now on.
void handle_host_faults(FaultResponder responder = nullptr);

/// Gets such a signal when a process has sent it; false: it has its default effect on this process.
using SentSignalReceiver = bool (*)(int signal, siginfo_t* info, void* context);
/// Takes over the handlers of all five signals.
void receive_sent_faults(SentSignalReceiver receiver);

/// Copies bytes that may turn out not to be accessible (a file that has shrunk); then false, and
/// some may have been copied. Costs a plain copy.
[[nodiscard]] bool guarded_copy(void* to, const void* from, std::size_t size) noexcept;
/// Whether the byte can be read: no file behind it has lost it.
[[nodiscard]] bool can_touch(const std::uint8_t* at) noexcept;

/// A reserved range of guest memory. Should code of the workbench fault in it where nothing guards
/// (a page vanished between check and access), the page is made accessible and noted here, and its
/// owner puts it right again; the workbench goes on.
struct GuardedRange;
GuardedRange* register_guarded_range(std::uint8_t* begin, std::uint64_t size, std::uint8_t* pages);
void unregister_guarded_range(GuardedRange* range);
struct ForcedPage {
    std::uint64_t offset = 0;  ///< in its range
    bool replaced = false;     ///< by a page of zeros; otherwise only its protection is different
};
/// The next page that was made accessible by force.
std::optional<ForcedPage> next_forced_page(GuardedRange* range);

}  // namespace e2k::cpu
