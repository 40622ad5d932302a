// Exceptions of the processor → signals (traps.md), and the sentence a
// person reads when the program dies of one.
#include <csignal>

#include <fmt/format.h>

#include "engine/cpu/memory.h"
#include "engine/guest/process_impl.h"

namespace e2k::guest {
namespace {

using cpu::TrapCode;

constexpr int kSegvBounds = 3;

struct SignalOf {
    int signal, code;
    bool data_address;  ///< si_addr is the data address, else that of the bundle
};

int fp_code(std::uint8_t flags) {
    if (flags & 0x01) return FPE_FLTINV;
    if (flags & 0x04) return FPE_FLTDIV;
    if (flags & 0x08) return FPE_FLTOVF;
    if (flags & 0x12) return FPE_FLTUND;  // underflow or denormal
    return FPE_FLTRES;
}

SignalOf signal_of(const cpu::Trap& trap) {
    switch (trap.code) {
        case TrapCode::IllegalOpcode:
            return {SIGILL, ILL_ILLOPC, false};
        case TrapCode::PrivilegedAction:
            return {SIGILL, ILL_PRVOPC, false};
        case TrapCode::FpDisabled:
            return {SIGILL, ILL_COPROC, false};
        case TrapCode::DiagInstrAddr:
            return {SIGILL, ILL_ILLADR, false};
        case TrapCode::IllegalInstrAddr:
            return {SIGILL, 1, false};
        case TrapCode::DiagCtCond:
        case TrapCode::DiagCond:
        case TrapCode::DiagOperand:
        case TrapCode::IllegalOperand:
            return {SIGILL, ILL_ILLOPN, false};
        case TrapCode::WindowBounds:
        case TrapCode::UserStackBounds:
        case TrapCode::ProcStackBounds:
        case TrapCode::ChainStackBounds:
        case TrapCode::ArrayBounds:
            return {SIGSEGV, kSegvBounds, false};
        case TrapCode::AddressNotAligned:
            return {SIGBUS, BUS_ADRALN, true};
        case TrapCode::BaseNotAligned:
            return {SIGBUS, BUS_ADRALN, false};
        case TrapCode::InstrPageMiss:
            return {SIGSEGV, SEGV_MAPERR, true};
        case TrapCode::InstrPageProtection:
            return {SIGSEGV, SEGV_ACCERR, true};
        case TrapCode::SoftwareTrap:
        case TrapCode::Breakpoint:
            return {SIGTRAP, TRAP_BRKPT, false};
        case TrapCode::Division:
            return {SIGFPE, FPE_INTDIV, false};
        case TrapCode::FloatingPoint:
            return {SIGFPE, fp_code(trap.fp_flags), false};
        case TrapCode::DataPage:
        case TrapCode::Unsupported:
        case TrapCode::None:
            break;
    }
    return {SIGSEGV, SEGV_MAPERR, true};
}

const char* access_word(cpu::Access access) {
    switch (access) {
        case cpu::Access::Read:
            return "load from";
        case cpu::Access::Write:
            return "store to";
        case cpu::Access::Execute:
            return "fetch from";
        case cpu::Access::None:
            break;
    }
    return "access to";
}

std::string sentence(const cpu::Trap& trap, const SignalOf& what, const char* reason,
                     const SymbolTable& symbols) {
    std::string text = signal_name(what.signal) + ": ";
    if (trap.code == TrapCode::DataPage || trap.code == TrapCode::AddressNotAligned ||
        (what.signal == SIGBUS && what.code == BUS_ADRERR))
        text += fmt::format("{} 0x{:x}, {}", access_word(trap.access), trap.address, reason);
    else if (!trap.detail.empty())
        text += trap.detail;
    else
        text += cpu::name_of(trap.code);
    const std::string place = symbols.describe(trap.ip);
    text += place.empty() ? fmt::format(", at 0x{:x}", trap.ip) : fmt::format(", at {}", place);
    if (trap.channel >= 0) text += fmt::format(", lane ALC{}", trap.channel);
    return text;
}

/// Whatever may be written or executed may be read.
bool allows(int prot, int needed) {
    return needed == kProtRead ? prot != kProtNone : (prot & needed) != 0;
}

}  // namespace

Next Process::trap(Thread& thread, const cpu::Trap& trap) {
    Impl& p = *impl_;
    SignalOf what = signal_of(trap);
    const char* reason = trap.code == TrapCode::AddressNotAligned ? "not aligned" : "not mapped";
    const bool fetch =
        trap.code == TrapCode::InstrPageMiss || trap.code == TrapCode::InstrPageProtection;
    if (trap.code == TrapCode::DataPage || fetch) {
        // A mapped file may have grown since: then the bundle simply runs again.
        if (p.memory->refresh_file_pages(trap.address)) return Next::Continue;
        const auto region = p.memory->region_at(trap.address);
        const int needed = fetch                               ? kProtExec
                           : trap.access == cpu::Access::Write ? kProtWrite
                                                               : kProtRead;
        if (trap.address >= cpu::kAddressEnd && !fetch) {  // traps.md §1, exc_data_page
            what = {SIGBUS, BUS_ADRERR, true};
            reason = "beyond the address space";
        } else if (region && allows(region->prot, needed)) {
            what = {SIGBUS, BUS_ADRERR, true};
            reason = "past the end of the mapped file";
        } else if (region) {
            what = {SIGSEGV, SEGV_ACCERR, true};
            reason = fetch                  ? "not executable"
                     : needed == kProtWrite ? "write-protected"
                                            : "not readable";
        }
    }
    std::string why = sentence(trap, what, reason, *p.symbols);
    if (trap.code == TrapCode::Unsupported) return p.die(SIGILL, std::move(why));
    if (trap.fatal) return p.die(what.signal, std::move(why));
    const std::uint64_t address = what.data_address ? trap.address : trap.ip;
    return p.force(thread,
                   SiginfoE2k::fault(what.signal, what.code, address, static_cast<int>(trap.code)),
                   std::move(why));
}

}  // namespace e2k::guest
