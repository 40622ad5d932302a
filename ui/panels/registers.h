// Register windows: the registers of the current procedure and the window file they slide over.
#pragma once

#include <string>
#include <vector>

#include "ui/scene.h"

namespace e2k::ui {

enum class NumberView : std::uint8_t { Hex, Signed, Double };

struct RegistersState {
    NumberView view = NumberView::Hex;
    bool show_globals = true;
    bool show_state = true;
};

/// One register as the table shows it.
struct RegisterCell {
    std::string name;   ///< "r8", "g16"
    std::string alias;  ///< "b[0]" where the based area covers it
    std::string value;
    std::uint8_t stops = Changes::kOld;  ///< since the last change
    bool diagnostic = false;
    RegisterRef ref;

    std::string text() const;
};

std::string format_value(std::uint64_t value, NumberView view);
std::vector<RegisterCell> window_cells(const Scene& scene, NumberView view);
std::vector<RegisterCell> global_cells(const Scene& scene, NumberView view);
/// "ctpr1 → main+0x18 (disp)" and the loop, stack and status registers.
std::vector<std::string> state_lines(const Scene& scene);

/// Strip of the window file with its frames, and the wheel of the based area (window_strip.cpp).
/// Returns the height used.
float draw_window_strip(const Scene& scene);

void draw_registers(const Scene& scene, RegistersState& state, machine::CommandSink& sink);
std::string registers_text(const Scene& scene, const RegistersState& state);

}  // namespace e2k::ui
