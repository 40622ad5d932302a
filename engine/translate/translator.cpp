#include "engine/translate/translator.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "engine/cpu/semantics.h"
#include "engine/translate/code_arena.h"
#include "engine/translate/fault_guard.h"
#include "engine/translate/perf_log.h"
#include "engine/translate/plan.h"
#include "engine/translate/quality.h"
#include "engine/translate/recovery.h"
#include "engine/translate/region.h"
#include "engine/translate/region_emitter.h"
#include "engine/translate/thread_context.h"

namespace e2k::translate {

using cpu::CpuState;
using cpu::Interpreter;
using cpu::Stop;
using cpu::StopKind;

namespace {

/// A region needs at most this much of the arena; less room means a flush.
constexpr std::size_t kRoomForRegion = 256u << 10;
/// Bundles of a region of the quick tier: most of them are executed a few times only.
constexpr unsigned kQuickBundles = 16;
/// Bundles of a region; of functions it may take in, how many each may have and all together.
constexpr unsigned kRegionBundles = 64, kLargestCallee = 256, kCalleeBundles = 768;
/// Bundles interpreted with live tags before it is looked whether they are still there.
constexpr std::uint64_t kTaggedBundles = 16;

struct Key {
    std::uint64_t address;
    Config config;
    int mode;
    bool operator==(const Key&) const = default;
    auto operator<=>(const Key& other) const {
        const auto tie = [](const Key& k) {
            return std::tuple(k.address, k.config.wd, k.config.br, k.mode);
        };
        return tie(*this) <=> tie(other);
    }
};
struct KeyHash {
    std::size_t operator()(const Key& k) const {
        std::uint64_t h = k.address * 0x9e37'79b9'7f4a'7c15ull;
        h ^= (k.config.wd + 0x1234'5678ull) * 0xc2b2'ae3d'27d4'eb4full;
        h ^= (k.config.br + static_cast<std::uint64_t>(k.mode)) * 0x1656'67b1'9e37'79f9ull;
        return h ^ h >> 29;
    }
};

Stop stopped(StopKind kind) {
    Stop stop;
    stop.kind = kind;
    return stop;
}

constexpr int kTagMode = 1 << 9;
int mode_of(const CpuState& s) { return s.iset | s.strict << 8 | (s.exact_tags ? kTagMode : 0); }

Key key_of(const Region& r) { return {r.address, r.config, r.mode}; }
Key key_of(const CpuState& s) { return {s.ip, Config::of(s), mode_of(s)}; }

bool overlaps(const Region& r, std::uint64_t begin, std::uint64_t end) {
    for (const GuestRange& g : r.guest)
        if (g.begin < end && begin < g.end) return true;
    return false;
}

/// The region's record as others may keep it.
std::shared_ptr<const RegionRecord> published(const Region& region) {
    auto record = std::make_shared<RegionRecord>(*region.record);
    record->executions = __atomic_load_n(region.executions.get(), __ATOMIC_RELAXED);
    if (region.profile) record->bundle_executions = bundle_executions(region);
    for (const ExitSite& site : region.exits)
        record->exits.push_back({site.target, site.linked != nullptr});
    return record;
}

void hand_back(RecoveryPoint& point, const SavedRegisters& saved, CpuState& state) {
    if (point.region->profile) __atomic_fetch_add(&point.times, 1, __ATOMIC_RELAXED);
    recover(point, saved, state);
}

}  // namespace

const char* name_of(Reason reason) {
    switch (reason) {
        case Reason::Semantics:
            return "semantics";
        case Reason::Predicate:
            return "predicate";
        case Reason::WindowAddress:
            return "window address";
        case Reason::BoundCheck:
            return "bound check";
        case Reason::Helper:
            return "helper call";
        case Reason::ControlTransfer:
            return "control transfer";
        case Reason::Counter:
            return "counter";
        case Reason::Exit:
            return "exit";
        case Reason::Spill:
            return "spill";
        case Reason::Profile:
            return "profile";
    }
    return "?";
}

const char* name_of(Interpreted why) {
    switch (why) {
        case Interpreted::Declined:
            return "no host code";
        case Interpreted::Refused:
            return "a check failed";
        case Interpreted::Faulted:
            return "host fault";
        case Interpreted::Tagged:
            return "diagnostic values";
        case Interpreted::Mode:
            return "nothing is translated";
    }
    return "?";
}

struct Translator::Impl {
    cpu::MemoryView memory;
    TranslatorOptions options;
    CodeArena arena;
    Stubs stubs;
    std::unique_ptr<FaultGuard> guard;

