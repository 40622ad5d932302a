// What steers the program: predicates, prepared transfers, the loop, the array access unit.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ui/scene.h"

namespace e2k::ui {

struct StateState {};

/// A CTPR in words: "%ctpr1  label loop  ready".
struct CtprLine {
    std::string name, text;
    std::uint64_t target = 0;   ///< 0: none that can be shown
    std::optional<int> cycles;  ///< until a transfer can use it; as far as the code above tells
};
CtprLine ctpr_line(const Scene& scene, unsigned index);

/// Phase of a software-pipelined loop.
enum class LoopPhase : std::uint8_t { None, Prologue, Kernel, Epilogue };
LoopPhase loop_phase(const cpu::LoopState& lsr);
std::string loop_line(const Scene& scene);

/// "@p4 = ~@p0 & ~@p1 = 1" for the predicate unit of the current bundle, before it executes.
std::vector<std::string> local_predicates(const Scene& scene);
/// A line for each area of the array access unit in use, and what takes elements from it here.
std::vector<std::string> array_lines(const Scene& scene);

void draw_state(const Scene& scene, StateState& state, machine::CommandSink& sink);
std::string state_text(const Scene& scene, const StateState& state);

}  // namespace e2k::ui
