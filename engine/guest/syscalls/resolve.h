// From a path of the guest to the file of the host, in steps that a guest cannot disturb: what has
// been judged is held by a descriptor, and that descriptor is what the call then works on.
#pragma once

#include <string>

#include <tl/expected.hpp>

#include "engine/guest/process_impl.h"

namespace e2k::guest {

/// A host descriptor that closes itself.
class Handle {
public:
    explicit Handle(int fd = -1) : fd_(fd) {}
    Handle(Handle&& other) noexcept : fd_(other.release()) {}
    Handle& operator=(Handle&& other) noexcept;
    ~Handle();
    int get() const { return fd_; }
    int release();
    explicit operator bool() const { return fd_ >= 0; }

private:
    int fd_;
};

/// Where a path leads.
struct Place {
    Handle target;  ///< O_PATH; none: the last component does not exist, or was not to be followed
    Handle directory;  ///< O_PATH of the directory that holds `name`; none if the path has no name
    std::string name;  ///< last component, never a link that is still to be followed
    bool whole = false;       ///< the path ends in "/", "." or "..": `target` is a directory
    int descriptor = -1;      ///< the path names this descriptor of the guest (its number)
    bool redirected = false;  ///< the host's own resolution would lead elsewhere
};

/// Resolves `path` from the host descriptor `start`. Names of descriptors, of the working directory
/// and of the program mean the guest's, however they are written and whatever links lead there.
tl::expected<Place, int> resolve(const Process::Impl& process, int start, const std::string& path,
                                 bool follow);

/// The path of an open file without links; "pipe:[1]" and the like for what has none.
std::string real_path(int fd);
/// It belongs to a proc file system.
bool on_proc(int fd);
/// "/proc/PID/maps", "/proc/PID/task/TID/maps" of the guest's own process → "maps".
std::optional<std::string> own_proc_entry(const Process::Impl& process, const std::string& path);

}  // namespace e2k::guest
