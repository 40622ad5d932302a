// The gdb remote protocol over a guest: `e2kwb gdb`.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "engine/tools/gdb/calls.h"
#include "engine/tools/gdb/connection.h"
#include "engine/tools/gdb/debuggee.h"

namespace e2k::tools::gdb {

struct ServerOptions {
    std::string path;    ///< of the program
    std::string listen;  ///< Listener::open
    Debuggee::Options guest;
    std::function<void()> own_streams = [] {};  ///< called after the listener has been opened
    /// Told where debuggers can connect, and what else there is to say.
    std::function<void(const std::string&)> say;
};

/// How the guest has ended.
struct ServerResult {
    guest::ExitStatus exit;
    std::string detail;
};

/// Serves debuggers, one after the other, until the guest has ended or is killed. The calling
/// thread executes the guest's first thread.
tl::expected<ServerResult, std::string> serve(ServerOptions options);

/// One session's answers, without transport: what tests and fuzzers talk to as well.
class Session {
public:
    Session(Debuggee& debuggee, std::deque<std::string>& recent_calls)
        : debuggee_(debuggee), recent_calls_(recent_calls) {}

    /// The answer to a packet's payload; nullopt: none now (a kill).
    /// `interrupted`: whether the debugger wants a guest that runs to stop.
    std::optional<std::string> answer(std::string_view packet,
                                      const std::function<bool()>& interrupted);

    bool detached = false, killed = false, attached = false;
    bool no_acknowledgements = false;  ///< from the answer just given on
    /// Text for the debugger's console, in front of the answer.
    std::vector<std::string> console;
    const StopReport& last_stop() const { return stop_; }

private:
    using Handler = std::string (Session::*)(std::string_view rest);
    struct Row {
        std::string_view prefix;
        Handler handler;
    };
    static std::span<const Row> rows();

    std::string stop_reply() const;
    std::string thread_id(unsigned number) const;
    std::optional<unsigned> parse_thread(std::string_view& text) const;

    // session.cpp
    std::string last_stop_again(std::string_view);
    std::string select_thread(std::string_view rest);
    std::string select_running_thread(std::string_view rest);
    std::string is_alive(std::string_view rest);
    std::string resume_actions(std::string_view rest);
    std::string go_on(std::string_view rest);
    std::string step(std::string_view rest);
    std::string go_on_with(std::string_view rest);
    std::string step_with(std::string_view rest);
    std::string detach(std::string_view rest);
    std::string kill(std::string_view rest);
    std::string resume_one(std::string_view rest, Resume::How how, bool takes_signal);
    std::string resume(const Resume& how);
    std::string step_back(std::string_view);
    std::string run_back(std::string_view);
    std::string back(bool step);
    // session_state.cpp
    std::string read_registers(std::string_view);
    std::string read_register(std::string_view rest);
    std::string write_register(std::string_view rest);
    std::string read_memory(std::string_view rest);
    std::string write_memory(std::string_view rest);
    std::string write_binary(std::string_view rest);
    std::string insert(std::string_view rest);
    std::string remove(std::string_view rest);
    std::string point(std::string_view rest, bool on);
    bool store(std::uint64_t address, std::span<const std::uint8_t> bytes);
    bool store_now(std::uint64_t address, std::span<const std::uint8_t> bytes);
    std::optional<std::uint8_t> tag_at(std::uint64_t address);
    // session_queries.cpp
    std::string supported(std::string_view rest);
    std::string no_acks(std::string_view);
    std::string pass_signals(std::string_view rest);
    std::string catch_calls(std::string_view rest);
    std::string first_threads(std::string_view);
    std::string no_more_threads(std::string_view);
    std::string is_attached(std::string_view);
    std::string current_thread(std::string_view);
    std::string offsets(std::string_view);
    std::string transfer(std::string_view rest);
    std::string command(std::string_view rest);
    std::optional<std::string> object(std::string_view name, std::string_view annex);
    std::string read_tags(std::string_view rest, bool packed);
    std::string write_tags(std::string_view rest);
    std::string thread_list();
    std::string monitor(std::string_view words);

    Debuggee& debuggee_;
    std::deque<std::string>& recent_calls_;
    FunctionCalls calls_;
    StopReport stop_;
    unsigned selected_ = 1, running_ = 0;  ///< running_ 0: all threads
    bool knows_swbreak_ = false, knows_hwbreak_ = false, knows_forks_ = false, knows_exec_ = false;
    std::set<std::uint64_t> hardware_breakpoints_;
    const std::function<bool()>* interrupted_ = nullptr;
};

}  // namespace e2k::tools::gdb
