// Regions: made, linked, dropped.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include <fmt/format.h>

#include "engine/translate/region_emitter.h"
#include "engine/translate/tag_lookers.h"
#include "engine/translate/translator_impl.h"

namespace e2k::translate {

using cpu::CpuState;

namespace {

/// Bundles of a region of the quick tier: most of them are executed a few times only.
constexpr unsigned kQuickBundles = 16;
/// Bundles of a region; of functions it may take in, how many each may have and all together.
constexpr unsigned kRegionBundles = 64, kLargestCallee = 256, kCalleeBundles = 768;

void write_displacement(const CodeArena& arena, const std::uint8_t* at, const std::uint8_t* to) {
    if (!arena.valid()) return;  // lost in a fork
    const auto value = static_cast<std::int32_t>(to - (at + sizeof(std::int32_t)));
    // Misaligned by one byte at most places, but always within one aligned 8-byte word.
    std::uint64_t word;
    auto* aligned = reinterpret_cast<std::uint64_t*>(
        reinterpret_cast<std::uint64_t>(arena.writable(at)) & ~7ull);
    std::memcpy(&word, aligned, sizeof word);
    std::memcpy(reinterpret_cast<std::uint8_t*>(&word) + (reinterpret_cast<std::uint64_t>(at) & 7),
                &value, sizeof value);
    __atomic_store_n(aligned, word, __ATOMIC_RELEASE);
}

}  // namespace

void Translator::Impl::link(ExitSite& site, Region& to) {
    if (site.linked || site.from->dead || to.dead || !to.entry) return;
    write_displacement(arena, site.displacement, to.entry);
    site.linked = &to;
    to.incoming.push_back(&site);
    ++counters.links;
}

void Translator::Impl::unlink(ExitSite& site) {
    if (!site.linked) return;
    write_displacement(arena, site.displacement, site.stub);
    std::erase(site.linked->incoming, &site);
    site.linked = nullptr;
}

void Translator::Impl::retire(Region& region) {
    region.dead = true;
    while (!region.incoming.empty()) unlink(*region.incoming.back());
    for (ExitSite& site : region.exits) unlink(site);
    const auto it = regions.find(key_of(region));
    if (it == regions.end() || it->second.get() != &region) return;
    dead.push_back(std::move(it->second));
    regions.erase(it);
}

void Translator::Impl::retire_overlapping(std::uint64_t begin, std::uint64_t end) {
    sizes_inside.clear();
    retire_where([&](const Region& region) { return overlaps(region, begin, end); });
}

void Translator::Impl::retire_where(const std::function<bool(const Region&)>& doomed) {
    std::vector<Region*> victims;
    for (auto& [key, region] : regions)
        if (doomed(*region)) victims.push_back(region.get());
    if (victims.empty()) return;
    sizes_inside.clear();
    for (Region* region : victims) retire(*region);
    kick_all();
}

void Translator::Impl::keep_record(const Region& region) {
    if (region.entry) departed.push_back(published(region));
}

void Translator::Impl::flush() {
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

Region& Translator::Impl::translate(const CpuState& state, bool general) {
    const auto start = std::chrono::steady_clock::now();
    if (arena.room() < kRoomForRegion) flush();
    auto region = std::make_unique<Region>();
    region->address = state.ip;
    region->config = Config::of(state);
    region->mode = mode_of(state) | (general ? kGeneralMode : 0);
    const bool quick = options.hot_samples > 0 && !hot.contains(untagged(key_of(*region)));
    region->tier = quick ? 1 : 2;

    bool kernel = !general && make_kernel(*region, state);
    for (unsigned limit = kernel  ? 0
                          : quick ? kQuickBundles
                                  : kRegionBundles;
         limit > 0; limit /= 8) {
        const unsigned callees = limit == kRegionBundles ? kCalleeBundles : 0;
        Plan plan = make_plan(state, limit, callees);
        if (!callees_complete(plan)) {
            sizes_inside.clear();
            plan = make_plan(state, limit, 0);
        }
        if (learn_kernels(plan, state)) {
            kernel = !general && make_kernel(*region, state);
            if (kernel) break;
            plan = make_plan(state, limit, callees);
            if (!callees_complete(plan)) plan = make_plan(state, limit, 0);
        }
        region->guest.clear();
        region->guest.push_back({state.ip, state.ip + 64});
        if (plan.nodes.empty() || plan.nodes.front()->interpret) break;
        if (emit(plan, *region, state)) break;
        forget_code(*region);
    }
    Region& result = *region;
    if (options.on_region && result.entry) options.on_region(*published(result));
    regions[key_of(result)] = std::move(region);
    translate_nanoseconds +=
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                       std::chrono::steady_clock::now() - start)
                                       .count());
    return result;
}

