// Standard input typed into the window.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstring>
#include <mutex>
#include <string>

namespace e2k::machine {

class InputQueue {
public:
    void push(const std::string& bytes, bool end_of_file) {
        {
            std::lock_guard lock(mutex_);
            bytes_ += bytes;
            ended_ = ended_ || end_of_file;
        }
        changed_.notify_all();
    }
    void close() { push("", true); }
    /// Waits for input; 0 = end of file.
    std::size_t read(char* to, std::size_t max) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return ended_ || !bytes_.empty(); });
        const std::size_t count = std::min(max, bytes_.size());
        std::memcpy(to, bytes_.data(), count);
        bytes_.erase(0, count);
        return count;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string bytes_;
    bool ended_ = false;
};

}  // namespace e2k::machine
