// Commands on their way to the worker.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "engine/machine/machine.h"

namespace e2k::machine {

/// Senders only append under a lock that nobody holds while working.
class CommandQueue {
public:
    void push(Command command) {
        {
            std::lock_guard lock(mutex_);
            commands_.push_back(std::move(command));
        }
        changed_.notify_one();
    }
    /// Something other than a command wants the worker's attention.
    void nudge() {
        {
            std::lock_guard lock(mutex_);
            nudged_ = true;
        }
        changed_.notify_one();
    }
    void close() {
        {
            std::lock_guard lock(mutex_);
            closed_ = true;
        }
        changed_.notify_one();
    }
    bool closed() const {
        std::lock_guard lock(mutex_);
        return closed_;
    }
    std::vector<Command> take() {
        std::lock_guard lock(mutex_);
        nudged_ = false;
        return std::exchange(commands_, {});
    }
    void wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return ready(); });
    }
    void wait_for(std::chrono::duration<double> time) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, time, [this] { return ready(); });
    }

private:
    bool ready() const { return closed_ || nudged_ || !commands_.empty(); }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Command> commands_;
    bool nudged_ = false, closed_ = false;
};

}  // namespace e2k::machine
