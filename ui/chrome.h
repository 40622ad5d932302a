// What the status line says about the program.
#pragma once

#include <string>

#include "ui/scene.h"

namespace e2k::ui {

/// "paused at main+0x18", "exited with code 0", …
std::string state_text(const Scene& scene);

}  // namespace e2k::ui
