// The house itself: which layer may include which, whether comments and pages cite places of
// engine/isa/docs that exist, whether links lead anywhere. Skipped where the sources are not there.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace e2k {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = E2K_SOURCE_DIR;
constexpr std::string_view kThisFile = "tests/isa/house_test.cpp";  // holds what must be refused
constexpr std::array kFolders{"app", "ui", "engine", "tests"};

bool sources_are_there() { return fs::exists(kRoot / "engine/isa/docs/README.md"); }

std::string read(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

/// Files below a folder, by their path from the root.
std::vector<std::string> files_in(const char* folder, std::initializer_list<const char*> kinds) {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder))
        if (entry.is_regular_file() &&
            std::ranges::find(kinds, entry.path().extension()) != kinds.end())
            files.push_back(fs::relative(entry.path(), kRoot).generic_string());
    return files;
}

std::string lines(const std::vector<std::string>& found) {
    std::string all;
    for (const std::string& line : found) all += line + '\n';
    return all;
}

// --- layers ---

struct Include {
    std::string file, included;
};

/// A part of the house and the parts whose headers it may include beside its own: those that its
/// CMake library links. A path belongs to the longest name that it begins with.
struct Layer {
    std::string_view path;
    std::vector<std::string_view> below;
};
const std::vector<Layer>& layers() {
    constexpr std::string_view isa = "engine/isa/", assembler = "engine/isa/assembler/",
                               cpu = "engine/cpu/", guest = "engine/guest/",
                               translate = "engine/translate/", timing = "engine/timing/",
                               history = "engine/history/", machine = "engine/machine/",
                               tools = "engine/tools/", lessons = "engine/lessons/", ui = "ui/",
                               app = "app/";
    static const std::vector<Layer> all{
        {isa, {}},
        {assembler, {isa}},
        {cpu, {isa}},
        {guest, {cpu, assembler, isa}},
        {translate, {cpu, isa}},
        {timing, {cpu, isa}},
        {history, {translate, guest, cpu, isa}},
        {machine, {history, translate, timing, guest, cpu, assembler, isa}},
        {tools, {machine, history, translate, timing, guest, cpu, assembler, isa}},
        {lessons, {machine, history, translate, timing, guest, cpu, assembler, isa}},
        {ui, {lessons, tools, machine, history, translate, timing, guest, cpu, assembler, isa}},
        {app,
         {ui, lessons, tools, machine, history, translate, timing, guest, cpu, assembler, isa}},
    };
    return all;
}

const Layer* layer_of(std::string_view path) {
    const Layer* best = nullptr;
    for (const Layer& layer : layers())
        if (path.starts_with(layer.path) && (!best || layer.path.size() > best->path.size()))
            best = &layer;
    return best;
}

bool draws_windows(std::string_view included) {
    constexpr std::array kForbidden{"imgui", "implot", "GLFW", "glad", "GL/", "GLES", "epoxy"};
    return std::ranges::any_of(kForbidden,
                               [&](std::string_view name) { return included.starts_with(name); });
}

/// Includes that point up or sideways, one line each.
std::vector<std::string> forbidden_includes(std::span<const Include> includes) {
    std::vector<std::string> found;
    for (const Include& i : includes) {
        const Layer* const from = layer_of(i.file);
        const Layer* const to = layer_of(i.included);
        const bool below = from && to && (from == to || std::ranges::count(from->below, to->path));
        const bool engine = i.file.starts_with("engine/");
        if ((to && !below) || (engine && draws_windows(i.included)) ||
            i.included.starts_with("tests/") || (!to && i.included.starts_with("engine/")))
            found.push_back(i.file + " includes " + i.included);
    }
    return found;
}

void add_includes(const std::string& file, std::vector<Include>& to) {
    constexpr std::string_view kInclude = "#include";
    std::istringstream text(read(kRoot / file));
    for (std::string line; std::getline(text, line);) {
        const std::size_t begin = line.find_first_not_of(" \t");
        if (begin == line.npos || line.compare(begin, kInclude.size(), kInclude) != 0) continue;
        const std::size_t open = line.find_first_of("\"<");
        const std::size_t close = line.find_first_of("\">", open + 1);
        if (open != line.npos && close != line.npos)
            to.push_back({file, line.substr(open + 1, close - open - 1)});
    }
}

TEST(House, IncludesPointDown) {
    if (!sources_are_there()) GTEST_SKIP() << "the sources are not in " << kRoot;
    std::vector<Include> includes;
    for (const char* folder : {"app", "ui", "engine"})
        for (const std::string& file : files_in(folder, {".cpp", ".h"})) {
            ASSERT_TRUE(layer_of(file)) << file << " belongs to no layer";
            add_includes(file, includes);
        }
    EXPECT_GT(includes.size(), 2000u);
    const auto found = forbidden_includes(includes);
    EXPECT_TRUE(found.empty()) << lines(found);
}

