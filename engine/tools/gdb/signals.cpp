#include "engine/tools/gdb/signals.h"

#include <array>
#include <csignal>
#include <utility>

namespace e2k::tools::gdb {
namespace {

constexpr int kUnknown = 143, kLastLinux = 64;
/// Linux → gdb, where they differ.
constexpr std::array kDifferent{
    std::pair{SIGBUS, 10},  std::pair{SIGUSR1, 30},   std::pair{SIGUSR2, 31},
    std::pair{16, 156},     std::pair{SIGCHLD, 20},   std::pair{SIGCONT, 19},
    std::pair{SIGSTOP, 17}, std::pair{SIGTSTP, 18},   std::pair{SIGURG, 16},
    std::pair{SIGPOLL, 23}, std::pair{SIGPWR, 32},    std::pair{SIGSYS, 12},
    std::pair{32, 77},      std::pair{kLastLinux, 78}};

}  // namespace

int to_gdb(int signal) {
    for (const auto& [linux, gdb] : kDifferent)
        if (signal == linux) return gdb;
    if (signal >= 33 && signal < kLastLinux) return signal + 12;
    return signal >= 0 && signal < 32 ? signal : kUnknown;
}

int from_gdb(int number) {
    for (int signal = 1; signal <= kLastLinux; ++signal)
        if (to_gdb(signal) == number) return signal;
    return 0;
}

}  // namespace e2k::tools::gdb
