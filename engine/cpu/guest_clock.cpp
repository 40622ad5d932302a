#include "engine/cpu/guest_clock.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <new>

#include <fmt/format.h>

namespace e2k::cpu {

namespace {

/// In the step form waits and timers go by bundles too: so many are a second.
constexpr std::uint64_t kStepRate = 1'000'000;
constexpr std::uint64_t kMostRate = 10'000'000'000, kMostStep = 86'400 * GuestClock::kSecond;
constexpr std::uint64_t kTaiAhead = 37 * GuestClock::kSecond;
constexpr int kMaxChildren = 240;

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};
constexpr std::array kRateUnits{Unit{"", 1}, Unit{"k", 1000}, Unit{"M", 1'000'000},
                                Unit{"G", 1'000'000'000}};
constexpr std::array kStepUnits{Unit{"s", GuestClock::kSecond}, Unit{"ms", 1'000'000},
                                Unit{"us", 1000}, Unit{"ns", 1}};

/// "11s" in the units given; 0: not understood, or not from 1 to `most`.
template <std::size_t N>
std::uint64_t quantity(std::string_view text, const std::array<Unit, N>& units,
                       std::uint64_t most) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc()) return 0;
    const std::string_view name(rest, static_cast<std::size_t>(end - rest));
    const auto unit = std::ranges::find(units, name, &Unit::name);
    if (unit == units.end() || number > most / unit->factor) return 0;
    return number * unit->factor;
}

template <std::size_t N>
std::string shortest(std::uint64_t value, const std::array<Unit, N>& units) {
    const Unit* best = nullptr;
    for (const Unit& unit : units)
        if (value % unit.factor == 0 && (!best || unit.factor > best->factor)) best = &unit;
    return fmt::format("{}{}", value / best->factor, best->name);
}

void raise_to(std::atomic<std::uint64_t>& value, std::uint64_t least) {
    std::uint64_t now = value.load();
    while (now < least && !value.compare_exchange_weak(now, least)) {
    }
}

enum class Kind : std::uint8_t { Real, Monotonic, Atomic, Process, Thread, None };

Kind kind_of(clockid_t clock) {
    constexpr clockid_t kTai = 11;
    if (clock < 0) {  // ~pid << 3, 4: a thread's, 0..2: which of its times
        if ((clock & 3) == 3) return Kind::None;
        return (clock & 4) ? Kind::Thread : Kind::Process;
    }
    switch (clock) {
        case CLOCK_REALTIME:
        case CLOCK_REALTIME_COARSE:
        case CLOCK_REALTIME_ALARM:
            return Kind::Real;
        case CLOCK_MONOTONIC:
        case CLOCK_MONOTONIC_RAW:
        case CLOCK_MONOTONIC_COARSE:
        case CLOCK_BOOTTIME:
        case CLOCK_BOOTTIME_ALARM:
            return Kind::Monotonic;
        case CLOCK_PROCESS_CPUTIME_ID:
            return Kind::Process;
        case CLOCK_THREAD_CPUTIME_ID:
            return Kind::Thread;
        case kTai:
            return Kind::Atomic;
        default:
            return Kind::None;
    }
}

}  // namespace

std::uint64_t to_nanoseconds(const timespec& time) {
    constexpr std::uint64_t kMost = 1ull << 33;
    return std::min(static_cast<std::uint64_t>(time.tv_sec), kMost) * GuestClock::kSecond +
           static_cast<std::uint64_t>(time.tv_nsec);
}

timespec to_timespec(std::uint64_t nanoseconds) {
    return {static_cast<time_t>(nanoseconds / GuestClock::kSecond),
            static_cast<long>(nanoseconds % GuestClock::kSecond)};
}

tl::expected<ClockOptions, std::string> ClockOptions::parse(std::string_view text) {
    constexpr std::string_view kStepForm = "step:";
    ClockOptions options;
    if (text.starts_with(kStepForm)) {
        options.step = quantity(text.substr(kStepForm.size()), kStepUnits, kMostStep);
        if (options.step == 0)
            return tl::unexpected(fmt::format(
                "virtual clock \"{}\": a step is a number above 0 and s, ms, us or ns, and at most "
                "a day: step:11s",
                text));
        return options;
    }
    options.rate = quantity(text, kRateUnits, kMostRate);
    if (options.rate == 0)
        return tl::unexpected(fmt::format(
            "virtual clock \"{}\": neither bundles a second (1 to 10G, as 500000, 20k, 100M) nor a "
            "step for each reading (step:11s)",
            text));
    return options;
}

std::string ClockOptions::text() const {
    if (step) return "step:" + shortest(step, kStepUnits);
    return rate ? shortest(rate, kRateUnits) : std::string();
}

struct GuestClock::Family {
    std::atomic<std::uint64_t> latest{0};  ///< what has passed for the foremost thread
    std::atomic<std::uint64_t> slept{0};
    std::atomic<std::uint64_t> stepped{0};
    struct Child {
        std::atomic<pid_t> pid{0};
        std::atomic<std::uint64_t> time{0};
    };
    std::array<Child, kMaxChildren> children;
};

