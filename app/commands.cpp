#include "app/commands.h"

#include <unistd.h>

#include <string_view>

#include "app/start.h"

namespace e2k::app {

namespace {

bool names_variable(std::string_view entry, std::string_view name) {
    return entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=';
}

/// That of this process, with the changes that the command line asks for.
std::vector<std::string> environment(const ProgramOptions& options) {
    std::vector<std::string> all;
    for (char** entry = environ; *entry; ++entry) all.emplace_back(*entry);
    const auto remove = [&](std::string_view name) {
        std::erase_if(all, [&](const std::string& entry) { return names_variable(entry, name); });
    };
    for (const std::string& name : options.unset_variables) remove(name);
    for (const std::string& entry : options.set_variables) {
        remove(std::string_view(entry).substr(0, entry.find('=')));
        all.push_back(entry);
    }
    return all;
}

}  // namespace

guest::ProcessOptions ProgramOptions::process() const {
    guest::ProcessOptions options;
    options.argv = argv;
    if (argv0 && !argv.empty()) options.argv.front() = *argv0;
    options.environment = environment(*this);
    options.kernel_release = kernel_release;
    options.stack_size = stack_size;
    options.seed = seed;
    options.clock = clock;
    options.descriptors = start().descriptors;
    options.iset_override = processor.iset;
    options.idr_override = processor.idr_model;
    options.exact_tags = tags;
    options.uncover_tags = uninitialised;
    options.strict_alignment = strict_alignment;
    options.policy.sandbox = sandbox;
    options.strict_imports = strict_imports;
    options.policy.writable = writable;
    options.sysroot = sysroot;
    return options;
}

}  // namespace e2k::app
