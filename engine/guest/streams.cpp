#include "engine/guest/streams.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
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

}  // namespace

tl::expected<std::unique_ptr<StreamPump>, std::string> StreamPump::create(StandardStreams streams) {
    std::unique_ptr<StreamPump> pump(new StreamPump);
    pump->streams_ = std::move(streams);
    auto fail = [] {
        return tl::unexpected(
            fmt::format("cannot make pipes for the guest's streams: {}", std::strerror(errno)));
    };
    for (std::size_t stream = 0; stream < 3; ++stream) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0) return fail();
        const int reader = move_out_of_the_way(ends[0]), writer = move_out_of_the_way(ends[1]);
        pump->guest_end_[stream] = stream == 0 ? reader : writer;
        pump->own_end_[stream] = stream == 0 ? writer : reader;
        if (stream != 0) fcntl(reader, F_SETFL, O_NONBLOCK);
    }
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

void StreamPump::run_input() {
    block_all_signals();
    std::vector<char> buffer(4096);
    const int to = own_end_[0];
    while (!stop_) {
        const std::size_t n = streams_.input ? streams_.input(buffer.data(), buffer.size()) : 0;
        if (n == 0) break;
        std::size_t done = 0;
        while (done < n && !stop_) {
            std::array<pollfd, 2> fds{pollfd{to, POLLOUT, 0}, pollfd{stop_pipe_[0], POLLIN, 0}};
            if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) break;
            if (stop_ || (fds[0].revents & POLLERR)) break;
            if (!(fds[0].revents & POLLOUT)) continue;
            const ssize_t w =
                ::write(to, buffer.data() + done, std::min<std::size_t>(n - done, 512));
            if (w < 0 && errno != EINTR) break;
            if (w > 0) done += static_cast<std::size_t>(w);
        }
        if (done < n) break;
    }
    // End of file for the guest; the descriptor itself stays reserved until the pump goes.
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0) {
        dup3(null, to, O_CLOEXEC);
        close(null);
    }
}

}  // namespace e2k::guest
