// One FILE: buffers and flags. What the guest sees of it is an opaque object of 224 bytes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/guest/libc/core/guest_memory.h"
#include "engine/guest/libc/core/stream_io.h"

namespace e2k::guest::libc {

class Stdio;

/// What fopen's mode says.
struct OpenMode {
    bool read = false, write = false, append = false;
    int flags = 0;  ///< of open(2)
};
/// nullopt: EINVAL.
std::optional<OpenMode> parse_open_mode(std::string_view text);

/// Who calls: the thread, and a number that is the same when the same call is entered again after
/// an interruption, and another one in a call that a signal handler makes meanwhile (the stack
/// pointer and the return address give one).
struct Caller {
    std::uint32_t thread = 1;
    std::uint64_t place = 0;
    bool operator==(const Caller&) const = default;
};

enum class Buffering : std::uint8_t { Full, Line, None };

/// Functions want the stream locked (Stdio::use), but for those of Stdio. Input that has arrived
/// where the guest wanted it, and output that is in the buffer, stay there when a call is
/// interrupted; the call entered again goes on behind them.
class Stream {
public:
    static constexpr std::size_t kObjectBytes = 224;

    Stream(Stdio& stdio, std::uint64_t object, int fd, const OpenMode& mode);

    std::uint64_t object() const { return object_; }
    int fd() const { return fd_; }
    bool readable() const { return mode_.read; }
    bool writable() const { return mode_.write; }
    bool at_end() const { return end_of_file_; }
    bool failed() const { return error_; }
    void clear_flags() { end_of_file_ = error_ = false; }
    void set_error() { error_ = true; }
    Buffering buffering() const { return buffering_; }
    bool writing() const { return out_end_ > out_begin_; }
    std::size_t pending_output() const { return out_end_ - out_begin_; }
    std::size_t buffer_bytes();
    int wide_orientation = 0;  ///< fwide
    int child = 0;             ///< pid of popen's process
    /// setvbuf; `size` 0: the usual size.
    Outcome<void> set_buffering(Buffering buffering, std::uint64_t size);

    // --- input ---
    /// The next bytes, at least one unless at the end of the file (0, flag set) or an error (flag
    /// set). They stay until consume().
    Outcome<std::string_view> look();
    void consume(std::size_t bytes);
    /// getc: 0…255, or -1 at the end.
    Outcome<int> get();
    /// ungetc; false: no room.
    bool unget(std::uint8_t c);
    /// Everything read until now since mark() can be had again by rewind_to_mark(), for calls that
    /// are entered again. Kept are at most kMarkLimit bytes.
    void mark();
    void rewind_to_mark();
    void drop_mark();
    /// fread: bytes put at `to`; fewer at the end of the file or after an error.
    struct Transfer {
        std::uint64_t bytes = 0;
        int error = 0;
    };
    Outcome<Transfer> read_to(const Caller& caller, std::uint64_t to, std::uint64_t bytes);
    /// fgets: `to`, or 0 at the end.
    Outcome<std::uint64_t> read_line(const Caller& caller, std::uint64_t to, int size);

    // --- output (StreamWriter) ---
    Outcome<void> flush();
    /// Writes the buffer out, but for the last `keep` bytes.
    Outcome<void> drain(std::size_t keep);

    // --- position ---
    Outcome<std::int64_t> tell();
    Outcome<std::int64_t> seek(std::int64_t offset, int whence);
    /// fflush: output is written, and what was read too early is given back.
    Outcome<void> sync();
    /// freopen and the last steps of fclose: nothing buffered remains.
    void reset(int fd, const OpenMode& mode);

    // --- progress of interrupted calls ---
    std::uint64_t take_progress(const Caller& caller);
    void keep_progress(const Caller& caller, std::uint64_t bytes);

private:
    friend class Stdio;
    friend class StreamUse;
    friend class StreamWriter;
    static constexpr std::size_t kMarkLimit = 1u << 20;

    struct Progress {
        Caller caller;
        std::uint64_t bytes = 0;
    };
    void prepare();  ///< decides the buffering and makes the buffers
    Outcome<void> begin_reading();
    Outcome<void> begin_writing();
    Outcome<std::size_t> fill();
    std::size_t unread() const { return in_end_ - in_begin_ + pushed_back_.size(); }
    void forget_input();
    void mirror_flags();
    // Around waits: the locks are given back meanwhile.
    template <class Issue>
    Outcome<std::size_t> unlocked(Issue issue);
    Outcome<std::size_t> host_read(void* to, std::size_t size);
    Outcome<std::size_t> host_write(const void* from, std::size_t size);

    Stdio& stdio_;
    const std::uint64_t object_;
    int fd_;
    OpenMode mode_;
    Buffering buffering_ = Buffering::Full;
    bool buffering_given_ = false, prepared_ = false;
    std::size_t size_given_ = 0;
    bool end_of_file_ = false, error_ = false;
    std::vector<char> in_, out_;
    std::size_t in_begin_ = 0, in_end_ = 0, out_begin_ = 0, out_end_ = 0;
    std::vector<char> pushed_back_;  ///< the last one is the next
    std::vector<char> marked_;
    bool marking_ = false;
    std::vector<Progress> progress_;
    std::uint32_t mirrored_ = 0;

    // The lock of flockfile: a thread of the guest, recursive. `mutex_` guards the fields, and is
    // never held while anything waits.
    std::mutex mutex_;
    std::condition_variable free_;
    std::uint32_t owner_ = 0;
    unsigned depth_ = 0;
    bool closed_ = false;
};

}  // namespace e2k::guest::libc
