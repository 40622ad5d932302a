#include "ui/frame_stats.h"

#include <ctime>

#include <fmt/format.h>

#include "ui/format.h"

namespace e2k::ui {

namespace {

constexpr double kPeriod = 1;  ///< seconds a line covers

double clock_seconds(clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

}  // namespace

double FrameStats::thread_seconds() { return clock_seconds(CLOCK_THREAD_CPUTIME_ID); }

void FrameStats::add(const FrameCost& cost, const machine::Snapshot& shown) {
    ++frames_;
    sum_.panels += cost.panels;
    sum_.render += cost.render;
    sum_.vertices += cost.vertices;
    if (shown.sequence != last_sequence_) ++snapshots_;
    last_sequence_ = shown.sequence;
    const double elapsed = std::chrono::duration<double>(Clock::now() - begin_).count();
    if (elapsed < kPeriod) return;
    print(elapsed, shown);
    begin_ = Clock::now();
    sum_ = {};
    frames_ = snapshots_ = 0;
    first_bundles_ = shown.counters.bundles;
    first_run_seconds_ = shown.counters.run_seconds;
    first_process_seconds_ = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
}

void FrameStats::print(double elapsed, const machine::Snapshot& shown) {
    const double process = clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - first_process_seconds_;
    const double running = shown.counters.run_seconds - first_run_seconds_;
    const bool restarted = shown.counters.bundles < first_bundles_;
    const double rate = running > 0 && !restarted
                            ? static_cast<double>(shown.counters.bundles - first_bundles_) / running
                            : 0;
    fmt::print(out_,
               "{:5.1f} frames/s, {:4.1f} snapshots/s; a frame: {:5.2f} ms panels, {:5.2f} ms "
               "rendering, {} vertices; {:.2f} cores; guest {} bundles/s\n",
               frames_ / elapsed, snapshots_ / elapsed, sum_.panels / frames_ * 1e3,
               sum_.render / frames_ * 1e3, sum_.vertices / frames_, process / elapsed, si(rate));
    std::fflush(out_);
}

}  // namespace e2k::ui
