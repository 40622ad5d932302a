// Small lists: call stack and breakpoints.
#pragma once

#include <string>

#include "ui/scene.h"

namespace e2k::ui {

struct CallStackState {};
struct BreakpointsState {
    char place[128] = {};
    std::string error;
};

void draw_call_stack(const Scene& scene, CallStackState& state, machine::CommandSink& sink);
std::string call_stack_text(const Scene& scene, const CallStackState& state);

void draw_breakpoints(const Scene& scene, BreakpointsState& state, machine::CommandSink& sink);
std::string breakpoints_text(const Scene& scene, const BreakpointsState& state);

}  // namespace e2k::ui
