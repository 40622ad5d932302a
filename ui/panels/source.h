// The program's assembler source, to be changed: errors as they are typed, breakpoints and the
// current line in the gutter, and what a change changed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/isa/assembler/assembler.h"
#include "ui/scene.h"

namespace e2k::ui {

/// How a run of the program ended.
struct RunNote {
    std::uint64_t bundles = 0, operations = 0;
    machine::RunState state = machine::RunState::Exited;
    int exit = 0;
    std::string output;
    std::vector<std::uint64_t> window;  ///< %r0 … of the last procedure
};

/// The differences, a line each; "nothing" has no lines.
std::vector<std::string> run_changes(const RunNote& before, const RunNote& after);

struct SourceState {
    enum class Asked : std::uint8_t { None, Assemble, Save, SaveAs };

    std::string path;     ///< of the source; empty: the program has none
    std::string program;  ///< what runs of it: `path`, or a copy of what stands here
    std::string text, saved;
    isa::AssemblyErrors errors;  ///< of `text`, warnings too
    bool edited = false;         ///< since it was last assembled
    bool drawn = false, focused = false;
    // Find, and what is to be selected in the next frame
    bool finding = false, open_find = false;
    char find[96] = {};
    int select_from = -1, select_to = -1;
    int cursor = 0;
    char save_as[512] = {};
    Asked asked = Asked::None;
    std::map<std::string, std::string> drafts;  ///< what was not saved of other sources, by path
    // Runs
    bool noted = false;
    std::optional<RunNote> before, last;

    bool changed() const { return text != saved; }
};

void draw_source(const Scene& scene, SourceState& state, machine::CommandSink& sink);
/// "12 ▶● text", errors below their lines, then what changed.
std::string source_text(const Scene& scene, const SourceState& state);

/// Addresses of the program at which lines of the source begin, by line from 1; 0: none.
std::vector<std::uint64_t> line_addresses(const SourceState& state, const Scene& scene,
                                          std::size_t lines);

}  // namespace e2k::ui
