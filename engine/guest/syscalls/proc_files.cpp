// Files of /proc that must speak of the guest, not of the workbench that runs it.
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>

#include <fmt/format.h>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

constexpr std::uint64_t kPage = cpu::kPageSize;

/// What a path below /proc names of the guest: the file, and of which thread.
struct ProcEntry {
    std::string file;
    std::shared_ptr<Thread> thread;
};
std::optional<ProcEntry> entry_of(const Process::Impl& process, const std::string& path) {
    const std::string plain = plain_path(path);
    ProcEntry entry{{}, process.main_thread};
    for (const std::string& prefix : {std::string("/proc/self/"), std::string("/proc/thread-self/"),
                                      fmt::format("/proc/{}/", process.pid)})
        if (plain.starts_with(prefix)) entry.file = plain.substr(prefix.size());
    if (entry.file.starts_with("task/")) {
        std::uint32_t tid = 0;
        const char* const end = entry.file.data() + entry.file.size();
        const auto number = std::from_chars(entry.file.data() + 5, end, tid);
        if (number.ec != std::errc() || number.ptr == end || *number.ptr != '/')
            return std::nullopt;
        entry.thread = process.find_thread(tid);
        entry.file = number.ptr + 1;
    }
    if (entry.file.empty() || !entry.thread) return std::nullopt;
    return entry;
}

