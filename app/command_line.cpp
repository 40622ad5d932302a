#include "app/command_line.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "app/program_options.h"
#include "engine/timing/processor.h"
#include "ui/workbench.h"

namespace e2k::app {

namespace {

constexpr std::string_view kVersion = E2K_VERSION;

constexpr std::string_view kAbout =
    "E2K Workbench: runs Linux programs compiled for the Elbrus 2000 (E2K) processor on this PC\n"
    "and shows what they do, bundle by bundle.";

constexpr std::string_view kExamples = R"(
Examples:
  e2kwb                             open the workbench with its demo programs
  e2kwb ./hello                     open the workbench on a program, paused at its start
  e2kwb run ./hello a b             just run it: same output, same exit code
  e2kwb run --strace ./hello        the same, every system call on standard error
  e2kwb trace --registers ./hello   every bundle and what it changed
  e2kwb gdb ./hello                 wait for gdb: target remote :1234
  e2kwb record -o run.e2krec ./hello; e2kwb replay run.e2krec --back 1
  e2kwb disasm --symbol main ./hello
  e2kwb asm hello.s -o hello        assemble; "e2kwb run hello.s" does it on the way
  e2kwb isa addd                    what one operation is

"e2kwb COMMAND --help" tells more about a command. Everything after the program's name belongs to
the program. Processors for --cpu: )";

constexpr std::string_view kRunFooter = R"(
Exit code: the program's own. When it dies of a signal, so does e2kwb (a shell shows 128 + number).
  125  the program needs an operation this build cannot execute; it is named on standard error
  126  the file is no Elbrus program this build can run
  127  the file does not exist)";

/// Help texts with a usage line of our own: CLI11 does not know about the guest program.
class Help : public CLI::Formatter {
public:
    explicit Help(std::string usage) : usage_(std::move(usage)) { column_width(28); }
    std::string make_usage(const CLI::App*, std::string) const override { return usage_ + "\n"; }

private:
    std::string usage_;
};

void set_usage(CLI::App& app, std::string usage) {
    app.formatter(std::make_shared<Help>(std::move(usage)));
}

/// Options of one command; the guest program and its arguments are kept apart from CLI11, which
/// must not touch them.
struct Program {
    std::string cpu, writable, sysroot;
    bool interpreter = false, strict_alignment = false, sandbox = false;
    bool no_tags = false, uninitialised = false, strict_imports = false;
    bool is_run = false;
    GivenValues given;
};

void add_program_options(CLI::App& app, Program& program) {
    app.add_option("--cpu", program.cpu, "processor to be (default: as the program file says)")
        ->type_name("NAME");
    app.add_option("-L,--sysroot", program.sysroot,
                   "directory of an Elbrus system: its dynamic linker starts the program, which "
                   "finds its files before the host's [$E2K_SYSROOT, $QEMU_LD_PREFIX]")
        ->type_name("DIR");
    app.add_flag("--interp", program.interpreter, "use the reference interpreter only");
    app.add_flag("--no-tags", program.no_tags, "do not model register tags: nothing is diagnostic");
    app.add_flag("--tags", program.uninitialised,
                 "registers never written are diagnostic too (always interpreted)");
    app.add_flag("--strict-imports", program.strict_imports,
                 "refuse a program that asks for a function or library that is not there");
    add_program_option_rows(app, program.is_run, program.given);
}

/// Where the guest program's name stands in `arguments`, or their number. Options of `app` that
/// take a value take the next argument with them.
std::size_t find_program(const CLI::App& app, const std::vector<std::string>& arguments,
                         std::size_t from) {
    std::size_t i = from;
    for (; i < arguments.size(); ++i) {
        const std::string& argument = arguments[i];
        if (argument == "--" || argument.empty() || argument[0] != '-' || argument == "-") break;
        if (argument.find('=') != std::string::npos) continue;
        const CLI::Option* option = app.get_option_no_throw(argument);
        if (option && option->get_items_expected_max() > 0) ++i;
    }
    return std::min(i, arguments.size());
}

