#include "engine/machine/differential.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "engine/cpu/guest_space.h"
#include "engine/machine/snapshot_builder.h"

namespace e2k::machine {

namespace {

constexpr std::uint64_t kMemoryInterval = 4096;  ///< regions between two comparisons of memory
/// The kernel writes near the stack pointer only; what lies deeper was written by the guest itself.
constexpr std::uint64_t kBelowStack = 64u << 10;

/// Collects the first disagreement.
class Report {
public:
    template <class T>
    void same(const std::string& what, T translated, T interpreted) {
        if (text_.empty() && translated != interpreted)
            text_ = fmt::format("{}: translated 0x{:x}, interpreted 0x{:x}", what,
                                static_cast<std::uint64_t>(translated),
                                static_cast<std::uint64_t>(interpreted));
    }
    template <class Range>
    void same_each(const char* what, const Range& translated, const Range& interpreted) {
        for (std::size_t i = 0; i < std::size(translated); ++i)
            if (translated[i] != interpreted[i])
                return same(fmt::format("{}[{}]", what, i), translated[i], interpreted[i]);
    }
    const std::string& text() const { return text_; }

private:
    std::string text_;
};

void compare_loop(Report& report, const char* name, const cpu::LoopState& a,
                  const cpu::LoopState& b) {
    const std::string prefix = name;
    report.same(prefix + ".lcnt", a.lcnt, b.lcnt);
    report.same(prefix, a.lsr_image(), b.lsr_image());
}

void compare_aau(Report& report, const cpu::AauState& a, const cpu::AauState& b) {
    report.same_each("%aad.lo", a.aad_base, b.aad_base);
    report.same_each("%aad.hi", a.aad_hi, b.aad_hi);
    report.same_each("%aaind", a.aaind, b.aaind);
    report.same_each("%aaincr", a.aaincr, b.aaincr);
    report.same_each("%aasti", a.aasti, b.aasti);
    for (std::size_t i = 0; i < a.area.size(); ++i) {
        const std::string name = fmt::format("AAU area {}", i);
        report.same(name + " live", a.area[i].fmt, b.area[i].fmt);
        if (a.area[i].fmt == 0) continue;
        report.same(name + " index", a.area[i].cur, b.area[i].cur);
        report.same(name + " displacement", a.area[i].disp, b.area[i].disp);
    }
    report.same("AAU active", a.active, b.active);
}

/// Registers [first, last) of the window files, numbered from `origin`.
void compare_registers(Report& report, const cpu::CpuState& a, const cpu::CpuState& b,
                       std::size_t first, std::size_t last, std::size_t origin) {
    const cpu::Reg* pa = a.window_file;
    const cpu::Reg* pb = b.window_file;
    if (!a.exact_tags &&
        std::memcmp(pa + first, pb + first, (last - first) * sizeof(cpu::Reg)) == 0)
        return;
    for (std::size_t i = first; i < last; ++i) {
        const std::string name = i >= origin
                                     ? fmt::format("%r{}", i - origin)
                                     : fmt::format("register {} below the window", origin - i);
        report.same(name, pa[i].lo, pb[i].lo);
        report.same(name + " extension", pa[i].ext, pb[i].ext);
        if (a.exact_tags) report.same(name + " tag", a.tag_file[i], b.tag_file[i]);
    }
}

void compare_state(Report& report, const cpu::CpuState& a, const cpu::CpuState& b) {
    report.same("%ip", a.ip, b.ip);
    report.same("window base", a.window_index(), b.window_index());
    report.same("window size", a.wd.size, b.wd.size);
    report.same("window psize", a.wd.psize, b.wd.psize);
    report.same("window dbl", a.wd.dbl, b.wd.dbl);
    report.same("window fx", a.wd.fx, b.wd.fx);
    report.same("call depth", a.depth(), b.depth());
    if (!report.text().empty()) return;  // the windows are not comparable
    report.same("br.rbs", a.br.rbs, b.br.rbs);
    report.same("br.rsz", a.br.rsz, b.br.rsz);
    report.same("br.rcur", a.br.rcur, b.br.rcur);
    report.same("br.psz", a.br.psz, b.br.psz);
    report.same("br.pcur", a.br.pcur, b.br.pcur);
    const std::uint8_t mask = a.exact_tags ? 0xff : cpu::kPredValue;
    for (unsigned i = 0; i < a.pred.size(); ++i)
        report.same(fmt::format("predicate {} (physical)", i),
                    static_cast<std::uint8_t>(a.pred[i] & mask),
                    static_cast<std::uint8_t>(b.pred[i] & mask));
    compare_loop(report, "%lsr", a.lsr, b.lsr);
    compare_loop(report, "%ilcr", a.ilcr, b.ilcr);
    for (std::size_t i = 0; i < a.ctpr.size(); ++i) {
        const std::string name = fmt::format("%ctpr{}", i + 1);
        report.same(name, a.ctpr[i].base, b.ctpr[i].base);
        report.same(name + " tag", a.ctpr[i].tag, b.ctpr[i].tag);
        report.same(name + " image", a.ctpr[i].image(), b.ctpr[i].image());
    }
    report.same("stack pointer", a.usd_base, b.usd_base);
    report.same("%usd size", a.usd_size, b.usd_size);
    report.same("%sbr", a.sbr, b.sbr);
    report.same("%pfpfr", a.pfpfr, b.pfpfr);
    report.same("%fpcr", a.fpcr, b.fpcr);
    report.same("%fpsr", a.fpsr, b.fpsr);
    report.same("%upsr", a.upsr, b.upsr);
    report.same("bundles executed", a.bundles, b.bundles);
    report.same("operations executed", a.operations, b.operations);
    report.same("wait lock", a.lock.valid, b.lock.valid);
    if (a.lock.valid) report.same("wait lock address", a.lock.address, b.lock.address);
    for (std::size_t i = 0; i < a.g.size(); ++i) {
        report.same(fmt::format("%g{}", i), a.g[i].lo, b.g[i].lo);
        report.same(fmt::format("%g{} extension", i), a.g[i].ext, b.g[i].ext);
    }
    compare_aau(report, a.aau, b.aau);
    const std::size_t base = a.window_index();
    compare_registers(report, a, b, base, base + a.wd.size, base);
}

/// What a stop is, without the differences that only say who noticed first.
bool is_boundary(cpu::StopKind kind) {
    return kind == cpu::StopKind::Budget || kind == cpu::StopKind::Interrupted ||
           kind == cpu::StopKind::Breakpoint;
}

const char* name_of(cpu::StopKind kind) {
    switch (kind) {
        case cpu::StopKind::Budget:
        case cpu::StopKind::Interrupted:
        case cpu::StopKind::Breakpoint:
            return "bundle boundary";
        case cpu::StopKind::SystemCall:
            return "system call";
        case cpu::StopKind::Trapped:
            return "trap";
        case cpu::StopKind::CodeFlush:
            return "code flush";
        case cpu::StopKind::SignalReturn:
            return "return to the sentinel frame";
    }
    return "?";
}

std::string describe(const cpu::Stop& stop) {
    if (stop.kind != cpu::StopKind::Trapped) return name_of(stop.kind);
    return fmt::format("trap {} at 0x{:x}, address 0x{:x}, lane {}", cpu::name_of(stop.trap.code),
                       stop.trap.ip, stop.trap.address, stop.trap.channel);
}

bool same_stop(const cpu::Stop& a, const cpu::Stop& b) {
    if (is_boundary(a.kind) || is_boundary(b.kind))
        return is_boundary(a.kind) == is_boundary(b.kind);
    if (a.kind != b.kind) return false;
    switch (a.kind) {
        case cpu::StopKind::SystemCall:
            return a.syscall_entry == b.syscall_entry && a.syscall_wbs == b.syscall_wbs;
        case cpu::StopKind::Trapped:
            return a.trap.code == b.trap.code && a.trap.ip == b.trap.ip &&
                   a.trap.address == b.trap.address && a.trap.channel == b.trap.channel;
        case cpu::StopKind::CodeFlush:
            return a.flush_address == b.flush_address;
        default:
            return true;
    }
}

}  // namespace

struct Differential::Impl {
    explicit Impl(Guest& owner) : guest(owner) {}

