#include "engine/translate/host_frame.h"

#include <asm/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bit>

#include "engine/translate/extent.h"
#include "engine/translate/region.h"

namespace e2k::translate {
namespace {

using namespace asmjit;
using namespace asmjit::x86;

/// So that rsp is a multiple of 16 where generated code calls functions: the return address and
/// six pushes are 56 bytes.
constexpr int kFrameBytes = sizeof(Frame) + (24 - sizeof(Frame) % 16) % 16;
static_assert((kFrameBytes + 56) % 16 == 0);

constexpr Gp kSaved[] = {rbx, rbp, r12, r13, r14, r15};

/// For the recovery table. Uses rcx and xmm15.
void emit_save(x86::Assembler& a) {
    a.mov(rcx, qword_ptr(rsp, offsetof(Frame, saved)));
    for (std::uint32_t m = host::kGprPool; m; m &= m - 1) {
        const auto r = static_cast<std::uint32_t>(std::countr_zero(m));
        a.mov(qword_ptr(rcx, static_cast<std::int32_t>(offsetof(SavedRegisters, gpr) + r * 8)),
              gpq(r));
    }
    for (std::uint32_t m = host::kXmmPool; m; m &= m - 1) {
        const auto r = static_cast<std::uint32_t>(std::countr_zero(m));
        a.movaps(x86::ptr(rcx, static_cast<std::int32_t>(offsetof(SavedRegisters, xmm) + r * 16)),
                 xmm(r));
    }
    for (std::size_t i = 0; i < sizeof(Frame::predicates); i += 16) {
        a.movaps(xmm15, x86::ptr(rsp, static_cast<std::int32_t>(offsetof(Frame, predicates) + i)));
        a.movups(x86::ptr(rcx, static_cast<std::int32_t>(offsetof(SavedRegisters, predicates) + i)),
                 xmm15);
    }
}

/// Brings the state's counters up to date. `depth`: bytes pushed above the frame. Uses rdx.
void emit_fold(x86::Assembler& a, int depth) {
    const Gp counts = host::kCounts;
    a.sub(counts, qword_ptr(rsp, depth + static_cast<int>(offsetof(Frame, slice))));
    a.mov(rdx, counts);
    a.shr(rdx, host::kOperationBits);
    a.add(qword_ptr(host::kState, offsetof(cpu::CpuState, bundles)), rdx);
    a.and_(counts.r32(), (1 << host::kOperationBits) - 1);
    a.add(qword_ptr(host::kState, offsetof(cpu::CpuState, operations)), counts);
}

/// Begins a slice. Uses rcx and rdx.
void emit_slice(x86::Assembler& a, int depth) {
    constexpr int kFactor = 1664525, kAddend = 1013904223;  // any linear congruential generator
    a.mov(rcx, qword_ptr(rsp, depth + static_cast<int>(offsetof(Frame, saved))));
    a.imul(edx, dword_ptr(rcx, offsetof(SavedRegisters, random)), kFactor);
    a.add(edx, kAddend);
    a.mov(dword_ptr(rcx, offsetof(SavedRegisters, random)), edx);
    a.shr(edx, 32 - host::kSliceJitterBits);
    a.shl(rdx, host::kOperationBits);
    a.mov(host::kCounts, host::kFreshCounts);
    a.add(host::kCounts, rdx);
    a.mov(qword_ptr(rsp, depth + static_cast<int>(offsetof(Frame, slice))), host::kCounts);
}

void emit_leave(x86::Assembler& a) {
    a.mov(rcx, qword_ptr(rsp, offsetof(Frame, saved)));
    a.mov(rdx, host::kCounts);
    a.sar(rdx, host::kOperationBits);
    a.mov(qword_ptr(rcx, offsetof(SavedRegisters, slice)), rdx);
    emit_fold(a, 0);
    a.add(rsp, kFrameBytes);
    for (auto r = std::rbegin(kSaved); r != std::rend(kSaved); ++r) a.pop(*r);
    a.ret();
}

/// Target in rsi, configuration in the state: jumps to its translation if the cache knows it.
void emit_lookup(x86::Assembler& a, Leave miss, const Label& leave) {
    const Label unknown = a.newLabel();
    a.mov(rax, rsi);
    a.shl(eax, 2);  // (ip / 8) * 32
    a.and_(eax, (kJumpCacheSize - 1) * sizeof(JumpCacheEntry));
    a.add(rax, qword_ptr(rsp, offsetof(Frame, jump_cache)));
    a.mov(rcx, qword_ptr(host::kState, offsetof(cpu::CpuState, wd)));
    a.mov(rdx, qword_ptr(host::kState, offsetof(cpu::CpuState, br)));
    a.cmp(rsi, qword_ptr(rax, offsetof(JumpCacheEntry, ip)));
    a.jne(unknown);
    a.cmp(rcx, qword_ptr(rax, offsetof(JumpCacheEntry, wd)));
    a.jne(unknown);
    a.cmp(rdx, qword_ptr(rax, offsetof(JumpCacheEntry, br)));
    a.jne(unknown);
    a.jmp(qword_ptr(rax, offsetof(JumpCacheEntry, code)));
    a.bind(unknown);
    a.mov(qword_ptr(host::kState, offsetof(cpu::CpuState, ip)), rsi);
    a.mov(eax, static_cast<std::uint32_t>(miss));
    a.jmp(leave);
}

}  // namespace

static_assert(sizeof(JumpCacheEntry) == 32);

bool set_guest_base(const std::uint8_t* base) {
    thread_local const std::uint8_t* current = nullptr;
    if (base == current) return true;
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, base) != 0) return false;
    current = base;
    return true;
}

