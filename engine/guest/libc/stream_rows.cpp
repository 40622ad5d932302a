// <stdio.h>: positions, buffers, flags and locks of a FILE; lines; names with _unlocked and 64.
#include <fcntl.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "engine/guest/libc/printing.h"

namespace e2k::guest::libc {
namespace {

constexpr std::uint32_t kOpen = 5, kFcntl = 55, kUnlink = 10, kRmdir = 40, kDup3 = 358;
constexpr std::uint64_t kCreationMode = 0666;

Outcome<Value> zero(const Outcome<void>& done) {
    if (!done) return tl::unexpected(done.error());
    return Value(0);
}

// --- positions ---

Outcome<Value> fseek_(LibraryCall& call) {
    return with_file(call, call.pointer(0), [&](Stream& stream, const Caller&) {
        return stream.seek(call.long_integer(1), call.integer(2)).map([](std::int64_t) {
            return Value(0);
        });
    });
}
Outcome<Value> ftell_(LibraryCall& call) {
    return with_file(call, call.pointer(0), [](Stream& stream, const Caller&) {
        return stream.tell().map([](std::int64_t at) { return Value(at); });
    });
}
Outcome<Value> rewind_(LibraryCall& call) {
    return with_file(call, call.pointer(0), [](Stream& stream, const Caller&) {
        auto done = stream.seek(0, SEEK_SET).map([](std::int64_t) { return Value(0); });
        stream.clear_flags();
        return done;
    });
}
/// fpos_t: the position and a state of multibyte characters that is always 0.
Outcome<Value> fgetpos_(LibraryCall& call) {
    return with_file(call, call.pointer(0), [&](Stream& stream, const Caller&) {
        return stream.tell().and_then([&](std::int64_t at) {
            return zero(call.memory.store(call.pointer(1), std::array<std::int64_t, 2>{at, 0}));
        });
    });
}
Outcome<Value> fsetpos_(LibraryCall& call) {
    const auto at = call.memory.load<std::int64_t>(call.pointer(1));
    if (!at) return tl::unexpected(at.error());
    return with_file(call, call.pointer(0), [&](Stream& stream, const Caller&) {
        return stream.seek(*at, SEEK_SET).map([](std::int64_t) { return Value(0); });
    });
}

// --- what a FILE is like ---

Outcome<Value> fileno_(LibraryCall& call) {
    return with_file(call, call.pointer(0), [](Stream& s, const Caller&) -> Outcome<Value> {
        if (s.fd() < 0) return error(EBADF);
        return Value(s.fd());
    });
}
Outcome<Value> feof_(LibraryCall& call) {
    return with_file(call, call.pointer(0), [](Stream& s, const Caller&) -> Outcome<Value> {
        return Value(s.at_end() ? 1 : 0);
    });
}
Outcome<Value> ferror_(LibraryCall& call) {
    return with_file(call, call.pointer(0), [](Stream& s, const Caller&) -> Outcome<Value> {
        return Value(s.failed() ? 1 : 0);
    });
}
Outcome<Value> clearerr_(LibraryCall& call) {
    return with_file(call, call.pointer(0), [](Stream& s, const Caller&) -> Outcome<Value> {
        s.clear_flags();
        return Value(0);
    });
}
Outcome<Value> fpending_(LibraryCall& call) {
    return with_file(call, call.pointer(0), [](Stream& s, const Caller&) -> Outcome<Value> {
        return Value(s.pending_output());
    });
}
Outcome<Value> fbufsize_(LibraryCall& call) {
    return with_file(call, call.pointer(0), [](Stream& s, const Caller&) -> Outcome<Value> {
        return Value(s.buffer_bytes());
    });
}
Outcome<Value> freading_(LibraryCall& call) {
    return with_file(call, call.pointer(0), [](Stream& s, const Caller&) -> Outcome<Value> {
        return Value(!s.writable() || (s.readable() && !s.writing()) ? 1 : 0);
    });
}
Outcome<Value> fwriting_(LibraryCall& call) {
    return with_file(call, call.pointer(0), [](Stream& s, const Caller&) -> Outcome<Value> {
        return Value(!s.readable() || s.writing() ? 1 : 0);
    });
}
Outcome<Value> flbf_(LibraryCall& call) {
    return with_file(call, call.pointer(0), [](Stream& s, const Caller&) -> Outcome<Value> {
        return Value(s.buffering() == Buffering::Line ? 1 : 0);
    });
}
Outcome<Value> freadable_(LibraryCall& call) {
    return with_file(call, call.pointer(0), [](Stream& s, const Caller&) -> Outcome<Value> {
        return Value(s.readable() ? 1 : 0);
    });
}
Outcome<Value> fwritable_(LibraryCall& call) {
    return with_file(call, call.pointer(0), [](Stream& s, const Caller&) -> Outcome<Value> {
        return Value(s.writable() ? 1 : 0);
    });
}
/// Locks are always taken: FSETLOCKING_INTERNAL.
Outcome<Value> fsetlocking_(LibraryCall&) { return Value(1); }

// --- buffers: their sizes count, their places do not ---

Outcome<Value> buffering(LibraryCall& call, int mode, std::uint64_t size) {
    const std::array<Buffering, 3> kinds{Buffering::Full, Buffering::Line, Buffering::None};
    if (mode < 0 || mode > 2) return error(EINVAL);
    return with_file(call, call.pointer(0), [&](Stream& s, const Caller&) {
        return zero(s.set_buffering(kinds[static_cast<std::size_t>(mode)], size));
    });
}
Outcome<Value> setvbuf_(LibraryCall& call) {
    const std::uint64_t size = call.pointer(1) == 0 ? 0 : call.size(3);
    return buffering(call, call.integer(2), size);
}
Outcome<Value> setbuf_(LibraryCall& call) {
    return buffering(call, call.pointer(1) == 0 ? _IONBF : _IOFBF, BUFSIZ);
}
Outcome<Value> setbuffer_(LibraryCall& call) {
    return buffering(call, call.pointer(1) == 0 ? _IONBF : _IOFBF, call.size(2));
}
Outcome<Value> setlinebuf_(LibraryCall& call) { return buffering(call, _IOLBF, 0); }

// --- locks ---

Outcome<Value> flockfile_(LibraryCall& call) {
    return zero(call.library.streams->stdio.lock(call.pointer(0), caller_of(call)));
}
Outcome<Value> ftrylockfile_(LibraryCall& call) {
    const auto done = call.library.streams->stdio.try_lock(call.pointer(0), caller_of(call));
    if (!done && done.error().kind == Trouble::Kind::Error) return Value(-1);
    return zero(done);
}
Outcome<Value> funlockfile_(LibraryCall& call) {
    return zero(call.library.streams->stdio.unlock(call.pointer(0), caller_of(call)));
}

// --- opening ---

Outcome<OpenMode> mode_of(const LibraryCall& call, unsigned k) {
    const auto text = call.text(k);
    if (!text) return tl::unexpected(text.error());
    const auto mode = parse_open_mode(*text);
    if (!mode) return error(EINVAL);
    return *mode;
}
Outcome<Value> fdopen_(LibraryCall& call) {
    const auto mode = mode_of(call, 1);
    if (!mode) return tl::unexpected(mode.error());
    const auto flags = call.kernel(kFcntl, call.word(0), F_GETFL);
    if (!flags) return tl::unexpected(flags.error());
    const int access = static_cast<int>(*flags) & O_ACCMODE;
    if ((access == O_RDONLY && mode->write) || (access == O_WRONLY && mode->read))
        return error(EINVAL);
    if (mode->append && (*flags & O_APPEND) == 0)
        static_cast<void>(call.kernel(kFcntl, call.word(0), F_SETFL,
                                      static_cast<std::uint64_t>(*flags | O_APPEND)));
    return call.library.streams->stdio.open(call.integer(0), *mode).map([](std::uint64_t at) {
        return Value(at);
    });
}
/// A file without a name.
Outcome<Value> tmpfile_(LibraryCall& call) {
    const std::uint64_t path = call.thread().scratch_address();
    if (auto done = call.memory.store_text(path, "/tmp"); !done)
        return tl::unexpected(done.error());
    constexpr std::uint64_t kFlags = O_TMPFILE | O_RDWR | O_EXCL, kMode = 0600;
    const auto fd = call.kernel(kOpen, path, kFlags, kMode);
    if (!fd) return tl::unexpected(fd.error());
    const auto mode = parse_open_mode("w+");
    return call.library.streams->stdio.open(static_cast<int>(*fd), *mode).map([](std::uint64_t at) {
        return Value(at);
    });
}
/// Closes what the FILE has and opens another file in its place, under the same number.
Outcome<Value> freopen_(LibraryCall& call) {
    const auto mode = mode_of(call, 1);
    if (!mode) return tl::unexpected(mode.error());
    if (call.pointer(0) == 0) return error(ENOTSUP);
    const std::uint64_t path = call.pointer(0);
    auto& io = call.library.streams->io;
    return with_file(call, call.pointer(2), [&](Stream& s, const Caller&) -> Outcome<Value> {
        const auto synced = s.sync();
        if (!synced && synced.error().kind == Trouble::Kind::Interrupted)
            return tl::unexpected(synced.error());
        const auto fd =
            call.kernel(kOpen, path, static_cast<std::uint64_t>(mode->flags), kCreationMode);
        if (!fd) return tl::unexpected(fd.error());
        int number = static_cast<int>(*fd);
        if (const int before = s.fd(); before >= 0 && before != number) {
            const auto moved = call.kernel(kDup3, static_cast<std::uint64_t>(number),
                                           static_cast<std::uint64_t>(before),
                                           static_cast<std::uint64_t>(mode->flags & O_CLOEXEC));
            static_cast<void>(io.close(number));
            if (!moved) return tl::unexpected(moved.error());
            number = before;
        }
        s.reset(number, *mode);
        return Value(call.pointer(2));
    });
}
Outcome<Value> remove_(LibraryCall& call) {
    const auto done = call.kernel(kUnlink, call.pointer(0));
    const bool directory = !done && done.error().kind == Trouble::Kind::Error &&
                           (done.error().error == EISDIR || done.error().error == EPERM);
    return (directory ? call.kernel(kRmdir, call.pointer(0)) : done).map([](std::int64_t v) {
        return Value(v);
    });
}

// --- lines of any length ---

/// getdelim: (char **line, size_t *room, delimiter, FILE).
Outcome<Value> get_line(LibraryCall& call, int delimiter, std::uint64_t file) {
    const GuestMemory& memory = call.memory;
    if (call.pointer(0) == 0 || call.pointer(1) == 0) return error(EINVAL);
    auto line = memory.load<std::uint64_t>(call.pointer(0));
    auto room = memory.load<std::uint64_t>(call.pointer(1));
    if (!line) return tl::unexpected(line.error());
    if (!room) return tl::unexpected(room.error());
    if (*line == 0) *room = 0;
    const auto make_room = [&](std::uint64_t bytes) -> Outcome<void> {
        if (bytes <= *room) return {};
        const std::uint64_t wanted = std::max({std::uint64_t{120}, 2 * *room, bytes});
        const auto at = call.library.heap.reallocate(*line, wanted);
        if (!at) return tl::unexpected(at.error());
        line = *at;
        room = wanted;
        if (auto done = memory.store(call.pointer(0), *line); !done) return done;
        return memory.store(call.pointer(1), *room);
    };
    return with_file(call, file, [&](Stream& s, const Caller& caller) -> Outcome<Value> {
        std::uint64_t done = s.take_progress(caller);
        for (bool ended = false; !ended;) {
            const auto next = s.look();
            if (!next) {
                if (next.error().kind == Trouble::Kind::Interrupted) s.keep_progress(caller, done);
                return tl::unexpected(next.error());
            }
            if (next->empty()) break;
            const std::size_t at = next->find(static_cast<char>(delimiter));
            ended = at != std::string_view::npos;
            const std::size_t part = ended ? at + 1 : next->size();
            if (auto made = make_room(done + part + 1); !made) return tl::unexpected(made.error());
            if (auto put = memory.write(*line + done, next->data(), part); !put)
                return tl::unexpected(put.error());
            s.consume(part);
            done += part;
        }
        if (done == 0) return Value(-1);
        if (auto put = memory.store(*line + done, '\0'); !put) return tl::unexpected(put.error());
        return Value(done);
    });
}
Outcome<Value> getdelim_(LibraryCall& call) {
    return get_line(call, call.integer(2), call.pointer(3));
}
Outcome<Value> getline_(LibraryCall& call) { return get_line(call, '\n', call.pointer(2)); }

// --- what the macros of <stdio.h> fall back to ---

Outcome<Value> overflow_(LibraryCall& call) {
    const char c = static_cast<char>(call.word(1));
    return write_to_file(call, call.pointer(0), [&](StreamWriter& writer) -> Outcome<Value> {
        if (auto done = writer.put({&c, 1}); !done) return tl::unexpected(done.error());
        return Value(static_cast<int>(static_cast<std::uint8_t>(c)));
    });
}
Outcome<Value> uflow_(LibraryCall& call) {
    return with_file(call, call.pointer(0), [](Stream& s, const Caller&) {
        return s.get().map([](int c) { return Value(c); });
    });
}
Outcome<Value> fwide_(LibraryCall& call) {
    return with_file(call, call.pointer(0), [&](Stream& s, const Caller&) -> Outcome<Value> {
        const int wanted = call.integer(1);
        if (s.wide_orientation == 0 && wanted != 0) s.wide_orientation = wanted > 0 ? 1 : -1;
        return Value(s.wide_orientation);
    });
}

constexpr std::array kRows{
    Row{"fseek", "i(S,l,i)", fseek_},
    Row{"fseeko", "i(S,l,i)", fseek_},
    Row{"fseeko64", "i(S,l,i)", fseek_},
    Row{"ftell", "l(S)", ftell_},
    Row{"ftello", "l(S)", ftell_},
    Row{"ftello64", "l(S)", ftell_},
    Row{"rewind", "v(S)", rewind_},
    Row{"fgetpos", "i(S,p)", fgetpos_},
    Row{"fgetpos64", "i(S,p)", fgetpos_},
    Row{"fsetpos", "i(S,p)", fsetpos_},
    Row{"fsetpos64", "i(S,p)", fsetpos_},
    Row{"fileno", "i(S)", fileno_},
    Row{"fileno_unlocked", "i(S)", fileno_},
    Row{"feof", "i(S)", feof_},
    Row{"feof_unlocked", "i(S)", feof_},
    Row{"ferror", "i(S)", ferror_},
    Row{"ferror_unlocked", "i(S)", ferror_},
    Row{"clearerr", "v(S)", clearerr_},
    Row{"clearerr_unlocked", "v(S)", clearerr_},
    Row{"__fpending", "L(S)", fpending_},
    Row{"__fbufsize", "L(S)", fbufsize_},
    Row{"__freading", "i(S)", freading_},
    Row{"__fwriting", "i(S)", fwriting_},
    Row{"__freadable", "i(S)", freadable_},
    Row{"__fwritable", "i(S)", fwritable_},
    Row{"__flbf", "i(S)", flbf_},
    Row{"__fsetlocking", "i(S,i)", fsetlocking_},
    Row{"setvbuf", "i(S,p,i,L)", setvbuf_},
    Row{"setbuf", "v(S,p)", setbuf_},
    Row{"setbuffer", "v(S,p,L)", setbuffer_},
    Row{"setlinebuf", "v(S)", setlinebuf_},
    Row{"flockfile", "v(S)", flockfile_},
    Row{"ftrylockfile", "i(S)", ftrylockfile_},
    Row{"funlockfile", "v(S)", funlockfile_},
    Row{"tmpfile", "S()", tmpfile_},
    Row{"fdopen", "S(i,s)", fdopen_},
    Row{"freopen", "S(s,s,S)", freopen_},
    Row{"freopen64", "S(s,s,S)", freopen_},
    Row{"remove", "i(s)", remove_},
    Row{"getdelim", "l(p,p,i,S)", getdelim_},
    Row{"__getdelim", "l(p,p,i,S)", getdelim_},
    Row{"getline", "l(p,p,S)", getline_},
    Row{"__overflow", "i(S,i)", overflow_},
    Row{"__uflow", "i(S)", uflow_},
    Row{"fwide", "i(S,i)", fwide_},
};

}  // namespace

std::span<const Row> stream_rows() { return kRows; }

}  // namespace e2k::guest::libc