    Guest& guest;
    cpu::GuestSpace space;
    cpu::MemoryView real, mirror;  ///< the mirror has memory of its own and the guest's page map
    cpu::HardwareStacks stacks;
    cpu::CpuState bottom;  ///< only its stack pointers are used: the areas of `stacks`
    cpu::CpuState state;   ///< of the mirror
    std::unique_ptr<cpu::Interpreter> interpreter;
    std::vector<guest::Region> mapped;
    std::uint64_t regions = 0;
    std::string difference, ended;

    /// The part of a mapping that can have changed or been written by the kernel.
    std::pair<std::uint64_t, std::uint64_t> live_part(const guest::Region& region,
                                                      const cpu::CpuState& s) const {
        const bool holds_stack = s.usd_base > region.begin && s.usd_base <= region.end;
        if (!holds_stack) return {region.begin, region.end};
        const std::uint64_t low = s.usd_base > kBelowStack ? s.usd_base - kBelowStack : 0;
        return {std::max(region.begin, low & ~(cpu::kPageSize - 1)), region.end};
    }

    template <class Visit>
    void each_page(const guest::Region& region, const cpu::CpuState& s, bool all,
                   Visit visit) const {
        const auto [begin, end] = all ? std::pair{region.begin, region.end} : live_part(region, s);
        for (std::uint64_t at = begin; at < end; at += cpu::kPageSize)
            if (real.allows(at, 1, cpu::kPageRead)) visit(at);
    }

