// Running: from region to region, to the interpreter and back.
#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <optional>
#include <utility>

#include "engine/cpu/semantics.h"
#include "engine/cpu/stack_watch.h"
#include "engine/translate/recovery.h"
#include "engine/translate/translator_impl.h"

namespace e2k::translate {

using cpu::CpuState;
using cpu::Interpreter;
using cpu::Stop;
using cpu::StopKind;

namespace {

/// So many bundles at most are interpreted where code would meet a tag.
constexpr unsigned kTaggedBundles = 16;

Stop stopped(StopKind kind) {
    Stop stop;
    stop.kind = kind;
    return stop;
}

void hand_back(RecoveryPoint& point, const SavedRegisters& saved, CpuState& state) {
    if (point.region->profile) __atomic_fetch_add(&point.times, 1, __ATOMIC_RELAXED);
    recover(point, saved, state);
}

}  // namespace

ForkWatch::ForkWatch() {
    constexpr std::size_t kPage = 4096;
    void* const at =
        mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return;
    if (madvise(at, kPage, MADV_WIPEONFORK) == 0)
        page_ = static_cast<std::atomic<std::uint32_t>*>(at);
    else
        munmap(at, kPage);
    settle();
}

ForkWatch::~ForkWatch() {
    if (page_) munmap(page_, 4096);
}

bool ForkWatch::is_new_process() const {
    return page_ ? page_->load(std::memory_order_relaxed) == 0 : getpid() != process_;
}

void ForkWatch::settle() {
    process_ = getpid();
    if (page_) *page_ = 1;
}

ThreadContext& Translator::Impl::context(const CpuState& state) {
    struct Known {
        std::uint64_t serial = 0, generation = 0;
        const cpu::ChainFrame *file = nullptr, *limit = nullptr;
        ThreadContext* context = nullptr;
    };
    thread_local Known known;
    const std::uint64_t generation = context_generation.load();
    if (known.serial == serial && known.generation == generation &&
        known.file == state.chain_file && known.limit == state.chain_limit &&
        !fork_watch.is_new_process())
        return *known.context;
    ThreadContext& found = find_context(state);
    known = {serial, generation, state.chain_file, state.chain_limit, &found};
    return found;
}

ThreadContext& Translator::Impl::find_context(const CpuState& state) {
    const std::lock_guard lock(mutex);
    if (fork_watch.is_new_process()) {
        fork_watch.settle();
        // A fork that the C library knows nothing of: the code is the parent's, hands off.
        if (!std::exchange(code_copied, false)) arena.after_fork(true);
        // The other threads did not come along through the fork, and this one is not in code.
        threads.clear();
        ++context_generation;
    }
    auto& context = threads[state.chain_file];
    if (!context || !context->fits(state)) {
        if (context) ++context_generation;
        context = std::make_unique<ThreadContext>(state);
    }
    return *context;
}

void Translator::Impl::kick_all() {
    for (auto& [file, thread] : threads) thread->kick();
}

void Translator::Impl::heat(const Key& key, const CpuState& place) {
    const std::lock_guard lock(mutex);
    const auto it = regions.find(key);
    if (it == regions.end() || it->second->tier != 1) return;
    if (++it->second->samples < options.hot_samples) return;
    for (const Key& k : {untagged(key), untagged(key_of(place))}) {
        hot.insert(k);
        for (const Key& made : {k, tagged(k)}) {
            const auto known = regions.find(made);
            if (known != regions.end() && known->second->tier == 1) retire(*known->second);
        }
    }
    kick_all();
}

bool Translator::Impl::recover_from_fault(CpuState& state, const SavedRegisters& saved,
                                          std::uint64_t entered) {
    const auto pc = reinterpret_cast<const std::uint8_t*>(FaultGuard::fault_pc());
    const std::lock_guard lock(mutex);
    // Another thread may have emptied the code cache since.
    const auto& table = entered == epoch ? by_code : previous.by_code;
    auto it = table.upper_bound(pc);
    if (it == table.begin()) return false;
    Region& region = *std::prev(it)->second;
    const auto offset = static_cast<std::uint32_t>(pc - region.entry);
    for (const FaultPoint& f : region.faults) {
        if (offset < f.begin || offset >= f.end) continue;
        hand_back(*f.recovery, saved, state);
        // Speculative loads that miss once will do so again: look before, from now on.
        if (probing.insert(f.recovery->address).second)
            retire_overlapping(f.recovery->address, f.recovery->address + 8);
        return true;
    }
    return false;
}

/// One guest thread between two stops; while it lives, the thread can be kicked out of translated
/// code.
class Translator::Impl::Run {
public:
    Run(Impl& impl, CpuState& state, Interpreter& interpreter, bool single, CallService* service)
        : impl_(impl),
          state_(state),
          interpreter_(interpreter),
          single_(single),
          service_(service),
          watch_(state),
          thread_(impl.context(state)),
          translates_(impl.usable() && set_guest_base(state.memory_base)),
          fp_(std::in_place, state.pfpfr, state.fpcr, state.fpsr) {
        thread_.run_on(&state);
        predict_ = !single;
        update_tags();
    }
    ~Run() { thread_.run_on(nullptr); }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    Stop until_stop() {
        while (true) {
            if (auto complaint = cpu::stacks_complaint(state_))
                return damaged(std::move(*complaint));
            if (const auto stop = single_ ? std::nullopt : asked_to_stop()) return *stop;
            if (const std::optional<Stop> stop = one_region()) return *stop;
            if (single_ && !general_) return stopped(StopKind::Budget);
        }
    }

private:
    /// Where a region was left, and what is to be done there.
    struct Left {
        Leave why;
        std::optional<Key> sample;  ///< the region of the quick tier in which a slice ended
    };

