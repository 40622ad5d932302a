// Files that are written as a whole or not at all.
#pragma once

#include <string>
#include <string_view>

namespace e2k::machine {

struct WholeFileOptions {
    bool executable = false;  ///< the file may be executed by everyone the umask lets
};

/// Makes `content` what `path` holds: written beside it, synced to the disk, then renamed, so that
/// readers see the old file or the new one and a failure (a full disk) leaves the old one alone. A
/// symbolic link stays one. "-" is standard output; what is there and no ordinary file (a device, a
/// pipe, a descriptor under /proc) is written in place, its permissions unchanged. Empty if it went
/// well, else why not.
std::string write_whole_file(const std::string& path, std::string_view content,
                             const WholeFileOptions& options = {});

}  // namespace e2k::machine
