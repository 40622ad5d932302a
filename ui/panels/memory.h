// Memory: bytes of the guest as they were at the last stop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ui/scene.h"

namespace e2k::ui {

struct MemoryState {
    char place[128] = {};       ///< text of the address box
    std::string error;          ///< why the text means nothing
    std::uint64_t address = 0;  ///< first byte shown, multiple of 16; 0 = the stack at first
    std::uint64_t marked = 0;   ///< byte the user asked for, 0 = none
    RegisterRef follow;         ///< the view moves with this register; None = it stays

    // What was asked of the machine, and what came.
    std::uint64_t asked_address = 0;
    std::uint32_t asked_size = 0;
    std::shared_ptr<const machine::MemoryBlock> block;
    std::shared_ptr<const machine::MemoryBlock> before;  ///< as of the stop before
    std::uint64_t stop_bundles = ~0ull;                  ///< bundle counter when `block` came
};

/// Address of "0x10b70", "main+8", "%r5", "%g3" or "sp"; 0 if it means nothing.
std::uint64_t memory_place(const machine::Snapshot& now, std::string_view text);
/// Value of a window or global register; 0 if it is not there now.
std::uint64_t register_value(const machine::Snapshot& now, const RegisterRef& reg);
/// Takes over the snapshot's block; remembers the one of the stop before.
void take_block(const machine::Snapshot& now, MemoryState& state);
/// True if the byte at `address` differs from what it was at the stop before.
bool changed_byte(const MemoryState& state, std::uint64_t address);

void draw_memory(const Scene& scene, MemoryState& state, machine::CommandSink& sink);
/// "0x11728  c5 c2 00 1c …  |....|", changed bytes followed by "*", unreadable ones "··".
std::string memory_text(const Scene& scene, const MemoryState& state);

}  // namespace e2k::ui