    std::optional<Stop> asked_to_stop() {
        const std::uint32_t interrupt = state_.interrupt.load(std::memory_order_relaxed);
        if (interrupt & ~kKick) return stopped(StopKind::Interrupted);
        if (interrupt) state_.interrupt.fetch_and(~kKick);
        if (state_.bundles >= state_.run_until) return stopped(StopKind::Budget);
        if (!impl_.has_breakpoints.load(std::memory_order_relaxed)) return std::nullopt;
        const std::lock_guard lock(impl_.mutex);
        if (impl_.breakpoints.contains(state_.ip)) return stopped(StopKind::Breakpoint);
        return std::nullopt;
    }

    /// No region runs on stacks that are not in order.
    Stop damaged(std::string complaint) const {
        Stop stop = stopped(StopKind::Trapped);
        stop.trap = cpu::stacks_trap(state_, std::move(complaint));
        return stop;
    }

    void update_tags() {
        if (state_.exact_tags) state_.tags_live = cpu::has_visible_tags(state_);
    }

    Stop interpret(std::uint64_t bundles, Interpreted why) {
        from_ = nullptr;  // it led to the place that is interpreted now
        predict_ = true;  // the place behind is likely to be met again
        fp_->fold();
        const std::uint64_t before = state_.bundles, ip = state_.ip;
        const std::uint64_t operations = state_.operations;
        Stop stop = bundles == 1 ? interpreter_.step(state_) : interpreter_.run(state_, bundles);
        fp_->reload();
        impl_.interpreted.fetch_add(state_.bundles - before, std::memory_order_relaxed);
        update_tags();
        if (impl_.options.count_operations) {
            const std::lock_guard lock(impl_.mutex);
            impl_.interpreted_at[{ip, why}] += state_.operations - operations;
        }
        return stop;
    }

    /// Goes on behind the next transfer: code from the middle of a block would be for this once.
    std::optional<Stop> interpret_tagged() {
        const bool one = single_ || impl_.has_breakpoints.load(std::memory_order_relaxed);
        Stop stop = interpret(one ? 1 : block(), Interpreted::Tagged);
        const bool kicked =
            stop.kind == StopKind::Interrupted && !(state_.interrupt.load() & ~kKick);
        if (kicked || stop.kind == StopKind::Budget) return std::nullopt;
        return stop;
    }

    /// Code could not run here because of a tag. Planning takes its time: it is done when that has
    /// happened 4, 8, 16 ... times, without a quick tier at once.
    void note_refusal() {
        constexpr unsigned kRefusals = 4;
        const unsigned count = ++thread_.tagged_place(state_.ip).refusals;
        if ((count < kRefusals && impl_.options.hot_samples != 0) || !std::has_single_bit(count))
            return;
        const std::lock_guard lock(impl_.mutex);
        state_.wd.tagged = 1;
        impl_.refused(state_);
        state_.wd.tagged = 0;
    }