    mutable std::mutex mutex;  // everything below
    std::unordered_map<Key, std::unique_ptr<Region>, KeyHash> regions;
    std::vector<std::unique_ptr<Region>> dead;  ///< no longer found; their code may still run
    std::map<const std::uint8_t*, Region*> by_code;
    struct Generation {
        std::unordered_map<Key, std::unique_ptr<Region>, KeyHash> regions;
        std::vector<std::unique_ptr<Region>> dead;
        std::map<const std::uint8_t*, Region*> by_code;
    } previous;  ///< before the last flush
    std::unordered_map<const cpu::ChainFrame*, std::unique_ptr<ThreadContext>> threads;
    std::unordered_set<std::uint64_t> breakpoints;
    std::unordered_set<std::uint64_t> probing, distrusted;      ///< see EmitRequest
    std::unordered_set<Key, KeyHash> hot;                       ///< worth the optimising tier
    std::map<std::pair<Key, unsigned>, unsigned> sizes_inside;  ///< see bundles_inside_of()
    std::uint64_t next_id = 1;
    std::uint64_t epoch = 0;  ///< counts flushes: ExitSite pointers of older ones are invalid
    TranslatorStats counters;
    std::uint64_t translate_nanoseconds = 0;
    PerfLog perf;
    std::vector<std::shared_ptr<const RegionRecord>> departed;  ///< with options.keep_records
    pid_t process = getpid();

    std::atomic<std::uint64_t> interpreted{0};
    /// With options.count_operations: calls by row of the operation table, and operations of
    /// interpreted bundles by address and reason.
    std::vector<std::uint64_t> call_counts;
    std::map<std::pair<std::uint64_t, Interpreted>, std::uint64_t> interpreted_at;

    Impl(cpu::MemoryView view, const TranslatorOptions& o)
        : memory(view), options(o), arena(std::max(o.code_cache_bytes, 2 * kRoomForRegion)) {
        if (!arena.valid()) return;
        stubs = make_stubs(arena);
        if (options.count_operations) call_counts.resize(isa::operations().size());
        const auto begin = reinterpret_cast<std::uint64_t>(stubs.enter);
        guard =
            std::make_unique<FaultGuard>(CodeRange{begin, begin + arena.room() + arena.used(),
                                                   reinterpret_cast<std::uint64_t>(stubs.fault)});
        if (options.perf_map) perf.open_map();
        if (!options.jitdump.empty()) perf.open_dump(options.jitdump);
    }

    bool usable() const { return guard && guard->active(); }

    // --- threads ---

    ThreadContext& context(const CpuState& state) {
        const std::lock_guard lock(mutex);
        if (getpid() != process) {
            // The other threads did not come along through the fork.
            process = getpid();
            for (auto& [file, thread] : threads) {
                thread->in_code = false;
                thread->running = nullptr;
            }
        }
        auto& context = threads[state.chain_file];
        if (!context || !context->fits(state)) context = std::make_unique<ThreadContext>(state);
        return *context;
    }

    /// Makes every thread forget its predictions before it runs translated code again.
    void kick_all() {
        for (auto& [file, thread] : threads) {
            thread->stale = true;
            if (CpuState* state = thread->running) state->interrupt.fetch_or(kKick);
        }
    }

    // --- regions ---

    static void write_displacement(std::uint8_t* at, const std::uint8_t* to) {
        const auto value = static_cast<std::int32_t>(to - (at + sizeof(std::int32_t)));
        // Misaligned by one byte at most places, but always within one aligned 8-byte word.
        std::uint64_t word;
        auto* aligned =
            reinterpret_cast<std::uint64_t*>(reinterpret_cast<std::uint64_t>(at) & ~7ull);
        std::memcpy(&word, aligned, sizeof word);
        std::memcpy(
            reinterpret_cast<std::uint8_t*>(&word) + (reinterpret_cast<std::uint64_t>(at) & 7),
            &value, sizeof value);
        __atomic_store_n(aligned, word, __ATOMIC_RELEASE);
    }

    void link(ExitSite& site, Region& to) {
        if (site.linked || site.from->dead || to.dead || !to.entry) return;
        write_displacement(site.displacement, to.entry);
        site.linked = &to;
        to.incoming.push_back(&site);
        ++counters.links;
    }

