// A decoded bundle (wide instruction): raw syllables plus typed operations by unit.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>

#include <tl/expected.hpp>

#include "engine/isa/operation.h"

namespace e2k::isa {

inline constexpr int kMaxWords = 16;

/// Where an operand lives. Window = %rN, Based = %b[N], Global = %gN.
enum class OperandKind : std::uint8_t {
    None,
    Window,
    Based,
    Global,
    Literal,
    Empty,
    Ctpr,
    Tst,
    Tc,
    Tcd,
    Pred,
    StateReg,
    Illegal,  ///< code the encoding forbids here; executing it raises exc_illegal_operand/opcode
};

struct Operand {
    OperandKind kind = OperandKind::None;
    Width width = Width::None;
    std::uint8_t code = 0;   ///< raw operand byte (printing, assembling)
    std::uint8_t index = 0;  ///< register number / predicate / ctpr 1..3 / state register code
    std::uint8_t literal_bits = 0;  ///< 0 = short literal in the code; 16, 32, 64 = from LTS
    std::uint8_t lts = 0;           ///< LTS word of the literal
    bool lts_high = false;          ///< 16-bit literal in the upper half of the LTS
    bool missing = false;           ///< the LTS does not exist in this bundle
    std::uint64_t literal = 0;      ///< value, already zero/sign-extended to 64 bits

    bool is_register() const {
        return kind == OperandKind::Window || kind == OperandKind::Based ||
               kind == OperandKind::Global;
    }
    bool operator==(const Operand&) const = default;
};

/// A predicate that guards an operation (RLP), selects a merge operand (MRGC) or feeds crp/srp.
struct PredicateRef {
    enum class Kind : std::uint8_t { Invalid, Pred, Pcnt } kind = Kind::Invalid;
    std::uint8_t index = 0;
    bool negated = false;
    bool operator==(const PredicateRef&) const = default;
};

/// At most all six CDS halves can name one channel.
struct PredicateList {
    std::array<PredicateRef, 6> items{};
    std::uint8_t count = 0;
    std::span<const PredicateRef> span() const { return {items.data(), count}; }
    bool empty() const { return count == 0; }
    bool operator==(const PredicateList& other) const {
        return std::equal(items.begin(), items.begin() + count, other.items.begin(),
                          other.items.begin() + other.count);
    }
};

/// Address part of staa/ldaa, register part of aaurw/aaurr (syllables.md §4.1).
struct AauAddress {
    std::uint8_t d = 0, ind = 0, incr = 0, lt = 0, group = 0;
    bool am = false;  ///< post-increment present
    bool literal_missing = false;
    std::uint32_t literal = 0;  ///< 32-bit offset when lt != 0
    PredicateList incr_guards;  ///< own condition of the increment (AM2/AM5)

