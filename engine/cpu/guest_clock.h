// The time that a guest reads: the host's, or a virtual one that runs from the bundles it executes.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "engine/cpu/state.h"

namespace e2k::cpu {

struct ClockOptions {
    std::uint64_t rate = 0;  ///< bundles that take a second; 0: not by bundles
    std::uint64_t step = 0;  ///< nanoseconds by which each reading is later than the last; 0: none
    bool is_virtual() const { return rate != 0 || step != 0; }
    /// "100M", "2500000" (bundles a second, with k, M or G) or "step:11s" (s, ms, us, ns). Error:
    /// what is wrong with it.
    static tl::expected<ClockOptions, std::string> parse(std::string_view text);
    std::string text() const;  ///< what parse() understands; "" for the host's clocks
};

/// Time as the kernel's structures have it. Seconds beyond 2^33 count as 2^33.
std::uint64_t to_nanoseconds(const timespec& time);
timespec to_timespec(std::uint64_t nanoseconds);

/// What virtual time runs from in place of CpuState::bundles: something that never falls.
class TickSource {
public:
    virtual ~TickSource() = default;
    virtual std::uint64_t ticks(const CpuState& state) const = 0;
};

/// Everything that tells a guest the time asks here: system calls, library calls, %clkr, /proc.
///
/// Virtual time is kept twice. What has **passed** is counted in bundles and in sleeps, which take
/// no real time; waits and timers go by it. What is **read** is the same, or, in the step form, so
/// many steps as there were readings, and the sleeps. Both are the same in interpreter and
/// translator: CpuState::bundles is exact wherever a clock can be read. Processes that a guest
/// forks share their time: whoever is behind at a system call is set forward to the foremost.
/// Any thread may call everything; a CpuState is the caller's own.
class GuestClock {
public:
    static constexpr std::uint64_t kSecond = 1'000'000'000;
    /// When a program starts: 2024-01-01 00:00:00 UTC, an hour after its machine.
    static constexpr std::uint64_t kStart = 1'704'067'200 * kSecond;
    static constexpr std::uint64_t kUptime = 3600 * kSecond;

    static tl::expected<std::unique_ptr<GuestClock>, std::string> create(ClockOptions options);
    ~GuestClock();
    GuestClock(const GuestClock&) = delete;
    GuestClock& operator=(const GuestClock&) = delete;

    const ClockOptions& options() const { return options_; }
    bool is_virtual() const { return options_.is_virtual(); }
    bool steps() const { return options_.step != 0; }

    /// Before the first bundle: ClockOptions::rate counts ticks of `source` from now on. Timers are
    /// still looked at by bundles, so they are late where a bundle is more than a tick.
    void run_from(const TickSource& source) { source_ = &source; }

    // --- readings ---
    /// clock_gettime(2): 0 or -errno.
    int read(clockid_t clock, const CpuState& state, timespec& time);
    /// What %clkr and CLOCK_MONOTONIC count, in nanoseconds.
    std::uint64_t nanoseconds(const CpuState& state);
    /// Of the process, all its threads, in nanoseconds; virtual time only.
    std::uint64_t processor_time(const CpuState& state);
    /// Of the children that it has waited for.
    std::uint64_t children_time() const { return children_.load(); }

    // --- waits and timers; virtual time only ---
    std::uint64_t passed(const CpuState& state) const;
    std::uint64_t passed_processor(const CpuState& state) const;
    /// What read() would say, without being a reading. Nanoseconds.
    std::uint64_t peek(clockid_t clock, const CpuState& state) const;
    /// Bundles that a thread executes in so many nanoseconds, rounded up.
    std::uint64_t bundles_in(std::uint64_t nanoseconds) const;
    /// Lets time pass without bundles.
    void sleep(CpuState& state, std::uint64_t nanoseconds);

    // --- life of threads and processes ---
    void start_program(CpuState& state);  ///< the first thread's state, or after execve
    void start_thread(const CpuState& creator, CpuState& state);
    /// At every system call: the thread's bundles count for the others, and theirs for it.
    void publish(CpuState& state) {
        if (is_virtual()) publish_virtual(state);
    }
    void become_child(CpuState& state, pid_t pid);  ///< in the child of a fork
    /// A child has been waited for. Nanoseconds of processor time it has used, its own waited-for
    /// children included.
    std::uint64_t reaped(pid_t pid);

private:
    struct Family;
    explicit GuestClock(ClockOptions options) : options_(options) {}
    void publish_virtual(CpuState& state);
    std::uint64_t duration(std::uint64_t ticks) const;
    std::uint64_t ticks(const CpuState& state) const {
        return source_ ? source_->ticks(state) : state.bundles;
    }
    std::uint64_t local(const CpuState& state) const;
    std::uint64_t elapsed(const CpuState& state);
    std::uint64_t peek_elapsed(const CpuState& state) const;
    std::uint64_t thread_time(const CpuState& state) const;

    ClockOptions options_;
    const TickSource* source_ = nullptr;
    Family* family_ = nullptr;  ///< memory shared with forked children; null: the host's clocks
    std::atomic<std::uint64_t> counted_{0};  ///< ticks of this process, all its threads
    std::atomic<std::uint64_t> children_{0};
    std::uint64_t born_steps_ = 0;                    ///< steps before this process began
    std::atomic<std::uint64_t>* own_time_ = nullptr;  ///< where the parent will look
};

}  // namespace e2k::cpu