Plan Translator::Impl::make_plan(const CpuState& state, unsigned bundles, unsigned callees,
                                 std::optional<Trial> trial) {
    const bool tags = state.wd.tagged != 0;
    const std::function<bool(std::uint64_t)> is_breakpoint = [this, tags](std::uint64_t address) {
        return is_border(address, tags);
    };
    const std::function<unsigned(const Trial&)> size_inside = [&](const Trial& inner) {
        return bundles_inside_of(inner, state);
    };
    return plan_region({state, memory, bundles, callees, is_breakpoint, size_inside, trial,
                        !distrusted.contains(state.ip)});
}

/// Where no region runs through.
bool Translator::Impl::is_border(std::uint64_t address, bool tags) const {
    if (breakpoints.contains(address) || (tags && tag_borders.contains(address))) return true;
    const auto kernel = kernels.find(address);
    return kernel != kernels.end() && !kernel->second.hopeless;
}

void Translator::Impl::refused(const CpuState& state) {
    const Key key = key_of(state);
    const bool quick = options.hot_samples > 0 && !hot.contains(untagged(key));
    const Plan plan =
        make_plan(state, quick ? kQuickBundles : kRegionBundles, quick ? 0 : kCalleeBundles);
    std::vector<std::uint64_t> changed;
    for (const TagLooker& looker : tag_lookers(plan, state)) {
        if (!looker.always) {
            if (tag_aware.insert(looker.address).second) changed.push_back(looker.address);
        } else if (looker.address != plan.address) {
            if (tag_borders.insert(looker.address).second) changed.push_back(looker.address);
        }
    }
    if (changed.empty()) return;
    retire_where([&](const Region& region) {
        return region.config.window().tagged &&
               std::ranges::any_of(changed, [&](std::uint64_t address) {
                   return overlaps(region, address, address + 8);
               });
    });
}

unsigned Translator::Impl::bundles_inside_of(const Trial& trial, const CpuState& state) {
    const std::pair key(Key{trial.target, trial.config, mode_of(state)},
                        trial.depth << 16 | trial.window);
    const auto known = sizes_inside.find(key);
    if (known != sizes_inside.end()) return known->second;
    sizes_inside[key] = 0;  // recursion is not taken in
    const Plan plan = make_plan(state, kLargestCallee, kCalleeBundles, trial);
    return sizes_inside[key] = bundles_inside(plan, kLargestCallee);
}

bool Translator::Impl::emit(const Plan& plan, Region& region, const CpuState& state) {
    asmjit::CodeHolder code;
    code.init(asmjit::Environment::host(), reinterpret_cast<std::uint64_t>(arena.cursor()));
    std::uint32_t helpers = 0;
    RegionEmitter emitter(
        code, {plan, stubs, region, arena.cursor(), options.statistics, options.profile, probing,
               distrusted, tag_aware, &helpers, call_counts.empty() ? nullptr : call_counts.data(),
               (region.mode & kTagMode) != 0, options.unchained, region.kernel.get(), &state});
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

}  // namespace e2k::translate
