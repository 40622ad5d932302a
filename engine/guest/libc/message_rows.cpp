// printf into allocated memory and descriptors; messages of <err.h>, <error.h> and <assert.h>.
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "engine/guest/libc/core/c_locale.h"
#include "engine/guest/libc/printing.h"

namespace e2k::guest::libc {
namespace {

// --- asprintf, dprintf ---

Outcome<Value> print_allocated(LibraryCall& call, std::uint64_t form, VariableArguments arguments) {
    StringSink sink;
    auto count = format_to(call, sink, form, arguments);
    if (!count) return count;
    const auto at = call.library.heap.allocate(sink.text().size() + 1);
    if (!at) return tl::unexpected(at.error());
    if (auto done = call.memory.store_text(*at, sink.text()); !done)
        return tl::unexpected(done.error());
    if (auto done = call.memory.store(call.pointer(0), *at); !done)
        return tl::unexpected(done.error());
    return count;
}
Outcome<Value> asprintf_(LibraryCall& call) {
    return print_allocated(call, call.pointer(1), call.variable(2));
}
Outcome<Value> vasprintf_(LibraryCall& call) {
    return print_allocated(call, call.pointer(1), call.list(2));
}
Outcome<Value> asprintf_chk(LibraryCall& call) {
    return print_allocated(call, call.pointer(2), call.variable(3));
}
Outcome<Value> vasprintf_chk(LibraryCall& call) {
    return print_allocated(call, call.pointer(2), call.list(3));
}

Outcome<Value> print_to_descriptor(LibraryCall& call, std::uint64_t form,
                                   VariableArguments arguments) {
    StringSink sink;
    auto count = format_to(call, sink, form, arguments);
    if (!count) return count;
    const std::string& text = sink.text();
    for (std::size_t done = 0; done < text.size();) {
        const auto put =
            call.library.streams->io.write(call.integer(0), text.data() + done, text.size() - done);
        if (!put) return tl::unexpected(put.error());
        done += *put;
    }
    return count;
}
Outcome<Value> dprintf_(LibraryCall& call) {
    return print_to_descriptor(call, call.pointer(1), call.variable(2));
}
Outcome<Value> vdprintf_(LibraryCall& call) {
    return print_to_descriptor(call, call.pointer(1), call.list(2));
}

// --- the fortified names: a flag, sometimes the room, between the arguments ---

bool checks(const LibraryCall& call, unsigned flag) { return call.integer(flag) > 1; }

Outcome<Value> printf_chk(LibraryCall& call) {
    const auto file = standard_file(call, "stdout");
    if (!file) return tl::unexpected(file.error());
    return print_to(call, *file, call.pointer(1), call.variable(2), checks(call, 0));
}
Outcome<Value> vprintf_chk(LibraryCall& call) {
    const auto file = standard_file(call, "stdout");
    if (!file) return tl::unexpected(file.error());
    return print_to(call, *file, call.pointer(1), call.list(2), checks(call, 0));
}
Outcome<Value> fprintf_chk(LibraryCall& call) {
    return print_to(call, call.pointer(0), call.pointer(2), call.variable(3), checks(call, 1));
}
Outcome<Value> vfprintf_chk(LibraryCall& call) {
    return print_to(call, call.pointer(0), call.pointer(2), call.list(3), checks(call, 1));
}
/// `room` is what the caller's object has.
Outcome<Value> print_into(LibraryCall& call, std::uint64_t limit, std::uint64_t room, bool flag,
                          std::uint64_t form, VariableArguments arguments) {
    if (limit != ~0ull && limit > room) return abort_with("*** buffer overflow detected ***");
    MemorySink sink(call.memory, call.pointer(0), std::min(limit, room));
    auto count = format_to(call, sink, form, arguments, flag);
    if (!count) return count;
    if (limit == ~0ull && count->low >= room) return abort_with("*** buffer overflow detected ***");
    if (auto done = sink.finish(); !done) return tl::unexpected(done.error());
    return count;
}
Outcome<Value> sprintf_chk(LibraryCall& call) {
    return print_into(call, ~0ull, call.size(2), checks(call, 1), call.pointer(3),
                      call.variable(4));
}
Outcome<Value> vsprintf_chk(LibraryCall& call) {
    return print_into(call, ~0ull, call.size(2), checks(call, 1), call.pointer(3), call.list(4));
}
Outcome<Value> snprintf_chk(LibraryCall& call) {
    return print_into(call, call.size(1), call.size(3), checks(call, 2), call.pointer(4),
                      call.variable(5));
}
Outcome<Value> vsnprintf_chk(LibraryCall& call) {
    return print_into(call, call.size(1), call.size(3), checks(call, 2), call.pointer(4),
                      call.list(5));
}
Outcome<Value> dprintf_chk(LibraryCall& call) {
    return print_to_descriptor(call, call.pointer(2), call.variable(3));
}

// --- messages ---

std::string error_text(int number) {
    const CLocaleScope locale;
    std::array<char, 128> room{};
    return strerror_r(number, room.data(), room.size());
}

/// One line, or a piece of it, to stderr.
Outcome<Value> to_stderr(LibraryCall& call, const std::string& text) {
    const auto file = standard_file(call, "stderr");
    if (!file) return tl::unexpected(file.error());
    return write_to_file(call, *file, [&](StreamWriter& writer) -> Outcome<Value> {
        if (auto done = writer.put(text); !done) return tl::unexpected(done.error());
        return Value(0);
    });
}

Outcome<Value> perror_(LibraryCall& call) {
    const int number = call.guest_errno();
    std::string text;
    if (call.pointer(0) != 0) {
        const auto prefix = call.text(0);
        if (!prefix) return tl::unexpected(prefix.error());
        if (!prefix->empty()) text = *prefix + ": ";
    }
    return to_stderr(call, text + error_text(number) + "\n");
}

Outcome<std::string> program_name(LibraryCall& call, std::string_view variable) {
    const auto at = call.memory.load<std::uint64_t>(call.library.variable(variable));
    if (!at) return tl::unexpected(at.error());
    if (*at == 0) return std::string();
    return call.memory.text(*at);
}

/// "program: text: what errno means"
Outcome<std::string> message(LibraryCall& call, std::uint64_t form, VariableArguments arguments,
                             bool with_error) {
    const int number = call.guest_errno();
    auto text = program_name(call, "__progname");
    if (!text) return text;
    *text += ": ";
    if (form != 0) {
        StringSink sink;
        if (auto done = format_to(call, sink, form, arguments); !done)
            return tl::unexpected(done.error());
        *text += sink.text();
        if (with_error) *text += ": ";
    }
    if (with_error) *text += error_text(number);
    return *text + '\n';
}
template <bool WithError, bool List>
Outcome<Value> warn_(LibraryCall& call) {
    const auto text =
        message(call, call.pointer(0), List ? call.list(1) : call.variable(1), WithError);
    if (!text) return tl::unexpected(text.error());
    return to_stderr(call, *text);
}

constexpr std::array kRows{
    Row{"asprintf", "i(p,s,...)", asprintf_},
    Row{"vasprintf", "i(p,s,p)", vasprintf_},
    Row{"__asprintf_chk", "i(p,i,s,...)", asprintf_chk},
    Row{"__vasprintf_chk", "i(p,i,s,p)", vasprintf_chk},
    Row{"dprintf", "i(i,s,...)", dprintf_},
    Row{"vdprintf", "i(i,s,p)", vdprintf_},
    Row{"__dprintf_chk", "i(i,i,s,...)", dprintf_chk},
    Row{"__printf_chk", "i(i,s,...)", printf_chk},
    Row{"__vprintf_chk", "i(i,s,p)", vprintf_chk},
    Row{"__fprintf_chk", "i(S,i,s,...)", fprintf_chk},
    Row{"__vfprintf_chk", "i(S,i,s,p)", vfprintf_chk},
    Row{"__sprintf_chk", "i(p,i,L,s,...)", sprintf_chk},
    Row{"__vsprintf_chk", "i(p,i,L,s,p)", vsprintf_chk},
    Row{"__snprintf_chk", "i(p,L,i,L,s,...)", snprintf_chk},
    Row{"__vsnprintf_chk", "i(p,L,i,L,s,p)", vsnprintf_chk},
    Row{"perror", "v(s)", perror_},
    Row{"warn", "v(s,...)", warn_<true, false>},
    Row{"warnx", "v(s,...)", warn_<false, false>},
    Row{"vwarn", "v(s,p)", warn_<true, true>},
    Row{"vwarnx", "v(s,p)", warn_<false, true>},
};

}  // namespace

std::span<const Row> message_rows() { return kRows; }

}  // namespace e2k::guest::libc
