// Entering and leaving signal handlers (signals.md §2, §3, §4).
#include <algorithm>
#include <cerrno>
#include <csignal>

#include "engine/cpu/interpreter.h"
#include "engine/guest/libc/stubs.h"
#include "engine/guest/process_impl.h"

namespace e2k::guest {
namespace {

constexpr std::uint64_t kSaSiginfo = 4, kSaOnStack = 0x0800'0000, kSaRestart = 0x1000'0000,
                        kSaNoDefer = 0x4000'0000, kSaResetHand = 0x8000'0000;
constexpr std::int32_t kSsOnStack = 1, kSsDisable = 2;
constexpr auto kSsAutoDisarm = static_cast<std::int32_t>(1u << 31);
constexpr std::uint64_t kMinimumStack = 4096;
constexpr unsigned kHandlerWindow = 8;
constexpr std::uint64_t kUnblockable = signal_bit(SIGKILL) | signal_bit(SIGSTOP);

// State register codes (state.md §1).
enum : std::uint8_t {
    kPspHi = 0x07,
    kPspLo = 0x09,
    kPcspHi = 0x0d,
    kPcspLo = 0x0f,
    kUsdHi = 0x2c,
    kUsdLo = 0x2d,
    kCr0Hi = 0x51,
    kCr0Lo = 0x53,
    kCr1Hi = 0x55,
    kCr1Lo = 0x57
};

std::uint64_t register_image(const cpu::CpuState& state, std::uint8_t code) {
    return cpu::read_state_register(state, code).value_or(0);
}

bool on_alt_stack(const StackE2k& stack, std::uint64_t sp) {
    return !(stack.flags & (kSsDisable | kSsAutoDisarm)) && sp > stack.sp &&
           sp - stack.sp <= stack.size;
}

/// Where the handler's stack begins and what surrounds it.
struct Place {
    std::uint64_t top, bottom, sbr;
};
Place choose_stack(const cpu::CpuState& state, const StackE2k& alt, const SigactionE2k& action) {
    if ((action.flags & kSaOnStack) && !(alt.flags & kSsDisable) &&
        !on_alt_stack(alt, state.usd_base))
        return {alt.sp + alt.size, alt.sp, alt.sp + alt.size};
    return {state.usd_base, state.usd_base - state.usd_size, state.sbr};
}

SigextraE2k extra_of(const cpu::CpuState& state, const SavedState& saved) {
    SigextraE2k extra;
    extra.size = sizeof(SigextraE2k) - 4;
    extra.fpcr = static_cast<std::int32_t>(saved.fpcr);
    extra.fpsr = static_cast<std::int32_t>(saved.fpsr);
    extra.pfpfr = static_cast<std::int32_t>(saved.pfpfr);
    for (std::size_t i = 0; i < 3; ++i) extra.ctpr[i] = saved.ctpr[i].image();
    for (std::size_t i = 0; i < 16; ++i) {
        extra.g[i] = saved.g[i].lo;
        extra.g_tag[i] = saved.g_tags[i];
        extra.g_ext[i] = saved.g[i].ext;
    }
    extra.chain_stack_offset = 32 * (state.depth());
    extra.proc_stack_offset = 16 * state.window_index();
    extra.lsr = saved.lsr.lsr_image();
    extra.ilcr = saved.ilcr.lsr_image();
    extra.lsr1 = saved.lsr.lcnt;
    extra.ilcr1 = saved.ilcr.lcnt;
    return extra;
}

/// A frame that a handler has changed for the worse leaves the stack as it is.
void restore_alt_stack(StackE2k& stack, StackE2k saved) {
    saved.flags &= ~kSsOnStack;
    const std::int32_t mode = saved.flags & ~kSsAutoDisarm;
    if (mode == kSsDisable || (mode == 0 && saved.size >= kMinimumStack)) stack = saved;
}

/// The handler's procedure starts with clean registers, predicates and transfers.
void clean_registers(cpu::CpuState& state) {
    state.wd = {};
    state.wd.size = state.wd.psize = kHandlerWindow;
    state.wd.fx = 1;
    for (unsigned i = 0; i < kHandlerWindow; ++i) {
        state.window[i] = {};
        state.window_tags[i] = 0;
    }
    state.br = {};
    state.pred = {};
    state.lsr = {};
    state.ilcr = {};
    state.ctpr = {};
    state.aau.active = 0;
    state.lock = {};
    for (std::size_t i = 16; i < 32; ++i) {
        state.g[i] = {};
        state.g_tags[i] = 0;
    }
}

}  // namespace

SavedState::SavedState(const cpu::CpuState& s)
    : ip(s.ip),
      window(s.window),
      window_tags(s.window_tags),
      chain_top(s.chain_top),
      wd(s.wd),
      br(s.br),
      pred(s.pred),
      lsr(s.lsr),
      ilcr(s.ilcr),
      ctpr(s.ctpr),
      usd_base(s.usd_base),
      usd_size(s.usd_size),
      sbr(s.sbr),
      pfpfr(s.pfpfr),
      fpcr(s.fpcr),
      fpsr(s.fpsr),
      upsr(s.upsr),
      aau(s.aau) {
    std::copy_n(s.g.begin() + 16, 16, g.begin());
    std::copy_n(s.g_tags.begin() + 16, 16, g_tags.begin());
}

void SavedState::restore(cpu::CpuState& s) const {
    const std::uint8_t* const old_end = s.window_tags + s.wd.size;
    s.ip = ip;
    s.window = window;
    s.window_tags = window_tags;
    s.chain_top = chain_top;
    s.wd = wd;
    s.br = br;
    s.pred = pred;
    s.lsr = lsr;
    s.ilcr = ilcr;
    s.ctpr = ctpr;
    s.usd_base = usd_base;
    s.usd_size = usd_size;
    s.sbr = sbr;
    s.pfpfr = pfpfr;
    s.fpcr = fpcr;
    s.fpsr = fpsr;
    s.upsr = upsr;
    s.aau = aau;
    s.lock = {};  // a locked pair does not survive a signal (memory.md §3)
    std::copy_n(g.begin(), 16, s.g.begin() + 16);
    std::copy_n(g_tags.begin(), 16, s.g_tags.begin() + 16);
    if (!s.exact_tags) return;
    cpu::clear_tags_above(s, old_end);
    s.tags_live = 1;
}

void write_result(cpu::CpuState& state, const cpu::Stop& stop, std::int64_t value) {
    const unsigned at = 2 * stop.syscall_wbs;
    if (at >= state.wd.size) return;  // a call without parameter window has no place for a result
    state.window[at].lo = static_cast<std::uint64_t>(value);
    state.window_tags[at] = 0;
}

bool Process::Impl::enter_handler(Thread& thread, const SiginfoE2k& info,
                                  const SigactionE2k& action, InterruptedCall* call) {
    cpu::CpuState& state = thread.state;
    Thread::SignalState& signals = *thread.signals;
    const Place place = choose_stack(state, signals.alt_stack, action);
    const std::uint64_t frame_at = (place.top - sizeof(SignalFrameE2k)) & ~15ull;
    if (place.top < sizeof(SignalFrameE2k) || frame_at < place.bottom) return false;
    if (state.chain_limit - state.chain_top < 3 ||
        state.window_limit - state.window < state.wd.size + static_cast<int>(kHandlerWindow))
        return false;

    const bool siginfo = (action.flags & kSaSiginfo) != 0;
    SignalContext context{SavedState(state), siginfo, frame_at + offsetof(SignalFrameE2k, context),
                          std::nullopt};
    if (call && !call->settled) {
        call->settled = true;
        if (call->restartable && (action.flags & kSaRestart))
            context.restart = call->stop;
        else if (call->stop.syscall_entry == libc::kBridgeGate)
            interrupt_library_call(thread, call->stop);
        else
            write_result(state, call->stop, -EINTR);
    }

    // The interrupted position, then the trampoline the handler returns to.
    cpu::push_call(state, state.wd.size, state.ip);
    SignalFrameE2k frame;
    frame.info = info;
    frame.return_ip = context.saved.ip;
    UcontextE2k& uc = frame.context;
    uc.stack = signals.alt_stack;
    if (on_alt_stack(signals.alt_stack, context.saved.usd_base)) uc.stack.flags |= kSsOnStack;
    uc.sigmask = signals.mask_to_restore.value_or(signals.mask);
    uc.context.cr0_lo = register_image(state, kCr0Lo);
    uc.context.cr0_hi = register_image(state, kCr0Hi);
    uc.context.cr1_lo = register_image(state, kCr1Lo);
    uc.context.cr1_hi = register_image(state, kCr1Hi);
    uc.context.sbr = context.saved.sbr;
    uc.context.usd_lo = register_image(state, kUsdLo);
    uc.context.usd_hi = register_image(state, kUsdHi);
    uc.context.psp_lo = register_image(state, kPspLo);
    uc.context.psp_hi = register_image(state, kPspHi);
    uc.context.pcsp_lo = register_image(state, kPcspLo);
    uc.context.pcsp_hi = register_image(state, kPcspHi);
    uc.context.upsr = context.saved.upsr;
    uc.extra = extra_of(state, context.saved);
    if (!memory->write(frame_at, &frame, sizeof frame)) {
        context.saved.restore(state);
        return false;
    }
    cpu::push_call(state, 0, cpu::kSentinelReturn);
    clean_registers(state);
    state.window[0].lo = static_cast<std::uint64_t>(info.signo);
    state.window[1].lo = siginfo ? frame_at + offsetof(SignalFrameE2k, info)
                                 : context.ucontext + offsetof(UcontextE2k, context);
    state.window[2].lo = siginfo ? context.ucontext : 0;
    state.usd_base = frame_at;
    state.usd_size = frame_at - place.bottom;
    state.sbr = place.sbr;
    state.ip = action.handler;

    if (signals.alt_stack.flags & kSsAutoDisarm) signals.alt_stack = StackE2k{0, kSsDisable, 0, 0};
    signals.mask_to_restore.reset();
    signals.mask |= action.mask;
    if (!(action.flags & kSaNoDefer)) signals.mask |= signal_bit(info.signo);
    signals.mask &= ~kUnblockable;
    if (action.flags & kSaResetHand) {
        std::lock_guard lock(signal_mutex);
        actions[static_cast<std::size_t>(info.signo)].handler = 0;
    }
    signals.contexts.push_back(std::move(context));
    return true;
}

Next Process::Impl::leave_handler(Thread& thread) {
    Thread::SignalState& signals = *thread.signals;
    cpu::CpuState& state = thread.state;
    // The trampoline belongs to the innermost handler whose frames are still on the chain.
    while (!signals.contexts.empty() && state.chain_top <= signals.contexts.back().saved.chain_top)
        signals.contexts.pop_back();
    if (signals.contexts.empty() && signals.context && !signals.context->owner)
        return finish_context(thread);
    if (signals.contexts.empty())
        return die(SIGSEGV, "SIGSEGV: return from the first function of a thread");
    const SignalContext context = std::move(signals.contexts.back());
    signals.contexts.pop_back();
    UcontextE2k uc;
    const bool readable = memory->read(context.ucontext, &uc, sizeof uc);
    context.saved.restore(state);
    if (!readable)
        return die(SIGSEGV, "SIGSEGV: the signal frame on the stack is gone when its handler ends");
    signals.mask = uc.sigmask & ~kUnblockable;
    restore_alt_stack(signals.alt_stack, uc.stack);
    if (context.siginfo) {
        // A handler may move the continuation and change the scratch globals, nothing else.
        constexpr std::uint64_t kCodeAddress = ((1ull << 48) - 1) & ~7ull;
        state.ip = uc.context.cr0_hi & kCodeAddress;
        for (std::size_t i = 0; i < 16; ++i) {
            if (state.g[16 + i].lo == uc.extra.g[i]) continue;
            state.g[16 + i].lo = uc.extra.g[i];
            state.g_tags[16 + i] = 0;
        }
    }
    if (context.restart) return self.system_call(thread, *context.restart);
    return deliver(thread, nullptr);
}

void Process::Impl::drop_contexts(Thread& thread, std::size_t depth) {
    Thread::SignalState& signals = *thread.signals;
    cpu::CpuState& state = thread.state;
    while (!signals.contexts.empty()) {
        const SavedState& saved = signals.contexts.back().saved;
        // Its frames are those from `saved` on: the interrupted place, the trampoline, its own.
        if (static_cast<std::size_t>(saved.chain_top - state.chain_file) + 1 < depth) break;
        // Back on the stack the handler had interrupted; its SP follows from the chain frames.
        state.usd_base = saved.usd_base;
        state.usd_size = saved.usd_size;
        state.sbr = saved.sbr;
        signals.contexts.pop_back();
    }
}

}  // namespace e2k::guest