    void clear() {
        d = ind = incr = lt = group = 0;
        am = literal_missing = false;
        literal = 0;
        incr_guards.count = 0;
    }
    bool operator==(const AauAddress&) const = default;
};

/// One operation of one arithmetic-logic channel.
struct AlsOp {
    const Operation* op = nullptr;  ///< null: unrecognised opcode; executing it is illegal
    bool ambiguous = false;         ///< several alias rows share the encoding (plog/qplog)
    std::uint8_t channel = 0;
    bool speculative = false;  ///< the `,sm` bit
    bool pair_second = false;  ///< second member of a two-channel operation
    std::uint8_t mas = 0;      ///< memory access specifier, 0 if absent
    std::uint8_t imm8 = 0;     ///< ALES literal of *_LIT8/PSHUFH formats; wbs of icalld
    Operand src1, src2, src3;  ///< as the row's widths say; one-operand operations use src2
    Operand data;              ///< stored value (src4)
    Operand dst;               ///< destination (register, predicate, state register, ctpr)
    PredicateList guards;      ///< all must hold (RLP)
    PredicateList merge;       ///< selecting predicate(s) (MRGC)
    AauAddress aau;
    std::uint32_t als = 0;   ///< raw syllable
    std::uint16_t ales = 0;  ///< raw extension
    bool has_ales = false;
    bool operator==(const AlsOp&) const = default;
};

enum class ConditionType : std::uint8_t {  ///< ctcond[8:5], syllables.md §1.3
    Never = 0,
    Always = 1,
    Pred = 2,
    NotPred = 3,
    LoopEnd = 4,
    NotLoopEnd = 5,
    PredOrLoopEnd = 6,
    NotPredAndNotLoopEnd = 7,
    Mlock = 8,
    MlockOrCompare = 9,
    NotPredOrLoopEnd = 14,
    PredAndNotLoopEnd = 15,
};

/// SS: transfer condition, loop advances, array prefetch control.
struct Stubs {
    bool present = false;
    std::uint32_t raw = 0;
    bool format2 = false;
    std::uint8_t ctop = 0;       ///< 0 or the CTPR number of ct/call
    std::uint8_t condition = 0;  ///< ConditionType value; 10..13 reserved
    std::uint8_t psrc = 0;
    std::uint8_t ipd = 0;
    bool eap = false, bap = false, vfdi = false;
    std::uint8_t rp = 0;                              ///< 0 none, 1 crp, 2 srp, 3 slrp
    std::uint8_t abg = 0, abn = 0, abp = 0, alc = 0;  ///< bit 0: when taken, bit 1: when not taken
    std::uint8_t ts_opc = 0;                          ///< format 2
    bool operator==(const Stubs&) const = default;
};

enum class Cs0Kind : std::uint8_t {
    None,
    Ibranch,
    Pref,
    Puttsd,
    Done,
    Iret,
    Hret,
    Glaunch,
    Disp,
    Ldisp,
    Sdisp,
    Gettsd,
    Return,
    Reserved,
};

struct Control0 {
    bool present = false;
    std::uint32_t raw = 0;
    Cs0Kind kind = Cs0Kind::None;
    bool valid = true;         ///< false: reserved fields or missing SS (bundles.md §6)
    std::uint8_t ctpr = 0;     ///< 1..3
    std::uint64_t target = 0;  ///< absolute address of disp/ldisp/ibranch/puttsd/icall
    std::uint32_t value = 0;   ///< sdisp entry number, raw disp field of pref
    bool operator==(const Control0&) const = default;
};

enum class Cs1Kind : std::uint8_t {
    None,
    Setr0,
    Setr1,
    Setei,
    Setsft,
    Wait,
    Setbr,
    Call,
    Mas,
    Flush,
    Vfbg,
    Reserved
};

/// CS1 with LTS0 fields of setwd already resolved (syllables.md §6).
struct Control1 {
    bool present = false;
    std::uint32_t raw = 0;
    Cs1Kind kind = Cs1Kind::None;
    bool setwd = false, setwd_missing_lts0 = false;
    std::uint8_t wsz = 0;  ///< quads
    bool nfx = false, dbl = false;
    bool vfrpsz = false;
    std::uint8_t rpsz = 0;
    bool settr = false;
    bool setbn = false;
    std::uint8_t rbs = 0, rsz = 0, rcur = 0;
    bool setbp = false;
    std::uint8_t psz = 0;
    bool call = false;  ///< CALL with SS.ctop != 0
    bool icall = false, hcall = false, bad_call = false;
    std::uint8_t wbs = 0;    ///< quads
    std::uint16_t wait = 0;  ///< syllables.md §6.4
    std::uint8_t setei = 0;
    std::uint8_t flush = 0;                     ///< bit 0 flushr, 1 flushc, 2 fillr, 3 fillc
    std::array<std::uint8_t, kChannels> mas{};  ///< per channel, 0 where none
    bool operator==(const Control1&) const = default;
};

/// Array load of the AAU.
struct MovaOp {
    bool present = false;
    std::uint8_t opcode = 0;  ///< 1 b, 2 h, 3 w, 4 d, 5 q, 7 qp; 0, 6 reserved
    std::uint8_t area = 0, ind = 0;
    bool am = false, be = false;
    Operand dst;
    std::uint16_t raw = 0;
    bool operator==(const MovaOp&) const = default;
};

/// One half of an asynchronous (array prefetch) instruction, syllables.md §10.
struct AsyncHalf {
    std::uint32_t aps = 0, disp = 0;
    bool ct = false;   ///< left half: end of program
    bool dpl = false;  ///< right half
    bool si = false;
    std::uint8_t dcd = 0, fmt = 0, mrng = 0, d = 0, incr = 0, ind = 0, asz = 0, abs = 0;
};
AsyncHalf decode_async_half(std::uint32_t aps, std::uint32_t disp, bool left);

/// Input of the predicate logic unit (syllables.md §8).
struct Elp {
    enum class Kind : std::uint8_t { Lcntex, Spred, Bgrpred, Rndpred, Invalid, Pred };
    Kind kind = Kind::Lcntex;
    std::uint8_t index = 0;  ///< predicate, rndpred number or spred mask
    bool operator==(const Elp&) const = default;
};
enum class ClpOpcode : std::uint8_t { Andp = 0, Landp = 1, Reserved = 2, Movep = 3 };
struct Clp {
    ClpOpcode opcode = ClpOpcode::Andp;
    bool neg0 = false, neg1 = false;
    std::uint8_t p0 = 0, p1 = 0;  ///< local predicates 0..6
    bool writes = false;          ///< vdst
    std::uint8_t pdst = 0;
    bool operator==(const Clp&) const = default;
};
struct PredicateLogic {
    std::uint8_t count = 0;    ///< PLS words present
    std::array<Elp, 4> elp{};  ///< @p0..@p3 (two of PLS0, two of PLS1)
    std::array<Clp, 3> clp{};  ///< @p4..@p6
    std::array<std::uint32_t, 3> raw{};
    bool operator==(const PredicateLogic&) const = default;
};

struct Bundle {
    std::uint64_t address = 0;
    std::uint8_t length = 8;                       ///< bytes, 8..64
    std::uint8_t iset = 0;                         ///< operation-table version it was decoded for
    std::array<std::uint32_t, kMaxWords> words{};  ///< raw, in memory order
    std::uint32_t hs = 0;
    bool loop_mode = false, set_mark = false;
    std::uint8_t nop = 0;
    std::uint8_t als_mask = 0;  ///< bit c: ALSc present
    std::array<AlsOp, kChannels> als{};
    Stubs ss;
    Control0 cs0;
    Control1 cs1;
    std::array<MovaOp, 4> mova{};
    PredicateLogic plu;
    std::array<std::uint32_t, 4> lts{};
    std::uint8_t lts_count = 0;
    std::array<std::uint32_t, 3> cds{};
    std::uint8_t cds_count = 0;
    PredicateList rpc;  ///< predicate of crp/srp/slrp

