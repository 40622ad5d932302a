// e2kwb: one executable for the window and the commands that need none.
#include <malloc.h>
#include <sys/auxv.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
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
    int operator()(const e2k::app::GdbOptions& options) const { return gdb(options); }
    int operator()(const e2k::app::RecordOptions& options) const { return record(options); }
    int operator()(const e2k::app::ReplayOptions& options) const { return replay(options); }
    int operator()(const e2k::app::DisasmOptions& options) const { return disasm(options); }
    int operator()(const e2k::app::AsmOptions& options) const { return assemble(options); }
    int operator()(const e2k::app::IsaOptions& options) const { return isa_tables(options); }
    int operator()(const e2k::app::VectorsOptions& options) const { return vectors(options); }
    int operator()(const e2k::app::BenchOptions& options) const { return bench(options); }
    int operator()(const e2k::app::QualityOptions& options) const { return quality(options); }
    int operator()(const e2k::app::LessonOptions& options) const { return lesson(options); }
    int operator()(const e2k::app::CyclesOptions& options) const { return cycles(options); }
    int operator()(const e2k::app::ScheduleOptions& options) const { return schedule(options); }
};

/// The translator needs the same megabytes again for every region. Given back to the kernel in
/// between, they cost more in page faults than the translation itself.
void keep_freed_memory() {
    constexpr int kKept = 32 << 20, kAtOnce = 1 << 20;
    mallopt(M_TRIM_THRESHOLD, kKept);
    mallopt(M_TOP_PAD, kAtOnce);
}

/// Linux starts an Elbrus program by this name of e2kwb (binfmt.sh): PROGRAM ARGUMENTS…, with the
/// name that it was called by in between if Linux says so.
constexpr std::string_view kBinfmtName = "e2kwb-binfmt";

std::vector<std::string> as_run_command(const std::vector<std::string>& arguments) {
    constexpr unsigned long kNameIsKept = 1;  // AT_FLAGS_PRESERVE_ARGV0
    std::vector<std::string> run{"run"};
    std::size_t rest = 1;
    if ((getauxval(AT_FLAGS) & kNameIsKept) && arguments.size() > 1) {
        run.push_back("--argv0=" + arguments[1]);
        rest = 2;
    }
    run.push_back("--");
    if (arguments.empty()) return run;
    run.push_back(arguments.front());
    run.insert(run.end(), arguments.begin() + static_cast<std::ptrdiff_t>(rest), arguments.end());
    return run;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        keep_freed_memory();
        e2k::app::note_start();
        std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
        if (argc > 0 && std::filesystem::path(argv[0]).filename() == kBinfmtName)
            arguments = as_run_command(arguments);
        const int code = std::visit(Execute{}, e2k::app::parse_command_line(arguments));
        return e2k::app::results_beside_guest().finish(e2k::app::results().finish(code));
    } catch (const std::exception& e) {
        e2k::app::complain(e2k::app::with_advice(e.what()));
        return e2k::app::kExitFailure;
    }
}
