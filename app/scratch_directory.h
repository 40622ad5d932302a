// A temporary directory for the life of an object.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace e2k {

/// An empty directory that goes with everything in it.
class ScratchDirectory {
public:
    ScratchDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "e2kwb-XXXXXX").string();
        if (mkdtemp(name.data())) path_ = name;
    }
    ~ScratchDirectory() {
        std::error_code ignored;
        if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;
    /// Empty if the host refused to make one.
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace e2k
