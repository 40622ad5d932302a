#include "app/commands.h"

#include <unistd.h>

#include "app/start.h"

namespace e2k::app {

std::vector<std::string> environment() {
    std::vector<std::string> all;
    for (char** entry = environ; *entry; ++entry) all.emplace_back(*entry);
    return all;
}

guest::ProcessOptions ProgramOptions::process() const {
    guest::ProcessOptions options;
    options.argv = argv;
    options.environment = environment();
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
