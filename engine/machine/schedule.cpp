#include "engine/machine/schedule.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "engine/cpu/interpreter.h"
#include "engine/isa/disassembler.h"
#include "engine/machine/guest.h"
#include "engine/machine/quality_text.h"

namespace e2k::machine {

using timing::TimedBundle;

namespace {

constexpr std::size_t kMostBundles = 20'000;  ///< of a function that is looked at
constexpr std::size_t kMostNodes = 2'000;

bool number(std::string_view text, std::uint64_t& value) {
    const int base = text.starts_with("0x") ? 16 : 10;
    if (base == 16) text.remove_prefix(2);
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return error == std::errc() && rest == text.data() + text.size();
}

/// "0x10b70", "main", "main+0x18".
tl::expected<std::uint64_t, std::string> address_of(const std::string& place,
                                                    const guest::SymbolTable& symbols) {
    std::uint64_t value = 0;
    if (number(place, value)) return value;
    const std::size_t plus = place.rfind('+');
    const std::string name = place.substr(0, plus);
    const guest::Symbol* symbol = symbols.by_name(name);
    if (!symbol) return tl::unexpected(fmt::format("no symbol \"{}\"", name));
    if (plus == std::string::npos) return symbol->address;
    if (!number(std::string_view(place).substr(plus + 1), value))
        return tl::unexpected(fmt::format("\"{}\" is no number", place.substr(plus + 1)));
    return symbol->address + value;
}

bool transfers(const isa::Bundle& b) {
    return b.ss.ctop != 0 || b.cs1.icall || b.cs0.kind == isa::Cs0Kind::Ibranch;
}

/// Bundles of the function around an address, one behind the other.
tl::expected<std::vector<isa::Bundle>, std::string> function_at(std::uint64_t address,
                                                                const guest::SymbolTable& symbols,
                                                                const cpu::MemoryView& memory,
                                                                int iset) {
    const guest::Symbol* symbol = symbols.find(address);
    std::uint64_t at = symbol ? symbol->address : address;
    std::uint64_t end = symbol && symbol->size ? symbol->address + symbol->size : ~0ull;
    if (end <= address) {
        at = address;
        end = ~0ull;
    }
    std::vector<isa::Bundle> code;
    while (at < end && code.size() < kMostBundles) {
        auto bundle = cpu::fetch(memory, at, iset);
        if (!bundle) break;
        at = bundle->next_address();
        code.push_back(std::move(*bundle));
        if (end == ~0ull && transfers(code.back()) && code.back().address >= address) break;
    }
    const auto found = std::ranges::find(code, address, &isa::Bundle::address);
    if (found == code.end())
        return tl::unexpected(fmt::format("no bundle begins at 0x{:x}", address));
    return code;
}

struct Block {
    std::vector<isa::Bundle> bundles;
    bool loop = false;
};

Block block_around(const std::vector<isa::Bundle>& code, std::uint64_t address) {
    std::set<std::uint64_t> leaders{code.front().address};
    std::set<std::pair<std::uint8_t, std::uint64_t>> prepared;
    for (const isa::Bundle& b : code) {
        if (b.cs0.kind == isa::Cs0Kind::Disp || b.cs0.kind == isa::Cs0Kind::Ibranch)
            leaders.insert(b.cs0.target);
        if (b.cs0.kind == isa::Cs0Kind::Disp) prepared.insert({b.cs0.ctpr, b.cs0.target});
        if (transfers(b)) leaders.insert(b.next_address());
    }
    Block block;
    for (const isa::Bundle& b : code) {
        if (leaders.contains(b.address)) {
            if (b.address > address) break;
            block.bundles.clear();
        }
        block.bundles.push_back(b);
    }
    const isa::Bundle& last = block.bundles.back();
    const std::uint64_t begin = block.bundles.front().address;
    block.loop =
        (last.ss.ctop != 0 && !last.cs1.call && prepared.contains({last.ss.ctop, begin})) ||
        (last.cs0.kind == isa::Cs0Kind::Ibranch && last.cs0.target == begin);
    return block;
}

void add_counts(ScheduleReport& report, const timing::CycleModel& model) {
    std::uint64_t cycles = 0;
    for (const TimedBundle& b : model.bundles()) {
        if (b.address < report.begin || b.address >= report.end) continue;
        cycles += b.total_cycles();
        report.slots += b.total_cycles() * isa::kChannels;
        report.useful += b.useful;
        if (b.address == report.begin) report.executions += b.executions;
        report.loads_from_nowhere += b.dropped_loads;
        for (unsigned i = 0; i < b.op_count; ++i) {
            const timing::TimedOp& op = b.ops[i];
            const std::uint64_t annulled = b.annulled[op.channel];
            report.annulled += annulled;
            if (op.kind == timing::TimedOp::Kind::Load && op.speculative)
                report.speculative_loads += b.executions - annulled;
            if (op.guard.count == 0 || b.executions == 0) continue;
            report.guards.push_back({b.address,
                                     fmt::format("{},{}", op.operation->mnemonic, op.channel),
                                     b.executions, annulled});
        }
    }
    if (report.executions)
        report.cycles_each = static_cast<double>(cycles) / static_cast<double>(report.executions);
}

void add_variants(ScheduleReport& report) {
    for (const timing::Machine machine :
         {timing::Machine{1, false}, {2, false}, {4, false}, {6, false}, {6, true}}) {
        ScheduleVariant v;
        v.machine = machine;
        v.name = machine.infinite     ? "no limits"
                 : machine.lanes == 1 ? "1 lane"
                                      : fmt::format("{} lanes", machine.lanes);
        v.bounds = timing::bounds_of(report.graph, machine);
        v.block = timing::schedule_block(report.graph, machine);
        if (report.graph.loop) v.loop = timing::schedule_loop(report.graph, machine);
        report.variants.push_back(std::move(v));
    }
}

}  // namespace

tl::expected<ScheduleReport, std::string> make_schedules(const std::string& path,
                                                         CyclesOptions options,
                                                         const std::string& place) {
    ScheduleReport report;
    std::string wrong;
    options.at_end = [&](Guest& guest, const timing::CycleModel& model) {
        const guest::SymbolTable& symbols = *guest.process().symbols();
        const auto address = address_of(place, symbols);
        if (!address) {
            wrong = address.error();
            return;
        }
        const int iset = guest.main().state().iset;
        const auto code = function_at(*address, symbols, guest.process().memory().view(), iset);
        if (!code) {
            wrong = code.error();
            return;
        }
        const Block block = block_around(*code, *address);
        report.begin = block.bundles.front().address;
        report.end = block.bundles.back().next_address();
        report.place = quality_place(&symbols, report.begin);
        report.pipelined =
            std::ranges::any_of(block.bundles, [](const isa::Bundle& b) { return b.ss.abn != 0; });
        report.graph = timing::make_graph(block.bundles, block.loop, iset, model.processor());
        if (report.graph.nodes.size() > kMostNodes) {
            wrong = fmt::format("the block has {} operations; {} are the most that are scheduled",
                                report.graph.nodes.size(), kMostNodes);
            return;
        }
        add_counts(report, model);
    };
    auto run = run_cycles(path, std::move(options));
    if (!run) return tl::unexpected(std::move(run.error()));
    if (!wrong.empty()) return tl::unexpected(fmt::format("{}: {}", place, wrong));
    report.compiler = timing::compiler_schedule(report.graph);
    add_variants(report);
    return report;
}

namespace {

double percent(std::uint64_t part, std::uint64_t whole) {
    return whole ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0;
}

void add_head(std::string& out, const ScheduleReport& r) {
    std::size_t operations = 0;
    for (const timing::GraphNode& n : r.graph.nodes) operations += n.unit == timing::Unit::Channel;
    out += fmt::format("{} {}..{:x}: {} bundles, {} operations in channels, {} dependences\n",
                       r.graph.loop ? (r.pipelined ? "pipelined loop" : "loop") : "block", r.place,
                       r.end, r.graph.pauses.size(), operations, r.graph.edges.size());
    out += fmt::format("the compiler's code: {} cycles an iteration{}\n",
                       r.graph.loop ? r.compiler.interval : r.compiler.length,
                       r.graph.loop ? " in the long run" : "");
}

void add_variant_rows(std::string& out, const ScheduleReport& r) {
    out +=
        "\n             bounds in cycles               cycles an iteration     idle lanes, why\n"
        "machine      path  resources  recurrence    alone  overlapped      "
        "dependence  latency  resource  nothing left\n";
    for (const ScheduleVariant& v : r.variants) {
        const timing::Schedule& s = r.graph.loop ? v.loop : v.block;
        const auto star = [](const timing::Schedule& x) { return x.optimal ? '*' : ' '; };
        out += fmt::format("{:<11} {:5}  {:9}  {:>10}    {:5}{} {:>9}{}", v.name,
                           v.bounds.critical_path, v.bounds.resources,
                           r.graph.loop ? std::to_string(v.bounds.recurrence) : "-", v.block.length,
                           star(v.block), r.graph.loop ? std::to_string(v.loop.interval) : "-",
                           r.graph.loop ? star(v.loop) : ' ');
        if (!v.machine.infinite)
            out += fmt::format("      {:10}  {:7}  {:8}  {:12}", s.idle[0], s.idle[1], s.idle[2],
                               s.idle[3]);
        out += '\n';
    }
    out += "* no schedule of this graph takes fewer cycles\n";
}

void add_counts_text(std::string& out, const ScheduleReport& r) {
    if (r.executions == 0) {
        out += "\nnot executed\n";
        return;
    }
    out += fmt::format("\nexecuted {} times, {:.2f} modelled cycles each\n", r.executions,
                       r.cycles_each);
    out += fmt::format("lanes: {:.1f} % useful, {:.1f} % annulled by guards, {:.1f} % empty\n",
                       percent(r.useful, r.slots), percent(r.annulled, r.slots),
                       100 - percent(r.useful + r.annulled, r.slots));
    if (r.speculative_loads)
        out += fmt::format("speculative loads: {}, {} of them from nowhere and thrown away\n",
                           r.speculative_loads, r.loads_from_nowhere);
    if (r.guards.empty()) return;
    out += "guards\n  true %     executed  operation\n";
    for (const GuardReport& g : r.guards)
        out += fmt::format("  {:6.2f} {:12}  {:x} {}\n", 100 - percent(g.annulled, g.executions),
                           g.executions, g.address, g.operation);
}

void add_graph(std::string& out, const ScheduleReport& r) {
    constexpr std::array<std::string_view, 5> kKinds{"register", "predicate", "memory", "output",
                                                     "transfer"};
    const timing::Schedule& wide = r.graph.loop ? r.variants[3].loop : r.variants[3].block;
    out += "\noperations: compiler's cycle, cycle in 6 lanes, operation\n";
    for (std::size_t n = 0; n < r.graph.nodes.size(); ++n) {
        out += fmt::format("{:4}  {:5} {:5}  {}\n", n, r.compiler.cycle[n], wide.cycle[n],
                           r.graph.nodes[n].text);
        for (const timing::GraphEdge& e : r.graph.edges)
            if (e.to == n && !(e.kind == timing::Dependence::Transfer && e.latency == 0))
                out +=
                    fmt::format("                    {} cycles after {} ({}{})\n", e.latency,
                                e.from, kKinds[static_cast<std::size_t>(e.kind)],
                                e.distance ? fmt::format(", {} iterations ago", e.distance) : "");
    }
}

}  // namespace

std::string schedule_text(const ScheduleReport& report, bool graph) {
    std::string out;
    add_head(out, report);
    add_variant_rows(out, report);
    add_counts_text(out, report);
    if (graph) add_graph(out, report);
    return out;
}

}  // namespace e2k::machine
