// Console: what the guest prints, and its standard input.
#pragma once

#include <string>

#include "ui/scene.h"

namespace e2k::ui {

struct ConsoleState {
    char input[1024] = {};
    bool follow = true;
    bool end_of_file = false;  ///< sent to the guest
    bool focus = false;        ///< give the input line the keyboard
    std::string echo;          ///< typed text to be shown; taken over by the application
};

void draw_console(const Scene& scene, ConsoleState& state, machine::CommandSink& sink);
std::string console_text(const Scene& scene, const ConsoleState& state);

}  // namespace e2k::ui
