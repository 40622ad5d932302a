// One row per operation: the single source of truth that decoder, disassembler, assembler,
// interpreter, translator, cycle model, hover texts and tests read.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace e2k::isa {

inline constexpr int kChannels = 6;
inline constexpr int kMinIset = 1;
inline constexpr int kMaxIset = 7;

/// Syllable layout of an ALS operation (syllables.md §2.1) or the unit of any other operation.
enum class Format : std::uint8_t {
    Alopf1,
    Alopf1Merge,
    Alopf2,
    Alopf3,
    Alopf7,
    Alopf8,
    Alopf10,
    Alopf11,
    Alopf11Merge,
    Alopf11Lit8,
    Alopf12,
    Alopf12Pshufh,
    Alopf12Ibranchd,
    Alopf12Icalld,
    Alopf13,
    Alopf15,
    Alopf16,
    Alopf17,
    Alopf19,
    Alopf21,
    Alopf21Merge,
    Alopf22,
    Aaurr,
    Aaurw,
    Mmurr,
    Mmurw,
    Incr,
    Hs,
    Ss,
    Cs0,
    Cs1,
    Pls,
    Aas,
    Apb,
};

/// Width an operand is really used with (registers.md §5): 32, 64, 80, 128 (register pair), 128
/// (one register) bits; Pred = predicate, State = state register, Aau = %aad/%aasti address, AauReg
/// = AAU register, MmuReg = MMU register.
enum class Width : std::uint8_t { None, S, D, X, Q, P, Pred, State, Aau, AauReg, MmuReg };

/// Channel pairs of a two-channel operation (syllables.md §3.5).
enum class Pair : std::uint8_t { None, P01_34, P02_35, P25, P01 };

/// What an operation is about; used for grouping, coverage tables and lane tinting.
enum class Family : std::uint8_t {
    IntAlu,
    IntShift,
    IntMul,
    IntDiv,
    IntBitfield,
    IntCompare,
    IntCombined,
    IntFlags,
    Select,
    FpScalar,
    FpCompare,
    FpConvert,
    FpCombined,
    FpCombinedPacked,
    FpFma,
    FpPacked64,
    FpPacked128,
    Fp80,
    PackedInt64,
    PackedInt128,
    PackedShift,
    PackedShuffle,
    PackedLogic,
    PackedComparePred,
    Plog,
    Clmul,
    MemLoad,
    MemStore,
    MemArray,
    MemSegment,
    MemProtected,
    MoveTag,
    State,
    ProtectedMisc,
    ControlV6,
    Control,
    V7,
    Unknown,
};

enum class OpFlag : std::uint16_t {
    Load = 1 << 0,           ///< reads memory
    Store = 1 << 1,          ///< writes memory
    MayCarryMas = 1 << 2,    ///< a MAS from CS1 applies
    Merge = 1 << 3,          ///< needs a selecting predicate (MRGC)
    CtCond = 1 << 4,         ///< guarded by SS.ctcond, not by RLP
    SameSrc1 = 1 << 5,       ///< pair: src1 code identical in both syllables
    Ales25 = 1 << 6,         ///< assembling for exactly v4 stores the ALES2/5 word
    NoDisassembly = 1 << 7,  ///< objdump never prints this name
    Ambiguous = 1 << 8,      ///< objdump prints "ambiguous"
    Alias = 1 << 9,          ///< alternative name of another row
    Src3Literal = 1 << 10,   ///< src3 may be a literal code
    UserMode = 1 << 11,      ///< needed by 64-bit Linux user programs
    Unverified = 1 << 12,    ///< encoding known from a secondary source only (v7)
    PrintsBoth = 1 << 13,    ///< pair: objdump prints a line for either member
};

constexpr std::uint16_t operator|(OpFlag a, OpFlag b) {
    return static_cast<std::uint16_t>(static_cast<std::uint16_t>(a) |
                                      static_cast<std::uint16_t>(b));
}
constexpr std::uint16_t operator|(std::uint16_t a, OpFlag b) {
    return static_cast<std::uint16_t>(a | static_cast<std::uint16_t>(b));
}

/// A row of the operation table. Same mnemonic on different channels, ALES values or ISA ranges is
/// a separate row. Field value -1 = not part of the encoding.
struct Operation {
    std::string_view mnemonic;
    Format format;
    Family family;
    std::uint8_t channels;  ///< bit c set: legal in ALCc
    std::uint8_t opcode;    ///< ALS[30:24]
    std::int16_t opcode2;   ///< ALES[15:8]
    std::int16_t opce1;     ///< ALS[23:16] when constant
    std::int16_t opce2;     ///< ALES[7:0] when constant
    std::int16_t cmpopce;   ///< ALS[7:5] of ALOPF7/8, ALES[7:0] of ALOPF17
    std::uint8_t iset_min;
    std::uint8_t iset_max;
    Width src1, src2, src3, src4, dst;  ///< src4 = data of a store
    std::string_view print_sizes;       ///< objdump's letters, operand order (disassembly.md §4)
    Pair pair;
    std::uint16_t flags;       ///< OR of OpFlag
    std::uint8_t latency;      ///< cycles from issue to a dependent operation, 0 = unknown
    std::string_view summary;  ///< formula in words, for hover texts

    constexpr bool has(OpFlag f) const { return (flags & static_cast<std::uint16_t>(f)) != 0; }
};

/// Index of a row in `operations()`; stable within one build, used to key side tables
/// (semantic functions, emitters, counters).
using OpIndex = std::uint16_t;

/// All rows, ALS operations first, ordered so that equal mnemonics are adjacent.
std::span<const Operation> operations();
inline const Operation& operation(OpIndex i) { return operations()[i]; }
inline OpIndex index_of(const Operation& op) {
    return static_cast<OpIndex>(&op - operations().data());
}

}  // namespace e2k::isa
