// From the trap to the handler and back: registers, restart, log.
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include "engine/guest/libc/library.h"
#include "engine/guest/syscalls/call.h"
#include "engine/guest/syscalls/rules.h"

namespace e2k::guest {
namespace {

constexpr std::uint32_t kGate64 = 3, kGateOld = 4, kGateFast = 6;
constexpr std::uint8_t kLowTag = 3;  // tag bits of the low word

using Table = std::vector<const SyscallRow*>;

Table build_table() {
    Table table;
    for (auto rows :
         {file_rows(),       directory_rows(), memory_rows(),  process_rows(), identity_rows(),
          thread_rows(),     signal_rows(),    time_rows(),    poll_rows(),    socket_rows(),
          ipc_rows(),        elbrus_rows(),    context_rows(), xattr_rows(),   mqueue_rows(),
          pidfd_rows(),      schedule_rows(),  numa_rows(),    aio_rows(),     namespace_rows(),
          openat2_rows(),    clone3_rows(),    execute_rows(), old_rows(),     refused_rows(),
          descriptor_rows(), ioctl_rows(),     limit_rows()}) {
        for (const SyscallRow& row : rows) {
            if (row.number >= table.size()) table.resize(row.number + 1u);
            table[row.number] = &row;
        }
    }
    return table;
}

/// Argument k of a call: window register 2*wbs + k; a diagnostic value counts as 0.
std::uint64_t argument(const cpu::CpuState& state, const cpu::Stop& stop, unsigned k) {
    const unsigned at = 2 * stop.syscall_wbs + k;
    if (at >= state.wd.size) return 0;
    if (state.exact_tags && state.window_tags[at]) return 0;
    return state.window[at].lo;
}

/// Only the low word of the number register counts, its tag too (syscalls.md §3).
std::uint32_t number_of(const cpu::CpuState& state, const cpu::Stop& stop) {
    const unsigned at = 2 * stop.syscall_wbs;
    return at < state.wd.size ? static_cast<std::uint32_t>(state.window[at].lo) : 0;
}

bool number_is_diagnostic(const cpu::CpuState& state, const cpu::Stop& stop) {
    const unsigned at = 2 * stop.syscall_wbs;
    return at >= state.wd.size || (state.exact_tags && (state.window_tags[at] & kLowTag));
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Collects one record; nothing of it exists while the log is off.
class Logger {
public:
    Logger(const SyscallRow* row, const Call& call, bool fast)
        : row_(row), text_(row, call), begin_(std::chrono::steady_clock::now()) {
        const cpu::CpuState& state = call.thread.state;
        record_.sequence = call.process.sequence.fetch_add(1);
        record_.bundle = state.bundles;
        record_.ip = state.ip;
        record_.thread = call.thread.tid;
        record_.number = call.number;
        record_.unknown = row == nullptr;
        record_.name = row ? row->name : fmt::format("syscall_{}", call.number);
        if (fast) record_.name = "fast_" + record_.name;
        record_.start_seconds = seconds_since(call.process.begin);
    }
    void finish(const Call& call, std::int64_t result, const char* instead = nullptr) {
        record_.arguments = text_.finish(call, result);
        record_.result = result;
        record_.result_text = instead ? instead : result_text(row_, result);
        record_.failed = !instead && result < 0 && result >= -4095;
        record_.duration_seconds = seconds_since(begin_);
        call.process.sink(record_);
    }

private:
    const SyscallRow* row_;
    ArgumentText text_;
    std::chrono::steady_clock::time_point begin_;
    SyscallRecord record_;
};

}  // namespace

const SyscallRow* find_syscall(std::uint32_t number) {
    static const Table table = build_table();
    return number < table.size() ? table[number] : nullptr;
}

std::uint64_t Call::pointer(std::uint64_t address, std::uint64_t size) const {
    constexpr std::uint64_t kFaults = ~0xfffull;
    if (address == 0) return 0;
    const std::uint8_t* at = memory().host(address, size);
    return at ? reinterpret_cast<std::uint64_t>(at) : kFaults;
}

std::int64_t Call::host(long number, std::uint64_t a, std::uint64_t b, std::uint64_t c,
                        std::uint64_t d, std::uint64_t e, std::uint64_t f) {
    const long result = syscall(number, a, b, c, d, e, f);
    return result == -1 ? -errno : result;
}

std::int64_t adopt_fd(const Call& call, std::int64_t host) {
    if (host < 0) return host;
    const auto guest = call.process.fds.add(static_cast<int>(host));
    return guest ? *guest : -guest.error();
}

Next Process::system_call(Thread& thread, const cpu::Stop& stop) {
    Impl& p = *impl_;
    if (p.exiting) return Next::ProcessExit;
    p.clock->publish(thread.state);
    if (stop.syscall_entry == libc::kBridgeGate && p.library && p.library->holds(thread.state.ip))
        return p.library_call(thread, stop);
    p.follow_mask(thread);
    cpu::CpuState& state = thread.state;
    for (cpu::Ctpr& ctpr : state.ctpr) ctpr = {0, cpu::CtprTag::Empty, 0, 0, {}};
    const bool fast = stop.syscall_entry == kGateFast;
    if (!fast && stop.syscall_entry != kGate64 && stop.syscall_entry != kGateOld)
        return p.force(
            thread, SiginfoE2k::fault(SIGILL, ILL_ILLOPC, state.ip, 0),
            fmt::format("SIGILL: system call entry {} is not one of 64-bit programs (3, 6)",
                        stop.syscall_entry));

    Call call{p, thread, stop};
    call.number = number_of(state, stop);
    for (unsigned k = 0; k < call.arg.size(); ++k) call.arg[k] = argument(state, stop, k + 1);
    const bool valid = !number_is_diagnostic(state, stop);
    const SyscallRow* row = !valid ? nullptr
                            : fast ? find_fast_call(call.number)
                                   : find_syscall(call.number);
    std::optional<Logger> log;
    if (p.options.log_syscalls && p.sink) log.emplace(row, call, fast);

    std::int64_t result = -ENOSYS;
    for (;;) {
        // Fast calls read clocks and registers: nothing a sandbox forbids.
        if (row) result = fast ? row->handler(call) : perform(*row, call);
        if (result != kRestart && result != kRestartNoHand) break;
        if (thread.signals->pause.exchange(false)) return Next::Retry;
        InterruptedCall interrupted{stop, result == kRestart};
        const Next next = p.deliver(thread, &interrupted);
        if (next == Next::Continue && !interrupted.settled) continue;
        thread.signals->deadline.reset();
        if (log) log->finish(call, -EINTR, next == Next::Continue ? nullptr : "?");
        return next;
    }
    if (call.next == Next::Retry) return Next::Retry;
    thread.signals->deadline.reset();
    if (call.writes_result) write_result(state, stop, result);
    if (log) log->finish(call, result, call.next == Next::Continue ? nullptr : "?");
    if (call.next != Next::Continue) return call.next;
    if (thread.signals->wake.load(std::memory_order_relaxed)) return p.deliver(thread, nullptr);
    return Next::Continue;
}

}  // namespace e2k::guest
