// What the caller of e2kwb handed over: noted first thing in main, before anything else is opened.
#pragma once

#include <vector>

namespace e2k::app {

struct Start {
    std::vector<int> descriptors;  ///< that were open, ascending
    bool ignores_sigpipe = false;  ///< the caller wants EPIPE instead of an end by SIGPIPE
};

/// Notes it, raises the limits the workbench needs raised (guest/limits.h), and fills what is
/// missing of descriptors 0, 1 and 2 with ones that can neither be read nor written, so that no
/// file of the workbench gets such a number and with it stray output.
void note_start();
const Start& start();

}  // namespace e2k::app
