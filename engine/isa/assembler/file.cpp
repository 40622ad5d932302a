// Assembling what is in files.
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/isa/assembler/program.h"

namespace e2k::isa {
namespace {

namespace fs = std::filesystem;

tl::expected<std::string, std::string> read(const fs::path& path) {
    std::error_code error;
    if (fs::is_directory(path, error)) return tl::unexpected(std::string("this is a directory"));
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(file), {});
    if (!file) return tl::unexpected(std::string(errno ? std::strerror(errno) : "cannot be read"));
    return text;
}

}  // namespace

bool is_assembler_source(std::string_view path) {
    return path.ends_with(".s") || path.ends_with(".S");
}

tl::expected<AssembledProgram, std::string> assemble_file(const std::string& path,
                                                          ProgramSourceOptions options) {
    const auto source = read(path);
    if (!source) return tl::unexpected(fmt::format("{}: {}\n", path, source.error()));
    const fs::path folder = fs::path(path).parent_path();
    if (!options.read)
        options.read = [folder](const std::string& name) { return read(folder / name); };
    auto program = assemble_program(*source, options);
    if (program) return std::move(*program);
    std::string reports;
    for (const AssemblyError& e : program.error()) reports += e.report(path);
    const auto count = program.error().size();
    reports += fmt::format("{}: {} error{}\n", path, count, count == 1 ? "" : "s");
    return tl::unexpected(std::move(reports));
}

}  // namespace e2k::isa
