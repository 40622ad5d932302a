// <spawn.h>: a new process that executes a program, by fork and execve of the guest.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <type_traits>
#include <vector>

#include "engine/guest/libc/guest_text.h"
#include "engine/guest/libc/program_search.h"
#include "engine/guest/libc/streams.h"

namespace e2k::guest::libc {
namespace {

constexpr std::uint32_t kFork = 2, kOpen = 5, kClose = 6, kWaitpid = 7, kChdir = 12, kSetpgid = 57,
                        kDup2 = 63, kSetsid = 66, kFchdir = 133, kSigaction = 174,
                        kSigprocmask = 175, kPipe2 = 251, kExitGroup = 300;

std::uint64_t word_of(std::int64_t value) { return static_cast<std::uint64_t>(value); }

// --- what the new process does with its descriptors ---

/// posix_spawn_file_actions_t (80 bytes, opaque), and the entries of its list.
struct Actions {
    std::int32_t room = 0, count = 0;
    std::uint64_t list = 0;
};
struct Action {
    enum Kind : std::int32_t { Close, Dup, Open, Chdir, Fchdir };
    std::int32_t kind = Close, fd = 0, other = 0, flags = 0;
    std::uint64_t mode = 0, path = 0;
};
static_assert(sizeof(Actions) == 16 && sizeof(Action) == 32);
constexpr std::uint64_t kActionsBytes = 80;
constexpr std::int32_t kMostActions = 4096;

Outcome<Value> actions_init_(LibraryCall& call) {
    return call.memory.fill(call.pointer(0), 0, kActionsBytes).map([] { return Value(0); });
}
Outcome<std::vector<Action>> load_actions(const LibraryCall& call, std::uint64_t at) {
    const auto head = call.memory.load<Actions>(at);
    if (!head) return tl::unexpected(head.error());
    if (head->count < 0 || head->count > kMostActions) return error(EINVAL);
    std::vector<Action> list(static_cast<std::size_t>(head->count));
    if (auto got = call.memory.read(head->list, list.data(), list.size() * sizeof(Action)); !got)
        return tl::unexpected(got.error());
    return list;
}
Outcome<Value> actions_destroy_(LibraryCall& call) {
    const auto list = load_actions(call, call.pointer(0));
    const auto head = call.memory.load<Actions>(call.pointer(0));
    if (!list) return tl::unexpected(list.error());
    if (!head) return tl::unexpected(head.error());
    for (const Action& action : *list)
        if (action.path != 0)
            if (auto done = call.library.heap.release(action.path); !done)
                return tl::unexpected(done.error());
    if (auto done = call.library.heap.release(head->list); !done)
        return tl::unexpected(done.error());
    return actions_init_(call);
}
/// These return the error.
Outcome<Value> add_action(LibraryCall& call, const Action& action) {
    if (action.fd < 0 || action.other < 0) return Value(EBADF);
    auto head = call.memory.load<Actions>(call.pointer(0));
    if (!head) return tl::unexpected(head.error());
    if (head->count < 0 || head->count >= kMostActions) return Value(ENOMEM);
    const auto count = static_cast<std::uint64_t>(head->count);
    const auto list = call.library.heap.reallocate(head->list, (count + 1) * sizeof(Action));
    if (!list && list.error().kind == Trouble::Kind::Error) return Value(ENOMEM);
    if (!list) return tl::unexpected(list.error());
    if (auto done = call.memory.store(*list + count * sizeof(Action), action); !done)
        return tl::unexpected(done.error());
    head->list = *list;
    head->room = ++head->count;
    return call.memory.store(call.pointer(0), *head).map([] { return Value(0); });
}
Outcome<Value> add_close_(LibraryCall& call) {
    return add_action(call, {Action::Close, call.integer(1), 0, 0, 0, 0});
}
Outcome<Value> add_dup2_(LibraryCall& call) {
    return add_action(call, {Action::Dup, call.integer(1), call.integer(2), 0, 0, 0});
}
Outcome<Value> add_path(LibraryCall& call, unsigned place, Action action) {
    const auto path = call.text(place);
    if (!path) return tl::unexpected(path.error());
    const auto copy = call.library.heap.allocate(path->size() + 1);
    if (!copy) return Value(ENOMEM);
    if (auto done = call.memory.store_text(*copy, *path); !done)
        return tl::unexpected(done.error());
    action.path = *copy;
    return add_action(call, action);
}
Outcome<Value> add_open_(LibraryCall& call) {
    return add_path(
        call, 2, {Action::Open, call.integer(1), 0, call.integer(3), call.unsigned_integer(4), 0});
}
Outcome<Value> add_chdir_(LibraryCall& call) {
    return add_path(call, 1, {Action::Chdir, 0, 0, 0, 0, 0});
}
Outcome<Value> add_fchdir_(LibraryCall& call) {
    return add_action(call, {Action::Fchdir, call.integer(1), 0, 0, 0, 0});
}

// --- attributes ---

struct Attributes {
    std::uint16_t flags = 0, pad = 0;
    std::int32_t group = 0;
    std::array<std::uint64_t, 16> default_signals{}, mask{};
    std::int32_t priority = 0, policy = 0;
    std::array<std::int32_t, 16> reserved{};
};
static_assert(sizeof(Attributes) == 336);
enum AttributeFlag : std::uint16_t {
    kSetGroup = 2,
    kSetDefault = 4,
    kSetMask = 8,
    kNewSession = 0x80
};

Outcome<Value> attributes_init_(LibraryCall& call) {
    return call.memory.store(call.pointer(0), Attributes()).map([] { return Value(0); });
}
Outcome<Value> attributes_destroy_(LibraryCall&) { return Value(0); }

template <auto Member>
Outcome<Value> set_attribute(LibraryCall& call) {
    auto attributes = call.memory.load<Attributes>(call.pointer(0));
    if (!attributes) return tl::unexpected(attributes.error());
    using Field = std::remove_reference_t<decltype(*attributes.*Member)>;
    if constexpr (std::is_integral_v<Field>) {
        *attributes.*Member = static_cast<Field>(call.word(1));
    } else {
        const auto set = call.memory.load<Field>(call.pointer(1));
        if (!set) return tl::unexpected(set.error());
        *attributes.*Member = *set;
    }
    return call.memory.store(call.pointer(0), *attributes).map([] { return Value(0); });
}
template <auto Member>
Outcome<Value> get_attribute(LibraryCall& call) {
    const auto attributes = call.memory.load<Attributes>(call.pointer(0));
    if (!attributes) return tl::unexpected(attributes.error());
    return call.memory.store(call.pointer(1), *attributes.*Member).map([] { return Value(0); });
}

// --- the new process ---

Outcome<std::int64_t> perform(LibraryCall& call, const Action& action) {
    switch (action.kind) {
        case Action::Close: {
            auto done = call.kernel(kClose, word_of(action.fd));
            return done ? done : 0;  // one that is not open is no error
        }
        case Action::Dup: {
            constexpr std::uint32_t kFcntl = 55;
            constexpr std::uint64_t kSetFlags = 2;
            if (action.fd == action.other)
                return call.kernel(kFcntl, word_of(action.fd), kSetFlags, 0);
            return call.kernel(kDup2, word_of(action.fd), word_of(action.other));
        }
        case Action::Open: {
            const auto fd = call.kernel(kOpen, action.path, word_of(action.flags), action.mode);
            if (!fd || *fd == action.fd) return fd;
            const auto moved = call.kernel(kDup2, word_of(*fd), word_of(action.fd));
            static_cast<void>(call.kernel(kClose, word_of(*fd)));
            return moved;
        }
        case Action::Chdir:
            return call.kernel(kChdir, action.path);
        case Action::Fchdir:
            return call.kernel(kFchdir, word_of(action.fd));
        default:
            return error(EINVAL);
    }
}

Outcome<std::int64_t> apply(LibraryCall& call, const Attributes& attributes) {
    constexpr std::uint64_t kSetBytes = 8, kReplace = 2;
    const std::uint64_t scratch = call.thread().scratch_address();
    if (attributes.flags & kNewSession)
        if (auto done = call.kernel(kSetsid); !done) return done;
    if (attributes.flags & kSetGroup)
        if (auto done = call.kernel(kSetpgid, 0, word_of(attributes.group)); !done) return done;
    if (attributes.flags & kSetDefault)
        for (int signal = 1; signal <= kSignals; ++signal) {
            if (!(attributes.default_signals[0] & signal_bit(signal))) continue;
            if (auto done = call.memory.store(scratch, SigactionE2k()); !done)
                return tl::unexpected(done.error());
            static_cast<void>(call.kernel(kSigaction, word_of(signal), scratch, 0, kSetBytes));
        }
    if (attributes.flags & kSetMask) {
        if (auto done = call.memory.store(scratch, attributes.mask[0]); !done)
            return tl::unexpected(done.error());
        return call.kernel(kSigprocmask, kReplace, scratch, 0, kSetBytes);
    }
    return 0;
}

/// What the new process could not do goes through this pipe, which execve closes.
struct Pipe {
    int read = -1, write = -1;
};
Outcome<Pipe> make_pipe(LibraryCall& call) {
    const std::uint64_t pair = call.thread().scratch_address();
    if (auto made = call.kernel(kPipe2, pair, O_CLOEXEC); !made)
        return tl::unexpected(made.error());
    return call.memory.load<std::array<std::int32_t, 2>>(pair).map([](const auto& ends) {
        return Pipe{ends[0], ends[1]};
    });
}

/// posix_spawn(pid, path, actions, attributes, argv, envp) returns the error.
Outcome<Value> spawn(LibraryCall& call, bool search) {
    const auto path = call.text(1, 4096);
    if (!path) return tl::unexpected(path.error());
    std::vector<Action> actions;
    if (call.pointer(2) != 0) {
        auto list = load_actions(call, call.pointer(2));
        if (!list) return tl::unexpected(list.error());
        actions = std::move(*list);
    }
    Attributes attributes;
    if (call.pointer(3) != 0) {
        const auto given = call.memory.load<Attributes>(call.pointer(3));
        if (!given) return tl::unexpected(given.error());
        attributes = *given;
    }
    const auto pipe = make_pipe(call);
    if (!pipe && pipe.error().kind == Trouble::Kind::Error) return Value(pipe.error().error);
    if (!pipe) return tl::unexpected(pipe.error());
    const auto process = call.kernel(kFork);
    if (process && *process == 0) {
        Outcome<std::int64_t> done = apply(call, attributes);
        for (const Action& action : actions)
            if (done) done = perform(call, action);
        if (done) {
            const auto executed =
                search ? execute_found(call, call.pointer(1), call.pointer(4), call.pointer(5))
                       : execute(call, call.pointer(1), call.pointer(4), call.pointer(5));
            if (executed) return Value();
            done = tl::unexpected(executed.error());
        }
        const std::int32_t number =
            done.error().kind == Trouble::Kind::Error ? done.error().error : EFAULT;
        constexpr std::uint64_t kCannotExecute = 127;
        static_cast<void>(call.library.streams->io.write(pipe->write, &number, sizeof number));
        static_cast<void>(call.kernel(kExitGroup, kCannotExecute));
        return Value();
    }
    static_cast<void>(call.kernel(kClose, word_of(pipe->write)));
    std::int32_t number = 0;
    // Not to be cut short by signals, which wait: the child is there, no call can make it undone.
    ssize_t got = 0;
    if (process) {
        const int host = call.system.process.fds.host(pipe->read);
        do got = ::read(host, &number, sizeof number);
        while (got < 0 && errno == EINTR);
    }
    static_cast<void>(call.kernel(kClose, word_of(pipe->read)));
    if (!process && process.error().kind == Trouble::Kind::Error)
        return Value(process.error().error);
    if (!process) return tl::unexpected(process.error());
    if (got == static_cast<ssize_t>(sizeof number)) {
        static_cast<void>(call.kernel(kWaitpid, word_of(*process), 0, 0));
        return Value(number);
    }
    if (call.pointer(0) == 0) return Value(0);
    return call.memory.store(call.pointer(0), static_cast<std::int32_t>(*process)).map([] {
        return Value(0);
    });
}
Outcome<Value> posix_spawn_(LibraryCall& call) { return spawn(call, false); }
Outcome<Value> posix_spawnp_(LibraryCall& call) { return spawn(call, true); }

constexpr std::array kRows{
    Row{"posix_spawn", "i(p,s,p,p,p,p)", posix_spawn_},
    Row{"posix_spawnp", "i(p,s,p,p,p,p)", posix_spawnp_},
    Row{"posix_spawn_file_actions_init", "i(p)", actions_init_},
    Row{"posix_spawn_file_actions_destroy", "i(p)", actions_destroy_},
    Row{"posix_spawn_file_actions_addclose", "i(p,i)", add_close_},
    Row{"posix_spawn_file_actions_adddup2", "i(p,i,i)", add_dup2_},
    Row{"posix_spawn_file_actions_addopen", "i(p,i,s,i,u)", add_open_},
    Row{"posix_spawn_file_actions_addchdir_np", "i(p,s)", add_chdir_},
    Row{"posix_spawn_file_actions_addfchdir_np", "i(p,i)", add_fchdir_},
    Row{"posix_spawnattr_init", "i(p)", attributes_init_},
    Row{"posix_spawnattr_destroy", "i(p)", attributes_destroy_},
    Row{"posix_spawnattr_setflags", "i(p,i)", set_attribute<&Attributes::flags>},
    Row{"posix_spawnattr_getflags", "i(p,p)", get_attribute<&Attributes::flags>},
    Row{"posix_spawnattr_setpgroup", "i(p,i)", set_attribute<&Attributes::group>},
    Row{"posix_spawnattr_getpgroup", "i(p,p)", get_attribute<&Attributes::group>},
    Row{"posix_spawnattr_setsigdefault", "i(p,p)", set_attribute<&Attributes::default_signals>},
    Row{"posix_spawnattr_setsigmask", "i(p,p)", set_attribute<&Attributes::mask>},
};

}  // namespace

std::span<const Row> spawn_rows() { return kRows; }

}  // namespace e2k::guest::libc