    void copy_memory(const cpu::CpuState& s) {
        auto now = guest.process().memory().regions();
        const bool changed = !std::ranges::equal(now, mapped, [](const auto& a, const auto& b) {
            return a.begin == b.begin && a.end == b.end && a.prot == b.prot;
        });
        mapped = std::move(now);
        for (const guest::Region& region : mapped) {
            if (region.prot == guest::kProtNone) continue;
            if (region.shared && (region.prot & guest::kProtWrite))
                ended = "the guest made a shared mapping";
            if (changed)
                mprotect(mirror.base + mirror.place(region.begin), region.end - region.begin,
                         PROT_READ | PROT_WRITE);
            if (!changed && !(region.prot & guest::kProtWrite)) continue;
            each_page(region, s, changed, [&](std::uint64_t at) {
                std::uint8_t* const to = mirror.base + mirror.place(at);
                if (!real.copy_out(at, to, cpu::kPageSize)) std::memset(to, 0, cpu::kPageSize);
            });
        }
        if (changed) interpreter->invalidate(0, cpu::kAddressEnd);
    }

    void copy_state(const cpu::CpuState& s) {
        // CpuState is plain data but for one atomic flag, and nothing else runs.
        std::memcpy(static_cast<void*>(&state), static_cast<const void*>(&s), sizeof state);
        state.interrupt = 0;
        state.memory_base = mirror.base;
        const std::size_t registers = s.window_index() + s.wd.size;
        state.window_file = bottom.window_file;
        state.window = bottom.window_file + s.window_index();
        state.window_limit = bottom.window_file + (s.window_limit - s.window_file);
        state.tag_file = bottom.tag_file;
        state.window_tags = bottom.tag_file + s.window_index();
        state.chain_file = bottom.chain_file;
        state.chain_top = bottom.chain_file + s.depth();
        state.chain_limit = bottom.chain_file + (s.chain_limit - s.chain_file);
        state.walls_begin = bottom.walls_begin;
        state.walls_end = bottom.walls_end;
        // Registers above the window keep what calls left there; setwd can uncover them.
        const std::size_t reach = registers + cpu::kWindowSlack / 2;
        std::copy_n(s.window_file, reach, state.window_file);
        std::copy_n(s.tag_file, reach, state.tag_file);
        std::copy_n(s.chain_file, s.depth(), state.chain_file);
    }

    void synchronise(const cpu::CpuState& s) {
        copy_memory(s);
        copy_state(s);
    }

    void compare_memory(Report& report, const cpu::CpuState& s) const {
        for (const guest::Region& region : mapped) {
            if (!(region.prot & guest::kProtWrite)) continue;
            each_page(region, s, false, [&](std::uint64_t page) {
                std::array<std::uint8_t, cpu::kPageSize> a;
                if (!real.copy_out(page, a.data(), a.size())) return;
                const std::uint8_t* b = mirror.base + mirror.place(page);
                if (!report.text().empty() || std::memcmp(a.data(), b, a.size()) == 0) return;
                std::size_t i = 0;
                while (a[i] == b[i]) ++i;
                report.same(fmt::format("memory at 0x{:x}", page + i), a[i], b[i]);
            });
        }
        compare_registers(report, s, state, 0, s.window_index(), s.window_index());
        for (std::size_t i = 0; i < s.depth(); ++i)
            report.same(fmt::format("return address of chain frame {}", i),
                        s.chain_file[i].return_ip, state.chain_file[i].return_ip);
    }