std::optional<Message> take_program(const Program& from, std::vector<std::string> argv,
                                    ProgramOptions& to) {
    to.argv = std::move(argv);
    // The translator leaves misaligned accesses to the host, which allows them.
    to.interpreter = from.interpreter || from.strict_alignment;
    to.strict_alignment = from.strict_alignment;
    to.tags = !from.no_tags;
    to.uninitialised = from.uninitialised;
    to.sandbox = from.sandbox;
    to.strict_imports = from.strict_imports;
    to.sysroot = from.sysroot;
    for (const char* variable : {"E2K_SYSROOT", "QEMU_LD_PREFIX"})
        if (const char* value = std::getenv(variable); to.sysroot.empty() && value)
            to.sysroot = value;
    if (!from.writable.empty()) to.writable = {from.writable};
    if (auto trouble = take_program_options(from.given, from.is_run, to))
        return Message{*trouble + "\n", kExitUsage};
    if (from.cpu.empty()) return std::nullopt;
    auto processor = processor_by_name(from.cpu);
    if (!processor) return Message{processor.error() + "\n", kExitUsage};
    to.processor = *processor;
    return std::nullopt;
}

Message missing_program(const char* command) {
    return {fmt::format("{} needs a program: e2kwb {} [OPTIONS] PROG [ARGS…]\n"
                        "\"e2kwb {} --help\" lists the options.\n",
                        command, command, command),
            kExitUsage};
}

template <class Names>
std::string joined(const Names& names) {
    return fmt::format("{}", fmt::join(names, ", "));
}

/// All commands and the places their options are parsed into.
struct Grammar {
    CLI::App app{std::string(kAbout), "e2kwb"};
    Program window_program, run_program, trace_program, gdb_program, quality_program,
        cycles_program, schedule_program, record_program;
    WindowOptions window;
    RunOptions run;
    TraceCommandOptions trace;
    GdbOptions gdb;
    RecordOptions record;
    ReplayOptions replay;
    DisasmOptions disasm;
    VectorsOptions vectors;
    BenchOptions bench;
    QualityOptions quality;
    LessonOptions lesson;
    CyclesOptions cycles;
    ScheduleOptions schedule;
    AsmOptions assembly;
    IsaOptions isa;
    std::string disasm_cpu, asm_cpu, isa_cpu;
    CLI::App *record_command, *replay_command;
    CLI::App *run_command, *trace_command, *gdb_command, *disasm_command, *asm_command,
        *isa_command, *vectors_command, *bench_command, *quality_command, *lesson_command,
        *cycles_command, *schedule_command;

    Grammar() {
        app.set_version_flag("--version", "e2kwb " + std::string(kVersion));
        set_usage(app,
                  "Usage: e2kwb [OPTIONS] [PROG ARGS…]     open the workbench\n"
                  "       e2kwb COMMAND [OPTIONS] …        work without a window");
        app.footer(std::string(kExamples) + processor_names() + ".");
        add_window();
        add_run();
        add_trace();
        add_gdb();
        add_record();
        add_replay();
        add_disasm();
        add_asm();
        add_isa();
        add_vectors();
        add_bench();
        add_quality();
        add_lesson();
        add_cycles();
        add_schedule();
    }

    void add_window() {
        add_program_options(app, window_program);
        app.add_flag("--no-sandbox", window.no_sandbox,
                     "let the program write outside --writable, use the network and signal others");
        app.add_option("--writable", window_program.writable,
                       "directory a sandboxed program may write below")
            ->type_name("DIR");
        app.add_option("--layout", window.layout,
                       "arrangement of the panels: " + joined(ui::kLayoutNames))
            ->type_name("NAME")
            ->check(CLI::IsMember(
                std::vector<std::string>(ui::kLayoutNames.begin(), ui::kLayoutNames.end())));
        app.add_option("--size", window.size, "size of the window in pixels")->type_name("WxH");
        app.add_option("--scale", window.scale, "scale of the interface, e.g. 1.5")
            ->type_name("S")
            ->check(CLI::Range(0.5, 4.0));
        app.add_option("--font-size", window.font_size, "size of the font in pixels")
            ->type_name("PX")
            ->check(CLI::Range(8.0, 48.0));
        app.add_option("--theme", window.theme, "dark or light")
            ->check(CLI::IsMember({"dark", "light"}));
        app.add_option("--lang", window.language, "language of the texts: en or ru")
            ->type_name("CODE")
            ->check(CLI::IsMember({"en", "ru"}));
        app.add_option("--screenshot", window.screenshot,
                       "draw without a visible window, write a PNG and end")
            ->type_name("FILE");
        app.add_option("--frames", window.frames, "end after so many frames")
            ->type_name("N")
            ->check(CLI::NonNegativeNumber);
        app.add_flag("--frame-stats", window.frame_stats,
                     "print a line a second on standard error: frames, their cost, the program's "
                     "speed");
        app.add_option("--dump-panel", window.dump_panels,
                       "print the text of a panel before ending: " + joined(ui::kPanelNames))
            ->type_name("NAME")
            ->expected(1)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        app.add_option("--lesson", window.lesson, "lesson to play: assets/lessons/*.lesson")
            ->type_name("FILE");
        app.add_option("--script", window.script_file, "file of commands for the window")
            ->type_name("FILE");
    }

