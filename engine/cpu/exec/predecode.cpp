// From a decoded bundle to its execution form.
#include <algorithm>

#include "engine/cpu/exec/micro_op.h"
#include "engine/cpu/host_leafs.h"

namespace e2k::cpu::exec {
namespace {

using isa::OperandKind;
using isa::OpFlag;
using isa::Width;

/// The two syllables of the debugger's breakpoint bundle (traps.md §1).
constexpr std::uint32_t kBreakpointHs = 0x0400'0001, kBreakpointAls = 0x0dc0'c080;
constexpr unsigned kMaxWindowQuads = 112;

constexpr int kFirstUnalignedMaskedStore = 6;  // version from which stmqp takes any address

/// MAS values of memory.md §2.
constexpr unsigned kMasAcquireRelease = 0x10;  // bit 4 with mod 3, from v6
constexpr unsigned kMasUnaligned = 0x10;       // before v6: the access may be misaligned
constexpr unsigned kMasConditionalRelease = 0x73;
constexpr unsigned kMasArrayRegister = 0x3f;  // staa*: a register of the array unit
constexpr unsigned kMasDataFlush = 0x0f, kMasCodeFlush = 0x17, kMasSpecialRegister = 0x1f;

class Predecoder {
public:
    Predecoder(const isa::Bundle& bundle, int iset, ExecBundle& out)
        : bundle_(bundle), iset_(iset), out_(out) {}

    void run() {
        out_.address = bundle_.address;
        out_.next_address = bundle_.next_address();
        out_.words = bundle_.words;
        if (bundle_.words[0] == kBreakpointHs && bundle_.words[1] == kBreakpointAls)
            return reject(TrapCode::Breakpoint, -1, "the debugger's breakpoint bundle");
        const isa::LegalityResult legality = isa::check_legal(bundle_);
        if (!legality.legal) {
            const bool operand = legality.why.trap == isa::Illegality::Trap::IllegalOperand;
            return reject(operand ? TrapCode::IllegalOperand : TrapCode::IllegalOpcode,
                          legality.why.channel, legality.why.reason);
        }
        if (bundle_.loop_mode) out_.flags |= kLoopMode;
        for (int c = 0; c < isa::kChannels; ++c)
            if (bundle_.has_als(c)) operation(bundle_.als[c]);
        control0();
        control1();
        stubs();
        predicate_logic();
        array_loads();
        summarise();
    }

private:
    /// The first reason counts: a bundle traps once.
    void reject(TrapCode code, int channel, std::string_view reason) {
        if (out_.flags & kIllegal) return;
        out_.flags |= kIllegal;
        out_.illegal_code = code;
        out_.illegal_channel = static_cast<std::int8_t>(channel);
        out_.illegal_reason = reason;
    }

    RegRef literal(std::uint64_t value) {
        if (value == 0) return kZeroOperand;
        for (std::uint8_t i = 1; i < out_.literal_count; ++i)
            if (out_.literals[i].lo == value) return {Space::Literal, i};
        out_.literals[out_.literal_count].lo = value;
        return {Space::Literal, out_.literal_count++};
    }

    RegRef reference(const isa::Operand& operand) {
        switch (operand.kind) {
            case OperandKind::Window:
                out_.window_need = std::max<std::uint8_t>(
                    out_.window_need, static_cast<std::uint8_t>(operand.index + 1));
                return {Space::Window, operand.index};
            case OperandKind::Based:
                out_.based_need = std::max<std::uint8_t>(
                    out_.based_need, static_cast<std::uint8_t>(operand.index + 1));
                return {Space::Based, operand.index};
            case OperandKind::Global:
                return {Space::Global, operand.index};
            case OperandKind::Literal:
                return literal(operand.literal);
            default:
                return kZeroOperand;
        }
    }

    ConditionRange conditions(const isa::PredicateList& list) {
        ConditionRange range{out_.condition_count, 0};
        for (const isa::PredicateRef& ref : list.span()) {
            Condition& c = out_.conditions[out_.condition_count++];
            c.index = ref.index;
            c.pcnt = ref.kind == isa::PredicateRef::Kind::Pcnt;
            c.negated = ref.negated;
            ++range.count;
        }
        return range;
    }

    static Write width_of_write(Width width) {
        switch (width) {
            case Width::S:
                return Write::Word;
            case Width::D:
            case Width::Q:  // a pair is two 64-bit halves, one per channel
                return Write::Double;
            case Width::X:
                return Write::Extended;
            case Width::P:
                return Write::Packed;
            default:
                return Write::None;
        }
    }