    bool has_als(int c) const { return (als_mask >> c) & 1; }
    std::uint64_t next_address() const { return address + length; }
    bool operator==(const Bundle&) const = default;
};

/// Bytes that are no bundle. `bit_lo..bit_hi` of word `word` is what is wrong; the layout is wholly
/// described by HS, so it is always a field of HS, word 0.
struct DecodeError {
    enum class Kind : std::uint8_t {
        Misaligned,
        Truncated,
        FrontSizeMismatch,
        LengthTooSmall
    } kind;
    std::uint8_t length = 8;  ///< length HS announces, bytes
    std::uint8_t word = 0, bit_lo = 0, bit_hi = 31;
    /// "HS bits 6..4: ..." with what is wrong.
    std::string message() const;
};

/// Decodes one bundle. `bytes` may be longer than the bundle. Never reads past `bytes`, never
/// allocates. Reserved contents are accepted here and reported by `check_legal`.
tl::expected<Bundle, DecodeError> decode(std::span<const std::uint8_t> bytes, std::uint64_t address,
                                         int iset);
/// The same into existing storage, several times faster. What the bundle does not have (channels
/// outside `als_mask`, words behind `length`, LTS behind `lts_count`, ...) is as in a new Bundle,
/// except items behind the `count` of a PredicateList, which mean nothing; after an error `out` is
/// valid but meaningless.
tl::expected<void, DecodeError> decode_into(Bundle& out, std::span<const std::uint8_t> bytes,
                                            std::uint64_t address, int iset);

/// Names of the words of a bundle (bundles.md §1).
enum class Syllable : std::uint8_t { Hs, Ss, Als, Cs0, Ales, Cs1, Aas, Lts, Pls, Cds };
std::string_view syllable_name(Syllable s);  ///< "ALS"; the number is printed behind it

/// Bits of a syllable: `Als`, 2, 15, 8 = bits 15..8 of ALS2. `index` is 0 for HS, SS, CS0, CS1.
struct SyllableBits {
    Syllable syllable = Syllable::Hs;
    std::uint8_t index = 0;
    std::uint8_t high = 31, low = 0;
    std::string text() const;  ///< "ALS2 bits 15..8", "SS bit 20"
};

/// Why a well-formed bundle must not execute (bundles.md §6), e.g. unknown opcode in ALC2.
struct Illegality {
    enum class Trap : std::uint8_t { IllegalOpcode, IllegalOperand } trap = Trap::IllegalOpcode;
    std::int8_t channel = -1;     ///< lane, -1 = not an ALS operation
    std::string_view reason;      ///< static text
    SyllableBits where;           ///< what is wrong
    std::string message() const;  ///< "ALS2 bits 15..8: operand code is reserved"
};
/// Empty if the bundle is legal for `bundle.iset`.
struct LegalityResult {
    bool legal = true;
    Illegality why{};
};
LegalityResult check_legal(const Bundle& bundle);

}  // namespace e2k::isa
