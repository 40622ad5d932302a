#include "engine/guest/wall.h"

#include <sys/prctl.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace e2k::guest {

struct RaisedWall {
    std::vector<std::string> writable;
    Wall wall;
};

namespace {

constexpr int kWholeLandlock = 6;  ///< the first version that knows signals

thread_local std::shared_ptr<const RaisedWall> t_raised;

std::string missing_parts(int landlock, bool filter) {
    std::string text;
    if (landlock == 0) text += "Landlock";
    if (landlock > 0 && landlock < kWholeLandlock)
        text += "Landlock's newer rights (version " + std::to_string(landlock) + " of " +
                std::to_string(kWholeLandlock) + ")";
    if (!filter) text += std::string(text.empty() ? "" : " and ") + "seccomp filters";
    return text;
}

}  // namespace

tl::expected<Wall, std::string> raise_wall(const Sandbox& sandbox) {
    if (t_raised) {
        if (t_raised->writable == sandbox.writable()) return t_raised->wall;
        return tl::unexpected<std::string>(
            "this thread is behind the sandbox of another program with other writable directories; "
            "start the workbench again");
    }
    // Both parts demand it: nothing started from here on gains rights by executing a file.
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return tl::unexpected(std::string("PR_SET_NO_NEW_PRIVS: ") + std::strerror(errno));
    Wall wall;
    auto landlock = raise_landlock(sandbox);
    if (!landlock) return tl::unexpected("Landlock: " + landlock.error());
    auto filter = raise_filter(sandbox);
    if (!filter) return tl::unexpected("the filter of system calls: " + filter.error());
    wall.landlock = *landlock;
    wall.filter = *filter;
    wall.missing = missing_parts(wall.landlock, wall.filter);
    t_raised = std::make_shared<const RaisedWall>(RaisedWall{sandbox.writable(), wall});
    return wall;
}

std::shared_ptr<const RaisedWall> wall_of_this_thread() { return t_raised; }
void adopt_wall(std::shared_ptr<const RaisedWall> wall) { t_raised = std::move(wall); }

/// Asked by the sanitizer's leak checker, where there is one: it stops all threads by ptrace when
/// the process ends; behind the wall it cannot.
extern "C" int __lsan_is_turned_off() { return t_raised != nullptr; }

}  // namespace e2k::guest