    void destination(const isa::AlsOp& op, MicroOp& micro) {
        const isa::Operand& dst = op.dst;
        micro.dst.index = dst.index;
        switch (dst.kind) {
            case OperandKind::Pred:
                micro.write = Write::Predicate;
                return;
            case OperandKind::Ctpr:
                // Only an unguarded move in channel 0 may prepare a transfer (control.md §1).
                if (micro.kind != SemKind::MoveTag || op.channel != 0 || !op.guards.empty())
                    reject(TrapCode::IllegalOperand, op.channel,
                           "only an unguarded movtd in channel 0 may write %ctpr");
                micro.write = Write::Ctpr;
                out_.flags |= kStateWrite;
                return;
            case OperandKind::StateReg:
                micro.write = Write::State;
                out_.flags |= kStateWrite;
                return;
            case OperandKind::Window:
            case OperandKind::Based:
            case OperandKind::Global:
                micro.dst = reference(dst);
                micro.write = width_of_write(op.op->dst);
                if (micro.kind == SemKind::MoveTag && micro.write == Write::Word)
                    micro.write = Write::WordKeep;
                return;
            case OperandKind::Tst:
            case OperandKind::Tc:
            case OperandKind::Tcd:
                return reject(TrapCode::Unsupported, op.channel,
                              "%tst, %tc and %tcd are not supported as destinations");
            default:
                return;  // %empty
        }
    }

    void operation(const isa::AlsOp& op) {
        MicroOp& micro = out_.ops[out_.op_count];
        const std::uint8_t bit = static_cast<std::uint8_t>(1u << out_.op_count);
        ++out_.op_count;
        ++out_.operations;
        const isa::Operation& row = *op.op;
        micro.row = isa::index_of(row);
        const Semantics& semantics = semantics_of(micro.row, iset_);
        micro.kind = semantics.kind;
        micro.fn64 = semantics.fn64;
        if (semantics.kind == SemKind::Int128 || semantics.kind == SemKind::Sse128 ||
            semantics.kind == SemKind::X87)
            micro.fn128 = semantics.fn128;
        if (semantics.kind == SemKind::Div) micro.fn_div = semantics.fn_div;
        micro.access_size = semantics.access_size;
        micro.channel = op.channel;
        micro.speculative = op.speculative;
        micro.pair_second = op.pair_second;
        micro.wa = row.src1;
        micro.wb = row.src2;
        micro.wc = row.src3;
        micro.a = reference(op.src1);
        micro.b = reference(op.src2);
        micro.c = reference(op.src3);
        micro.data = reference(op.data);
        if (row.format == isa::Format::Alopf11Lit8 || row.format == isa::Format::Alopf12Pshufh) {
            micro.c = literal(op.imm8);
            micro.wc = Width::D;
        }
        if (!op.guards.empty()) {
            micro.guard = conditions(op.guards);
            out_.flags |= kGuards;
        }
        if (row.has(OpFlag::Merge)) {
            micro.merges = true;
            micro.merge = conditions(op.merge);
        }
        micro.words_by_descriptor = row.mnemonic == "insfd";
        if (bundle_.address >= kOwnCodeBegin && bundle_.address < kOwnCodeEnd &&
            row.mnemonic == "getpl" && op.src2.kind == OperandKind::Literal)
            host_leaf(static_cast<std::uint32_t>(op.src2.literal), micro);
        destination(op, micro);
        by_kind(op, micro, bit);
    }

    /// A call of a host leaf (host_leafs.h): its operands are the first words of the window.
    void host_leaf(std::uint32_t number, MicroOp& micro) {
        const auto leafs = host_leafs();
        if (number / kLeafParts >= leafs.size()) return;
        const HostLeaf& leaf = leafs[number / kLeafParts];
        const std::uint32_t part = number % kLeafParts;
        const Fn64 function = part == kLeafValue   ? leaf.value
                              : part == kLeafError ? leaf.error
                              : part == kLeafHigh  ? leaf.high
                                                   : nullptr;
        if (!function) return;
        micro.kind = leaf.kind;
        micro.fn64 = function;
        const auto word = [&](std::uint8_t k, RegRef& place, isa::Width& width) {
            if (k >= leaf.words) {
                place = kZeroOperand;
                width = Width::None;
                return;
            }
            place = {Space::Window, k};
            width = Width::D;
            out_.window_need = std::max<std::uint8_t>(out_.window_need, k + 1);
        };
        word(0, micro.a, micro.wa);
        word(1, micro.b, micro.wb);
        word(2, micro.c, micro.wc);
    }

