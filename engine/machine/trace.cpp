#include "engine/machine/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "engine/isa/disassembler.h"
#include "engine/machine/guest.h"
#include "engine/machine/snapshot_builder.h"

namespace e2k::machine {

namespace {

/// The registers a bundle can change, as they were before it.
class Before {
public:
    explicit Before(const cpu::CpuState& s)
        : wd_(s.wd),
          br_(s.br),
          lsr_(s.lsr),
          pred_(s.pred),
          ctpr_(s.ctpr),
          globals_(s.g),
          first_(s.window_index()),
          stack_pointer_(s.usd_base) {
        // setwd may show registers above the window: take what it can reach.
        const auto room = static_cast<std::size_t>(s.window_limit - s.window_file);
        const std::size_t count = std::min<std::size_t>(room - first_, cpu::kWindowSlack / 2);
        window_.assign(s.window, s.window + count);
    }

    /// "%r3 = 0x10, %pred0 = 1"; registers are named as after the bundle.
    std::string changes(const cpu::CpuState& s) const {
        std::string text;
        auto add = [&](const std::string& what) {
            if (!text.empty()) text += ", ";
            text += what;
        };
        const std::size_t now = s.window_index();
        for (std::size_t i = 0; i < window_.size(); ++i) {
            const cpu::Reg& reg = s.window_file[first_ + i];
            if (reg.lo == window_[i].lo && reg.ext == window_[i].ext) continue;
            if (first_ + i < now || first_ + i >= now + s.wd.size) continue;
            add(value(fmt::format("%r{}", first_ + i - now), reg, window_[i]));
        }
        for (std::size_t i = 0; i < globals_.size(); ++i)
            if (s.g[i].lo != globals_[i].lo || s.g[i].ext != globals_[i].ext)
                add(value(fmt::format("%g{}", i), s.g[i], globals_[i]));
        if (now == first_)
            for (unsigned n = 0; n < pred_.size(); ++n)
                if (s.pred[s.pred_phys(n)] != pred_[s.pred_phys(n)])
                    add(fmt::format("%pred{} = {}", n, s.pred[s.pred_phys(n)] & cpu::kPredValue));
        for (std::size_t i = 0; i < ctpr_.size(); ++i)
            if (s.ctpr[i].image() != ctpr_[i].image())
                add(fmt::format("%ctpr{} = 0x{:x}", i + 1, s.ctpr[i].image()));
        if (s.lsr.lsr_image() != lsr_.lsr_image() || s.lsr.lcnt != lsr_.lcnt)
            add(fmt::format("%lsr = 0x{:x}", s.lsr.lsr_image()));
        if (s.wd.size != wd_.size || now != first_)
            add(fmt::format("window {} registers at {}", s.wd.size, now));
        if (s.br.rcur != br_.rcur || s.br.rbs != br_.rbs || s.br.rsz != br_.rsz)
            add(fmt::format("br rbs {} rsz {} rcur {}", s.br.rbs, s.br.rsz, s.br.rcur));
        if (s.usd_base != stack_pointer_) add(fmt::format("sp = 0x{:x}", s.usd_base));
        return text;
    }

private:
    static std::string value(const std::string& name, const cpu::Reg& now, const cpu::Reg& before) {
        std::string text = fmt::format("{} = 0x{:x}", name, now.lo);
        if (now.ext != before.ext) text += fmt::format(" (extension 0x{:x})", now.ext);
        return text;
    }

    cpu::WindowDescriptor wd_;
    cpu::RotationState br_;
    cpu::LoopState lsr_;
    cpu::PredicateFile pred_;
    std::array<cpu::Ctpr, 3> ctpr_;
    std::array<cpu::Reg, 32> globals_;
    std::vector<cpu::Reg> window_;
    std::size_t first_;
    std::uint64_t stack_pointer_;
};

}  // namespace

tl::expected<HeadlessResult, std::string> trace(const std::string& path, TraceOptions options,
                                                const std::function<bool(std::string_view)>& line) {
    GuestOptions guest_options;
    guest_options.process = std::move(options.process);
    guest_options.tier = Tier::Interpreter;
    auto started = Guest::start(path, std::move(guest_options));
    if (!started) return tl::unexpected(std::move(started.error()));
    Guest& guest = **started;
    Runner& runner = guest.main();
    const cpu::CpuState& s = runner.state();
    const cpu::MemoryView memory = guest.process().memory().view();

    HeadlessResult result;
    Event event = Event::Handled;
    const auto ended = [&] {
        return event == Event::ProcessEnd || event == Event::ThreadEnd || event == Event::Failed;
    };
    while (!ended() && (options.max_bundles == 0 || s.bundles < options.max_bundles)) {
        if (!runner.in_system_call() && !guest.forked() &&
            !line(fmt::format("0x{:06x} {:<24} {}", s.ip, guest.process().symbols()->describe(s.ip),
                              bundle_text(memory, s.ip, s.iset))))
            break;
        const Before before(s);
        event = runner.step();
        if (!options.registers || guest.forked()) continue;
        const std::string changes = before.changes(s);
        if (!changes.empty() && !line("    " + changes)) break;
    }
    result.failed = event == Event::Failed;
    result.exit = guest.process().exit_status();
    result.detail = result.failed ? runner.trap().detail : guest.process().exit_detail();
    result.counters.bundles = guest.bundles();
    result.counters.operations = guest.operations();
    return result;
}

}  // namespace e2k::machine
