#include "engine/guest/program_file.h"

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace e2k::guest {
namespace {

constexpr std::uint16_t kMachineElbrus = 175, kMachineOld = 49;
constexpr std::int64_t kMaxProgram = std::int64_t{1} << 31;
constexpr std::string_view kBlanks = " \t";

/// Reads `size` bytes from the beginning, or as many as there are.
ssize_t read_at_most(int fd, void* to, std::size_t size) {
    std::size_t have = 0;
    while (have < size) {
        const ssize_t n =
            pread(fd, static_cast<char*>(to) + have, size - have, static_cast<off_t>(have));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        if (n == 0) break;
        have += static_cast<std::size_t>(n);
    }
    return static_cast<ssize_t>(have);
}

}  // namespace

bool is_script(std::string_view header) { return header.starts_with("#!"); }

std::optional<ScriptLine> parse_script_line(std::string_view header) {
    std::string_view line = header.substr(2);
    const std::size_t end = line.find_first_of(std::string_view("\n\0", 2));
    const bool whole = end != std::string_view::npos || header.size() < kProgramHeader;
    if (end != std::string_view::npos) line = line.substr(0, end);
    const std::size_t begin = line.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return std::nullopt;
    line.remove_prefix(begin);
    const std::size_t name_end = line.find_first_of(kBlanks);
    // A cut argument is passed as it is, a cut name could be another program's.
    if (name_end == std::string_view::npos && !whole) return std::nullopt;
    ScriptLine parsed;
    parsed.interpreter = line.substr(0, name_end);
    if (name_end == std::string_view::npos) return parsed;
    line.remove_prefix(name_end);
    const std::size_t argument = line.find_first_not_of(kBlanks);
    if (argument == std::string_view::npos) return parsed;
    parsed.argument = line.substr(argument, line.find_last_not_of(kBlanks) + 1 - argument);
    return parsed;
}

bool is_elbrus(std::string_view header) {
    constexpr std::size_t kMachine = offsetof(Elf64_Ehdr, e_machine);
    if (!header.starts_with(std::string_view(ELFMAG, SELFMAG)) || header.size() < kMachine + 2)
        return false;
    std::uint16_t machine = 0;
    std::memcpy(&machine, header.data() + kMachine, sizeof machine);
    return machine == kMachineElbrus || machine == kMachineOld;
}

tl::expected<std::string, int> read_header(int fd) {
    std::string header(kProgramHeader, '\0');
    const ssize_t n = read_at_most(fd, header.data(), header.size());
    if (n < 0) return tl::unexpected(errno);
    header.resize(static_cast<std::size_t>(n));
    return header;
}

tl::expected<std::vector<std::uint8_t>, int> read_program(int fd) {
    struct stat st {};
    if (fstat(fd, &st) != 0) return tl::unexpected(errno);
    if (st.st_size > kMaxProgram) return tl::unexpected(EFBIG);
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(st.st_size));
    const ssize_t n = read_at_most(fd, bytes.data(), bytes.size());
    if (n < 0) return tl::unexpected(errno);
    bytes.resize(static_cast<std::size_t>(n));
    return bytes;
}

}  // namespace e2k::guest
