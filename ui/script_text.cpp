#include "ui/script_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "engine/isa/printable.h"
#include "ui/actions.h"
#include "ui/panels/panel.h"

namespace e2k::ui {

namespace {

constexpr std::uint64_t kMaxFrames = 1'000'000;
constexpr double kMaxTimeout = 24 * 3600;
constexpr float kMaxPixel = 32768;

/// What stands behind a verb.
enum class Operand : std::uint8_t {
    None,
    Text,
    Frames,
    Count,
    Condition,
    Keys,
    Place,
    Mouse,
    Panel
};

struct VerbRow {
    std::string_view name;
    ScriptVerb verb;
    Operand operand;
};

constexpr VerbRow kVerbs[] = {
    {"wait", ScriptVerb::Wait, Operand::Condition},
    {"frames", ScriptVerb::Frames, Operand::Frames},
    {"key", ScriptVerb::Key, Operand::Keys},
    {"mouse", ScriptVerb::Mouse, Operand::Mouse},
    {"type", ScriptVerb::Type, Operand::Text},
    {"open", ScriptVerb::Open, Operand::Text},
    {"run", ScriptVerb::Run, Operand::None},
    {"pause", ScriptVerb::Pause, Operand::None},
    {"step", ScriptVerb::Step, Operand::Count},
    {"over", ScriptVerb::Over, Operand::None},
    {"out", ScriptVerb::Out, Operand::None},
    {"restart", ScriptVerb::Restart, Operand::None},
    {"break", ScriptVerb::Break, Operand::Place},
    {"run-to", ScriptVerb::RunTo, Operand::Place},
    {"goto", ScriptVerb::GoTo, Operand::Place},
    {"input", ScriptVerb::Input, Operand::Text},
    {"clock", ScriptVerb::Clock, Operand::Text},
    {"layout", ScriptVerb::Layout, Operand::Text},
    {"show", ScriptVerb::Show, Operand::Panel},
    {"dump", ScriptVerb::Dump, Operand::Panel},
    {"drawn", ScriptVerb::Drawn, Operand::Panel},
    {"screenshot", ScriptVerb::Screenshot, Operand::Text},
    {"quit", ScriptVerb::Quit, Operand::None},
};

constexpr std::array<std::string_view, 7> kConditions = {"stopped", "paused", "running", "exited",
                                                         "program", "region", "output"};

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\v\f";
    const std::size_t first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// Takes the first word off `text`, and the blanks before the next one.
std::string_view take_word(std::string_view& text) {
    constexpr std::string_view kBlank = " \t";
    const std::size_t end = std::min(text.find_first_of(kBlank), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(text.find_first_not_of(kBlank, end), text.size()));
    return word;
}

template <class T>
std::optional<T> number(std::string_view word, T least, T most) {
    T value{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
    if (!(value >= least && value <= most)) return std::nullopt;  // NaN too
    return value;
}

/// What is wrong with the operand, "" if nothing.
std::string read_condition(ScriptCommand& command) {
    std::string_view rest = command.argument;
    const std::string_view condition = take_word(rest);
    if (std::ranges::find(kConditions, condition) == kConditions.end())
        return fmt::format("wait for {}?", fmt::join(kConditions, ", "));
    if (!rest.empty()) {
        const auto timeout = number<double>(rest, 0, kMaxTimeout);
        if (!timeout) return "no such time in seconds";
        command.timeout = *timeout;
    }
    command.argument = condition;
    return {};
}

std::string read_mouse(ScriptCommand& command) {
    std::string_view rest = command.argument;
    const auto x = number<float>(take_word(rest), -kMaxPixel, kMaxPixel);
    const auto y = number<float>(take_word(rest), -kMaxPixel, kMaxPixel);
    if (!x || !y) return "no such position (X Y [left|right])";
    if (!rest.empty() && rest != "left" && rest != "right") return "no such button";
    command.mouse = {*x, *y, rest == "left", rest == "right"};
    return {};
}

std::string read_operand(ScriptCommand& command, Operand operand) {
    switch (operand) {
        case Operand::None:
            return command.argument.empty() ? "" : "takes nothing, not";
        case Operand::Text:
        case Operand::Place:
            return {};
        case Operand::Frames:
        case Operand::Count: {
            if (operand == Operand::Count && command.argument.empty()) return {};
            const std::uint64_t most = operand == Operand::Frames ? kMaxFrames : ~0ull;
            const auto count = number<std::uint64_t>(command.argument, 1, most);
            if (!count) return "no such number";
            command.count = *count;
            return {};
        }
        case Operand::Condition:
            return read_condition(command);
        case Operand::Keys: {
            ScriptKey& k = command.key;
            return parse_keys(command.argument, k.key, k.ctrl, k.shift, k.alt) ? "" : "no such key";
        }
        case Operand::Mouse:
            return read_mouse(command);
        case Operand::Panel:
            command.panel = panel_by_name(command.argument);
            return command.panel ? "" : "no such panel";
    }
    return {};
}

tl::expected<ScriptCommand, std::string> parse_line(std::string_view line) {
    ScriptCommand command;
    command.line = isa::printable(line);
    std::string_view rest = line;
    const std::string_view name = take_word(rest);
    const auto row = std::ranges::find(kVerbs, name, &VerbRow::name);
    if (row == std::end(kVerbs))
        return tl::unexpected(fmt::format("script: unknown command \"{}\"", command.line));
    command.verb = row->verb;
    command.argument = row->operand == Operand::Text ? rest : trimmed(rest);
    if (const std::string wrong = read_operand(command, row->operand); !wrong.empty())
        return tl::unexpected(fmt::format("script: \"{}\": {} \"{}\"", command.line, wrong,
                                          isa::printable(command.argument)));
    return command;
}

}  // namespace

tl::expected<std::vector<ScriptCommand>, std::string> parse_script(std::string_view text) {
    std::vector<ScriptCommand> commands;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty() || line[0] == '#') continue;
        auto command = parse_line(line);
        if (!command) return tl::unexpected(command.error());
        commands.push_back(std::move(*command));
    }
    return commands;
}

}  // namespace e2k::ui
