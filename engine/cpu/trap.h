// Exceptions of the E2K processor and the reasons why execution returns to its caller.
#pragma once

#include <cstdint>
#include <string>

namespace e2k::cpu {

/// Number = bit position in TIR_HI.exc = si_trapno (traps.md §1).
enum class TrapCode : std::uint8_t {
    IllegalOpcode = 0,
    PrivilegedAction = 1,
    FpDisabled = 2,
    DiagCtCond = 5,
    DiagInstrAddr = 6,
    IllegalInstrAddr = 7,
    WindowBounds = 9,
    UserStackBounds = 10,
    ProcStackBounds = 11,
    ChainStackBounds = 12,
    DiagCond = 14,
    DiagOperand = 15,
    IllegalOperand = 16,
    ArrayBounds = 17,
    AddressNotAligned = 19,
    InstrPageMiss = 20,
    InstrPageProtection = 21,
    BaseNotAligned = 25,
    SoftwareTrap = 26,
    DataPage = 29,
    Division = 34,
    FloatingPoint = 35,
    Breakpoint = 64,   ///< the debugger's bundle 0dc0c080_04000001 (SIGTRAP)
    Unsupported = 65,  ///< an operation this build does not execute; never silently skipped
    None = 255,
};
const char* name_of(TrapCode code);

enum class Access : std::uint8_t { None, Read, Write, Execute };

/// One exception, precise: nothing of the bundle at `ip` has been committed.
struct Trap {
    TrapCode code = TrapCode::None;
    std::uint64_t ip = 0;       ///< address of the bundle
    std::uint64_t address = 0;  ///< data or target address
    std::int8_t channel = -1;   ///< lane at fault, -1 = control part
    Access access = Access::None;
    std::uint8_t fp_flags = 0;  ///< unmasked FP exceptions (IE DE ZE OE UE PE bits)
    std::uint8_t size = 0;      ///< bytes of the access
    std::string detail;         ///< plain words, e.g. "%r40 is outside the window of 32 registers"
    bool fatal = false;         ///< the state is not to be trusted: no handler of the guest can run
};

enum class StopKind : std::uint8_t {
    Budget,        ///< the requested number of bundles has run
    Interrupted,   ///< CpuState::interrupt was raised; state is at a bundle boundary
    SystemCall,    ///< a call through a system label; state.ip is already the return address
    Trapped,       ///< see `trap`; state.ip is the bundle
    Breakpoint,    ///< about to execute a bundle with a breakpoint
    CodeFlush,     ///< guest flushed instruction cache lines (mas 0x17); caller drops translations
    SignalReturn,  ///< `return` popped the sentinel frame of a signal handler / thread start
};

struct Stop {
    StopKind kind = StopKind::Budget;
    Trap trap;                        ///< when Trapped
    std::uint32_t syscall_entry = 0;  ///< sdisp number: 3 = 64-bit calls, 6 = fast calls
    std::uint32_t syscall_wbs = 0;    ///< quads: argument k is window register 2*wbs + k
    std::uint64_t flush_address = 0;
};

}  // namespace e2k::cpu
