// A display for window tests: the one in the environment, or an Xvfb of our own.
#pragma once

#include <string>

namespace e2k::test {

/// Starts Xvfb once per process if there is no display. Empty if a display is there, else why not.
std::string need_display();

}  // namespace e2k::test
