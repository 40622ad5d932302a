// Packets that make the guest go on, and what is said when it has stopped.
#include <csignal>

#include <fmt/format.h>

#include "engine/tools/gdb/server.h"
#include "engine/tools/gdb/signals.h"

namespace e2k::tools::gdb {
namespace {

constexpr std::string_view kOk = "OK", kBadNumber = "E01", kBadThread = "E02";
constexpr unsigned kProcess = 1;  ///< of the debuggee, as threads are named: p1.2

/// Registers that every stop says: with them the client asks for no others while it steps.
constexpr std::array<unsigned, 12> kExpedited{0x2f, 0x30, 0x31, 0x32, 0x34,  0x35,
                                              0x36, 0x37, 0x39, 0x3a, 0x14e, 0x28e};

}  // namespace

std::span<const Session::Row> Session::rows() {
    static constexpr Row kRows[] = {
        {"?", &Session::last_stop_again},
        {"Hg", &Session::select_thread},
        {"Hc", &Session::select_running_thread},
        {"T", &Session::is_alive},
        {"vCont;", &Session::resume_actions},
        {"vKill;", &Session::kill},
        {"c", &Session::go_on},
        {"s", &Session::step},
        {"C", &Session::go_on_with},
        {"S", &Session::step_with},
        {"bs", &Session::step_back},
        {"bc", &Session::run_back},
        {"D", &Session::detach},
        {"g", &Session::read_registers},
        {"p", &Session::read_register},
        {"P", &Session::write_register},
        {"m", &Session::read_memory},
        {"M", &Session::write_memory},
        {"X", &Session::write_binary},
        {"Z", &Session::insert},
        {"z", &Session::remove},
        {"qSupported", &Session::supported},
        {"QStartNoAckMode", &Session::no_acks},
        {"QPassSignals:", &Session::pass_signals},
        {"QCatchSyscalls:", &Session::catch_calls},
        {"qfThreadInfo", &Session::first_threads},
        {"qsThreadInfo", &Session::no_more_threads},
        {"qAttached", &Session::is_attached},
        {"qOffsets", &Session::offsets},
        {"qXfer:", &Session::transfer},
        {"qRcmd,", &Session::command},
        {"qC", &Session::current_thread},
    };
    return kRows;
}

std::optional<std::string> Session::answer(std::string_view packet,
                                           const std::function<bool()>& interrupted) {
    interrupted_ = &interrupted;
    if (packet == "k") {
        killed = true;
        debuggee_.kill();
        return std::nullopt;
    }
    if (packet == "vCont?") return "vCont;c;C;s;S";
    // Of "qC" and the like the whole packet is the name.
    for (const Row& row : rows()) {
        if (!packet.starts_with(row.prefix)) continue;
        if (row.prefix == "qC" && packet.size() > 2) continue;
        if (row.prefix == "g" && packet.size() > 1) continue;
        return (this->*row.handler)(packet.substr(row.prefix.size()));
    }
    return std::string();
}

std::string Session::thread_id(unsigned number) const {
    return fmt::format("p{:x}.{:x}", kProcess, number);
}

/// "p1.2", "2", "-1"; 0 stands for all or any. Nullopt: none of these. Other processes are forked
/// children, which nobody debugs.
std::optional<unsigned> Session::parse_thread(std::string_view& text) const {
    if (take(text, "p")) {
        const bool all = take(text, "-1");
        const auto process = all ? std::optional<std::uint64_t>(0) : take_number(text);
        if (!process) return std::nullopt;
        if (!take(text, ".")) return 0;
    }
    if (take(text, "-1")) return 0;
    const auto number = take_number(text);
    if (!number || *number > 0xffff'ffff) return std::nullopt;
    return static_cast<unsigned>(*number);
}

std::string Session::stop_reply() const {
    using Kind = StopReport::Kind;
    if (stop_.kind == Kind::Exited)
        return fmt::format("W{:02x};process:{:x}", stop_.value & 0xff, kProcess);
    if (stop_.kind == Kind::Killed)
        return fmt::format("X{:02x};process:{:x}", to_gdb(static_cast<int>(stop_.value)), kProcess);
    int signal = SIGTRAP;
    std::string reason;
    const StoppedThread at = debuggee_.stopped(stop_.thread);
    switch (stop_.kind) {
        case Kind::Signal:
            signal = static_cast<int>(stop_.value);
            break;
        case Kind::Interrupt:
            signal = SIGINT;
            break;
        case Kind::Missing:
            signal = SIGILL;
            break;
        case Kind::Breakpoint:
            if (hardware_breakpoints_.contains(at.state->ip))
                reason = knows_hwbreak_ ? "hwbreak:;" : "";
            else
                reason = knows_swbreak_ ? "swbreak:;" : "";
            break;
        case Kind::Watch: {
            constexpr std::array kNames{"watch", "rwatch", "awatch"};
            reason =
                fmt::format("{}:{:x};", kNames[static_cast<std::size_t>(stop_.watch)], stop_.value);
            break;
        }
        case Kind::CallEntry:
            reason = fmt::format("syscall_entry:{:x};", stop_.value);
            break;
        case Kind::CallReturn:
            reason = fmt::format("syscall_return:{:x};", stop_.value);
            break;
        case Kind::Begin:
            reason = "replaylog:begin;";
            break;
        case Kind::Fork:
            reason = fmt::format("fork:p{:x}.{:x};", stop_.value, stop_.value);
            break;
        case Kind::Exec:
            reason = fmt::format("exec:{};", to_hex(debuggee_.process().executable()));
            break;
        default:
            break;
    }
    std::string text =
        fmt::format("T{:02x}{}thread:{};", to_gdb(signal), reason, thread_id(stop_.thread));
    for (const unsigned number : kExpedited)
        if (const auto bytes = gdb::read_register(at, number))
            text += fmt::format("{:02x}:{};", number, to_hex(*bytes));
    return text;
}

std::string Session::last_stop_again(std::string_view) { return stop_reply(); }

std::string Session::select_thread(std::string_view rest) {
    const auto number = parse_thread(rest);
    if (!number) return std::string(kBadNumber);
    if (*number != 0 && debuggee_.is_alive(*number)) selected_ = *number;
    return std::string(kOk);
}

std::string Session::select_running_thread(std::string_view rest) {
    const auto number = parse_thread(rest);
    if (!number) return std::string(kBadNumber);
    running_ = debuggee_.is_alive(*number) ? *number : 0;
    return std::string(kOk);
}

std::string Session::is_alive(std::string_view rest) {
    const auto number = parse_thread(rest);
    if (!number) return std::string(kBadNumber);
    return std::string(*number == 0 || debuggee_.is_alive(*number) ? kOk : kBadThread);
}

std::string Session::resume(const Resume& how) {
    stop_ = debuggee_.resume(how, *interrupted_);
    if (!stop_.ended()) selected_ = stop_.thread;
    if (stop_.kind == StopReport::Kind::Missing)
        console.push_back("this build cannot execute the bundle\n");
    return stop_reply();
}

/// vCont;ACTION[:THREAD]…: of a thread the leftmost action that names it.
std::string Session::resume_actions(std::string_view rest) {
    Resume how;
    bool others = false;
    while (!rest.empty()) {
        std::string_view one = take_until(rest, ';');
        if (one.empty()) return std::string(kBadNumber);
        const char kind = one.front();
        one.remove_prefix(1);
        Resume::Action action;
        action.how = kind == 's' || kind == 'S' ? Resume::How::Step : Resume::How::Continue;
        if (kind == 'C' || kind == 'S') {
            const auto number = take_number(one);
            if (!number) return std::string(kBadNumber);
            action.signal = from_gdb(static_cast<int>(*number & 0xff));
        } else if (kind != 'c' && kind != 's') {
            return std::string(kBadNumber);
        }
        unsigned thread = 0;
        if (take(one, ":")) {
            const auto number = parse_thread(one);
            if (!number) return std::string(kBadNumber);
            if (*number != 0 && !debuggee_.is_alive(*number)) return std::string(kBadThread);
            thread = *number;
        }
        if (!one.empty()) return std::string(kBadNumber);
        if (thread != 0)
            how.of_thread.try_emplace(thread, action);
        else if (!std::exchange(others, true))
            how.others = action;
    }
    if (how.of_thread.empty() && !others) return std::string(kBadNumber);
    // A signal is for the thread that has stopped for one, and a step without a name likewise.
    if (how.others.signal != 0 || how.others.how == Resume::How::Step) {
        how.of_thread.try_emplace(selected_, how.others);
        how.others.signal = 0;
        if (how.others.how == Resume::How::Step) how.others.how = Resume::How::Stay;
    }
    return resume(how);
}

/// c, s, C and S without vCont: for the thread of Hc, or for all of them.
std::string Session::resume_one(std::string_view rest, Resume::How how, bool takes_signal) {
    Resume resumed;
    Resume::Action action{how, 0};
    if (takes_signal) {
        const auto number = take_number(rest);
        if (!number) return std::string(kBadNumber);
        action.signal = from_gdb(static_cast<int>(*number & 0xff));
        if (!rest.empty() && !take(rest, ";")) return std::string(kBadNumber);
    }
    const unsigned thread = running_ != 0 ? running_ : selected_;
    if (!rest.empty()) {
        const auto address = take_number(rest);
        if (!address || !rest.empty()) return std::string(kBadNumber);
        if (debuggee_.in_past()) return std::string(kBadNumber);
        debuggee_.guest().edit([&] { debuggee_.stopped(thread).state->ip = *address & ~7ull; });
    }
    resumed.of_thread[thread] = action;
    if (running_ == 0 && how == Resume::How::Continue) resumed.others = {Resume::How::Continue, 0};
    return resume(resumed);
}
std::string Session::go_on(std::string_view rest) {
    return resume_one(rest, Resume::How::Continue, false);
}
std::string Session::step(std::string_view rest) {
    return resume_one(rest, Resume::How::Step, false);
}
std::string Session::go_on_with(std::string_view rest) {
    return resume_one(rest, Resume::How::Continue, true);
}
std::string Session::step_with(std::string_view rest) {
    return resume_one(rest, Resume::How::Step, true);
}

std::string Session::back(bool step) {
    stop_ = debuggee_.back(step, *interrupted_);
    selected_ = 1;
    return stop_reply();
}
std::string Session::step_back(std::string_view) { return back(true); }
std::string Session::run_back(std::string_view) { return back(false); }

std::string Session::detach(std::string_view rest) {
    if (take(rest, ";")) {
        const auto process = take_number(rest);
        if (!process) return std::string(kBadNumber);
        // A forked child runs as it is.
        if (*process != kProcess) return std::string(kOk);
    }
    if (!rest.empty()) return std::string(kBadNumber);
    detached = true;
    return std::string(kOk);
}

std::string Session::kill(std::string_view) {
    killed = true;
    debuggee_.kill();
    return std::string(kOk);
}

}  // namespace e2k::tools::gdb