TEST(House, PlantedArrowsAreFound) {
    const std::vector<Include> down{{"app/main.cpp", "ui/workbench.h"},
                                    {"app/main.cpp", "engine/isa/bundle.h"},
                                    {"ui/canvas.cpp", "engine/machine/machine.h"},
                                    {"ui/canvas.cpp", "imgui.h"},
                                    {"engine/tools/gdb/server.cpp", "engine/machine/machine.h"},
                                    {"engine/machine/machine.cpp", "engine/guest/process.h"},
                                    {"engine/guest/process.cpp", "engine/isa/assembler/program.h"},
                                    {"engine/isa/assembler/pack.cpp", "engine/isa/bundle.h"},
                                    {"engine/cpu/state.cpp", "vector"}};
    EXPECT_TRUE(forbidden_includes(down).empty()) << lines(forbidden_includes(down));
    const std::vector<Include> wrong{{"engine/isa/decode.cpp", "engine/cpu/state.h"},
                                     {"engine/isa/decode.cpp", "engine/isa/assembler/program.h"},
                                     {"engine/cpu/state.h", "engine/guest/process.h"},
                                     {"engine/translate/plan.cpp", "engine/guest/process.h"},
                                     {"engine/guest/process.cpp", "engine/translate/translator.h"},
                                     {"engine/guest/process.cpp", "engine/machine/machine.h"},
                                     {"engine/machine/machine.h", "engine/tools/gdb/server.h"},
                                     {"engine/machine/machine.h", "ui/session.h"},
                                     {"engine/machine/machine.h", "imgui.h"},
                                     {"engine/cpu/state.h", "GLFW/glfw3.h"},
                                     {"engine/cpu/state.h", "tests/cpu/fp_support.h"},
                                     {"engine/cpu/state.h", "engine/elsewhere/file.h"},
                                     {"ui/session.h", "app/commands.h"}};
    for (const Include& arrow : wrong)
        EXPECT_EQ(forbidden_includes({&arrow, 1}).size(), 1u)
            << arrow.file << " → " << arrow.included;
}

// --- citations of the reference ---

constexpr std::string_view kMark = "§";

/// "page.md", or "page.md" with the section that a mark behind it names. Without a page: a mark
/// that stands alone.
struct Citation {
    std::string page, section;
};

/// Comments and paragraphs as one line each.
std::string flattened(std::string_view text) {
    std::string flat;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\n') {
            flat += text[i];
            continue;
        }
        const auto blank = [&] {
            return i + 1 < text.size() && (text[i + 1] == ' ' || text[i + 1] == '\t');
        };
        while (blank()) ++i;
        while (i + 1 < text.size() && (text[i + 1] == '/' || text[i + 1] == '!')) ++i;
        while (blank()) ++i;
        flat += ' ';
    }
    return flat;
}

/// What may stand between a page and a mark, or two marks: ")", ", ", " and ".
bool joins(std::string gap) {
    if (const auto at = gap.find("and "); at != gap.npos) gap.erase(at, 4);
    return gap.find_first_not_of("), ") == gap.npos;
}

std::vector<Citation> citations(std::string_view text) {
    constexpr std::string_view kPage = ".md";
    const auto in_name = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
    };
    if (text.find(kPage) == text.npos && text.find(kMark) == text.npos) return {};
    const std::string flat = flattened(text);
    std::vector<Citation> found;
    std::string page;
    std::size_t end = 0;
    for (std::size_t i = 0; i < flat.size();) {
        if (flat.compare(i, kPage.size(), kPage) == 0) {
            std::size_t begin = i;
            while (begin > 0 && in_name(flat[begin - 1])) --begin;
            const std::size_t next = i + kPage.size();
            const bool whole = begin < i && (next == flat.size() || !in_name(flat[next]));
            if (whole) {
                page = flat.substr(begin, next - begin);
                found.push_back({page, {}});
                end = next;
            }
            i = next;
        } else if (flat.compare(i, kMark.size(), kMark) == 0) {
            const std::size_t digits = i + kMark.size();
            std::size_t stop = std::min(flat.find_first_not_of("0123456789.", digits), flat.size());
            while (stop > digits && flat[stop - 1] == '.') --stop;
            if (page.empty() || !joins(flat.substr(end, i - end))) page.clear();
            found.push_back({page, flat.substr(digits, stop - digits)});
            end = i = stop;
        } else {
            ++i;
        }
    }
    return found;
}

using Pages = std::map<std::string, std::set<std::string>>;  ///< sections of each page

/// Numbers of headings: "## 2. Title", "### 2.1 Title".
std::set<std::string> sections_of(std::string_view text) {
    std::set<std::string> sections;
    std::istringstream in{std::string(text)};
    for (std::string line; std::getline(in, line);) {
        const std::size_t begin = line.find_first_not_of('#');
        if (begin == line.npos || begin < 2 || line[begin] != ' ') continue;
        std::size_t end = std::min(line.find_first_not_of("0123456789.", begin + 1), line.size());
        if (end > begin + 1 && line[end - 1] == '.') --end;
        if (end > begin + 1) sections.insert(line.substr(begin + 1, end - begin - 1));
    }
    return sections;
}