Stubs make_stubs(CodeArena& arena) {
    CodeHolder code;
    code.init(Environment::host(), reinterpret_cast<std::uint64_t>(arena.cursor()));
    x86::Assembler a(&code);
    for (const Gp& r : kSaved) a.push(r);
    a.sub(rsp, kFrameBytes);
    a.mov(qword_ptr(rsp, offsetof(Frame, shadow_bias)), rdx);
    a.mov(qword_ptr(rsp, offsetof(Frame, jump_cache)), rcx);
    a.mov(qword_ptr(rsp, offsetof(Frame, saved)), r8);
    a.mov(host::kState, rdi);
    a.mov(host::kWindow, qword_ptr(rdi, offsetof(cpu::CpuState, window)));
    a.mov(rax, kCheckedSpace);
    a.mov(qword_ptr(rsp, offsetof(Frame, limit)), rax);
    a.mov(qword_ptr(rsp, offsetof(Frame, last_stores)), 0);
    const Label goes_on = a.newLabel();
    a.mov(host::kCounts, qword_ptr(r8, offsetof(SavedRegisters, slice)));
    a.shl(host::kCounts, host::kOperationBits);
    a.mov(qword_ptr(rsp, offsetof(Frame, slice)), host::kCounts);
    a.js(goes_on);
    emit_slice(a, 0);
    a.bind(goes_on);
    a.jmp(rsi);

    const Label leave = a.newLabel(), recover = a.newLabel(), fault = a.newLabel(),
                jump = a.newLabel(), returned = a.newLabel(), poll = a.newLabel();
    a.bind(leave);
    emit_leave(a);
    a.bind(fault);
    a.mov(eax, static_cast<std::uint32_t>(Leave::Fault));
    a.bind(recover);
    emit_save(a);
    a.jmp(leave);
    a.bind(jump);
    emit_lookup(a, Leave::Jumped, leave);
    a.bind(returned);
    emit_lookup(a, Leave::Returned, leave);
    a.bind(poll);
    constexpr int kReturnAddress = 8;
    emit_fold(a, kReturnAddress);
    emit_slice(a, kReturnAddress);
    const Label interrupted = a.newLabel();
    a.cmp(dword_ptr(host::kState, offsetof(cpu::CpuState, interrupt)), 0);
    a.jne(interrupted);
    a.mov(rdx, qword_ptr(host::kState, offsetof(cpu::CpuState, bundles)));
    a.cmp(rdx, qword_ptr(host::kState, offsetof(cpu::CpuState, run_until)));
    a.setae(dl);
    a.test(dl, dl);
    a.bind(interrupted);
    a.ret();

    code.flatten();
    code.resolveUnresolvedLinks();
    code.relocateToBase(reinterpret_cast<std::uint64_t>(arena.cursor()));
    std::uint8_t* base = arena.cursor();
    Stubs stubs;
    stubs.enter = reinterpret_cast<Stubs::Enter>(base);
    stubs.leave = base + code.labelOffset(leave);
    stubs.recover = base + code.labelOffset(recover);
    stubs.fault = base + code.labelOffset(fault);
    stubs.jump = base + code.labelOffset(jump);
    stubs.returned = base + code.labelOffset(returned);
    stubs.poll = base + code.labelOffset(poll);
    const auto& text = code.textSection()->buffer();
    arena.commit({text.data(), text.size()});
    stubs.size = arena.used();
    return stubs;
}

}  // namespace e2k::translate
