#include "ui/panels/memory.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "ui/format.h"
#include "ui/ink.h"
#include "ui/panels/bundles.h"
#include "ui/text.h"

namespace e2k::ui {

namespace {

using machine::MemoryBlock;

constexpr std::uint64_t kRowBytes = 16;
constexpr std::uint64_t kMargin = 8;         ///< rows read above and below those in view
constexpr std::uint64_t kFollowContext = 2;  ///< rows shown above the register's target
constexpr float kWheelRows = 3;

/// "%r5" or "r5", "%g3" or "g3".
RegisterRef parse_register(std::string_view text) {
    if (text.starts_with('%')) text.remove_prefix(1);
    if (text.starts_with('d')) text.remove_prefix(1);
    if (text.size() < 2) return {};
    const char file = text[0];
    unsigned index = 0;
    const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), index);
    if (error != std::errc() || end != text.data() + text.size() || index > 223) return {};
    if (file == 'r') return {RegisterRef::Kind::Window, static_cast<std::uint16_t>(index)};
    if (file == 'g' && index < 32)
        return {RegisterRef::Kind::Global, static_cast<std::uint16_t>(index)};
    return {};
}

std::string register_name(const RegisterRef& reg) {
    return fmt::format("%d{}{}", reg.kind == RegisterRef::Kind::Global ? "g" : "r", reg.index);
}

bool follows(const MemoryState& state) { return state.follow.kind != RegisterRef::Kind::None; }

const guest::Region* region_of(const machine::Snapshot& now, std::uint64_t address) {
    for (const guest::Region& region : now.regions)
        if (address >= region.begin && address < region.end) return &region;
    return nullptr;
}

std::string region_text(const guest::Region& region) {
    return fmt::format("{:#x}–{:#x} {}{}{} {} {}", region.begin, region.end,
                       region.prot & 1 ? 'r' : '-', region.prot & 2 ? 'w' : '-',
                       region.prot & 4 ? 'x' : '-', byte_size(region.end - region.begin),
                       region.name);
}

/// Index into the block, or nothing.
const std::uint8_t* byte_at(const MemoryBlock* block, std::uint64_t address) {
    if (!block || address < block->address) return nullptr;
    const std::uint64_t at = address - block->address;
    return at < block->bytes.size() && block->readable[at] ? &block->bytes[at] : nullptr;
}

char printable(std::uint8_t byte) {
    return byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '.';
}

void show(MemoryState& state, std::uint64_t address) {
    state.marked = address;
    const std::uint64_t above = kFollowContext * kRowBytes;
    address &= ~(kRowBytes - 1);
    state.address = address > above ? address - above : kRowBytes;
}

void go_to_text(const Scene& scene, MemoryState& state) {
    state.error.clear();
    const RegisterRef reg = parse_register(state.place);
    const std::uint64_t address = memory_place(scene.now, state.place);
    if (reg.kind != RegisterRef::Kind::None) {
        state.follow = reg;
        if (address) show(state, address);
    } else if (address) {
        state.follow = {};
        show(state, address);
    } else {
        state.error = trf("\"{}\" is no address, symbol or register", std::string(state.place));
    }
}

// --- drawing ---

void draw_regions(const Scene& scene, MemoryState& state) {
    const guest::Region* here = region_of(scene.now, state.marked ? state.marked : state.address);
    const std::string label =
        here ? here->name.empty() ? hex(here->begin) : here->name : tr("regions");
    ImGui::SetNextItemWidth(-FLT_MIN);
    if (!ImGui::BeginCombo("##regions", label.c_str(), ImGuiComboFlags_HeightLarge)) return;
    for (const guest::Region& region : scene.now.regions) {
        ImGui::PushID(reinterpret_cast<const void*>(static_cast<std::uintptr_t>(region.begin)));
        if (ImGui::Selectable(region_text(region).c_str(), &region == here)) {
            state.follow = {};
            show(state, region.begin);
        }
        ImGui::PopID();
    }
    ImGui::EndCombo();
}

