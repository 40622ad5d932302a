#include "engine/guest/streams.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/guest/fd_table.h"

namespace e2k::guest {
namespace {

void block_all_signals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

struct Terminal {
    int own = -1, guest = -1;
};

/// A terminal whose typed lines are not written back, as the window shows them itself, and whose
/// output arrives as it was written.
std::optional<Terminal> open_terminal() {
    const int own = move_out_of_the_way(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
    if (own < 0) return std::nullopt;
    const int guest =
        unlockpt(own) == 0
            ? move_out_of_the_way(ioctl(own, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC))
            : -1;
    termios modes{};
    const winsize size{.ws_row = 25, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
    if (guest < 0 || tcgetattr(guest, &modes) != 0) {
        if (guest >= 0) close(guest);
        close(own);
        return std::nullopt;
    }
    modes.c_iflag = (modes.c_iflag | IUTF8) & ~static_cast<tcflag_t>(IXON);
    modes.c_oflag &= ~static_cast<tcflag_t>(ONLCR);
    modes.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | ISIG);
    tcsetattr(guest, TCSANOW, &modes);
    ioctl(guest, TIOCSWINSZ, &size);
    return Terminal{own, guest};
}

/// What a terminal takes for the end of file after `last`: twice where a line was begun.
std::string end_of_file(int terminal, char last) {
    termios modes{};
    const bool known = tcgetattr(terminal, &modes) == 0;
    const char key = known ? static_cast<char>(modes.c_cc[VEOF]) : '\x04';
    return std::string(last == '\n' || last == key ? 1 : 2, key);
}

}  // namespace

bool StreamPump::open_pipes() {
    for (std::size_t stream = 0; stream < 3; ++stream) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0) return false;
        const int reader = move_out_of_the_way(ends[0]), writer = move_out_of_the_way(ends[1]);
        guest_end_[stream] = stream == 0 ? reader : writer;
        own_end_[stream] = stream == 0 ? writer : reader;
        if (stream != 0) fcntl(reader, F_SETFL, O_NONBLOCK);
    }
    return true;
}

bool StreamPump::open_terminals() {
    const auto console = open_terminal();
    const auto errors = console ? open_terminal() : std::nullopt;
    if (!errors) {
        for (const int fd : {console ? console->own : -1, console ? console->guest : -1})
            if (fd >= 0) close(fd);
        return false;
    }
    const auto again = [](int fd) { return move_out_of_the_way(fcntl(fd, F_DUPFD_CLOEXEC, 3)); };
    own_end_ = {again(console->own), console->own, errors->own};
    guest_end_ = {again(console->guest), console->guest, errors->guest};
    return true;
}

tl::expected<std::unique_ptr<StreamPump>, std::string> StreamPump::create(StandardStreams streams) {
    std::unique_ptr<StreamPump> pump(new StreamPump);
    pump->streams_ = std::move(streams);
    auto fail = [] {
        return tl::unexpected(
            fmt::format("cannot make pipes for the guest's streams: {}", std::strerror(errno)));
    };
    pump->terminal_ = pump->streams_.terminal && pump->open_terminals();
    if (!pump->terminal_ && !pump->open_pipes()) return fail();
    if (pipe2(pump->stop_pipe_.data(), O_CLOEXEC) != 0) return fail();
    for (int& fd : pump->stop_pipe_) fd = move_out_of_the_way(fd);
    try {
        pump->output_ = std::thread([p = pump.get()] { p->run_output(); });
        pump->input_ = std::thread([p = pump.get()] { p->run_input(); });
    } catch (const std::system_error& error) {
        return tl::unexpected(
            fmt::format("cannot start threads for the guest's streams: {}", error.what()));
    }
    return pump;
}

