#include "app/program_options.h"

#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "engine/isa/number.h"
#include "engine/machine/run_log.h"

namespace e2k::app {

namespace {

using Trouble = std::optional<std::string>;

constexpr std::uint64_t kLeastStack = 256u << 10, kMostStack = 1u << 30;

bool is_variable(std::string_view name) {
    return !name.empty() && name.find('=') == std::string_view::npos;
}

Trouble set_environment(ProgramOptions& to, const std::string& value) {
    const std::size_t equals = value.find('=');
    if (equals == std::string::npos || equals == 0) return fmt::format("-E {}: not VAR=VAL", value);
    to.set_variables.push_back(value);
    return std::nullopt;
}

Trouble unset_environment(ProgramOptions& to, const std::string& value) {
    if (!is_variable(value)) return fmt::format("-U {}: not the name of a variable", value);
    to.unset_variables.push_back(value);
    return std::nullopt;
}

Trouble set_argv0(ProgramOptions& to, const std::string& value) {
    to.argv0 = value;
    return std::nullopt;
}

Trouble set_release(ProgramOptions& to, const std::string& value) {
    constexpr std::size_t kMost = sizeof utsname::release - 1;
    if (value.empty() || value.size() > kMost)
        return fmt::format("-r {}: a kernel release has 1 to {} characters", value, kMost);
    to.kernel_release = value;
    return std::nullopt;
}

Trouble set_stack_size(ProgramOptions& to, const std::string& value) {
    std::string_view digits = value;
    std::uint64_t factor = 1;
    if (!digits.empty()) {
        const std::size_t unit = std::string_view("kKmMgG").find(digits.back());
        if (unit != std::string_view::npos) {
            factor = 1ull << (10 * (unit / 2 + 1));
            digits.remove_suffix(1);
        }
    }
    const auto size = isa::parse_number(digits);
    if (!size || *size > kMostStack / factor || *size * factor < kLeastStack)
        return fmt::format("-s {}: not a number of bytes (with k, M or G) from 256k to 1G", value);
    to.stack_size = *size * factor;
    return std::nullopt;
}

Trouble set_seed(ProgramOptions& to, const std::string& value) {
    const auto seed = isa::parse_number(value);
    if (!seed) return fmt::format("--seed {}: not a number", value);
    to.seed = *seed;
    return std::nullopt;
}

Trouble set_clock(ProgramOptions& to, const std::string& value) {
    const auto clock = cpu::ClockOptions::parse(value);
    if (!clock) return clock.error();
    to.clock = *clock;
    return std::nullopt;
}

Trouble set_log(ProgramOptions& to, const std::string& value) {
    if (value == "help") {
        to.log.help = true;
        return std::nullopt;
    }
    const auto items = machine::parse_log_items(value);
    if (!items) return items.error();
    to.log.items |= *items;
    return std::nullopt;
}

Trouble set_log_file(ProgramOptions& to, const std::string& value) {
    if (value.empty()) return "-D: the name of the file is empty";
    to.log.file = value;
    return std::nullopt;
}

Trouble set_log_range(ProgramOptions& to, const std::string& value) {
    const auto ranges = machine::parse_log_ranges(value);
    if (!ranges) return "--dfilter: " + ranges.error();
    to.log.ranges.insert(to.log.ranges.end(), ranges->begin(), ranges->end());
    return std::nullopt;
}

constexpr std::array kRows{
    ProgramOptionRow{"-E,--set-env", "E2KWB_SET_ENV", "VAR=VAL",
                     "set a variable of the program's environment (several: again)", Takes::Guest,
                     true, set_environment},
    ProgramOptionRow{"-U,--unset-env", "E2KWB_UNSET_ENV", "VAR",
                     "remove one from it, before -E sets any", Takes::Guest, true,
                     unset_environment},
    ProgramOptionRow{"-0,--argv0", "E2KWB_ARGV0", "ARGV0",
                     "what the program is told it was called (default: PROG)", Takes::Guest, false,
                     set_argv0},
    ProgramOptionRow{"-r,--uname", "E2KWB_UNAME", "RELEASE",
                     "kernel release that uname tells the program", Takes::Guest, false,
                     set_release},
    ProgramOptionRow{"-s,--stack-size", "E2KWB_STACK_SIZE", "BYTES",
                     "size of its stack, with k, M or G (default: ulimit -s)", Takes::Guest, false,
                     set_stack_size},
    ProgramOptionRow{"--seed", "E2KWB_SEED", "N",
                     "random bytes that follow from N: AT_RANDOM and getrandom", Takes::Guest,
                     false, set_seed},
    ProgramOptionRow{"--virtual-clock", "E2KWB_VIRTUAL_CLOCK", "RATE",
                     "every clock runs from the bundles executed, RATE of them a second (500000, "
                     "20k, 100M), or by a fixed step at each reading (step:11s); sleeping takes no "
                     "time",
                     Takes::Guest, false, set_clock},
    ProgramOptionRow{"-d,--log", "E2KWB_LOG", "ITEM[,…]",
                     "write down what happens; \"--log help\" lists the items", Takes::Run, true,
                     set_log},
    ProgramOptionRow{"-D,--log-file", "E2KWB_LOG_FILE", "FILE",
                     "the log goes there (%d: process number) and not to standard error",
                     Takes::Run, false, set_log_file},
    ProgramOptionRow{"--dfilter", "E2KWB_DFILTER", "RANGE[,…]",
                     "the log keeps to code in FIRST..LAST, START+LENGTH or END-LENGTH", Takes::Run,
                     true, set_log_range},
};

std::vector<std::string> list_of(std::string_view text) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        if (end > begin) parts.emplace_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

}  // namespace

std::span<const ProgramOptionRow> program_option_rows() { return kRows; }

void add_program_option_rows(CLI::App& command, bool run, GivenValues& given) {
    for (const ProgramOptionRow& row : kRows) {
        if (row.takes == Takes::Run && !run) continue;
        command
            .add_option(row.names, given[row.names],
                        fmt::format("{} [${}]", row.meaning, row.variable))
            ->type_name(row.value)
            ->expected(1)
            ->multi_option_policy(row.many ? CLI::MultiOptionPolicy::TakeAll
                                           : CLI::MultiOptionPolicy::TakeLast);
    }
}

std::optional<std::string> take_program_options(const GivenValues& given, bool run,
                                                ProgramOptions& to) {
    for (const ProgramOptionRow& row : kRows) {
        if (row.takes == Takes::Run && !run) continue;
        const auto found = given.find(row.names);
        std::vector<std::string> values;
        if (found != given.end()) values = found->second;
        const char* const variable = std::getenv(row.variable);
        const bool from_variable = values.empty() && variable && *variable;
        if (from_variable)
            values = row.many ? list_of(variable) : std::vector<std::string>{variable};
        for (const std::string& value : values) {
            auto trouble = row.set(to, value);
            if (trouble && from_variable) *trouble = fmt::format("${}: {}", row.variable, *trouble);
            if (trouble) return trouble;
        }
    }
    return std::nullopt;
}

std::string log_help() {
    std::string text = "Items of --log, with commas between them:\n";
    for (const machine::LogItemName& item : machine::kLogItems)
        text += fmt::format("  {:<9} {}\n", item.name, item.meaning);
    return text +
           "Each line begins with the item it belongs to. -D FILE writes them there, --dfilter "
           "RANGE keeps\nin_asm, op, out_asm, exec and cpu to a range of addresses.\n";
}

}  // namespace e2k::app
