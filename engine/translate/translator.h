// Translates regions of bundles to x86-64 with asmjit and runs them. Equals the interpreter bit
// for bit; whatever it declines it hands to the interpreter one bundle at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/cpu/interpreter.h"
#include "engine/cpu/memory.h"
#include "engine/cpu/state.h"
#include "engine/cpu/trap.h"

namespace e2k::translate {

struct RegionRecord;

struct TranslatorOptions {
    std::size_t code_cache_bytes = 64u << 20;
    bool statistics = false;        ///< count region entries
    bool count_operations = false;  ///< what is not executed by emitted code (RunCounts)
    /// So often must a slice of bundles end in a region of the quick tier before it is made anew by
    /// the optimising tier. 0: that makes all regions.
    std::uint32_t hot_samples = 0;
    bool profile = false;       ///< count executions of every bundle (edge_profile.h)
    bool keep_records = false;  ///< of regions that have left the code cache, for regions()
    bool perf_map = false;      ///< write /tmp/perf-PID.map
    std::string jitdump = {};   ///< directory for jit-PID.dump; empty: none
    bool unchained = false;     ///< no region leads to another: the dispatcher is in between
    /// Called for each region made, on the thread that needs it; must not call the translator.
    std::function<void(const RegionRecord&)> on_region = {};
    /// Name of a guest address in those files ("main+0x10"); null or "": the address alone.
    std::function<std::string(std::uint64_t)> name_of_address = {};
};

/// TranslatorOptions::hot_samples for whole programs. A slice takes some ten microseconds.
inline constexpr std::uint32_t kUsualHotSamples = 2;

/// Translator::run comes back no more than so many bundles after CpuState::run_until.
inline constexpr std::uint64_t kMostOvershoot = 1 << 16;

/// Why an emitted host instruction exists (colour strip and ledger of the host-code panel).
enum class Reason : std::uint8_t {
    Semantics,
    Predicate,
    WindowAddress,
    BoundCheck,
    Helper,
    ControlTransfer,
    Counter,
    Exit,
    Spill,
    Tag,      ///< tags, where some are visible
    Profile,  ///< counters of TranslatorOptions::profile
};
const char* name_of(Reason reason);

/// A run of host bytes made for one purpose. The ranges of a region cover its code completely.
struct HostRange {
    std::uint32_t begin = 0, end = 0;  ///< offsets from RegionRecord::host_code
    std::uint16_t bundle = 0;          ///< index into RegionRecord::bundle_addresses
    std::int8_t lane = -1;             ///< ALC 0..5, -1 none
    Reason reason = Reason::Semantics;
};

struct RegionExit {
    std::uint64_t target = 0;  ///< guest address, 0 = computed at run time
    bool linked = false;       ///< jumps directly to another region
};

/// Everything the panels and `e2kwb quality` show about one translated region.
struct RegionRecord {
    std::uint64_t id = 0;
    std::uint64_t guest_begin = 0;
    std::vector<std::uint64_t> bundle_addresses;   ///< in region order
    std::vector<std::uint16_t> bundle_operations;  ///< of each bundle
    /// Of each bundle; empty unless made with TranslatorOptions::profile.
    std::vector<std::uint64_t> bundle_executions;
    std::uint32_t guest_operations = 0;
    std::string key_text;   ///< specialisation, e.g. "wsz 16 dbl 1 rbs 8 rsz 3 rcur 1"
    std::uint8_t tier = 1;  ///< 1 quick, 2 optimising
    std::uint64_t host_address = 0;
    std::vector<std::uint8_t> host_code;  ///< copy of the bytes, so that reading races with nothing
    std::vector<HostRange> ranges;
    std::uint32_t cold_begin = 0;  ///< offset from which code lies off the straight path
    std::vector<RegionExit> exits;
    std::uint32_t helper_calls = 0;  ///< operations that call a semantic function
    std::uint64_t executions = 0;    ///< entries, when statistics are on
};

struct TranslatorStats {
    std::uint64_t regions = 0, bundles_translated = 0, operations_translated = 0;
    std::uint64_t operations_helper = 0;  ///< of those, via helper call
    std::uint64_t host_bytes = 0, links = 0, flushes = 0;
    std::uint64_t interpreted_bundles = 0;  ///< bundles executed by the interpreter
    double translate_seconds = 0;
};

/// What the code cache holds now. Counting decodes all of it (tens of milliseconds): not for a
/// running display.
struct HostCodeCensus {
    std::uint64_t instructions = 0;  ///< host instructions
    std::uint64_t operations = 0;    ///< guest operations they were made from
};

/// Why a bundle was interpreted while others run translated.
enum class Interpreted : std::uint8_t {
    Declined,  ///< there is no host code for it
    Refused,   ///< a check in the host code failed: trap, tag, address, a pointer that is none
    Faulted,   ///< the host refused an access
    Tagged,    ///< a diagnostic value was visible that the code looks at
    Mode,      ///< nothing is translated: unmasked FP exceptions, tags of registers never written
};
const char* name_of(Interpreted why);

/// Operations executed other than by emitted code, with TranslatorOptions::count_operations.
struct RunCounts {
    std::uint64_t by_helper = 0;    ///< calls of a semantic function from translated code
    std::uint64_t interpreted = 0;  ///< operations of interpreted bundles
    /// Names of the operations called, and the bundles interpreted, the most frequent first, with
    /// the operations they account for.
    std::vector<std::pair<std::string_view, std::uint64_t>> helpers;
    struct Bundle {
        std::uint64_t address = 0;  ///< Tagged, Mode: of the first of several
        Interpreted why = Interpreted::Declined;
        std::uint64_t operations = 0;
    };
    std::vector<Bundle> bundles;
};

/// Answers calls of the kernel while the thread stays in Translator::run.
class CallService {
public:
    enum class Answer : std::uint8_t {
        None,   ///< nothing was done: `run` returns the call
        GoOn,   ///< answered; the thread goes on at state.ip
        Leave,  ///< answered, but `run` is to return (StopKind::Budget)
    };
    /// In the host's floating-point environment.
    virtual Answer serve(cpu::CpuState& state, const cpu::Stop& call) = 0;

protected:
    ~CallService() = default;
};

/// One per guest process; `run` may be called by several guest threads, each with its own state
/// and interpreter.
class Translator {
public:
    Translator(cpu::MemoryView memory, const TranslatorOptions& options);
    ~Translator();

