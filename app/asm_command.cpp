// `e2kwb asm`: a source becomes a program file.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

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

/// What the options for linking come to.
struct Linking {
    isa::LinkOptions options;
    bool all_known = false;  ///< every library that is named has been read
};

/// "libc.so.6" for "c": what the library in one of the directories calls itself.
std::string library_name(const std::string& name, const AsmOptions& options, Linking& linking) {
    for (const std::string& directory : options.directories) {
        const std::string path = fmt::format("{}/lib{}.so", directory, name);
        auto library = isa::read_library(path);
        if (!library) continue;
        std::ranges::move(library->symbols, std::back_inserter(linking.options.library));
        return library->soname.empty() ? fmt::format("lib{}.so", name) : library->soname;
    }
    linking.all_known = false;
    return isa::usual_library_name(name);
}

Linking linking_of(const AsmOptions& options) {
    Linking linking;
    linking.all_known = options.needed.empty() && !options.libraries.empty();
    isa::LinkOptions& link = linking.options;
    link.needed = options.needed;
    for (const std::string& name : options.libraries)
        link.needed.push_back(library_name(name, options, linking));
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
    return linking;
}

/// Names that a program uses and none of its libraries has. Those of a shared object may be in what
/// it is linked with later.
std::vector<std::string> nobody_has(const isa::AssembledProgram& program, const Linking& linking) {
    std::vector<std::string> names;
    if (!linking.all_known || program.kind == isa::OutputKind::Shared) return names;
    for (const isa::AssembledSymbol& symbol : program.symbols)
        if (symbol.undefined && !symbol.weak &&
            std::ranges::find(linking.options.library, symbol.name, &isa::LibrarySymbol::name) ==
                linking.options.library.end())
            names.push_back(symbol.name);
    return names;
}

}  // namespace

int assemble(const AsmOptions& options) {
    isa::ProgramSourceOptions how;
    how.iset = options.processor.iset;
    how.strict_delay = !options.no_strict_delay;
    how.keep_lines = !options.listing.empty();
    how.externals = options.check;
    const Linking linking = linking_of(options);
    how.link = linking.options;
    const auto program = isa::assemble_file(options.file, how);
    if (!program) {
        write_message(isa::printable(program.error(), "\n\t"));
        return kExitFailure;
    }
    for (const std::string& line : program->printed)
        write_message(isa::printable(line, "\t") + "\n");
    for (const isa::AssemblyError& warning : program->warnings)
        write_message(isa::printable(warning.report(options.file), "\n\t"));
    const auto missing = nobody_has(*program, linking);
    for (const std::string& name : missing)
        write_message(isa::printable(fmt::format("{}: warning: none of the libraries defines {}",
                                                 options.file, name),
                                     "\t") +
                      "\n");
    if (options.fatal_warnings && !(program->warnings.empty() && missing.empty())) {
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
