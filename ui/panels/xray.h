// X-ray: the current bundle in three bands, read → execute → commit, with the values of this moment
// and what will become of them.
#pragma once

#include <string>
#include <vector>

#include "ui/scene.h"

namespace e2k::ui {

struct XrayState {
    enum class Phase : std::uint8_t { Read, Execute, Commit } phase = Phase::Commit;
    bool sequential = false;  ///< show what would be wrong if operations came one by one
};

/// One line of the panel. All of an operation stand together, in order of the bands.
struct XrayLine {
    enum class Band : std::uint8_t { Head, Guard, Read, Execute, Commit } band = Band::Head;
    enum class Look : std::uint8_t { Usual, Off, Changed, Wrong, Dim } look = Look::Usual;
    std::size_t operation = 0;
    std::string text;
    machine::XrayPlace place;  ///< read or written
    int crosses = -1;          ///< operation that writes what is read here
    std::uint64_t go_to = 0;   ///< where a click leads
};

/// What there is to see in the state's phase; empty without an x-ray.
std::vector<XrayLine> xray_lines(const Scene& scene, const XrayState& state);
/// The bundle before `address`, in the same procedure, that wrote predicate `index` last, as far
/// as the order of the code tells; 0: none.
std::uint64_t predicate_writer(const machine::CodeView* code, const guest::SymbolTable* symbols,
                               std::uint64_t address, unsigned index);

void draw_xray(const Scene& scene, XrayState& state, machine::CommandSink& sink);
std::string xray_text(const Scene& scene, const XrayState& state);

}  // namespace e2k::ui
