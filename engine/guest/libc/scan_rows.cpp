// The scanf family.
#include "engine/guest/libc/core/scan.h"

#include <array>

#include "engine/cpu/semantics.h"
#include "engine/guest/libc/streams.h"

namespace e2k::guest::libc {
namespace {

/// Numbers are read under the guest's rounding.
Outcome<Value> scanned(LibraryCall& call, CharacterSource& source, std::uint64_t format,
                       VariableArguments arguments) {
    cpu::CpuState& s = call.system.thread.state;
    std::uint32_t pfpfr = s.pfpfr, fpcr = s.fpcr, fpsr = s.fpsr;
    const cpu::FpEnvironment guest(pfpfr, fpcr, fpsr);
    return scan(call.memory, call.library.heap, source, format, arguments).map([](int count) {
        return Value(count);
    });
}

Outcome<Value> scan_text(LibraryCall& call, VariableArguments arguments) {
    TextSource source(call.memory, call.pointer(0));
    return scanned(call, source, call.pointer(1), arguments);
}
Outcome<Value> sscanf_(LibraryCall& call) { return scan_text(call, call.variable(2)); }
Outcome<Value> vsscanf_(LibraryCall& call) { return scan_text(call, call.list(2)); }

Outcome<Value> scan_file(LibraryCall& call, std::uint64_t file, std::uint64_t format,
                         VariableArguments arguments) {
    auto use = call.library.streams->stdio.use(file, caller_of(call));
    if (!use) return tl::unexpected(use.error());
    StreamSource source(**use);
    return scanned(call, source, format, arguments);
}
Outcome<Value> fscanf_(LibraryCall& call) {
    return scan_file(call, call.pointer(0), call.pointer(1), call.variable(2));
}
Outcome<Value> vfscanf_(LibraryCall& call) {
    return scan_file(call, call.pointer(0), call.pointer(1), call.list(2));
}
Outcome<Value> scanf_(LibraryCall& call) {
    const auto file = call.memory.load<std::uint64_t>(call.library.variable("stdin"));
    if (!file) return tl::unexpected(file.error());
    return scan_file(call, *file, call.pointer(0), call.variable(1));
}

constexpr std::array kRows{
    Row{"sscanf", "i(s,s,...)", sscanf_},
    Row{"vsscanf", "i(s,s,p)", vsscanf_},
    Row{"fscanf", "i(S,s,...)", fscanf_},
    Row{"vfscanf", "i(S,s,p)", vfscanf_},
    Row{"scanf", "i(s,...)", scanf_},
    Row{"__isoc99_sscanf", "i(s,s,...)", sscanf_},
    Row{"__isoc99_vsscanf", "i(s,s,p)", vsscanf_},
    Row{"__isoc99_fscanf", "i(S,s,...)", fscanf_},
    Row{"__isoc99_vfscanf", "i(S,s,p)", vfscanf_},
    Row{"__isoc99_scanf", "i(s,...)", scanf_},
};

}  // namespace

std::span<const Row> scan_rows() { return kRows; }

}  // namespace e2k::guest::libc
