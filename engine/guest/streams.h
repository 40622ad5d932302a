// Standard streams that belong to the window: pipes or pseudo-terminals between the guest's
// descriptors 0, 1, 2 and the callbacks of StandardStreams.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>

#include <tl/expected.hpp>

#include "engine/guest/process.h"

namespace e2k::guest {

/// Output written through write() arrives in program order, across both streams; what forked
/// children write arrives by the descriptors. Input is pulled only while the guest lives.
class StreamPump {
public:
    static tl::expected<std::unique_ptr<StreamPump>, std::string> create(StandardStreams streams);
    ~StreamPump();  ///< `input` must return once its owner ends the guest

    /// Gives away the guest's end of stream 0, 1 or 2 (once).
    int take_guest_end(int stream);
    /// Passes bytes of the guest's own write() on, after everything already under way.
    void write(int stream, std::string_view bytes);
    /// Everything the guest has written so far reaches the callbacks before this returns.
    void flush();
    /// In a forked child: the threads are the parent's; only the guest's ends remain.
    void forget_threads();

private:
    StreamPump() = default;
    bool open_pipes();
    bool open_terminals();
    void drain_locked();
    void run_output();
    void run_input();
    bool put_input(std::string_view bytes);
    void end_input_of_pipe();

    StandardStreams streams_;
    std::mutex mutex_;  ///< one deliverer at a time
    std::array<int, 3> guest_end_{-1, -1, -1};
    std::array<int, 3> own_end_{-1, -1, -1};
    std::array<int, 2> stop_pipe_{-1, -1};
    std::atomic<bool> stop_{false};
    bool terminal_ = false;  ///< one of 0 and 1, another one of 2
    std::thread output_, input_;
};

}  // namespace e2k::guest
