// The second wall of the sandbox, under the policy: Landlock and a filter of system calls bind the
// threads that execute the guest, so that a mistake in the first wall (syscalls/rules.h) is none.
#pragma once

#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "engine/guest/sandbox.h"

namespace e2k::guest {

struct Wall {
    int landlock = 0;     ///< version in force; 0 = none
    bool filter = false;  ///< system calls are filtered
    /// What this kernel cannot do, in plain words; empty if the wall is whole.
    std::string missing;
};

/// Puts the calling thread, and every thread and process it starts from now on, behind the wall,
/// for ever. Other threads are not touched. Called again on a thread behind the same wall it does
/// nothing; behind another one (other writable directories) it is an error.
tl::expected<Wall, std::string> raise_wall(const Sandbox& sandbox);

/// What a new thread inherits from the one that starts it, by the kernel's rules: take it there,
/// adopt it in the new thread, so that raise_wall() knows.
struct RaisedWall;
std::shared_ptr<const RaisedWall> wall_of_this_thread();
void adopt_wall(std::shared_ptr<const RaisedWall> wall);

/// Landlock's part (landlock.cpp): its version, 0 if the kernel has none.
tl::expected<int, std::string> raise_landlock(const Sandbox& sandbox);
/// The filter of system calls (seccomp.cpp); false if the kernel has none.
tl::expected<bool, std::string> raise_filter(const Sandbox& sandbox);

}  // namespace e2k::guest