    void unlink(ExitSite& site) {
        if (!site.linked) return;
        write_displacement(site.displacement, site.stub);
        std::erase(site.linked->incoming, &site);
        site.linked = nullptr;
    }

    /// The region leaves the tables; its code stays until the next flush.
    void retire(Region& region) {
        region.dead = true;
        while (!region.incoming.empty()) unlink(*region.incoming.back());
        for (ExitSite& site : region.exits) unlink(site);
        const auto it = regions.find(key_of(region));
        if (it == regions.end() || it->second.get() != &region) return;
        dead.push_back(std::move(it->second));
        regions.erase(it);
    }

    void retire_overlapping(std::uint64_t begin, std::uint64_t end) {
        sizes_inside.clear();
        std::vector<Region*> victims;
        for (auto& [key, region] : regions)
            if (overlaps(*region, begin, end)) victims.push_back(region.get());
        if (victims.empty()) return;
        for (Region* region : victims) retire(*region);
        kick_all();
    }

    void keep_record(const Region& region) {
        if (region.entry) departed.push_back(published(region));
    }

    /// Empties the code cache; waits until no other thread is in translated code.
    void flush() {
        kick_all();
        for (auto& [file, thread] : threads)
            while (thread->in_code) std::this_thread::yield();
        for (auto& [file, thread] : threads) thread->clear();
        if (options.keep_records) {
            for (const auto& [key, region] : regions) keep_record(*region);
            for (const auto& region : dead) keep_record(*region);
        }
        // Kept until the next time: a thread may be about to look its fault up.
        previous.regions = std::move(regions);
        previous.dead = std::move(dead);
        previous.by_code = std::move(by_code);
        regions.clear();
        dead.clear();
        by_code.clear();
        arena.reset(stubs.size);
        ++epoch;
        ++counters.flushes;
    }

    /// A region for the state's place; null entry: interpret one bundle. The lock is held.
    Region& translate(const CpuState& state) {
        const auto start = std::chrono::steady_clock::now();
        if (arena.room() < kRoomForRegion) flush();
        auto region = std::make_unique<Region>();
        region->address = state.ip;
        region->config = Config::of(state);
        region->mode = mode_of(state);
        const bool quick = options.hot_samples > 0 && !hot.contains(key_of(*region));
        region->tier = quick ? 1 : 2;
        const std::function<bool(std::uint64_t)> is_breakpoint = [this](std::uint64_t address) {
            return breakpoints.contains(address);
        };
        const std::function<unsigned(const Trial&)> size_inside = [&](const Trial& trial) {
            return bundles_inside_of(trial, state);
        };

        for (unsigned limit = quick ? kQuickBundles : kRegionBundles; limit > 0; limit /= 8) {
            const unsigned callees = limit == kRegionBundles ? kCalleeBundles : 0;
            Plan plan = plan_region({state, memory, limit, callees, is_breakpoint, size_inside});
            if (!callees_complete(plan)) {
                sizes_inside.clear();
                plan = plan_region({state, memory, limit, 0, is_breakpoint, size_inside});
            }
            region->guest.clear();
            region->guest.push_back({state.ip, state.ip + 64});
            if (plan.nodes.empty() || plan.nodes.front()->interpret) break;
            if (emit(plan, *region)) break;
            region->exits.clear();
            region->faults.clear();
            region->recoveries.clear();
            region->system_calls.clear();
            region->restores.clear();
            region->frames.clear();
            region->profile.reset();
        }
        Region& result = *region;
        regions[key_of(result)] = std::move(region);
        translate_nanoseconds +=
            static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                           std::chrono::steady_clock::now() - start)
                                           .count());
        return result;
    }

    /// PlanRequest::size_inside, remembered.
    unsigned bundles_inside_of(const Trial& trial, const CpuState& state) {
        const std::pair key(Key{trial.target, trial.config, mode_of(state)},
                            trial.depth << 16 | trial.window);
        const auto known = sizes_inside.find(key);
        if (known != sizes_inside.end()) return known->second;
        sizes_inside[key] = 0;  // recursion is not taken in
        const std::function<bool(std::uint64_t)> is_breakpoint = [this](std::uint64_t address) {
            return breakpoints.contains(address);
        };
        const std::function<unsigned(const Trial&)> size_inside = [&](const Trial& inner) {
            return bundles_inside_of(inner, state);
        };
        const Plan plan = plan_region(
            {state, memory, kLargestCallee, kCalleeBundles, is_breakpoint, size_inside, trial});
        return sizes_inside[key] = bundles_inside(plan, kLargestCallee);
    }

