#include "engine/machine/run_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "engine/isa/number.h"
#include "engine/machine/snapshot_builder.h"
#include "engine/translate/host_text.h"

namespace e2k::machine {

const std::array<LogItemName, 9> kLogItems{{
    {LogItem::InAsm, "in_asm", "the bundles of each region as it is translated"},
    {LogItem::Op, "op", "what each of its operations became: host instructions and their reasons"},
    {LogItem::OutAsm, "out_asm", "the host code of each region"},
    {LogItem::Exec, "exec", "each region as it is entered (--interp: each bundle); slow"},
    {LogItem::Cpu, "cpu", "the registers there; slow"},
    {LogItem::Strace, "strace", "each system call with its arguments and result"},
    {LogItem::Unimp, "unimp", "system calls and operations that this build does not know"},
    {LogItem::NoChain, "nochain", "regions do not lead to one another: with exec, each is written"},
    {LogItem::Page, "page", "the program's mappings, at the start and when they change"},
}};

namespace {

constexpr std::uint32_t bit(LogItem item) { return 1u << static_cast<unsigned>(item); }

/// The parts between commas.
std::vector<std::string_view> parts_of(std::string_view text) {
    std::vector<std::string_view> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

std::optional<std::pair<std::uint64_t, std::uint64_t>> range_of(std::string_view text) {
    const std::size_t dots = text.find("..");
    const std::size_t sign = text.find_first_of("+-");
    const std::size_t at = std::min(dots, sign);
    if (at == std::string_view::npos) return std::nullopt;
    const auto first = isa::parse_number(text.substr(0, at));
    const auto second = isa::parse_number(text.substr(at + (at == dots ? 2 : 1)));
    if (!first || !second) return std::nullopt;
    std::pair<std::uint64_t, std::uint64_t> range{*first, *second + 1};
    if (at != dots) {
        range.second = *first + *second;
        if (text[at] == '-') range = {*first - std::min(*first, *second), *first};
    }
    if (range.first >= range.second) return std::nullopt;
    return range;
}

/// "0x10000 main+0x10".
std::string place_text(Guest& guest, std::uint64_t address) {
    const std::string name = guest.process().symbols()->describe(address);
    return fmt::format("0x{:x}{}{}", address, name.empty() ? "" : " ", name);
}

std::string registers_text(const cpu::CpuState& s) {
    std::string text;
    const auto add = [&](const std::string& name, const cpu::Reg& reg) {
        text += fmt::format("cpu      {} = 0x{:x}", name, reg.lo);
        if (reg.ext) text += fmt::format(" (extension 0x{:x})", reg.ext);
        text += '\n';
    };
    for (unsigned i = 0; i < s.wd.size; ++i) add(fmt::format("%r{}", i), s.window[i]);
    for (std::size_t i = 0; i < s.g.size(); ++i)
        if (s.g[i].lo || s.g[i].ext) add(fmt::format("%g{}", i), s.g[i]);
    std::string predicates;
    for (unsigned n = 0; n < s.pred.size(); ++n)
        if (s.pred[s.pred_phys(n)] & cpu::kPredValue) predicates += fmt::format(" %pred{}", n);
    text += fmt::format("cpu      true:{}\n", predicates.empty() ? " none" : predicates);
    for (std::size_t i = 0; i < s.ctpr.size(); ++i)
        if (const std::uint64_t image = s.ctpr[i].image())
            text += fmt::format("cpu      %ctpr{} = 0x{:x}\n", i + 1, image);
    return text + fmt::format(
                      "cpu      %lsr = 0x{:x}, window at {}, rbs {} rsz {} rcur {}, sp 0x{:x}, "
                      "bundles {}\n",
                      s.lsr.lsr_image(), s.window_index(), s.br.rbs, s.br.rsz, s.br.rcur,
                      s.usd_base, s.bundles);
}

/// One line for each operation, and for what belongs to the bundle as a whole.
std::string operations_text(const translate::RegionRecord& record) {
    const translate::HostText host;
    std::string text;
    const translate::HostRange* last = nullptr;
    std::map<std::string_view, unsigned> reasons;
    const auto finish = [&] {
        if (!last) return;
        text += fmt::format(
            "op       0x{:x} {}:", record.bundle_addresses[last->bundle],
            last->lane < 0 ? std::string("bundle") : fmt::format("channel {}", last->lane));
        for (const auto& [reason, count] : reasons) text += fmt::format(" {} {}", count, reason);
        text += '\n';
        reasons.clear();
    };
    for (const translate::HostRange& range : record.ranges) {
        if (range.bundle >= record.bundle_addresses.size()) continue;
        if (last && (last->bundle != range.bundle || last->lane != range.lane)) finish();
        last = &range;
        for (std::size_t at = range.begin, length = 0; at < range.end; at += length) {
            host.instruction(record.host_code, at, length);
            ++reasons[translate::name_of(range.reason)];
        }
    }
    finish();
    return text;
}

std::string host_code_text(const translate::RegionRecord& record) {
    std::string text;
    for (const bool cold : {false, true})
        translate::for_each_instruction(
            record, cold,
            [&](std::size_t at, const std::string& instruction, const translate::HostRange& range) {
                text += fmt::format("out_asm  {:x}: {:<44} {}\n", record.host_address + at,
                                    instruction, translate::name_of(range.reason));
            });
    return text;
}

bool changes_mappings(const std::string& name) {
    constexpr std::array<std::string_view, 6> kCalls{"mmap",   "munmap", "mprotect",
                                                     "mremap", "brk",    "execve"};
    return std::ranges::find(kCalls, name) != kCalls.end();
}

}  // namespace

tl::expected<std::uint32_t, std::string> parse_log_items(std::string_view text) {
    std::uint32_t items = 0;
    for (const std::string_view part : parts_of(text)) {
        const auto found = std::ranges::find(kLogItems, part, &LogItemName::name);
        if (found == kLogItems.end())
            return tl::unexpected(
                fmt::format("log: no item \"{}\"; \"--log help\" lists them", part));
        items |= bit(found->item);
    }
    return items;
}

tl::expected<std::vector<std::pair<std::uint64_t, std::uint64_t>>, std::string> parse_log_ranges(
    std::string_view text) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
    for (const std::string_view part : parts_of(text)) {
        const auto range = range_of(part);
        if (!range)
            return tl::unexpected(fmt::format(
                "range \"{}\": not FIRST..LAST, START+LENGTH or END-LENGTH with numbers such as "
                "0x10000",
                part));
        ranges.push_back(*range);
    }
    return ranges;
}

RunLog::RunLog(RunLogOptions options, std::function<void(std::string_view)> write)
    : options_(std::move(options)), write_(std::move(write)) {}

bool RunLog::wanted(std::uint64_t address) const {
    return options_.ranges.empty() || std::ranges::any_of(options_.ranges, [&](const auto& range) {
               return address >= range.first && address < range.second;
           });
}

void RunLog::put(const std::string& text) {
    std::lock_guard lock(mutex_);
    if (!text.empty()) write_(text);
}

void RunLog::prepare(GuestOptions& options) {
    const auto any = [&](std::uint32_t mask) { return (options_.items & mask) != 0; };
    if (any(bit(LogItem::Strace) | bit(LogItem::Unimp) | bit(LogItem::Page)))
        options.process.log_syscalls = true;
    if (any(bit(LogItem::InAsm) | bit(LogItem::Op) | bit(LogItem::OutAsm)))
        options.translator.on_region = [this](const auto& record) { region(record); };
    if (any(bit(LogItem::NoChain))) options.translator.unchained = true;
    if (any(bit(LogItem::Exec) | bit(LogItem::Cpu)))
        options.on_enter = [this](Runner& runner) { entering(runner); };
}

void RunLog::begin(Guest& guest) {
    guest_ = &guest;
    if (options_.has(LogItem::Page)) pages("start");
}

void RunLog::system_call(const guest::SyscallRecord& record) {
    std::string text;
    if (options_.has(LogItem::Strace))
        text += fmt::format("strace   [{}] {}({}) = {}\n", record.thread, record.name,
                            record.arguments, record.result_text);
    if (options_.has(LogItem::Unimp) && record.unknown)
        text += fmt::format("unimp    system call {} at 0x{:x}: {}\n", record.number, record.ip,
                            record.result_text);
    put(text);
    if (options_.has(LogItem::Page) && guest_ && changes_mappings(record.name))
        pages(record.name.c_str());
}

void RunLog::missing(const std::string& what) {
    if (options_.has(LogItem::Unimp)) put("unimp    " + what + "\n");
}

void RunLog::region(const translate::RegionRecord& record) {
    if (!guest_ ||
        std::ranges::none_of(record.bundle_addresses, [&](std::uint64_t at) { return wanted(at); }))
        return;
    std::string text =
        fmt::format("region   {} at {}, tier {}, {}\n", record.id,
                    place_text(*guest_, record.guest_begin), record.tier, record.key_text);
    const cpu::MemoryView memory = guest_->process().memory().view();
    if (options_.has(LogItem::InAsm))
        for (const std::uint64_t at : record.bundle_addresses)
            text += fmt::format("in_asm   {}: {}\n", place_text(*guest_, at),
                                bundle_text(memory, at, guest_->main().state().iset));
    if (options_.has(LogItem::Op)) text += operations_text(record);
    if (options_.has(LogItem::OutAsm)) text += host_code_text(record);
    put(text);
}

void RunLog::entering(Runner& runner) {
    const cpu::CpuState& s = runner.state();
    if (!wanted(s.ip)) return;
    std::string text;
    if (options_.has(LogItem::Exec))
        text += fmt::format("exec     [{}] {}\n", runner.thread().tid,
                            place_text(runner.guest(), s.ip));
    if (options_.has(LogItem::Cpu)) text += registers_text(s);
    put(text);
}

void RunLog::pages(const char* why) {
    std::string text;
    for (const guest::Region& r : guest_->process().memory().regions())
        text += fmt::format("page     {:016x}-{:016x} {}{}{} {}\n", r.begin, r.end,
                            r.prot & guest::kProtRead ? 'r' : '-',
                            r.prot & guest::kProtWrite ? 'w' : '-',
                            r.prot & guest::kProtExec ? 'x' : '-', r.name);
    {
        std::lock_guard lock(mutex_);
        if (text == pages_) return;
        pages_ = text;
    }
    put(fmt::format("page     {}:\n", why) + text);
}

}  // namespace e2k::machine
