// execve and execveat. Everything that can fail is found out first: the guest then gets the error
// and goes on. An Elbrus program replaces the old one inside this process (process_exec.cpp), a
// program of the host the whole process (host_program.h).
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <csignal>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/guest/host_program.h"
#include "engine/guest/program_file.h"
#include "engine/guest/syscalls/call.h"
#include "engine/isa/assembler/program.h"

namespace e2k::guest {
namespace {

constexpr std::size_t kLongestString = 128 << 10;    // MAX_ARG_STRLEN
constexpr std::size_t kMaxStrings = kStackSize / 4;  // with their pointers
constexpr int kMaxInterpreters = 5;

/// A descriptor that is closed at the end.
class OwnedFd {
public:
    explicit OwnedFd(int fd) : fd_(fd) {}
    OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    OwnedFd& operator=(OwnedFd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~OwnedFd() {
        if (fd_ >= 0) close(fd_);
    }
    int get() const { return fd_; }

private:
    int fd_;
};

tl::expected<std::string, int> read_argument(const Call& call, std::uint64_t address) {
    auto text = call.memory().read_string(address, kLongestString);
    if (!text) return tl::unexpected(EFAULT);
    if (text->size() == kLongestString) return tl::unexpected(E2BIG);
    return std::move(*text);
}

tl::expected<std::vector<std::string>, int> read_strings(const Call& call, std::uint64_t list,
                                                         std::size_t& room) {
    std::vector<std::string> strings;
    for (std::uint64_t at = list; list != 0; at += 8) {
        std::uint64_t pointer = 0;
        if (!call.get(at, pointer)) return tl::unexpected(EFAULT);
        if (pointer == 0) break;
        auto text = read_argument(call, pointer);
        if (!text) return tl::unexpected(text.error());
        const std::size_t size = text->size() + 1 + 8;
        if (size > room) return tl::unexpected(E2BIG);
        room -= size;
        strings.push_back(std::move(*text));
    }
    return strings;
}

/// A file that may be executed.
struct Program {
    OwnedFd file;      ///< O_PATH
    OwnedFd content;   ///< for reading; -1: the guest may execute it only
    std::string name;  ///< as execve, or the script before it, calls it
    std::string path;  ///< absolute
    std::string header;
    bool by_name = false;  ///< the host reaches it by `name` from the guest's working directory
    bool itself = false;   ///< the program that is running
};

bool same_file(const struct stat& a, const struct stat& b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

tl::expected<Program, int> open_program(const Call& call, const HostPath& at, std::string name,
                                        bool follow) {
    const int flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW);
    Program program{
        OwnedFd(openat(at.dirfd(), at.c_str(), flags)), OwnedFd(-1), std::move(name), {}, {}};
    if (program.file.get() < 0) return tl::unexpected(errno);
    struct stat st {
    }, own{};
    if (fstat(program.file.get(), &st) != 0) return tl::unexpected(errno);
    if (S_ISLNK(st.st_mode)) return tl::unexpected(ELOOP);
    if (!S_ISREG(st.st_mode)) return tl::unexpected(EACCES);
    program.itself = stat(call.process.executable.c_str(), &own) == 0 && same_file(st, own);
    // What the workbench was told to run need not be marked executable.
    if (!program.itself && faccessat(at.dirfd(), at.c_str(), X_OK, AT_EACCESS) != 0)
        return tl::unexpected(errno);
    OwnedFd content(openat(at.dirfd(), at.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (content.get() >= 0 && fstat(content.get(), &own) == 0 && same_file(st, own)) {
        auto header = read_header(content.get());
        if (!header) return tl::unexpected(header.error());
        program.header = std::move(*header);
        program.content = std::move(content);
    }
    std::array<char, PATH_MAX> real{};
    const ssize_t n = readlink(fmt::format("/proc/self/fd/{}", program.file.get()).c_str(),
                               real.data(), real.size() - 1);
    program.path = n > 0 ? std::string(real.data(), static_cast<std::size_t>(n)) : program.name;
    program.by_name = at.text() == program.name &&
                      (at.dirfd() == call.process.cwd || program.name.starts_with('/')) &&
                      !program.name.starts_with("/proc/") && !program.name.starts_with("/dev/");
    return program;
}

/// Replaces `program` by the interpreter its first line names, until that is no script, and puts
/// the words of the lines before the arguments. 0 or an errno value.
int follow_scripts(const Call& call, Program& program, std::vector<std::string>& argv) {
    for (int depth = 0; is_script(program.header); ++depth) {
        if (depth == kMaxInterpreters) return ELOOP;
        auto line = parse_script_line(program.header);
        if (!line) return ENOEXEC;
        argv.front() = program.name;
        if (line->argument) argv.insert(argv.begin(), std::move(*line->argument));
        argv.insert(argv.begin(), line->interpreter);
        const auto at = host_path(call, kAtFdCwd, line->interpreter, Touch::Look);
        if (!at) return at.error();
        auto next = open_program(call, *at, line->interpreter, true);
        if (!next) return next.error();
        program = std::move(*next);
    }
    return 0;
}

tl::expected<ElfImage, int> load_image(const Call& call, const Program& program) {
    const Process::Impl& p = call.process;
    if (program.itself && !is_elbrus(program.header))  // started from an assembler source
        return ElfImage::parse(p.image.bytes, program.path).map_error([](auto&&) {
            return ENOEXEC;
        });
    auto bytes = read_program(program.content.get());
    if (!bytes) return tl::unexpected(bytes.error());
    auto image = ElfImage::parse(std::move(*bytes), program.path);
    if (!image) return tl::unexpected(ENOEXEC);
    if (!attach_linker(*image, p.sysroot.get())) return tl::unexpected(ENOEXEC);
    return std::move(*image);
}

HostProgram host_program(Call& call, const Program& program, std::vector<std::string> argv,
                         std::vector<std::string> environment) {
    Process::Impl& p = call.process;
    HostProgram host;
    host.file = program.file.get();
    if (program.by_name) host.path = program.name;
    host.directory = p.cwd;
    host.limits = p.limits;
    host.argv = std::move(argv);
    host.environment = cleaned_environment(std::move(environment));
    for (const int number : p.fds.open_numbers()) {
        const int descriptor = p.fds.host(number);
        if (!(fcntl(descriptor, F_GETFD) & FD_CLOEXEC))
            host.descriptors.emplace_back(number, descriptor);
    }
    host.blocked = call.thread.signals->mask;
    host.parent_death_signal = call.thread.signals->parent_death_signal;
    p.pending_set(call.thread);  // takes over what has just come
    {
        std::lock_guard lock(p.signal_mutex);
        for (int signal = 1; signal <= kSignals; ++signal)
            if (p.actions[static_cast<std::size_t>(signal)].handler == 1)
                host.ignored |= signal_bit(signal);
        for (const auto* queue : {&call.thread.signals->pending, &p.pending})
            for (const SiginfoE2k& info : *queue) {
                siginfo_t copy{};
                copy.si_signo = info.signo;
                copy.si_code = info.code;
                copy.si_pid = info.u.sender.pid;
                copy.si_uid = static_cast<uid_t>(info.u.sender.uid);
                copy.si_value.sival_ptr = reinterpret_cast<void*>(info.u.sender.value);
                host.pending.push_back(copy);
            }
    }
    std::lock_guard lock(p.timer_mutex);
    for (int which = 0; which < Process::Impl::kItimers; ++which) {
        itimerspec left{};
        const GuestTimer& timer = p.timers[static_cast<std::size_t>(which)];
        if (!timer.used) continue;
        if (p.clock->is_virtual())  // from here on time is the host's
            left = p.virtual_timer(call.thread, which);
        else if (timer_gettime(timer.host, &left) != 0)
            continue;
        const auto to_timeval = [](const timespec& t) {
            return timeval{t.tv_sec, (t.tv_nsec + 999) / 1000};
        };
        const itimerval value{to_timeval(left.it_interval), to_timeval(left.it_value)};
        if (value.it_value.tv_sec != 0 || value.it_value.tv_usec != 0)
            host.timers.emplace_back(which, value);
    }
    return host;
}

/// Runs what `program` has become after all scripts; comes back with an error only.
std::int64_t execute(Call& call, const Program& program, const std::string& invoked_as,
                     std::vector<std::string> argv, std::vector<std::string> environment) {
    Process::Impl& p = call.process;
    const bool elbrus =
        is_elbrus(program.header) || (program.itself && isa::is_assembler_source(program.path));
    if (!elbrus) {
        if (p.options.policy.sandbox)  // host code knows no policy
            return program.header.starts_with("\177ELF") || program.header.empty() ? -EACCES
                                                                                   : -ENOEXEC;
        if (!p.owns_host_process()) return -EPERM;  // the window is not the guest's to replace
        if (p.vfork_parent) p.vfork_parent->hand_over(*p.memory);
        return -execute_host_program(
            host_program(call, program, std::move(argv), std::move(environment)));
    }
    auto image = load_image(call, program);
    if (!image) return -image.error();
    auto next = std::make_unique<NewProgram>();
    if (!next->stacks.reserve()) return -ENOMEM;
    next->image = std::move(*image);
    next->executable = program.path;
    next->invoked_as = invoked_as;
    next->argv = std::move(argv);
    next->environment = std::move(environment);
    {
        std::lock_guard lock(p.thread_mutex);
        if (p.executing) return kRestart;  // another thread was faster: this one ends
        p.next_program = std::move(next);
        p.executing = &call.thread;
    }
    call.writes_result = false;
    call.next = p.execute_next(call.thread);
    return 0;
}

std::int64_t execute_at(Call& call, int dirfd, std::uint64_t name_at, std::uint64_t argv_at,
                        std::uint64_t envp_at, std::uint64_t flags) {
    if (call.process.executing == &call.thread) {  // the wait for the other threads goes on
        call.writes_result = false;
        call.next = call.process.execute_next(call.thread);
        return 0;
    }
    if (flags & ~std::uint64_t{AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW}) return -EINVAL;
    const bool follow = !(flags & AT_SYMLINK_NOFOLLOW);
    auto name = call.memory().read_string(name_at, PATH_MAX);
    if (!name) return -EFAULT;
    std::string invoked_as = *name;
    if (name->empty()) {
        if (!(flags & AT_EMPTY_PATH)) return -ENOENT;
        if (dirfd != kAtFdCwd && call.process.fds.host(dirfd) < 0) return -EBADF;
        invoked_as = dirfd == kAtFdCwd ? "." : fmt::format("/dev/fd/{}", dirfd);
        name = invoked_as;
    } else if (!name->starts_with('/') && dirfd != kAtFdCwd) {
        invoked_as = fmt::format("/dev/fd/{}/{}", dirfd, *name);
    }
    auto at = host_path(call, dirfd, *name, Touch::Look, follow);
    if (!at) return -at.error();
    auto program = open_program(call, *at, *name, follow);
    if (!program) return -program.error();
    program->name = invoked_as;
    std::size_t room = kMaxStrings;
    auto argv = read_strings(call, argv_at, room);
    if (!argv) return -argv.error();
    auto environment = read_strings(call, envp_at, room);
    if (!environment) return -environment.error();
    if (argv->empty()) argv->emplace_back();
    if (const int error = follow_scripts(call, *program, *argv)) return -error;
    return execute(call, *program, invoked_as, std::move(*argv), std::move(*environment));
}

std::int64_t sys_execve(Call& call) {
    return execute_at(call, kAtFdCwd, call.arg[0], call.arg[1], call.arg[2], 0);
}

std::int64_t sys_execveat(Call& call) {
    return execute_at(call, call.integer(0), call.arg[1], call.arg[2], call.arg[3],
                      static_cast<std::uint32_t>(call.arg[4]));
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{11, "execve", {Path, TextList, Ptr}, sys_execve},
    SyscallRow{388, "execveat", {DirFd, Path, TextList, Ptr, AtFlags}, sys_execveat},
};

}  // namespace

std::span<const SyscallRow> execute_rows() { return kRows; }

}  // namespace e2k::guest