    void add_run() {
        run_command = app.add_subcommand("run", "run a program: its output, its exit code");
        set_usage(*run_command, "Usage: e2kwb run [OPTIONS] PROG [ARGS…]");
        run_program.is_run = true;
        add_program_options(*run_command, run_program);
        run_command->add_flag("--strace", run.strace, "print every system call on standard error");
        run_command->add_flag("--stats", run.stats, "print counts and speed at the end");
        run_command->add_flag("--strict-align", run_program.strict_alignment,
                              "misaligned accesses trap when the program sets UPSR.ac, as on "
                              "hardware; uses the interpreter");
        auto* sandbox = run_command->add_flag(
            "--sandbox", run_program.sandbox,
            "for programs of strangers: no network, no other processes, no writing (but see "
            "--writable), no programs of the host");
        run_command
            ->add_option("--writable", run_program.writable,
                         "directory a sandboxed program may write below")
            ->type_name("DIR")
            ->needs(sandbox);
        run_command->add_flag("--differential,--lockstep", run.differential,
                              "check the translator against the interpreter after every region");
        run_command->add_flag("--perf-map", run.perf_map, "write /tmp/perf-PID.map for perf");
        run_command
            ->add_option("--jitdump", run.jitdump,
                         "write jit-PID.dump there, for perf inject --jit")
            ->type_name("DIR")
            ->check(CLI::ExistingDirectory);
        run_command->footer(std::string(kRunFooter) +
                            "\n\nPROG may be an assembler source, \"x.s\": it is assembled first.");
    }

    void add_trace() {
        trace_command = app.add_subcommand("trace", "print every bundle as it executes");
        set_usage(*trace_command, "Usage: e2kwb trace [OPTIONS] PROG [ARGS…]");
        add_program_options(*trace_command, trace_program);
        trace_command->add_flag("--registers", trace.registers, "also print what each one changed");
        trace_command->add_option("--max", trace.max_bundles, "stop after so many bundles")
            ->type_name("N");
        trace_command->footer(
            "\nThe trace goes to standard error, the program's output to "
            "standard output.");
    }

    void add_gdb() {
        gdb_command = app.add_subcommand("gdb", "run a program under a debugger");
        set_usage(*gdb_command, "Usage: e2kwb gdb [OPTIONS] [PORT] PROG [ARGS…]");
        add_program_options(*gdb_command, gdb_program);
        gdb_command
            ->add_option("--listen", gdb.listen,
                         "where gdb connects: a port of this machine (default 1234), "
                         "ADDRESS:PORT, the path of a socket, or - for standard input and output")
            ->type_name("PLACE");
        auto* sandbox =
            gdb_command->add_flag("--sandbox", gdb_program.sandbox, "as of `e2kwb run`");
        gdb_command
            ->add_option("--writable", gdb_program.writable,
                         "directory a sandboxed program may write below")
            ->type_name("DIR")
            ->needs(sandbox);
        gdb_command->footer(
            "\nThe program waits at its first bundle until gdb comes (target remote :1234). "
            "The client is\ngdb for Elbrus; breakpoints, watchpoints, threads, caught system "
            "calls and functions called\nfrom gdb work, `monitor help` tells what else there is.");
    }

