// What the engine says in English (why a program stopped, what a command met), in the language of
// the window.
#pragma once

#include <string>
#include <string_view>

namespace e2k::ui {

/// `text` in the language chosen, as far as it is known: names, numbers and places in it stay.
std::string engine_text(std::string_view text);

}  // namespace e2k::ui
