// A directory that holds the files of an Elbrus system: the guest finds them before the host's.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "engine/guest/elf_image.h"

namespace e2k::guest {

class Sysroot {
public:
    static tl::expected<std::shared_ptr<const Sysroot>, std::string> open(
        const std::string& directory);

    /// The host's name for what the guest calls `path`, if the directory has it: absolute, free of
    /// links, which all lead to places inside. `follow`: a link at the end is followed, too.
    /// Nothing for relative paths, for "/", and below /proc, /sys and /dev, which are the host's.
    std::optional<std::string> find(const std::string& path, bool follow) const;

    const std::string& directory() const { return directory_; }

private:
    explicit Sysroot(std::string directory) : directory_(std::move(directory)) {}
    std::string directory_;  ///< absolute
};

/// If `image` asks for a dynamic linker that `sysroot` has, puts that one's segments, sections and
/// symbols beside its own: it is what starts then, and `image.interpreter` becomes empty. Otherwise
/// `image` stays as it is. The error says what is wrong with the dynamic linker.
tl::expected<void, std::string> attach_linker(ElfImage& image, const Sysroot* sysroot);

}  // namespace e2k::guest
