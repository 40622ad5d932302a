// Executing programs, for the families of exec, system and posix_spawn.
#pragma once

#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {

/// execve. Where it succeeds nothing of the library is there any more.
Outcome<Value> execute(LibraryCall& call, std::uint64_t path, std::uint64_t argv,
                       std::uint64_t environment);
/// The same in the directories of PATH, unless the name has a '/'.
Outcome<Value> execute_found(LibraryCall& call, std::uint64_t name, std::uint64_t argv,
                             std::uint64_t environment);

}  // namespace e2k::guest::libc