    cpu::Stop run_mirror(const cpu::Stop& stop, std::uint64_t bundles) {
        cpu::Stop mine;
        if (bundles != 0) mine = interpreter->run(state, bundles);
        // A bundle that traps is not counted.
        if (stop.kind == cpu::StopKind::Trapped && mine.kind == cpu::StopKind::Budget)
            mine = interpreter->step(state);
        return mine;
    }

    void compare(const cpu::CpuState& s, const cpu::Stop& stop, std::uint64_t entry,
                 std::uint64_t bundles) {
        const cpu::Stop mine = run_mirror(stop, bundles);
        Report report;
        ++regions;
        if (same_stop(stop, mine)) {
            compare_state(report, s, state);
            if (report.text().empty() &&
                (!is_boundary(stop.kind) || regions % kMemoryInterval == 0))
                compare_memory(report, s);
            if (report.text().empty()) return;
            difference = report.text();
        } else {
            difference = fmt::format("end of the region: translated {}, interpreted {} at 0x{:x}",
                                     describe(stop), describe(mine), state.ip);
        }
        const std::string place = guest.process().symbols()->describe(entry);
        difference += fmt::format("\n  after region 0x{:x}{}, {} bundles, {} regions compared",
                                  entry, place.empty() ? "" : " (" + place + ")", bundles, regions);
        std::uint64_t at = entry;
        for (std::uint64_t i = 0; i < std::min<std::uint64_t>(bundles + 1, 12); ++i) {
            const auto bundle = cpu::fetch(real, at, s.iset);
            if (!bundle) break;
            difference += fmt::format("\n  0x{:x}: {}", at, bundle_text(real, at, s.iset));
            at = bundle->next_address();
        }
    }
};

Differential::Differential(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Differential::~Differential() = default;

tl::expected<std::unique_ptr<Differential>, std::string> Differential::create(Guest& guest) {
    auto impl = std::make_unique<Impl>(guest);
    impl->real = guest.process().memory().view();
    if (!impl->space.reserve() || !impl->stacks.reserve())
        return tl::unexpected<std::string>(
            "differential mode needs a second guest address space, which the host refuses "
            "(ulimit -v?)");
    impl->mirror = {impl->space.base(), impl->real.pages};
    impl->stacks.attach(impl->bottom);
    impl->interpreter = std::make_unique<cpu::Interpreter>(impl->mirror);
    impl->synchronise(guest.main().state());
    return std::unique_ptr<Differential>(new Differential(std::move(impl)));
}

Event Differential::advance(Runner& runner) {
    Impl& m = *impl_;
    cpu::CpuState& s = runner.state();
    s.held_clock = 0;
    if (!m.ended.empty() || runner.in_system_call()) return runner.advance();
    runner.prepare();
    m.guest.process().bundles_to_timer(runner.thread());
    if (s.interrupt.load() != 0) {  // run_region() leaves signals to its caller
        const Event event = runner.handle({.kind = cpu::StopKind::Interrupted, .trap = {}});
        if (event == Event::Interrupted) m.synchronise(s);
        return event;
    }
    const std::uint64_t entry = s.ip, before = s.bundles;
    // Both sides read the same time; one that runs from the bundles is the same by itself.
    cpu::GuestClock& clock = m.guest.process().clock();
    if (!clock.is_virtual() || clock.steps())
        s.held_clock = m.state.held_clock = clock.nanoseconds(s);
    const cpu::Stop stop = m.guest.translator().run_region(s, runner.interpreter());
    m.compare(s, stop, entry, s.bundles - before);
    if (!m.difference.empty()) return Event::Handled;
    const Event event = runner.handle(stop);
    if (event == Event::ProcessEnd || event == Event::ThreadEnd || event == Event::Failed)
        return event;
    if (m.guest.thread_count() > 1) m.ended = "the guest started a second thread";
    if (stop.kind != cpu::StopKind::Budget && m.ended.empty()) {
        if (stop.kind == cpu::StopKind::CodeFlush) m.interpreter->invalidate(0, cpu::kAddressEnd);
        m.synchronise(s);
    }
    return event;
}

const std::string& Differential::difference() const { return impl_->difference; }
const std::string& Differential::ended() const { return impl_->ended; }
std::uint64_t Differential::regions_compared() const { return impl_->regions; }

}  // namespace e2k::machine
