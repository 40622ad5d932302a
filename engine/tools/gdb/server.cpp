#include "engine/tools/gdb/server.h"

#include <csignal>

#include <fmt/format.h>

namespace e2k::tools::gdb {
namespace {

constexpr auto kPatience = std::chrono::milliseconds(200);
constexpr std::size_t kRememberedCalls = 50;

/// Accepts debuggers on a thread of its own: the one that executes the guest may be behind the wall
/// of a sandbox.
class Door {
public:
    Door(std::unique_ptr<Listener> listener, std::function<void()> news)
        : listener_(std::move(listener)), news_(std::move(news)), thread_([this] { run(); }) {}
    ~Door() {
        closing_ = true;
        if (thread_.joinable()) thread_.join();
    }
    /// The debugger that has come; it stays until let_go().
    Connection* wait() {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, kPatience, [this] { return connection_ != nullptr; });
        return connection_.get();
    }
    bool is_occupied() {
        const std::lock_guard lock(mutex_);
        return connection_ != nullptr;
    }
    bool exhausted() {
        const std::lock_guard lock(mutex_);
        return listener_->exhausted() && !connection_ && was_used_;
    }
    void let_go() {
        std::unique_ptr<Connection> old;
        {
            const std::lock_guard lock(mutex_);
            old = std::move(connection_);
        }
        changed_.notify_all();
    }
    /// In a forked child: all of it is the parent's.
    void forget() {
        if (connection_) connection_->forget();
        listener_->forget();
    }

private:
    void run() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, nullptr);
        while (!closing_) {
            {
                std::unique_lock lock(mutex_);
                if (connection_) {
                    changed_.wait_for(lock, kPatience, [this] { return !connection_; });
                    continue;
                }
            }
            const auto ends = listener_->accept(kPatience);
            if (!ends) continue;
            auto connection = std::make_unique<Connection>(ends->first, ends->second, news_);
            {
                const std::lock_guard lock(mutex_);
                connection_ = std::move(connection);
                was_used_ = true;
            }
            changed_.notify_all();
            news_();
        }
    }

    std::unique_ptr<Listener> listener_;
    std::function<void()> news_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::unique_ptr<Connection> connection_;
    bool was_used_ = false;
    std::atomic<bool> closing_{false};
    std::thread thread_;
};

/// How a session has ended.
enum class Left : std::uint8_t { Detached, Gone, Ended };

/// Whether what has arrived while the guest runs shall stop it; a packet that is none of the
/// interrupt waits for the guest's stop.
bool wants_stop(Connection& connection, std::deque<std::string>& waiting) {
    if (!connection.has_news()) return false;
    while (const auto packet = connection.wait(std::chrono::milliseconds(0))) {
        if (packet->kind == Packet::Kind::Interrupt) return true;
        waiting.push_back(packet->text);
    }
    return connection.closed();
}

Left attend(Connection& connection, Session& session) {
    std::deque<std::string> waiting;
    const std::function<bool()> interrupted = [&] { return wants_stop(connection, waiting); };
    for (;;) {
        std::string text;
        if (!waiting.empty()) {
            text = std::move(waiting.front());
            waiting.pop_front();
        } else {
            const auto packet = connection.wait(kPatience);
            if (!packet && connection.closed()) return Left::Gone;
            if (!packet || packet->kind != Packet::Kind::Data) continue;
            text = packet->text;
        }
        const auto reply = session.answer(text, interrupted);
        for (const std::string& line : std::exchange(session.console, {}))
            connection.send("O" + to_hex(line));
        if (reply) connection.send(*reply);
        if (std::exchange(session.no_acknowledgements, false)) connection.stop_acknowledging();
        if (session.killed || session.last_stop().ended()) return Left::Ended;
        if (session.detached) return Left::Detached;
    }
}

ServerResult result_of(Debuggee& debuggee) {
    const guest::ExitStatus status = debuggee.process().exit_status();
    if (status.kind != guest::ExitStatus::Kind::Running)
        return {status, debuggee.process().exit_detail()};
    return {{guest::ExitStatus::Kind::Signaled, SIGKILL}, "killed by the debugger"};
}

}  // namespace

tl::expected<ServerResult, std::string> serve(ServerOptions options) {
    auto listener = Listener::open(options.listen);
    if (!listener) return tl::unexpected(listener.error());
    const std::string name = (*listener)->name();
    options.own_streams();
    std::atomic<Debuggee*> interrupts{nullptr};
    Door door(std::move(*listener), [&interrupts] {
        if (Debuggee* const debuggee = interrupts.load()) debuggee->interrupt();
    });
    std::deque<std::string> calls;
    std::mutex calls_mutex;
    options.guest.on_syscall = [&](const guest::SyscallRecord& record) {
        const std::lock_guard lock(calls_mutex);
        calls.push_back(
            fmt::format("{}({}) = {}", record.name, record.arguments, record.result_text));
        if (calls.size() > kRememberedCalls) calls.pop_front();
    };
    options.guest.on_child = [&door] { door.forget(); };
    auto started = Debuggee::start(options.path, std::move(options.guest));
    if (!started) return tl::unexpected(started.error());
    Debuggee& debuggee = **started;
    interrupts = &debuggee;
    options.say(fmt::format("waits for gdb at {}", name));
    bool attached = false;
    for (;;) {
        Connection* const connection = door.wait();
        if (!connection) {
            if (door.exhausted()) debuggee.kill();
            if (!door.exhausted()) continue;
            break;
        }
        Session session(debuggee, calls);
        session.attached = attached;
        const Left left = attend(*connection, session);
        door.let_go();
        if (left == Left::Ended) break;
        if (left == Left::Gone) continue;  // the guest stays where it is
        // Without a debugger it goes on, until another one comes.
        attached = true;
        const StopReport stop = debuggee.run_alone([&door] { return door.is_occupied(); });
        if (stop.kind == StopReport::Kind::Missing)
            return tl::unexpected(options.path + ": this build cannot execute a bundle");
        if (stop.ended()) break;
    }
    interrupts = nullptr;
    return result_of(debuggee);
}

}  // namespace e2k::tools::gdb
