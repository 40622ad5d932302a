// `e2kwb vectors`: decode and execute test vectors.
#include "app/commands.h"
#include "engine/machine/vectors.h"

namespace e2k::app {

int vectors(const VectorsOptions& options) {
    machine::VectorOptions how;
    how.tier = options.tier == "jit" ? machine::Tier::Translator : machine::Tier::Interpreter;
    how.classes = options.classes;
    how.every = options.every;
    how.max_differences = options.differences;
    how.exact_tags = options.tags;
    machine::VectorReport all;
    for (const std::string& file : options.files) {
        auto report = machine::run_vectors(file, how);
        if (!report) {
            complain(report.error());
            return kExitFailure;
        }
        all.merge(std::move(*report));
    }
    results().write(machine::format_report(all));
    return all.failed == 0 ? 0 : kExitFailure;
}

}  // namespace e2k::app
