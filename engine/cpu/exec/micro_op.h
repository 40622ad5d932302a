// The execution form of a bundle: what the interpreter runs. Made once per address by predecode();
// every question that does not depend on the machine state is answered here.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "engine/cpu/semantics.h"
#include "engine/cpu/state.h"
#include "engine/cpu/trap.h"
#include "engine/isa/bundle.h"

namespace e2k::cpu {
struct Observed;
}

namespace e2k::cpu::exec {

/// Where an operand is found. All four are arrays of Reg with a base; only Based rotates.
enum class Space : std::uint8_t { Window, Based, Global, Literal };
inline constexpr unsigned kSpaces = 4;

/// An operand: register `index` of `space`, or entry `index` of the bundle's literal pool.
struct RegRef {
    Space space = Space::Literal;
    std::uint8_t index = 0;
};

/// Literal pool entry 0 is always 0: the operand of an operation that has none.
inline constexpr RegRef kZeroOperand{};

/// What a result replaces (registers.md §6).
enum class Write : std::uint8_t {
    None,      ///< no destination, or %empty
    Word,      ///< bits 31:0; bits 63:32 kept, or cleared when WD.dbl
    WordKeep,  ///< bits 31:0; bits 63:32 always kept (movts family)
    Double,    ///< bits 63:0
    Extended,  ///< bits 79:0
    Packed,    ///< bits 127:0
    Predicate,
    Ctpr,   ///< movtd to %ctprN
    State,  ///< rwd, rws
};

/// One condition of a guard or of a merge selection (syllables.md §9).
struct Condition {
    std::uint8_t index = 0;
    bool pcnt = false;  ///< %pcntN instead of %predN
    bool negated = false;
};

/// Up to six conditions, a slice of ExecBundle::conditions.
struct ConditionRange {
    std::uint8_t begin = 0, count = 0;
};

/// Address part of an array operation (syllables.md §4.1).
struct ArrayAddress {
    std::uint32_t literal = 0;
    std::uint8_t d = 0, ind = 0, incr = 0, group = 0;
    bool increments = false;
    ConditionRange incr_guard;
};

/// How a memory operation treats its location (memory.md §2).
enum class MemoryMode : std::uint8_t {
    Plain,
    CheckLoad,         ///< mas=3 load: MLOCK when the register's old value differs (memory.md §4)
    LockLoad,          ///< mas=7 / mas=5 load in channel 0
    ConditionalStore,  ///< mas=2 store
    NoStore,           ///< cache or DAM control, unlock: no memory is written
    CodeFlush,         ///< mas=0x17: instruction cache line
    MaskedStore,       ///< stmqp: bytes selected by src2
    Privileged,
};

/// One operation of one channel.
struct MicroOp {
    SemKind kind = SemKind::None;
    std::uint8_t channel = 0;
    Write write = Write::None;
    bool speculative = false;
    /// The common shapes that the executor handles without looking further.
    bool scalar = false;        ///< Int64 or Sse64, no merge: result.lo = fn64(a, b, c)
    bool plain_access = false;  ///< load or store of 1..8 bytes at a + b, no special mode
    isa::Width wa = isa::Width::None, wb = isa::Width::None, wc = isa::Width::None;
    std::uint8_t access_size = 0;
    RegRef a, b, c;
    RegRef data;                ///< value of a store
    RegRef dst;                 ///< destination register; index alone for Predicate, Ctpr, State
    std::uint8_t source_state;  ///< rrd: state register; gettag/puttag and moves: see predecode
    MemoryMode mode = MemoryMode::Plain;
    bool big_endian = false;
    bool any_alignment = false;  ///< allowed to be misaligned whatever UPSR.ac says
    bool quad_aligned = false;   ///< traps unless its address is a multiple of 16, always
    bool merges = false;         ///< operand a is chosen by `merge`
    bool tag_free = false;       ///< sources are not checked for tags (movt*, gettag*, puttag*)
    bool words_by_descriptor = false;  ///< insfd: operand b says which words of a and c count
    bool pair_second = false;          ///< upper half of a two-channel operation
    ConditionRange guard, merge;
    std::uint8_t array = 0;  ///< index into ExecBundle::arrays
    isa::OpIndex row = 0;
    union {
        Fn64 fn64;
        Fn128 fn128;
        FnDiv fn_div;
    };
    MicroOp() : source_state(0), fn64(nullptr) {}
};

/// Properties of a bundle that cost time; the common bundle has none of them.
enum BundleFlag : std::uint32_t {
    kIllegal = 1u << 0,
    kGuards = 1u << 1,   ///< some operation is guarded
    kMemory = 1u << 2,   ///< some operation accesses memory
    kPrecise = 1u << 3,  ///< some other operation may trap: division, state, getsp, unsupported
    kSetwd = 1u << 4,
    kRotation = 1u << 5,  ///< setbn or setbp
    kPlu = 1u << 6,
    kMova = 1u << 7,
    kPrepare = 1u << 8,    ///< disp, ldisp, sdisp, return
    kAdvance = 1u << 9,    ///< alc, abn, abp
    kPrefetch = 1u << 10,  ///< bap, eap
    kFence = 1u << 11,
    kLoopMode = 1u << 12,
    kStateWrite = 1u << 13,  ///< rwd, rws, movtd to %ctpr, getsp, array increments: late commits
    kFloating = 1u << 14,    ///< some operation uses the FP environment
    kBreakpoint = 1u << 15,  ///< set by the cache, not by predecode
    kMlock = 1u << 16,       ///< the transfer condition looks at MLOCK
    kStores = 1u << 17,
    kAauWrite = 1u << 18,
    kIndirect = 1u << 19,  ///< ibranchd, icalld
};

/// Bundles with none of these take the executor's short way: operations, plain memory accesses,
/// guards, preparations of transfers, ct and call, loop counters.
inline constexpr std::uint32_t kUncommon = kIllegal | kPrecise | kSetwd | kRotation | kPlu | kMova |
                                           kPrefetch | kFence | kLoopMode | kStateWrite | kMlock |
                                           kAauWrite | kIndirect;

enum class TransferKind : std::uint8_t {
    None,
    Jump,          ///< ct
    Call,          ///< call %ctprN
    Branch,        ///< ibranch
    IndirectJump,  ///< ibranchd
    DirectCall,    ///< icall
    IndirectCall,  ///< icalld
};

/// Decision and target of the bundle's transfer (control.md).
struct Transfer {
    TransferKind kind = TransferKind::None;
    isa::ConditionType condition = isa::ConditionType::Never;
    std::uint8_t psrc = 0;
    std::uint8_t ctpr = 0;     ///< 1..3
    std::uint8_t wbs = 0;      ///< quads
    RegRef target_register;    ///< ibranchd, icalld
    std::uint64_t target = 0;  ///< ibranch, icall
};

struct Preparation {
    isa::Cs0Kind kind = isa::Cs0Kind::None;
    std::uint8_t ctpr = 0;  ///< 1..3
    std::uint8_t ipd = 3;
    std::uint64_t target = 0;  ///< label, or sdisp entry number
};

struct ArrayLoad {
    std::uint8_t size = 0;     ///< bytes moved
    std::uint8_t min_fmt = 0;  ///< the element must be at least this large (AsyncHalf::fmt)
    std::uint8_t channel = 0, area = 0, ind = 0;
    bool advance = false, big_endian = false;
    RegRef dst;
    bool discard = false;  ///< %empty
    bool packed = false;   ///< movaqp
};

/// Window and rotation part of CS1.
struct WindowSetup {
    std::uint16_t size = 0;  ///< registers
    bool nfx = false, dbl = false;
    bool setbn = false, setbp = false;
    std::uint8_t rbs = 0, rsz = 0, rcur = 0, psz = 0;
};

struct ExecBundle {
    // --- read by every execution ---
    std::uint64_t address = 0, next_address = 0;
    ExecBundle* next = nullptr;    ///< successor at next_address, once known
    ExecBundle* taken = nullptr;   ///< successor of the last taken transfer
    Observed* observed = nullptr;  ///< what the interpreter's observer keeps of it
    std::uint32_t flags = 0;
    std::uint8_t op_count = 0;
    std::uint8_t operations = 0;   ///< ALC operations for CpuState::operations
    std::uint8_t window_need = 0;  ///< 1 + highest %rN
    std::uint8_t based_need = 0;   ///< 1 + highest %b[N]
    std::uint8_t memory_ops = 0;   ///< bit i: ops[i] is a memory operation
    std::uint8_t precise_ops = 0;  ///< bit i: ops[i] may trap for another reason
    std::uint8_t compute_ops = 0;  ///< bit i: ops[i] is a function of its operands
    std::uint8_t write_ops = 0;    ///< bit i: ops[i] writes a register or predicate
    Transfer transfer;
    std::array<MicroOp, isa::kChannels> ops{};
    std::array<Reg, 2 * isa::kChannels + 2> literals{};
    std::uint8_t literal_count = 1;

    // --- read when a flag says so ---
    std::array<Condition, 24> conditions{};
    std::uint8_t condition_count = 0;
    Preparation prepare;
    isa::PredicateLogic plu;
    WindowSetup window;
    std::array<ArrayLoad, 4> mova{};
    std::uint8_t mova_count = 0;
    std::array<ArrayAddress, 2> arrays{};
    std::uint8_t array_count = 0;
    std::uint8_t abn = 0, abp = 0, alc = 0;  ///< bit 0: when taken, bit 1: when not
    bool bap = false, eap = false;

    // --- kIllegal ---
    TrapCode illegal_code = TrapCode::None;
    std::int8_t illegal_channel = -1;
    std::string_view illegal_reason;                    ///< static text
    std::array<std::uint32_t, isa::kMaxWords> words{};  ///< raw, to recognise the same bundle
};

/// Translates a decoded bundle for a processor of version `iset`. Never fails: what must not run
/// becomes a bundle with kIllegal that traps.
void predecode(const isa::Bundle& bundle, int iset, ExecBundle& out);

}  // namespace e2k::cpu::exec
