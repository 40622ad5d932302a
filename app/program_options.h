// Options of the commands that run a guest: one row each, on the command line and in the
// environment.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/commands.h"

namespace CLI {
class App;
}

namespace e2k::app {

/// Which commands take an option.
enum class Takes : std::uint8_t {
    Guest,  ///< all that run a guest
    Run,    ///< `run` alone
};

struct ProgramOptionRow {
    const char* names;     ///< "-E,--set-env"
    const char* variable;  ///< of the environment, used when the option is not given
    const char* value;     ///< what follows it, for the help text: "VAR=VAL"
    const char* meaning;
    Takes takes;
    bool many;  ///< may be given several times; the variable holds a list with commas
    /// Takes one value over. Otherwise what is wrong with it.
    std::optional<std::string> (*set)(ProgramOptions& to, const std::string& value);
};

/// All of them, in the order of the help texts.
std::span<const ProgramOptionRow> program_option_rows();

/// Values given on the command line, by ProgramOptionRow::names.
using GivenValues = std::map<std::string, std::vector<std::string>>;

/// Adds the rows to a command; `run`: the one that takes all of them.
void add_program_option_rows(CLI::App& command, bool run, GivenValues& given);

/// Takes over what was given, and from the environment what was not. Otherwise what is wrong.
std::optional<std::string> take_program_options(const GivenValues& given, bool run,
                                                ProgramOptions& to);

/// What `--log help` prints.
std::string log_help();

}  // namespace e2k::app
