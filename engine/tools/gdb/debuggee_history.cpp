// Going back: what the debugger then looks at is a replica that executes what was recorded.
#include <csignal>

#include <fmt/format.h>

#include "engine/tools/gdb/debuggee.h"

namespace e2k::tools::gdb {

using history::Found;

guest::AddressSpace& Debuggee::memory() {
    return in_past_ ? timeline_->replica().memory() : process().memory();
}

/// The replica stands where the recording ends, which is where the guest stands.
tl::expected<void, std::string> Debuggee::enter_past() {
    if (in_past_) return {};
    if (!log_ || log_->events() == 0) return tl::unexpected<std::string>("nothing is recorded");
    if (!log_->is_ended()) log_->reached(guest_->main().state().bundles);
    if (!timeline_) {
        history::TimelineOptions options;
        options.interpret = options_.tier == machine::Tier::Interpreter;
        options.cancelled = [this] { return cancelled_ && (*cancelled_)(); };
        auto made = history::Timeline::create(log_, std::move(options));
        if (!made) return tl::unexpected(made.error());
        timeline_ = std::move(*made);
    }
    const Found found = timeline_->go_to_end();
    if (found.what == Found::What::Differs) return tl::unexpected(timeline_->trouble());
    in_past_ = true;
    return {};
}

void Debuggee::leave_past() {
    in_past_ = false;
    // The pages of one guest are watched at a time.
    process().memory().watched().set(watches_);
}

StopReport Debuggee::report_of(const Found& found) const {
    StopReport report{StopReport::Kind::Step, 1};
    switch (found.what) {
        case Found::What::Breakpoint:
            report.kind = StopReport::Kind::Breakpoint;
            break;
        case Found::What::Watch:
            report.kind = StopReport::Kind::Watch;
            if (found.hit) {
                report.value = found.hit->range.begin;
                report.watch = found.hit->range.kind;
            }
            break;
        case Found::What::Cancelled:
            report.kind = StopReport::Kind::Interrupt;
            break;
        case Found::What::Nothing:
        case Found::What::Differs:
            report.kind = StopReport::Kind::Begin;
            break;
        case Found::What::Place:
        case Found::What::Call:
            break;
    }
    return report;
}

StopReport Debuggee::back(bool step, const std::function<bool()>& interrupted) {
    cancelled_ = &interrupted;
    StopReport report{StopReport::Kind::Begin, 1};
    // A thread that history does not reach, or a guest that cannot be repeated, stays where it is.
    if (enter_past())
        report =
            report_of(step ? timeline_->step_back()
                           : timeline_->run_back(
                                 {{breakpoints_.begin(), breakpoints_.end()}, watches_, false}));
    cancelled_ = nullptr;
    return report;
}

tl::expected<StopReport, std::string> Debuggee::go_to(std::uint64_t bundle) {
    if (auto entered = enter_past(); !entered) return tl::unexpected(entered.error());
    if (bundle < log_->first_bundle() || bundle > log_->end_bundle())
        return tl::unexpected(fmt::format("history goes from bundle {} to {}", log_->first_bundle(),
                                          log_->end_bundle()));
    const Found found =
        bundle == log_->end_bundle() ? timeline_->go_to_end() : timeline_->go_to(bundle);
    if (found.what == Found::What::Differs) return tl::unexpected(timeline_->trouble());
    if (timeline_->at_end()) leave_past();
    return StopReport{StopReport::Kind::Step, 1};
}

/// Nullopt: the end of the recording has been reached, the guest itself goes on.
std::optional<StopReport> Debuggee::forward_in_past(const Resume& how,
                                                    const std::function<bool()>& interrupted) {
    cancelled_ = &interrupted;
    Resume::Action action = how.others;
    if (!how.of_thread.empty()) action = how.of_thread.begin()->second;
    const bool step = action.how == Resume::How::Step;
    const Found found =
        timeline_->at_end() ? Found{}
        : step              ? timeline_->step()
               : timeline_->run({{breakpoints_.begin(), breakpoints_.end()}, watches_, false});
    cancelled_ = nullptr;
    const StopReport report = report_of(found);
    const bool stays = found.what != Found::What::Nothing && found.what != Found::What::Differs;
    if (!stays || timeline_->at_end()) leave_past();
    if (stays) return report;
    return std::nullopt;
}

std::string Debuggee::describe_history() {
    if (!log_ || log_->events() == 0) return "nothing is recorded\n";
    if (!log_->is_ended()) log_->reached(guest_->main().state().bundles);
    std::string text =
        fmt::format("bundles {} to {}, {} events, {} KiB recorded\n", log_->first_bundle(),
                    log_->end_bundle(), log_->events(), log_->bytes() >> 10);
    if (log_->is_ended()) text += fmt::format("it ends because {}\n", log_->ended());
    if (timeline_)
        text += fmt::format("{} checkpoints, {} KiB\n", timeline_->checkpoints(),
                            timeline_->checkpoint_bytes() >> 10);
    if (timeline_ && !timeline_->trouble().empty()) text += timeline_->trouble() + "\n";
    if (in_past_) text += fmt::format("here: bundle {}\n", timeline_->here().bundle);
    return text;
}

}  // namespace e2k::tools::gdb