void draw_tools(const Scene& scene, MemoryState& state) {
    const Theme& theme = scene.theme;
    ImGui::SetNextItemWidth(std::min(theme.px(200), ImGui::GetContentRegionAvail().x * 0.4f));
    if (ImGui::InputTextWithHint("##place", tr("address, symbol, %r5, sp"), state.place,
                                 sizeof state.place, ImGuiInputTextFlags_EnterReturnsTrue))
        go_to_text(scene, state);
    ImGui::SameLine();
    const RegisterRef& picked = scene.selection.reg;
    const bool usable =
        picked.kind == RegisterRef::Kind::Window || picked.kind == RegisterRef::Kind::Global;
    bool follow = follows(state);
    const std::string label = follow   ? trf("follows {}", register_name(state.follow))
                              : usable ? trf("follow {}", register_name(picked))
                                       : std::string(tr("follow"));
    ImGui::BeginDisabled(!follow && !usable);
    if (ImGui::Checkbox((label + "###follow").c_str(), &follow)) {
        state.follow = follow ? picked : RegisterRef{};
        if (follow) show(state, register_value(scene.now, picked));
    }
    ImGui::EndDisabled();
    if (ImGui::IsItemHovered(ImGuiHoveredFlags_AllowWhenDisabled))
        tool_tip(theme,
                 tr("Show the memory a register points to, at every stop. Select a register in "
                    "the register panel, or type its name at the left."));
    ImGui::SameLine();
    draw_regions(scene, state);
    if (!state.error.empty())
        ImGui::TextColored(ImGui::ColorConvertU32ToFloat4(theme.error), "%s", state.error.c_str());
}

void draw_row(const Scene& scene, const MemoryState& state, Ink& ink, std::uint64_t address,
              ImVec2 at, float digits) {
    const Theme& theme = scene.theme;
    const float cell = theme.cell();
    ink.text(at, theme.address, hex(address) + " ");
    float x = at.x + (digits + 1) * cell;
    std::string text;
    for (std::uint64_t i = 0; i < kRowBytes; ++i) {
        if (i == kRowBytes / 2) x += cell;
        const std::uint8_t* byte = byte_at(state.block.get(), address + i);
        const bool changed = changed_byte(state, address + i);
        const ImVec2 a{x - cell * 0.25f, at.y}, b{x + cell * 2.25f, at.y + theme.row() - 1};
        if (address + i == state.marked && state.marked) ink.frame(a, b, theme.selection);
        if (changed) {
            ink.fill(a, b, mix(theme.panel, theme.current, 0.25f));
            ink.line({a.x, b.y - 1}, {b.x, b.y - 1}, theme.current);
        }
        const ImU32 colour = !byte        ? theme.line
                             : changed    ? theme.changed
                             : *byte == 0 ? with_alpha(theme.dim, 0.55f)
                                          : theme.text;
        ink.text({x, at.y}, colour, byte ? fmt::format("{:02x} ", *byte) : "·· ");
        text += byte ? printable(*byte) : ' ';
        x += cell * 3;
    }
    ink.text({x + cell, at.y}, theme.dim, text);
    ink.end_row();
}

void draw_rows(const Scene& scene, MemoryState& state) {
    const Theme& theme = scene.theme;
    ImGui::BeginChild("bytes", {0, 0}, false,
                      ImGuiWindowFlags_NoScrollWithMouse | ImGuiWindowFlags_HorizontalScrollbar |
                          ImGuiWindowFlags_NoBackground);
    const float wheel = ImGui::IsWindowHovered() ? ImGui::GetIO().MouseWheel : 0;
    if (wheel != 0) {
        state.follow = {};
        const auto rows = static_cast<std::int64_t>(std::lround(-wheel * kWheelRows));
        const std::uint64_t moved =
            state.address + static_cast<std::uint64_t>(rows * static_cast<std::int64_t>(kRowBytes));
        if (rows > 0 || state.address > static_cast<std::uint64_t>(-rows) * kRowBytes)
            state.address = moved;
    }
    Ink ink(scene);
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const auto rows =
        static_cast<std::uint64_t>(std::max(1.0f, ImGui::GetContentRegionAvail().y / theme.row()));
    const std::uint64_t last = state.address + (rows - 1) * kRowBytes;
    const auto digits = static_cast<float>(hex(last).size());
    for (std::uint64_t i = 0; i < rows; ++i)
        draw_row(scene, state, ink, state.address + i * kRowBytes,
                 {origin.x, origin.y + static_cast<float>(i) * theme.row()}, digits);
    ImGui::Dummy({theme.cell() * (digits + 3 * kRowBytes + kRowBytes + 4), theme.row()});
    ImGui::EndChild();
}

