// Library calls as a person reads them: the same records as those of system calls.
#pragma once

#include <chrono>

#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {

/// Collects one record; nothing of it exists while the log is off.
class LibraryLogger {
public:
    LibraryLogger(const Row& row, const LibraryCall& call);
    void finish(const LibraryCall& call, const Value& value, bool never_returns);
    void fail(const LibraryCall& call, const Value& value, int error);
    /// The call ends by a signal.
    void cut(std::string result);

private:
    void send(std::int64_t result, std::string text, bool failed);

    const Row& row_;
    Process::Impl& process_;
    std::chrono::steady_clock::time_point begin_;
    SyscallRecord record_;
};

}  // namespace e2k::guest::libc
