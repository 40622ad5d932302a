// What a translator keeps: regions by place, threads, counts. region_store.cpp makes, links and
// drops regions, dispatch.cpp runs them.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/translate/code_arena.h"
#include "engine/translate/fault_guard.h"
#include "engine/translate/perf_log.h"
#include "engine/translate/plan.h"
#include "engine/translate/region.h"
#include "engine/translate/thread_context.h"
#include "engine/translate/translator.h"

namespace e2k::translate {

/// A region is found by what it was made for.
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

/// Bit of Key::mode: tags are modelled.
inline constexpr int kTagMode = 1 << 9;
inline int mode_of(const cpu::CpuState& s) {
    return s.iset | s.strict << 8 | (s.exact_tags ? kTagMode : 0);
}
inline Key key_of(const Region& r) { return {r.address, r.config, r.mode}; }
/// The same place while no tags are visible, and while some are.
inline Key untagged(Key k) {
    k.config.wd &= ~(std::uint64_t{1} << kTaggedBit);
    return k;
}
inline Key tagged(Key k) {
    k.config.wd |= std::uint64_t{1} << kTaggedBit;
    return k;
}
inline Key key_of(const cpu::CpuState& s) { return {s.ip, Config::of(s), mode_of(s)}; }

/// Bit of Key::mode: code for a kernel's header that is not the kernel's.
inline constexpr int kGeneralMode = 1 << 10;

/// After an attempt at code that failed.
inline void forget_code(Region& region) {
    region.exits.clear();
    region.faults.clear();
    region.recoveries.clear();
    region.system_calls.clear();
    region.restores.clear();
    region.frames.clear();
    region.profile.reset();
}

/// What is known of a place where a kernel begins.
struct KernelHeader {
    bool apart = false;     ///< its streams have moved against each other
    bool hopeless = false;  ///< no region ends here any more
    unsigned refused = 0;   ///< times it did not fit the state ...
    unsigned made = 0;      ///< ... and did
};

/// Whether the region has guest code of [begin, end).
inline bool overlaps(const Region& r, std::uint64_t begin, std::uint64_t end) {
    for (const GuestRange& g : r.guest)
        if (g.begin < end && begin < g.end) return true;
    return false;
}

/// A region needs at most this much of the arena; less room means a flush.
inline constexpr std::size_t kRoomForRegion = 256u << 10;

/// The region's record as others may keep it.
std::shared_ptr<const RegionRecord> published(const Region& region);

/// Tells a process from those that it was forked from, at the price of a load.
class ForkWatch {
public:
    ForkWatch();
    ~ForkWatch();
    ForkWatch(const ForkWatch&) = delete;
    ForkWatch& operator=(const ForkWatch&) = delete;
    bool is_new_process() const;
    void settle();  ///< this process is no longer new

private:
    std::atomic<std::uint32_t>* page_ = nullptr;  ///< zero again in a child
    pid_t process_ = getpid();                    ///< where the host has no such pages
};

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
    std::atomic<bool> has_breakpoints{false};                   ///< read without the lock
    std::unordered_set<std::uint64_t> probing, distrusted;      ///< see EmitRequest
    std::unordered_set<std::uint64_t> tag_aware, tag_borders;   ///< see refused()
    std::unordered_set<Key, KeyHash> hot;                       ///< worth the optimising tier
    std::map<std::pair<Key, unsigned>, unsigned> sizes_inside;  ///< see bundles_inside_of()
    /// Headers of kernels: regions end in front of them.
    std::unordered_map<std::uint64_t, KernelHeader> kernels;
    std::uint64_t next_id = 1;
    std::uint64_t epoch = 0;  ///< counts flushes: ExitSite pointers of older ones are invalid
    TranslatorStats counters;
    std::uint64_t translate_nanoseconds = 0;
    PerfLog perf;
    std::vector<std::shared_ptr<const RegionRecord>> departed;  ///< with options.keep_records
    const std::uint64_t serial;                                 ///< no other translator has had it
    /// Threads keep their context in mind until this changes: another one may have taken a place.
    std::atomic<std::uint64_t> context_generation{0};
    ForkWatch fork_watch;
    bool code_copied = false;  ///< after_fork() has given this process pages of its own

    std::atomic<std::uint64_t> interpreted{0};
    /// With options.count_operations: calls by row of the operation table, and operations of
    /// interpreted bundles by address and reason.
    std::vector<std::uint64_t> call_counts;
    std::map<std::pair<std::uint64_t, Interpreted>, std::uint64_t> interpreted_at;

    Impl(cpu::MemoryView view, const TranslatorOptions& o);
    ~Impl();
    bool usable() const { return guard && guard->active() && arena.valid(); }

    // Around fork: with the lock, so that the child finds tables and code in order (code_arena.h).
    void prepare_fork();
    void after_fork(bool in_child);

    // --- threads ---

    ThreadContext& context(const cpu::CpuState& state);
    ThreadContext& find_context(const cpu::CpuState& state);
    /// Makes every thread forget its predictions before it runs translated code again.
    void kick_all();

    // --- regions (the lock is held) ---

    void link(ExitSite& site, Region& to);
    void unlink(ExitSite& site);
    /// The region leaves the tables; its code stays until the next flush.
    void retire(Region& region);
    void retire_overlapping(std::uint64_t begin, std::uint64_t end);
    void retire_where(const std::function<bool(const Region&)>& doomed);
    /// Empties the code cache; waits until no other thread is in translated code.
    void flush();
    /// A region for the state's place; null entry: interpret one bundle.
    Region& translate(const cpu::CpuState& state, bool general = false);

    /// Regions for visible tags could not run at the state's place, not for the first time, because
    /// of some bundles that look at one. From now on those see to it themselves; what cannot do so
    /// ends such regions, so that the others can run.
    void refused(const cpu::CpuState& state);

    // --- kernel/store.cpp ---

    /// Remembers the headers of kernels that lie in a plan. True: there are new ones; such a plan
    /// is made anew, to end in front of them.
    bool learn_kernels(const Plan& plan, const cpu::CpuState& state);
    /// Makes the region a kernel if the state is at the header of one and as it needs it.
    bool make_kernel(Region& region, const cpu::CpuState& state);
    /// The code in [begin, end) is another.
    void forget_kernels(std::uint64_t begin, std::uint64_t end);
    /// A kernel whose streams have moved against each other is to be made anew.
    void scatter(Region& region);

    // --- running ---

    cpu::Stop run(cpu::CpuState& state, cpu::Interpreter& interpreter, bool single,
                  CallService* service);
    /// After a host fault: state and counters of the bundle at fault. False: not in any region.
    bool recover_from_fault(cpu::CpuState& state, const SavedRegisters& saved,
                            std::uint64_t entered);
    /// A slice of bundles ended in a region of the quick tier. When that happens again, it and the
    /// place are worth the optimising tier.
    void heat(const Key& key, const cpu::CpuState& place);

private:
    class Run;
    void watch_forks();
    void keep_record(const Region& region);
    /// See PlanRequest.
    Plan make_plan(const cpu::CpuState& state, unsigned bundles, unsigned callees,
                   std::optional<Trial> trial = {});
    /// PlanRequest::size_inside, remembered.
    unsigned bundles_inside_of(const Trial& trial, const cpu::CpuState& state);
    bool emit(const Plan& plan, Region& region, const cpu::CpuState& state);
    bool is_border(std::uint64_t address, bool tags) const;
};

}  // namespace e2k::translate
