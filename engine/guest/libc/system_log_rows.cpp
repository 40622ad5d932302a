// <syslog.h>: lines for /dev/log, by the guest's own system calls. Where there is nobody to take
// them, they are lost, as with every C library.
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "engine/guest/libc/guest_text.h"
#include "engine/guest/libc/printing.h"

namespace e2k::guest::libc {
namespace {

constexpr std::uint32_t kClose = 6, kTime = 13, kGetpid = 20, kSocket = 403, kConnect = 404,
                        kSend = 406;

Outcome<Value> openlog_(LibraryCall& call) {
    std::string name;
    if (call.pointer(0) != 0) {
        const auto text = call.text(0, 1024);
        if (!text) return tl::unexpected(text.error());
        name = *text;
    }
    const std::lock_guard lock(call.library.thread_mutex);
    auto& log = call.library.system_log;
    log.name = std::move(name);
    log.options = call.integer(1);
    if (call.integer(2) != 0) log.facility = call.integer(2) & LOG_FACMASK;
    return Value();
}
Outcome<Value> closelog_(LibraryCall& call) {
    const std::lock_guard lock(call.library.thread_mutex);
    call.library.system_log.name.clear();
    return Value();
}
Outcome<Value> setlogmask_(LibraryCall& call) {
    const std::lock_guard lock(call.library.thread_mutex);
    auto& log = call.library.system_log;
    const int before = log.mask;
    if (call.integer(0) != 0) log.mask = call.integer(0);
    return Value(before);
}

/// To /dev/log, if somebody listens.
void send_line(LibraryCall& call, const std::string& line) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, "/dev/log");
    const auto text = GuestBlock::of(call, line);
    const auto place = GuestBlock::make(call, sizeof address);
    if (!text || !place || !call.memory.store(place->address(), address)) return;
    const auto fd = call.kernel(kSocket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (!fd) return;
    const auto number = static_cast<std::uint64_t>(*fd);
    if (call.kernel(kConnect, number, place->address(), sizeof address))
        static_cast<void>(
            call.kernel(kSend, number, text->address(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
    static_cast<void>(call.kernel(kClose, number));
}

Outcome<Value> log_line(LibraryCall& call, std::uint64_t form, VariableArguments arguments) {
    auto log = [&] {
        const std::lock_guard lock(call.library.thread_mutex);
        return call.library.system_log;
    }();
    int priority = call.integer(0);
    if (!(log.mask & LOG_MASK(LOG_PRI(priority)))) return Value();
    if (!(priority & LOG_FACMASK)) priority |= log.facility;
    StringSink sink;
    if (auto done = format_to(call, sink, form, arguments); !done) return done;
    if (log.name.empty()) {
        const auto name = program_name(call, "__progname");
        if (!name) return tl::unexpected(name.error());
        log.name = *name;
    }
    const auto pid = call.kernel(kGetpid), time = call.kernel(kTime, 0);
    if (!pid) return tl::unexpected(pid.error());
    if (!time) return tl::unexpected(time.error());
    std::string text = log.name;
    if (log.options & LOG_PID) text += '[' + std::to_string(*pid) + ']';
    text += ": " + sink.text();
    if (log.options & LOG_PERROR) {
        const bool ends = text.ends_with('\n');
        if (auto done = to_stderr(call, ends ? text : text + '\n'); !done) return done;
    }
    std::array<char, 32> stamp{};
    std::tm parts{};
    const std::time_t now = *time;
    gmtime_r(&now, &parts);
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::snprintf(stamp.data(), stamp.size(), "%s %2d %02d:%02d:%02d ",
                  kMonths[static_cast<unsigned>(parts.tm_mon) % 12], parts.tm_mday, parts.tm_hour,
                  parts.tm_min, parts.tm_sec);
    send_line(call, '<' + std::to_string(priority) + '>' + stamp.data() + text);
    return Value();
}
Outcome<Value> syslog_(LibraryCall& call) {
    return log_line(call, call.pointer(1), call.variable(2));
}
Outcome<Value> vsyslog_(LibraryCall& call) { return log_line(call, call.pointer(1), call.list(2)); }
Outcome<Value> syslog_chk(LibraryCall& call) {
    return log_line(call, call.pointer(2), call.variable(3));
}
Outcome<Value> vsyslog_chk(LibraryCall& call) {
    return log_line(call, call.pointer(2), call.list(3));
}

constexpr std::array kRows{
    Row{"openlog", "v(s,i,i)", openlog_},
    Row{"closelog", "v()", closelog_},
    Row{"setlogmask", "i(i)", setlogmask_},
    Row{"syslog", "v(i,s,...)", syslog_},
    Row{"vsyslog", "v(i,s,p)", vsyslog_},
    Row{"__syslog_chk", "v(i,i,s,...)", syslog_chk},
    Row{"__vsyslog_chk", "v(i,i,s,p)", vsyslog_chk},
};

}  // namespace

std::span<const Row> system_log_rows() { return kRows; }

}  // namespace e2k::guest::libc
