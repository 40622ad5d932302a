#include "ui/settings.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

namespace e2k::ui {

namespace {
constexpr std::size_t kRecent = 8;
constexpr std::uint64_t kMostPages = 9999;  // of a lesson
constexpr std::size_t kMaxBytes = 1 << 20;  // far beyond any settings of ours
}  // namespace

void Settings::remember_program(const std::string& path) {
    std::error_code error;
    std::string full = std::filesystem::absolute(path, error).string();
    if (error) full = path;
    std::erase(recent, full);
    recent.insert(recent.begin(), full);
    if (recent.size() > kRecent) recent.resize(kRecent);
}

std::string config_folder() {
    std::string base;
    if (const char* xdg = std::getenv("XDG_CONFIG_HOME"); xdg && *xdg) {
        base = xdg;
    } else if (const char* home = std::getenv("HOME"); home && *home) {
        base = std::string(home) + "/.config";
    } else {
        return {};
    }
    std::string folder = base + "/e2k-workbench";
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    return error ? std::string() : folder;
}

Settings parse_settings(std::string_view text) {
    Settings out;
    const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object()) return out;
    try {
        out.width = std::clamp(json.value("width", out.width), 640, 16384);
        out.height = std::clamp(json.value("height", out.height), 400, 16384);
        out.font_size = std::clamp(json.value("font_size", out.font_size), 0.0f, 28.0f);
        out.dark = json.value("dark", out.dark);
        out.layout = json.value("layout", out.layout);
        out.recent = json.value("recent", out.recent);
        out.folder = json.value("folder", out.folder);
        out.language = json.value("language", out.language);
        out.hints_closed = json.value("hints_closed", out.hints_closed);
        out.teach_font_size =
            std::clamp(json.value("teach_font_size", out.teach_font_size), 0.0f, 28.0f);
        out.scratch_said = json.value("scratch_said", out.scratch_said);
        if (json.contains("lessons") && json.at("lessons").is_object())
            for (const auto& [name, pages] : json.at("lessons").items())
                if (pages.is_number_unsigned())
                    out.lessons[name] = static_cast<unsigned>(
                        std::min<std::uint64_t>(pages.get<std::uint64_t>(), kMostPages));
        if (json.contains("workspaces")) {
            for (const auto& [name, value] : json.at("workspaces").items()) {
                Workspace fallback = default_workspace(name, false);
                fallback.layout = name;
                out.workspaces[name] = workspace_from_json(value, fallback);
            }
        }
    } catch (const nlohmann::json::exception&) {
        // A field of another type: what was read so far and defaults are good enough.
    }
    return out;
}

Settings load_settings(const std::string& folder) {
    if (folder.empty()) return {};
    std::ifstream file(folder + "/" + kSettingsFile, std::ios::binary);
    std::string text(kMaxBytes, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    return parse_settings(text);
}

std::string settings_text(const Settings& settings) {
    nlohmann::json workspaces = nlohmann::json::object();
    for (const auto& [name, workspace] : settings.workspaces) workspaces[name] = to_json(workspace);
    const nlohmann::json json = {{"width", settings.width},
                                 {"height", settings.height},
                                 {"font_size", settings.font_size},
                                 {"dark", settings.dark},
                                 {"layout", settings.layout},
                                 {"recent", settings.recent},
                                 {"folder", settings.folder},
                                 {"language", settings.language},
                                 {"hints_closed", settings.hints_closed},
                                 {"teach_font_size", settings.teach_font_size},
                                 {"workspaces", workspaces},
                                 {"lessons", settings.lessons},
                                 {"scratch_said", settings.scratch_said}};
    return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace e2k::ui
