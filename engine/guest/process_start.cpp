// From an ELF image to the state at the first bundle of _start (process.md).
#include <elf.h>
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "engine/guest/inherited_signals.h"
#include "engine/guest/libc/library.h"
#include "engine/guest/loader/map_image.h"
#include "engine/guest/process_impl.h"

namespace e2k::guest {
namespace {

constexpr std::uint64_t kPage = cpu::kPageSize;
constexpr std::uint64_t page_down(std::uint64_t a) { return a & ~(kPage - 1); }
constexpr std::uint64_t page_up(std::uint64_t a) { return page_down(a + kPage - 1); }

/// Sizes the kernel gives a new process; shown by rrd %psp.hi, %pcsp.hi.
constexpr std::uint64_t kFirstProcedureStack = 0x4000, kFirstChainStack = 0x1000;
constexpr unsigned kEntryWindow = 8;  // registers, all of them "parameters"
constexpr std::uint32_t kUpsrFpEnabled = 1;
constexpr std::uint64_t kHandlerIgnore = 1;
constexpr std::size_t kThreadPointer = 13;  // %g13

tl::unexpected<std::string> failed(const std::string& path, const char* what, int error) {
    return tl::unexpected(fmt::format("{}: {}: {}", path, what, std::strerror(error)));
}

/// Fills memory downwards from the top of the stack.
class StackWriter {
public:
    StackWriter(AddressSpace& memory, std::uint64_t top) : memory_(memory), at_(top) {}
    std::uint64_t push(const void* data, std::size_t size) {
        at_ -= size;
        good_ &= memory_.write(at_, data, size);
        return at_;
    }
    std::uint64_t push(const std::string& text) { return push(text.c_str(), text.size() + 1); }
    void align(std::uint64_t to) { at_ &= ~(to - 1); }
    std::uint64_t at() const { return at_; }
    bool good() const { return good_; }

private:
    AddressSpace& memory_;
    std::uint64_t at_;
    bool good_ = true;
};

std::string absolute_path(const std::string& path) {
    std::array<char, PATH_MAX> resolved;
    return realpath(path.c_str(), resolved.data()) ? resolved.data() : path;
}

}  // namespace

tl::expected<void, std::string> Process::Impl::load_program() {
    library.reset();
    first_thread_data.reset();
    notice.clear();
    if (!seeded_random(at_random) && getrandom(at_random.data(), at_random.size(), 0) < 0)
        at_random.fill(0x5a);
    const auto end = loader::map_image(*memory, image, executable);
    if (!end) return tl::unexpected(end.error());
    if (!image.interpreter.empty())
        if (auto linked = link_program(); !linked) return linked;
    if (auto done = loader::protect_image(*memory, image); !done) return done;
    memory->start_brk(*end);
    publish_symbols();
    return {};
}

bool Process::Impl::seeded_random(std::span<std::uint8_t> to) {
    if (!options.seed) return false;
    for (std::size_t i = 0; i < to.size(); ++i) {
        constexpr std::uint64_t kGolden = 0x9e37'79b9'7f4a'7c15;
        std::uint64_t z = random_state.fetch_add(kGolden) + kGolden;  // splitmix64
        z = (z ^ z >> 30) * 0xbf58'476d'1ce4'e5b9;
        z = (z ^ z >> 27) * 0x94d0'49bb'1331'11eb;
        to[i] = static_cast<std::uint8_t>((z ^ z >> 31) >> 24);
    }
    return true;
}

tl::expected<void, std::string> Process::Impl::lay_out_stack() {
    constexpr std::uint64_t kMostStack = 1u << 30, kLeastStack = 256u << 10;
    stack_size = page_up(
        std::clamp<std::uint64_t>(limits.soft(RLIMIT_STACK), kLeastStack, kMostStack - kPage));
    auto at = memory->map(kStackTop - stack_size, stack_size, kProtRead | kProtWrite, true, false,
                          -1, 0, "[stack]");
    if (!at) return failed(image.path, "cannot map the stack", at.error());
    std::uint64_t text_size = 0;
    for (const auto* list : {&options.argv, &options.environment})
        for (const std::string& text : *list) text_size += text.size() + 1 + 8;
    if (text_size > std::max(stack_size / 4, kLeastStack / 2))
        return failed(image.path, "arguments and environment do not fit on the stack", E2BIG);

    StackWriter stack(*memory, kStackTop - 8);
    const std::uint64_t execfn = stack.push(invoked_as);
    environment_end = execfn;
    std::vector<std::uint64_t> argv, envp;
    for (auto it = options.environment.rbegin(); it != options.environment.rend(); ++it)
        envp.insert(envp.begin(), stack.push(*it));
    argv_end = stack.at();
    for (auto it = options.argv.rbegin(); it != options.argv.rend(); ++it)
        argv.insert(argv.begin(), stack.push(*it));
    argv_begin = stack.at();
    stack.align(16);
    const std::uint64_t random_at = stack.push(at_random.data(), at_random.size());

    // AT_PLATFORM and 32..35 (E2K meanings) stay absent: the C library then uses trap 3 only.
    const std::uint64_t auxv[][2] = {
        {AT_PHDR, image.phdr_address},
        {AT_PHENT, image.phentsize},
        {AT_PHNUM, image.phnum},
        {AT_PAGESZ, kPage},
        {AT_BASE, image.linker_base},
        {AT_FLAGS, 0},
        {AT_ENTRY, image.entry},
        {AT_UID, getuid()},
        {AT_EUID, geteuid()},
        {AT_GID, getgid()},
        {AT_EGID, getegid()},
        {AT_HWCAP, 0},
        {AT_CLKTCK, 100},
        {AT_RANDOM, random_at},
        {AT_SECURE, 0},
        {AT_EXECFN, execfn},
        {AT_NULL, 0},
    };
    std::vector<std::uint64_t> words{argv.size()};
    words.insert(words.end(), argv.begin(), argv.end());
    words.push_back(0);
    words.insert(words.end(), envp.begin(), envp.end());
    words.push_back(0);
    auxiliary_vector.clear();
    for (const auto& pair : auxv)
        auxiliary_vector.insert(auxiliary_vector.end(), std::begin(pair), std::end(pair));
    words.insert(words.end(), auxiliary_vector.begin(), auxiliary_vector.end());
    const std::uint64_t bytes = words.size() * 8;
    StackWriter vectors(*memory, ((stack.at() - bytes) & ~15ull) + bytes);
    stack_pointer = vectors.push(words.data(), bytes);
    if (!stack.good() || !vectors.good())
        return failed(image.path, "cannot fill the stack", EFAULT);
    return {};
}

tl::expected<void, std::string> Process::Impl::open_streams() {
    const std::string& start = options.working_directory;
    cwd = move_out_of_the_way(
        open(start.empty() ? "." : start.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (cwd < 0 && !start.empty()) return failed(start, "cannot begin in this directory", errno);
    if (cwd < 0) cwd = AT_FDCWD;  // not to be searched, or no descriptor left: the host's own
    if (options.streams.output || options.streams.input) {
        auto made = StreamPump::create(options.streams);
        if (!made) return tl::unexpected(image.path + ": " + made.error());
        pump = std::move(*made);
    }
    fds.set_limit(limits.soft(RLIMIT_NOFILE));
    if (options.descriptors) {
        fds.inherit(*options.descriptors);
        return {};
    }
    for (int stream = 0; stream < 3; ++stream) {
        const bool owned = stream == 0 ? static_cast<bool>(options.streams.input)
                                       : static_cast<bool>(options.streams.output);
        const int host = owned ? pump->take_guest_end(stream) : fcntl(stream, F_DUPFD, 3);
        if (host < 0) continue;   // the workbench was started with that descriptor closed
        fcntl(host, F_SETFD, 0);  // the flag is the guest's
        auto placed = fds.set(stream, host, owned && stream > 0 ? stream : -1);
        if (!placed)
            return failed(image.path, "cannot set up the standard streams", placed.error());
    }
    return {};
}

void Process::Impl::enter_program(cpu::CpuState& s) const {
    const cpu::MemoryView view = memory->view();
    s.memory_base = view.base;
    s.page_map = view.pages;
    s.ip = library ? library->address_of("bridge_start") : image.start ? image.start : image.entry;
    if (first_thread_data) s.g[kThreadPointer].lo = first_thread_data->pointer;
    s.wd.size = s.wd.psize = kEntryWindow;
    s.wd.fx = 1;
    s.usd_base = stack_pointer;
    s.usd_size = stack_pointer - (kStackTop - stack_size);
    s.sbr = kStackTop;
    s.psp_base = kProcedureStackBase;
    s.pcsp_base = kChainStackBase;
    s.psp_size = kFirstProcedureStack;
    s.pcsp_size = kFirstChainStack;
    s.upsr = kUpsrFpEnabled;
    s.iset = static_cast<std::uint8_t>(options.iset_override ? options.iset_override : image.iset);
    s.idr_model = options.idr_override ? options.idr_override : image.idr_model;
    s.exact_tags = options.exact_tags;
    s.uncover_tags = options.uncover_tags;
    s.strict_alignment = options.strict_alignment;
    clock->start_program(s);
}

tl::expected<void, std::string> Process::Impl::make_main_thread() {
    main_thread = std::make_shared<Thread>();
    Thread& thread = *main_thread;
    if (!thread.stacks.reserve())
        return failed(image.path, "cannot reserve the register and chain stacks", errno);
    thread.stacks.attach(thread.state);
    enter_program(thread.state);
    thread.tid = static_cast<std::uint32_t>(pid);
    thread.library = first_thread_data;
    next_tid = thread.tid + 1;
    thread.signals = std::make_shared<Thread::SignalState>();
    thread.signals->interrupt = &thread.state.interrupt;
    add_thread(main_thread);
    return {};
}

void Process::Impl::inherit_signals() {
    const InheritedSignals& inherited = inherited_signals();
    for (int signal = 1; signal <= kSignals; ++signal)
        if (inherited.ignored & signal_bit(signal))
            actions[static_cast<std::size_t>(signal)].handler = kHandlerIgnore;
    main_thread->signals->mask = inherited.blocked & ~(signal_bit(SIGKILL) | signal_bit(SIGSTOP));
    host_signals::receive_here();
    if (!owns_host_process()) return;
    // What is pending on the host is taken over, and what comes waits here.
    for (int signal = 1; signal <= kSignals; ++signal)
        if (main_thread->signals->mask & signal_bit(signal)) watch_signal(signal);
    receive_all_signals();
    follow_mask(*main_thread);
}

tl::expected<std::unique_ptr<Process>, std::string> Process::start(ElfImage image,
                                                                   ProcessOptions options) {
    std::shared_ptr<const Sysroot> sysroot;
    if (!options.sysroot.empty()) {
        auto opened = Sysroot::open(options.sysroot);
        if (!opened) return tl::unexpected(opened.error());
        sysroot = std::move(*opened);
    }
    if (auto attached = attach_linker(image, sysroot.get()); !attached)
        return tl::unexpected(attached.error());
    // Where the system's own linker is missing, the built-in one finds its libraries all the same.
    if (sysroot)
        for (const char* place : {"", "/lib64", "/usr/lib64", "/lib", "/usr/lib"})
            options.library_path.push_back(sysroot->directory() + place);
    inherited_signals();  // before anything here has changed them
    std::unique_ptr<Process> process(new Process);
    Impl& impl = *process->impl_;
    impl.image = std::move(image);
    impl.sysroot = std::move(sysroot);
    impl.options = std::move(options);
    if (impl.options.argv.empty()) impl.options.argv.push_back(impl.image.path);
    impl.executable = absolute_path(impl.image.path);
    impl.invoked_as = impl.image.path;
    impl.pid = getpid();
    if (impl.options.policy.sandbox && !impl.options.policy.state) {
        auto sandbox = Sandbox::create(impl.options.policy.writable);
        if (!sandbox) return tl::unexpected(impl.image.path + ": " + sandbox.error());
        impl.options.policy.state = std::move(*sandbox);
    }
    impl.limits = ResourceLimits::callers();
    if (const std::uint64_t size = impl.options.stack_size) {
        const rlim_t most = impl.limits.get(RLIMIT_STACK).rlim_max;
        if (impl.limits.set(RLIMIT_STACK, {size, std::max<rlim_t>(most, size)}, false) != 0)
            return tl::unexpected(
                fmt::format("{}: a stack of {} bytes is more than the hard limit, {}",
                            impl.image.path, size, most));
    }
    impl.random_state = impl.options.seed.value_or(0);
    auto clock = cpu::GuestClock::create(impl.options.clock);
    if (!clock) return tl::unexpected(impl.image.path + ": " + clock.error());
    impl.clock = std::move(*clock);
    auto space = AddressSpace::create();
    if (!space) return tl::unexpected(impl.image.path + ": " + space.error());
    impl.memory = std::move(*space);
    for (auto step :
         {&Impl::load_program, &Impl::lay_out_stack, &Impl::open_streams, &Impl::make_main_thread})
        if (auto done = (impl.*step)(); !done) return tl::unexpected(done.error());
    impl.sink_slot = host_signals::attach(&impl);
    if (impl.sink_slot < 0)
        return tl::unexpected(impl.image.path +
                              ": too many guest processes in this workbench; end one first");
    impl.inherit_signals();
    if (impl.owns_host_process())
        impl.take_over_host_signals();
    else
        impl.shield_window();
    impl.set_name(*impl.main_thread, impl.program_name());
    return process;
}

}  // namespace e2k::guest