    bool emit(const Plan& plan, Region& region) {
        asmjit::CodeHolder code;
        code.init(asmjit::Environment::host(), reinterpret_cast<std::uint64_t>(arena.cursor()));
        std::uint32_t helpers = 0;
        RegionEmitter emitter(code, {plan, stubs, region, arena.cursor(), options.statistics,
                                     options.profile, probing, distrusted, &helpers,
                                     call_counts.empty() ? nullptr : call_counts.data(),
                                     (region.mode & kTagMode) != 0});
        region.guest.clear();
        if (!emitter.run() || region.size > arena.room()) {
            region.entry = nullptr;
            return false;
        }
        const auto& text = code.textSection()->buffer();
        arena.commit({text.data(), text.size()});
        by_code[region.entry] = &region;
        region.record->id = next_id++;
        ++counters.regions;
        counters.bundles_translated += plan.nodes.size();
        counters.operations_translated += region.record->guest_operations;
        counters.operations_helper += helpers;
        counters.host_bytes += region.size;
        if (perf.active()) {
            std::string name;
            if (options.name_of_address) name = options.name_of_address(region.address);
            perf.add({region.entry, region.size},
                     fmt::format("{}{}[e2k {:x}]", name, name.empty() ? "" : " ", region.address));
        }
        return true;
    }

    // --- tiers ---

    /// A slice of bundles ended in a region of the quick tier. When that happens again, it and the
    /// place are worth the optimising tier.
    void heat(const Key& key, const CpuState& place) {
        const std::lock_guard lock(mutex);
        const auto it = regions.find(key);
        if (it == regions.end() || it->second->tier != 1) return;
        if (++it->second->samples < options.hot_samples) return;
        for (const Key& k : {key, key_of(place)}) {
            hot.insert(k);
            const auto known = regions.find(k);
            if (known != regions.end() && known->second->tier == 1) retire(*known->second);
        }
        kick_all();
    }

    // --- running ---

    Stop run(CpuState& state, Interpreter& interpreter, bool single);
    Region* enter_region(CpuState& state, ThreadContext& thread, cpu::FpEnvironment& fp,
                         ExitSite* from, std::uint64_t from_epoch, bool predict, bool single);
    bool recover_from_fault(CpuState& state, const SavedRegisters& saved, std::uint64_t entered);
};

/// Finds or makes the region for the state and marks the thread as being in code. Null: interpret.
Region* Translator::Impl::enter_region(CpuState& state, ThreadContext& thread,
                                       cpu::FpEnvironment& fp, ExitSite* from,
                                       std::uint64_t from_epoch, bool predict, bool single) {
    const std::lock_guard lock(mutex);
    if (thread.stale.exchange(false)) thread.clear();
    const Key key = key_of(state);
    const auto it = regions.find(key);
    Region* region = it == regions.end() ? nullptr : it->second.get();
    if (!region) {
        // The host code below may compute in floating point; keep its flags from the guest.
        fp.fold();
        region = &translate(state);
        fp.reload();
    }
    if (!region->entry) return nullptr;
    if (!single) {
        if (from && from_epoch == epoch) link(*from, *region);
        if (predict) thread.predict(state.ip, key.config, region->entry);
    }
    thread.in_code = true;
    return region;
}

/// After a host fault: state and counters of the bundle at fault. False: not in any region.
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