    void add_record() {
        record_command = app.add_subcommand("record", "run a program and keep the run as a file");
        set_usage(*record_command, "Usage: e2kwb record -o FILE [OPTIONS] PROG [ARGS…]");
        add_program_options(*record_command, record_program);
        record_command->add_option("-o,--output", record.output, "file to write, x.e2krec")
            ->type_name("FILE")
            ->required();
        record_command
            ->add_option("--limit", record.most_megabytes,
                         "megabytes of events after which recording ends (default 4096)")
            ->type_name("MB")
            ->check(CLI::PositiveNumber);
        record_command->footer(
            "\nThe program behaves as with `e2kwb run`. The file holds all that it needs to be "
            "repeated\nwithout its files, arguments and inputs; `e2kwb replay` shows any place of "
            "the run.\nRecording ends where a second thread begins, and where the program shares "
            "memory with others.");
    }

    void add_replay() {
        replay_command = app.add_subcommand("replay", "repeat a recorded run up to any place");
        set_usage(*replay_command, "Usage: e2kwb replay FILE [OPTIONS]");
        replay_command->add_option("file", replay.file, "recording of `e2kwb record`")->required();
        replay_command->add_option("--to", replay.to, "so many bundles (default: to the end)")
            ->type_name("N");
        replay_command->add_option("--back", replay.back, "so many steps back from there")
            ->type_name("N");
        replay_command
            ->add_option("--last-write", replay.last_write,
                         "who wrote it last before: %r5, %g12, %pred3, %ctpr1, 0x11210:4")
            ->type_name("WHAT");
        replay_command->add_flag("--check", replay.check,
                                 "go through all of it, and back to a hundred places");
        replay_command->add_flag("--interp", replay.interpreter,
                                 "repeat it in the reference interpreter");
    }

    void add_disasm() {
        disasm_command = app.add_subcommand("disasm", "print the code of a program file");
        set_usage(*disasm_command, "Usage: e2kwb disasm [OPTIONS] FILE");
        disasm_command->add_option("file", disasm.file, "ELF file for Elbrus")->required();
        disasm_command->add_option("--symbol", disasm.symbol, "only this function")
            ->type_name("NAME");
        disasm_command->add_flag("--raw", disasm.raw, "with the words of every bundle");
        disasm_command->add_option("--cpu", disasm_cpu, "processor (default: as the file says)")
            ->type_name("NAME");
    }

    void add_asm() {
        asm_command = app.add_subcommand("asm", "assemble a source file to a program");
        set_usage(*asm_command, "Usage: e2kwb asm [OPTIONS] FILE.s [-o FILE]");
        asm_command->add_option("file", assembly.file, "source (syntax of the E2K assembler)")
            ->required();
        asm_command
            ->add_option("-o,--output", assembly.output,
                         "program file to write (default: FILE), - for standard output")
            ->type_name("FILE");
        asm_command
            ->add_option("-a,--listing", assembly.listing,
                         "write addresses, words and source lines, - for standard output")
            ->type_name("FILE");
        asm_command->add_flag("--check", assembly.check,
                              "write no program; symbols of other files may be missing");
        asm_command->add_flag("--no-strict-delay", assembly.no_strict_delay,
                              "operations outside braces get no delays");
        asm_command->add_flag("--fatal-warnings", assembly.fatal_warnings,
                              "warnings count as errors");
        asm_command
            ->add_option("--cpu", asm_cpu,
                         "processor (default: `.cpu` of the source, or elbrus-v4)")
            ->type_name("NAME");
        add_link_options(*asm_command);
        asm_command->footer(
            "\nErrors are FILE:LINE:COLUMN: MESSAGE with the line itself, all of a file at once; "
            "the "
            "exit\ncode is 1 then. Examples with comments: the demo programs (e2kwb without a "
            "program).\nAlso taken: -mcpu=NAME, -mptr64, -no_strict_delay, -shared, -pie, -soname "
            "NAME,\n"
            "-rpath DIR, -dynamic-linker PATH, -Bsymbolic, -z now, -lNAME.\n"
            "With any of the options for linking, symbols that nothing defines come from shared\n"
            "objects: calls go through a procedure linkage table, objects are copied.");
    }