StreamPump::~StreamPump() {
    stop_ = true;
    if (output_.joinable() || input_.joinable()) {
        const char byte = 0;
        static_cast<void>(::write(stop_pipe_[1], &byte, 1));
    }
    if (guest_end_[0] >= 0) close(guest_end_[0]);
    guest_end_[0] = -1;
    if (output_.joinable()) output_.join();
    if (input_.joinable()) input_.join();
    for (int fd : {guest_end_[1], guest_end_[2], own_end_[0], own_end_[1], own_end_[2],
                   stop_pipe_[0], stop_pipe_[1]})
        if (fd >= 0) close(fd);
}

int StreamPump::take_guest_end(int stream) {
    return std::exchange(guest_end_[static_cast<std::size_t>(stream)], -1);
}

void StreamPump::write(int stream, std::string_view bytes) {
    std::lock_guard lock(mutex_);
    drain_locked();
    if (streams_.output) streams_.output(stream, bytes);
}

void StreamPump::flush() {
    std::lock_guard lock(mutex_);
    drain_locked();
}

void StreamPump::forget_threads() {
    // The child has copies of the objects of threads that exist only in the parent.
    if (output_.joinable()) output_.detach();
    if (input_.joinable()) input_.detach();
    // Kept open here they would hold back the end of file the parent's guest waits for.
    for (int* fd : {&own_end_[0], &own_end_[1], &own_end_[2], &stop_pipe_[0], &stop_pipe_[1]}) {
        if (*fd >= 0) close(*fd);
        *fd = -1;
    }
}

void StreamPump::drain_locked() {
    std::array<char, 65536> buffer;
    for (int stream = 1; stream <= 2; ++stream) {
        for (;;) {
            const ssize_t n =
                ::read(own_end_[static_cast<std::size_t>(stream)], buffer.data(), buffer.size());
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) break;
            if (streams_.output)
                streams_.output(stream,
                                std::string_view(buffer.data(), static_cast<std::size_t>(n)));
        }
    }
}

void StreamPump::run_output() {
    block_all_signals();
    std::array<pollfd, 3> fds{pollfd{own_end_[1], POLLIN, 0}, pollfd{own_end_[2], POLLIN, 0},
                              pollfd{stop_pipe_[0], POLLIN, 0}};
    while (!stop_) {
        if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
        {
            std::lock_guard lock(mutex_);
            drain_locked();
        }
        // A stream nobody can write to any more stays readable for ever: stop watching it.
        for (std::size_t i = 0; i < 2; ++i)
            if ((fds[i].revents & POLLHUP) && !(fds[i].revents & POLLIN)) fds[i].fd = -1;
    }
}

/// False when nobody reads any more, or the guest is to end.
bool StreamPump::put_input(std::string_view bytes) {
    while (!bytes.empty() && !stop_) {
        std::array<pollfd, 2> fds{pollfd{own_end_[0], POLLOUT, 0},
                                  pollfd{stop_pipe_[0], POLLIN, 0}};
        if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return false;
        if (stop_ || (fds[0].revents & POLLERR)) return false;
        if (!(fds[0].revents & POLLOUT)) {
            if (fds[0].revents & POLLHUP) return false;
            continue;
        }
        const ssize_t n =
            ::write(own_end_[0], bytes.data(), std::min<std::size_t>(bytes.size(), 512));
        if (n < 0 && errno != EINTR && errno != EAGAIN) return false;
        if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return !stop_;
}

void StreamPump::run_input() {
    block_all_signals();
    std::vector<char> buffer(4096);
    for (char last = '\n'; !stop_;) {
        const std::size_t n = streams_.input ? streams_.input(buffer.data(), buffer.size()) : 0;
        if (n == 0 && !terminal_) break;
        const std::string text =
            n == 0 ? end_of_file(own_end_[0], last) : std::string(buffer.data(), n);
        last = text.back();
        if (!put_input(text)) break;
    }
    if (!terminal_) end_input_of_pipe();
}

/// The descriptor itself stays reserved until the pump goes.
void StreamPump::end_input_of_pipe() {
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0) return;
    dup3(null, own_end_[0], O_CLOEXEC);
    close(null);
}

}  // namespace e2k::guest