Stop Translator::Impl::run(CpuState& state, Interpreter& interpreter, bool single) {
    ThreadContext& thread = context(state);
    thread.running = &state;
    struct Leaving {
        std::mutex& mutex;
        ThreadContext& thread;
        CpuState& state;
        ~Leaving() {
            // kick_all() must not be between finding the state and kicking it: the caller may
            // destroy it now.
            const std::lock_guard lock(mutex);
            thread.running = nullptr;
            state.interrupt.fetch_and(~kKick);
        }
    } leaving{mutex, thread, state};
    const bool translates = usable() && set_guest_base(state.memory_base);
    cpu::FpEnvironment fp(state.pfpfr, state.fpcr, state.fpsr);
    ExitSite* from = nullptr;
    std::uint64_t from_epoch = 0;
    bool predict = false;

    const auto step = [&](std::uint64_t bundles, Interpreted why) -> Stop {
        fp.fold();
        const std::uint64_t before = state.bundles, ip = state.ip, operations = state.operations;
        Stop stop = bundles == 1 ? interpreter.step(state) : interpreter.run(state, bundles);
        fp.reload();
        interpreted.fetch_add(state.bundles - before, std::memory_order_relaxed);
        state.tags_live = state.exact_tags && cpu::has_visible_tags(state);
        if (options.count_operations) {
            const std::lock_guard lock(mutex);
            interpreted_at[{ip, why}] += state.operations - operations;
        }
        return stop;
    };
    if (state.exact_tags) state.tags_live = cpu::has_visible_tags(state);
    while (true) {
        if (!single) {
            const std::uint32_t interrupt = state.interrupt.load(std::memory_order_relaxed);
            if (interrupt & ~kKick) return stopped(StopKind::Interrupted);
            if (interrupt) state.interrupt.fetch_and(~kKick);
            const std::lock_guard lock(mutex);
            if (breakpoints.contains(state.ip)) return stopped(StopKind::Breakpoint);
        }
        if (state.tags_live) {
            // Translated code knows no tags (engine/README.md, "tags").
            Stop stop = step(single ? 1 : kTaggedBundles, Interpreted::Tagged);
            if (stop.kind == StopKind::Interrupted && !(state.interrupt & ~kKick)) continue;
            if (stop.kind != StopKind::Budget || single) return stop;
            continue;
        }
        Region* region = nullptr;
        const bool all_interpreted = !translates || (state.exact_tags && state.uncover_tags) ||
                                     cpu::fp_exceptions_unmasked(state.pfpfr, state.fpcr);
        Interpreted reason = all_interpreted ? Interpreted::Mode : Interpreted::Declined;
        if (!all_interpreted)
            region = enter_region(state, thread, fp, from, from_epoch, predict, single);
        from = nullptr;
        predict = false;
        bool interpret = region == nullptr;
        if (region) {
            from_epoch = epoch;
            const std::uint64_t left = stubs.enter(&state, region->entry, thread.shadow_bias(),
                                                   thread.jump_cache(), thread.saved());
            auto why = static_cast<Leave>(left);
            Stop system_call = stopped(StopKind::SystemCall);
            std::optional<Key> sample;  ///< the region of the quick tier in which a slice ended
            if (left >= kFirstExit) {
                auto* exit = reinterpret_cast<Exit*>(left);
                why = exit->why;
                const Region* left_region = nullptr;
                if (why == Leave::SystemCall) {
                    const auto& call = *static_cast<SystemCallExit*>(exit);
                    system_call.syscall_entry = call.entry;
                    system_call.syscall_wbs = call.wbs;
                } else if (why == Leave::Linkable) {
                    from = static_cast<ExitSite*>(exit);
                } else if (why == Leave::Sampled) {
                    left_region = static_cast<SliceEnd*>(exit)->region;
                } else {
                    auto& point = *static_cast<RecoveryPoint*>(exit);
                    hand_back(point, *thread.saved(), state);
                    if (why == Leave::Interrupted) left_region = point.region;
                }
                if (left_region && left_region->tier == 1) sample = key_of(*left_region);
            }
            thread.in_code = false;  // from now on regions may be deleted
            if (std::exchange(state.wd.tagged, std::uint16_t{0}))
                state.tags_live = state.exact_tags && cpu::has_visible_tags(state);
            if (sample && !state.interrupt.load(std::memory_order_relaxed)) heat(*sample, state);
            switch (why) {
                case Leave::Returned:
                case Leave::Sampled:
                    if (state.ip == cpu::kSentinelReturn) return stopped(StopKind::SignalReturn);
                    predict = why == Leave::Returned;
                    break;
                case Leave::Jumped:
                    predict = true;
                    break;
                case Leave::Interpret:
                    reason = Interpreted::Refused;
                    [[fallthrough]];
                case Leave::Declined:
                    interpret = true;
                    break;
                case Leave::SystemCall:
                    return system_call;
                case Leave::Fault:
                    fp.fold();
                    if (!recover_from_fault(state, *thread.saved(), from_epoch)) std::abort();
                    fp.reload();
                    interpret = true;
                    reason = Interpreted::Faulted;
                    break;
                case Leave::Distrust: {
                    interpret = true;
                    reason = Interpreted::Refused;
                    const std::lock_guard lock(mutex);
                    if (distrusted.insert(state.ip).second)
                        retire_overlapping(state.ip, state.ip + 8);
                    break;
                }
                case Leave::Interrupted:
                case Leave::Linkable:
                    break;
            }
        }
        if (interpret) {
            Stop stop = step(1, reason);
            if (stop.kind != StopKind::Budget) return stop;
        }
        if (single) return stopped(StopKind::Budget);
    }
}