    void add_link_options(CLI::App& command) {
        const auto list = [&](const char* name, std::vector<std::string>& to, const char* what,
                              const char* type) {
            command.add_option(name, to, what)
                ->type_name(type)
                ->expected(1)
                ->allow_extra_args(false)  // the next word may be the source
                ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
                ->group("Linking");
        };
        const auto flag = [&](const char* name, bool& to, const char* what) {
            command.add_flag(name, to, what)->group("Linking");
        };
        const auto text = [&](const char* name, std::string& to, const char* what,
                              const char* type) {
            command.add_option(name, to, what)->type_name(type)->group("Linking");
        };
        flag("--dynamic", assembly.dynamic, "program at fixed addresses that uses shared objects");
        flag("--pie", assembly.pie, "such a program, position-independent");
        flag("--shared", assembly.shared, "shared object");
        list("-l,--library", assembly.libraries,
             "needs libNAME: its soname, if it is in a directory of -L", "NAME");
        list("--needed", assembly.needed, "needs the shared object of this name", "LIB");
        list("-L,--library-path", assembly.directories, "where libraries are", "DIR");
        text("--soname", assembly.soname, "name of the shared object for those that need it",
             "NAME");
        text("--rpath", assembly.runpath, "where the dynamic linker looks, too", "DIR");
        text("--dynamic-linker", assembly.interpreter,
             "who starts the program (default: /lib64/ld-linux.so.2)", "PATH");
        flag("--no-dynamic-linker", assembly.no_interpreter, "nobody: the program does it itself");
        flag("-E,--export-dynamic", assembly.export_all,
             "shared objects see the program's global symbols");
        flag("--bsymbolic", assembly.symbolic, "a shared object uses its own definitions");
        flag("--bind-now", assembly.bind_now, "nothing is bound at the first call only");
    }

    void add_isa() {
        isa_command = app.add_subcommand("isa", "describe operations, count what is built");
        set_usage(*isa_command, "Usage: e2kwb isa [OPTIONS] [NAME…]");
        isa_command->add_option("names", isa.names, "operations, e.g. addd fmul_adds");
        isa_command->add_flag("--coverage", isa.coverage,
                              "operations known, interpreted, emitted per family and version");
        isa_command->add_option("--cpu", isa_cpu, "only this processor's operations")
            ->type_name("NAME");
    }

    void add_vectors() {
        vectors_command = app.add_subcommand("vectors", "run decode and execute test vectors");
        set_usage(*vectors_command, "Usage: e2kwb vectors [OPTIONS] FILE…");
        vectors_command->add_option("files", vectors.files, "JSON Lines, plain or gzip")
            ->required();
        vectors_command->add_option("--tier", vectors.tier, "what executes: interp or jit")
            ->check(CLI::IsMember({"interp", "jit"}));
        vectors_command->add_option("--class", vectors.classes, "only records of this class")
            ->type_name("NAME")
            ->expected(1)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        vectors_command->add_option("--every", vectors.every, "run only each n-th record")
            ->type_name("N")
            ->check(CLI::PositiveNumber);
        vectors_command->add_option("--differences", vectors.differences, "how many to print")
            ->type_name("N");
        vectors_command->add_flag("--tags", vectors.tags, "model register tags in every class");
        vectors_command->footer(
            "\nPrints counts per class; the last line is \"N passed, N "
            "failed\", the exit code 1 if any failed.");
    }

