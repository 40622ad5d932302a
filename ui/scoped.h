// Begin and End of Dear ImGui as scopes: what was begun is ended wherever the scope is left.
#pragma once

#include <utility>

#include <imgui.h>

namespace e2k::ui::scoped {

/// `end` is called when the scope is left: always, or only if `begin` said that it is open.
class Scope {
public:
    Scope(bool open, bool always, void (*end)())
        : open_(open), end_(open || always ? end : nullptr) {}
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() {
        if (end_) end_();
    }
    explicit operator bool() const { return open_; }

private:
    bool open_;
    void (*end_)();
};

inline Scope window(const char* name, bool* open, ImGuiWindowFlags flags) {
    return {ImGui::Begin(name, open, flags), true, ImGui::End};
}
inline Scope child(const char* id, ImVec2 size = {0, 0}, ImGuiWindowFlags flags = 0) {
    return {ImGui::BeginChild(id, size, false, flags), true, ImGui::EndChild};
}
inline Scope table(const char* id, int columns, ImGuiTableFlags flags) {
    return {ImGui::BeginTable(id, columns, flags), false, ImGui::EndTable};
}
inline Scope menu(const char* label, bool enabled = true) {
    return {ImGui::BeginMenu(label, enabled), false, ImGui::EndMenu};
}
inline Scope menu_bar() { return {ImGui::BeginMenuBar(), false, ImGui::EndMenuBar}; }
inline Scope tab_bar(const char* id, ImGuiTabBarFlags flags) {
    return {ImGui::BeginTabBar(id, flags), false, ImGui::EndTabBar};
}
inline Scope combo(const char* id, const char* shown) {
    return {ImGui::BeginCombo(id, shown), false, ImGui::EndCombo};
}
inline Scope context_menu(const char* id = nullptr) {
    return {ImGui::BeginPopupContextItem(id), false, ImGui::EndPopup};
}
inline Scope popup(const char* id, ImGuiWindowFlags flags = 0) {
    return {ImGui::BeginPopup(id, flags), false, ImGui::EndPopup};
}
inline Scope modal(const char* title, ImGuiWindowFlags flags) {
    return {ImGui::BeginPopupModal(title, nullptr, flags), false, ImGui::EndPopup};
}
inline Scope disabled(bool on) {
    ImGui::BeginDisabled(on);
    return {true, true, ImGui::EndDisabled};
}
template <class T>
Scope id(T&& value) {
    ImGui::PushID(std::forward<T>(value));
    return {true, true, ImGui::PopID};
}
inline Scope clip(ImVec2 min, ImVec2 max, bool intersect) {
    ImGui::PushClipRect(min, max, intersect);
    return {true, true, ImGui::PopClipRect};
}
inline Scope colour(ImGuiCol which, ImU32 value) {
    ImGui::PushStyleColor(which, value);
    return {true, true, [] { ImGui::PopStyleColor(); }};
}
template <class T>
Scope style(ImGuiStyleVar which, T value) {
    ImGui::PushStyleVar(which, value);
    return {true, true, [] { ImGui::PopStyleVar(); }};
}

}  // namespace e2k::ui::scoped