tl::expected<std::unique_ptr<GuestClock>, std::string> GuestClock::create(ClockOptions options) {
    std::unique_ptr<GuestClock> self(new GuestClock(options));
    if (!options.is_virtual()) return self;
    void* at =
        mmap(nullptr, sizeof(Family), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return tl::unexpected<std::string>("no memory for the virtual clock");
    self->family_ = new (at) Family;
    return self;
}

GuestClock::~GuestClock() {
    if (family_) munmap(family_, sizeof(Family));
}

std::uint64_t GuestClock::duration(std::uint64_t ticks) const {
    const std::uint64_t rate = options_.rate ? options_.rate : kStepRate;
    return ticks / rate * kSecond + ticks % rate * kSecond / rate;
}

std::uint64_t GuestClock::bundles_in(std::uint64_t nanoseconds) const {
    const std::uint64_t rate = options_.rate ? options_.rate : kStepRate;
    const std::uint64_t seconds = nanoseconds / kSecond, rest = nanoseconds % kSecond;
    if (seconds > ~0ull / rate / 2) return ~0ull / 2;
    return seconds * rate + (rest * rate + kSecond - 1) / kSecond;
}

std::uint64_t GuestClock::local(const CpuState& state) const {
    return state.clock.base + duration(ticks(state));
}

std::uint64_t GuestClock::passed(const CpuState& state) const {
    return std::max(local(state), family_->latest.load());
}

std::uint64_t GuestClock::passed_processor(const CpuState& state) const {
    return duration(counted_.load() + ticks(state) - state.clock.counted);
}

std::uint64_t GuestClock::thread_time(const CpuState& state) const {
    return duration(ticks(state) - state.clock.born);
}

/// Nanoseconds since the program began, as a reading shows them.
std::uint64_t GuestClock::elapsed(const CpuState& state) {
    if (steps())
        return family_->stepped.fetch_add(options_.step) + options_.step + family_->slept.load();
    const std::uint64_t now = passed(state);
    raise_to(family_->latest, now);
    return now;
}

std::uint64_t GuestClock::peek_elapsed(const CpuState& state) const {
    return steps() ? family_->stepped.load() + family_->slept.load() : passed(state);
}

std::uint64_t GuestClock::nanoseconds(const CpuState& state) {
    using namespace std::chrono;
    if (is_virtual()) return kUptime + elapsed(state);
    return static_cast<std::uint64_t>(
        duration_cast<std::chrono::nanoseconds>(steady_clock::now().time_since_epoch()).count());
}

std::uint64_t GuestClock::processor_time(const CpuState& state) {
    if (!steps()) return passed_processor(state);
    return family_->stepped.fetch_add(options_.step) + options_.step - born_steps_;
}

int GuestClock::read(clockid_t clock, const CpuState& state, timespec& time) {
    if (!is_virtual()) return clock_gettime(clock, &time) == 0 ? 0 : -errno;
    switch (kind_of(clock)) {
        case Kind::Real:
            time = to_timespec(kStart + elapsed(state));
            return 0;
        case Kind::Monotonic:
            time = to_timespec(nanoseconds(state));
            return 0;
        case Kind::Atomic:
            time = to_timespec(kStart + kTaiAhead + elapsed(state));
            return 0;
        case Kind::Process:
            time = to_timespec(processor_time(state));
            return 0;
        case Kind::Thread:
            time = to_timespec(steps() ? processor_time(state) : thread_time(state));
            return 0;
        case Kind::None:
            break;
    }
    return -EINVAL;
}

std::uint64_t GuestClock::peek(clockid_t clock, const CpuState& state) const {
    switch (kind_of(clock)) {
        case Kind::Real:
            return kStart + peek_elapsed(state);
        case Kind::Monotonic:
            return kUptime + peek_elapsed(state);
        case Kind::Atomic:
            return kStart + kTaiAhead + peek_elapsed(state);
        case Kind::Process:
            return steps() ? family_->stepped.load() - born_steps_ : passed_processor(state);
        case Kind::Thread:
            return steps() ? family_->stepped.load() - born_steps_ : thread_time(state);
        case Kind::None:
            break;
    }
    return 0;
}

void GuestClock::sleep(CpuState& state, std::uint64_t nanoseconds) {
    const std::uint64_t now = passed(state) + nanoseconds;
    state.clock.base += now - local(state);
    raise_to(family_->latest, now);
    family_->slept.fetch_add(nanoseconds);
}

void GuestClock::start_program(CpuState& state) {
    if (state.clock.source == this) return;  // after execve: the bundles count on
    state.clock = {this, 0, ticks(state), ticks(state)};
    if (is_virtual()) state.clock.base = family_->latest.load() - duration(ticks(state));
}

void GuestClock::start_thread(const CpuState& creator, CpuState& state) {
    state.clock = {this, 0, ticks(state), ticks(state)};
    if (is_virtual()) state.clock.base = passed(creator) - duration(ticks(state));
}

void GuestClock::publish_virtual(CpuState& state) {
    counted_.fetch_add(ticks(state) - state.clock.counted);
    state.clock.counted = ticks(state);
    const std::uint64_t now = passed(state);
    state.clock.base += now - local(state);
    raise_to(family_->latest, now);
    if (own_time_) own_time_->store(peek(CLOCK_PROCESS_CPUTIME_ID, state) + children_.load());
}

void GuestClock::become_child(CpuState& state, pid_t pid) {
    if (!is_virtual()) return;
    state.clock.counted = state.clock.born = ticks(state);
    counted_ = 0;
    children_ = 0;
    born_steps_ = family_->stepped.load();
    own_time_ = nullptr;
    for (Family::Child& child : family_->children) {
        pid_t free = 0;
        if (!child.pid.compare_exchange_strong(free, pid)) continue;
        own_time_ = &child.time;
        *own_time_ = 0;
        break;
    }
}

std::uint64_t GuestClock::reaped(pid_t pid) {
    if (!is_virtual()) return 0;
    for (Family::Child& child : family_->children) {
        if (child.pid.load() != pid) continue;
        const std::uint64_t time = child.time.load();
        child.pid = 0;
        children_.fetch_add(time);
        return time;
    }
    return 0;
}

}  // namespace e2k::cpu
