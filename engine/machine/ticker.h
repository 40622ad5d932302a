// Beats while a guest runs, so that the worker comes by for a light snapshot.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace e2k::machine {

/// Calls `beat` every period between start() and stop(), on a thread of its own. After stop() has
/// returned, `beat` is not running.
class Ticker {
public:
    Ticker(std::chrono::milliseconds period, std::function<void()> beat)
        : period_(period), beat_(std::move(beat)), thread_([this] { run(); }) {}
    ~Ticker() {
        {
            std::lock_guard lock(mutex_);
            quit_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }
    void start() { set(true); }
    void stop() { set(false); }

private:
    void set(bool beating) {
        {
            std::lock_guard lock(mutex_);
            if (beating_ == beating) return;
            beating_ = beating;
        }
        changed_.notify_all();
    }
    void run() {
        std::unique_lock lock(mutex_);
        while (!quit_) {
            if (!beating_)
                changed_.wait(lock, [this] { return quit_ || beating_; });
            else if (!changed_.wait_for(lock, period_, [this] { return quit_ || !beating_; }))
                beat_();
        }
    }

    const std::chrono::milliseconds period_;
    const std::function<void()> beat_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool beating_ = false, quit_ = false;
    std::thread thread_;
};

}  // namespace e2k::machine
