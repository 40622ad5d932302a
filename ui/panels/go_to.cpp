#include "ui/panels/go_to.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "ui/format.h"
#include "ui/ink.h"
#include "ui/text.h"

namespace e2k::ui {

namespace {

constexpr std::size_t kMaxMatches = 12;

bool contains_ignoring_case(std::string_view text, std::string_view what) {
    return std::search(text.begin(), text.end(), what.begin(), what.end(), [](char a, char b) {
               return std::tolower(static_cast<unsigned char>(a)) ==
                      std::tolower(static_cast<unsigned char>(b));
           }) != text.end();
}

/// Functions whose name contains the text; names that begin with it come first.
std::vector<const guest::Symbol*> matches(const guest::SymbolTable& symbols,
                                          std::string_view text) {
    std::vector<const guest::Symbol*> found;
    for (const bool prefix : {true, false}) {
        for (const guest::Symbol& symbol : symbols.all()) {
            if (found.size() >= kMaxMatches) return found;
            if (!symbol.function) continue;
            const bool begins = symbol.name.starts_with(text);
            if (begins == prefix && (begins || contains_ignoring_case(symbol.name, text)))
                found.push_back(&symbol);
        }
    }
    return found;
}

}  // namespace

void draw_go_to(const Scene& scene, BundlesState& state) {
    if (state.open_go_to) {
        state.open_go_to = false;
        state.filter[0] = 0;
        state.go_to_choice = 0;
        ImGui::OpenPopup("go to");
    }
    const Theme& theme = scene.theme;
    ImGui::SetNextWindowSize({theme.px(380), 0});
    if (!ImGui::BeginPopup("go to")) return;
    ImGui::TextDisabled("%s", tr("Address or symbol, also name+0x18"));
    ImGui::SetNextItemWidth(-1);
    if (ImGui::IsWindowAppearing()) ImGui::SetKeyboardFocusHere();
    const bool entered = ImGui::InputText("##place", state.filter, sizeof state.filter,
                                          ImGuiInputTextFlags_EnterReturnsTrue);
    std::vector<const guest::Symbol*> found;
    if (scene.symbols()) found = matches(*scene.symbols(), state.filter);
    std::uint64_t chosen = 0;
    if (ImGui::IsKeyPressed(ImGui::GetKeyIndex(ImGuiKey_DownArrow))) ++state.go_to_choice;
    if (ImGui::IsKeyPressed(ImGui::GetKeyIndex(ImGuiKey_UpArrow))) --state.go_to_choice;
    state.go_to_choice =
        std::clamp(state.go_to_choice, 0, std::max(0, static_cast<int>(found.size()) - 1));
    for (std::size_t i = 0; i < found.size(); ++i) {
        ImGui::PushID(static_cast<int>(i));
        ImGui::PushFont(theme.mono);
        const std::string line = found[i]->name + "  " + hex(found[i]->address);
        if (ImGui::Selectable(line.c_str(), static_cast<int>(i) == state.go_to_choice))
            chosen = found[i]->address;
        ImGui::PopFont();
        ImGui::PopID();
    }
    if (entered) {
        chosen = resolve_place(state.filter, scene.symbols());
        if (!chosen && !found.empty())
            chosen = found[static_cast<std::size_t>(state.go_to_choice)]->address;
    }
    if (found.empty() && state.filter[0] && !resolve_place(state.filter, scene.symbols()))
        ImGui::TextColored(ImGui::ColorConvertU32ToFloat4(theme.error), "%s",
                           tr("No symbol and no hexadecimal address"));
    if (chosen) {
        scene.selection.go_to = chosen;
        ImGui::CloseCurrentPopup();
    }
    ImGui::EndPopup();
}

}  // namespace e2k::ui
