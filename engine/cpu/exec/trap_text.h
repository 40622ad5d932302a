// Building precise traps with a plain-word explanation. Never on the fast path.
#pragma once

#include <string>

#include "engine/cpu/exec/micro_op.h"
#include "engine/cpu/memory.h"
#include "engine/cpu/trap.h"

namespace e2k::cpu::exec {

/// A trap of the bundle `b`. `op` names the operation at fault, if any.
Trap make_trap(const ExecBundle& b, const MicroOp* op, TrapCode code, std::string detail);
/// The bundle must not run at all: reserved or illegal contents, breakpoint.
Trap illegal_trap(const ExecBundle& b, int iset);
/// An operation that this build does not execute; the text names it and the whole bundle.
Trap unsupported_trap(const ExecBundle& b, const MicroOp& op, int iset);
/// A load or store of `size` bytes at `address` that the page map does not allow.
Trap page_trap(const ExecBundle& b, const MicroOp& op, const MemoryView& memory,
               std::uint64_t address, unsigned size, bool write);
/// An access to an address of the wrong alignment: always wrong, or because UPSR.ac is set.
Trap alignment_trap(const ExecBundle& b, const MicroOp& op, std::uint64_t address,
                    bool whatever_upsr);
/// "%r5", "%b[3]", "%g1".
std::string register_name(RegRef ref);
/// `ref` does not exist in a window of `size` registers.
Trap window_trap(const ExecBundle& b, const MicroOp* op, RegRef ref, const CpuState& s,
                 unsigned size);
/// objdump-like text of the bundle, operations joined by " ; ".
std::string bundle_text(const ExecBundle& b, int iset);

}  // namespace e2k::cpu::exec