std::string host_file(const char* path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string cpuinfo(const cpu::CpuState& state, int processors) {
    struct Model {
        std::uint8_t idr;
        const char* name;
    };
    constexpr std::array models{Model{3, "E2S"},    Model{4, "E2C+"},   Model{6, "E2C+"},
                                Model{7, "E8C"},    Model{8, "E1C+"},   Model{9, "E8C2"},
                                Model{0xa, "E12C"}, Model{0xb, "E16C"}, Model{0xc, "E2C3"}};
    const char* name = "E2K";
    for (const Model& m : models)
        if (m.idr == state.idr_model) name = m.name;
    std::string text;
    for (int i = 0; i < processors; ++i)
        text += fmt::format(
            "processor\t: {}\nvendor_id\t: {}\ncpu family\t: {}\nmodel\t\t: {}\nmodel name\t: {}\n"
            "revision\t: 2\ncpu MHz\t\t: 1299.912740\nbogomips\t: 2600.68\n\n",
            i, state.iset >= 5 ? "Elbrus-MCST" : "E8C-SWTX", state.iset, state.idr_model, name);
    return text;
}

// --- memory ---

std::string map_line(const Region& r) {
    struct stat st {};
    if (!r.name.starts_with('/') || stat(r.name.c_str(), &st) != 0) st = {};
    std::string line =
        fmt::format("{:08x}-{:08x} {}{}{}{} {:08x} {:02x}:{:02x} {} ", r.begin, r.end,
                    r.prot & kProtRead ? 'r' : '-', r.prot & kProtWrite ? 'w' : '-',
                    r.prot & kProtExec ? 'x' : '-', r.shared ? 's' : 'p', r.file_offset,
                    major(st.st_dev), minor(st.st_dev), st.st_ino);
    constexpr std::size_t kNameColumn = 73;
    if (!r.name.empty()) {
        line.resize(std::max(line.size(), kNameColumn), ' ');
        line += r.name;
    }
    return line + "\n";
}

std::string maps(const AddressSpace& memory) {
    std::string text;
    for (const Region& r : memory.regions()) text += map_line(r);
    return text;
}

/// Bytes of a mapping that are in memory.
std::uint64_t resident(AddressSpace& memory, const Region& r) {
    if (r.prot == kProtNone) return 0;
    constexpr std::uint64_t kChunk = 1u << 16;
    std::vector<std::uint8_t> pages(kChunk);
    std::uint64_t count = 0;
    memory.for_each_part(
        r.begin, r.end - r.begin, [&](const Region&, std::uint8_t* at, std::uint64_t size) {
            for (std::uint64_t done = 0; done < size; done += kChunk * kPage) {
                const std::uint64_t n = std::min(kChunk * kPage, size - done);
                if (mincore(at + done, n, pages.data()) != 0) return errno;
                count += static_cast<std::uint64_t>(
                    std::count_if(pages.begin(), pages.begin() + static_cast<long>(n / kPage),
                                  [](std::uint8_t page) { return page & 1; }));
            }
            return 0;
        });
    return count * kPage;
}

struct Usage {
    std::uint64_t size = 0, resident = 0, shared = 0, text = 0, data = 0, stack = 0;
};
Usage usage_of(AddressSpace& memory) {
    Usage u;
    for (const Region& r : memory.regions()) {
        const std::uint64_t size = r.end - r.begin, in_memory = resident(memory, r);
        u.size += size;
        u.resident += in_memory;
        const bool anonymous = !r.name.starts_with('/');
        if (r.shared || !anonymous) u.shared += in_memory;
        if (r.prot & kProtExec) u.text += size;
        if (r.name == "[stack]")
            u.stack += size;
        else if (!r.shared && (r.prot & kProtWrite))
            u.data += size;
    }
    return u;
}

/// The fields of one mapping in smaps, or of all in smaps_rollup.
std::string usage_lines(const Region& r, std::uint64_t size, std::uint64_t in_memory) {
    const std::uint64_t kib = in_memory >> 10, dirty = (r.prot & kProtWrite) ? kib : 0;
    const std::uint64_t anonymous = r.shared || r.name.starts_with('/') ? 0 : kib;
    std::string text = fmt::format(
        "Size:           {:>8} kB\nKernelPageSize: {:>8} kB\n"
        "MMUPageSize:    {:>8} kB\n",
        size >> 10, kPage >> 10, kPage >> 10);
    const std::pair<const char*, std::uint64_t> fields[] = {
        {"Rss", kib},
        {"Pss", kib},
        {"Shared_Clean", r.shared ? kib - dirty : 0},
        {"Shared_Dirty", r.shared ? dirty : 0},
        {"Private_Clean", r.shared ? 0 : kib - dirty},
        {"Private_Dirty", r.shared ? 0 : dirty},
        {"Referenced", kib},
        {"Anonymous", anonymous},
        {"LazyFree", 0},
        {"AnonHugePages", 0},
        {"ShmemPmdMapped", 0},
        {"FilePmdMapped", 0},
        {"Shared_Hugetlb", 0},
        {"Private_Hugetlb", 0},
        {"Swap", 0},
        {"SwapPss", 0},
        {"Locked", 0}};
    for (const auto& [name, value] : fields)
        text += fmt::format("{:<15} {:>8} kB\n", std::string(name) + ":", value);
    return text;
}

std::string smaps(AddressSpace& memory) {
    std::string text;
    for (const Region& r : memory.regions()) {
        text += map_line(r) + usage_lines(r, r.end - r.begin, resident(memory, r)) +
                "THPeligible:    0\nVmFlags:";
        for (const auto& [bit, name] : {std::pair{kProtRead, " rd"}, std::pair{kProtWrite, " wr"},
                                        std::pair{kProtExec, " ex"}})
            if (r.prot & bit) text += name;
        text += r.shared ? " sh mr mw me ms\n" : " mr mw me\n";
    }
    return text;
}

std::string smaps_rollup(AddressSpace& memory) {
    const auto regions = memory.regions();
    if (regions.empty()) return {};
    Region all;
    all.begin = regions.front().begin;
    all.end = regions.back().end;
    all.name = "[rollup]";
    all.prot = kProtWrite;
    std::string text = usage_lines(all, 0, usage_of(memory).resident);
    text.erase(0, text.find("Rss:"));
    all.prot = kProtNone;
    return map_line(all) + text;
}

std::string statm(AddressSpace& memory) {
    const Usage u = usage_of(memory);
    return fmt::format("{} {} {} {} 0 {} 0\n", u.size / kPage, u.resident / kPage, u.shared / kPage,
                       u.text / kPage, (u.data + u.stack) / kPage);
}

// --- status ---

struct SignalSets {
    std::uint64_t thread_pending, pending, blocked, ignored, caught;
    std::size_t queued;
};
SignalSets signals_of(Process::Impl& process, const Thread& thread) {
    std::lock_guard lock(process.signal_mutex);
    process.fetch_pending();
    SignalSets sets{0, 0, thread.signals->mask, 0, 0, process.pending.size()};
    for (const SiginfoE2k& info : thread.signals->pending)
        sets.thread_pending |= signal_bit(info.signo);
    for (const SiginfoE2k& info : process.pending) sets.pending |= signal_bit(info.signo);
    for (int signal = 1; signal <= kSignals; ++signal) {
        const std::uint64_t handler = process.actions[static_cast<std::size_t>(signal)].handler;
        if (handler == 1) sets.ignored |= signal_bit(signal);
        if (handler > 1) sets.caught |= signal_bit(signal);
    }
    return sets;
}

std::size_t thread_count(const Process::Impl& process) {
    std::lock_guard lock(process.thread_mutex);
    return process.threads.size();
}

/// The host's file with the lines that are different for the guest.
std::string status(Process::Impl& process, const Thread& thread) {
    const SignalSets sets = signals_of(process, thread);
    const Usage u = usage_of(*process.memory);
    const auto kib = [](std::uint64_t bytes) { return fmt::format("{:>8} kB", bytes >> 10); };
    const auto set = [](std::uint64_t bits) { return fmt::format("{:016x}", bits); };
    const std::pair<std::string, std::string> own[] = {
        {"Name", process.name_of(thread)},
        {"Pid", std::to_string(thread.tid)},
        {"VmPeak", kib(u.size)},
        {"VmSize", kib(u.size)},
        {"VmHWM", kib(u.resident)},
        {"VmRSS", kib(u.resident)},
        {"RssAnon", kib(u.resident - u.shared)},
        {"RssFile", kib(u.shared)},
        {"RssShmem", kib(0)},
        {"VmData", kib(u.data)},
        {"VmStk", kib(u.stack)},
        {"VmExe", kib(u.text)},
        {"VmLib", kib(0)},
        {"VmPTE", kib(u.resident / kPage * 8)},
        {"Threads", std::to_string(thread_count(process))},
        {"SigPnd", set(sets.thread_pending)},
        {"ShdPnd", set(sets.pending)},
        {"SigBlk", set(sets.blocked)},
        {"SigIgn", set(sets.ignored)},
        {"SigCgt", set(sets.caught)},
        {"NoNewPrivs", process.self_state.no_new_privileges ? "1" : "0"},
        {"Seccomp", "0"},
        {"Seccomp_filters", "0"}};
    std::istringstream host(host_file("/proc/self/status"));
    std::string text;
    for (std::string line; std::getline(host, line);) {
        const std::string name = line.substr(0, line.find(':'));
        const auto found =
            std::ranges::find(own, name, &std::pair<std::string, std::string>::first);
        text += (found == std::end(own) ? line : name + ":\t" + found->second) + "\n";
    }
    return text;
}

// --- virtual time ---

constexpr std::uint64_t kTick = cpu::GuestClock::kSecond / 100;

/// In hundredths of a second. One reading of the clock.
struct VirtualTicks {
    VirtualTicks(const Process::Impl& process, const Thread& thread)
        : up(process.clock->nanoseconds(thread.state) / kTick),
          processor(process.clock->peek(CLOCK_PROCESS_CPUTIME_ID, thread.state) / kTick),
          children(process.clock->children_time() / kTick) {}
    std::uint64_t up, processor, children, begin = cpu::GuestClock::kUptime / kTick;
};

std::string uptime(const Process::Impl& process) {
    const VirtualTicks t(process, *process.main_thread);
    const std::uint64_t idle = t.up - std::min(t.up, t.processor);
    return fmt::format("{}.{:02} {}.{:02}\n", t.up / 100, t.up % 100, idle / 100, idle % 100);
}

/// /proc/stat: of the processors only their times, which are those of the guest.
std::string machine_stat(const Process::Impl& process) {
    const VirtualTicks t(process, *process.main_thread);
    const std::uint64_t used = t.processor + t.children, idle = t.up - std::min(t.up, used);
    std::string text = fmt::format("cpu  {} 0 0 {} 0 0 0 0 0 0\n", used, idle);
    for (long i = 0; i < std::max(1l, sysconf(_SC_NPROCESSORS_ONLN)); ++i)
        text += fmt::format("cpu{} {} 0 0 {} 0 0 0 0 0 0\n", i, i ? 0 : used, i ? t.up : idle);
    constexpr std::uint64_t kBoot =
        (cpu::GuestClock::kStart - cpu::GuestClock::kUptime) / cpu::GuestClock::kSecond;
    return text + fmt::format(
                      "intr 0\nctxt 0\nbtime {}\nprocesses 1\nprocs_running 1\n"
                      "procs_blocked 0\n",
                      kBoot);
}

/// The numbers behind the name, counted as proc(5) does, from 3 on.
std::string stat(Process::Impl& process, const Thread& thread) {
    const std::string host = host_file("/proc/self/stat");
    const std::size_t name_end = host.rfind(") ");
    if (name_end == std::string::npos) return host;
    std::istringstream rest(host.substr(name_end + 2));
    std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
    const SignalSets sets = signals_of(process, thread);
    const Usage u = usage_of(*process.memory);
    std::uint64_t code_begin = ~0ull, code_end = 0, data_begin = ~0ull, data_end = 0;
    for (const Segment& s : process.image.segments) {
        const bool code = (s.prot & kProtExec) != 0;
        std::uint64_t& begin = code ? code_begin : data_begin;
        std::uint64_t& end = code ? code_end : data_end;
        begin = std::min(begin, s.vaddr);
        end = std::max(end, s.vaddr + s.filesz);
    }
    if (data_begin > data_end) data_begin = data_end = 0;
    if (process.clock->is_virtual()) {
        const VirtualTicks ticks(process, thread);
        const std::pair<std::size_t, std::uint64_t> times[] = {{10, 0},
                                                               {11, 0},
                                                               {12, 0},
                                                               {13, 0},
                                                               {14, ticks.processor},
                                                               {15, 0},
                                                               {16, ticks.children},
                                                               {17, 0},
                                                               {22, ticks.begin},
                                                               {39, 0},
                                                               {42, 0}};
        for (const auto& [number, value] : times)
            if (number - 3 < fields.size()) fields[number - 3] = std::to_string(value);
    }
    const std::pair<std::size_t, std::uint64_t> own[] = {{20, thread_count(process)},
                                                         {23, u.size},
                                                         {24, u.resident / kPage},
                                                         {26, code_begin},
                                                         {27, code_end},
                                                         {28, process.stack_pointer},
                                                         {29, 0},
                                                         {30, 0},
                                                         {31, sets.thread_pending & 0x7fff'ffff},
                                                         {32, sets.blocked & 0x7fff'ffff},
                                                         {33, sets.ignored & 0x7fff'ffff},
                                                         {34, sets.caught & 0x7fff'ffff},
                                                         {45, data_begin},
                                                         {46, data_end},
                                                         {47, process.memory->heap_start()},
                                                         {48, process.argv_begin},
                                                         {49, process.argv_end},
                                                         {50, process.argv_end},
                                                         {51, process.environment_end}};
    for (const auto& [number, value] : own)
        if (number - 3 < fields.size()) fields[number - 3] = std::to_string(value);
    return fmt::format("{} ({}) {}\n", thread.tid, process.name_of(thread), fmt::join(fields, " "));
}

std::string bytes_of(const AddressSpace& memory, std::uint64_t begin, std::uint64_t end) {
    std::string text(end - begin, '\0');
    return memory.read(begin, text.data(), text.size()) ? text : std::string();
}

std::string auxv(const Process::Impl& process) {
    const auto& words = process.auxiliary_vector;
    return {reinterpret_cast<const char*>(words.data()), words.size() * sizeof(std::uint64_t)};
}

}  // namespace

std::string plain_path(const std::string& path) {
    if (!path.starts_with('/')) return path;
    std::vector<std::string> parts;
    std::istringstream text(path);
    for (std::string part; std::getline(text, part, '/');) {
        if (part.empty() || part == ".") continue;
        if (part == ".." && !parts.empty())
            parts.pop_back();
        else if (part != "..")
            parts.push_back(part);
    }
    std::string plain;
    for (const std::string& part : parts) plain += "/" + part;
    return plain;
}

bool is_memory_file(const Process::Impl& process, const std::string& path) {
    const auto entry = entry_of(process, path);
    return entry && entry->file == "mem";
}

std::optional<std::string> guest_proc_file(Process::Impl& process, const std::string& path) {
    if (plain_path(path) == "/proc/cpuinfo")
        return cpuinfo(process.main_thread->state,
                       static_cast<int>(std::max(1l, sysconf(_SC_NPROCESSORS_ONLN))));
    const std::string& release = process.options.kernel_release;
    if (!release.empty() && plain_path(path) == "/proc/sys/kernel/osrelease") return release + "\n";
    if (process.clock->is_virtual()) {
        if (plain_path(path) == "/proc/uptime") return uptime(process);
        if (plain_path(path) == "/proc/stat") return machine_stat(process);
    }
    const auto entry = entry_of(process, path);
    if (!entry) return std::nullopt;
    const std::string& file = entry->file;
    AddressSpace& memory = *process.memory;
    if (file == "maps") return maps(memory);
    if (file == "smaps") return smaps(memory);
    if (file == "smaps_rollup") return smaps_rollup(memory);
    if (file == "statm") return statm(memory);
    if (file == "status") return status(process, *entry->thread);
    if (file == "stat") return stat(process, *entry->thread);
    if (file == "comm") return process.name_of(*entry->thread) + "\n";
    if (file == "auxv") return auxv(process);
    if (file == "cmdline") return bytes_of(memory, process.argv_begin, process.argv_end);
    if (file == "limits") return process.limits.text();
    if (file == "environ") return bytes_of(memory, process.argv_end, process.environment_end);
    return std::nullopt;
}

}  // namespace e2k::guest
