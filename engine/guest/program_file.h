// What execve finds out about a file before anything is replaced.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace e2k::guest {

/// The kernel looks at this many bytes to tell what a file is.
inline constexpr std::size_t kProgramHeader = 256;

/// The first line of a script: "#!INTERPRETER ARGUMENT".
struct ScriptLine {
    std::string interpreter;
    std::optional<std::string> argument;  ///< the rest of the line, blanks inside included
};

bool is_script(std::string_view header);
/// `header`: the first kProgramHeader bytes, or the whole of a shorter file. Nothing: the line
/// names no interpreter, or its name does not end within the header (ENOEXEC).
std::optional<ScriptLine> parse_script_line(std::string_view header);

/// True for an ELF file made for Elbrus, whether it can be run or not.
bool is_elbrus(std::string_view header);

/// The first bytes of a file; or an errno value.
tl::expected<std::string, int> read_header(int fd);
/// All of it; EFBIG beyond what a program may have.
tl::expected<std::vector<std::uint8_t>, int> read_program(int fd);

}  // namespace e2k::guest
