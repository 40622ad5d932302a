#include "engine/tools/gdb/connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>

#include <fmt/format.h>

#include "engine/guest/fd_table.h"

namespace e2k::tools::gdb {
namespace {

void block_all_signals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

tl::unexpected<std::string> cannot_listen(const std::string& where) {
    return tl::unexpected(fmt::format("cannot listen at {}: {}", where, std::strerror(errno)));
}

/// Port and address of "1234" or "127.0.0.1:1234".
std::optional<sockaddr_in> internet_address(const std::string& where) {
    const std::size_t colon = where.rfind(':');
    const std::string port = colon == std::string::npos ? where : where.substr(colon + 1);
    const std::string host =
        colon == std::string::npos || colon == 0 ? "127.0.0.1" : where.substr(0, colon);
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (error != std::errc() || end != port.data() + port.size()) return std::nullopt;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(number);
    if (inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host.c_str(), &address.sin_addr) !=
        1)
        return std::nullopt;
    return address;
}

}  // namespace

Connection::Connection(int in, int out, std::function<void()> news)
    : in_(in), out_(out), on_news_(std::move(news)) {
    if (pipe2(stop_, O_CLOEXEC) == 0)
        for (int& end : stop_) end = guest::move_out_of_the_way(end);
    thread_ = std::thread([this] { read(); });
}

Connection::~Connection() {
    const char byte = 0;
    static_cast<void>(::write(stop_[1], &byte, 1));
    if (thread_.joinable()) thread_.join();
    for (const int fd : {in_, out_ == in_ ? -1 : out_, stop_[0], stop_[1]})
        if (fd >= 0) close(fd);
}

void Connection::forget() {
    for (int* fd : {&in_, &out_, &stop_[0], &stop_[1]}) {
        if (*fd >= 0) close(*fd);
        *fd = -1;
    }
    if (thread_.joinable()) thread_.detach();
}

void Connection::read() {
    block_all_signals();
    std::array<char, 16384> buffer;
    for (;;) {
        std::array<pollfd, 2> fds{pollfd{in_, POLLIN, 0}, pollfd{stop_[0], POLLIN, 0}};
        if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) break;
        if (fds[1].revents) return;
        const ssize_t n = ::read(in_, buffer.data(), buffer.size());
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n <= 0) break;
        {
            const std::lock_guard lock(mutex_);
            reader_.feed({buffer.data(), static_cast<std::size_t>(n)});
            while (auto packet = reader_.next()) packets_.push_back(std::move(*packet));
        }
        news_ = true;
        arrived_.notify_all();
        if (on_news_) on_news_();
    }
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    news_ = true;
    arrived_.notify_all();
    if (on_news_) on_news_();
}

std::optional<Packet> Connection::wait(std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    for (;;) {
        Packet packet;
        {
            std::unique_lock lock(mutex_);
            news_ = false;
            arrived_.wait_until(lock, end, [this] { return ended_ || !packets_.empty(); });
            if (packets_.empty()) return std::nullopt;
            packet = std::move(packets_.front());
            packets_.pop_front();
            if (!packets_.empty()) news_ = true;
        }
        switch (packet.kind) {
            case Packet::Kind::Ack:
                break;
            case Packet::Kind::Again:
                if (acknowledges_) write(last_);
                break;
            case Packet::Kind::Damaged:
                if (acknowledges_) write("-");
                break;
            case Packet::Kind::Data:
                if (acknowledges_) write("+");
                return packet;
            case Packet::Kind::Interrupt:
                return packet;
        }
    }
}

bool Connection::closed() const {
    const std::lock_guard lock(mutex_);
    return ended_ && packets_.empty();
}

void Connection::send(std::string_view payload) {
    last_ = framed(payload);
    write(last_);
}

void Connection::write(std::string_view bytes) {
    while (!bytes.empty() && out_ >= 0) {
        const ssize_t n = out_ == in_ ? ::send(out_, bytes.data(), bytes.size(), MSG_NOSIGNAL)
                                      : ::write(out_, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;  // the reading thread sees that the other side has gone
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

tl::expected<std::unique_ptr<Listener>, std::string> Listener::open(const std::string& where) {
    std::unique_ptr<Listener> listener(new Listener);
    if (where == "-") {
        listener->standard_ = true;
        listener->name_ = "standard input and output";
        listener->in_ = guest::move_out_of_the_way(fcntl(0, F_DUPFD_CLOEXEC, 3));
        listener->out_ = guest::move_out_of_the_way(fcntl(1, F_DUPFD_CLOEXEC, 3));
        if (listener->in_ < 0 || listener->out_ < 0) return cannot_listen(where);
        return listener;
    }
    if (where.find('/') != std::string::npos) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (where.size() >= sizeof address.sun_path)
            return tl::unexpected("cannot listen at " + where + ": the path is too long");
        where.copy(address.sun_path, sizeof address.sun_path - 1);
        const int fd = guest::move_out_of_the_way(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        listener->descriptor_ = fd;
        const mode_t mask = umask(077);  // the user's own
        const int bound = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
        const int error = errno;
        umask(mask);
        errno = error;
        if (fd < 0 || bound != 0 || ::listen(fd, 1) != 0) return cannot_listen(where);
        listener->name_ = listener->path_ = where;
        return listener;
    }
    auto address = internet_address(where);
    if (!address)
        return tl::unexpected("cannot listen at " + where +
                              ": give a port (1234), ADDRESS:PORT, the path of a socket with a "
                              "slash in it, or -");
    const int fd = guest::move_out_of_the_way(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    listener->descriptor_ = fd;
    const int yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    socklen_t size = sizeof *address;
    auto* any = reinterpret_cast<sockaddr*>(&*address);
    if (fd < 0 || bind(fd, any, size) != 0 || ::listen(fd, 1) != 0 ||
        getsockname(fd, any, &size) != 0)
        return cannot_listen(where);
    std::array<char, INET_ADDRSTRLEN> text{};
    inet_ntop(AF_INET, &address->sin_addr, text.data(), text.size());
    listener->name_ = fmt::format("{}:{}", text.data(), ntohs(address->sin_port));
    return listener;
}

Listener::~Listener() {
    for (const int fd : {descriptor_, in_, out_})
        if (fd >= 0) close(fd);
    if (!path_.empty()) unlink(path_.c_str());
}

void Listener::forget() {
    for (int* fd : {&descriptor_, &in_, &out_}) {
        if (*fd >= 0) close(*fd);
        *fd = -1;
    }
    path_.clear();
}

std::optional<std::pair<int, int>> Listener::accept(std::chrono::milliseconds limit) {
    if (standard_) {
        standard_ = false;
        return std::pair(std::exchange(in_, -1), std::exchange(out_, -1));
    }
    pollfd waits{descriptor_, POLLIN, 0};
    if (poll(&waits, 1, static_cast<int>(limit.count())) <= 0 || !(waits.revents & POLLIN))
        return std::nullopt;
    const int fd = guest::move_out_of_the_way(accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC));
    if (fd < 0) return std::nullopt;
    const int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return std::pair(fd, fd);
}

}  // namespace e2k::tools::gdb
