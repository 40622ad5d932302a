// One process of the fuzzer: makes guests and issues their calls.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "tests/guest/fuzz_syscalls/fuzzer.h"
#include "tests/guest/fuzz_syscalls/outside.h"

namespace e2k::guest::fuzz {

inline constexpr std::uint32_t kNumbers = 512;

/// Shared between the worker and its supervisor, who learns from it what was going on.
struct Progress {
    std::atomic<std::uint64_t> calls{0}, guests{0};
    std::atomic<std::uint32_t> number{0};
    std::array<std::atomic<std::uint64_t>, 6> arguments{};
    std::array<std::atomic<std::uint64_t>, kNumbers> made{}, succeeded{};
    std::atomic<std::uint32_t> host_memory_changed{0};
};

/// One guest in a process of its own, which its limits bind: `worker` picks the part of the run.
/// Ends after a thousand calls, or at `limit` calls in all.
void work(const Settings& settings, const Surroundings& around, std::uint64_t worker,
          std::uint64_t limit, Progress& progress);

/// One row with bad addresses in a process of its own.
void work_bad_pointers(const Surroundings& around, bool sandbox, const SyscallRow& row,
                       Progress& progress);

}  // namespace e2k::guest::fuzz
