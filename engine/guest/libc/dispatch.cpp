// From the bridge's entry to the row and back: results, errno, faults, signals, log.
#include <csignal>
#include <memory>

#include <fmt/format.h>

#include "engine/guest/libc/internal_rows.h"
#include "engine/guest/libc/library_call.h"
#include "engine/guest/libc/log.h"

namespace e2k::guest {

using namespace libc;

namespace {

/// What a function that has failed returns.
std::uint64_t failure_of(const Row& row) {
    const char result = row.signature[0];
    return result == 'p' || result == 'S' || result == 's' ? 0 : ~0ull;
}

/// The function that has called the one that runs in the stub.
std::string caller_of(const Process::Impl& process, const cpu::CpuState& state) {
    if (state.chain_top == state.chain_file) return {};
    const std::uint64_t ip = state.chain_top[-1].return_ip;
    const std::string place = process.symbols->describe(ip);
    return place.empty() ? fmt::format("0x{:x}", ip) : place;
}

void set_result(cpu::CpuState& state, const cpu::Stop& stop, const Value& value) {
    const unsigned at = 2 * stop.syscall_wbs;
    for (unsigned k = 0; k < 2; ++k) {
        if (at + k >= state.wd.size) return;
        state.window[at + k].lo = k == 0 ? value.low : value.high;
        state.window_tags[at + k] = 0;
    }
}

/// A bad pointer: SIGSEGV at the stub. A handler that returns has the function entered again.
Next fault(Process::Impl& p, Thread& thread, const cpu::Stop& stop, const Row& row,
           const Trouble& trouble) {
    const auto region = p.memory->region_at(trouble.address);
    const std::string why = fmt::format("SIGSEGV: {} 0x{:x}, {}, in {} called at {}",
                                        trouble.writing ? "store to" : "load from", trouble.address,
                                        !region           ? "not mapped"
                                        : trouble.writing ? "write-protected"
                                                          : "not readable",
                                        row.name, caller_of(p, thread.state));
    const std::size_t handlers = thread.signals->contexts.size();
    const Next next =
        p.force(thread,
                SiginfoE2k::fault(SIGSEGV, region ? SEGV_ACCERR : SEGV_MAPERR, trouble.address,
                                  static_cast<int>(cpu::TrapCode::DataPage)),
                why);
    if (next == Next::Continue && thread.signals->contexts.size() > handlers)
        thread.signals->contexts.back().restart = stop;
    return next;
}

Next missing(Process::Impl& p, const Thread& thread, const std::string& name) {
    return p.die(SIGABRT, fmt::format("calls {}, which is in no library here; called at {}", name,
                                      caller_of(p, thread.state)));
}

}  // namespace

void Process::Impl::interrupt_library_call(Thread& thread, const cpu::Stop& stop) const {
    const unsigned at = 2 * stop.syscall_wbs;
    const std::uint64_t number = at < thread.state.wd.size ? thread.state.window[at].lo : 0;
    const std::int32_t error = EINTR;
    if (thread.library) {
        memory->write(thread.library->errno_address(), &error, sizeof error);
        thread.library->children.erase(LibraryCall::place_of_call(thread.state));
    }
    const auto rows = library_rows();
    const bool known = number >= kFirstRow && number - kFirstRow < rows.size();
    Value value = 0;
    value.low = known ? failure_of(rows[number - kFirstRow]) : ~0ull;
    set_result(thread.state, stop, value);
}

Next Process::Impl::library_call(Thread& thread, const cpu::Stop& stop) {
    cpu::CpuState& state = thread.state;
    Call system{*this, thread, stop};
    const unsigned at = 2 * stop.syscall_wbs;
    system.number = at < state.wd.size ? static_cast<std::uint32_t>(state.window[at].lo) : 0;
    static const auto rows = library_rows();
    const Row* row = internal_row(system.number);
    const bool internal = row != nullptr;
    if (system.number >= kFirstMissing) {
        const std::string name = library->missing_name(system.number);
        if (!name.empty()) return missing(*this, thread, name);
    } else if (system.number >= kFirstRow && system.number - kFirstRow < rows.size()) {
        row = &rows[system.number - kFirstRow];
    }
    if (!row || !thread.library)
        return force(thread, SiginfoE2k::fault(SIGILL, ILL_ILLOPC, state.ip, 0),
                     fmt::format("SIGILL: the bridge has no row {}", system.number));

    LibraryCall call(system, *library);
    const LibraryCall::Scope current(call);
    std::unique_ptr<LibraryLogger> log;
    if (options.log_syscalls && sink && !internal)
        log = std::make_unique<LibraryLogger>(*row, call);
    if (row->driven()) call.call_next(0);
    for (;;) {
        const Outcome<Value> done = row->function(call);
        if (done) {
            if (system.next == Next::Retry) return Next::Retry;
            thread.signals->deadline.reset();
            if (system.writes_result && !internal) set_result(state, stop, *done);
            if (log && (system.writes_result || !row->driven()))
                log->finish(call, *done, system.next != Next::Continue);
            break;
        }
        const Trouble& trouble = done.error();
        if (trouble.kind == Trouble::Kind::Fault) {
            if (log) log->cut("SIGSEGV");
            return fault(*this, thread, stop, *row, trouble);
        }
        if (trouble.kind == Trouble::Kind::Abort) {
            if (log) log->cut("SIGABRT");
            return die(SIGABRT, fmt::format("SIGABRT: {}, in {} called at {}", trouble.message,
                                            row->name, caller_of(*this, state)));
        }
        if (trouble.kind == Trouble::Kind::Error) {
            thread.signals->deadline.reset();
            call.set_errno(trouble.error);
            Value value;
            value.low = failure_of(*row);
            if (system.writes_result) set_result(state, stop, value);
            if (log) log->fail(call, value, trouble.error);
            break;
        }
        if (system.next == Next::Retry) return Next::Retry;
        if (thread.signals->pause.exchange(false)) return Next::Retry;
        InterruptedCall interrupted{stop, call.restartable};
        const Next next = deliver(thread, &interrupted);
        if (next == Next::Continue && !interrupted.settled) continue;
        thread.signals->deadline.reset();
        if (log) log->cut(next == Next::Continue ? "EINTR" : "?");
        return next;
    }
    if (system.next != Next::Continue) return system.next;
    if (thread.signals->wake.load(std::memory_order_relaxed)) return deliver(thread, nullptr);
    return Next::Continue;
}

}  // namespace e2k::guest
