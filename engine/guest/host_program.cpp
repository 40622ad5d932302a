#include "engine/guest/host_program.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "engine/guest/host_signals.h"

namespace e2k::guest {
namespace {

constexpr int kSignals = 64;
constexpr std::size_t kStack = 256u << 10;

/// The C library keeps some signals and its own mask handling to itself.
void set_mask(std::uint64_t mask) {
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof mask);
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> list;
    list.reserve(strings.size() + 1);
    for (std::string& text : strings) list.push_back(text.data());
    list.push_back(nullptr);
    return list;
}

/// The thread that executes the program. Its descriptors and working directory are copies: what it
/// does to them is gone with it if the host refuses the program.
struct Attempt {
    HostProgram program;
    std::vector<char*> argv, environment;
    int error = 0;
};

int place_descriptors(HostProgram& program) {
    int base = 3;
    for (const auto& [number, host] : program.descriptors) base = std::max(base, number + 1);
    const int file = fcntl(program.file, F_DUPFD_CLOEXEC, base);
    const bool moves = program.directory >= 0;  // else it is the process's own
    const int directory = moves ? fcntl(program.directory, F_DUPFD_CLOEXEC, base) : -1;
    if (file < 0 || (moves && directory < 0)) return errno;
    for (auto& [number, host] : program.descriptors)
        if (number != host && (host = fcntl(host, F_DUPFD_CLOEXEC, base)) < 0) return errno;
    int next = 0;
    for (const auto& [number, host] : program.descriptors) {
        if (number > next) syscall(SYS_close_range, next, number - 1, 0);
        if (number == host)
            fcntl(number, F_SETFD, 0);
        else if (dup2(host, number) < 0)
            return errno;
        next = number + 1;
    }
    if (next < base) syscall(SYS_close_range, next, base - 1, 0);
    if (moves && fchdir(directory) != 0) return errno;
    syscall(SYS_close_range, std::max(base, file + 1), ~0u, 0);
    if (file > base) syscall(SYS_close_range, base, file - 1, 0);
    program.file = file;
    return 0;
}

int attempt(void* argument) {
    auto& self = *static_cast<Attempt*>(argument);
    HostProgram& program = self.program;
    set_mask(~0ull);
    self.error = place_descriptors(program);
    if (self.error == 0) {
        for (siginfo_t& info : program.pending)
            syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), info.si_signo, &info);
        prctl(PR_SET_PDEATHSIG, program.parent_death_signal);
        program.limits.put_in_force();
        set_mask(program.blocked);
        if (program.path.empty())
            syscall(SYS_execveat, program.file, "", self.argv.data(), self.environment.data(),
                    AT_EMPTY_PATH);
        else
            execve(program.path.c_str(), self.argv.data(), self.environment.data());
        self.error = errno;
    }
    syscall(SYS_exit, 0);
    return 0;
}

/// Ignored signals stay ignored in the new program, all others begin with their default action: a
/// handler becomes that by itself.
class InheritedActions {
public:
    explicit InheritedActions(std::uint64_t ignored) {
        for (int signal = 1; signal <= kSignals; ++signal) {
            struct sigaction old {};
            if (sigaction(signal, nullptr, &old) != 0) continue;  // not one of the user's
            const bool now = !(old.sa_flags & SA_SIGINFO) && old.sa_handler == SIG_IGN;
            const bool wanted = ((ignored >> (signal - 1)) & 1) != 0;
            if (now == wanted) continue;
            struct sigaction action {};
            // Meanwhile other threads must not die of it.
            action.sa_handler = wanted ? SIG_IGN : +[](int) {};
            if (sigaction(signal, &action, nullptr) == 0) changed_.emplace_back(signal, old);
        }
    }
    ~InheritedActions() {
        for (const auto& [signal, old] : changed_) sigaction(signal, &old, nullptr);
    }
    InheritedActions(const InheritedActions&) = delete;
    InheritedActions& operator=(const InheritedActions&) = delete;

private:
    std::vector<std::pair<int, struct sigaction>> changed_;
};

/// The limits of the workbench, to be put back where they still can.
class OwnLimits {
public:
    OwnLimits() {
        for (std::size_t i = 0; i < limits_.size(); ++i) getrlimit(resource(i), &limits_[i]);
    }
    void restore() const {
        for (std::size_t i = 0; i < limits_.size(); ++i) setrlimit(resource(i), &limits_[i]);
    }

private:
    static __rlimit_resource resource(std::size_t i) { return static_cast<__rlimit_resource>(i); }
    std::array<rlimit, RLIM_NLIMITS> limits_{};
};

}  // namespace

int execute_host_program(HostProgram program) {
    std::ranges::sort(program.descriptors);
    void* stack = mmap(nullptr, kStack, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) return errno;
    const InheritedActions actions(program.ignored);
    const OwnLimits limits;
    for (const auto& [which, left] : program.timers)
        setitimer(static_cast<__itimer_which>(which), &left, nullptr);
    Attempt self{std::move(program), {}, {}, 0};
    self.argv = pointers(self.program.argv);
    self.environment = pointers(self.program.environment);
    // A thread of this process, so that the program gets its number; this one waits (CLONE_VFORK).
    const int tid =
        clone(attempt, static_cast<char*>(stack) + kStack,
              CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_VFORK, &self);
    const int error = tid < 0 ? errno : self.error;
    limits.restore();
    const itimerval none{};
    for (const auto& timer : self.program.timers)
        setitimer(static_cast<__itimer_which>(timer.first), &none, nullptr);
    munmap(stack, kStack);
    return error;
}

std::vector<std::string> cleaned_environment(std::vector<std::string> environment) {
    // A name, or the beginning of several.
    constexpr std::array<std::string_view, 24> kHosts{
        "LD_*",           "GLIBC_TUNABLES",  "GCONV_PATH",  "GETCONF_DIR", "MALLOC_*",
        "LOCPATH",        "NLSPATH",         "HOSTALIASES", "LOCALDOMAIN", "RES_OPTIONS",
        "RESOLV_*",       "NIS_PATH",        "TZDIR",       "ASAN_*",      "UBSAN_*",
        "LSAN_*",         "TSAN_*",          "MSAN_*",      "HWASAN_*",    "LIBC_FATAL_STDERR_",
        "LLVM_PROFILE_*", "GMON_OUT_PREFIX", "GCOV_*",      "SEGFAULT_*"};
    std::erase_if(environment, [&](const std::string& entry) {
        return std::ranges::any_of(kHosts, [&](std::string_view name) {
            if (name.ends_with('*')) return entry.starts_with(name.substr(0, name.size() - 1));
            return entry.starts_with(name) && entry.size() > name.size() &&
                   entry[name.size()] == '=';
        });
    });
    return environment;
}

}  // namespace e2k::guest