    /// Bundles up to the next one that transfers control.
    unsigned block() {
        unsigned& known = thread_.tagged_place(state_.ip).block;
        if (known != 0) return known;
        unsigned count = 0;
        for (std::uint64_t at = state_.ip; count < kTaggedBundles;) {
            const auto bundle = cpu::fetch(impl_.memory, at, state_.iset);
            ++count;
            if (!bundle) break;
            cpu::exec::ExecBundle b;
            cpu::exec::predecode(*bundle, state_.iset, b);
            if (b.transfer.kind != cpu::exec::TransferKind::None) break;
            at = b.next_address;
        }
        return known = count;
    }

    std::optional<Stop> interpret_one(Interpreted why) {
        Stop stop = interpret(1, why);
        if (stop.kind != StopKind::Budget) return stop;
        return std::nullopt;
    }

    /// Code for the state and the thread marked as being in it; null: interpret. While tags are
    /// visible it is code that looks for them, and the state says so until it is left.
    const std::uint8_t* find_code() {
        state_.wd.tagged = state_.exact_tags && state_.tags_live;
        const std::uint8_t* code = enter_predicted();
        if (!code)
            if (const Region* region = enter_region()) code = region->entry;
        if (!code) state_.wd.tagged = 0;
        return code;
    }

    /// Runs regions until one is left to the dispatcher; or one bundle in the interpreter.
    std::optional<Stop> one_region() {
        if (!translates_ || (state_.exact_tags && state_.uncover_tags) ||
            cpu::fp_exceptions_unmasked(state_.pfpfr, state_.fpcr))
            return interpret_one(Interpreted::Mode);
        const std::uint8_t* const entry = find_code();
        from_ = nullptr;
        general_ = false;
        predict_ = false;
        if (!entry) return interpret_one(Interpreted::Declined);
        from_epoch_ = impl_.epoch;
        const Left left = decode(impl_.stubs.enter(&state_, entry, thread_.shadow_bias(),
                                                   thread_.jump_cache(), thread_.saved()));
        thread_.in_code = false;  // from now on regions may be deleted
        if (std::exchange(state_.wd.tagged, std::uint16_t{0})) update_tags();
        if (left.sample && !state_.interrupt.load(std::memory_order_relaxed))
            impl_.heat(*left.sample, state_);
        return go_on(left);
    }

    /// Marks the thread as being in code, if the region is one that it has been led to before:
    /// without the lock, which threads would meet at after every system call.
    const std::uint8_t* enter_predicted() {
        if (single_ || from_) return nullptr;
        thread_.in_code = true;
        if (!thread_.stale)
            if (const auto* code = thread_.predicted(state_.ip, Config::of(state_))) return code;
        thread_.in_code = false;
        return nullptr;
    }

    /// Finds or makes the region for the state and marks the thread as being in code. Null:
    /// interpret.
    Region* enter_region() {
        const std::lock_guard lock(impl_.mutex);
        if (thread_.stale.exchange(false)) thread_.clear();
        Key key = key_of(state_);
        if (general_) {
            key.mode |= kGeneralMode;
            if (from_ && from_epoch_ == impl_.epoch) impl_.scatter(*from_->from);
        }
        const auto it = impl_.regions.find(key);
        Region* region = it == impl_.regions.end() ? nullptr : it->second.get();
        if (!region) {
            // The host code below may compute in floating point; keep its flags from the guest.
            fp_->fold();
            region = &impl_.translate(state_, general_);
            fp_->reload();
        }
        if (!region->entry) return nullptr;
        if (!single_) {
            // The last tag that was visible may have gone in between.
            if (from_ && from_epoch_ == impl_.epoch && from_->config == region->config)
                impl_.link(*from_, *region);
            if (predict_) thread_.predict(state_.ip, key.config, region->entry);
        }
        thread_.in_code = true;
        return region;
    }