    void add_bench() {
        bench_command = app.add_subcommand("bench", "measure programs, tier beside tier");
        set_usage(*bench_command, "Usage: e2kwb bench [OPTIONS] DIR|PROG…");
        bench_command->add_option("paths", bench.paths, "programs, directories of programs")
            ->required();
        bench_command
            ->add_option("--tier", bench.tiers,
                         "translated (the default) or interp; may be given several times")
            ->expected(1)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
            ->check(CLI::IsMember({"translated", "interp"}));
        bench_command
            ->add_option("--variant", bench.variants,
                         "one more column: 'NAME=options of e2kwb run'")
            ->type_name("TEXT")
            ->expected(1)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        bench_command
            ->add_option("--compare", bench.compare,
                         "directory of native builds: same name, or the same up to the first '_'")
            ->type_name("DIR");
        bench_command->add_option("--runs", bench.runs, "how often each (default 5)")
            ->type_name("N")
            ->check(CLI::PositiveNumber);
        bench_command->add_option("--timeout", bench.timeout, "seconds a run may take (600)")
            ->type_name("S")
            ->check(CLI::PositiveNumber);
        bench_command
            ->add_option("--figures", bench.figures,
                         "JSON file that says how to read figures from a program's output")
            ->type_name("FILE");
        bench_command->add_option("--json", bench.json, "write every sample there; - for here")
            ->type_name("FILE");
        bench_command->footer(
            "\nFor Dhrystone, Whetstone, Linpack, Livermore loops, memspeed and busspeed the "
            "figure\n"
            "is the program's own (of tables, the rows up to 512 KB); for others elapsed time.\n"
            "Ratios compare speed with the last column; above 1 is faster.");
    }

    void add_quality() {
        quality_command = app.add_subcommand(
            "quality", "run a program and rank its translated code by host instructions");
        set_usage(*quality_command, "Usage: e2kwb quality [OPTIONS] PROG [ARGS…]");
        add_program_options(*quality_command, quality_program);
        quality_command->remove_option(quality_command->get_option("--interp"));
        quality_command->add_option("--top", quality.top, "rows of each ranking (default 20)")
            ->type_name("N");
        quality_command
            ->add_option("--listings", quality.listings,
                         "print the host code of the N regions that waste most")
            ->type_name("N");
        quality_command->add_option("--json", quality.json, "write all of it there")
            ->type_name("FILE");
        quality_command->footer(
            "\nThe report goes to standard error. It weighs every bundle by its executions; the "
            "ideal\n"
            "is one host instruction a guest operation. Exits and stubs are not counted, nor is "
            "what\n"
            "called functions execute.");
    }

    void add_lesson() {
        lesson_command = app.add_subcommand("lesson", "play a lesson, or try lessons out");
        set_usage(*lesson_command, "Usage: e2kwb lesson FILE\n       e2kwb lesson --check FILE…");
        lesson_command->add_option("files", lesson.files, "lessons (assets/lessons)")->required();
        lesson_command->add_flag("--check", lesson.check,
                                 "play and answer every page without a window; say what is wrong, "
                                 "with line and hint");
        lesson_command->add_option("--lang", lesson.language, "language of all texts: en, ru")
            ->type_name("LANG")
            ->check(CLI::IsMember({"en", "ru"}));
        lesson_command->footer("\nassets/lessons/README.md tells how lessons are written.");
    }

    void add_cycles() {
        cycles_command =
            app.add_subcommand("cycles", "run a program and count cycles as a processor would");
        set_usage(*cycles_command, "Usage: e2kwb cycles [OPTIONS] PROG [ARGS…]");
        add_program_options(*cycles_command, cycles_program);
        cycles_command->remove_option(cycles_command->get_option("--interp"));
        cycles_command
            ->add_option("--model", cycles.model,
                         "processor: " + timing::processor_names() +
                             ", or a file like those in assets/processors")
            ->type_name("NAME");
        cycles_command->add_option("--top", cycles.top, "rows of the ranking (default 20)")
            ->type_name("N");
        cycles_command
            ->add_option("--clock-speed", cycles.clock_speed,
                         "let the program's clock run so many times as fast")
            ->type_name("N")
            ->check(CLI::Range(0.001, 1e6));
        cycles_command->add_option("--max", cycles.max_bundles, "stop after so many bundles")
            ->type_name("N");
        cycles_command
            ->add_option("--konata", cycles.konata, "write the last bundles as a log for Konata")
            ->type_name("FILE");
        cycles_command
            ->add_option("--chrome-trace", cycles.chrome_trace,
                         "write them for chrome://tracing and Perfetto")
            ->type_name("FILE");
        cycles_command
            ->add_option("--trace-bundles", cycles.trace_bundles,
                         "so many bundles are written at least (default 100000)")
            ->type_name("N");
        cycles_command->add_option("--json", cycles.json, "write all of it there")
            ->type_name("FILE");
        cycles_command->footer(
            "\nThe report goes to standard error. The program is interpreted, and its clock runs "
            "from the\n"
            "modelled cycles at the processor's frequency (unless --virtual-clock says otherwise): "
            "a\n"
            "benchmark prints what that machine would. With --clock-speed 100 one that runs until "
            "time\n"
            "has passed ends after a hundredth of it, and its figure is a hundredth too.");
    }

