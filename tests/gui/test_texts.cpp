// Every text of the window is in the catalogue of each language, and its values stay in order.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "ui/actions.h"
#include "ui/panels/panel.h"
#include "ui/start_page.h"
#include "ui/text.h"

namespace e2k::ui::test {
namespace {

namespace fs = std::filesystem;

std::string file_text(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Texts of the calls of tr(), trf() and text_mark() in a source, adjacent literals joined.
std::vector<std::string> texts_in(const std::string& source) {
    static const std::regex call(R"re(\b(?:tr|trf|text_mark)\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+))re");
    static const std::regex literal(R"re("((?:[^"\\]|\\.)*)")re");
    std::vector<std::string> out;
    for (std::sregex_iterator at(source.begin(), source.end(), call), end; at != end; ++at) {
        const std::string pieces = (*at)[1];
        std::string text;
        for (std::sregex_iterator piece(pieces.begin(), pieces.end(), literal); piece != end;
             ++piece)
            text += (*piece)[1];
        for (std::size_t i = 0; (i = text.find('\\', i)) != std::string::npos; ++i)
            text.replace(i, 2, text[i + 1] == 'n' ? "\n" : std::string(1, text[i + 1]));
        out.push_back(text);
    }
    return out;
}

std::vector<fs::path> sources() {
    std::vector<fs::path> out;
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(E2K_SOURCE_DIR) / "ui")) {
        const std::string name = entry.path().filename().string();
        const bool ours = name.starts_with("text.") || name.starts_with("text_ru");
        if (!ours && (name.ends_with(".cpp") || name.ends_with(".h"))) out.push_back(entry.path());
    }
    return out;
}

TEST(Texts, AllAreInRussian) {
    std::size_t count = 0;
    for (const fs::path& path : sources())
        for (const std::string& text : texts_in(file_text(path))) {
            EXPECT_TRUE(has_translation(Language::Russian, text))
                << path.filename().string() << ": \"" << text << "\"";
            ++count;
        }
    EXPECT_GT(count, 300u);
    for (const ActionInfo& action : actions()) {
        EXPECT_TRUE(has_translation(Language::Russian, action.name)) << action.name;
        EXPECT_TRUE(has_translation(Language::Russian, action.help)) << action.help;
    }
    for (const PanelInfo& panel : panels()) {
        EXPECT_TRUE(has_translation(Language::Russian, panel.title)) << panel.title;
        EXPECT_TRUE(has_translation(Language::Russian, panel.help)) << panel.help;
    }
    for (const auto& entry : fs::directory_iterator(fs::path(E2K_SOURCE_DIR) / "assets/demo"))
        if (entry.path().extension() == ".s") {
            const std::string line = demo_card(entry.path().string()).line;
            EXPECT_TRUE(has_translation(Language::Russian, line)) << line;
        }
}

/// Words written by Dear ImGui's own functions would stay English.
TEST(Texts, NoneIsDrawnPastTheCatalogue) {
    static const std::regex bare(
        R"re(ImGui::(?:Button|SmallButton|MenuItem|BeginMenu|Checkbox|TextUnformatted)\("[^"#]*[a-z]{3})re"
        R"re(|(?:empty_state|tool_tip)\([^;"]*?, "[^"]*[a-z]{3})re");
    for (const fs::path& path : sources()) {
        const std::string text = file_text(path);
        for (std::sregex_iterator at(text.begin(), text.end(), bare), end; at != end; ++at)
            ADD_FAILURE() << path.filename().string() << ": " << at->str();
    }
}

std::vector<std::string> places_in(std::string_view text) {
    std::vector<std::string> out;
    for (std::size_t at = 0; (at = text.find('{', at)) != std::string_view::npos; ++at) {
        const std::size_t end = text.find('}', at);
        if (end == std::string_view::npos) break;
        out.emplace_back(text.substr(at, end - at + 1));
    }
    return out;
}

TEST(Texts, TranslationsTakeTheSameValues) {
    set_language(Language::Russian);
    for (const fs::path& path : sources())
        for (const std::string& text : texts_in(file_text(path)))
            EXPECT_EQ(places_in(text), places_in(tr(text.c_str()))) << text;
    EXPECT_STREQ(tr("Close"), "Закрыть");
    EXPECT_EQ(trf("waits in {}", "read(0)"), "ждёт в read(0)");
    EXPECT_STREQ(tr("no such text"), "no such text");
    set_language(Language::English);
    EXPECT_STREQ(tr("Close"), "Close");
}

TEST(Texts, TheLocaleChooses) {
    EXPECT_EQ(language_named("ru_RU.UTF-8"), Language::Russian);
    EXPECT_EQ(language_named("ru"), Language::Russian);
    EXPECT_EQ(language_named("C.UTF-8"), Language::English);
    EXPECT_EQ(language_named("de_DE"), Language::English);
}

}  // namespace
}  // namespace e2k::ui::test