Translator::Translator(cpu::MemoryView memory, const TranslatorOptions& options)
    : impl_(std::make_unique<Impl>(memory, options)) {}
Translator::~Translator() = default;

Stop Translator::run(CpuState& state, Interpreter& interpreter) {
    return impl_->run(state, interpreter, false);
}

Stop Translator::run_region(CpuState& state, Interpreter& interpreter) {
    return impl_->run(state, interpreter, true);
}

void Translator::invalidate(std::uint64_t begin, std::uint64_t end) {
    const std::lock_guard lock(impl_->mutex);
    impl_->retire_overlapping(begin, end);
}

void Translator::set_breakpoints(std::span<const std::uint64_t> addresses) {
    const std::lock_guard lock(impl_->mutex);
    for (const std::uint64_t address : addresses)
        if (!impl_->breakpoints.contains(address)) impl_->retire_overlapping(address, address + 8);
    impl_->sizes_inside.clear();
    impl_->breakpoints = {addresses.begin(), addresses.end()};
}

void Translator::set_profile(bool on) {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->options.profile == on) return;
    impl_->options.profile = on;
    if (impl_->usable()) impl_->flush();
}

TranslatorStats Translator::stats() const {
    const std::lock_guard lock(impl_->mutex);
    TranslatorStats stats = impl_->counters;
    stats.interpreted_bundles = impl_->interpreted.load(std::memory_order_relaxed);
    stats.translate_seconds = static_cast<double>(impl_->translate_nanoseconds) * 1e-9;
    return stats;
}

RunCounts Translator::run_counts() const {
    const std::lock_guard lock(impl_->mutex);
    RunCounts counts;
    std::map<std::string_view, std::uint64_t> by_name;
    for (std::size_t row = 0; row < impl_->call_counts.size(); ++row) {
        const std::uint64_t n = __atomic_load_n(&impl_->call_counts[row], __ATOMIC_RELAXED);
        counts.by_helper += n;
        if (n) by_name[isa::operation(static_cast<isa::OpIndex>(row)).mnemonic] += n;
    }
    counts.helpers.assign(by_name.begin(), by_name.end());
    for (const auto& [place, n] : impl_->interpreted_at) {
        counts.interpreted += n;
        if (n) counts.bundles.push_back({place.first, place.second, n});
    }
    // Both begin in the order of what they are counts of.
    std::stable_sort(counts.helpers.begin(), counts.helpers.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    std::stable_sort(counts.bundles.begin(), counts.bundles.end(),
                     [](const auto& a, const auto& b) { return a.operations > b.operations; });
    return counts;
}

HostCodeCensus Translator::census() const {
    const std::lock_guard lock(impl_->mutex);
    HostCodeCensus census;
    for (const auto& [key, region] : impl_->regions) {
        if (!region->entry) continue;
        census.instructions += count_instructions(region->record->host_code);
        census.operations += region->record->guest_operations;
    }
    return census;
}

std::shared_ptr<const RegionRecord> Translator::region_at(std::uint64_t ip) const {
    const std::lock_guard lock(impl_->mutex);
    const Region* best = nullptr;
    for (const auto& [key, region] : impl_->regions) {
        if (!region->entry || !overlaps(*region, ip, ip + 1)) continue;
        const auto rank = [](const Region& r) {
            return std::pair(__atomic_load_n(r.executions.get(), __ATOMIC_RELAXED), r.record->id);
        };
        if (!best || rank(*region) > rank(*best)) best = region.get();
    }
    return best ? published(*best) : nullptr;
}

std::vector<std::shared_ptr<const RegionRecord>> Translator::regions() const {
    const std::lock_guard lock(impl_->mutex);
    std::vector<std::shared_ptr<const RegionRecord>> list;
    for (const auto& [key, region] : impl_->regions)
        if (region->entry) list.push_back(published(*region));
    if (impl_->options.keep_records) {
        for (const auto& region : impl_->dead)
            if (region->entry) list.push_back(published(*region));
        list.insert(list.end(), impl_->departed.begin(), impl_->departed.end());
    }
    return list;
}

}  // namespace e2k::translate
