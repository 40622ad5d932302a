// `e2kwb record` and `e2kwb replay`: a run as a file, and any place of it.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "app/commands.h"
#include "engine/guest/elf_image.h"
#include "engine/guest/host_signals.h"
#include "engine/history/state_image.h"
#include "engine/history/timeline.h"
#include "engine/machine/recording.h"
#include "engine/machine/snapshot_builder.h"

namespace e2k::app {

namespace {

using history::Found;
using history::Target;

std::vector<std::uint8_t> bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::optional<std::uint64_t> number(std::string_view text) {
    const bool hex = text.starts_with("0x");
    if (hex) text.remove_prefix(2);
    std::uint64_t value = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
    if (error != std::errc() || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

/// "r5", "g12", "pred3", "ctpr1", "0x11210" or "0x11210:4"; with % in front if one likes.
std::optional<Target> parse_target(std::string_view text) {
    if (text.starts_with('%')) text.remove_prefix(1);
    struct Row {
        std::string_view name;
        Target::Kind kind;
        std::uint64_t first;
    };
    static constexpr Row kRows[] = {
        {"pred", Target::Kind::Predicate, 0}, {"ctpr", Target::Kind::Ctpr, 1},
        {"dr", Target::Kind::Register, 0},    {"r", Target::Kind::Register, 0},
        {"dg", Target::Kind::Global, 0},      {"g", Target::Kind::Global, 0}};
    for (const Row& row : kRows) {
        if (!text.starts_with(row.name)) continue;
        const auto index = number(text.substr(row.name.size()));
        if (!index || *index < row.first) return std::nullopt;
        return Target{row.kind, *index - row.first, 8};
    }
    const auto colon = text.find(':');
    const auto address = number(text.substr(0, colon));
    const auto size =
        colon == text.npos ? std::optional<std::uint64_t>(8) : number(text.substr(colon + 1));
    if (!address || !size || *size == 0 || *size > 4096) return std::nullopt;
    return Target{Target::Kind::Memory, *address, *size};
}

class Printer {
public:
    explicit Printer(history::Timeline& timeline) : timeline_(timeline) {
        const history::ProgramFacts& program = timeline.log().program;
        if (program.file.empty()) return;
        if (auto image = guest::ElfImage::parse(program.file, program.path))
            symbols_ = guest::SymbolTable(std::move(image->symbols));
    }

    std::string place(std::uint64_t ip) const {
        const std::string name = symbols_.describe(ip);
        return name.empty() ? fmt::format("0x{:x}", ip) : fmt::format("0x{:x} {}", ip, name);
    }

    void here() const {
        const cpu::CpuState& s = timeline_.replica().state();
        const cpu::MemoryView memory = timeline_.replica().memory().view();
        results().print("bundle {} at {}\n", timeline_.here().bundle, place(s.ip));
        results().print("  {}\n", machine::bundle_text(memory, s.ip, s.iset));
        std::string line;
        const auto add = [&](const std::string& text) {
            if (line.size() + text.size() > 100) {
                results().print("  {}\n", line);
                line.clear();
            }
            line += (line.empty() ? "" : "  ") + text;
        };
        for (unsigned i = 0; i < s.wd.size; ++i)
            if (s.window[i].lo != 0) add(fmt::format("%r{} 0x{:x}", i, s.window[i].lo));
        for (unsigned i = 0; i < s.g.size(); ++i)
            if (s.g[i].lo != 0) add(fmt::format("%g{} 0x{:x}", i, s.g[i].lo));
        for (unsigned i = 0; i < s.pred.size(); ++i)
            if (s.pred[s.pred_phys(i)] & cpu::kPredValue) add(fmt::format("%pred{}", i));
        if (!line.empty()) results().print("  {}\n", line);
    }

private:
    history::Timeline& timeline_;
    guest::SymbolTable symbols_;
};

/// Every piece of the run in both tiers, and places at random found again from the other side.
int check(const history::Log& log, history::Timeline& timeline) {
    const std::uint64_t first = log.first_bundle(), last = log.end_bundle();
    constexpr unsigned kPlaces = 100;
    std::vector<std::uint64_t> sums;
    for (unsigned i = 0; i <= kPlaces; ++i) {
        const Found found = timeline.go_to(first + (last - first) / kPlaces * i);
        if (found.what != Found::What::Place) break;
        sums.push_back(
            history::full_check(timeline.replica().state(), timeline.replica().memory()));
    }
    const Found end = timeline.go_to_end();
    if (!timeline.trouble().empty() || end.what == Found::What::Differs) {
        complain(timeline.trouble());
        return kExitFailure;
    }
    unsigned wrong = 0;
    for (std::size_t i = sums.size(); i-- > 0;) {
        timeline.go_to(first + (last - first) / kPlaces * i);
        wrong +=
            history::full_check(timeline.replica().state(), timeline.replica().memory()) != sums[i];
    }
    results().print("bundles {} to {}, {} events: {} places gone back to, {} differ\n", first, last,
                    log.events(), sums.size(), wrong);
    return wrong == 0 ? 0 : kExitFailure;
}

}  // namespace

int record(const RecordOptions& options) {
    const std::string& path = options.program.argv.front();
    if (!is_there(path)) return kExitNotFound;
    machine::RecordingOptions how;
    how.process = options.program.process();
    how.interpreter = options.program.interpreter;
    const auto log = std::make_shared<history::Log>(options.most_megabytes << 20);
    log->program.file = bytes_of(path);
    how.log = log;
    how.on_notice = [](const std::string& text) { complain(text); };
    keep_standard_error();
    const pid_t self = getpid();
    const auto result = machine::record_run(path, std::move(how));
    if (!result) {
        complain(with_advice(result.error()));
        return kExitCannotRun;
    }
    if (getpid() == self) {
        if (const auto saved = log->save(options.output); !saved) {
            complain(saved.error());
            return kExitFailure;
        }
        if (log->is_ended())
            complain(fmt::format("recorded up to bundle {}: {}", log->end_bundle(), log->ended()));
    }
    if (result->failed) {
        complain(fmt::format("{}: {}", path, result->detail));
        return kExitMissingOperation;
    }
    if (result->exit.kind != guest::ExitStatus::Kind::Signaled) return result->exit.value;
    complain(fmt::format("{}: {}", path, result->detail));
    guest::host_signals::die_by(result->exit.value);
}

int replay(const ReplayOptions& options) {
    const auto loaded = history::Log::load(options.file);
    if (!loaded) {
        complain(loaded.error());
        return kExitFailure;
    }
    const history::Log& log = **loaded;
    history::TimelineOptions how;
    how.interpret = options.interpreter;
    auto made = history::Timeline::create(*loaded, std::move(how));
    if (!made) {
        complain(fmt::format("{}: {}", options.file, made.error()));
        return kExitFailure;
    }
    history::Timeline& timeline = **made;
    const Printer printer(timeline);
    if (options.check) return check(log, timeline);
    std::optional<Target> target;
    if (!options.last_write.empty()) {
        target = parse_target(options.last_write);
        if (!target) {
            complain(
                fmt::format("\"{}\": a register (%r5, %g12, %pred3, %ctpr1) or memory "
                            "(0x11210, 0x11210:4)",
                            options.last_write));
            return kExitUsage;
        }
    }
    std::string arguments;
    for (const std::string& argument : log.program.argv) arguments += " " + argument;
    results().print("{}:{}\nbundles {} to {}, {} events\n", options.file, arguments,
                    log.first_bundle(), log.end_bundle(), log.events());
    if (log.is_ended()) results().print("recorded up to there: {}\n", log.ended());
    const Found found = options.to && *options.to < log.end_bundle()
                            ? timeline.go_to(std::max(*options.to, log.first_bundle()))
                            : timeline.go_to_end();
    if (found.what == Found::What::Differs) {
        complain(fmt::format("{}: {}", options.file, timeline.trouble()));
        return kExitFailure;
    }
    for (std::uint64_t n = 0; n < options.back; ++n) static_cast<void>(timeline.step_back());
    printer.here();
    if (!target) return 0;
    const auto write = timeline.last_write(*target);
    if (!write) {
        results().print("{} has not been written before\n", options.last_write);
        return 0;
    }
    results().print("{} was last written by {} bundle {} at {}: 0x{:x} became 0x{:x}\n",
                    options.last_write, write->by_event ? "what happened at" : "the bundle after",
                    write->position.bundle, printer.place(write->ip), write->before, write->after);
    return 0;
}

}  // namespace e2k::app