/// Citations of `text` that lead nowhere. `own`: the page that it is itself, if it is one.
std::vector<std::string> dead_citations(std::string_view text, const Pages& pages,
                                        const std::string& own) {
    std::vector<std::string> dead;
    for (const Citation& c : citations(text)) {
        const std::string& name = c.page.empty() ? own : c.page;
        const auto page = pages.find(name);
        if (page == pages.end())
            dead.push_back(name.empty() ? std::string(kMark) + c.section + " names no page" : name);
        else if (!c.section.empty() && !page->second.contains(c.section))
            dead.push_back(name + ' ' + std::string(kMark) + c.section);
    }
    return dead;
}

TEST(House, CitationsLeadSomewhere) {
    if (!sources_are_there()) GTEST_SKIP() << "the sources are not in " << kRoot;
    constexpr std::string_view kDocs = "engine/isa/docs/";
    Pages pages{{"README.md", {}}, {"README-ru.md", {}}};
    std::vector<std::string> files{"README.md", "README-ru.md"};
    for (const char* folder : kFolders)
        for (std::string& file : files_in(folder, {".cpp", ".h", ".s", ".md", ".py", ".sh"})) {
            if (file == kThisFile) continue;
            if (file.ends_with(".md")) {
                const auto sections = sections_of(read(kRoot / file));
                pages[fs::path(file).filename()].insert(sections.begin(), sections.end());
            }
            files.push_back(std::move(file));
        }
    std::vector<std::string> dead;
    std::size_t cited = 0;
    for (const std::string& file : files) {
        const std::string text = read(kRoot / file);
        const std::string own = file.starts_with(kDocs) ? fs::path(file).filename() : fs::path();
        cited += citations(text).size();
        for (const std::string& what : dead_citations(text, pages, own))
            dead.push_back(file + ": " + what);
    }
    EXPECT_GT(cited, 500u);
    EXPECT_TRUE(dead.empty()) << lines(dead);
}

/// Targets of relative links, "[text](target)", without what follows "#".
std::vector<std::string> links(std::string_view text) {
    std::vector<std::string> found;
    for (std::size_t at = text.find("]("); at != text.npos; at = text.find("](", at + 2)) {
        const std::size_t end = text.find(')', at);
        if (end == text.npos) break;
        const std::string_view target = text.substr(at + 2, end - at - 2);
        if (target.find(':') == target.npos && target.find_first_of(" \n") == target.npos)
            if (const auto path = target.substr(0, target.find('#')); !path.empty())
                found.emplace_back(path);
    }
    return found;
}

TEST(House, LinksLeadSomewhere) {
    if (!sources_are_there()) GTEST_SKIP() << "the sources are not in " << kRoot;
    std::vector<std::string> files{"README.md", "README-ru.md"}, dead;
    for (const char* folder : {"app", "ui", "engine", "tests", "assets"})
        std::ranges::move(files_in(folder, {".md"}), std::back_inserter(files));
    std::size_t linked = 0;
    for (const std::string& file : files)
        for (const std::string& target : links(read(kRoot / file))) {
            ++linked;
            if (!fs::exists(kRoot / fs::path(file).parent_path() / target))
                dead.push_back(file + ": " + target);
        }
    EXPECT_GT(linked, 50u);
    EXPECT_TRUE(dead.empty()) << lines(dead);
    EXPECT_EQ(links("[a](b.md#c), ![d](e/f.png) [g](https://h.i) [j](#k) x[1](2"),
              (std::vector<std::string>{"b.md", "e/f.png"}));
}

TEST(House, PlantedCitationsAreFound) {
    const Pages pages{
        {"loops.md", sections_of("# Loops\n\n## 1. Counters\n\n### 1.2 More\n\n## 5. Stores\n")}};
    EXPECT_EQ(pages.at("loops.md"), (std::set<std::string>{"1", "1.2", "5"}));
    const auto dead = [&](std::string_view text, const std::string& own = {}) {
        return dead_citations(text, pages, own).size();
    };
    EXPECT_EQ(dead("// (loops.md)"), 0u);
    EXPECT_EQ(dead("// (loops.md §1, §1.2 and §5)."), 0u);
    EXPECT_EQ(dead("    /// see loops.md\n    /// §5, for stores"), 0u);
    EXPECT_EQ(dead("[loops.md](loops.md) §5; §1.2 here", "loops.md"), 0u);
    EXPECT_EQ(dead("a register.mdl, no page"), 0u);
    EXPECT_EQ(dead("// (loops.md §2)"), 1u);
    EXPECT_EQ(dead("// (loops.md §1, §1.3)"), 1u);
    EXPECT_EQ(dead("// (spirals.md §1)"), 2u);
    EXPECT_EQ(dead("// as §5 says"), 1u);
    EXPECT_EQ(dead("// loops.md is a page; §5 is of which?"), 1u);
}

}  // namespace
}  // namespace e2k
