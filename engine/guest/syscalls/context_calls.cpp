// longjmp and the context calls: going on somewhere else, on this chain or on another
// (syscalls.md §9.1, §9.5).
//
// A context is found by its key, which getcontext, makecontext and swapcontext leave in the slot of
// nr_TIRs. Nothing else of a ucontext is trusted: positions and windows are held against the
// records of the chain (jump_in_chain), which programs cannot write.
#include <csignal>
#include <cstddef>
#include <cstring>

#include <fmt/format.h>

#include "engine/cpu/interpreter.h"
#include "engine/guest/syscalls/chain.h"

namespace e2k::guest {
namespace {

constexpr std::uint64_t kRecord = sizeof(ChainRecordE2k), kLow32 = 0xffff'ffff;
constexpr std::uint64_t kSigkillBit = signal_bit(SIGKILL), kSigstopBit = signal_bit(SIGSTOP);
constexpr std::uint64_t kSetSize = 8;  ///< of a signal set
// State register codes (state.md §1).
constexpr std::uint8_t kUsdLo = 0x2d, kUsdHi = 0x2c, kPfpfr = 0x84, kFpcr = 0x85, kFpsr = 0x86;

/// What of a ucontext the calls read and write.
constexpr std::size_t kUsed = offsetof(UcontextE2k, extra) + offsetof(SigextraE2k, ctpr);

bool read_context(const AddressSpace& memory, std::uint64_t at, UcontextE2k& uc) {
    return memory.read(at, &uc, kUsed);
}
bool write_context(AddressSpace& memory, std::uint64_t at, const UcontextE2k& uc) {
    return memory.write(at, &uc, kUsed);
}

// swapcontext and makecontext describe the exact place; in tir_*, which has no other use for them:
std::uint64_t& parked_times(UcontextE2k& uc) { return uc.context.tir_hi[0]; }
std::uint64_t& in_call(UcontextE2k& uc) { return uc.context.tir_hi[1]; }  ///< not after its return
std::uint64_t* return_record(UcontextE2k& uc) { return uc.context.tir_lo.data(); }  ///< ip, cr1

void write_zero_result(cpu::CpuState& state, unsigned at) {
    if (at >= state.wd.size) return;
    state.window[at].lo = 0;
    state.window_tags[at] = 0;
}

/// The thread executes on `to` from now on; what it executed on is parked.
void switch_stacks(Process::Impl& process, Thread& thread, StackContext& to, unsigned wbs) {
    Thread::SignalState& signals = *thread.signals;
    const auto from = process.contexts.own(thread);
    if (from.get() == &to) return;
    from->parked.emplace(thread.state, wbs);
    ++from->parked_times;
    from->running = nullptr;
    from->handlers = std::move(signals.contexts);
    to.parked->resume(thread.state);
    to.parked.reset();
    to.running = &thread;
    signals.contexts = std::move(to.handlers);
    to.handlers.clear();
    signals.context = process.contexts.find(to.key);
}

/// Why `thread` cannot go on on `context`; 0: it can.
std::int64_t entry_error(const Thread& thread, const StackContext& context) {
    if (context.running && context.running != &thread) return -EBUSY;
    if (context.finished) return -ESRCH;
    // The stacks of a thread end with it: nobody else executes on them.
    if (context.owner && context.owner != &thread) return -EINVAL;
    return 0;
}

/// jump_in_chain() on the stacks of `to`. On error everything is as before.
tl::expected<unsigned, std::string> jump_on(Process::Impl& process, Thread& thread,
                                            StackContext& to, const ChainTarget& target,
                                            unsigned wbs) {
    const auto from = process.contexts.own(thread);
    const std::uint64_t times = to.parked_times;
    const unsigned parked_wbs = to.parked ? to.parked->syscall_wbs : 0;
    switch_stacks(process, thread, to, wbs);
    auto done = jump_in_chain(process, thread, target);
    if (done || from.get() == &to) return done;
    switch_stacks(process, thread, *from, parked_wbs);
    to.parked_times = times;
    return done;
}

// --- longjmp ---

/// Damage in the buffer or the chain: the kernel kills.
std::int64_t damaged(Call& call, const std::string& why) {
    call.writes_result = false;
    call.next = call.process.die(SIGKILL, "SIGKILL: longjmp: " + why);
    return 0;
}

std::int64_t sys_longjmp2(Call& call) {
    JumpBufferE2k buffer;
    if (!call.get(call.arg[0], buffer)) return -EFAULT;
    const auto shift =
        static_cast<std::int64_t>(static_cast<std::int32_t>(buffer.pcshtp << 21) >> 21);
    const std::int64_t offset = static_cast<std::int64_t>(buffer.pcsp_hi & kLow32) + shift;
    if (offset <= 0 || offset % static_cast<std::int64_t>(kRecord))
        return damaged(call, "the buffer names no record of the chain");
    const std::uint64_t base = buffer.pcsp_lo & kAddressMask;

    ChainTarget target;
    target.depth = static_cast<std::uint64_t>(offset) / kRecord;
    target.ip = buffer.ip;
    target.cr1_lo = buffer.cr1_lo;
    target.br = cpu::rotation_from(buffer.br);
    target.psize = (buffer.wd_hi & 0x7ff) / 8;

    tl::expected<unsigned, std::string> done;
    if (base == call.thread.state.pcsp_base) {
        done = jump_in_chain(call.process, call.thread, target);
    } else {
        const std::lock_guard lock(call.process.contexts.mutex());
        const auto other = call.process.contexts.find_base(base, call.thread);
        if (!other || entry_error(call.thread, *other) != 0)
            return damaged(call, "the buffer belongs to other hardware stacks");
        done = jump_on(call.process, call.thread, *other, target, call.stop.syscall_wbs);
    }
    if (!done) return damaged(call, "the buffer cannot be right: " + done.error());
    cpu::CpuState& state = call.thread.state;
    if (*done < state.wd.size) {
        state.window[*done].lo = call.arg[1];
        state.window_tags[*done] = 0;
    }
    if (buffer.sigmask & kSigkillBit) {
        call.thread.signals->mask = buffer.sigmask & ~(kSigkillBit | kSigstopBit);
        call.thread.signals->wake = 1;
    }
    call.writes_result = false;
    return static_cast<std::int64_t>(call.arg[1]);
}

// --- contexts ---

/// Where a ucontext goes on when it is not exactly where its stacks were parked.
ChainTarget target_of(UcontextE2k& uc, std::uint64_t record) {
    ChainTarget target{record, uc.context.cr0_hi, uc.context.cr1_lo,
                       cpu::rotation_from(uc.context.cr1_hi), std::nullopt};
    if (!in_call(uc)) return target;
    // The call is over: on after the return of the function that made it.
    const std::uint64_t* saved = return_record(uc);
    return {record - 1, saved[0], saved[1], cpu::rotation_from(saved[2]), std::nullopt};
}

/// Whether a ucontext still describes the place where `parked` stands.
bool describes(UcontextE2k& uc, const StackContext& context, std::uint64_t record) {
    return context.parked && in_call(uc) && parked_times(uc) == context.parked_times &&
           record == context.parked->depth() + 1;
}

/// Goes on exactly where the stacks were parked.
std::int64_t resume(Process::Impl& process, Thread& thread, StackContext& to, UcontextE2k& uc,
                    unsigned wbs) {
    const ParkedState& parked = *to.parked;
    const std::uint64_t ip = uc.context.cr0_hi & kAddressMask & ~7ull;
    const cpu::RotationState br = cpu::rotation_from(uc.context.cr1_hi);
    const bool same_window = (uc.context.cr1_lo >> 33 & 127) == parked.syscall_wbs &&
                             (uc.context.cr1_lo >> 26 & 127) * 2 == parked.wd.psize;
    if (!same_window || !cpu::is_sound_rotation(br) || (uc.context.cr1_lo & kPsrMonitor) ||
        !same_code_class(*process.memory, parked.ip, ip))
        return -EINVAL;
    const unsigned at = 2 * parked.syscall_wbs;
    const bool fresh = to.fresh;
    switch_stacks(process, thread, to, wbs);
    thread.state.ip = ip;
    thread.state.br = br;
    if (!fresh) write_zero_result(thread.state, at);
    return 0;
}

/// setcontext, with the lock: 0, and the thread stands where `uc` says, or an error.
std::int64_t activate(Process::Impl& process, Thread& thread, UcontextE2k& uc, unsigned wbs) {
    const auto to = process.contexts.find(uc.context.nr_tirs);
    if (!to) return -ESRCH;
    if (const auto error = entry_error(thread, *to)) return error;
    const std::uint64_t base = to->parked ? to->parked->pcsp_base : thread.state.pcsp_base;
    const std::uint64_t offset = uc.context.pcsp_hi & kLow32;
    if ((uc.context.pcsp_lo & kAddressMask) != base || offset == 0 || offset % kRecord)
        return -EINVAL;
    const std::uint64_t record = offset / kRecord;
    if (describes(uc, *to, record)) {
        if (const auto error = resume(process, thread, *to, uc, wbs)) return error;
    } else {
        const auto done = jump_on(process, thread, *to, target_of(uc, record), wbs);
        if (!done) return -EINVAL;
        write_zero_result(thread.state, *done);
    }
    to->fresh = false;
    // The masks of the registers keep out what does not exist.
    const std::pair<std::uint8_t, std::int32_t> registers[] = {
        {kFpcr, uc.extra.fpcr}, {kFpsr, uc.extra.fpsr}, {kPfpfr, uc.extra.pfpfr}};
    for (const auto& [code, value] : registers)
        static_cast<void>(
            cpu::write_state_register(thread.state, code, static_cast<std::uint32_t>(value)));
    thread.signals->mask = uc.sigmask & ~(kSigkillBit | kSigstopBit);
    thread.signals->wake = 1;
    return 0;
}

/// What all forms of a saved context have in common.
void describe_thread(UcontextE2k& uc, const Thread& thread, std::uint64_t key,
                     std::uint64_t records) {
    const cpu::CpuState& state = thread.state;
    uc.sigmask = thread.signals->mask;
    uc.context.nr_tirs = key;
    uc.context.sbr = state.sbr;
    uc.context.usd_lo = cpu::read_state_register(state, kUsdLo).value_or(0);
    uc.context.usd_hi = cpu::read_state_register(state, kUsdHi).value_or(0);
    uc.context.pcsp_lo = state.pcsp_base;
    uc.context.pcsp_hi = kRecord * records | state.pcsp_size << 32;
    uc.extra.fpcr = static_cast<std::int32_t>(state.fpcr);
    uc.extra.fpsr = static_cast<std::int32_t>(state.fpsr);
    uc.extra.pfpfr = static_cast<std::int32_t>(state.pfpfr);
    parked_times(uc) = in_call(uc) = 0;
}

std::int64_t sys_setcontext(Call& call) {
    if (call.arg[1] != kSetSize) return -EINVAL;
    UcontextE2k uc;
    if (!read_context(call.memory(), call.arg[0], uc)) return -EFAULT;
    const std::lock_guard lock(call.process.contexts.mutex());
    const auto error = activate(call.process, call.thread, uc, call.stop.syscall_wbs);
    call.writes_result = error != 0;
    return error;
}

/// Arguments of a context's function, as far as they are on its stack.
struct Entry {
    std::uint64_t top = 0, sp = 0;
    std::vector<std::uint64_t> arguments;
};

constexpr std::uint64_t kHome = 64;  ///< bytes of arguments in registers, and of their homes
constexpr std::uint64_t kMostArguments = 1u << 20;

tl::expected<Entry, int> lay_out_entry(const Call& call, const UcontextE2k& uc) {
    const std::uint64_t size = call.arg[2];
    Entry entry;
    entry.top = uc.stack.sp + uc.stack.size;
    if (entry.top < uc.stack.sp || entry.top >> 48 || size > kMostArguments)
        return tl::unexpected(EINVAL);
    const std::uint64_t rest = size > kHome ? size - kHome : 0;
    const std::uint64_t needed = kHome + rest + 16;
    if (needed > uc.stack.size) return tl::unexpected(EINVAL);
    entry.sp = (entry.top - kHome - rest) & ~15ull;
    entry.arguments.resize((size + 7) / 8);
    if (size != 0 && !call.memory().read(call.arg[3], entry.arguments.data(), size))
        return tl::unexpected(EFAULT);
    if (rest != 0 &&
        !call.memory().write(entry.sp + kHome,
                             reinterpret_cast<const std::uint8_t*>(entry.arguments.data()) + kHome,
                             rest))
        return tl::unexpected(EFAULT);
    entry.arguments.resize(kHome / 8);
    return entry;
}

/// The state in which the function of a new context begins.
cpu::CpuState& first_state(const Call& call, const StackContext& context, const Entry& entry,
                           const UcontextE2k& uc, cpu::CpuState& state) {
    constexpr std::uint64_t kBetweenBases = 1u << 24, kMostBelow = 0xffff'fff0;
    const cpu::CpuState& from = call.thread.state;
    context.stacks.attach(state);
    state.ip = call.arg[1] & kAddressMask;
    state.wd.size = state.wd.psize = kHome / 8;
    state.wd.fx = 1;
    for (std::size_t i = 0; i < entry.arguments.size(); ++i)
        state.window[i].lo = entry.arguments[i];
    cpu::ChainFrame bottom;
    bottom.return_ip = cpu::kSentinelReturn;
    *state.chain_top++ = bottom;
    state.usd_base = entry.sp;
    state.usd_size = std::min(entry.sp - uc.stack.sp, kMostBelow) & ~15ull;
    state.sbr = entry.top;
    state.psp_base = (kProcedureStackBase + context.key * kBetweenBases) & kAddressMask;
    state.pcsp_base = (kChainStackBase + context.key * kBetweenBases) & kAddressMask;
    state.psp_size = from.psp_size;
    state.pcsp_size = from.pcsp_size;
    return state;
}

std::int64_t sys_makecontext(Call& call) {
    if (call.arg[4] != kSetSize) return -EINVAL;
    UcontextE2k uc;
    if (!read_context(call.memory(), call.arg[0], uc)) return -EFAULT;
    const auto entry = lay_out_entry(call, uc);
    if (!entry) return -entry.error();
    const std::lock_guard lock(call.process.contexts.mutex());
    StackContexts& contexts = call.process.contexts;
    contexts.erase_idle(entry->top);
    const auto made = contexts.make();
    if (!made) return -ENOMEM;
    cpu::CpuState state;
    made->parked.emplace(first_state(call, *made, *entry, uc, state), 0u);
    made->parked_times = 1;
    made->fresh = true;
    made->link = uc.link;
    uc.context.nr_tirs = made->key;
    uc.context.sbr = entry->top;
    uc.context.cr0_hi = state.ip & ~7ull;
    uc.context.cr1_lo = std::uint64_t{state.wd.psize} / 2 << 26 | 1ull << 25 | kPsrUser;
    uc.context.cr1_hi = (state.usd_size >> 4) << 36;
    uc.context.pcsp_lo = state.pcsp_base;
    uc.context.pcsp_hi = kRecord * (state.depth() + 1) | state.pcsp_size << 32;
    parked_times(uc) = made->parked_times;
    in_call(uc) = 1;
    std::fill_n(return_record(uc), 3, 0);
    if (write_context(call.memory(), call.arg[0], uc)) return 0;
    contexts.erase(made->key);
    return -EFAULT;
}

std::int64_t sys_swapcontext(Call& call) {
    if (call.arg[2] != kSetSize) return -EINVAL;
    UcontextE2k saved, next;
    if (!read_context(call.memory(), call.arg[0], saved) ||
        !read_context(call.memory(), call.arg[1], next))
        return -EFAULT;
    const std::lock_guard lock(call.process.contexts.mutex());
    const auto own = call.process.contexts.own(call.thread);
    const cpu::CpuState& state = call.thread.state;
    describe_thread(saved, call.thread, own->key, state.depth() + 1);
    const ChainRecordE2k here = publish(call_frame(call));
    saved.context.cr0_lo = here.cr0_lo;
    saved.context.cr0_hi = here.cr0_hi;
    saved.context.cr1_lo = here.cr1_lo;
    saved.context.cr1_hi = here.cr1_hi;
    in_call(saved) = 1;
    parked_times(saved) = own->parked_times + 1;
    const ChainRecordE2k back = state.depth() ? publish(state.chain_top[-1]) : ChainRecordE2k{};
    return_record(saved)[0] = back.cr0_hi;
    return_record(saved)[1] = back.cr1_lo;
    return_record(saved)[2] = back.cr1_hi;
    if (!write_context(call.memory(), call.arg[0], saved)) return -EFAULT;
    if (call.arg[0] == call.arg[1]) return 0;
    const auto error = activate(call.process, call.thread, next, call.stop.syscall_wbs);
    call.writes_result = error != 0;
    return error;
}

std::int64_t sys_freecontext(Call& call) {
    UcontextE2k uc;
    if (!read_context(call.memory(), call.arg[0], uc)) return -EFAULT;
    const std::lock_guard lock(call.process.contexts.mutex());
    const auto context = call.process.contexts.find(uc.context.nr_tirs);
    if (!context || context->owner) return -ENOENT;
    if (context->running) return -EBUSY;
    call.process.contexts.erase(context->key);
    return 0;
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{230, "e2k_longjmp2", {Ptr, Long}, sys_longjmp2},
    SyscallRow{369, "setcontext", {Ptr, Size}, sys_setcontext},
    SyscallRow{370, "makecontext", {Ptr, Ptr, Size, Ptr, Size}, sys_makecontext},
    SyscallRow{371, "swapcontext", {Ptr, Ptr, Size}, sys_swapcontext},
    SyscallRow{372, "freecontext", {Ptr}, sys_freecontext},
};

}  // namespace

std::span<const SyscallRow> context_rows() { return kRows; }

std::int64_t fast_getcontext(Call& call) {
    if (call.arg[1] != kSetSize) return -EINVAL;
    UcontextE2k uc;
    if (!read_context(call.memory(), call.arg[0], uc)) return -EFAULT;
    const std::lock_guard lock(call.process.contexts.mutex());
    // The record that returns from the function which makes this call; that function itself fills
    // in what the record says.
    describe_thread(uc, call.thread, call.process.contexts.own(call.thread)->key,
                    call.thread.state.depth());
    return write_context(call.memory(), call.arg[0], uc) ? 0 : -EFAULT;
}

Next Process::Impl::finish_context(Thread& thread) {
    std::int64_t error = -EFAULT;
    const auto finished = thread.signals->context;
    if (finished->link == 0) return end_thread(thread, 0);
    UcontextE2k uc;
    if (read_context(*memory, finished->link, uc)) {
        const std::lock_guard lock(contexts.mutex());
        error = activate(*this, thread, uc, 0);
        if (error == 0 && thread.signals->context != finished) {
            finished->finished = true;
            finished->parked.reset();
            finished->handlers.clear();
            finished->stacks = {};
        }
    }
    if (error == 0) return deliver(thread, nullptr);
    return die(SIGSEGV, fmt::format("SIGSEGV: the context 0x{:x} (uc_link) cannot be gone on with "
                                    "when a function of makecontext returns: {}",
                                    finished->link, errno_name(static_cast<int>(-error))));
}

}  // namespace e2k::guest
