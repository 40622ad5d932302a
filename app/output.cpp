#include "app/output.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "app/commands.h"
#include "app/start.h"
#include "engine/guest/fd_table.h"
#include "engine/guest/host_signals.h"
#include "engine/guest/limits.h"
#include "engine/isa/printable.h"

namespace e2k::app {

namespace {

constexpr std::size_t kBuffered = 64u << 10;
/// How long a message waits for a reader of a stream that somebody made non-blocking.
constexpr int kPatience = 1000;  // ms

int g_standard_error = STDERR_FILENO;

/// 0, or the errno value of what kept the rest from being written.
int write_all(int descriptor, std::string_view text, int patience) {
    while (!text.empty()) {
        const ssize_t n = ::write(descriptor, text.data(), text.size());
        if (n >= 0) {
            text.remove_prefix(static_cast<std::size_t>(n));
            continue;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return errno;
        pollfd wait{descriptor, POLLOUT, 0};
        if (poll(&wait, 1, patience) == 0) return EAGAIN;
    }
    return 0;
}

/// Keeps SIGPIPE from the calling thread: a write into a broken pipe gives EPIPE and nothing else.
class WithoutSigpipe {
public:
    WithoutSigpipe() {
        sigemptyset(&sigpipe_);
        sigaddset(&sigpipe_, SIGPIPE);
        was_pending_ = pending();
        pthread_sigmask(SIG_BLOCK, &sigpipe_, &old_);
    }
    ~WithoutSigpipe() {
        const timespec now{};
        if (!was_pending_ && pending()) sigtimedwait(&sigpipe_, nullptr, &now);
        pthread_sigmask(SIG_SETMASK, &old_, nullptr);
    }
    WithoutSigpipe(const WithoutSigpipe&) = delete;
    WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

private:
    static bool pending() {
        sigset_t set;
        return sigpending(&set) == 0 && sigismember(&set, SIGPIPE) == 1;
    }
    sigset_t sigpipe_{}, old_{};
    bool was_pending_ = false;
};

}  // namespace

bool Results::write(std::string_view text) {
    if (error_) return false;
    buffer_ += text;
    return buffer_.size() < kBuffered || flush();
}

bool Results::flush() {
    if (error_ || buffer_.empty()) return error_ == 0;
    {
        const WithoutSigpipe guard;
        error_ = write_all(descriptor_, buffer_, -1);
    }
    buffer_.clear();
    if (error_ == EPIPE && !start().ignores_sigpipe) guest::host_signals::die_by(SIGPIPE);
    return error_ == 0;
}

int Results::finish(int code) {
    if (flush()) return code;
    complain(fmt::format("cannot write standard {}: {}",
                         descriptor_ == STDOUT_FILENO ? "output" : "error", std::strerror(error_)));
    return code == 0 ? kExitFailure : code;
}

Results& results() {
    static Results output(STDOUT_FILENO);
    return output;
}

Results& results_beside_guest() {
    static Results output(g_standard_error);
    return output;
}

void keep_standard_error() {
    const int own = guest::move_out_of_the_way(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    if (own >= 0) g_standard_error = own;
}

void write_message(std::string_view text) {
    const WithoutSigpipe guard;
    write_all(g_standard_error, text, kPatience);
}

std::string with_advice(std::string message) {
    for (const char* text : std::array<const char*, 2>{std::strerror(ENOMEM), "bad_alloc"})
        if (message.find(text) != std::string::npos)
            if (const std::string advice = guest::ResourceLimits::advice_on_memory();
                message.find(advice.substr(advice.rfind('(') + 1)) == std::string::npos)
                return message + advice;
    return message;
}

void complain(std::string_view text) {
    write_message(fmt::format("e2kwb: {}\n", isa::printable(text, "\n\t")));
}

bool is_there(const std::string& path) {
    if (access(path.c_str(), F_OK) == 0) return true;
    complain(fmt::format("{}: {}", path, std::strerror(errno)));
    return false;
}

}  // namespace e2k::app
