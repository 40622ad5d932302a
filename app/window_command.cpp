// The window: options for ui::run_workbench, and the demo programs it offers.
#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include <fmt/format.h>
#include <tl/expected.hpp>

#include "app/commands.h"
#include "app/window_keeper.h"
#include "ui/workbench.h"

namespace e2k::app {

namespace {

namespace fs = std::filesystem;

/// A folder of assets, as of demo programs: beside the executable when installed, else in the
/// source tree.
std::optional<fs::path> asset_folder(const std::string& name) {
    std::error_code error;
    const fs::path executable = fs::read_symlink("/proc/self/exe", error);
    if (error) return std::nullopt;
    const fs::path here = executable.parent_path();
    for (const fs::path& folder :
         {here / "assets" / name, here / "../share/e2k-workbench" / name,
          here / "../../assets" / name, fs::path(E2K_SOURCE_DIR) / "assets" / name})
        if (fs::is_directory(folder, error)) return fs::canonical(folder, error);
    return std::nullopt;
}

/// The files of such a folder with this extension, by name.
std::vector<std::string> assets(const std::string& name, const std::string& extension) {
    std::vector<std::string> found;
    const auto folder = asset_folder(name);
    if (!folder) return found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(*folder, error))
        if (entry.is_regular_file() && entry.path().extension() == extension)
            found.push_back(entry.path().string());
    std::ranges::sort(found);
    return found;
}

using WindowEntry = int (*)(const ui::WorkbenchOptions*, std::string* error);

/// Loads the window's module: beside the executable, or where it is installed.
tl::expected<WindowEntry, std::string> window_entry() {
    constexpr const char* kModule = "e2kwb-ui.so";
    std::error_code ignored;
    const fs::path here = fs::read_symlink("/proc/self/exe", ignored).parent_path();
    const fs::path beside = here / kModule;
    const fs::path installed = here.parent_path() / "lib/e2k-workbench" / kModule;
    for (const fs::path& path : {beside, installed}) {
        if (!fs::exists(path, ignored)) continue;
        void* module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
        void* entry = module ? dlsym(module, "e2kwb_run_workbench") : nullptr;
        if (entry) return reinterpret_cast<WindowEntry>(entry);
        return tl::unexpected(fmt::format(
            "cannot load the window: {}\nThe commands run, trace, disasm and vectors work "
            "without it; \"e2kwb --help\" tells more.",
            dlerror()));
    }
    return tl::unexpected(
        fmt::format("the window's module {} is missing; it belongs to\n  {} or\n  {}\n"
                    "Build or install e2kwb again. The commands run, trace, disasm and vectors "
                    "work without it; \"e2kwb --help\" tells more.",
                    kModule, beside.string(), installed.string()));
}

/// Where sandboxed programs work; empty: there is no home to make it in.
std::string scratch_folder() {
    const char* const cache = std::getenv("XDG_CACHE_HOME");
    if (cache && *cache == '/') return std::string(cache) + "/e2k-workbench/scratch";
    const char* const home = std::getenv("HOME");
    if (home && *home == '/') return std::string(home) + "/.cache/e2k-workbench/scratch";
    return {};
}

bool parse_size(const std::string& text, int& width, int& height) {
    const auto cross = text.find('x');
    if (cross == std::string::npos) return false;
    const auto number = [](std::string_view digits, int& to) {
        const auto r = std::from_chars(digits.data(), digits.data() + digits.size(), to);
        return r.ec == std::errc() && r.ptr == digits.data() + digits.size() && to >= 320 &&
               to <= 16384;
    };
    const std::string_view view = text;
    return number(view.substr(0, cross), width) && number(view.substr(cross + 1), height);
}

}  // namespace

int window(const WindowOptions& options) {
    ui::WorkbenchOptions to;
    to.argv = options.program.argv;
    to.process = options.program.process();
    to.argv0 = options.program.argv0;
    to.scratch = scratch_folder();
    to.tier = options.program.interpreter ? machine::Tier::Interpreter : machine::Tier::Translator;
    to.layout = options.layout;
    to.theme = options.theme;
    to.language = options.language;
    to.scale = options.scale;
    to.font_size = options.font_size;
    to.screenshot = options.screenshot;
    to.frames = options.frames;
    to.frame_stats = options.frame_stats;
    to.dump_panels = options.dump_panels;
    if (!options.size.empty() && !parse_size(options.size, to.width, to.height)) {
        complain(fmt::format("--size {}: expected WIDTHxHEIGHT from 320x320 on, e.g. 1280x800",
                             options.size));
        return kExitUsage;
    }
    if (!options.script_file.empty()) {
        std::ifstream file(options.script_file);
        if (!file) {
            complain(fmt::format("{}: {}", options.script_file, std::strerror(errno)));
            return kExitFailure;
        }
        to.script.assign(std::istreambuf_iterator<char>(file), {});
    }
    to.demos = assets("demo", ".s");
    to.lessons = assets("lessons", ".lesson");
    to.lesson = options.lesson;
    if (!to.lesson.empty() && access(to.lesson.c_str(), R_OK) != 0) {
        complain(fmt::format("{}: {}", to.lesson, std::strerror(errno)));
        return kExitNotFound;
    }
    if (!to.argv.empty() && access(to.argv.front().c_str(), F_OK) != 0) {
        const int error = errno;
        complain(fmt::format("{}: {} (neither a program nor a command; see e2kwb --help)",
                             to.argv.front(), std::strerror(error)));
        return kExitNotFound;
    }
    // Before the window's module brings threads with it.
    WindowKeeper keeper = WindowKeeper::start();
    to.keep_in = [&keeper](const std::string& folder) { keeper.keep_in(folder); };
    to.keep = [&keeper](const std::string& name, const std::string& text) {
        return keeper.keep(name, text);
    };
    const auto run_workbench = window_entry();
    if (!run_workbench) {
        complain(run_workbench.error());
        return kExitFailure;
    }
    std::string error;
    const int code = (*run_workbench)(&to, &error);
    if (error.empty()) return code;
    complain(error);
    return kExitFailure;
}

}  // namespace e2k::app
