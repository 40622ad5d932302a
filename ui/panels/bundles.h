// Bundles: the program as a list, one row a bundle, its operations by unit.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ui/bundle_cells.h"
#include "ui/panels/bundle_layout.h"
#include "ui/scene.h"

namespace e2k::ui {

/// A transfer inside the code in view, between rows.
struct Branch {
    std::size_t from = 0, to = 0;
    int depth = 0;             ///< column of the arrow, 0 = next to the addresses
    bool conditional = false;  ///< the transfer may fall through
    bool operator==(const Branch&) const = default;
};

struct BundlesState {
    enum class View : std::uint8_t { Grid, Text, Raw } view = View::Grid;
    bool follow = true;       ///< keep the current bundle in view
    bool show_source = true;  ///< lines and comments of the source beside the bundles
    char filter[128] = {};    ///< text of the go-to box
    bool open_go_to = false;  ///< request of the menu or Ctrl+G
    bool open_find = false;   ///< request of the menu or Ctrl+F

    // Find.
    bool finding = false;  ///< its line is open
    char sought[128] = {};
    std::string found_for;           ///< text and code that `found` is of
    std::vector<std::size_t> found;  ///< rows

    // Derived from the code in view; rebuilt when it changes.
    std::shared_ptr<const machine::CodeView> code;
    std::shared_ptr<const machine::SourceLines> source;
    std::vector<GridRow> rows;
    std::vector<std::string> comments;  ///< of each row, from the source; "" = none
    std::vector<Branch> branches;
    float rows_top = 0;       ///< y on the screen of the first row, scrolled away or not
    int arrow_depth = 0;      ///< columns that arrows take
    std::vector<float> tops;  ///< y of each row, one more for the end
    Arrangement arrangement;
    View laid_out = View::Grid;
    float laid_out_font = 0, laid_out_room = 0;
    bool laid_out_source = true;
    float source_left = 0;  ///< x in the row of the column with source lines; 0: above the bundles
    float text_left = 0;    ///< x in the row where operations begin
    float text_room = 0;    ///< pixels for them

    // Where the list stands, so that it does not jump when the code is replaced.
    std::uint64_t top_address = 0;  ///< first row in view
    float top_offset = 0;           ///< of the view below that row's top
    bool keep_top = false;          ///< to be restored
    std::uint64_t asked_more = 0;   ///< generation of the view at whose end more was asked for

    std::uint64_t last_ip = 0;     ///< current bundle when last scrolled to
    std::uint64_t scroll_to = 0;   ///< address to bring into view, 0 = none
    std::uint64_t asked_code = 0;  ///< address for which code was requested
    int scroll_frames = 0;         ///< frames left to apply `scroll_to` (layout settles late)
    int go_to_choice = 0;          ///< marked line of the go-to list
};

void draw_bundles(const Scene& scene, BundlesState& state, machine::CommandSink& sink);
/// "▶ ● 0x10b70 | addd dr1 0x8 → dr2 | … | nop 4 | comment", one line a bundle.
std::string bundles_text(const Scene& scene, const BundlesState& state);
/// Address of "0x10b70", "10b70", "main" or "main+0x18"; 0 if it means nothing.
std::uint64_t resolve_place(std::string_view text, const guest::SymbolTable* symbols);
/// What stands beside a bundle from its source; "" if nothing is known.
std::string source_comment(const machine::SourceLines* source, std::uint64_t address);
/// Rows whose label, address, operations or comment contain `text`, in any case.
std::vector<std::size_t> find_in_bundles(const std::vector<GridRow>& rows,
                                         const std::vector<std::string>& comments,
                                         std::string_view text);

}  // namespace e2k::ui