    void by_kind(const isa::AlsOp& op, MicroOp& micro, std::uint8_t bit) {
        switch (micro.kind) {
            case SemKind::Sse64:
            case SemKind::Sse128:
            case SemKind::X87:
                out_.flags |= kFloating;
                break;
            case SemKind::Load:
            case SemKind::Store:
                memory(op, micro);
                out_.memory_ops |= bit;
                break;
            case SemKind::ArrayStore:
                micro.big_endian = (op.mas & 7) != 7 && (op.mas & 8);
                array(op, micro);
                out_.memory_ops |= bit;
                out_.flags |= kMemory | kStores;
                break;
            case SemKind::AauWrite:
                array(op, micro);
                out_.flags |= kAauWrite;
                break;
            case SemKind::StateRead:
                micro.source_state = op.src1.index;
                out_.precise_ops |= bit;
                break;
            case SemKind::Div:
            case SemKind::StateWrite:
            case SemKind::GetSp:
            case SemKind::AauRead:
            case SemKind::None:
                out_.precise_ops |= bit;
                break;
            case SemKind::MoveTag:
                // movtc* (opce1 odd) are the forms with the ordinary tag check.
                micro.tag_free = !(op.op->opce1 & 1);
                break;
            case SemKind::TagOp:
                micro.tag_free = true;
                break;
            case SemKind::IndirectBranch:
                out_.flags |= kIndirect;
                out_.transfer.target_register = micro.b;
                out_.transfer.kind = op.op->format == isa::Format::Alopf12Icalld
                                         ? TransferKind::IndirectCall
                                         : TransferKind::IndirectJump;
                out_.transfer.wbs = op.imm8;
                micro.write = Write::None;
                break;
            default:
                break;
        }
        if (micro.kind == SemKind::GetSp) out_.flags |= kStateWrite;
        if (out_.precise_ops) out_.flags |= kPrecise;
    }

    void memory(const isa::AlsOp& op, MicroOp& micro) {
        const bool store = micro.kind == SemKind::Store;
        out_.flags |= kMemory;
        if (store) out_.flags |= kStores;
        if (op.op->pair != isa::Pair::None) micro.access_size = 8;
        micro.mode = store ? store_mode(op) : load_mode(op);
        micro.big_endian = (op.mas & 7) != 7 && (op.mas & 8);
        micro.any_alignment = iset_ < 6 && (op.mas & 7) != 7 && (op.mas & kMasUnaligned);
        if (store && op.op->mnemonic == "stmqp") {
            micro.mode = MemoryMode::MaskedStore;
            micro.quad_aligned = iset_ < kFirstUnalignedMaskedStore;  // memory.md §1
        }
    }

    MemoryMode load_mode(const isa::AlsOp& op) const {
        const bool early_channel = op.channel == 0 || op.channel == 3;
        switch (op.mas & 7) {
            case 1:
                return MemoryMode::Privileged;
            case 3:
                if (early_channel || (iset_ >= 6 && (op.mas & kMasAcquireRelease)))
                    return MemoryMode::Plain;
                return MemoryMode::CheckLoad;
            case 5:
                return op.op->pair != isa::Pair::None ? MemoryMode::LockLoad : MemoryMode::Plain;
            case 7:
                return op.mas == 7 && op.channel == 0 ? MemoryMode::LockLoad
                                                      : MemoryMode::Privileged;
            default:
                return MemoryMode::Plain;
        }
    }

    MemoryMode store_mode(const isa::AlsOp& op) const {
        if (iset_ >= 6 && op.mas == kMasConditionalRelease) return MemoryMode::ConditionalStore;
        switch (op.mas & 7) {
            case 1:
                return MemoryMode::Privileged;
            case 2:
                return MemoryMode::ConditionalStore;
            case 5:
                return MemoryMode::NoStore;
            case 7:
                if (op.mas == kMasCodeFlush) return MemoryMode::CodeFlush;
                if (op.mas == kMasDataFlush || op.mas == kMasSpecialRegister)
                    return MemoryMode::NoStore;
                return MemoryMode::Privileged;
            default:
                return MemoryMode::Plain;
        }
    }

