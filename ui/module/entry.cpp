// The one function that the executable looks up in the window's module.
#include "ui/workbench.h"

extern "C" int e2kwb_run_workbench(const e2k::ui::WorkbenchOptions* options, std::string* error) {
    const auto code = e2k::ui::run_workbench(*options);
    if (code) return *code;
    *error = code.error();
    return -1;
}
