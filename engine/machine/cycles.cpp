#include "engine/machine/cycles.h"

#include <algorithm>
#include <cmath>

#include "engine/machine/guest.h"

namespace e2k::machine {

namespace {

/// A virtual clock that runs at the processor's frequency, as far as ClockOptions goes.
cpu::ClockOptions clock_of(const timing::Processor& processor, double speed) {
    cpu::ClockOptions clock;
    clock.rate =
        static_cast<std::uint64_t>(std::clamp(std::round(processor.mhz * 1e6 / speed), 1.0, 1e10));
    return clock;
}

}  // namespace

tl::expected<CyclesResult, std::string> run_cycles(const std::string& path, CyclesOptions options) {
    GuestOptions guest_options;
    guest_options.process = std::move(options.process);
    guest_options.tier = Tier::Interpreter;
    const bool own_clock = options.clock_speed > 0;
    if (!options.processor) {
        auto image = guest::ElfImage::load(path);
        if (!image) return tl::unexpected(std::move(image.error()));
        const int version = guest_options.process.iset_override;
        options.processor = timing::usual_processor(version ? version : image->iset);
    }
    if (own_clock) guest_options.process.clock = clock_of(*options.processor, options.clock_speed);
    CyclesResult result;
    std::optional<timing::ModelClock> clock;  // outlives the guest, which asks it to the last
    auto started = Guest::start(path, std::move(guest_options));
    if (!started) return tl::unexpected(std::move(started.error()));
    Guest& guest = **started;
    Runner& runner = guest.main();

    result.model = std::make_unique<timing::CycleModel>(
        *options.processor, timing::library_costs(),
        [&guest](std::uint64_t address) { return guest.process().symbols()->describe(address); });
    result.model->set_sink(options.sink);
    runner.interpreter().set_observer(result.model.get());
    if (own_clock) guest.process().clock().run_from(clock.emplace(*result.model, runner.state()));

    Event event = Event::Handled;
    const auto ended = [&] { return event == Event::ProcessEnd || event == Event::Failed; };
    while (!ended() && (options.max_bundles == 0 || runner.state().bundles < options.max_bundles)) {
        event = options.max_bundles ? runner.advance(options.max_bundles - runner.state().bundles)
                                    : runner.advance();
        if (event != Event::ThreadEnd) continue;
        guest.join_others();
        event = Event::ProcessEnd;
    }
    result.failed = event == Event::Failed;
    result.exit = guest.process().exit_status();
    result.detail = result.failed ? runner.trap().detail : guest.process().exit_detail();
    result.symbols = guest.process().symbols();
    if (options.at_end) options.at_end(guest, *result.model);
    result.model->forget_names();
    return result;
}

}  // namespace e2k::machine