    void array(const isa::AlsOp& op, MicroOp& micro) {
        micro.array = out_.array_count++;
        ArrayAddress& address = out_.arrays[micro.array];
        address.literal = op.aau.lt ? op.aau.literal : 0;
        address.d = op.aau.d;
        address.ind = op.aau.ind;
        address.incr = op.aau.incr;
        address.group = op.aau.group;
        if (micro.kind == SemKind::ArrayStore && op.aau.am && !op.pair_second) {
            address.increments = true;
            address.incr_guard = conditions(op.aau.incr_guards);
        }
        if (op.op->pair != isa::Pair::None && micro.kind == SemKind::ArrayStore)
            micro.access_size = 8;
        // Registers of the array unit have no byte and halfword writes: v2 stores, later versions
        // do nothing (arrays.md §3).
        if (micro.kind == SemKind::ArrayStore && op.mas == kMasArrayRegister &&
            micro.access_size < 4 && iset_ > 2) {
            micro.mode = MemoryMode::NoStore;
            address.increments = false;
        }
        if (micro.access_size == 0) {  // aaurw: the width of the value written
            micro.access_size = op.op->src4 == Width::S ? 4 : 8;
        }
        out_.flags |= kStateWrite;
    }

    void control0() {
        const isa::Control0& cs0 = bundle_.cs0;
        if (!cs0.present) return;
        switch (cs0.kind) {
            case isa::Cs0Kind::None:
            case isa::Cs0Kind::Pref:
                return;
            case isa::Cs0Kind::Ibranch:
                out_.transfer.target = cs0.target;
                return;  // stubs() decides whether it is a branch
            case isa::Cs0Kind::Disp:
            case isa::Cs0Kind::Ldisp:
            case isa::Cs0Kind::Sdisp:
            case isa::Cs0Kind::Return:
                out_.flags |= kPrepare;
                out_.prepare.kind = cs0.kind;
                out_.prepare.ctpr = cs0.ctpr;
                out_.prepare.target = cs0.kind == isa::Cs0Kind::Sdisp ? cs0.value : cs0.target;
                out_.prepare.ipd = bundle_.ss.present ? bundle_.ss.ipd : 3;
                // A label in %ctpr2 ends an array prefetch, as eap does (control.md §1).
                if (cs0.kind == isa::Cs0Kind::Disp && cs0.ctpr == 2) {
                    out_.eap = true;
                    out_.flags |= kPrefetch;
                }
                return;
            case isa::Cs0Kind::Done:
            case isa::Cs0Kind::Iret:
            case isa::Cs0Kind::Hret:
            case isa::Cs0Kind::Glaunch:
                return reject(TrapCode::PrivilegedAction, -1,
                              "done, iret, hret and glaunch are privileged");
            case isa::Cs0Kind::Puttsd:
            case isa::Cs0Kind::Gettsd:
                // The register they work on left the architecture with v3 (versions.md §2).
                if (iset_ >= 3)
                    return reject(TrapCode::IllegalOpcode, -1,
                                  "puttsd and gettsd: their register exists up to elbrus-v2");
                return reject(TrapCode::PrivilegedAction, -1, "puttsd and gettsd are privileged");
            case isa::Cs0Kind::Reserved:
                return reject(TrapCode::IllegalOpcode, -1, "reserved CS0 operation");
        }
    }

    void control1() {
        const isa::Control1& cs1 = bundle_.cs1;
        if (!cs1.present) return;
        switch (cs1.kind) {
            case isa::Cs1Kind::Wait:
                out_.flags |= kFence;
                return;
            case isa::Cs1Kind::Setei:  // %eir is the kernel's (state.md §1)
                return reject(
                    TrapCode::PrivilegedAction, -1,
                    "setei writes the event identification register, which is privileged");
            case isa::Cs1Kind::Setsft:
                return reject(TrapCode::SoftwareTrap, -1, "setsft asks for this trap");
            case isa::Cs1Kind::Vfbg:
                return reject(TrapCode::Unsupported, -1,
                              "vfbg: the check it makes has no public definition");
            case isa::Cs1Kind::Reserved:
                return reject(TrapCode::IllegalOpcode, -1, "reserved CS1 operation");
            default:
                break;  // flush: the register file has nothing to spill
        }
        if (cs1.hcall)
            return reject(TrapCode::PrivilegedAction, -1, "hcall is for a hypervisor's guest");
        if (cs1.bad_call) return reject(TrapCode::IllegalOpcode, -1, "reserved kind of call");
        if (cs1.setwd) {
            if (cs1.wsz > kMaxWindowQuads)
                return reject(TrapCode::IllegalOpcode, -1, "setwd of more than 112 quads");
            out_.flags |= kSetwd;
            out_.window.size = static_cast<std::uint16_t>(2 * cs1.wsz);
            out_.window.nfx = cs1.nfx;
            out_.window.dbl = cs1.dbl && iset_ >= 3;
        }
        if (cs1.setbn || cs1.setbp) out_.flags |= kRotation;
        out_.window.setbn = cs1.setbn;
        out_.window.setbp = cs1.setbp;
        out_.window.rbs = cs1.rbs;
        out_.window.rsz = cs1.rsz;
        out_.window.rcur = cs1.rcur;
        out_.window.psz = cs1.psz;
    }

