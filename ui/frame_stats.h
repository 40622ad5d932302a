// What frames cost and how fast the guest runs meanwhile, as a line a second (--frame-stats).
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>

#include "engine/machine/snapshot.h"

namespace e2k::ui {

/// Processor time of the drawing thread for one frame, seconds.
struct FrameCost {
    double panels = 0;  ///< building: taking over news, panels, text
    double render = 0;  ///< giving it to OpenGL and presenting; with a software renderer, drawing
    int vertices = 0;
};

class FrameStats {
public:
    /// Lines go to `out`.
    explicit FrameStats(std::FILE* out) : out_(out) {}
    void add(const FrameCost& cost, const machine::Snapshot& shown);

    /// Processor time of the calling thread, seconds.
    static double thread_seconds();

private:
    using Clock = std::chrono::steady_clock;

    void print(double elapsed, const machine::Snapshot& shown);

    std::FILE* out_;
    Clock::time_point begin_ = Clock::now();
    FrameCost sum_;
    int frames_ = 0, snapshots_ = 0;
    std::uint64_t last_sequence_ = 0, first_bundles_ = 0;
    double first_run_seconds_ = 0, first_process_seconds_ = 0;
};

}  // namespace e2k::ui