    /// What generated code returned; the regions are still there.
    Left decode(std::uint64_t value) {
        Left left{static_cast<Leave>(value), std::nullopt};
        if (value < kFirstExit) return left;
        auto* exit = reinterpret_cast<Exit*>(value);
        left.why = exit->why;
        const Region* sampled = nullptr;
        if (exit->why == Leave::SystemCall) {
            const auto& call = *static_cast<SystemCallExit*>(exit);
            call_.syscall_entry = call.entry;
            call_.syscall_wbs = call.wbs;
        } else if (exit->why == Leave::Linkable) {
            from_ = static_cast<ExitSite*>(exit);
            general_ = from_->general;
        } else if (exit->why == Leave::Sampled) {
            sampled = static_cast<SliceEnd*>(exit)->region;
        } else {
            auto& point = *static_cast<RecoveryPoint*>(exit);
            SavedRegisters& saved = *thread_.saved();
            hand_back(point, saved, state_);
            // A slice may end here too: a loop that is left in each turn has no other place for it.
            saved.slice += point.bundles;
            if (exit->why == Leave::Interrupted || saved.slice >= 0) sampled = point.region;
        }
        if (sampled && sampled->tier == 1) left.sample = key_of(*sampled);
        return left;
    }

    std::optional<Stop> go_on(const Left& left) {
        switch (left.why) {
            case Leave::Returned:
            case Leave::Sampled:
                if (state_.ip == cpu::kSentinelReturn) return stopped(StopKind::SignalReturn);
                predict_ = left.why == Leave::Returned;
                return std::nullopt;
            case Leave::Jumped:
                predict_ = true;
                return std::nullopt;
            case Leave::Declined:
                return interpret_one(Interpreted::Declined);
            case Leave::SystemCall:
                return serve(call_);
            case Leave::Fault:
                fp_->fold();
                if (FaultGuard::fault_on_wall()) {
                    fp_->reload();
                    state_.stack_fault = 1;
                    return damaged(*cpu::stacks_complaint(state_));
                }
                if (!impl_.recover_from_fault(state_, *thread_.saved(), from_epoch_)) {
                    fp_->reload();
                    return damaged("a host fault where translated code has none to expect");
                }
                state_.wd.tagged = 0;  // the recovery point's
                fp_->reload();
                return interpret_one(Interpreted::Faulted);
            case Leave::Distrust: {
                const std::lock_guard lock(impl_.mutex);
                if (impl_.distrusted.insert(state_.ip).second)
                    impl_.retire_overlapping(state_.ip, state_.ip + 8);
                [[fallthrough]];
            }
            case Leave::Interpret:
                return interpret_one(Interpreted::Refused);
            case Leave::Tagged:
                note_refusal();
                return interpret_tagged();
            case Leave::Interrupted:
            case Leave::Linkable:
                break;
        }
        return std::nullopt;
    }

    /// Nothing: the call is done, and the thread goes on here.
    std::optional<Stop> serve(const Stop& call) {
        if (!service_) return call;
        const auto* const memory = state_.memory_base;
        const auto* const chain = state_.chain_file;
        fp_.reset();
        const CallService::Answer answer = service_->serve(state_, call);
        fp_.emplace(state_.pfpfr, state_.fpcr, state_.fpsr);
        if (answer == CallService::Answer::None) return call;
        const bool same = state_.memory_base == memory && state_.chain_file == chain &&
                          thread_.fits(state_) && !impl_.fork_watch.is_new_process();
        if (answer == CallService::Answer::Leave || !same) return stopped(StopKind::Budget);
        predict_ = true;
        update_tags();
        return std::nullopt;
    }

    Impl& impl_;
    CpuState& state_;
    Interpreter& interpreter_;
    const bool single_;
    CallService* const service_;
    const cpu::StackWatch watch_;
    ThreadContext& thread_;
    const bool translates_;
    std::optional<cpu::FpEnvironment> fp_;
    Stop call_ = stopped(StopKind::SystemCall);  ///< for Leave::SystemCall
    ExitSite* from_ = nullptr;                   ///< the exit just taken, if it can be linked
    bool general_ = false;                       ///< it leads to code that is no kernel
    std::uint64_t from_epoch_ = 0;
    bool predict_ = false;  ///< the place is one that an indirect transfer led to
};

Stop Translator::Impl::run(CpuState& state, Interpreter& interpreter, bool single,
                           CallService* service) {
    return Run(*this, state, interpreter, single, service).until_stop();
}

}  // namespace e2k::translate
