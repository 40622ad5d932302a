// System calls: a live table of what the guest asked of Linux.
#pragma once

#include <string>
#include <vector>

#include "ui/scene.h"

namespace e2k::ui {

struct SyscallsState {
    char filter[128] = {};
    bool errors_only = false;
    bool follow = true;  ///< keep the newest in view

    // Derived: indices into the log that pass the filter.
    std::vector<std::size_t> rows;
    std::uint64_t revision = ~0ull;
    std::string applied;
    bool applied_errors = false;
};

/// Does a call pass the filter? Words must all occur in name, arguments or result.
bool matches(const guest::SyscallRecord& call, std::string_view filter, bool errors_only);

void draw_syscalls(const Scene& scene, SyscallsState& state, machine::CommandSink& sink);
std::string syscalls_text(const Scene& scene, const SyscallsState& state);

}  // namespace e2k::ui
