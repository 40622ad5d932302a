#include "ui/workbench.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "ui/machine_source.h"
#include "ui/session.h"

namespace e2k::ui {

namespace {

constexpr int kScreenshotFrames = 8;  ///< layout, scrolling and column widths have settled

ApplicationOptions application_options(const WorkbenchOptions& options, bool still) {
    ApplicationOptions out;
    out.demos = options.demos;
    out.lessons = options.lessons;
    if (!options.lesson.empty() &&
        std::ranges::find(out.lessons, options.lesson) == out.lessons.end())
        out.lessons.push_back(options.lesson);
    out.still = still;
    machine::LaunchOptions& launch = out.launch;
    launch.tier = options.tier;
    launch.start_paused = true;
    launch.own_streams = true;
    launch.process = options.process;
    launch.process.argv.clear();
    launch.process.descriptors.reset();
    launch.process.log_syscalls = true;
    out.scratch = options.scratch;
    return out;
}

Settings settings_for(const WorkbenchOptions& options, const std::string& folder) {
    Settings settings = load_settings(folder);
    if (options.width > 0) settings.width = options.width;
    if (options.height > 0) settings.height = options.height;
    if (options.font_size > 0)
        settings.font_size = settings.teach_font_size = static_cast<float>(options.font_size);
    if (!options.theme.empty()) settings.dark = options.theme != "light";
    if (!options.layout.empty()) settings.layout = options.layout;
    return settings;
}

/// Empty, or why the settings are not kept.
std::string keep_settings(const WorkbenchOptions& options, const std::string& folder,
                          const Settings& settings, const std::string& ini) {
    for (const auto& [name, text] :
         {std::pair(kSettingsFile, settings_text(settings)), std::pair(kIniFile, ini)})
        if (const std::string why = options.keep(name, text); !why.empty())
            return fmt::format("the settings are not saved: {}/{}: {}", folder, name, why);
    return {};
}

std::string no_window(const std::string& why) {
    return why +
           "\nThe window needs a display and OpenGL 3.3. Without them use the commands that need "
           "none:\n"
           "  e2kwb run PROGRAM [ARGUMENTS]   run a program\n"
           "  e2kwb trace PROGRAM             print every bundle it executes\n"
           "  e2kwb disasm PROGRAM            print its code\n"
           "  e2kwb --help                    all commands\n";
}

}  // namespace

tl::expected<int, std::string> run_workbench(const WorkbenchOptions& options) {
    const bool picture = !options.screenshot.empty();
    // Pictures do not depend on what somebody did in the window before.
    const std::string folder = picture ? std::string() : config_folder();
    if (!folder.empty() && options.keep_in) options.keep_in(folder);
    Settings settings = settings_for(options, folder);
    // Pictures are in English unless they are asked for in another language.
    if (!options.language.empty())
        set_language(language_named(options.language));
    else if (!settings.language.empty())
        set_language(language_named(settings.language));
    else
        set_language(picture ? Language::English : language_of_locale());
    for (const std::string& name : options.dump_panels) {
        if (!panel_by_name(name))
            return tl::unexpected(fmt::format("no panel is called \"{}\"", name));
    }

    WindowOptions window_options;
    window_options.width = settings.width;
    window_options.height = settings.height;
    window_options.visible = !picture;
    window_options.scale = picture && options.scale <= 0 ? 1 : options.scale;
    window_options.ini_path =
        folder.empty() ? std::string() : fmt::format("{}/{}", folder, kIniFile);
    auto window = Window::create(window_options);
    if (!window) return tl::unexpected(no_window(window.error()));

    MachineSource source;
    source.machine().on_publish([] { Window::wake(); });
    ApplicationOptions application = application_options(options, picture);
    if (!folder.empty()) application.keep = options.keep;
    application.folder = folder;
    Session session(**window, source, settings, std::move(application));
    if (options.frame_stats) session.print_stats(stderr);
    if (!options.argv.empty())
        session.app().open(options.argv[0], {options.argv.begin() + 1, options.argv.end()},
                           options.argv0);
    if (!options.lesson.empty()) session.app().begin_lesson(options.lesson);

    std::string text = options.script;
    // A picture of something that is no program ends here, with the reason.
    if (picture && !options.argv.empty()) text = "wait program\n" + text;
    Script script(text);
    const int frames = options.frames > 0 ? options.frames : picture ? kScreenshotFrames : 0;
    auto ran = session.run(script, frames);
    source.machine().on_publish({});
    if (!ran) return tl::unexpected(ran.error());

    for (const std::string& name : options.dump_panels) {
        const std::string dump = session.app().text(*panel_by_name(name));
        std::fwrite(dump.data(), 1, dump.size(), stdout);
    }
    if (picture) {
        if (auto written = (*window)->read_pixels().write_png(options.screenshot); !written)
            return tl::unexpected(written.error());
        return 0;
    }
    settings.width = (*window)->width();
    settings.height = (*window)->height();
    settings.workspaces[session.app().workspace().layout] = session.app().workspace();
    if (folder.empty() || !options.keep) return 0;
    if (const auto why = keep_settings(options, folder, settings, (*window)->ini_text());
        !why.empty())
        return tl::unexpected(why);
    return 0;
}

}  // namespace e2k::ui
