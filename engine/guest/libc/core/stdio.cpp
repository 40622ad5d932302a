#include "engine/guest/libc/core/stdio.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <new>

namespace e2k::guest::libc {
namespace {

constexpr std::chrono::milliseconds kLockSlice{5};  ///< how long a signal waits for its handler
constexpr std::uint64_t kFilenoOffset = 112;

}  // namespace

// --- the table ---

std::shared_ptr<Stream> Stdio::find(std::uint64_t file) const {
    const std::shared_lock lock(table_mutex_);
    const auto it = table_.find(file);
    return it == table_.end() ? nullptr : it->second;
}

Outcome<std::uint64_t> Stdio::add(std::uint64_t object, int fd, const OpenMode& mode) {
    auto stream = std::make_shared<Stream>(*this, object, fd, mode);
    if (auto done = memory_.fill(object, 0, Stream::kObjectBytes); !done)
        return tl::unexpected(done.error());
    if (auto done = memory_.store(object + kFilenoOffset, fd); !done)
        return tl::unexpected(done.error());
    stream->mirror_flags();
    const std::shared_lock gate(gate_);
    const std::unique_lock lock(table_mutex_);
    table_[object] = std::move(stream);
    order_.push_back(object);
    return object;
}

Outcome<void> Stdio::open_standard(const std::array<std::uint64_t, 3>& objects) {
    for (int fd = 0; fd < 3; ++fd) {
        OpenMode mode{.read = fd == 0, .write = fd != 0, .flags = fd == 0 ? O_RDONLY : O_WRONLY};
        auto added = add(objects[static_cast<std::size_t>(fd)], fd, mode);
        if (!added) return tl::unexpected(added.error());
    }
    standard_output_ = objects[1];
    const auto standard_error = find(objects[2]);
    return standard_error->set_buffering(Buffering::None, 0);
}

Outcome<std::uint64_t> Stdio::open(int fd, const OpenMode& mode) {
    auto object = heap_.allocate(Stream::kObjectBytes);
    if (!object) return object;
    if (mode.append && !mode.read) static_cast<void>(io_.seek(fd, 0, SEEK_END));
    return add(*object, fd, mode);
}

std::vector<std::uint64_t> Stdio::files() const {
    const std::shared_lock lock(table_mutex_);
    return order_;
}

// --- locks ---

Outcome<std::shared_ptr<Stream>> Stdio::acquire(std::uint64_t file, const Caller& caller,
                                                bool wait) {
    auto stream = find(file);
    if (!stream) return fault(file, false);
    gate_.lock_shared();
    stream->mutex_.lock();
    const auto give_up = [&](auto why) -> Outcome<std::shared_ptr<Stream>> {
        stream->mutex_.unlock();
        gate_.unlock_shared();
        return why;
    };
    while (stream->owner_ != 0 && stream->owner_ != caller.thread) {
        if (!wait) return give_up(error(EBUSY));
        if (io_.interrupted()) return give_up(interrupted());
        gate_.unlock_shared();
        {
            std::unique_lock lock(stream->mutex_, std::adopt_lock);
            stream->free_.wait_for(lock, kLockSlice);
        }
        gate_.lock_shared();
        stream->mutex_.lock();
    }
    if (stream->closed_) return give_up(fault(file, false));
    stream->owner_ = caller.thread;
    ++stream->depth_;
    return stream;
}

void Stdio::release(Stream& stream) {
    stream.mirror_flags();
    const bool free = --stream.depth_ == 0;
    if (free) stream.owner_ = 0;
    stream.mutex_.unlock();
    gate_.unlock_shared();
    if (free) stream.free_.notify_one();
}

Outcome<StreamUse> Stdio::use(std::uint64_t file, const Caller& caller) {
    auto stream = acquire(file, caller, true);
    if (!stream) return tl::unexpected(stream.error());
    return StreamUse(*this, std::move(*stream));
}

StreamUse::~StreamUse() {
    if (stream_) stdio_->release(*stream_);
}

Outcome<void> Stdio::lock(std::uint64_t file, const Caller& caller) {
    auto stream = acquire(file, caller, true);
    if (!stream) return tl::unexpected(stream.error());
    ++(*stream)->depth_;  // stays when the use of it ends
    release(**stream);
    return {};
}

Outcome<void> Stdio::try_lock(std::uint64_t file, const Caller& caller) {
    auto stream = acquire(file, caller, false);
    if (!stream) return tl::unexpected(stream.error());
    ++(*stream)->depth_;
    release(**stream);
    return {};
}

Outcome<void> Stdio::unlock(std::uint64_t file, const Caller& caller) {
    const auto stream = find(file);
    if (!stream) return fault(file, false);
    gate_.lock_shared();
    stream->mutex_.lock();
    if (stream->owner_ == caller.thread && stream->depth_ != 0) {
        release(*stream);
    } else {
        stream->mutex_.unlock();
        gate_.unlock_shared();
    }
    return {};
}

// --- flushing and closing ---

Outcome<void> Stdio::flush_tied_output(const Stream& reader) {
    const auto output = find(standard_output_);
    if (!output || output.get() == &reader) return {};
    // The reader's fields are its thread's, by owner_; no two mutexes at a time.
    auto& mutex = const_cast<Stream&>(reader).mutex_;
    mutex.unlock();
    gate_.unlock_shared();
    Outcome<void> done;
    {
        auto locked = use(standard_output_, {reader.owner_, 0});
        if (!locked)
            done = tl::unexpected(locked.error());
        else if ((*locked)->buffering() == Buffering::Line && (*locked)->writing())
            done = (*locked)->flush();
    }
    gate_.lock_shared();
    mutex.lock();
    // Trouble with the output is not the reader's.
    if (!done && done.error().kind != Trouble::Kind::Interrupted) return {};
    return done;
}

Outcome<void> Stdio::flush_all(const Caller& caller) {
    Outcome<void> result;
    auto all = files();
    std::reverse(all.begin(), all.end());
    for (const std::uint64_t file : all) {
        auto locked = use(file, caller);
        if (!locked) {
            if (locked.error().kind == Trouble::Kind::Interrupted)
                return tl::unexpected(locked.error());
            continue;  // closed meanwhile
        }
        if (!(*locked)->writing()) continue;
        if (auto done = (*locked)->flush(); !done) {
            result = done;
            if (done.error().kind == Trouble::Kind::Interrupted) return result;
        }
    }
    return result;
}

Outcome<void> Stdio::flush_at_exit() {
    auto all = files();
    std::reverse(all.begin(), all.end());
    for (const std::uint64_t file : all) {
        const auto stream = find(file);
        if (!stream) continue;
        gate_.lock_shared();
        stream->mutex_.lock();
        auto done = stream->sync();
        stream->mutex_.unlock();
        gate_.unlock_shared();
        if (!done && done.error().kind == Trouble::Kind::Interrupted) return done;
    }
    return {};
}

Outcome<void> Stdio::close(std::uint64_t file, const Caller& caller) {
    auto stream = acquire(file, caller, true);
    if (!stream) return tl::unexpected(stream.error());
    Stream& s = **stream;
    Outcome<void> result = s.sync();
    if (!result && result.error().kind == Trouble::Kind::Interrupted) {
        release(s);
        return result;
    }
    s.closed_ = true;
    {
        const std::unique_lock lock(table_mutex_);
        table_.erase(file);
        std::erase(order_, file);
    }
    const int fd = s.fd();
    s.depth_ = 1;
    release(s);
    auto closed = io_.close(fd);
    // The standard streams are not blocks of the heap; that these cannot be freed is no trouble.
    if (heap_.usable_size(file) != 0) static_cast<void>(heap_.release(file));
    return result ? closed : result;
}

// --- fork ---

void Stdio::lock_for_fork() {
    gate_.lock();
    table_mutex_.lock();
}

void Stdio::unlock_after_fork(bool in_child, std::uint32_t thread) {
    if (!in_child) {
        table_mutex_.unlock();
        gate_.unlock();
        return;
    }
    // Reader-writer locks know their writer by thread id, and the child has another one. Threads
    // that waited are not there any more.
    new (&table_mutex_) std::shared_mutex;
    new (&gate_) std::shared_mutex;
    for (auto& [object, stream] : table_) {
        new (&stream->mutex_) std::mutex;
        new (&stream->free_) std::condition_variable;
        if (stream->owner_ == thread) continue;
        stream->owner_ = 0;
        stream->depth_ = 0;
        stream->progress_.clear();
    }
}

}  // namespace e2k::guest::libc
