// Segments of an ELF file in guest memory.
#pragma once

#include <cstdint>
#include <string>

#include <tl/expected.hpp>

#include "engine/guest/address_space.h"
#include "engine/guest/elf_image.h"

namespace e2k::guest::loader {

/// Maps and fills the segments, all of them readable and writable; the mappings are called `name`.
/// Returns the first address behind them.
tl::expected<std::uint64_t, std::string> map_image(AddressSpace& memory, const ElfImage& image,
                                                   const std::string& name);

/// Gives the segments the rights of the file.
tl::expected<void, std::string> protect_image(AddressSpace& memory, const ElfImage& image);

}  // namespace e2k::guest::loader
