#include "engine/machine/recording.h"

#include <csignal>

#include "engine/machine/guest.h"

namespace e2k::machine {

tl::expected<RecordingResult, std::string> record_run(const std::string& path,
                                                      RecordingOptions options) {
    options.log->program.path = path;
    options.log->program.argv = options.process.argv;
    GuestOptions how;
    how.process = std::move(options.process);
    how.tier = options.interpreter ? Tier::Interpreter : Tier::Translator;
    how.translator.hot_samples = translate::kUsualHotSamples;
    Guest* raw = nullptr;
    std::atomic<bool> missing{false};
    how.on_event = [&](Runner&, Event event) {
        if (event != Event::Failed) return;
        missing = true;
        raw->process().post_signal(SIGKILL);
        raw->let_go();
    };
    auto started = Guest::start(path, std::move(how));
    if (!started) return tl::unexpected(std::move(started.error()));
    Guest& guest = **started;
    raw = &guest;
    if (options.on_notice && !guest.notice().empty()) options.on_notice(guest.notice());
    guest.record(options.log);
    Event event = Event::Handled;
    while (event != Event::ProcessEnd && event != Event::Failed) {
        event = guest.main().advance();
        if (event != Event::ThreadEnd) continue;
        guest.join_others();
        event = Event::ProcessEnd;
    }
    if (!options.log->is_ended()) options.log->reached(guest.main().state().bundles);
    RecordingResult result;
    result.failed = event == Event::Failed || missing;
    result.exit = guest.process().exit_status();
    result.detail =
        event == Event::Failed ? guest.main().trap().detail : guest.process().exit_detail();
    return result;
}

}  // namespace e2k::machine