    /// Runs until a stop, which is Budget if `state.run_until` is reached. `state.interrupt` is
    /// polled at back edges and exits.
    /// `interpreter` executes what is declined (same memory).
    cpu::Stop run(cpu::CpuState& state, cpu::Interpreter& interpreter,
                  CallService* service = nullptr);

    /// Runs exactly one region entered at state.ip, then returns Budget (differential tests).
    cpu::Stop run_region(cpu::CpuState& state, cpu::Interpreter& interpreter);

    /// Drops translations made from [begin, end). Safe while other threads run.
    void invalidate(std::uint64_t begin, std::uint64_t end);
    /// Regions never run through these addresses; `run` stops before them.
    void set_breakpoints(std::span<const std::uint64_t> addresses);

    /// TranslatorOptions::profile from now on; a change drops all translations. Safe while other
    /// threads run.
    void set_profile(bool on);

    TranslatorStats stats() const;
    HostCodeCensus census() const;
    /// Why the files for perf are incomplete; "" if they are not.
    std::string perf_trouble() const;
    RunCounts run_counts() const;
    /// The region that contains guest address `ip` and was entered last; null if none.
    std::shared_ptr<const RegionRecord> region_at(std::uint64_t ip) const;
    /// All regions; with TranslatorOptions::keep_records also those that have left the code cache.
    std::vector<std::shared_ptr<const RegionRecord>> regions() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace e2k::translate
