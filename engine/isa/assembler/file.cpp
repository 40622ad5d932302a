// Assembling what is in files.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "engine/isa/assembler/program.h"

namespace e2k::isa {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFile = std::size_t{1} << 25;  ///< bytes of a source or of `.incbin`

/// What may be read: a source may come from a pipe, what it includes are ordinary files.
enum class Kind : std::uint8_t { Any, Ordinary };

tl::expected<std::string, std::string> read(const fs::path& path, Kind kind) {
    const auto refuse = [](std::string why) { return tl::unexpected(std::move(why)); };
    // Opening a pipe that nobody writes to would wait.
    const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | (kind == Kind::Ordinary ? O_NONBLOCK : 0);
    const int fd = ::open(path.c_str(), flags);
    if (fd < 0) return refuse(std::strerror(errno));
    struct Closed {
        int fd;
        ~Closed() { ::close(fd); }
    } const closed{fd};
    struct stat status {};
    if (::fstat(fd, &status) != 0) return refuse(std::strerror(errno));
    if (S_ISDIR(status.st_mode)) return refuse("this is a directory");
    if (kind == Kind::Ordinary && !S_ISREG(status.st_mode))
        return refuse("this is no ordinary file");
    std::string text;
    std::array<char, 1 << 16> buffer;
    for (;;) {
        const ssize_t n = ::read(fd, buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return refuse(std::strerror(errno));
        if (n == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(n));
        if (text.size() > kMaxFile)
            return refuse(fmt::format("this is larger than {} MiB", kMaxFile >> 20));
    }
}

}  // namespace

bool is_assembler_source(std::string_view path) {
    return path.ends_with(".s") || path.ends_with(".S");
}

tl::expected<AssembledProgram, std::string> assemble_file(const std::string& path,
                                                          ProgramSourceOptions options) {
    const auto source = read(path, Kind::Any);
    if (!source) return tl::unexpected(fmt::format("{}: {}\n", path, source.error()));
    const fs::path folder = fs::path(path).parent_path();
    if (!options.read)
        options.read = [folder](const std::string& name) {
            return read(folder / name, Kind::Ordinary);
        };
    auto program = assemble_program(*source, options);
    if (program) return std::move(*program);
    std::string reports;
    std::size_t count = 0;
    for (const AssemblyError& e : program.error()) {
        reports += e.report(path);
        count += 1 + e.more;
    }
    const bool all = program.error().size() < kMaxAssemblyErrors;
    reports += fmt::format("{}: {}{} error{}\n", path, all ? "" : "at least ", count,
                           count == 1 ? "" : "s");
    return tl::unexpected(std::move(reports));
}

}  // namespace e2k::isa
