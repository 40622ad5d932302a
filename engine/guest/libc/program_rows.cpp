// Programs to execute, commands of the shell, temporary files, terminals, assertions.
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "engine/guest/libc/guest_text.h"
#include "engine/guest/libc/guest_word.h"
#include "engine/guest/libc/program_search.h"
#include "engine/guest/libc/streams.h"
#include "engine/guest/libc/thin_row.h"

namespace e2k::guest::libc {
namespace {

constexpr std::uint32_t kFork = 2, kOpen = 5, kClose = 6, kWaitpid = 7, kExecve = 11, kAccess = 33,
                        kMkdir = 39, kIoctl = 54, kFcntl = 55, kDup2 = 63, kPipe2 = 251,
                        kFadvise = 299, kExitGroup = 300, kGetrandom = 385;

// --- exec ---

/// The value of PATH.
Outcome<std::string> search_path(LibraryCall& call) {
    return guest_variable(call, "PATH").map([](const std::optional<std::string>& path) {
        return path.value_or("/bin:/usr/bin");
    });
}

/// With the program's own environment.
Outcome<Value> execute_here(LibraryCall& call, std::uint64_t path, std::uint64_t argv,
                            bool search) {
    const auto environment = guest_environment(call);
    if (!environment) return tl::unexpected(environment.error());
    return search ? execute_found(call, path, argv, *environment)
                  : execute(call, path, argv, *environment);
}
Outcome<Value> execv_(LibraryCall& call) {
    return execute_here(call, call.pointer(0), call.pointer(1), false);
}
Outcome<Value> execvp_(LibraryCall& call) {
    return execute_here(call, call.pointer(0), call.pointer(1), true);
}
/// The arguments of execl stand in memory as a vector does, from the last named one on.
Outcome<Value> execl_(LibraryCall& call) {
    return execute_here(call, call.pointer(0), call.system.thread.state.usd_base + 8, false);
}
Outcome<Value> execlp_(LibraryCall& call) {
    return execute_here(call, call.pointer(0), call.system.thread.state.usd_base + 8, true);
}

// --- temporary files ---

/// Replaces the six X before the last `suffix` letters until `make` succeeds.
template <class Make>
Outcome<Value> with_temporary_name(LibraryCall& call, std::uint64_t suffix, Make&& make) {
    constexpr std::size_t kLetters = 6;
    constexpr std::string_view kAlphabet =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    const auto name = call.text(0, 4096);
    if (!name) return tl::unexpected(name.error());
    if (name->size() < kLetters + suffix) return error(EINVAL);
    const std::size_t place = name->size() - suffix - kLetters;
    if (name->substr(place, kLetters) != "XXXXXX") return error(EINVAL);
    for (int attempt = 0; attempt < 100; ++attempt) {
        const std::uint64_t scratch = call.thread().scratch_address();
        if (auto got = call.kernel(kGetrandom, scratch, 8, 0); !got)
            return tl::unexpected(got.error());
        auto bits = call.memory.load<std::uint64_t>(scratch);
        if (!bits) return tl::unexpected(bits.error());
        std::string letters;
        for (std::size_t i = 0; i < kLetters; ++i, *bits /= kAlphabet.size())
            letters += kAlphabet[*bits % kAlphabet.size()];
        if (auto done = call.memory.write(call.pointer(0) + place, letters.data(), kLetters); !done)
            return tl::unexpected(done.error());
        Outcome<std::int64_t> made = make();
        if (!made && made.error().kind == Trouble::Kind::Interrupted)
            static_cast<void>(call.memory.write(call.pointer(0) + place, "XXXXXX", kLetters));
        if (made || made.error().kind != Trouble::Kind::Error || made.error().error != EEXIST)
            return as_value(made);
    }
    return error(EEXIST);
}
Outcome<Value> temporary_file(LibraryCall& call, std::uint64_t suffix, std::uint64_t flags) {
    return with_temporary_name(call, suffix, [&] {
        return call.kernel(kOpen, call.pointer(0), flags | O_RDWR | O_CREAT | O_EXCL, 0600);
    });
}
Outcome<Value> mkstemp_(LibraryCall& call) { return temporary_file(call, 0, 0); }
Outcome<Value> mkostemp_(LibraryCall& call) { return temporary_file(call, 0, call.word(1)); }
Outcome<Value> mkstemps_(LibraryCall& call) {
    if (call.integer(1) < 0) return error(EINVAL);
    return temporary_file(call, call.unsigned_integer(1), 0);
}
Outcome<Value> mkdtemp_(LibraryCall& call) {
    return with_temporary_name(call, 0, [&] { return call.kernel(kMkdir, call.pointer(0), 0700); })
        .map([&](const Value&) { return Value(call.pointer(0)); });
}

// --- terminals ---

Outcome<Value> tcgetattr_(LibraryCall& call) {
    constexpr std::uint64_t kTcgets = 0x5401;
    return as_value(call.kernel(kIoctl, call.word(0), kTcgets, call.pointer(1)));
}
Outcome<Value> tcsetattr_(LibraryCall& call) {
    constexpr std::uint64_t kTcsets = 0x5402;
    if (call.unsigned_integer(1) > 2) return error(EINVAL);
    return as_value(
        call.kernel(kIoctl, call.word(0), kTcsets + call.unsigned_integer(1), call.pointer(2)));
}
/// posix_fadvise returns the error.
Outcome<Value> posix_fadvise_(LibraryCall& call) {
    return as_result(call.kernel(kFadvise, call.word(0), call.word(1), call.word(2), call.word(3)));
}

// --- the end ---

/// The message of a failed assertion goes to stderr, then SIGABRT.
Outcome<Value> assert_fail_(LibraryCall& call) {
    const auto text_or = [&](std::uint64_t at) -> Outcome<std::string> {
        if (at == 0) return std::string("?");
        return call.memory.text(at);
    };
    const auto program = program_name(call, "__progname"), what = text_or(call.pointer(0)),
               file = text_or(call.pointer(1)), function = text_or(call.pointer(3));
    for (const auto* const part : {&program, &what, &file, &function})
        if (!*part) return tl::unexpected(part->error());
    const auto put =
        to_stderr(call, *program + ": " + *file + ":" + std::to_string(call.unsigned_integer(2)) +
                            ": " + *function + ": Assertion `" + *what + "' failed.\n");
    if (!put && put.error().kind == Trouble::Kind::Interrupted) return put;
    return find_row("abort")->function(call);
}

// --- commands of the shell ---

/// What a new process is made for: "/bin/sh -c command", its descriptor `to` being `from`.
struct ShellCommand {
    std::uint64_t command = 0;
    int from = -1, to = -1;
};

/// Its number; 0: this is the new process, which executes the shell or has ended.
Outcome<std::int64_t> start_shell(LibraryCall& call, const ShellCommand& what) {
    const auto environment = guest_environment(call);
    if (!environment) return tl::unexpected(environment.error());
    constexpr std::uint64_t kShell = 32, kName = 40, kOption = 48, kArguments = 56;
    const auto block = call.library.heap.allocate(kArguments);
    if (!block) return tl::unexpected(block.error());
    const std::uint64_t at = *block;
    const std::array<std::uint64_t, 4> argv{at + kName, at + kOption, what.command, 0};
    auto stored = call.memory.store(at, argv);
    for (const auto& [place, text] :
         {std::pair(kShell, "/bin/sh"), std::pair(kName, "sh"), std::pair(kOption, "-c")})
        if (stored) stored = call.memory.store_text(at + place, text);
    if (!stored) return tl::unexpected(stored.error());
    const auto process = call.kernel(kFork);
    if (!process || *process != 0) {
        static_cast<void>(call.library.heap.release(at));
        return process;
    }
    constexpr std::uint64_t kCannotExecute = 127;
    if (what.from >= 0)
        static_cast<void>(call.kernel(kDup2, static_cast<std::uint64_t>(what.from),
                                      static_cast<std::uint64_t>(what.to)));
    if (!call.kernel(kExecve, at + kShell, at, *environment))
        static_cast<void>(call.kernel(kExitGroup, kCannotExecute));
    return 0;
}

/// Waits for the process that this call has to wait for. A signal in between has the call entered
/// again, and it is remembered.
Outcome<Value> wait_for_child(LibraryCall& call) {
    auto& children = call.thread().children;
    const auto child = children.find(call.place_of_call());
    const std::uint64_t status = call.thread().scratch_address();
    const auto done = call.kernel(kWaitpid, static_cast<std::uint64_t>(child->second), status, 0);
    if (!done && done.error().kind == Trouble::Kind::Interrupted)
        return tl::unexpected(done.error());
    children.erase(child);
    if (!done) return tl::unexpected(done.error());
    return call.memory.load<std::int32_t>(status).map([](std::int32_t s) { return Value(s); });
}

Outcome<Value> system_(LibraryCall& call) {
    auto& children = call.thread().children;
    if (children.contains(call.place_of_call())) return wait_for_child(call);
    if (call.pointer(0) == 0) {
        constexpr std::uint64_t kMayExecute = 1;
        const auto name = GuestBlock::of(call, "/bin/sh");
        if (!name) return tl::unexpected(name.error());
        return Value(call.kernel(kAccess, name->address(), kMayExecute) ? 1 : 0);
    }
    if (auto command = call.text(0); !command) return tl::unexpected(command.error());
    const auto process = start_shell(call, {call.pointer(0), -1, -1});
    if (!process) return tl::unexpected(process.error());
    if (*process == 0) return Value();
    children[call.place_of_call()] = *process;
    return wait_for_child(call);
}

Outcome<Value> popen_(LibraryCall& call) {
    const auto command = call.text(0), mode = call.text(1, 64);
    if (!command) return tl::unexpected(command.error());
    if (!mode) return tl::unexpected(mode.error());
    const bool reads = mode->find('r') != std::string::npos;
    if (reads == (mode->find('w') != std::string::npos)) return error(EINVAL);
    const std::uint64_t pair = call.thread().scratch_address();
    if (auto made = call.kernel(kPipe2, pair, O_CLOEXEC); !made)
        return tl::unexpected(made.error());
    const auto ends = call.memory.load<std::array<std::int32_t, 2>>(pair);
    if (!ends) return tl::unexpected(ends.error());
    const auto close = [&](int fd) {
        static_cast<void>(call.kernel(kClose, static_cast<std::uint64_t>(fd)));
    };
    const int ours = (*ends)[reads ? 0 : 1], theirs = (*ends)[reads ? 1 : 0];
    const auto process = start_shell(call, {call.pointer(0), theirs, reads ? 1 : 0});
    if (process && *process == 0) return Value();
    close(theirs);
    if (!process) {
        close(ours);
        return tl::unexpected(process.error());
    }
    constexpr std::uint64_t kSetFlags = 2;
    if (mode->find('e') == std::string::npos)
        static_cast<void>(call.kernel(kFcntl, static_cast<std::uint64_t>(ours), kSetFlags, 0));
    OpenMode how;
    how.read = reads;
    how.write = !reads;
    const auto file = call.library.streams->stdio.open(ours, how);
    if (!file) {
        close(ours);
        return tl::unexpected(file.error());
    }
    const std::lock_guard lock(call.library.thread_mutex);
    call.library.commands[*file] = *process;
    return Value(*file);
}

Outcome<Value> pclose_(LibraryCall& call) {
    auto& children = call.thread().children;
    if (children.contains(call.place_of_call())) return wait_for_child(call);
    std::int64_t process = 0;
    {
        const std::lock_guard lock(call.library.thread_mutex);
        const auto known = call.library.commands.find(call.pointer(0));
        if (known == call.library.commands.end()) return error(ECHILD);
        process = known->second;
    }
    const auto closed = call.library.streams->stdio.close(call.pointer(0), caller_of(call));
    if (!closed && closed.error().kind != Trouble::Kind::Error)
        return tl::unexpected(closed.error());
    {
        const std::lock_guard lock(call.library.thread_mutex);
        call.library.commands.erase(call.pointer(0));
    }
    children[call.place_of_call()] = process;
    return wait_for_child(call);
}

constexpr std::array kRows{
    Row{"execv", "i(s,p)", execv_},
    Row{"execvp", "i(s,p)", execvp_},
    Row{"execl", "i(s,s,...)", execl_},
    Row{"execlp", "i(s,s,...)", execlp_},
    Row{"mkstemp", "i(s)", mkstemp_},
    Row{"mkstemp64", "i(s)", mkstemp_},
    Row{"mkostemp", "i(s,i)", mkostemp_},
    Row{"mkostemp64", "i(s,i)", mkostemp_},
    Row{"mkstemps", "i(s,i)", mkstemps_},
    Row{"mkdtemp", "p(s)", mkdtemp_},
    Row{"tcgetattr", "i(i,p)", tcgetattr_},
    Row{"tcsetattr", "i(i,i,p)", tcsetattr_},
    Row{"posix_fadvise", "i(i,l,l,i)", posix_fadvise_},
    Row{"posix_fadvise64", "i(i,l,l,i)", posix_fadvise_},
    Row{"system", "i(s)", system_},
    Row{"popen", "p(s,s)", popen_},
    Row{"pclose", "i(p)", pclose_},
    Row{"__assert_fail", "v(s,s,u,s)", assert_fail_},
};

}  // namespace

Outcome<Value> execute(LibraryCall& call, std::uint64_t path, std::uint64_t argv,
                       std::uint64_t environment) {
    return as_value(call.kernel(kExecve, path, argv, environment));
}

Outcome<Value> execute_found(LibraryCall& call, std::uint64_t name_at, std::uint64_t argv,
                             std::uint64_t environment) {
    const auto name = call.memory.text(name_at, 4096);
    if (!name) return tl::unexpected(name.error());
    if (name->empty()) return error(ENOENT);
    if (name->find('/') != std::string::npos) return execute(call, name_at, argv, environment);
    const auto path = search_path(call);
    if (!path) return tl::unexpected(path.error());
    int worst = ENOENT;
    for (std::size_t begin = 0; begin <= path->size();) {
        const std::size_t end = std::min(path->find(':', begin), path->size());
        const std::string directory = path->substr(begin, end - begin);
        begin = end + 1;
        const std::string file = directory.empty() ? *name : directory + '/' + *name;
        const auto at = call.library.heap.allocate(file.size() + 1);
        if (!at) return tl::unexpected(at.error());
        if (auto done = call.memory.store_text(*at, file); !done)
            return tl::unexpected(done.error());
        auto done = execute(call, *at, argv, environment);
        if (done || done.error().kind != Trouble::Kind::Error) return done;
        static_cast<void>(call.library.heap.release(*at));
        switch (done.error().error) {
            case EACCES:
                worst = EACCES;
                break;
            case ENOENT:
            case ENOTDIR:
            case ESTALE:
            case ENODEV:
            case ETIMEDOUT:
                break;
            default:
                return done;
        }
    }
    return error(worst);
}

std::span<const Row> program_rows() { return kRows; }

}  // namespace e2k::guest::libc
