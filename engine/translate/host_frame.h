// Registers and stack frame of generated code, and the small routines that enter and leave it.
//
//   rbp  CpuState*            rbx  state.window (%r0)
//   gs   guest address 0      r15  bundles and operations executed (host::kCounts)
//   rax rcx rdx xmm15         scratch within one step
//   the others                hold guest values (value_cache.h) or results of the current bundle
#pragma once

#include <asmjit/x86.h>

#include <cstddef>
#include <cstdint>

#include "engine/cpu/memory.h"
#include "engine/cpu/state.h"
#include "engine/translate/code_arena.h"
#include "engine/translate/translator.h"

namespace e2k::translate {

namespace host {

inline const asmjit::x86::Gp kState = asmjit::x86::rbp;
inline const asmjit::x86::Gp kWindow = asmjit::x86::rbx;
/// What was executed since the state's counters were brought up to date: operations in the low
/// bits, bundles above them, less a slice. Not negative: the slice is over, it is time to poll.
/// Slices differ in length (kSliceJitterBits), so that no loop has always the same place at the
/// end.
inline const asmjit::x86::Gp kCounts = asmjit::x86::r15;
inline constexpr unsigned kOperationBits = 20;
inline constexpr std::int64_t kSliceBundles = 1 << 15;
inline constexpr unsigned kSliceJitterBits = 14;  ///< a slice may be so many bundles shorter
inline constexpr std::int64_t kFreshCounts = -(kSliceBundles << kOperationBits);
/// A slice's operations, and those until the next poll, must not reach the bundles.
static_assert(kSliceBundles * 16 <= 1 << (kOperationBits - 1));
static_assert(kSliceBundles * 2 <= static_cast<std::int64_t>(kMostOvershoot));

constexpr std::uint32_t bits(std::initializer_list<unsigned> ids) {
    std::uint32_t m = 0;
    for (const unsigned id : ids) m |= 1u << id;
    return m;
}
// rsi rdi r8..r14
inline constexpr std::uint32_t kGprPool = bits({6, 7, 8, 9, 10, 11, 12, 13, 14});
inline constexpr std::uint32_t kGprCallerSaved = bits({6, 7, 8, 9, 10, 11});
inline constexpr std::uint32_t kXmmPool = 0x7fff;

/// In a kernel: passes until the loop's end (kernel/emit.cpp).
inline const asmjit::x86::Gp kPassesLeft = asmjit::x86::r14;

/// A guest address as a host operand.
inline asmjit::x86::Mem guest(asmjit::x86::Mem address) {
    address.setSegment(asmjit::x86::gs);
    return address;
}

}  // namespace host

/// Makes gs the base of the guest's memory on this host thread. False: the host refuses.
bool set_guest_base(const std::uint8_t* base);

/// One prediction: where `ip` was translated to for a configuration.
struct JumpCacheEntry {
    std::uint64_t ip = ~0ull, wd = 0, br = 0;
    std::uint8_t* code = nullptr;
};
inline constexpr unsigned kJumpCacheBits = 11;
inline constexpr unsigned kJumpCacheSize = 1u << kJumpCacheBits;

/// Host registers when a region was left for the interpreter.
struct SavedRegisters {
    std::uint64_t gpr[16];
    alignas(16) std::uint64_t xmm[16][2];
    std::uint8_t predicates[96];  ///< Frame::predicates
    std::uint32_t random = 1;     ///< for the next slice's length
    /// Bundles of the slice when code was left, less its length: it goes on where code is entered
    /// again, or programs that leave often would have no slice that ends. Not negative: it is over.
    std::int64_t slice = 0;
};

/// Stack frame of generated code, from rsp upwards.
struct Frame {
    std::uint64_t limit;        ///< kCheckedSpace
    std::uint64_t shadow_bias;  ///< return prediction of chain frame f is at (f >> 3) + bias
    JumpCacheEntry* jump_cache;
    SavedRegisters* saved;
    std::uint64_t slice;  ///< host::kCounts at the beginning of the slice
    /// Of the current bundle while its stores may still fault, else 0: how many the end of a loop
    /// has let through; bit i: operation i, an array store, is masked.
    std::uint32_t last_stores, masked;
    std::uint64_t failed;  ///< bit i: operation i of the current bundle, a load, is diagnostic
    alignas(16) std::uint64_t spill[16][2];   ///< results of the current bundle across calls
    alignas(16) std::uint8_t predicates[96];  ///< files of the callees inside a region
    std::uint64_t pointers[12];               ///< into the streams of a kernel
};

/// Routines shared by all regions, at the start of the arena.
struct Stubs {
    using Enter = std::uint64_t (*)(cpu::CpuState*, const std::uint8_t* code,
                                    std::uint64_t shadow_bias, JumpCacheEntry* jump_cache,
                                    SavedRegisters* saved);
    Enter enter = nullptr;
    std::uint8_t* leave = nullptr;     ///< rax = Leave or ExitSite*
    std::uint8_t* recover = nullptr;   ///< rax = RecoveryPoint*: saves the registers and leaves
    std::uint8_t* fault = nullptr;     ///< Leave::Fault: saves the registers and leaves
    std::uint8_t* jump = nullptr;      ///< rsi = target: looks the jump cache up
    std::uint8_t* returned = nullptr;  ///< the same after a return
    /// To be called at the end of a slice: begins a new one. Equal: no interrupt is pending and
    /// CpuState::run_until is not reached.
    /// Changes rcx and rdx.
    std::uint8_t* poll = nullptr;
    std::size_t size = 0;  ///< bytes of the arena they occupy
};

/// Emits them at arena.cursor(), which must be the start of the arena.
Stubs make_stubs(CodeArena& arena);

}  // namespace e2k::translate
