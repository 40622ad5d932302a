// Contents that decode but must not execute (bundles.md §6).
#include <fmt/format.h>

#include "engine/isa/bundle.h"

namespace e2k::isa {
namespace {

using Trap = Illegality::Trap;

LegalityResult illegal(Trap trap, int channel, SyllableBits where, std::string_view reason) {
    return {false, {trap, static_cast<std::int8_t>(channel), reason, where}};
}

constexpr SyllableBits field(Syllable s, unsigned index, unsigned high, unsigned low) {
    return {s, static_cast<std::uint8_t>(index), static_cast<std::uint8_t>(high),
            static_cast<std::uint8_t>(low)};
}
constexpr SyllableBits als_bits(const AlsOp& a, unsigned high, unsigned low) {
    return field(Syllable::Als, a.channel, high, low);
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

/// An operand, its bits, and what is wrong with a code that `decode` calls illegal.
struct OperandPlace {
    const Operand& operand;
    bool second;  ///< of a register pair
    SyllableBits where;
    std::string_view complaint;
};

LegalityResult check_operand(const AlsOp& a, const OperandPlace& place) {
    const Operand& o = place.operand;
    const SyllableBits where = place.where;
    const bool second = place.second;
    if (o.kind == OperandKind::Illegal)
        return illegal(Trap::IllegalOperand, a.channel, where, place.complaint);
    if (o.missing)
        return illegal(Trap::IllegalOperand, a.channel, where,
                       "the literal's LTS word does not exist");
    if (is_odd_quad(o, second))
        return illegal(Trap::IllegalOperand, a.channel, where,
                       "a quad register pair starts at an odd register");
    return {};
}

LegalityResult check_operands(const AlsOp& a) {
    const auto byte1 = als_bits(a, 7, 0), byte2 = als_bits(a, 15, 8), byte3 = als_bits(a, 23, 16);
    const bool second = a.pair_second;
    const bool src1_second = second && !a.op->has(OpFlag::SameSrc1);
    const OperandPlace all[] = {
        {a.src1, src1_second, byte3, "reserved state register"},
        {a.src2, second, byte2, "a 16-bit literal outside LTS0 and LTS1 or a 64-bit one at LTS3"},
        {a.src3, second, field(Syllable::Ales, a.channel, 7, 0),
         "the third source is not a register"},
        {a.data, second, byte1, "the stored operand is not a register"},
        {a.dst, second, byte1, "reserved destination code"}};
    for (const OperandPlace& o : all)
        if (const auto r = check_operand(a, o); !r.legal) return r;
    if (a.aau.literal_missing)
        return illegal(Trap::IllegalOperand, a.channel, als_bits(a, 9, 8),
                       "the literal's LTS word does not exist");
    if (writes_ctpr(a) && !may_write_ctpr(a))
        return illegal(Trap::IllegalOpcode, a.channel, byte1,
                       "only an unguarded move in channel 0 may write a %ctpr");
    return {};
}

/// Place of the predicate code of a CDS half, counted as text lists them (low half first).
constexpr SyllableBits half_bits(unsigned half) {
    const unsigned base = half & 1 ? 16 : 0;
    return field(Syllable::Cds, half / 2, base + 6, base);
}

LegalityResult check_conditions(const Bundle& b, const AlsOp& a) {
    if (a.op->has(OpFlag::Merge) && a.merge.empty())
        return illegal(Trap::IllegalOpcode, a.channel, als_bits(a, 30, 24),
                       "a merge without a selecting predicate in CDS");
    if (a.op->has(OpFlag::CtCond) && !a.guards.empty())
        return illegal(Trap::IllegalOpcode, a.channel, als_bits(a, 30, 24),
                       "this operation cannot be guarded by CDS");
    unsigned predicates = 0;
    for (unsigned half = 0; half < 2u * b.cds_count; ++half) {
        const unsigned raw = b.cds[half / 2] >> (half & 1 ? 16 : 0);
        const bool second_cluster = raw & 0x4000, merge = raw & 0x8000;
        const unsigned place = a.channel % 3u;
        if (second_cluster != (a.channel >= 3) || !((raw >> (10 + place)) & 1)) continue;
        const unsigned code = raw & 0x7f;
        if (code < 0x40)
            return illegal(Trap::IllegalOpcode, a.channel, half_bits(half),
                           "a predicate code in CDS that names neither %pred nor %pcnt");
        if (!merge && code >= 0x60 && ++predicates > 1)
            return illegal(Trap::IllegalOpcode, a.channel, half_bits(half),
                           "two %pred conditions on one channel");
    }
    return {};
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
    const auto opcode = als_bits(a, 30, 24);
    if (!a.op)
        return illegal(Trap::IllegalOpcode, channel, opcode,
                       "no operation of this version has this opcode in this channel");
    if (const int mate = mate_of(a.op->pair, channel); mate >= 0) {
        const AlsOp& other = b.als[static_cast<unsigned>(mate)];
        if (!b.has_als(mate) || !other.op || other.op->mnemonic != a.op->mnemonic)
            return illegal(Trap::IllegalOperand, channel, opcode,
                           "the second channel of a two-channel operation is missing");
    }
    if (const auto r = check_operands(a); !r.legal) return r;
    return check_conditions(b, a);
}

bool loads(const Bundle& b, int c) {
    const auto& a = b.als[static_cast<unsigned>(c)];
    return b.has_als(c) && a.op && a.op->has(OpFlag::Load);
}
bool stores(const Bundle& b, int c) {
    const auto& a = b.als[static_cast<unsigned>(c)];
    return b.has_als(c) && a.op && a.op->has(OpFlag::Store);
}

LegalityResult check_mirrored_channels(const Bundle& b) {
    constexpr std::string_view kReason =
        "a load and a store in mirrored channels (3 with 2, or 0 with 5)";
    if (loads(b, 3) && stores(b, 2))
        return illegal(Trap::IllegalOpcode, 2, als_bits(b.als[2], 30, 24), kReason);
    if (loads(b, 0) && stores(b, 5))
        return illegal(Trap::IllegalOpcode, 5, als_bits(b.als[5], 30, 24), kReason);
    return {};
}

/// Every extension that the header announces belongs to an operation.
LegalityResult check_header(const Bundle& b) {
    constexpr unsigned kFirstAles = 20, kFirstAls = 26;
    for (unsigned c = 0; c < kChannels; ++c)
        if ((b.hs >> (kFirstAles + c) & 1) && !(b.hs >> (kFirstAls + c) & 1))
            return illegal(Trap::IllegalOpcode, static_cast<int>(c),
                           field(Syllable::Hs, 0, kFirstAles + c, kFirstAles + c),
                           "an ALES is announced for a channel without an operation");
    return {};
}

/// Local predicates a CLP may read: PLS0 @p0-1, PLS1 @p0-4, PLS2 @p0-5 (syllables.md §8).
constexpr std::array<std::uint8_t, 3> kLastLocal{1, 4, 5};

LegalityResult check_plu(const PredicateLogic& p) {
    for (unsigned i = 0; i < p.count; ++i) {
        for (unsigned k = 0; i < 2 && k < 2; ++k)
            if (p.elp[2 * i + k].kind == Elp::Kind::Invalid)
                return illegal(
                    Trap::IllegalOpcode, -1,
                    k ? field(Syllable::Pls, i, 22, 16) : field(Syllable::Pls, i, 30, 24),
                    "the PLU input names no predicate");
        const Clp& c = p.clp[i];
        if (c.opcode == ClpOpcode::Reserved)
            return illegal(Trap::IllegalOpcode, -1, field(Syllable::Pls, i, 15, 14),
                           "reserved PLU operation");
        constexpr std::string_view kOrder = "a PLU element reads a local predicate it cannot reach";
        if (c.p0 > kLastLocal[i])
            return illegal(Trap::IllegalOpcode, -1, field(Syllable::Pls, i, 12, 10), kOrder);
        if (c.p1 > kLastLocal[i])
            return illegal(Trap::IllegalOpcode, -1, field(Syllable::Pls, i, 8, 6), kOrder);
        for (unsigned k = 0; k < i; ++k)
            if (c.writes && p.clp[k].writes && p.clp[k].pdst == c.pdst)
                return illegal(Trap::IllegalOperand, -1, field(Syllable::Pls, i, 4, 0),
                               "two results of predicate logic for one predicate");
    }
    return {};
}

LegalityResult check_stubs(const Bundle& b) {
    const Stubs& s = b.ss;
    if (s.condition < 10 || s.condition > 13 || (s.condition == 11 && b.iset >= 7)) return {};
    return illegal(Trap::IllegalOpcode, -1, field(Syllable::Ss, 0, 8, 5),
                   "reserved condition type");
}

LegalityResult check_control0(const Bundle& b) {
    const Control0& c = b.cs0;
    if (!c.present || c.valid) return {};
    const auto opcode = field(Syllable::Cs0, 0, 31, 28);
    switch (c.kind) {
        case Cs0Kind::Ibranch:
        case Cs0Kind::Done:
        case Cs0Kind::Iret:
        case Cs0Kind::Hret:
        case Cs0Kind::Glaunch:
            if (!b.ss.present)
                return illegal(Trap::IllegalOpcode, -1, opcode,
                               "this transfer needs SS with its condition");
            return illegal(Trap::IllegalOpcode, -1, field(Syllable::Ss, 0, 11, 10),
                           "a direct transfer in CS0 together with a prepared one");
        case Cs0Kind::Gettsd:
        case Cs0Kind::Return:
            return illegal(Trap::IllegalOpcode, -1, field(Syllable::Cs0, 0, 2, 0),
                           "reserved type of return or gettsd");
        default:
            return illegal(Trap::IllegalOpcode, -1, opcode, "reserved operation in CS0");
    }
}

LegalityResult check_control1(const Bundle& b) {
    const Control1& c = b.cs1;
    const auto opcode = field(Syllable::Cs1, 0, 31, 28);
    if (!c.present) return {};
    if (c.kind == Cs1Kind::Reserved)
        return illegal(Trap::IllegalOpcode, -1, opcode, "reserved operation in CS1");
    if (c.bad_call)
        return illegal(Trap::IllegalOpcode, -1, opcode, "a call without a prepared transfer in SS");
    if (c.setwd && c.setwd_missing_lts0)
        return illegal(Trap::IllegalOpcode, -1, opcode, "setwd without its literal word LTS0");
    if (c.setwd && c.wsz > 112)
        return illegal(Trap::IllegalOpcode, -1, field(Syllable::Lts, 0, 11, 5),
                       "setwd asks for more than 112 quad registers");
    return {};
}

LegalityResult check_array_loads(const Bundle& b) {
    for (unsigned i = 0; i < b.mova.size(); ++i) {
        const MovaOp& m = b.mova[i];
        if (!m.present) continue;
        if (m.opcode == 0 || m.opcode == 6 || (m.opcode == 7 && b.iset < 5))
            return illegal(Trap::IllegalOpcode, static_cast<int>(i),
                           field(Syllable::Aas, 2 + i, 14, 12), "reserved array load");
        if (m.dst.kind == OperandKind::Illegal)
            return illegal(Trap::IllegalOperand, static_cast<int>(i),
                           field(Syllable::Aas, i / 2, i & 1 ? 7 : 15, i & 1 ? 0 : 8),
                           "reserved destination code");
    }
    return {};
}

}  // namespace

std::string_view syllable_name(Syllable s) {
    constexpr std::array<std::string_view, 10> kNames{"HS",  "SS",  "ALS", "CS0", "ALES",
                                                      "CS1", "AAS", "LTS", "PLS", "CDS"};
    return kNames[static_cast<std::size_t>(s)];
}

std::string SyllableBits::text() const {
    const bool single = syllable == Syllable::Hs || syllable == Syllable::Ss ||
                        syllable == Syllable::Cs0 || syllable == Syllable::Cs1;
    auto name = std::string(syllable_name(syllable));
    if (!single) name += std::to_string(index);
    return high == low ? fmt::format("{} bit {}", name, high)
                       : fmt::format("{} bits {}..{}", name, high, low);
}

std::string Illegality::message() const { return fmt::format("{}: {}", where.text(), reason); }

LegalityResult check_legal(const Bundle& b) {
    if (b.hs == 0) return {};
    if (const auto r = check_header(b); !r.legal) return r;
    for (int c = 0; c < kChannels; ++c)
        if (b.has_als(c))
            if (const auto r = check_als(b, c); !r.legal) return r;
    if (const auto r = check_mirrored_channels(b); !r.legal) return r;
    if (const auto r = check_plu(b.plu); !r.legal) return r;
    if (const auto r = check_stubs(b); !r.legal) return r;
    if (const auto r = check_control0(b); !r.legal) return r;
    if (const auto r = check_control1(b); !r.legal) return r;
    return check_array_loads(b);
}

}  // namespace e2k::isa
