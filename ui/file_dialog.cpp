#include "ui/file_dialog.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <imgui.h>

#include "engine/isa/assembler/program.h"
#include "ui/format.h"
#include "ui/text.h"

namespace e2k::ui {

namespace fs = std::filesystem;

namespace {

/// e_machine EM_MCST_ELBRUS in a 64-bit ELF header.
bool looks_like_e2k(const fs::path& path) {
    std::array<unsigned char, 20> head{};
    std::ifstream file(path, std::ios::binary);
    file.read(reinterpret_cast<char*>(head.data()), head.size());
    return file.gcount() == static_cast<std::streamsize>(head.size()) &&
           std::memcmp(head.data(), "\177ELF", 4) == 0 && (head[18] | head[19] << 8) == 175;
}

void copy_text(char* to, std::size_t size, const std::string& from) {
    const std::size_t count = std::min(size - 1, from.size());
    std::memcpy(to, from.data(), count);
    to[count] = 0;
}

}  // namespace

std::vector<std::string> split_words(std::string_view line) {
    std::vector<std::string> words;
    std::string word;
    bool inside = false;
    char quote = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
            word += line[++i];
            inside = true;
        } else if (quote) {
            if (c == quote) {
                quote = 0;
            } else {
                word += c;
            }
        } else if (c == '"' || c == '\'') {
            quote = c;
            inside = true;
        } else if (c == ' ' || c == '\t') {
            if (inside) words.push_back(std::move(word));
            word.clear();
            inside = false;
        } else {
            word += c;
            inside = true;
        }
    }
    if (inside) words.push_back(std::move(word));
    return words;
}

void FileDialog::open(const std::string& folder) {
    std::error_code error;
    folder_ = folder.empty() || !fs::is_directory(folder, error) ? fs::current_path(error).string()
                                                                 : folder;
    open_ = appear_ = true;
    selected_.clear();
    read_folder();
}

void FileDialog::read_folder() {
    entries_.clear();
    error_.clear();
    std::error_code error;
    for (fs::directory_iterator it(folder_, fs::directory_options::skip_permission_denied, error),
         end;
         !error && it != end; it.increment(error)) {
        Entry entry;
        entry.name = it->path().filename().string();
        if (entry.name.starts_with('.')) continue;
        std::error_code ignored;
        entry.folder = it->is_directory(ignored);
        if (!entry.folder) {
            if (!it->is_regular_file(ignored)) continue;
            entry.size = it->file_size(ignored);
            // Sources are assembled when opened.
            entry.e2k = looks_like_e2k(it->path()) || isa::is_assembler_source(entry.name);
        }
        entries_.push_back(std::move(entry));
    }
    if (error) error_ = trf("cannot read {}: {}", folder_, error.message());
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
        return a.folder != b.folder ? a.folder : a.name < b.name;
    });
    copy_text(path_, sizeof path_, folder_ == "/" ? folder_ : folder_ + "/");
}

std::optional<FileDialog::Choice> FileDialog::draw(const Theme& theme) {
    if (!open_) return std::nullopt;
    const std::string title = std::string(tr("Open a program")) + "###open";
    if (appear_) ImGui::OpenPopup(title.c_str());
    const ImVec2 display = ImGui::GetIO().DisplaySize;
    ImGui::SetNextWindowSize(
        {std::min(display.x * 0.8f, theme.px(680)), std::min(display.y * 0.8f, theme.px(520))});
    ImGui::SetNextWindowPos({display.x / 2, display.y / 2}, ImGuiCond_Always, {0.5f, 0.5f});
    if (!ImGui::BeginPopupModal(title.c_str(), &open_,
                                ImGuiWindowFlags_NoResize | ImGuiWindowFlags_NoMove))
        return std::nullopt;
    std::optional<Choice> choice;
    std::string enter;  ///< folder to enter
    std::string chosen;

    ImGui::AlignTextToFramePadding();
    ImGui::TextUnformatted(tr("Path"));
    ImGui::SameLine(theme.px(86));
    ImGui::SetNextItemWidth(-1);
    if (appear_) ImGui::SetKeyboardFocusHere();
    if (ImGui::InputText("##path", path_, sizeof path_, ImGuiInputTextFlags_EnterReturnsTrue)) {
        std::error_code error;
        if (fs::is_directory(path_, error)) {
            enter = path_;
        } else if (fs::exists(path_, error)) {
            chosen = path_;
        } else {
            error_ = trf("{} does not exist", std::string(path_));
        }
    }
    const float footer = ImGui::GetFrameHeightWithSpacing() * 2 + theme.row() + theme.px(6);
    ImGui::BeginChild("files", {0, -footer}, true);
    if (folder_ != "/" && ImGui::Selectable("..", false, ImGuiSelectableFlags_DontClosePopups))
        enter = fs::path(folder_).parent_path().string();
    for (const Entry& entry : entries_) {
        const std::string path = (fs::path(folder_) / entry.name).string();
        ImGui::PushID(entry.name.c_str());
        if (!entry.folder && !entry.e2k)
            ImGui::PushStyleColor(ImGuiCol_Text, ImGui::ColorConvertU32ToFloat4(theme.dim));
        const std::string label = entry.name + (entry.folder ? "/" : "");
        if (ImGui::Selectable(
                label.c_str(), selected_ == path,
                ImGuiSelectableFlags_DontClosePopups | ImGuiSelectableFlags_AllowDoubleClick)) {
            const bool twice = ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left);
            if (entry.folder && twice) enter = path;
            if (!entry.folder && twice) chosen = path;
            selected_ = path;
            copy_text(path_, sizeof path_, path);
        }
        if (!entry.folder && !entry.e2k) ImGui::PopStyleColor();
        if (!entry.folder) {
            const std::string note = (entry.e2k ? "E2K   " : "") + byte_size(entry.size);
            const float width = ImGui::CalcTextSize(note.c_str()).x;
            ImGui::SameLine(ImGui::GetWindowContentRegionMax().x - width);
            ImGui::TextDisabled("%s", note.c_str());
        }
        ImGui::PopID();
    }
    ImGui::EndChild();
    if (!error_.empty()) {
        ImGui::TextColored(ImGui::ColorConvertU32ToFloat4(theme.error), "%s", error_.c_str());
    } else {
        ImGui::TextDisabled("%s", tr("Double click a program, or select it and press Open."));
    }
    ImGui::AlignTextToFramePadding();
    ImGui::TextUnformatted(tr("Arguments"));
    ImGui::SameLine(theme.px(86));
    ImGui::SetNextItemWidth(-1);
    ImGui::InputText("##arguments", arguments_, sizeof arguments_);
    std::error_code error;
    ImGui::BeginDisabled(!fs::is_regular_file(path_, error));
    if (ImGui::Button(tr("Open"), {theme.px(100), 0})) chosen = path_;
    ImGui::EndDisabled();
    ImGui::SameLine();
    const int escape = ImGui::GetKeyIndex(ImGuiKey_Escape);
    if (ImGui::Button(tr("Cancel"), {theme.px(100), 0}) || ImGui::IsKeyPressed(escape))
        open_ = false;

    if (!chosen.empty()) {
        choice = Choice{chosen, split_words(arguments_)};
        open_ = false;
    }
    if (!open_) ImGui::CloseCurrentPopup();
    ImGui::EndPopup();
    if (!enter.empty()) {
        folder_ = fs::path(enter).lexically_normal().string();
        while (folder_.size() > 1 && folder_.back() == '/') folder_.pop_back();
        read_folder();
    }
    appear_ = false;
    return choice;
}

}  // namespace e2k::ui
