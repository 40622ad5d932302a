// Contents that decode but must not execute (encoding.md §2.5).
#include "engine/isa/bundle.h"

namespace e2k::isa {
namespace {

using Trap = Illegality::Trap;

LegalityResult illegal(Trap trap, int channel, std::string_view reason) {
    return {false, {trap, static_cast<std::int8_t>(channel), reason}};
}

bool writes_ctpr(const AlsOp& a) { return a.dst.kind == OperandKind::Ctpr; }

bool may_write_ctpr(const AlsOp& a) {
    const std::string_view name = a.op->mnemonic;
    return a.channel == 0 && a.guards.empty() &&
           (name.starts_with("movt") || name.starts_with("gettc") || name.starts_with("getpl"));
}

bool is_odd_quad(const Operand& o, bool second) {
    if (o.width != Width::Q || !o.is_register()) return false;
    return (o.index & 1) != (second ? 1 : 0);
}

LegalityResult check_sources(const AlsOp& a) {
    if (a.src2.kind == OperandKind::Illegal)
        return illegal(Trap::IllegalOperand, a.channel,
                       "a 16-bit literal outside LTS0 and LTS1 or a 64-bit literal at LTS3");
    // A literal src3 (qplog, qppermb) is known from a secondary source only; binutils refuses it.
    if (a.src3.kind == OperandKind::Illegal || a.src3.kind == OperandKind::Literal)
        return illegal(Trap::IllegalOperand, a.channel, "the third source is not a register");
    if (a.data.kind == OperandKind::Illegal)
        return illegal(Trap::IllegalOperand, a.channel, "the stored operand is not a register");
    if (a.src2.missing)
        return illegal(Trap::IllegalOperand, a.channel, "the literal's LTS word does not exist");
    return {};
}

LegalityResult check_conditions(const AlsOp& a) {
    unsigned preds = 0;
    for (const auto* list : {&a.guards, &a.merge})
        for (const PredicateRef& p : list->span())
            if (p.kind == PredicateRef::Kind::Invalid)
                return illegal(Trap::IllegalOpcode, a.channel, "invalid predicate code in CDS");
    for (const PredicateRef& p : a.guards.span())
        if (p.kind == PredicateRef::Kind::Pred && ++preds == 2)
            return illegal(Trap::IllegalOpcode, a.channel, "two %pred conditions on one channel");
    if (a.op->has(OpFlag::Merge) && a.merge.empty())
        return illegal(Trap::IllegalOpcode, a.channel, "a merge without a selecting predicate");
    if (a.op->has(OpFlag::CtCond) && !a.guards.empty())
        return illegal(Trap::IllegalOpcode, a.channel, "this operation cannot be guarded by CDS");
    return {};
}

LegalityResult check_operands(const AlsOp& a) {
    if (const auto r = check_sources(a); !r.legal) return r;
    if (a.dst.kind == OperandKind::Illegal)
        return illegal(Trap::IllegalOperand, a.channel, "reserved destination code");
    if (a.aau.literal_missing)
        return illegal(Trap::IllegalOperand, a.channel, "the literal's LTS word does not exist");
    const bool second = a.pair_second;
    if (is_odd_quad(a.src1, second && !a.op->has(OpFlag::SameSrc1)) ||
        is_odd_quad(a.src2, second) || is_odd_quad(a.src3, second) || is_odd_quad(a.data, second) ||
        is_odd_quad(a.dst, second))
        return illegal(Trap::IllegalOperand, a.channel,
                       "a quad register pair starts at an odd register");
    if (writes_ctpr(a) && !may_write_ctpr(a))
        return illegal(Trap::IllegalOpcode, a.channel,
                       "only an unguarded move in channel 0 may write a %ctpr");
    return check_conditions(a);
}

int mate_of(Pair pair, int channel) {
    switch (pair) {
        case Pair::None:
            return -1;
        case Pair::P01_34:
            return channel == 0 ? 1 : channel == 1 ? 0 : channel == 3 ? 4 : 3;
        case Pair::P02_35:
            return channel == 0 ? 2 : channel == 2 ? 0 : channel == 3 ? 5 : 3;
        case Pair::P25:
            return channel == 2 ? 5 : 2;
        case Pair::P01:
            return channel == 0 ? 1 : 0;
    }
    return -1;
}

LegalityResult check_als(const Bundle& b, int channel) {
    const AlsOp& a = b.als[static_cast<unsigned>(channel)];
    if (!a.op)
        return illegal(Trap::IllegalOpcode, channel,
                       "no operation of this version has this opcode in this channel");
    if (const int mate = mate_of(a.op->pair, channel); mate >= 0) {
        const AlsOp& other = b.als[static_cast<unsigned>(mate)];
        if (!b.has_als(mate) || !other.op || other.op->mnemonic != a.op->mnemonic)
            return illegal(Trap::IllegalOperand, channel,
                           "the second channel of a two-channel operation is missing");
    }
    return check_operands(a);
}

bool loads(const Bundle& b, int c) {
    const auto& a = b.als[static_cast<unsigned>(c)];
    return b.has_als(c) && a.op && a.op->has(OpFlag::Load);
}
bool stores(const Bundle& b, int c) {
    const auto& a = b.als[static_cast<unsigned>(c)];
    return b.has_als(c) && a.op && a.op->has(OpFlag::Store);
}

/// Local predicates a CLP may read: PLS0 @p0-1, PLS1 @p0-4, PLS2 @p0-5 (encoding.md §8).
constexpr std::array<std::uint8_t, 3> kLastLocal{1, 4, 5};

LegalityResult check_plu(const PredicateLogic& p) {
    for (unsigned i = 0; i < p.count; ++i) {
        if (i < 2)
            for (unsigned k = 2 * i; k < 2 * i + 2; ++k)
                if (p.elp[k].kind == Elp::Kind::Invalid)
                    return illegal(Trap::IllegalOpcode, -1, "invalid PLU input code");
        const Clp& c = p.clp[i];
        if (c.opcode == ClpOpcode::Reserved)
            return illegal(Trap::IllegalOpcode, -1, "reserved PLU operation");
        if (c.p0 > kLastLocal[i] || c.p1 > kLastLocal[i])
            return illegal(Trap::IllegalOpcode, -1,
                           "a PLU element reads a local predicate computed after it");
    }
    return {};
}

LegalityResult check_control(const Bundle& b) {
    const Stubs& s = b.ss;
    if (s.present && s.condition >= 10 && s.condition <= 13 && !(s.condition == 11 && b.iset >= 7))
        return illegal(Trap::IllegalOpcode, -1, "reserved condition type in SS");
    if (b.cs0.present && !b.cs0.valid)
        return illegal(Trap::IllegalOpcode, -1, "reserved or incomplete operation in CS0");
    if (!b.cs1.present) return {};
    if (b.cs1.kind == Cs1Kind::Reserved)
        return illegal(Trap::IllegalOpcode, -1, "reserved operation in CS1");
    if (b.cs1.bad_call)
        return illegal(Trap::IllegalOpcode, -1, "a call without a prepared transfer in SS");
    if (b.cs1.setwd && b.cs1.setwd_missing_lts0)
        return illegal(Trap::IllegalOpcode, -1, "setwd without its literal word LTS0");
    if (b.cs1.setwd && b.cs1.wsz > 112)
        return illegal(Trap::IllegalOpcode, -1, "setwd asks for more than 112 quad registers");
    return {};
}

LegalityResult check_mova(const Bundle& b) {
    for (unsigned i = 0; i < b.mova.size(); ++i) {
        const MovaOp& m = b.mova[i];
        if (!m.present) continue;
        if (m.opcode == 0 || m.opcode == 6 || (m.opcode == 7 && b.iset < 5))
            return illegal(Trap::IllegalOpcode, static_cast<int>(i), "reserved array load");
        if (m.dst.kind == OperandKind::Illegal)
            return illegal(Trap::IllegalOperand, static_cast<int>(i), "reserved destination code");
    }
    return {};
}

}  // namespace

LegalityResult check_legal(const Bundle& b) {
    if (b.hs == 0) return {};
    for (int c = 0; c < kChannels; ++c)
        if (b.has_als(c))
            if (const auto r = check_als(b, c); !r.legal) return r;
    if ((loads(b, 3) && stores(b, 2)) || (loads(b, 0) && stores(b, 5)))
        return illegal(Trap::IllegalOpcode, -1,
                       "a load and a store in mirrored channels (3 with 2, or 0 with 5)");
    if (const auto r = check_plu(b.plu); !r.legal) return r;
    if (const auto r = check_control(b); !r.legal) return r;
    return check_mova(b);
}

}  // namespace e2k::isa