    void add_schedule() {
        schedule_command = app.add_subcommand(
            "schedule", "schedule a loop or block of a program anew for 1, 2, 4, 6 and all lanes");
        set_usage(*schedule_command, "Usage: e2kwb schedule [OPTIONS] --at PLACE PROG [ARGS…]");
        add_program_options(*schedule_command, schedule_program);
        schedule_command->remove_option(schedule_command->get_option("--interp"));
        schedule_command->add_option("--at", schedule.place, "a bundle of it: main+0x18, 0x10b70")
            ->type_name("PLACE")
            ->required();
        schedule_command->add_option("--model", schedule.model, "processor whose latencies count")
            ->type_name("NAME");
        schedule_command
            ->add_option("--max", schedule.max_bundles,
                         "execute so many bundles for the counts (default 50000000)")
            ->type_name("N");
        schedule_command->add_flag("--graph", schedule.graph,
                                   "also print every operation with its dependences");
        schedule_command->footer(
            "\nThe report goes to standard error. Registers are taken to be plenty and crossing "
            "between\n"
            "clusters to cost nothing; what overlaps iterations is taken as speculative.");
    }

    /// The command whose options the arguments begin with.
    CLI::App& command_of(const std::string& name) {
        for (CLI::App* command :
             {run_command, record_command, replay_command, trace_command, gdb_command,
              disasm_command, asm_command, isa_command, vectors_command, bench_command,
              quality_command, lesson_command, cycles_command, schedule_command})
            if (command->get_name() == name) return *command;
        return app;
    }

    template <class Options>
    static Invocation with_processor(const std::string& name, Options& options) {
        if (name.empty()) return options;
        auto processor = processor_by_name(name);
        if (!processor) return Message{processor.error() + "\n", kExitUsage};
        options.processor = *processor;
        return options;
    }

    Invocation result(const CLI::App& command, std::vector<std::string> argv) {
        if (&command == run_command) {
            const bool nothing = argv.empty();
            if (auto message = take_program(run_program, std::move(argv), run.program))
                return *message;
            if (run.program.log.help) return Message{log_help()};
            if (nothing) return missing_program("run");
            return run;
        }
        if (&command == record_command) {
            if (argv.empty()) return missing_program("record");
            if (auto message = take_program(record_program, std::move(argv), record.program))
                return *message;
            return record;
        }
        if (&command == replay_command) return replay;
        if (&command == trace_command) {
            if (argv.empty()) return missing_program("trace");
            if (auto message = take_program(trace_program, std::move(argv), trace.program))
                return *message;
            return trace;
        }
        if (&command == gdb_command) {
            // `gdb PORT PROG`, as other programs of its kind take it.
            if (argv.size() > 1 && gdb_command->count("--listen") == 0 &&
                argv.front().find_first_not_of("0123456789") == std::string::npos) {
                gdb.listen = argv.front();
                argv.erase(argv.begin());
            }
            if (argv.empty()) return missing_program("gdb");
            if (auto message = take_program(gdb_program, std::move(argv), gdb.program))
                return *message;
            return gdb;
        }
        if (&command == quality_command) {
            if (argv.empty()) return missing_program("quality");
            if (auto message = take_program(quality_program, std::move(argv), quality.program))
                return *message;
            return quality;
        }
        if (&command == cycles_command) {
            if (argv.empty()) return missing_program("cycles");
            if (auto message = take_program(cycles_program, std::move(argv), cycles.program))
                return *message;
            return cycles;
        }
        if (&command == schedule_command) {
            if (argv.empty()) return missing_program("schedule");
            if (auto message = take_program(schedule_program, std::move(argv), schedule.program))
                return *message;
            return schedule;
        }
        if (&command == disasm_command) return with_processor(disasm_cpu, disasm);
        if (&command == asm_command) return with_processor(asm_cpu, assembly);
        if (&command == isa_command) {
            if (isa.names.empty() && !isa.coverage) return Message{command.help(), kExitUsage};
            return with_processor(isa_cpu, isa);
        }
        if (&command == vectors_command) return vectors;
        if (&command == bench_command) return bench;
        if (&command == lesson_command) return lesson;
        if (auto message = take_program(window_program, std::move(argv), window.program))
            return *message;
        window.program.sandbox = !window.no_sandbox;
        return window;
    }
};

