// What stdio needs of the guest's descriptors.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/guest/libc/core/outcome.h"

namespace e2k::guest::libc {

/// System calls on descriptors of the guest, by their guest numbers. Those that wait end with
/// Trouble::Interrupted when a signal or a pause is to be seen to; Trouble::Error otherwise.
class StreamIo {
public:
    struct Kind {
        bool terminal = false;
        std::uint32_t block = 4096;  ///< st_blksize
    };
    virtual ~StreamIo() = default;
    virtual Outcome<std::size_t> read(int fd, void* to, std::size_t size) = 0;
    virtual Outcome<std::size_t> write(int fd, const void* from, std::size_t size) = 0;
    virtual Outcome<std::int64_t> seek(int fd, std::int64_t offset, int whence) = 0;
    virtual Outcome<void> close(int fd) = 0;
    virtual Kind kind(int fd) = 0;
    /// A signal or a pause is waiting for the calling thread: it must not wait for a lock.
    virtual bool interrupted() = 0;
};

}  // namespace e2k::guest::libc
