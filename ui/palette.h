// The command palette: every action, panel, place of the program and demo under one line of text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ui/actions.h"
#include "ui/panel_names.h"
#include "ui/theme.h"

namespace e2k::guest {
class SymbolTable;
}

namespace e2k::ui {

struct PaletteChoice {
    enum class Kind : std::uint8_t { Action, Panel, Place, Program } kind = Kind::Action;
    Action action = Action::Open;
    PanelId panel = PanelId::Bundles;
    std::uint64_t address = 0;
    std::string path;
};

struct PaletteEntry {
    std::string title, detail;
    PaletteChoice choice;
};

/// What can be chosen whatever the query: actions, panels, programs.
std::vector<PaletteEntry> palette_entries(const std::vector<std::string>& demos,
                                          const std::vector<std::string>& recent);
/// Those in which every word of `query` occurs, titles that begin with it first; then functions of
/// the program and the address that it may be. At most `most`.
std::vector<PaletteEntry> palette_matches(std::string_view query,
                                          const std::vector<PaletteEntry>& entries,
                                          const guest::SymbolTable* symbols, std::size_t most);

class Palette {
public:
    void open() { asked_ = true; }
    bool is_open() const { return open_ || asked_; }
    /// The list under its line of text; what was chosen in this frame.
    std::optional<PaletteChoice> draw(const Theme& theme, const std::vector<std::string>& demos,
                                      const std::vector<std::string>& recent,
                                      const guest::SymbolTable* symbols);

private:
    bool asked_ = false, open_ = false;
    char query_[128] = {};
    int marked_ = 0;
    std::vector<PaletteEntry> entries_;
};

}  // namespace e2k::ui
