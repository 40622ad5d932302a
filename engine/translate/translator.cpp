#include "engine/translate/translator.h"

#include <pthread.h>

#include <algorithm>

#include "engine/translate/quality.h"
#include "engine/translate/translator_impl.h"

namespace e2k::translate {

using cpu::CpuState;
using cpu::Interpreter;
using cpu::Stop;

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
        case Reason::Tag:
            return "tag";
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

std::shared_ptr<const RegionRecord> published(const Region& region) {
    auto record = std::make_shared<RegionRecord>(*region.record);
    record->executions = __atomic_load_n(region.executions.get(), __ATOMIC_RELAXED);
    if (region.profile) record->bundle_executions = bundle_executions(region);
    for (const ExitSite& site : region.exits)
        record->exits.push_back({site.target, site.linked != nullptr});
    return record;
}

namespace {

std::uint64_t next_serial() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

/// All translators of the process, for the handlers that fork calls. They take the locks
/// themselves: who forks must not hold one.
struct ForkList {
    std::mutex mutex;
    std::vector<void*> translators;
};
ForkList& fork_list() {
    static ForkList list;
    return list;
}

}  // namespace

void Translator::Impl::prepare_fork() {
    mutex.lock();
    arena.prepare_fork();
}

void Translator::Impl::after_fork(bool in_child) {
    arena.after_fork(in_child);
    code_copied = in_child;
    mutex.unlock();
}

void Translator::Impl::watch_forks() {
    static std::once_flag once;
    std::call_once(once, [] {
        pthread_atfork(
            [] {
                fork_list().mutex.lock();
                for (void* t : fork_list().translators) static_cast<Impl*>(t)->prepare_fork();
            },
            [] {
                for (void* t : fork_list().translators) static_cast<Impl*>(t)->after_fork(false);
                fork_list().mutex.unlock();
            },
            [] {
                for (void* t : fork_list().translators) static_cast<Impl*>(t)->after_fork(true);
                fork_list().mutex.unlock();
            });
    });
    const std::lock_guard lock(fork_list().mutex);
    fork_list().translators.push_back(this);
}

Translator::Impl::~Impl() {
    const std::lock_guard lock(fork_list().mutex);
    std::erase(fork_list().translators, this);
}

Translator::Impl::Impl(cpu::MemoryView view, const TranslatorOptions& o)
    : memory(view),
      options(o),
      arena(std::max(o.code_cache_bytes, 2 * kRoomForRegion)),
      serial(next_serial()) {
    watch_forks();
    if (!arena.valid()) return;
    stubs = make_stubs(arena);
    if (options.count_operations) call_counts.resize(isa::operations().size());
    const auto begin = reinterpret_cast<std::uint64_t>(stubs.enter);
    guard = std::make_unique<FaultGuard>(CodeRange{begin, begin + arena.room() + arena.used(),
                                                   reinterpret_cast<std::uint64_t>(stubs.fault)});
    if (options.perf_map) perf.open_map();
    if (!options.jitdump.empty()) perf.open_dump(options.jitdump);
}

Translator::Translator(cpu::MemoryView memory, const TranslatorOptions& options)
    : impl_(std::make_unique<Impl>(memory, options)) {}
Translator::~Translator() = default;

Stop Translator::run(CpuState& state, Interpreter& interpreter, CallService* service) {
    return impl_->run(state, interpreter, false, service);
}

Stop Translator::run_region(CpuState& state, Interpreter& interpreter) {
    return impl_->run(state, interpreter, true, nullptr);
}

void Translator::invalidate(std::uint64_t begin, std::uint64_t end) {
    const std::lock_guard lock(impl_->mutex);
    impl_->retire_overlapping(begin, end);
    impl_->forget_kernels(begin, end);
}

void Translator::set_breakpoints(std::span<const std::uint64_t> addresses) {
    const std::lock_guard lock(impl_->mutex);
    for (const std::uint64_t address : addresses)
        if (!impl_->breakpoints.contains(address)) impl_->retire_overlapping(address, address + 8);
    impl_->sizes_inside.clear();
    impl_->breakpoints = {addresses.begin(), addresses.end()};
    impl_->has_breakpoints = !impl_->breakpoints.empty();
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

std::string Translator::perf_trouble() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->perf.trouble();
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
