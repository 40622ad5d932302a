// The commands of e2kwb. Each returns the exit code of the process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/output.h"
#include "app/processors.h"
#include "engine/machine/machine.h"

namespace e2k::app {

/// Exit codes of the workbench's own troubles; everything else is the guest's.
inline constexpr int kExitFailure = 1;             ///< command could not do its work
inline constexpr int kExitUsage = 2;               ///< command line not understood
inline constexpr int kExitMissingOperation = 125;  ///< guest stopped at something not built yet
inline constexpr int kExitCannotRun = 126;         ///< file is no program for Elbrus
inline constexpr int kExitNotFound = 127;          ///< no such file

/// What `run` writes down on the way (machine/run_log.h).
struct LogOptions {
    bool help = false;  ///< only tell what there is
    std::uint32_t items = 0;
    std::string file;  ///< empty: standard error
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
};

/// A guest program and how to run it; common to `run`, `trace` and the window.
struct ProgramOptions {
    std::vector<std::string> argv;  ///< program and its own arguments, untouched
    Processor processor{};          ///< iset 0: from the file
    bool interpreter = false;
    bool tags = true;            ///< diagnostic values are modelled
    bool uninitialised = false;  ///< registers never written are diagnostic too
    bool strict_alignment = false;
    bool sandbox = false;
    bool strict_imports = false;        ///< names that no library has are an error at the start
    std::vector<std::string> writable;  ///< directories a sandboxed guest may write below
    std::string sysroot;                ///< directory of an Elbrus system; empty: none
    std::vector<std::string> set_variables, unset_variables;  ///< of the guest's environment
    std::optional<std::string> argv0;                         ///< instead of argv[0]
    std::string kernel_release;
    std::uint64_t stack_size = 0;
    std::optional<std::uint64_t> seed;
    cpu::ClockOptions clock;
    LogOptions log;

    guest::ProcessOptions process() const;
};

struct RunOptions {
    ProgramOptions program;
    bool strace = false;
    bool stats = false;
    bool differential = false;
    bool perf_map = false;
    std::string jitdump;  ///< directory; empty: none
};
int run(const RunOptions& options);

struct TraceCommandOptions {
    ProgramOptions program;
    bool registers = false;
    std::uint64_t max_bundles = 0;  ///< 0 = until the program ends
};
int trace(const TraceCommandOptions& options);

struct GdbOptions {
    ProgramOptions program;
    std::string listen = "1234";  ///< tools::gdb::Listener::open
};
int gdb(const GdbOptions& options);

struct RecordOptions {
    ProgramOptions program;
    std::string output;                   ///< file of the recording
    std::uint64_t most_megabytes = 4096;  ///< it may have before recording ends
};
int record(const RecordOptions& options);

struct ReplayOptions {
    std::string file;
    std::optional<std::uint64_t> to;  ///< bundles executed; absent: to the end
    std::uint64_t back = 0;           ///< steps back from there
    std::string last_write;           ///< "%r5", "0x11210:4"; empty: not asked
    bool check = false, interpreter = false;
};
int replay(const ReplayOptions& options);

struct DisasmOptions {
    std::string file;
    std::string symbol;  ///< only this function
    bool raw = false;    ///< with the words of each bundle
    Processor processor{};
};
int disasm(const DisasmOptions& options);

struct AsmOptions {
    std::string file;
    std::string output;            ///< empty: the source's name without ".s"; "-": standard output
    std::string listing;           ///< empty: none; "-": standard output
    bool no_strict_delay = false;  ///< as after `.ignore strict_delay`
    bool check = false;            ///< write no program
    bool fatal_warnings = false;
    Processor processor{};
    bool dynamic = false, pie = false, shared = false;
    std::vector<std::string> libraries;    ///< "c" of -lc
    std::vector<std::string> needed;       ///< names of shared objects as they are
    std::vector<std::string> directories;  ///< to look for libraries in
    std::string soname, runpath, interpreter;
    bool no_interpreter = false, export_all = false, symbolic = false, bind_now = false;
};
int assemble(const AsmOptions& options);

struct IsaOptions {
    std::vector<std::string> names;  ///< operations to describe
    bool coverage = false;
    Processor processor{};  ///< iset 0: all versions
};
int isa_tables(const IsaOptions& options);

struct VectorsOptions {
    std::vector<std::string> files;
    std::vector<std::string> classes;
    std::string tier = "interp";  ///< "interp" or "jit"
    std::uint32_t every = 1;
    std::size_t differences = 10;
    bool tags = false;
};
int vectors(const VectorsOptions& options);

struct BenchOptions {
    std::vector<std::string> paths;  ///< programs, directories of programs
    std::vector<std::string> tiers{"translated"};
    std::vector<std::string> variants;  ///< "name=options of e2kwb run"
    std::string compare;                ///< directory of native builds; empty: none
    std::string figures;                ///< JSON file of figure rules
    std::string json;                   ///< file for all samples; "-": standard output
    unsigned runs = 5;
    double timeout = 600;  ///< seconds a run
};
int bench(const BenchOptions& options);

struct QualityOptions {
    ProgramOptions program;
    std::size_t top = 20;      ///< rows of each ranking
    std::size_t listings = 0;  ///< regions whose host code is printed
    std::string json;          ///< file for everything; empty: none
};
int quality(const QualityOptions& options);

struct LessonOptions {
    std::vector<std::string> files;
    std::string language;
    bool check = false;  ///< try them out without a window
};
int lesson(const LessonOptions& options);

struct CyclesOptions {
    ProgramOptions program;
    std::string model;       ///< processor or a file that describes one; empty: by the program
    double clock_speed = 1;  ///< of the guest's clock, which runs from the modelled cycles
    std::size_t top = 20;    ///< rows of the ranking
    std::uint64_t max_bundles = 0;        ///< 0 = until the program ends
    std::string json;                     ///< file for everything; empty: none
    std::string konata, chrome_trace;     ///< files for viewers of pipelines; empty: none
    std::size_t trace_bundles = 100'000;  ///< that these hold, the last ones
};
int cycles(const CyclesOptions& options);

struct ScheduleOptions {
    ProgramOptions program;
    std::string place;                       ///< "main+0x18"
    std::string model;                       ///< as of CyclesOptions
    std::uint64_t max_bundles = 50'000'000;  ///< that are executed before looking
    bool graph = false;                      ///< print operations and dependences
};
int schedule(const ScheduleOptions& options);

struct WindowOptions {
    ProgramOptions program;
    bool no_sandbox = false;
    std::string layout, theme, language, screenshot, size, script_file;
    double scale = 0, font_size = 0;
    int frames = 0;
    bool frame_stats = false;
    std::vector<std::string> dump_panels;
    std::string lesson;  ///< to be played; empty: none
};
int window(const WindowOptions& options);

}  // namespace e2k::app
