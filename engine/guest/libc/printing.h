// What functions that print have in common.
#pragma once

#include "engine/cpu/semantics.h"
#include "engine/guest/libc/core/format.h"
#include "engine/guest/libc/streams.h"

namespace e2k::guest::libc {

/// The FILE that variable `name` holds now: a program may assign it.
inline Outcome<std::uint64_t> standard_file(LibraryCall& call, std::string_view name) {
    return call.memory.load<std::uint64_t>(call.library.variable(name));
}

/// `put(writer)` on a locked FILE, then what its buffering asks for.
template <class Put>
Outcome<Value> write_to_file(LibraryCall& call, std::uint64_t file, Put&& put) {
    const Caller caller = caller_of(call);
    auto use = call.library.streams->stdio.use(file, caller);
    if (!use) return tl::unexpected(use.error());
    auto writer = StreamWriter::begin(*use, caller);
    if (!writer) return tl::unexpected(writer.error());
    Outcome<Value> result = put(*writer);
    if (!result) return result;
    if (auto done = writer->finish(); !done) return tl::unexpected(done.error());
    return result;
}

/// `get(stream, caller)` on a locked FILE.
template <class Get>
Outcome<Value> with_file(LibraryCall& call, std::uint64_t file, Get&& get) {
    const Caller caller = caller_of(call);
    auto use = call.library.streams->stdio.use(file, caller);
    if (!use) return tl::unexpected(use.error());
    return get(**use, caller);
}

/// Formatted text, its numbers under the guest's rounding.
inline Outcome<Value> format_to(LibraryCall& call, TextSink& sink, std::uint64_t text,
                                VariableArguments arguments, bool fortified = false) {
    cpu::CpuState& s = call.system.thread.state;
    std::uint32_t pfpfr = s.pfpfr, fpcr = s.fpcr, fpsr = s.fpsr;
    const cpu::FpEnvironment guest(pfpfr, fpcr, fpsr);
    return format({call.memory, call.guest_errno(), fortified}, sink, text, arguments)
        .map([](int count) { return Value(count); });
}

/// printf on a FILE.
inline Outcome<Value> print_to(LibraryCall& call, std::uint64_t file, std::uint64_t text,
                               VariableArguments arguments, bool fortified = false) {
    return write_to_file(call, file, [&](TextSink& sink) {
        return format_to(call, sink, text, arguments, fortified);
    });
}

}  // namespace e2k::guest::libc
