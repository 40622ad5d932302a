#include <cstdlib>
#include <string_view>

#include <fmt/format.h>

#include "tests/fuzz/targets.h"
#include "ui/script_text.h"
#include "ui/settings.h"

namespace e2k::fuzz {

namespace {

std::string_view text_of(Bytes input) {
    return {reinterpret_cast<const char*>(input.data()), input.size()};
}

void check(bool holds, std::string_view what) {
    if (holds) return;
    fmt::print(stderr, "does not hold: {}\n", what);
    std::abort();
}

}  // namespace

void settings(Bytes input) {
    const ui::Settings read = ui::parse_settings(text_of(input));
    check(read.width >= 640 && read.height >= 400, "a window has a size");
    const std::string text = ui::settings_text(read);
    check(ui::settings_text(ui::parse_settings(text)) == text, "settings survive writing");
}

void script(Bytes input) {
    const auto commands = ui::parse_script(text_of(input));
    if (!commands) return check(commands.error().starts_with("script: "), "an error says whose");
    for (const ui::ScriptCommand& command : *commands) {
        check(!command.line.empty(), "a command has a line");
        check(command.count >= 1 && command.timeout >= 0, "numbers are in range");
    }
}

}  // namespace e2k::fuzz
