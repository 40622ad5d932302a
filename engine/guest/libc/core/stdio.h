// All FILEs of a guest process.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "engine/guest/libc/core/heap.h"
#include "engine/guest/libc/core/stream.h"
#include "engine/guest/libc/core/text_sink.h"

namespace e2k::guest::libc {

class StreamUse;

/// Thread-safe. The FILE objects of fopen are blocks of the heap.
class Stdio {
public:
    Stdio(GuestMemory memory, Heap& heap, StreamIo& io) : memory_(memory), heap_(heap), io_(io) {}

    /// stdin, stdout, stderr: their objects are at `objects`.
    Outcome<void> open_standard(const std::array<std::uint64_t, 3>& objects);
    /// A FILE for a descriptor that is open (fopen, fdopen): its address.
    Outcome<std::uint64_t> open(int fd, const OpenMode& mode);
    /// fclose; closes the descriptor. 0, or -1 with the error in `Trouble`.
    Outcome<void> close(std::uint64_t file, const Caller& caller);

    /// Locks a FILE for the caller, who must not have another use of it at the time. A fault if
    /// there is none at `file`.
    Outcome<StreamUse> use(std::uint64_t file, const Caller& caller);
    /// flockfile, ftrylockfile (EBUSY), funlockfile.
    Outcome<void> lock(std::uint64_t file, const Caller& caller);
    Outcome<void> try_lock(std::uint64_t file, const Caller& caller);
    Outcome<void> unlock(std::uint64_t file, const Caller& caller);

    /// fflush(NULL).
    Outcome<void> flush_all(const Caller& caller);
    /// exit: output is written, whoever has locks; input that was not used is given back.
    Outcome<void> flush_at_exit();
    /// The FILEs, oldest first.
    std::vector<std::uint64_t> files() const;

    /// Held over fork(2). The child's only thread is `thread`.
    void lock_for_fork();
    void unlock_after_fork(bool in_child, std::uint32_t thread);

private:
    friend class Stream;
    friend class StreamUse;
    friend class StreamWriter;
    std::shared_ptr<Stream> find(std::uint64_t file) const;
    Outcome<std::uint64_t> add(std::uint64_t object, int fd, const OpenMode& mode);
    Outcome<std::shared_ptr<Stream>> acquire(std::uint64_t file, const Caller& caller, bool wait);
    void release(Stream& stream);
    Outcome<void> flush_tied_output(const Stream& reader);

    GuestMemory memory_;
    Heap& heap_;
    StreamIo& io_;
    mutable std::shared_mutex table_mutex_;
    std::unordered_map<std::uint64_t, std::shared_ptr<Stream>> table_;
    std::vector<std::uint64_t> order_;
    std::uint64_t standard_output_ = 0;
    /// Held, shared, while fields of a stream are used; a fork takes it.
    std::shared_mutex gate_;
};

/// A locked stream.
class StreamUse {
public:
    StreamUse(StreamUse&& other) noexcept
        : stdio_(other.stdio_), stream_(std::move(other.stream_)) {}
    StreamUse& operator=(StreamUse&&) = delete;
    ~StreamUse();
    Stream& operator*() const { return *stream_; }
    Stream* operator->() const { return stream_.get(); }

private:
    friend class Stdio;
    StreamUse(Stdio& stdio, std::shared_ptr<Stream> stream)
        : stdio_(&stdio), stream_(std::move(stream)) {}
    Stdio* stdio_;
    std::shared_ptr<Stream> stream_;
};

/// Output of one call into a stream: puts, then finish(). When a call is interrupted and entered
/// again, what the stream already has is passed over.
class StreamWriter final : public TextSink {
public:
    /// EBADF if the stream is not for output.
    static Outcome<StreamWriter> begin(StreamUse& use, const Caller& caller);
    Outcome<void> put(std::string_view text) override;
    Outcome<void> put_guest(std::uint64_t address, std::uint64_t bytes);
    /// Writes out what line buffering, or none, asks for.
    Outcome<void> finish();
    /// Bytes that the stream has taken.
    std::uint64_t taken() const { return position_; }

private:
    StreamWriter(Stream& stream, const Caller& caller)
        : stream_(&stream), caller_(caller), resume_(stream.take_progress(caller)) {}
    Outcome<void> ended(const Trouble& why);

    Stream* stream_;
    Caller caller_;
    std::uint64_t resume_, position_ = 0;
    std::uint64_t lines_end_ = 0;  ///< position behind the last newline
};

}  // namespace e2k::guest::libc
