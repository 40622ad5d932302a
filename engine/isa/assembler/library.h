// What a shared object offers to those that are linked with it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "engine/isa/assembler/program.h"

namespace e2k::isa {

struct Library {
    std::string soname;  ///< empty: it has none
    std::vector<LibrarySymbol> symbols;
};

/// Reads the table of symbols of a shared object for Elbrus; the error says why it cannot be used.
tl::expected<Library, std::string> read_library(const std::string& path);
/// The same from the bytes of the file.
tl::expected<Library, std::string> parse_library(std::string_view bytes);

/// "libc.so.6" for "c": the sonames of the C library's parts; "libNAME.so" for others.
std::string usual_library_name(std::string_view name);

}  // namespace e2k::isa
