// The command line of e2kwb, understood.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "app/commands.h"

namespace e2k::app {

/// Nothing to run: a text was asked for, or the line was not understood.
struct Message {
    std::string text;
    int exit_code = 0;  ///< 0: for standard output
};

using Invocation =
    std::variant<Message, WindowOptions, RunOptions, TraceCommandOptions, GdbOptions, RecordOptions,
                 ReplayOptions, DisasmOptions, AsmOptions, IsaOptions, VectorsOptions, BenchOptions,
                 QualityOptions, LessonOptions, CyclesOptions, ScheduleOptions>;

/// `arguments` without the program's own name. What follows the guest program's name belongs to
/// the guest and is never looked at.
Invocation parse_command_line(const std::vector<std::string>& arguments);

}  // namespace e2k::app
