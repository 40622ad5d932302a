// <stdio.h>. A FILE is locked for each call; its buffers are the workbench's.
#include <array>

#include "engine/guest/libc/internal_rows.h"
#include "engine/guest/libc/printing.h"

namespace e2k::guest::libc {

Outcome<Value> flush_all(LibraryCall& call) {
    return call.library.streams->stdio.flush_at_exit().map([] { return Value(); });
}

namespace {

constexpr std::uint32_t kOpen = 5;
constexpr int kEof = -1;
constexpr std::uint64_t kCreationMode = 0666;

// --- output ---

Outcome<Value> printf_(LibraryCall& call) {
    const auto file = standard_file(call, "stdout");
    if (!file) return tl::unexpected(file.error());
    return print_to(call, *file, call.pointer(0), call.variable(1));
}
Outcome<Value> vprintf_(LibraryCall& call) {
    const auto file = standard_file(call, "stdout");
    if (!file) return tl::unexpected(file.error());
    return print_to(call, *file, call.pointer(0), call.list(1));
}
Outcome<Value> fprintf_(LibraryCall& call) {
    return print_to(call, call.pointer(0), call.pointer(1), call.variable(2));
}
Outcome<Value> vfprintf_(LibraryCall& call) {
    return print_to(call, call.pointer(0), call.pointer(1), call.list(2));
}

Outcome<Value> print_into(LibraryCall& call, std::uint64_t room, std::uint64_t text,
                          VariableArguments arguments) {
    MemorySink sink(call.memory, call.pointer(0), room);
    auto result = format_to(call, sink, text, arguments);
    if (!result) return result;
    if (auto done = sink.finish(); !done) return tl::unexpected(done.error());
    return result;
}
Outcome<Value> sprintf_(LibraryCall& call) {
    return print_into(call, ~0ull, call.pointer(1), call.variable(2));
}
Outcome<Value> vsprintf_(LibraryCall& call) {
    return print_into(call, ~0ull, call.pointer(1), call.list(2));
}
Outcome<Value> snprintf_(LibraryCall& call) {
    return print_into(call, call.size(1), call.pointer(2), call.variable(3));
}
Outcome<Value> vsnprintf_(LibraryCall& call) {
    return print_into(call, call.size(1), call.pointer(2), call.list(3));
}

Outcome<Value> put_text(LibraryCall& call, std::uint64_t file, std::uint64_t text, bool line) {
    const auto length = call.memory.length(text);
    if (!length) return tl::unexpected(length.error());
    return write_to_file(call, file, [&](StreamWriter& writer) -> Outcome<Value> {
        if (auto done = writer.put_guest(text, *length); !done) return tl::unexpected(done.error());
        if (line)
            if (auto done = writer.put("\n"); !done) return tl::unexpected(done.error());
        return Value(1);
    });
}
Outcome<Value> puts_(LibraryCall& call) {
    const auto file = standard_file(call, "stdout");
    if (!file) return tl::unexpected(file.error());
    return put_text(call, *file, call.pointer(0), true);
}
Outcome<Value> fputs_(LibraryCall& call) {
    return put_text(call, call.pointer(1), call.pointer(0), false);
}

Outcome<Value> put_character(LibraryCall& call, std::uint64_t file) {
    const char c = static_cast<char>(call.word(0));
    return write_to_file(call, file, [&](StreamWriter& writer) -> Outcome<Value> {
        if (auto done = writer.put({&c, 1}); !done) return tl::unexpected(done.error());
        return Value(static_cast<int>(static_cast<std::uint8_t>(c)));
    });
}
Outcome<Value> fputc_(LibraryCall& call) { return put_character(call, call.pointer(1)); }
Outcome<Value> putchar_(LibraryCall& call) {
    const auto file = standard_file(call, "stdout");
    if (!file) return tl::unexpected(file.error());
    return put_character(call, *file);
}

Outcome<Value> fwrite_(LibraryCall& call) {
    std::uint64_t bytes = 0;
    if (__builtin_mul_overflow(call.size(1), call.size(2), &bytes)) return Value(0);
    if (bytes == 0) return Value(0);
    std::uint64_t taken = 0;
    const auto result =
        write_to_file(call, call.pointer(3), [&](StreamWriter& writer) -> Outcome<Value> {
            const auto done = writer.put_guest(call.pointer(0), bytes);
            taken = writer.taken();
            if (!done) return tl::unexpected(done.error());
            return Value(call.size(2));
        });
    if (!result && result.error().kind == Trouble::Kind::Error) {
        call.set_errno(result.error().error);
        return Value(taken / call.size(1));
    }
    return result;
}

// --- input ---

Outcome<Value> get_character(LibraryCall& call, std::uint64_t file) {
    return with_file(call, file, [](Stream& stream, const Caller&) {
        return stream.get().map([](int c) { return Value(c); });
    });
}
Outcome<Value> getc_(LibraryCall& call) { return get_character(call, call.pointer(0)); }
Outcome<Value> getchar_(LibraryCall& call) {
    const auto file = standard_file(call, "stdin");
    if (!file) return tl::unexpected(file.error());
    return get_character(call, *file);
}
Outcome<Value> ungetc_(LibraryCall& call) {
    if (call.integer(0) == kEof) return Value(kEof);
    return with_file(call, call.pointer(1), [&](Stream& stream, const Caller&) -> Outcome<Value> {
        const auto c = static_cast<std::uint8_t>(call.word(0));
        return stream.unget(c) ? Value(static_cast<int>(c)) : Value(kEof);
    });
}
Outcome<Value> get_line(LibraryCall& call, int limit, std::uint64_t file) {
    return with_file(call, file, [&](Stream& stream, const Caller& caller) {
        return stream.read_line(caller, call.pointer(0), limit).map([](std::uint64_t at) {
            return Value(at);
        });
    });
}
Outcome<Value> fgets_(LibraryCall& call) {
    return get_line(call, call.integer(1), call.pointer(2));
}
constexpr const char* kOverflow = "*** buffer overflow detected ***";
/// The room comes second.
Outcome<Value> fgets_chk(LibraryCall& call) {
    const int limit = call.integer(2);
    if (limit > 0 && static_cast<std::uint64_t>(limit) > call.size(1)) return abort_with(kOverflow);
    return get_line(call, limit, call.pointer(3));
}
Outcome<Value> read_items(LibraryCall& call, std::uint64_t size, std::uint64_t count,
                          std::uint64_t room, std::uint64_t file) {
    std::uint64_t bytes = 0;
    if (__builtin_mul_overflow(size, count, &bytes)) bytes = ~0ull;
    if (bytes > room) return abort_with(kOverflow);
    if (bytes == 0) return Value(0);
    return with_file(call, file, [&](Stream& stream, const Caller& caller) {
        return stream.read_to(caller, call.pointer(0), bytes).map([&](const auto& transfer) {
            if (transfer.error != 0) call.set_errno(transfer.error);
            return Value(transfer.bytes / size);
        });
    });
}
Outcome<Value> fread_(LibraryCall& call) {
    return read_items(call, call.size(1), call.size(2), ~0ull, call.pointer(3));
}
Outcome<Value> fread_chk(LibraryCall& call) {
    return read_items(call, call.size(2), call.size(3), call.size(1), call.pointer(4));
}

// --- files ---

Outcome<Value> fopen_(LibraryCall& call) {
    const auto text = call.text(1);
    if (!text) return tl::unexpected(text.error());
    const auto mode = parse_open_mode(*text);
    if (!mode) return error(EINVAL);
    const auto fd =
        call.kernel(kOpen, call.pointer(0), static_cast<std::uint64_t>(mode->flags), kCreationMode);
    if (!fd) return tl::unexpected(fd.error());
    auto& streams = *call.library.streams;
    const auto file = streams.stdio.open(static_cast<int>(*fd), *mode);
    if (!file) static_cast<void>(streams.io.close(static_cast<int>(*fd)));
    return file.map([](std::uint64_t at) { return Value(at); });
}
Outcome<Value> fclose_(LibraryCall& call) {
    return call.library.streams->stdio.close(call.pointer(0), caller_of(call)).map([] {
        return Value(0);
    });
}
Outcome<Value> fflush_(LibraryCall& call) {
    const Caller caller = caller_of(call);
    if (call.pointer(0) == 0)
        return call.library.streams->stdio.flush_all(caller).map([] { return Value(0); });
    return with_file(call, call.pointer(0), [](Stream& stream, const Caller&) {
        return stream.sync().map([] { return Value(0); });
    });
}

constexpr std::array kRows{
    Row{"printf", "i(s,...)", printf_},
    Row{"vprintf", "i(s,p)", vprintf_},
    Row{"fprintf", "i(S,s,...)", fprintf_},
    Row{"vfprintf", "i(S,s,p)", vfprintf_},
    Row{"sprintf", "i(p,s,...)", sprintf_},
    Row{"vsprintf", "i(p,s,p)", vsprintf_},
    Row{"snprintf", "i(p,L,s,...)", snprintf_},
    Row{"vsnprintf", "i(p,L,s,p)", vsnprintf_},
    Row{"puts", "i(s)", puts_},
    Row{"fputs", "i(s,S)", fputs_},
    Row{"fputc", "i(i,S)", fputc_},
    Row{"putc", "i(i,S)", fputc_},
    Row{"_IO_putc", "i(i,S)", fputc_},
    Row{"putchar", "i(i)", putchar_},
    Row{"fwrite", "L(p,L,L,S)", fwrite_},
    Row{"getc", "i(S)", getc_},
    Row{"fgetc", "i(S)", getc_},
    Row{"_IO_getc", "i(S)", getc_},
    Row{"getchar", "i()", getchar_},
    Row{"ungetc", "i(i,S)", ungetc_},
    Row{"fgets", "p(p,i,S)", fgets_},
    Row{"fread", "L(p,L,L,S)", fread_},
    // A FILE is always locked here.
    Row{"fputs_unlocked", "i(s,S)", fputs_},
    Row{"fputc_unlocked", "i(i,S)", fputc_},
    Row{"putc_unlocked", "i(i,S)", fputc_},
    Row{"putchar_unlocked", "i(i)", putchar_},
    Row{"fwrite_unlocked", "L(p,L,L,S)", fwrite_},
    Row{"getc_unlocked", "i(S)", getc_},
    Row{"fgetc_unlocked", "i(S)", getc_},
    Row{"getchar_unlocked", "i()", getchar_},
    Row{"fgets_unlocked", "p(p,i,S)", fgets_},
    Row{"__fgets_chk", "p(p,L,i,S)", fgets_chk},
    Row{"__fread_chk", "L(p,L,L,L,S)", fread_chk},
    Row{"fread_unlocked", "L(p,L,L,S)", fread_},
    Row{"fflush_unlocked", "i(S)", fflush_},
    Row{"fopen64", "S(s,s)", fopen_},
    Row{"fopen", "S(s,s)", fopen_},
    Row{"fclose", "i(S)", fclose_},
    Row{"fflush", "i(S)", fflush_},
};

}  // namespace

std::span<const Row> stdio_rows() { return kRows; }

}  // namespace e2k::guest::libc
