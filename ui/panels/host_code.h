// Host code: the region at the cursor, its bundles beside the x86-64 instructions made of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ui/ink.h"
#include "ui/panels/host_ledger.h"
#include "ui/scene.h"

namespace e2k::ui {

/// One instruction of a region, disassembled and coloured.
struct HostInstruction {
    std::uint32_t offset = 0;
    std::uint8_t length = 0;
    std::uint16_t bundle = 0;  ///< index into the region's bundles
    std::int8_t lane = -1;
    translate::Reason reason = translate::Reason::Semantics;
    struct Piece {
        enum class Kind : std::uint8_t { Mnemonic, Register, Number, Address, Other } kind;
        std::string text;
    };
    std::vector<Piece> pieces;
    std::string text() const;
};

/// Instructions of a region in address order. Bytes that are no instruction become "db" rows.
std::vector<HostInstruction> disassemble_region(const translate::RegionRecord& region);

/// One row of the panel: at most one guest line and one host instruction side by side.
struct HostRow {
    int bundle = -1;     ///< index into the region's bundles, -1 for none
    bool first = false;  ///< first row of a block
    int line = -1;       ///< of the bundle's main block, from 0; -1 in blocks of its exits
    std::string guest;   ///< disassembler line
    int guest_lane = -1;
    int instruction = -1;  ///< index into instructions
};

struct HostCodeState {
    std::shared_ptr<const translate::RegionRecord> region;
    std::shared_ptr<const machine::CodeView> code;
    std::vector<HostInstruction> instructions;
    std::vector<HostRow> rows;
    HostLedger ledger;
    std::uint64_t asked = 0;  ///< address last requested with ShowRegion
    std::uint64_t worst = 0;  ///< where "Worst bundle" went last
    bool show_bytes = false;
    bool expanded = false;  ///< the header shows everything
    int reason = -1;        ///< instructions of other reasons are dimmed; -1: none are
    int scroll_frames = 0;
};

std::vector<HostRow> host_rows(const translate::RegionRecord& region,
                               const std::vector<HostInstruction>& instructions,
                               const machine::CodeView* code);

void draw_host_code(const Scene& scene, HostCodeState& state, machine::CommandSink& sink);
std::string host_code_text(const Scene& scene, const HostCodeState& state);

}  // namespace e2k::ui