/// Bytes to have: what is in view and some rows around, so that the wheel finds them there.
void ask(const Scene& scene, MemoryState& state, float height, machine::CommandSink& sink) {
    const auto rows = static_cast<std::uint64_t>(height / scene.theme.row()) + 1;
    const std::uint64_t margin = kMargin * kRowBytes;
    const std::uint64_t begin = state.address > margin ? state.address - margin : 0;
    const std::uint64_t end = state.address + (rows + kMargin) * kRowBytes;
    const std::uint64_t have = state.asked_address + state.asked_size;
    const bool enough = state.asked_size != 0 && state.address >= state.asked_address &&
                        state.address + rows * kRowBytes <= have;
    if (enough) return;
    state.asked_address = begin;
    state.asked_size = static_cast<std::uint32_t>(end - begin);
    sink.send(machine::ReadMemory{state.asked_address, state.asked_size});
}

}  // namespace

std::uint64_t register_value(const machine::Snapshot& now, const RegisterRef& reg) {
    if (reg.kind == RegisterRef::Kind::Window)
        return reg.index < now.window.size() ? now.window[reg.index].lo : 0;
    if (reg.kind == RegisterRef::Kind::Global) return now.globals[reg.index & 31].lo;
    return 0;
}

std::uint64_t memory_place(const machine::Snapshot& now, std::string_view text) {
    const RegisterRef reg = parse_register(text);
    if (reg.kind != RegisterRef::Kind::None) return register_value(now, reg);
    if (text == "sp" || text == "%sp") return now.stack_pointer;
    return resolve_place(text, now.symbols.get());
}

void take_block(const machine::Snapshot& now, MemoryState& state) {
    if (now.live || state.block == now.memory) return;
    // The same stop seen through another range changes nothing.
    if (state.stop_bundles != now.counters.bundles) state.before = state.block;
    if (now.counters.bundles < state.stop_bundles) state.before.reset();
    state.stop_bundles = now.counters.bundles;
    state.block = now.memory;
}

bool changed_byte(const MemoryState& state, std::uint64_t address) {
    const std::uint8_t* now = byte_at(state.block.get(), address);
    const std::uint8_t* was = byte_at(state.before.get(), address);
    return now && was && *now != *was;
}

void draw_memory(const Scene& scene, MemoryState& state, machine::CommandSink& sink) {
    take_block(scene.now, state);
    if (state.address == 0 && scene.now.stack_pointer) {
        show(state, scene.now.stack_pointer);
        state.marked = 0;
    }
    if (follows(state) && !scene.running()) {
        const std::uint64_t target = register_value(scene.now, state.follow);
        if (target && target != state.marked) show(state, target);
    }
    draw_tools(scene, state);
    if (state.address == 0) {
        empty_state(scene, tr("No memory to show yet"),
                    tr("Name an address above, or pause the program."));
        return;
    }
    ask(scene, state, ImGui::GetContentRegionAvail().y, sink);
    if (scene.running()) {
        Ink ink(scene);
        const ImVec2 at = ImGui::GetCursorScreenPos();
        ink.text(at, scene.theme.dim, tr("as of the last stop; pause to read again"),
                 Weight::Prose);
        ink.end_row();
        ImGui::Dummy({1, scene.theme.row()});
    }
    draw_rows(scene, state);
}

std::string memory_text(const Scene& scene, const MemoryState& state) {
    std::string out;
    const MemoryBlock* block = scene.now.memory.get();
    if (!block) return out;
    for (std::uint64_t at = 0; at < block->bytes.size(); at += kRowBytes) {
        const std::uint64_t address = block->address + at;
        if (address < state.address) continue;
        std::string bytes, text;
        for (std::uint64_t i = 0; i < kRowBytes && at + i < block->bytes.size(); ++i) {
            const std::uint8_t* byte = byte_at(block, address + i);
            bytes += byte ? fmt::format("{:02x}", *byte) : "··";
            bytes += changed_byte(state, address + i) ? "*" : " ";
            text += byte ? printable(*byte) : ' ';
        }
        out += fmt::format("{} {} {}\n", hex(address), bytes, text);
    }
    return out;
}

}  // namespace e2k::ui
