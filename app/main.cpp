// e2kwb: one executable for the window and the commands that need none.
#include <malloc.h>

#include <exception>
#include <string>
#include <vector>

#include "app/command_line.h"
#include "app/start.h"
#include "engine/isa/printable.h"

namespace {

struct Execute {
    int operator()(const e2k::app::Message& message) const {
        if (message.exit_code == 0)
            e2k::app::results().write(message.text);
        else
            e2k::app::write_message(e2k::isa::printable("e2kwb: " + message.text, "\n\t"));
        return message.exit_code;
    }
    int operator()(const e2k::app::WindowOptions& options) const { return window(options); }
    int operator()(const e2k::app::RunOptions& options) const { return run(options); }
    int operator()(const e2k::app::TraceCommandOptions& options) const { return trace(options); }
    int operator()(const e2k::app::DisasmOptions& options) const { return disasm(options); }
    int operator()(const e2k::app::AsmOptions& options) const { return assemble(options); }
    int operator()(const e2k::app::IsaOptions& options) const { return isa_tables(options); }
    int operator()(const e2k::app::VectorsOptions& options) const { return vectors(options); }
    int operator()(const e2k::app::BenchOptions& options) const { return bench(options); }
    int operator()(const e2k::app::QualityOptions& options) const { return quality(options); }
};

/// The translator needs the same megabytes again for every region. Given back to the kernel in
/// between, they cost more in page faults than the translation itself.
void keep_freed_memory() {
    constexpr int kKept = 32 << 20, kAtOnce = 1 << 20;
    mallopt(M_TRIM_THRESHOLD, kKept);
    mallopt(M_TOP_PAD, kAtOnce);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        keep_freed_memory();
        e2k::app::note_start();
        const std::vector<std::string> arguments(argv + 1, argv + argc);
        const int code = std::visit(Execute{}, e2k::app::parse_command_line(arguments));
        return e2k::app::results_beside_guest().finish(e2k::app::results().finish(code));
    } catch (const std::exception& e) {
        e2k::app::complain(e2k::app::with_advice(e.what()));
        return e2k::app::kExitFailure;
    }
}
