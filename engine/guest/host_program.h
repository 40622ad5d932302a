// execve of a program of the host by a guest that is trusted to: the whole process becomes that
// program, with what Linux lets it inherit from the guest and nothing of the workbench.
#pragma once

#include <sys/time.h>

#include <csignal>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/guest/limits.h"

namespace e2k::guest {

struct HostProgram {
    int file = -1;     ///< O_PATH descriptor of the program
    std::string path;  ///< its name if that reaches it from `directory`; empty: only `file` does
    int directory = -1;
    std::vector<std::string> argv, environment;
    std::vector<std::pair<int, int>> descriptors;   ///< number in the program → host descriptor
    std::uint64_t ignored = 0, blocked = 0;         ///< signals, bit n-1
    std::vector<siginfo_t> pending;                 ///< blocked signals that have come
    std::vector<std::pair<int, itimerval>> timers;  ///< setitimer's, with the time that is left
    int parent_death_signal = 0;
    ResourceLimits limits;
};

/// Returns only if the host refuses: an errno value, and nothing has changed.
int execute_host_program(HostProgram program);

/// Without the variables by which the host's dynamic linker, C library and sanitizers take orders:
/// those of a guest are for Elbrus programs.
std::vector<std::string> cleaned_environment(std::vector<std::string> environment);

}  // namespace e2k::guest
