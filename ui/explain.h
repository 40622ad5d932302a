// Words about the thing under the mouse: operations with this moment's values, registers, frames.
#pragma once

#include <string>

#include "ui/scene.h"

namespace e2k::ui {

/// Name, formula, operand values (when the bundle is the current one), latency, lanes, versions.
std::string explain_operation(const Scene& scene, const isa::Bundle& bundle, int channel);
/// The whole bundle: address, length, disassembly, raw words.
std::string explain_bundle(const Scene& scene, const machine::CodeView::Row& row);
/// Value of an operand in the current snapshot, e.g. "%dr8 = 0x10"; "" when it has none.
std::string operand_value(const Scene& scene, const isa::Operand& operand);
/// A window register in all views, its based names and window-file place.
std::string explain_window_register(const Scene& scene, unsigned index);

/// Register of %b[n] in the current window, -1 if outside.
int based_register(const machine::Snapshot& now, unsigned n);
/// n of the %b[n] that names window register `index` now, -1 if none.
int based_name(const machine::Snapshot& now, unsigned index);

/// Entries of the context menu of a bundle, the same in every panel. Call inside BeginPopup.
void bundle_menu(const Scene& scene, std::uint64_t address, machine::CommandSink& sink);
bool has_breakpoint(const machine::Snapshot& now, std::uint64_t address);

}  // namespace e2k::ui
