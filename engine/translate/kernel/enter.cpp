// The check in front of a kernel, in host code: what holds nearly always. Where it fails,
// begin_kernel() decides.
#include <algorithm>
#include <optional>
#include <utility>

#include "engine/cpu/exec/aau.h"
#include "engine/translate/emit/control_state.h"
#include "engine/translate/kernel/facts.h"
#include "engine/translate/kernel/registers.h"
#include "engine/translate/kernel/state.h"
#include "engine/translate/region_emitter.h"

namespace e2k::translate {

using asmjit::imm;
using cpu::AauArea;
using cpu::AauState;
using cpu::CpuState;
using cpu::LoopState;
namespace x86 = asmjit::x86;

namespace {

constexpr std::size_t aau_offset(std::size_t field) { return offsetof(CpuState, aau) + field; }
std::size_t area_offset(unsigned n, std::size_t field) {
    return aau_offset(offsetof(AauState, area)) + n * sizeof(AauArea) + field;
}
std::size_t number_offset(std::size_t array, unsigned n) {
    return aau_offset(array) + n * sizeof(std::uint64_t);
}
std::size_t place_of(const KernelIndex& index) {
    return index.store ? number_offset(offsetof(AauState, aasti), index.number)
                       : area_offset(index.number, offsetof(AauArea, cur));
}

/// All fields of the loop's state behind lcnt as 8 bytes.
static_assert(offsetof(LoopState, ecnt) == 8 && sizeof(LoopState) == 16);
constexpr std::uint64_t field_mask(std::size_t offset, std::uint64_t value) {
    return value << 8 * (offset - offsetof(LoopState, ecnt));
}

/// Bytes that the streams of one pointer access in a pass, from where it points.
struct Reach {
    std::int64_t low = 0, high = 0;
    bool stores = false;
};

Reach reach_of(const KernelFacts& facts, std::size_t pointer) {
    Reach reach;
    bool first = true;
    for (const KernelStream& s : facts.streams) {
        if (s.pointer != pointer) continue;
        reach.low = first ? s.distance + s.low : std::min(reach.low, s.distance + s.low);
        reach.high = first ? s.distance + s.high : std::max(reach.high, s.distance + s.high);
        reach.stores |= facts.indices[s.index].store;
        first = false;
    }
    return reach;
}

}  // namespace

/// Falls through with everything as begin_kernel() leaves it, else jumps to `slow`.
void RegionEmitter::check_kernel(const Label& slow) {
    check_counters(slow);
    check_streams(slow);
}

/// The number of passes, checked. Changes rax, rcx and rdx.
void RegionEmitter::check_counters(const Label& slow) {
    const KernelFacts& facts = *request_.kernel;
    a_.mov(x86::rcx, state(lsr_offset(offsetof(LoopState, ecnt)), 8));
    a_.mov(x86::rax, field_mask(offsetof(LoopState, vlc), 0xff) |
                         field_mask(offsetof(LoopState, pcnt), 0xff) |
                         field_mask(offsetof(LoopState, semc), 0xff));
    a_.and_(x86::rax, x86::rcx);
    a_.movzx(x86::ecx, x86::cl);
    a_.mov(x86::rdx, field_mask(offsetof(LoopState, vlc), facts.endless ? 0 : 1) |
                         field_mask(offsetof(LoopState, pcnt), facts.prologue));
    a_.cmp(x86::rax, x86::rdx);
    a_.jne(slow);
    check_passes(slow);
    if (facts.ctpr) {
        a_.cmp(state(ctpr_offset(facts.ctpr) + offsetof(cpu::Ctpr, tag), 1),
               imm(static_cast<int>(cpu::CtprTag::Label)));
        a_.jne(slow);
        expect_state(ctpr_offset(facts.ctpr), facts.header, slow);
    }
    if (facts.loads) {
        a_.cmp(state(aau_offset(offsetof(AauState, active)), 1), imm(0));
        a_.je(slow);
    }
    for (const KernelStep& step : facts.steps)
        expect_state(number_offset(offsetof(AauState, aaincr), step.number), step.value, slow);
    for (const KernelIndex& index : facts.indices)
        if (!index.store)
            expect_state(area_offset(index.number, offsetof(AauArea, disp)), index.fixed, slow);
}

/// How many passes there are. Of counters, rcx has that of the epilogue.
void RegionEmitter::check_passes(const Label& slow) {
    constexpr std::int32_t kMostPasses = 1 << 20;
    const KernelFacts& facts = *request_.kernel;
    const Gp passes = host::kPassesLeft;
    if (facts.endless) return (void)a_.mov(passes.r32(), imm(kEndlessPasses));
    if (const unsigned stores = facts.stores.back()) {
        a_.cmp(state(lsr_offset(offsetof(LoopState, strmd)), 1), imm(stores));
        a_.jb(slow);
    }
    a_.mov(passes, state(lsr_offset(offsetof(LoopState, lcnt)), 8));
    a_.cmp(passes, imm(kMostPasses));
    a_.jae(slow);
    a_.cmp(passes, imm(1));
    a_.adc(passes, x86::rcx);  // none counts as one
    a_.cmp(passes, imm(kFewestPasses));
    a_.jb(slow);
}

/// rdi: what an index or a pointer travels in all passes, once for those that advance alike.
void RegionEmitter::travel(std::int64_t pass, std::optional<std::int64_t>& travelled) {
    if (travelled == pass) return;
    a_.imul(x86::rdi, host::kPassesLeft, imm(pass));
    travelled = pass;
}

/// The pointers, and that nothing leaves what may be accessed. Changes rax, rcx, rdx, rsi, rdi, r8.
void RegionEmitter::check_streams(const Label& slow) {
    if (request_.kernel->streams.empty()) return;
    std::optional<std::int64_t> travelled;
    a_.xor_(x86::r8d, x86::r8d);
    point_into_streams(travelled, slow);
    check_reach(travelled, slow);
}

/// Sets the pointers. r8 gets all bits of all indices, first and last. Of those that rise alike,
/// the one with the bits of all in rsi travels for them.
void RegionEmitter::point_into_streams(std::optional<std::int64_t>& travelled, const Label& slow) {
    const KernelFacts& facts = *request_.kernel;
    const bool wide = facts.iset >= cpu::exec::kFirstWideIndex;
    const auto travels = [&](const Gp& index) {
        a_.lea(x86::rcx, x86::ptr(index, x86::rdi));
        a_.or_(x86::r8, x86::rcx);
        if (wide) a_.or_(x86::r8, index);
    };
    bool rising = false;  // rsi has something
    const auto settle_rising = [&] {
        if (std::exchange(rising, false)) travels(x86::rsi);
    };
    std::size_t known = 0;  // pointers
    for (const KernelStream& s : facts.streams) {
        const KernelIndex& index = facts.indices[s.index];
        if (travelled != index.pass) settle_rising();
        travel(index.pass, travelled);
        a_.mov(x86::rax, state(place_of(index), 8));
        if (index.pass < 0)
            travels(x86::rax);
        else if (std::exchange(rising, true))
            a_.or_(x86::rsi, x86::rax);
        else
            a_.mov(x86::rsi, x86::rax);
        a_.add(x86::rax, state(number_offset(offsetof(AauState, aad_base), s.descriptor), 8));
        if (s.displacement > 0x7fff'ffff) {
            a_.mov(x86::ecx, imm(s.displacement));
            a_.add(x86::rax, x86::rcx);
        } else if (s.displacement) {
            a_.add(x86::rax, imm(s.displacement));
        }
        if (s.alignment) {
            a_.test(x86::al, imm(s.alignment));
            a_.jnz(slow);
        }
        const bool in_register = s.pointer < pointers_in_registers_;
        if (s.pointer == known) {
            ++known;
            in_register ? a_.mov(kernel_pointer(s.pointer), x86::rax)
                        : a_.mov(frame_pointer(s.pointer), x86::rax);
            continue;
        }
        if (s.distance) a_.sub(x86::rax, imm(s.distance));
        in_register ? a_.cmp(x86::rax, kernel_pointer(s.pointer))
                    : a_.cmp(x86::rax, frame_pointer(s.pointer));
        a_.jne(slow);
    }
    settle_rising();
    a_.shr(x86::r8, imm(wide ? 47 : 32));
    a_.jnz(slow);
}

/// rcx and rdx: where the accesses through a pointer begin and end. May change rax.
void RegionEmitter::load_reach(std::size_t n, std::optional<std::int64_t>& travelled) {
    const KernelFacts& facts = *request_.kernel;
    const Reach reach = reach_of(facts, n);
    travel(facts.pointers[n], travelled);
    Gp pointer = x86::rax;
    if (n < pointers_in_registers_)
        pointer = kernel_pointer(n);
    else
        a_.mov(x86::rax, frame_pointer(n));
    const auto low = static_cast<std::int32_t>(reach.low),
               high = static_cast<std::int32_t>(reach.high);
    const bool up = facts.pointers[n] >= 0;
    up ? a_.lea(x86::rcx, x86::ptr(pointer, low))
       : a_.lea(x86::rcx, x86::ptr(pointer, x86::rdi, 0, low));
    up ? a_.lea(x86::rdx, x86::ptr(pointer, x86::rdi, 0, high))
       : a_.lea(x86::rdx, x86::ptr(pointer, high));
}

/// Nothing leaves the checked space, which the bits of all addresses together do not either; what
/// is stored to is writable.
void RegionEmitter::check_reach(std::optional<std::int64_t>& travelled, const Label& slow) {
    const KernelFacts& facts = *request_.kernel;
    for (std::size_t n = 0; n < facts.pointers.size(); ++n) {  // r8 is 0
        load_reach(n, travelled);
        a_.or_(x86::r8, x86::rcx);
        a_.or_(x86::r8, x86::rdx);
    }
    a_.cmp(x86::r8, x86::qword_ptr(x86::rsp, offsetof(Frame, limit)));
    a_.ja(slow);
    for (std::size_t n = 0; n < facts.pointers.size(); ++n) {
        if (!reach_of(facts, n).stores) continue;
        if (facts.pointers.size() > 1) load_reach(n, travelled);
        // Two pages at most.
        a_.mov(x86::rax, state(offsetof(CpuState, page_map), 8));
        a_.dec(x86::rdx);
        for (const Gp& page : {x86::rcx, x86::rdx}) {
            a_.shr(page, imm(cpu::kPageShift));
            a_.test(x86::byte_ptr(x86::rax, page), imm(cpu::kPageWrite));
            a_.jz(slow);
        }
        a_.sub(x86::rdx, x86::rcx);
        a_.cmp(x86::rdx, imm(1));
        a_.ja(slow);
    }
}

/// Behind the last pass: counters have run out, indices have travelled as far as they go.
void RegionEmitter::settle_last_pass() {
    const KernelFacts& facts = *request_.kernel;
    const Mem lcnt = state(lsr_offset(offsetof(LoopState, lcnt)), 8);
    a_.movzx(x86::ecx, state(lsr_offset(offsetof(LoopState, ecnt)), 1));
    a_.mov(x86::rax, lcnt);
    a_.cmp(x86::rax, imm(1));
    a_.adc(x86::rcx, x86::rax);  // passes
    a_.mov(lcnt, imm(0));
    a_.mov(state(lsr_offset(offsetof(LoopState, ecnt)), 1), imm(0));
    a_.mov(state(lsr_offset(offsetof(LoopState, over)), 1), imm(1));
    if (const unsigned stores = facts.stores.back())
        a_.sub(state(lsr_offset(offsetof(LoopState, strmd)), 1), imm(stores));
    if (facts.prologue) a_.mov(state(lsr_offset(offsetof(LoopState, pcnt)), 1), imm(0));
    for (const bool store : {false, true}) {
        std::optional<std::int64_t> travelled;
        if (store && facts.prologue) a_.sub(x86::rcx, imm(facts.prologue));
        for (const KernelIndex& index : facts.indices) {
            if (index.store != store || index.pass == 0) continue;
            if (travelled != index.pass) a_.imul(x86::rax, x86::rcx, imm(index.pass));
            travelled = index.pass;
            a_.add(state(place_of(index), 8), x86::rax);
        }
    }
}

}  // namespace e2k::translate
