#include "engine/machine/cycles_text.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/machine/quality_text.h"

namespace e2k::machine {

using timing::kReasons;
using timing::Reason;
using timing::TimedBundle;
using timing::Totals;

namespace {

double percent(std::uint64_t part, std::uint64_t whole) {
    return whole ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0;
}
double ratio(std::uint64_t part, std::uint64_t whole) {
    return whole ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

std::vector<const TimedBundle*> by_cycles(const timing::CycleModel& model) {
    std::vector<const TimedBundle*> list;
    for (const TimedBundle& b : model.bundles())
        if (b.total_cycles() != 0) list.push_back(&b);
    std::ranges::stable_sort(list, [](const TimedBundle* a, const TimedBundle* b) {
        return a->total_cycles() > b->total_cycles();
    });
    return list;
}

std::string level_name(const timing::CycleModel& model, std::size_t level) {
    const auto& caches = model.processor().caches;
    return level < caches.size() ? caches[level].name : "memory";
}

void add_totals(std::string& out, const timing::CycleModel& model, const Totals& t) {
    const timing::Processor& p = model.processor();
    out += fmt::format("{} ({}), {} MHz\n", p.title, p.name, p.mhz);
    out += fmt::format("cycles      {}: {:.6f} s\n", t.cycles,
                       static_cast<double>(t.cycles) / (p.mhz * 1e6));
    out +=
        fmt::format("bundles     {}: {:.3f} cycles each\n", t.bundles, ratio(t.cycles, t.bundles));
    out += fmt::format("operations  {}: {} with a true guard, {:.3f} a bundle, {:.3f} a cycle\n",
                       t.operations, t.useful, ratio(t.useful, t.bundles), t.ipc());
    if (t.skipped_bundles)
        out += fmt::format("not timed   {} bundles of functions with a cost of their own\n",
                           t.skipped_bundles);
}

void add_slots(std::string& out, const Totals& t) {
    out += "\nchannels     ";
    for (int c = 0; c < isa::kChannels; ++c) out += fmt::format("   ALC{}", c);
    out += "\n  executed % ";
    for (const std::uint64_t n : t.in_channel) out += fmt::format(" {:6.2f}", percent(n, t.cycles));
    out += "\n  annulled % ";
    for (const std::uint64_t n : t.annulled) out += fmt::format(" {:6.2f}", percent(n, t.cycles));
    out += "\noperations a bundle";
    for (std::size_t k = 0; k < t.by_width.size(); ++k)
        out += fmt::format("  {}: {:.1f} %", k, percent(t.by_width[k], t.bundles));
    out += '\n';
}

void add_memory(std::string& out, const timing::CycleModel& model, const Totals& t) {
    std::uint64_t loads = 0;
    for (const std::uint64_t n : t.misses) loads += n;
    if (loads == 0) return;
    out += fmt::format("loads       {}:", loads);
    for (std::size_t level = 0; level <= model.processor().caches.size(); ++level)
        out += fmt::format("{} {:.2f} % from {}", level ? "," : "", percent(t.misses[level], loads),
                           level_name(model, level));
    if (t.dropped_loads)
        out += fmt::format("; {} from nowhere of {} speculative ones", t.dropped_loads,
                           t.speculative_loads);
    out += '\n';
}

void add_bundles(std::string& out, const timing::CycleModel& model,
                 const guest::SymbolTable* symbols, std::size_t top, const Totals& t) {
    out += "\nbundles by cycles\n  cycles          %  executed  each  most waits      bundle\n";
    const auto list = by_cycles(model);
    for (std::size_t i = 0; i < std::min(top, list.size()); ++i) {
        const TimedBundle& b = *list[i];
        std::size_t most = 1;
        for (std::size_t k = 1; k < kReasons; ++k)
            if (b.cycles[k] > b.cycles[most]) most = k;
        std::string wait;
        if (b.cycles[most] != 0) {
            wait = timing::name_of(static_cast<Reason>(most));
            const std::string operand = b.last_wait.text();
            if (static_cast<Reason>(most) != Reason::Pause && !operand.empty())
                wait += " " + operand;
        }
        out += fmt::format("  {:<12} {:5.1f}  {:8}  {:4.1f}  {:<14}  {}\n", b.total_cycles(),
                           percent(b.total_cycles(), t.cycles), b.executions,
                           ratio(b.total_cycles(), b.executions), wait,
                           quality_place(symbols, b.address));
    }
}

}  // namespace

std::string cycles_text(const timing::CycleModel& model, const guest::SymbolTable* symbols,
                        std::size_t top) {
    const Totals t = model.totals();
    std::string out;
    add_totals(out, model, t);
    out += "\ncycles by reason\n";
    for (std::size_t k = 0; k < kReasons; ++k) {
        if (t.by_reason[k] == 0) continue;
        const auto reason = static_cast<Reason>(k);
        out += fmt::format("  {:<10} {:5.1f} %  {:>14}  {}\n", timing::name_of(reason),
                           percent(t.by_reason[k], t.cycles), t.by_reason[k],
                           timing::meaning_of(reason));
    }
    add_slots(out, t);
    add_memory(out, model, t);
    add_bundles(out, model, symbols, top, t);
    return out;
}

std::string cycles_json(const timing::CycleModel& model, const guest::SymbolTable* symbols) {
    using nlohmann::json;
    const Totals t = model.totals();
    const auto reasons = [](const std::array<std::uint64_t, kReasons>& cycles) {
        json object = json::object();
        for (std::size_t k = 0; k < kReasons; ++k)
            if (cycles[k]) object[std::string(timing::name_of(static_cast<Reason>(k)))] = cycles[k];
        return object;
    };
    json bundles = json::array();
    for (const TimedBundle* b : by_cycles(model))
        bundles.push_back({{"address", b->address},
                           {"place", quality_place(symbols, b->address)},
                           {"executions", b->executions},
                           {"useful_operations", b->useful},
                           {"cycles", b->total_cycles()},
                           {"by_reason", reasons(b->cycles)},
                           {"waited_longest_for", b->last_wait.text()}});
    json loads = json::object();
    for (std::size_t level = 0; level <= model.processor().caches.size(); ++level)
        loads[level_name(model, level)] = t.misses[level];
    return json{{"processor", model.processor().name},
                {"mhz", model.processor().mhz},
                {"cycles", t.cycles},
                {"bundles", t.bundles},
                {"operations", t.operations},
                {"useful_operations", t.useful},
                {"ipc", t.ipc()},
                {"by_reason", reasons(t.by_reason)},
                {"executed_in_channel", t.in_channel},
                {"annulled_in_channel", t.annulled},
                {"bundles_by_operations", t.by_width},
                {"loads", loads},
                {"speculative_loads", t.speculative_loads},
                {"speculative_loads_from_nowhere", t.dropped_loads},
                {"bundles_not_timed", t.skipped_bundles},
                {"hottest", std::move(bundles)}}
               .dump(1) +
           "\n";
}

}  // namespace e2k::machine
