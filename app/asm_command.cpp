// `e2kwb asm`: a source becomes a program file.
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

#include "app/commands.h"
#include "engine/isa/assembler/program.h"

namespace e2k::app {

namespace {

/// "-" is standard output. Empty if it went well, else why not.
std::string write_file(const std::string& path, std::string_view content) {
    if (path == "-") {
        const bool done = std::fwrite(content.data(), 1, content.size(), stdout) == content.size();
        return done && std::fflush(stdout) == 0 ? "" : std::strerror(errno);
    }
    errno = 0;
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    file.close();
    return file ? "" : std::strerror(errno ? errno : EIO);
}

std::string default_output(const std::string& source) {
    return isa::is_assembler_source(source) ? source.substr(0, source.size() - 2) : source + ".out";
}

}  // namespace

int assemble(const AsmOptions& options) {
    isa::ProgramSourceOptions how;
    how.iset = options.processor.iset;
    how.strict_delay = !options.no_strict_delay;
    const auto program = isa::assemble_file(options.file, how);
    if (!program) {
        fmt::print(stderr, "{}", program.error());
        return kExitFailure;
    }
    for (const isa::AssemblyError& warning : program->warnings)
        fmt::print(stderr, "{}", warning.report(options.file));
    if (options.fatal_warnings && !program->warnings.empty()) {
        complain(options.file + ": warnings count as errors");
        return kExitFailure;
    }
    const auto write = [](const std::string& path, std::string_view content) {
        const auto trouble = write_file(path, content);
        if (!trouble.empty()) complain(fmt::format("{}: {}", path, trouble));
        return trouble.empty();
    };
    if (!options.listing.empty() && !write(options.listing, isa::assembly_listing(*program)))
        return kExitFailure;
    if (options.check) return 0;
    const std::string output =
        options.output.empty() ? default_output(options.file) : options.output;
    const auto elf = isa::write_elf(*program);
    if (!write(output, {reinterpret_cast<const char*>(elf.data()), elf.size()}))
        return kExitFailure;
    const mode_t mask = umask(0);
    umask(mask);
    if (output != "-" && chmod(output.c_str(), 0777 & ~mask) != 0) {
        complain(fmt::format("{}: {}", output, std::strerror(errno)));
        return kExitFailure;
    }
    return 0;
}

}  // namespace e2k::app
