// `e2kwb asm`: a source becomes a program file.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "app/commands.h"
#include "engine/isa/assembler/library.h"
#include "engine/isa/assembler/program.h"
#include "engine/isa/printable.h"
#include "engine/machine/whole_file.h"

namespace e2k::app {

namespace {

std::string default_output(const std::string& source) {
    return isa::is_assembler_source(source) ? source.substr(0, source.size() - 2) : source + ".out";
}

/// "libc.so.6" for "c": what the library in one of the directories calls itself.
std::string library_name(const std::string& name, const AsmOptions& options,
                         std::vector<isa::LibrarySymbol>& known) {
    for (const std::string& directory : options.directories) {
        const std::string path = fmt::format("{}/lib{}.so", directory, name);
        auto library = isa::read_library(path);
        if (!library) continue;
        std::ranges::move(library->symbols, std::back_inserter(known));
        return library->soname.empty() ? fmt::format("lib{}.so", name) : library->soname;
    }
    return isa::usual_library_name(name);
}

isa::LinkOptions link_options(const AsmOptions& options) {
    isa::LinkOptions link;
    link.needed = options.needed;
    for (const std::string& name : options.libraries)
        link.needed.push_back(library_name(name, options, link.library));
    link.soname = options.soname;
    link.runpath = options.runpath;
    if (!options.interpreter.empty()) link.interpreter = options.interpreter;
    if (options.no_interpreter) link.interpreter.clear();
    link.export_all = options.export_all;
    link.symbolic = options.symbolic;
    link.bind_now = options.bind_now;
    link.kind = options.shared                            ? isa::OutputKind::Shared
                : options.pie                             ? isa::OutputKind::PositionIndependent
                : options.dynamic || !link.needed.empty() ? isa::OutputKind::Dynamic
                                                          : isa::OutputKind::Static;
    return link;
}

}  // namespace

int assemble(const AsmOptions& options) {
    isa::ProgramSourceOptions how;
    how.iset = options.processor.iset;
    how.strict_delay = !options.no_strict_delay;
    how.keep_lines = !options.listing.empty();
    how.externals = options.check;
    how.link = link_options(options);
    const auto program = isa::assemble_file(options.file, how);
    if (!program) {
        write_message(isa::printable(program.error(), "\n\t"));
        return kExitFailure;
    }
    for (const std::string& line : program->printed)
        write_message(isa::printable(line, "\t") + "\n");
    for (const isa::AssemblyError& warning : program->warnings)
        write_message(isa::printable(warning.report(options.file), "\n\t"));
    if (options.fatal_warnings && !program->warnings.empty()) {
        complain(options.file + ": warnings count as errors");
        return kExitFailure;
    }
    const auto write = [](const std::string& path, std::string_view content, bool executable) {
        const auto trouble = machine::write_whole_file(path, content, {.executable = executable});
        if (!trouble.empty()) complain(fmt::format("{}: {}", path, trouble));
        return trouble.empty();
    };
    if (!options.listing.empty() && !write(options.listing, isa::assembly_listing(*program), false))
        return kExitFailure;
    if (options.check) return 0;
    const std::string output =
        options.output.empty() ? default_output(options.file) : options.output;
    const auto elf = isa::write_elf(*program);
    const std::string_view content(reinterpret_cast<const char*>(elf.data()), elf.size());
    if (!write(output, content, true)) return kExitFailure;
    return 0;
}

}  // namespace e2k::app
