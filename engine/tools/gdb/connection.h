// Where the debugger is: a listener, and the connection that it has accepted.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <tl/expected.hpp>

#include "engine/tools/gdb/packets.h"

namespace e2k::tools::gdb {

/// A stream to a debugger. A thread of its own reads it, so that an interrupt is seen while the
/// guest runs; everything else is for one thread.
class Connection {
public:
    /// Takes the descriptors over (they may be the same). `news` is called by the reading thread
    /// after something has arrived, or the other side has gone.
    Connection(int in, int out, std::function<void()> news);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// The next packet that is not an acknowledgement; waits at most `limit`. Damaged packets are
    /// asked for again and never seen here.
    std::optional<Packet> wait(std::chrono::milliseconds limit);
    bool has_news() const { return news_.load(); }  ///< something has arrived since the last wait()
    bool closed() const;
    void send(std::string_view payload);
    /// From the next packet on nothing is acknowledged any more (QStartNoAckMode).
    void stop_acknowledging() { acknowledges_ = false; }
    /// In a forked child: the descriptors are the parent's.
    void forget();

private:
    void read();
    void write(std::string_view bytes);

    int in_, out_, stop_[2] = {-1, -1};
    std::function<void()> on_news_;
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    PacketReader reader_;
    std::deque<Packet> packets_;
    bool ended_ = false;
    std::atomic<bool> acknowledges_{true}, news_{false};
    std::string last_;
    std::thread thread_;
};

/// A place that debuggers connect to: a TCP port ("1234", of this machine alone; "ADDRESS:1234"),
/// a path of a socket ("./name"), or standard input and output ("-").
class Listener {
public:
    static tl::expected<std::unique_ptr<Listener>, std::string> open(const std::string& where);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    /// "127.0.0.1:1234": what it has become of.
    const std::string& name() const { return name_; }
    /// The next debugger's descriptors; nullopt: none has come in `limit`, or none can any more.
    std::optional<std::pair<int, int>> accept(std::chrono::milliseconds limit);
    bool exhausted() const { return descriptor_ < 0; }
    void forget();  ///< in a forked child

private:
    Listener() = default;
    int descriptor_ = -1;
    bool standard_ = false;  ///< standard input and output, not yet given away
    int in_ = -1, out_ = -1;
    std::string name_, path_;
};

}  // namespace e2k::tools::gdb
