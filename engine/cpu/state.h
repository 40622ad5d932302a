// Architectural state of one E2K hardware thread. Plain data with a fixed layout: translated code
// addresses fields by offset. Facts: registers.md, windows.md, loops.md, arrays.md
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace e2k::cpu {

/// A register with its extension: 80-bit numbers use ext[15:0], qp values all of it.
struct alignas(16) Reg {
    std::uint64_t lo = 0;
    std::uint64_t ext = 0;
};

/// Window descriptor in registers (not quads). One 8-byte move saves or restores it.
struct alignas(8) WindowDescriptor {
    std::uint16_t size = 0;   ///< registers visible, 2 * wsz
    std::uint16_t psize = 0;  ///< part received from the caller
    std::uint8_t fx = 0;
    std::uint8_t dbl = 0;  ///< 32-bit results clear the upper half
    /// Only in a chain frame: some register or predicate that the return uncovers is diagnostic.
    /// Translated code compares the whole descriptor after a return, so such a frame always leaves
    /// it.
    std::uint16_t tagged = 0;
};

/// Rotation state, raw fields (registers.md §3). One 8-byte move saves or restores it.
struct alignas(8) RotationState {
    std::uint8_t rbs = 0, rsz = 0, rcur = 0, psz = 0, pcur = 0;
    std::uint8_t unused[3]{};
};

/// Predicate file: bit 0 value, bit 1 tag (diagnostic), by *physical* number.
using PredicateFile = std::array<std::uint8_t, 32>;
inline constexpr std::uint8_t kPredValue = 1, kPredTag = 2;

/// What a call pushes and a return pops (CR0, CR1). 64 bytes.
struct alignas(32) ChainFrame {
    PredicateFile pred{};
    std::uint64_t return_ip = 0;
    WindowDescriptor wd;  ///< caller's wpsz (psize), wfx, wdbl; size = caller's size
    RotationState br;
    std::uint32_t wbs = 0;   ///< registers (2 * quads) the call moved the window by
    std::uint32_t ussz = 0;  ///< USD.size >> 4
};
static_assert(sizeof(ChainFrame) == 64);

/// Return address of a sentinel frame: returning to it stops with StopKind::SignalReturn.
inline constexpr std::uint64_t kSentinelReturn = 0xffff'ffff'ffff'fff8ull;

enum class CtprTag : std::uint8_t {
    Empty = 0,
    Diagnostic = 1,
    Return = 2,
    Label = 3,
    Numeric = 4,
    System = 5
};
/// A transfer preparation register, unpacked. `image()` gives the rrd value (control.md §1).
struct alignas(16) Ctpr {
    std::uint64_t base = 0;  ///< target; system label: the sdisp entry number
    CtprTag tag = CtprTag::Empty;
    std::uint8_t opc = 0;  ///< 0 disp, 1 ldisp
    std::uint8_t ipd = 3;
    std::uint8_t unused[5]{};
    std::uint64_t image() const;
};

/// Loop state. lcnt is 64 bits wide from v5 on (LSR1).
struct LoopState {
    std::uint64_t lcnt = 0;
    std::uint8_t ecnt = 0, vlc = 0, over = 0, ldmc = 0, ldovl = 0, pcnt = 0, strmd = 0, semc = 0;

    bool last() const { return vlc && lcnt < 2; }
    bool loop_end() const { return last() && ecnt == 0; }  ///< loops.md §2
    bool prologue() const { return pcnt != 0 && !semc; }   ///< control.md §3
    std::uint64_t lsr_image() const;
    static LoopState from_lsr(std::uint64_t image);
};

/// One area of the array access unit: its prefetch entry and current index.
struct AauArea {
    std::uint64_t cur = 0;  ///< bytes
    std::uint32_t disp = 0;
    std::uint8_t fmt = 0, d = 0, incr = 0, ind = 0;  ///< fmt 0 = dead
};
struct AauState {
    std::array<std::uint64_t, 32> aad_base{};  ///< descriptor low half, bits 47:0
    std::array<std::uint64_t, 32> aad_hi{};
    std::array<std::uint64_t, 16> aaind{};
    std::array<std::uint64_t, 8> aaincr{1};  ///< %aaincr0 is always 1
    std::array<std::uint64_t, 16> aasti{};
    std::array<AauArea, 64> area{};  ///< 0..31 left plane (channels 0, 1), 32..63 right
    std::uint8_t active = 0;
};

/// Wait lock of mas=7 / mas=2 pairs (memory.md §3).
struct WaitLock {
    std::uint64_t address = 0, value = 0, value_hi = 0;
    std::uint8_t size = 0, valid = 0;
};

inline constexpr unsigned kMaxWindow = 224;    ///< registers of the largest window (windows.md §1)
inline constexpr unsigned kWindowSlack = 512;  ///< usable registers past the last legal window

class GuestClock;
/// A guest thread's place in the time of its process; belongs to CpuState.
struct ThreadClock {
    GuestClock* source = nullptr;  ///< null: the host's steady clock
    std::uint64_t base = 0;        ///< nanoseconds that had passed when CpuState::bundles was 0
    std::uint64_t counted = 0;     ///< CpuState::bundles already in the sum of the process
    std::uint64_t born = 0;        ///< CpuState::bundles when the thread's process began
};

struct CpuState {
    // --- hot: touched by nearly every bundle, reachable with 8-bit displacements first ---
    Reg* window = nullptr;                    ///< %r0 of the current procedure
    std::uint8_t* window_tags = nullptr;      ///< shadow of `window`, one byte per register
    std::uint8_t* memory_base = nullptr;      ///< MemoryView::base
    const std::uint8_t* page_map = nullptr;   ///< MemoryView::pages
    std::uint64_t ip = 0;                     ///< current bundle
    std::atomic<std::uint32_t> interrupt{0};  ///< nonzero: leave at the next safepoint
    std::uint32_t tags_live = 0;  ///< nonzero: a visible register or predicate may be diagnostic
    WindowDescriptor wd;
    RotationState br;
    PredicateFile pred{};
    LoopState lsr;
    std::array<Ctpr, 3> ctpr{};       ///< %ctpr1..3
    ChainFrame* chain_top = nullptr;  ///< next free frame; chain_top[-1] is the caller's
    std::uint64_t usd_base = 0;       ///< user stack pointer
    std::uint64_t usd_size = 0;       ///< bytes left below it
    std::uint32_t pfpfr = 0x1f80, fpcr = 0x37f, fpsr = 0, upsr = 0xa1;
    std::uint64_t bundles = 0;     ///< executed bundles
    std::uint64_t operations = 0;  ///< executed ALC operations (guards true or not)
    WaitLock lock;

    std::array<Reg, 32> g{};
    std::array<std::uint8_t, 32> g_tags{};
    AauState aau;
    LoopState ilcr;         ///< initial values: lcnt, ecnt, pcnt
    std::uint64_t sbr = 0;  ///< top of the user stack area

    // --- stacks: host memory outside the guest's address range ---
    Reg* window_file = nullptr;   ///< whole procedure-stack area
    Reg* window_limit = nullptr;  ///< window + wd.size must not pass this (kWindowSlack follows)
    std::uint8_t* tag_file = nullptr;
    ChainFrame* chain_file = nullptr;
    ChainFrame* chain_limit = nullptr;
    std::uint64_t psp_base = 0,
                  pcsp_base = 0;  ///< virtual guest addresses reported by rrd %psp/%pcsp
    std::uint64_t psp_size = 0, pcsp_size = 0;

    // --- configuration ---
    std::uint8_t iset = 4;        ///< 2..6
    std::uint8_t exact_tags = 0;  ///< 1: tags modelled, diagnostic values trap
    /// With exact_tags, 1: registers that setwd adds are diagnostic; 0: they are numbers.
    std::uint8_t uncover_tags = 1;
    std::uint8_t strict = 1;            ///< 1: operations newer than iset are illegal
    std::uint8_t idr_model = 7;         ///< IDR.mdl
    std::uint8_t strict_alignment = 0;  ///< 1: with UPSR.ac misaligned accesses trap (interpreter)
    ThreadClock clock;                  ///< what the time is (guest_clock.h)
    std::uint64_t run_until = ~0ull;    ///< bundles at which Translator::run comes back
    std::uint64_t held_clock = 0;  ///< not 0: %clkr stands still at it (machine/differential.h)

    // --- the walls around the stacks (HardwareStacks, stack_watch.h) ---
    std::uintptr_t walls_begin = 0, walls_end = 0;  ///< all host addresses reserved for the stacks
    std::atomic<std::uint32_t> stack_fault{0};      ///< a wall was touched: nothing may run on

    std::size_t window_index() const { return static_cast<std::size_t>(window - window_file); }
    std::size_t depth() const { return static_cast<std::size_t>(chain_top - chain_file); }

    /// Physical predicate of logical number n under the current rotation (registers.md §4).
    unsigned pred_phys(unsigned n) const {
        const unsigned m = br.psz + 1u;
        if (n >= m) return n;
        const unsigned i = n + br.pcur;
        return i >= m ? i - m : i;
    }
    /// Window index of %b[n], or -1 when outside the rotating area or the window.
    int based_index(unsigned n, unsigned window_size) const {
        const unsigned bz = 2u * br.rsz + 2u;
        if (n >= bz) return -1;
        unsigned i = n + 2u * br.rcur;
        if (i >= bz) i -= bz;
        const unsigned at = 2u * br.rbs + i;
        return at < window_size ? static_cast<int>(at) : -1;
    }
};

/// Owns the procedure and chain stack areas of one thread and points a CpuState at them. They are
/// mapped apart from everything else: registers, tags and chain frames each between inaccessible
/// walls, which are so wide that no sequence of calls or returns that the chain has room for can
/// carry the window past them.
class HardwareStacks {
public:
    static constexpr std::size_t kDefaultRegisters = 16u
                                                     << 20;  ///< 256 MiB reserved, lazily backed
    static constexpr std::size_t kDefaultFrames = 2u << 20;
    HardwareStacks() = default;
    HardwareStacks(const HardwareStacks&) = delete;
    HardwareStacks& operator=(const HardwareStacks&) = delete;
    HardwareStacks(HardwareStacks&&) noexcept;
    HardwareStacks& operator=(HardwareStacks&&) noexcept;
    ~HardwareStacks();
    /// Reserves the areas; false if the host refuses the address space.
    bool reserve(std::size_t registers = kDefaultRegisters, std::size_t frames = kDefaultFrames);
    /// Sets window, window_tags, chain_top and the limits of `state` to the bottom of the areas.
    void attach(CpuState& state) const;

private:
    std::uint8_t* reserved_ = nullptr;
    std::size_t reserved_bytes_ = 0;
    Reg* registers_ = nullptr;
    std::uint8_t* tags_ = nullptr;
    ChainFrame* frames_ = nullptr;
    std::size_t register_count_ = 0, frame_count_ = 0;
};

}  // namespace e2k::cpu
