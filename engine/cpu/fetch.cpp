// Fetching one bundle from guest memory.
#include <array>
#include <span>

#include <fmt/format.h>

#include "engine/cpu/interpreter.h"

namespace e2k::cpu {
namespace {

Trap fetch_trap(TrapCode code, std::uint64_t address, std::uint64_t at, std::string detail) {
    Trap trap;
    trap.code = code;
    trap.ip = address;
    trap.address = at;
    trap.access = Access::Execute;
    trap.detail = std::move(detail);
    return trap;
}

/// Number of executable bytes from `address` on, at most `wanted`.
unsigned executable_bytes(const MemoryView& memory, std::uint64_t address, unsigned wanted) {
    if (memory.allows(address, wanted, kPageExec)) return wanted;
    if (!memory.allows(address, 1, kPageExec)) return 0;
    return std::min<unsigned>(wanted,
                              static_cast<unsigned>(kPageSize - (address & (kPageSize - 1))));
}

Trap page_trap(const MemoryView& memory, std::uint64_t address, std::uint64_t at) {
    const bool mapped = memory.allows(at, 1, kPageMapped);
    return fetch_trap(mapped ? TrapCode::InstrPageProtection : TrapCode::InstrPageMiss, address, at,
                      fmt::format("no code can be fetched from 0x{:x}: the page is {}", at,
                                  mapped ? "not executable" : "not mapped"));
}

}  // namespace

tl::expected<isa::Bundle, Trap> fetch(const MemoryView& memory, std::uint64_t address, int iset) {
    constexpr unsigned kMaxBytes = isa::kMaxWords * 4;
    if (address & 7)
        return tl::unexpected(fetch_trap(TrapCode::IllegalInstrAddr, address, address,
                                         fmt::format("0x{:x} is not a multiple of 8", address)));
    const unsigned available = executable_bytes(memory, address, kMaxBytes);
    if (available == 0) return tl::unexpected(page_trap(memory, address, address));
    // A copy, because another guest thread may be writing the code.
    std::array<std::uint8_t, kMaxBytes> bytes;
    if (!memory.copy_out(address, bytes.data(), available))
        return tl::unexpected(page_trap(memory, address, address));
    auto bundle = isa::decode(std::span(bytes).first(available), address, iset);
    if (bundle) return *bundle;
    const isa::DecodeError& error = bundle.error();
    if (error.kind == isa::DecodeError::Kind::Truncated)
        return tl::unexpected(page_trap(memory, address, address + available));
    return tl::unexpected(fetch_trap(
        TrapCode::IllegalOpcode, address, address,
        fmt::format("the bytes at 0x{:x} are not a bundle: {}", address, error.message())));
}

}  // namespace e2k::cpu