/// The options of the E2K assembler (assembly.md §1) as those of `e2kwb asm`.
tl::expected<std::vector<std::string>, std::string> without_assembler_options(
    const std::vector<std::string>& arguments) {
    constexpr std::string_view kCpu = "-mcpu=";
    struct Spelling {
        std::string_view linker, own;
    };
    static constexpr Spelling kLinker[] = {
        {"-shared", "--shared"},
        {"-pie", "--pie"},
        {"-soname", "--soname"},
        {"-rpath", "--rpath"},
        {"-dynamic-linker", "--dynamic-linker"},
        {"-Bsymbolic", "--bsymbolic"},
        {"-export-dynamic", "--export-dynamic"},
        {"-rdynamic", "--export-dynamic"},
    };
    std::vector<std::string> out;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& argument = arguments[i];
        const auto as_linker = std::ranges::find(kLinker, argument, &Spelling::linker);
        if (as_linker != std::end(kLinker))
            out.emplace_back(as_linker->own);
        else if (argument == "-z" && i + 1 < arguments.size() && arguments[i + 1] == "now")
            out.emplace_back("--bind-now"), ++i;
        else if (argument.starts_with(kCpu))
            out.push_back("--cpu=" + argument.substr(kCpu.size()));
        else if (argument == "-no_strict_delay")
            out.emplace_back("--no-strict-delay");
        else if (argument == "-mptr32" || argument == "-mptr128")
            return tl::unexpected(argument + ": only programs of the 64-bit mode can be written\n");
        else if (argument != "-mptr64")
            out.push_back(argument);
    }
    return out;
}

}  // namespace

Invocation parse_command_line(const std::vector<std::string>& arguments) {
    Grammar grammar;
    // The first word that is no option of the window is a command or the guest program.
    const std::size_t first = find_program(grammar.app, arguments, 0);
    CLI::App& command =
        first < arguments.size() ? grammar.command_of(arguments[first]) : grammar.app;
    const bool own_program =
        &command == &grammar.app || &command == grammar.run_command ||
        &command == grammar.record_command || &command == grammar.trace_command ||
        &command == grammar.gdb_command || &command == grammar.quality_command ||
        &command == grammar.cycles_command || &command == grammar.schedule_command;
    const std::size_t begin = &command == &grammar.app ? 0 : first + 1;
    const std::size_t program =
        own_program ? find_program(command, arguments, begin) : arguments.size();
    const auto at = [&](std::size_t i) {
        return arguments.begin() + static_cast<std::ptrdiff_t>(i);
    };
    std::vector<std::string> own(arguments.begin(), at(program));
    std::vector<std::string> argv(at(program), arguments.end());
    if (!argv.empty() && argv.front() == "--") argv.erase(argv.begin());
    if (&command == grammar.asm_command) {
        auto plain = without_assembler_options(own);
        if (!plain) return Message{plain.error(), kExitUsage};
        own = std::move(*plain);
    }
    try {
        std::ranges::reverse(own);  // CLI11 takes them from the back
        grammar.app.parse(std::move(own));
    } catch (const CLI::CallForVersion& e) {
        return Message{std::string(e.what()) + "\n"};
    } catch (const CLI::CallForHelp&) {
        return Message{command.help()};
    } catch (const CLI::ParseError& e) {
        const std::string name = &command == &grammar.app ? "e2kwb" : "e2kwb " + command.get_name();
        return Message{fmt::format("{}\n\"{} --help\" lists the options.\n", e.what(), name),
                       kExitUsage};
    }
    return grammar.result(command, std::move(argv));
}

}  // namespace e2k::app
