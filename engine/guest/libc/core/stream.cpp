#include "engine/guest/libc/core/stream.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "engine/guest/libc/core/stdio.h"

namespace e2k::guest::libc {
namespace {

// Bits of _flags, as programs that look into a FILE know them.
constexpr std::uint32_t kMagic = 0xfbad0000, kUnbuffered = 0x2, kNoReads = 0x4, kNoWrites = 0x8,
                        kEof = 0x10, kError = 0x20, kLineBuffered = 0x200, kAppending = 0x1000;

constexpr std::size_t kTerminalBuffer = 1024, kLeastBuffer = 16, kLargestBuffer = 1u << 20;
constexpr std::size_t kMostPushedBack = 4096, kMostProgress = 64;

}  // namespace

Stream::Stream(Stdio& stdio, std::uint64_t object, int fd, const OpenMode& mode)
    : stdio_(stdio), object_(object), fd_(fd), mode_(mode) {}

void Stream::reset(int fd, const OpenMode& mode) {
    fd_ = fd;
    mode_ = mode;
    forget_input();
    out_begin_ = out_end_ = 0;
    clear_flags();
    prepared_ = false;
    if (!buffering_given_) buffering_ = Buffering::Full;
    wide_orientation = 0;
}

void Stream::mirror_flags() {
    const std::uint32_t flags =
        kMagic | (buffering_ == Buffering::None ? kUnbuffered : 0) | (mode_.read ? 0 : kNoReads) |
        (mode_.write ? 0 : kNoWrites) | (end_of_file_ ? kEof : 0) | (error_ ? kError : 0) |
        (buffering_ == Buffering::Line ? kLineBuffered : 0) | (mode_.append ? kAppending : 0);
    if (flags == mirrored_) return;
    mirrored_ = flags;
    static_cast<void>(stdio_.memory_.store(object_, flags));  // the guest's loss if it is gone
}

// --- buffers ---

void Stream::prepare() {
    if (prepared_) return;
    prepared_ = true;
    const StreamIo::Kind kind = stdio_.io_.kind(fd_);
    if (!buffering_given_ && kind.terminal) buffering_ = Buffering::Line;
    const std::size_t usual = kind.terminal ? kTerminalBuffer : kind.block;
    const std::size_t size =
        std::clamp(size_given_ != 0 ? size_given_ : usual, kLeastBuffer, kLargestBuffer);
    if (in_.size() != size && unread() == 0) {
        in_.resize(size);
        in_begin_ = in_end_ = 0;
    }
    if (out_.size() != size && pending_output() == 0) {
        out_.resize(size);
        out_begin_ = out_end_ = 0;
    }
}

std::size_t Stream::buffer_bytes() {
    prepare();
    return buffering_ == Buffering::None ? 1 : out_.size();
}

Outcome<void> Stream::set_buffering(Buffering buffering, std::uint64_t size) {
    if (auto done = flush(); !done) return done;
    buffering_ = buffering;
    buffering_given_ = true;
    size_given_ = static_cast<std::size_t>(std::min<std::uint64_t>(size, kLargestBuffer));
    prepared_ = false;
    return {};
}

/// The locks are open while the host is at it: others may use the FILE and fork.
template <class Issue>
Outcome<std::size_t> Stream::unlocked(Issue issue) {
    mutex_.unlock();
    stdio_.gate_.unlock_shared();
    auto done = issue();
    stdio_.gate_.lock_shared();
    mutex_.lock();
    return done;
}

Outcome<std::size_t> Stream::host_read(void* to, std::size_t size) {
    return unlocked([&] { return stdio_.io_.read(fd_, to, size); });
}

Outcome<std::size_t> Stream::host_write(const void* from, std::size_t size) {
    return unlocked([&] { return stdio_.io_.write(fd_, from, size); });
}

// --- input ---

void Stream::forget_input() {
    in_begin_ = in_end_ = 0;
    pushed_back_.clear();
}

Outcome<void> Stream::begin_reading() {
    if (!mode_.read) {
        error_ = true;
        return error(EBADF);
    }
    prepare();
    return writing() ? flush() : Outcome<void>{};
}

Outcome<std::size_t> Stream::fill() {
    if (auto ready = begin_reading(); !ready) return tl::unexpected(ready.error());
    if (end_of_file_) return 0;
    if (buffering_ != Buffering::Full) {
        if (auto shown = stdio_.flush_tied_output(*this); !shown)
            return tl::unexpected(shown.error());
    }
    in_begin_ = in_end_ = 0;
    const std::size_t size = buffering_ == Buffering::None ? 1 : in_.size();
    auto got = host_read(in_.data(), size);
    if (!got) {
        if (got.error().kind == Trouble::Kind::Error) error_ = true;
        return got;
    }
    in_end_ = *got;
    if (*got == 0) end_of_file_ = true;
    return got;
}

Outcome<std::string_view> Stream::look() {
    if (!pushed_back_.empty()) return std::string_view(&pushed_back_.back(), 1);
    if (in_begin_ == in_end_) {
        auto got = fill();
        if (!got) return tl::unexpected(got.error());
    }
    return std::string_view(in_.data() + in_begin_, in_end_ - in_begin_);
}

void Stream::consume(std::size_t bytes) {
    if (marking_ && marked_.size() < kMarkLimit) {
        const char* const from =
            pushed_back_.empty() ? in_.data() + in_begin_ : &pushed_back_.back();
        marked_.insert(marked_.end(), from, from + bytes);
    }
    if (!pushed_back_.empty())
        pushed_back_.pop_back();
    else
        in_begin_ += bytes;
}

Outcome<int> Stream::get() {
    auto next = look();
    if (!next) return tl::unexpected(next.error());
    if (next->empty()) return -1;
    const int c = static_cast<unsigned char>(next->front());
    consume(1);
    return c;
}

bool Stream::unget(std::uint8_t c) {
    if (!mode_.read) return false;
    if (marking_ && !marked_.empty()) marked_.pop_back();
    if (pushed_back_.empty() && in_begin_ > 0 && in_[in_begin_ - 1] == static_cast<char>(c)) {
        --in_begin_;
    } else {
        if (pushed_back_.size() >= kMostPushedBack) return false;
        pushed_back_.push_back(static_cast<char>(c));
    }
    end_of_file_ = false;
    return true;
}

void Stream::mark() {
    marked_.clear();
    marking_ = true;
}

void Stream::rewind_to_mark() {
    pushed_back_.insert(pushed_back_.end(), marked_.rbegin(), marked_.rend());
    drop_mark();
}

void Stream::drop_mark() {
    marked_.clear();
    marking_ = false;
}

Outcome<Stream::Transfer> Stream::read_to(const Caller& caller, std::uint64_t to,
                                          std::uint64_t bytes) {
    Transfer transfer{std::min(take_progress(caller), bytes), 0};
    while (transfer.bytes < bytes) {
        auto next = look();
        if (!next && next.error().kind == Trouble::Kind::Error) {
            transfer.error = next.error().error;
            break;
        }
        if (!next) {
            keep_progress(caller, transfer.bytes);
            return tl::unexpected(next.error());
        }
        if (next->empty()) break;
        const std::size_t part = std::min<std::uint64_t>(next->size(), bytes - transfer.bytes);
        if (auto put = stdio_.memory_.write(to + transfer.bytes, next->data(), part); !put)
            return tl::unexpected(put.error());
        consume(part);
        transfer.bytes += part;
    }
    return transfer;
}

Outcome<std::uint64_t> Stream::read_line(const Caller& caller, std::uint64_t to, int size) {
    if (size <= 0) return 0;
    const std::uint64_t room = static_cast<std::uint64_t>(size) - 1;
    std::uint64_t done = std::min(take_progress(caller), room);
    bool ended = false;
    while (done < room && !ended) {
        auto next = look();
        if (!next) {
            if (next.error().kind == Trouble::Kind::Interrupted) keep_progress(caller, done);
            return tl::unexpected(next.error());
        }
        if (next->empty()) break;
        std::size_t part = std::min<std::uint64_t>(next->size(), room - done);
        if (const void* const newline = std::memchr(next->data(), '\n', part)) {
            part = static_cast<std::size_t>(static_cast<const char*>(newline) - next->data()) + 1;
            ended = true;
        }
        if (auto put = stdio_.memory_.write(to + done, next->data(), part); !put)
            return tl::unexpected(put.error());
        consume(part);
        done += part;
    }
    if (done == 0 && room != 0) return 0;
    if (auto put = stdio_.memory_.store(to + done, '\0'); !put) return tl::unexpected(put.error());
    return to;
}

// --- output ---

Outcome<void> Stream::begin_writing() {
    if (!mode_.write) {
        error_ = true;
        return error(EBADF);
    }
    prepare();
    if (unread() == 0) return {};
    // What was read ahead has not been read when writing begins.
    const auto ahead = static_cast<std::int64_t>(unread());
    forget_input();
    static_cast<void>(stdio_.io_.seek(fd_, -ahead, SEEK_CUR));
    return {};
}

Outcome<void> Stream::drain(std::size_t keep) {
    while (pending_output() > keep) {
        auto put = host_write(out_.data() + out_begin_, pending_output() - keep);
        if (!put) {
            if (put.error().kind != Trouble::Kind::Error) return tl::unexpected(put.error());
            error_ = true;
            out_begin_ = out_end_ = 0;
            return tl::unexpected(put.error());
        }
        out_begin_ = std::min(out_begin_ + *put, out_end_);
    }
    if (out_begin_ == out_end_) out_begin_ = out_end_ = 0;
    return {};
}

Outcome<void> Stream::flush() { return drain(0); }

// --- position ---

Outcome<void> Stream::sync() {
    if (writing()) return flush();
    if (unread() == 0) return {};
    auto at = stdio_.io_.seek(fd_, -static_cast<std::int64_t>(unread()), SEEK_CUR);
    if (at) {
        forget_input();
    } else if (at.error().error != ESPIPE) {
        error_ = true;
        return tl::unexpected(at.error());
    }
    return {};
}

Outcome<std::int64_t> Stream::tell() {
    if (writing() && mode_.append)
        if (auto done = flush(); !done) return tl::unexpected(done.error());
    auto at = stdio_.io_.seek(fd_, 0, SEEK_CUR);
    if (!at) return at;
    return *at + static_cast<std::int64_t>(pending_output()) - static_cast<std::int64_t>(unread());
}

Outcome<std::int64_t> Stream::seek(std::int64_t offset, int whence) {
    if (whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END) return error(EINVAL);
    if (auto done = flush(); !done) return tl::unexpected(done.error());
    const std::int64_t ahead = static_cast<std::int64_t>(unread());
    if (in_end_ > 0 && whence != SEEK_END) {
        // Often the place is in the buffer.
        auto end = stdio_.io_.seek(fd_, 0, SEEK_CUR);
        if (!end) return end;
        const std::int64_t to = whence == SEEK_SET ? offset : *end - ahead + offset;
        if (to < 0) return error(EINVAL);
        const std::int64_t begin = *end - static_cast<std::int64_t>(in_end_);
        if (to >= begin && to <= *end) {
            pushed_back_.clear();
            in_begin_ = static_cast<std::size_t>(to - begin);
            end_of_file_ = false;
            return to;
        }
        offset = to;
        whence = SEEK_SET;
    } else if (whence == SEEK_CUR) {
        offset -= ahead;
    }
    auto at = stdio_.io_.seek(fd_, offset, whence);
    if (!at) return at;
    forget_input();
    end_of_file_ = false;
    return at;
}

// --- interrupted calls ---

std::uint64_t Stream::take_progress(const Caller& caller) {
    for (auto it = progress_.begin(); it != progress_.end(); ++it) {
        if (it->caller != caller) continue;
        const std::uint64_t bytes = it->bytes;
        progress_.erase(it);
        return bytes;
    }
    return 0;
}

void Stream::keep_progress(const Caller& caller, std::uint64_t bytes) {
    if (bytes == 0) return;
    if (progress_.size() == kMostProgress) progress_.erase(progress_.begin());
    progress_.push_back({caller, bytes});
}

}  // namespace e2k::guest::libc
