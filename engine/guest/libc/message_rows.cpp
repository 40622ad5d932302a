// printf into allocated memory and descriptors; messages of <err.h>, <error.h> and <assert.h>.
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "engine/guest/libc/core/c_locale.h"
#include "engine/guest/libc/guest_text.h"
#include "engine/guest/libc/internal_rows.h"
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

/// The program's exit function, called by the stub.
Outcome<Value> then_exit(LibraryCall& call, std::uint64_t status) {
    call.call_next(call.library.address_of("exit"), {status});
    return Value();
}
template <bool WithError, bool List>
Outcome<Value> err_(LibraryCall& call) {
    const auto text =
        message(call, call.pointer(1), List ? call.list(2) : call.variable(2), WithError);
    if (!text) return tl::unexpected(text.error());
    if (auto done = to_stderr(call, *text); !done) return done;
    return then_exit(call, call.word(0));
}

/// error(status, number, form, …), error_at_line(status, number, file, line, form, …): stdout is
/// flushed first, and the whole name of the program stands in front. A function of the program may
/// write that name (error_print_progname).
struct ErrorMessage {
    std::uint64_t status = 0, form = 0;
    int number = 0;
    std::string place;  ///< "file:line:"
    unsigned named = 0;
};
Outcome<Value> print_error(LibraryCall& call, const ErrorMessage& what, bool with_name) {
    std::string text;
    if (with_name) {
        const auto name = program_name(call, "__progname_full");
        if (!name) return tl::unexpected(name.error());
        text = *name + ':';
    }
    text += what.place.empty() ? " " : what.place;
    StringSink sink;
    if (auto done = format_to(call, sink, what.form, call.variable(what.named)); !done) return done;
    text += sink.text();
    if (what.number != 0) text += ": " + error_text(what.number);
    if (auto done = to_stderr(call, text + '\n'); !done) return done;
    const std::uint64_t counter = call.library.variable("error_message_count");
    const auto count = call.memory.load<std::uint32_t>(counter);
    if (!count) return tl::unexpected(count.error());
    if (auto done = call.memory.store(counter, *count + 1); !done)
        return tl::unexpected(done.error());
    return what.status != 0 ? then_exit(call, what.status) : Outcome<Value>(Value());
}
Outcome<Value> error_with(LibraryCall& call, const ErrorMessage& what) {
    const auto printer =
        call.memory.load<std::uint64_t>(call.library.variable("error_print_progname"));
    if (!printer) return tl::unexpected(printer.error());
    if (call.state(0) == 0) {
        if (auto done = flush_all(call); !done && done.error().kind == Trouble::Kind::Interrupted)
            return done;
        if (*printer != 0) {
            call.set_state(0, 1);
            call.call_next(*printer);
            return Value();
        }
    }
    return print_error(call, what, *printer == 0);
}
Outcome<Value> error_(LibraryCall& call) {
    return error_with(call, {static_cast<std::uint32_t>(call.integer(0)), call.pointer(2),
                             call.integer(1), "", 3});
}
Outcome<Value> error_at_line_(LibraryCall& call) {
    std::string place;
    if (call.pointer(2) != 0) {
        const auto file = call.text(2, 4096);
        if (!file) return tl::unexpected(file.error());
        place = (*file + ':') + std::to_string(call.unsigned_integer(3)) + ": ";
    }
    return error_with(call, {static_cast<std::uint32_t>(call.integer(0)), call.pointer(4),
                             call.integer(1), place, 5});
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
    Row{"err", "v(i,s,...)", err_<true, false>, Row::kDriven},
    Row{"errx", "v(i,s,...)", err_<false, false>, Row::kDriven},
    Row{"verr", "v(i,s,p)", err_<true, true>, Row::kDriven},
    Row{"verrx", "v(i,s,p)", err_<false, true>, Row::kDriven},
    Row{"error", "v(i,i,s,...)", error_, Row::kDriven},
    Row{"error_at_line", "v(i,i,s,u,s,...)", error_at_line_, Row::kDriven},
};

}  // namespace

std::string error_text(int number) {
    const CLocaleScope locale;
    std::array<char, 128> room{};
    return strerror_r(number, room.data(), room.size());
}

Outcome<Value> to_stderr(LibraryCall& call, const std::string& text) {
    const auto file = standard_file(call, "stderr");
    if (!file) return tl::unexpected(file.error());
    return write_to_file(call, *file, [&](StreamWriter& writer) -> Outcome<Value> {
        if (auto done = writer.put(text); !done) return tl::unexpected(done.error());
        return Value(0);
    });
}

Outcome<std::string> program_name(LibraryCall& call, std::string_view name) {
    const auto at = call.memory.load<std::uint64_t>(call.library.variable(name));
    if (!at) return tl::unexpected(at.error());
    if (*at == 0) return std::string();
    return call.memory.text(*at);
}

std::span<const Row> message_rows() { return kRows; }

}  // namespace e2k::guest::libc