    void stubs() {
        const isa::Stubs& ss = bundle_.ss;
        if (!ss.present) return;
        // What 64-bit programs cannot use (versions.md §1).
        if (ss.vfdi)
            return reject(TrapCode::IllegalOpcode, -1, "vfdi does not exist for 64-bit programs");
        if (ss.abg)
            return reject(TrapCode::IllegalOpcode, -1,
                          "abg: rotating globals do not exist for 64-bit programs");
        if (ss.rp)
            return reject(TrapCode::Unsupported, -1,
                          "crp, srp, slrp: recovery points have no public definition");
        if (ss.format2)
            return reject(TrapCode::Unsupported, -1,
                          "flushts, invts (SS of format 2) have no public definition");
        Transfer& t = out_.transfer;
        t.condition = static_cast<isa::ConditionType>(ss.condition);
        t.psrc = ss.psrc;
        t.ctpr = ss.ctop;
        if (ss.ctop != 0) {
            t.kind = bundle_.cs1.call ? TransferKind::Call : TransferKind::Jump;
            t.wbs = bundle_.cs1.wbs;
        } else if (bundle_.cs1.icall) {
            t.kind = TransferKind::DirectCall;
            t.wbs = bundle_.cs1.wbs;
        } else if (bundle_.cs0.kind == isa::Cs0Kind::Ibranch) {
            t.kind = TransferKind::Branch;
        }
        if (t.condition == isa::ConditionType::Never) t.kind = TransferKind::None;
        if (t.kind == TransferKind::None) t.condition = isa::ConditionType::Never;
        if (t.condition == isa::ConditionType::Mlock ||
            t.condition == isa::ConditionType::MlockOrCompare)
            out_.flags |= kMlock;
        out_.alc = ss.alc;
        out_.abn = ss.abn;
        out_.abp = ss.abp;
        if (ss.alc || ss.abn || ss.abp) out_.flags |= kAdvance;
        out_.bap = ss.bap;
        out_.eap |= ss.eap;
        if (ss.bap || ss.eap) out_.flags |= kPrefetch;
    }

    void predicate_logic() {
        if (bundle_.plu.count == 0) return;
        out_.plu = bundle_.plu;
        out_.flags |= kPlu;
    }

    void array_loads() {
        for (std::uint8_t c = 0; c < 4; ++c) {
            const isa::MovaOp& mova = bundle_.mova[c];
            if (!mova.present) continue;
            ArrayLoad& load = out_.mova[out_.mova_count++];
            constexpr std::uint8_t kSize[8] = {0, 1, 2, 4, 8, 8, 0, 16};  // movaq: two halves
            load.size = kSize[mova.opcode & 7];
            load.min_fmt = std::min<std::uint8_t>(mova.opcode, 5);
            load.channel = c;
            load.area = mova.area;
            load.ind = mova.ind;
            load.advance = mova.am;
            load.big_endian = mova.be;
            load.packed = mova.opcode == 7;
            load.discard = !mova.dst.is_register();
            load.dst = reference(mova.dst);
            out_.flags |= kMova;
        }
    }

    /// Bit masks and flags that follow from the operations.
    void summarise() {
        for (unsigned i = 0; i < out_.op_count; ++i) {
            const auto bit = static_cast<std::uint8_t>(1u << i);
            MicroOp& op = out_.ops[i];
            op.scalar = (op.kind == SemKind::Int64 || op.kind == SemKind::Sse64) && !op.merges;
            op.plain_access = (op.kind == SemKind::Load || op.kind == SemKind::Store) &&
                              op.mode == MemoryMode::Plain && !op.pair_second && !op.big_endian &&
                              op.access_size <= 8;
            const bool computes = !(out_.memory_ops & bit) && !(out_.precise_ops & bit) &&
                                  op.kind != SemKind::AauWrite &&
                                  op.kind != SemKind::IndirectBranch;
            if (computes) out_.compute_ops |= bit;
            if (op.write != Write::None && op.write != Write::Ctpr && op.write != Write::State)
                out_.write_ops |= bit;
        }
        if (!(out_.flags & kStores)) out_.flags &= ~std::uint32_t{kLoopMode};
    }

    const isa::Bundle& bundle_;
    int iset_;
    ExecBundle& out_;
};

}  // namespace

void predecode(const isa::Bundle& bundle, int iset, ExecBundle& out) {
    out = ExecBundle{};
    Predecoder(bundle, iset, out).run();
}

}  // namespace e2k::cpu::exec
