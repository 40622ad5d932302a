#include "engine/cpu/exec/trap_text.h"

#include <fmt/format.h>

#include "engine/isa/disassembler.h"

namespace e2k::cpu::exec {

Trap make_trap(const ExecBundle& b, const MicroOp* op, TrapCode code, std::string detail) {
    Trap trap;
    trap.code = code;
    trap.ip = trap.address = b.address;
    if (op) {
        trap.channel = static_cast<std::int8_t>(op->channel);
        trap.detail =
            fmt::format("{},{}: {}", isa::operation(op->row).mnemonic, op->channel, detail);
    } else {
        trap.detail = std::move(detail);
    }
    return trap;
}

std::string bundle_text(const ExecBundle& b, int iset) {
    std::array<std::uint8_t, isa::kMaxWords * 4> bytes;
    std::memcpy(bytes.data(), b.words.data(), bytes.size());
    const auto bundle = isa::decode(bytes, b.address, iset);
    if (!bundle) return bundle.error().message();
    std::string text;
    for (const std::string& line : isa::disassemble(*bundle)) {
        if (!text.empty()) text += " ; ";
        text += line;
    }
    return text;
}

Trap illegal_trap(const ExecBundle& b, int iset) {
    Trap trap = make_trap(b, nullptr, b.illegal_code, "");
    trap.channel = b.illegal_channel;
    trap.detail = fmt::format(
        "{}{} in the bundle at 0x{:x} {{ {} }}", b.illegal_reason,
        b.illegal_channel >= 0 ? fmt::format(" (ALC{})", b.illegal_channel) : std::string{},
        b.address, bundle_text(b, iset));
    return trap;
}

Trap unsupported_trap(const ExecBundle& b, const MicroOp& op, int iset) {
    return make_trap(b, &op, TrapCode::Unsupported,
                     fmt::format("the meaning of this operation is not implemented; bundle at "
                                 "0x{:x} {{ {} }}",
                                 b.address, bundle_text(b, iset)));
}

Trap page_trap(const ExecBundle& b, const MicroOp& op, const MemoryView& memory,
               std::uint64_t address, unsigned size, bool write) {
    // Name the first byte that cannot be accessed: an access may cross into a bad page.
    const std::uint8_t wanted = write ? kPageWrite : kPageRead;
    std::uint64_t at = address;
    if (memory.allows(address, 1, wanted)) at = (address + size - 1) & ~(kPageSize - 1);
    const bool mapped = memory.allows(at, 1, kPageMapped);
    Trap trap = make_trap(
        b, &op, TrapCode::DataPage,
        fmt::format("cannot {} {} bytes at 0x{:x}: {}", write ? "write" : "read", size, address,
                    !mapped ? "nothing is mapped there"
                            : (write ? "the page is not writable" : "the page is not readable")));
    trap.address = at;
    trap.access = write ? Access::Write : Access::Read;
    trap.size = static_cast<std::uint8_t>(size);
    return trap;
}

Trap alignment_trap(const ExecBundle& b, const MicroOp& op, std::uint64_t address,
                    bool whatever_upsr) {
    Trap trap = make_trap(
        b, &op, TrapCode::AddressNotAligned,
        whatever_upsr
            ? fmt::format("needs an address that is a multiple of 16, not 0x{:x}", address)
            : fmt::format("an access of {} bytes to 0x{:x}, and UPSR.ac is set",
                          unsigned{op.access_size}, address));
    trap.address = address;
    trap.access = op.kind == SemKind::Load ? Access::Read : Access::Write;
    return trap;
}

std::string register_name(RegRef ref) {
    switch (ref.space) {
        case Space::Window:
            return fmt::format("%r{}", ref.index);
        case Space::Based:
            return fmt::format("%b[{}]", ref.index);
        case Space::Global:
            return fmt::format("%g{}", ref.index);
        case Space::Literal:
            return "a literal";
    }
    return {};
}

Trap window_trap(const ExecBundle& b, const MicroOp* op, RegRef ref, const CpuState& s,
                 unsigned size) {
    const unsigned area = 2u * s.br.rsz + 2u, turned = ref.index + 2u * s.br.rcur;
    std::string text;
    if (ref.space == Space::Window)
        text = fmt::format("%r{} is outside the window of {} registers", ref.index, size);
    else if (ref.index >= area)
        text = fmt::format("%b[{}] is outside the rotating area of {} registers", ref.index, area);
    else
        text = fmt::format("%b[{}] is register {} of a window of {} registers", ref.index,
                           2u * s.br.rbs + (turned >= area ? turned - area : turned), size);
    return make_trap(b, op, TrapCode::WindowBounds, std::move(text));
}

}  // namespace e2k::cpu::exec
