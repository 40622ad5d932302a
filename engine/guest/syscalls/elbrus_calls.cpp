// Calls that exist only on Elbrus: the hardware stacks as programs may see and change them
// (syscalls.md §9).
//
// Numbering. Our chain_file[k] is the memory record k+1 of a real machine: record 0 is the all-zero
// end of the chain, and the newest record (depth+1) is the continuation of the system call itself,
// which lives in registers.
#include <sys/types.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <vector>

#include "engine/cpu/interpreter.h"
#include "engine/guest/memory_observer.h"
#include "engine/guest/syscalls/call.h"
#include "engine/guest/syscalls/chain.h"

namespace e2k::guest {
namespace {

constexpr std::uint64_t kRecord = sizeof(ChainRecordE2k);
constexpr std::uint64_t kJustReturn = ~0ull;

std::uint64_t records_in_memory(const cpu::CpuState& state) { return state.depth() + 1; }

ChainRecordE2k read_record(const Call& call, std::uint64_t index) {
    const cpu::CpuState& state = call.thread.state;
    if (index == 0) return {0, 0, kPsrMonitor, 0};
    if (index <= state.depth()) return publish(state.chain_file[index - 1]);
    return publish(call_frame(call));
}

// --- backtrace ---

/// User frames from the newest, the function that issued the call left out; `visit` returns false
/// to stop. Signal trampolines are passed over.
template <class F>
void walk_user_frames(cpu::CpuState& state, std::uint64_t skip, F&& visit) {
    for (cpu::ChainFrame* f = state.chain_top; f-- != state.chain_file;) {
        if (f->return_ip == cpu::kSentinelReturn) continue;
        if (skip > 0) {
            --skip;
            continue;
        }
        if (!visit(*f)) return;
    }
}

std::int64_t sys_get_backtrace(Call& call) {
    if (call.arg[3] != 0) return -EINVAL;
    std::uint64_t stored = 0;
    bool fault = false;
    walk_user_frames(call.thread.state, call.arg[2], [&](cpu::ChainFrame& frame) {
        if (stored >= call.arg[1]) return false;
        fault = !call.put(call.arg[0] + 8 * stored, frame.return_ip & ~7ull);
        if (!fault) ++stored;
        return !fault;
    });
    return stored == 0 && fault ? -EFAULT : static_cast<std::int64_t>(stored);
}

std::int64_t sys_set_backtrace(Call& call) {
    if (call.arg[3] != 0) return -EINVAL;
    std::uint64_t written = 0;
    std::int64_t error = 0;
    walk_user_frames(call.thread.state, call.arg[2], [&](cpu::ChainFrame& frame) {
        if (written >= call.arg[1] || error) return false;
        std::uint64_t address = 0;
        if (!call.get(call.arg[0] + 8 * written, address)) {
            error = -EFAULT;
        } else if (address == kJustReturn) {
            error = -ENOSYS;  // the "just return" trampoline needs code of the kernel's own
        } else {
            const auto from = call.memory().region_at(frame.return_ip);
            const auto to = call.memory().region_at(address);
            if (!from || !to)
                error = -ESRCH;
            else if (from->prot != to->prot || from->name != to->name)
                error = -EPERM;
            else
                frame.return_ip = address & ~7ull;
        }
        if (!error) ++written;
        return !error;
    });
    return written == 0 && error ? error : static_cast<std::int64_t>(written);
}

// --- access_hw_stacks ---

enum HwStackMode : std::uint64_t {
    kReadChain,
    kReadProcedure,
    kWriteProcedure,
    kChainOffset,
    kChainSize,
    kProcedureSize,
    kReadChainEx,
    kReadProcedureEx,
    kWriteProcedureEx,
    kWriteChainEx,
    kReadChainNative
};

std::int64_t read_chain(Call& call, std::uint64_t offset, std::uint64_t size) {
    for (std::uint64_t i = 0; i < size; i += kRecord)
        if (!call.put(call.arg[2] + i, read_record(call, (offset + i) / kRecord))) return -EFAULT;
    return 0;
}

void announce_stacks(const Call& call) {
    if (MemoryObserver* const observer = observer_of(call.memory().view().base))
        observer->stacks_written();
}

std::int64_t write_chain(Call& call, std::uint64_t offset, std::uint64_t size) {
    cpu::CpuState& state = call.thread.state;
    std::vector<std::uint8_t> bytes(size);
    if (!call.memory().read(call.arg[2], bytes.data(), size)) return -EFAULT;
    std::vector<std::pair<std::uint64_t, ChainRecordE2k>> changed;
    for (std::uint64_t at = offset / kRecord * kRecord; at < offset + size; at += kRecord) {
        const std::uint64_t index = at / kRecord;
        if (index == 0 || index > state.depth()) continue;  // service records stay as they are
        ChainRecordE2k record = read_record(call, index);
        const std::uint64_t from = std::max(at, offset), to = std::min(at + kRecord, offset + size);
        std::memcpy(reinterpret_cast<std::uint8_t*>(&record) + (from - at),
                    bytes.data() + (from - offset), to - from);
        changed.emplace_back(index, record);
        if (!cpu::is_sound_rotation(cpu::rotation_from(record.cr1_hi))) return -EINVAL;
    }
    announce_stacks(call);
    for (const auto& [index, record] : changed)
        accept(state.chain_file[index - 1], record, state.exact_tags != 0);
    return 0;
}

std::int64_t copy_procedure(Call& call, std::uint64_t offset, std::uint64_t size, bool write) {
    cpu::CpuState& state = call.thread.state;
    if (!write) {
        const auto bytes = read_procedure_stack(state, offset, size);
        return call.memory().write(call.arg[2], bytes.data(), size) ? 0 : -EFAULT;
    }
    std::vector<std::uint8_t> bytes(size);
    if (!call.memory().read(call.arg[2], bytes.data(), size)) return -EFAULT;
    announce_stacks(call);
    write_procedure_stack(state, offset, bytes);
    return 0;
}

std::int64_t sys_access_hw_stacks(Call& call) {
    cpu::CpuState& state = call.thread.state;
    const std::uint64_t mode = call.arg[0], size = call.arg[3];
    const std::uint64_t chain_used = kRecord * records_in_memory(state);
    const std::uint64_t chain_all = chain_used + kRecord;
    const std::uint64_t procedure_used = 16 * (state.window_index() + 2 * call.stop.syscall_wbs);
    auto report = [&](std::uint64_t value, bool required) -> std::int64_t {
        if (call.arg[4] == 0) return required ? -EFAULT : 0;
        return call.put_result(call.arg[4], value);
    };
    std::uint64_t f = 0;
    const bool takes_frame =
        mode != kWriteProcedure && mode != kChainSize && mode != kProcedureSize;
    if (mode > kReadChainNative) return -EINVAL;
    const bool takes_buffer = takes_frame && mode != kChainOffset;
    if (takes_buffer && call.arg[2] % 8) return -EINVAL;
    if (takes_frame && !call.get(call.arg[1], f)) return -EFAULT;
    switch (mode) {
        case kReadChain:
        case kReadProcedure: {
            const bool chain = mode == kReadChain;
            const std::uint64_t base = chain ? state.pcsp_base : state.psp_base;
            const std::uint64_t used = chain ? chain_used : procedure_used;
            f &= kAddressMask;
            if (f < base || f - base > used) return -EAGAIN;
            if (const auto error = report(f - base, false)) return error;
            if (f - base > size) return -ENOMEM;
            return chain ? read_chain(call, 0, (f - base) / kRecord * kRecord)
                         : copy_procedure(call, 0, f - base, false);
        }
        case kWriteProcedure:
            return size > procedure_used ? -EINVAL : copy_procedure(call, 0, size, true);
        case kChainOffset:
            f &= kAddressMask;
            if (f < state.pcsp_base || f - state.pcsp_base > chain_used) return -ESRCH;
            return report(f - state.pcsp_base, true);
        case kChainSize:
            return report(chain_all, true);
        case kProcedureSize:
            return report(procedure_used, true);
        case kReadChainEx:
        case kReadChainNative:
            if (f > chain_all || size > chain_all - f || f % kRecord || size % kRecord)
                return -EINVAL;
            return read_chain(call, f, size);
        case kWriteChainEx:
            if (f > chain_all || size > chain_all - f || f % 8 || size % 8) return -EINVAL;
            return write_chain(call, f, size);
        default:
            if (f > procedure_used || size > procedure_used - f || f % 8) return -EINVAL;
            return copy_procedure(call, f, size, mode == kWriteProcedureEx);
    }
}

std::int64_t sys_syswork(Call& call) {
    constexpr std::uint64_t kFlushCommandCaches = 8, kGetContext = 57, kFastReturn = 58;
    switch (call.arg[0]) {
        case kFastReturn:
            return 0;
        case kFlushCommandCaches:
            for (const Region& r : call.memory().regions())
                if (r.prot & kProtExec) call.memory().note_write(r.begin, r.end - r.begin);
            return 0;
        case kGetContext:
            if (call.arg[1] > call.thread.state.depth()) return -EINVAL;
            return call.put_result(call.arg[2],
                                   read_record(call, call.thread.state.depth() + 1 - call.arg[1]));
        default:
            return ENOSYS;  // positive: so the kernel answers an unprivileged caller
    }
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{228, "e2k_syswork", {Int, Hex, Hex}, sys_syswork},
    SyscallRow{252, "set_backtrace", {Ptr, Size, Size, Hex}, sys_set_backtrace},
    SyscallRow{253, "get_backtrace", {BacktraceOut, Size, Size, Hex}, sys_get_backtrace},
    SyscallRow{254, "access_hw_stacks", {Int, Ptr, Ptr, Size, LongOut}, sys_access_hw_stacks},
};

}  // namespace

std::span<const SyscallRow> elbrus_rows() { return kRows; }

std::int64_t fast_siggetmask(Call& call) {
    if (call.arg[1] != 8) return -EINVAL;
    return call.put_result(call.arg[0], call.thread.signals->mask);
}

std::int64_t fast_set_return(Call& call) {
    if (call.arg[1] != 0) return -EINVAL;
    if (call.arg[0] >= cpu::kAddressEnd) return -EFAULT;
    cpu::CpuState& state = call.thread.state;
    if (state.chain_top == state.chain_file ||
        state.chain_top[-1].return_ip == cpu::kSentinelReturn)
        return -EPERM;
    state.chain_top[-1].return_ip = call.arg[0] & ~7ull;
    return 0;
}

}  // namespace e2k::guest
