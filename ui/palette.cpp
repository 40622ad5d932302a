#include "ui/palette.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "engine/guest/elf_image.h"
#include "ui/format.h"
#include "ui/panels/bundles.h"
#include "ui/panels/panel.h"
#include "ui/scoped.h"
#include "ui/text.h"

namespace e2k::ui {

namespace {

constexpr std::size_t kShown = 14;

bool same_letter(char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
}

bool contains(std::string_view text, std::string_view word) {
    return std::search(text.begin(), text.end(), word.begin(), word.end(), same_letter) !=
               text.end() ||
           word.empty();
}

bool begins(std::string_view text, std::string_view with) {
    return text.size() >= with.size() &&
           std::ranges::equal(text.substr(0, with.size()), with, same_letter);
}

bool has_all_words(const PaletteEntry& entry, std::string_view query) {
    while (!query.empty()) {
        const std::size_t blank = std::min(query.find(' '), query.size());
        const std::string_view word = query.substr(0, blank);
        query.remove_prefix(std::min(blank + 1, query.size()));
        if (!contains(entry.title, word) && !contains(entry.detail, word)) return false;
    }
    return true;
}

PaletteEntry program(const std::string& path, const char* what) {
    PaletteEntry entry;
    entry.title = std::filesystem::path(path).filename().string();
    entry.detail = trf("{}: {}", what, path);
    entry.choice.kind = PaletteChoice::Kind::Program;
    entry.choice.path = path;
    return entry;
}

}  // namespace

std::vector<PaletteEntry> palette_entries(const std::vector<std::string>& demos,
                                          const std::vector<std::string>& recent) {
    std::vector<PaletteEntry> out;
    for (const ActionInfo& info : actions()) {
        PaletteEntry& entry = out.emplace_back();
        entry.title = tr(info.name);
        entry.detail = *info.keys ? fmt::format("{}  {}", info.keys, tr(info.help)) : tr(info.help);
        entry.choice.kind = PaletteChoice::Kind::Action;
        entry.choice.action = info.action;
    }
    for (const PanelInfo& info : panels()) {
        PaletteEntry& entry = out.emplace_back();
        entry.title = tr(info.title);
        entry.detail = fmt::format("{}  {}", info.key, tr(info.help));
        entry.choice.kind = PaletteChoice::Kind::Panel;
        entry.choice.panel = info.id;
    }
    for (const std::string& path : demos) out.push_back(program(path, tr("demo")));
    for (const std::string& path : recent) out.push_back(program(path, tr("opened before")));
    return out;
}

std::vector<PaletteEntry> palette_matches(std::string_view query,
                                          const std::vector<PaletteEntry>& entries,
                                          const guest::SymbolTable* symbols, std::size_t most) {
    std::vector<PaletteEntry> out;
    const auto place = [&](std::string title, std::uint64_t address) {
        PaletteEntry entry;
        entry.title = std::move(title);
        entry.detail = trf("go to {}", hex(address));
        entry.choice.kind = PaletteChoice::Kind::Place;
        entry.choice.address = address;
        out.push_back(std::move(entry));
    };
    if (query.size() > 1)
        if (const std::uint64_t address = resolve_place(query, symbols))
            place(std::string(query), address);
    for (const bool first : {true, false})
        for (const PaletteEntry& entry : entries)
            if (out.size() < most && begins(entry.title, query) == first &&
                has_all_words(entry, query))
                out.push_back(entry);
    if (!symbols || query.empty()) return out;
    for (const guest::Symbol& symbol : symbols->all())
        if (out.size() < most && symbol.function && contains(symbol.name, query) &&
            symbol.name != query)
            place(symbol.name, symbol.address);
    return out;
}

std::optional<PaletteChoice> Palette::draw(const Theme& theme,
                                           const std::vector<std::string>& demos,
                                           const std::vector<std::string>& recent,
                                           const guest::SymbolTable* symbols) {
    constexpr const char* kId = "palette";
    if (asked_) {
        query_[0] = 0;
        marked_ = 0;
        entries_ = palette_entries(demos, recent);
        ImGui::OpenPopup(kId);
    }
    const bool appears = std::exchange(asked_, false);
    const ImVec2 display = ImGui::GetIO().DisplaySize;
    ImGui::SetNextWindowPos({display.x / 2, theme.px(56)}, ImGuiCond_Always, {0.5f, 0});
    ImGui::SetNextWindowSize({std::min(display.x * 0.86f, theme.px(680)), 0});
    const auto popup = scoped::popup(kId, ImGuiWindowFlags_NoMove);
    open_ = static_cast<bool>(popup);
    if (!open_) return std::nullopt;
    std::optional<PaletteChoice> chosen;
    ImGui::SetNextItemWidth(-1);
    if (appears) ImGui::SetKeyboardFocusHere();
    const bool entered =
        ImGui::InputTextWithHint("##query", tr("an action, panel, symbol, address or demo"), query_,
                                 sizeof query_, ImGuiInputTextFlags_EnterReturnsTrue);
    if (ImGui::IsItemEdited()) marked_ = 0;
    const auto found = palette_matches(query_, entries_, symbols, kShown);
    if (ImGui::IsKeyPressed(ImGui::GetKeyIndex(ImGuiKey_DownArrow))) ++marked_;
    if (ImGui::IsKeyPressed(ImGui::GetKeyIndex(ImGuiKey_UpArrow))) --marked_;
    marked_ = std::clamp(marked_, 0, std::max(0, static_cast<int>(found.size()) - 1));
    for (std::size_t i = 0; i < found.size(); ++i) {
        const auto id = scoped::id(static_cast<int>(i));
        const ImVec2 at = ImGui::GetCursorScreenPos();
        if (ImGui::Selectable("##entry", static_cast<int>(i) == marked_, 0, {0, theme.row()}))
            chosen = found[i].choice;
        ImDrawList& list = *ImGui::GetWindowDrawList();
        list.AddText({at.x + theme.px(4), at.y}, theme.text, found[i].title.c_str());
        const float x =
            at.x +
            std::max(theme.px(210), ImGui::CalcTextSize(found[i].title.c_str()).x + theme.px(16));
        list.AddText({x, at.y}, theme.dim, found[i].detail.c_str());
    }
    if (found.empty()) ImGui::TextDisabled("%s", tr("Nothing of that name"));
    if (entered && !found.empty()) chosen = found[static_cast<std::size_t>(marked_)].choice;
    if (chosen) ImGui::CloseCurrentPopup();
    return chosen;
}

}  // namespace e2k::ui
