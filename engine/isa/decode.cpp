// Layout of a bundle and its control, predicate and array parts (bundles.md §2, syllables.md §1,
// §5, §6, §7, §8).
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/isa/bundle.h"
#include "engine/isa/decode_als.h"

namespace e2k::isa {
namespace {

constexpr std::uint16_t kImpliedAles = 0x01c0;  ///< ALES2/5 without storage (bundles.md §4)

constexpr std::uint32_t bits(std::uint32_t word, unsigned high, unsigned low) {
    return (word >> low) & ((2u << (high - low)) - 1);
}
constexpr bool bit(std::uint32_t word, unsigned at) { return (word >> at) & 1; }

std::uint32_t word_at(std::span<const std::uint8_t> bytes, unsigned at) {
    std::uint32_t w;
    std::memcpy(&w, bytes.data() + at, sizeof w);
    return w;
}

DecodeError error(DecodeError::Kind kind, unsigned length, unsigned word, unsigned lo,
                  unsigned hi) {
    return {kind, static_cast<std::uint8_t>(length), static_cast<std::uint8_t>(word),
            static_cast<std::uint8_t>(lo), static_cast<std::uint8_t>(hi)};
}

void decode_stubs(std::uint32_t raw, Stubs& s) {
    s.present = true;
    s.raw = raw;
    s.format2 = bit(raw, 20);
    s.ipd = static_cast<std::uint8_t>(bits(raw, 31, 30));
    s.rp = static_cast<std::uint8_t>((bit(raw, 27) << 1) | bit(raw, 25));
    s.ctop = static_cast<std::uint8_t>(bits(raw, 11, 10));
    s.condition = static_cast<std::uint8_t>(bits(raw, 8, 5));
    s.psrc = static_cast<std::uint8_t>(bits(raw, 4, 0));
    if (s.format2) {
        s.ts_opc = static_cast<std::uint8_t>((bits(raw, 29, 28) << 1) | bit(raw, 26));
        return;
    }
    s.eap = bit(raw, 29);
    s.bap = bit(raw, 28);
    s.vfdi = bit(raw, 26);
    s.abg = static_cast<std::uint8_t>(bits(raw, 24, 23));
    s.abn = static_cast<std::uint8_t>(bits(raw, 22, 21));
    s.abp = static_cast<std::uint8_t>(bits(raw, 19, 18));
    s.alc = static_cast<std::uint8_t>(bits(raw, 17, 16));
}

std::uint64_t target_of(std::uint64_t address, std::uint32_t raw) {
    const auto disp = static_cast<std::int32_t>(raw << 4) >> 4;
    return address + static_cast<std::uint64_t>(static_cast<std::int64_t>(disp) * 8);
}

void decode_control0(Bundle& b) {
    Control0& c = b.cs0;
    const std::uint32_t raw = c.raw;
    const unsigned low = raw & 7;
    c.ctpr = static_cast<std::uint8_t>(raw >> 30);
    const bool plain_ss = b.ss.present && b.ss.ctop == 0;
    switch (raw >> 28) {
        case 0x0:
            c.kind = Cs0Kind::Ibranch;
            c.valid = plain_ss;
            break;
        case 0x1:
            c.kind = Cs0Kind::Pref;
            c.value = raw & 0x0fff'ffff;
            break;
        case 0x2:
            c.kind = Cs0Kind::Puttsd;
            break;
        case 0x3:
            c.kind = low == 2   ? Cs0Kind::Iret
                     : low == 3 ? Cs0Kind::Hret
                     : low == 4 ? Cs0Kind::Glaunch
                                : Cs0Kind::Done;
            c.valid = plain_ss;
            break;
        case 0x4:
        case 0x8:
        case 0xc:
            c.kind = Cs0Kind::Disp;
            break;
        case 0x9:
            c.kind = Cs0Kind::Ldisp;
            break;
        case 0x6:
        case 0xa:
        case 0xe:
            c.kind = Cs0Kind::Sdisp;
            c.value = raw & 0x1f;
            break;
        case 0x7:
        case 0xb:
            c.kind = Cs0Kind::Gettsd;
            c.valid = low == 1;
            break;
        case 0xf:
            c.kind = low == 1 ? Cs0Kind::Gettsd : Cs0Kind::Return;
            c.valid = low <= 1;
            break;
        default:
            c.kind = Cs0Kind::Reserved;
            c.valid = false;
    }
    if (c.kind != Cs0Kind::Sdisp && c.kind != Cs0Kind::Return && c.kind != Cs0Kind::Pref)
        c.target = target_of(b.address, raw);
}

void decode_window(const Bundle& b, Control1& c) {
    c.setwd = true;
    c.setwd_missing_lts0 = b.lts_count == 0;
    const std::uint32_t lts0 = b.lts[0];
    c.wsz = static_cast<std::uint8_t>(bits(lts0, 11, 5));
    c.nfx = bit(lts0, 4);
    c.dbl = b.iset >= 3 && bit(lts0, 3);
    c.rpsz = static_cast<std::uint8_t>(bits(lts0, 16, 12));
    c.settr = bit(c.raw, 25);
}

void decode_bases(Control1& c) {
    c.setbn = bit(c.raw, 26);
    c.setbp = bit(c.raw, 27);
    c.rbs = static_cast<std::uint8_t>(bits(c.raw, 5, 0));
    c.rsz = static_cast<std::uint8_t>(bits(c.raw, 11, 6));
    c.rcur = static_cast<std::uint8_t>(bits(c.raw, 17, 12));
    c.psz = static_cast<std::uint8_t>(bits(c.raw, 22, 18));
}

void decode_call(const Bundle& b, Control1& c) {
    const unsigned ctopc = bits(c.raw, 9, 7);
    c.wbs = static_cast<std::uint8_t>(bits(c.raw, 6, 0));
    c.call = b.ss.present && b.ss.ctop != 0;
    if (c.call) return;
    const bool with_target = b.ss.present && b.cs0.present && b.cs0.raw >> 28 == 0 && b.iset >= 6;
    c.icall = with_target && ctopc == 1;
    c.hcall = with_target && ctopc == 2;
    c.bad_call = !c.icall && !c.hcall;
}

void decode_control1(Bundle& b) {
    Control1& c = b.cs1;
    switch (c.raw >> 28) {
        case 0:
            c.kind = Cs1Kind::Setr0;
            decode_window(b, c);
            decode_bases(c);
            break;
        case 1:
            c.kind = Cs1Kind::Setr1;
            decode_window(b, c);
            decode_bases(c);
            c.vfrpsz = true;
            break;
        case 2:
            c.kind = bit(c.raw, 27) ? Cs1Kind::Setsft : Cs1Kind::Setei;
            c.setei = static_cast<std::uint8_t>(c.raw);
            break;
        case 3:
            c.kind = Cs1Kind::Wait;
            c.wait = static_cast<std::uint16_t>(c.raw & 0x3fff);
            break;
        case 4:
            c.kind = Cs1Kind::Setbr;
            decode_bases(c);
            break;
        case 5:
            c.kind = Cs1Kind::Call;
            decode_call(b, c);
            break;
        case 6:
            c.kind = Cs1Kind::Mas;
            c.mas[0] = static_cast<std::uint8_t>(bits(c.raw, 27, 21));
            c.mas[2] = static_cast<std::uint8_t>(bits(c.raw, 20, 14));
            c.mas[3] = static_cast<std::uint8_t>(bits(c.raw, 13, 7));
            c.mas[5] = static_cast<std::uint8_t>(bits(c.raw, 6, 0));
            break;
        case 7:
            c.kind = Cs1Kind::Flush;
            c.flush = static_cast<std::uint8_t>(c.raw & 0xf);
            break;
        case 8:
            c.kind = Cs1Kind::Vfbg;
            break;
        default:
            c.kind = Cs1Kind::Reserved;
    }
}

Elp decode_elp(unsigned code, int iset) {
    if (code == 0) return {Elp::Kind::Lcntex, 0};
    if (code < 0x40) return {Elp::Kind::Spred, static_cast<std::uint8_t>(code)};
    if (code == 0x40) return {Elp::Kind::Bgrpred, 0};
    if (code < 0x50)
        return {iset >= 3 ? Elp::Kind::Rndpred : Elp::Kind::Invalid,
                static_cast<std::uint8_t>(code & 0xf)};
    if (code < 0x60) return {Elp::Kind::Invalid, static_cast<std::uint8_t>(code)};
    return {Elp::Kind::Pred, static_cast<std::uint8_t>(code & 0x1f)};
}

void decode_predicate_word(PredicateLogic& p, unsigned i, std::uint32_t raw, int iset) {
    p.raw[i] = raw;
    if (i < 2) {
        p.elp[2 * i] = decode_elp(bits(raw, 30, 24), iset);
        p.elp[2 * i + 1] = decode_elp(bits(raw, 22, 16), iset);
    }
    Clp& c = p.clp[i];
    c.opcode = static_cast<ClpOpcode>(bits(raw, 15, 14));
    c.neg0 = bit(raw, 13);
    c.p0 = static_cast<std::uint8_t>(bits(raw, 12, 10));
    c.neg1 = bit(raw, 9);
    c.p1 = static_cast<std::uint8_t>(bits(raw, 8, 6));
    c.writes = bit(raw, 5);
    c.pdst = static_cast<std::uint8_t>(bits(raw, 4, 0));
}

void decode_mova(MovaOp& m, std::uint16_t raw, std::uint8_t dst) {
    m.present = true;
    m.raw = raw;
    m.be = bit(raw, 15);
    m.opcode = static_cast<std::uint8_t>(bits(raw, 14, 12));
    m.area = static_cast<std::uint8_t>(bits(raw, 10, 6));
    m.ind = static_cast<std::uint8_t>(bits(raw, 5, 1));
    m.am = bit(raw, 0);
    m.dst = destination_operand(dst, m.opcode == 7 ? Width::P : Width::D);
}

bool decode_tail(Bundle& b, unsigned body, unsigned pl) {
    int q = b.length - 4;
    for (unsigned i = 0; i < b.cds_count; ++i, q -= 4) {
        if (q < 0) return false;
        b.cds[i] = b.words[static_cast<unsigned>(q) / 4];
    }
    b.plu.count = static_cast<std::uint8_t>(pl);
    for (unsigned i = 0; i < pl; ++i, q -= 4) {
        if (q < 0) return false;
        decode_predicate_word(b.plu, i, b.words[static_cast<unsigned>(q) / 4], b.iset);
    }
    if (q < static_cast<int>(body) - 4) return false;
    for (; b.lts_count < 4 && q >= static_cast<int>(body); q -= 4)
        b.lts[b.lts_count++] = b.words[static_cast<unsigned>(q) / 4];
    return true;
}

/// Half-syllables behind the front part: the first of a word is its upper half.
class HalfSyllables {
public:
    HalfSyllables(const Bundle& b, unsigned front) : words_(b.words.data()), front_(front) {}
    std::uint16_t peek() const {
        const std::uint32_t w = words_[std::min<unsigned>(front_ + k_ / 2, kMaxWords - 1)];
        return static_cast<std::uint16_t>(w >> (k_ & 1 ? 0 : 16));
    }
    void skip(unsigned count) { k_ += count; }
    std::uint16_t next() {
        const std::uint16_t half = peek();
        skip(1);
        return half;
    }
    unsigned end() const { return 4 * (front_ + (k_ + 1) / 2); }

private:
    const std::uint32_t* words_;
    unsigned front_, k_ = 0;
};

void decode_array_part(Bundle& b, HalfSyllables& halves) {
    if (!b.ss.present || b.ss.format2) return;
    const unsigned aa = bits(b.ss.raw, 15, 12);
    std::array<std::uint16_t, 2> dst{};
    for (unsigned i = 0; i < 2; ++i)
        if ((aa >> (2 * i)) & 3) dst[i] = halves.next();
    for (unsigned i = 0; i < 4; ++i) {
        if (!bit(aa, i)) continue;
        const std::uint16_t pair = dst[i / 2];
        decode_mova(b.mova[i], halves.next(), static_cast<std::uint8_t>(i & 1 ? pair : pair >> 8));
    }
}

/// Copies `length` bytes and clears the rest; in fixed steps, which beats a call of memcpy.
void copy_words(Bundle& b, std::span<const std::uint8_t> bytes) {
    constexpr unsigned kUnits = kMaxWords / 2;
    const unsigned units = b.length / 8u;
    if (bytes.size() < sizeof b.words) {
        b.words = {};
        for (unsigned u = 0; u < units; ++u) std::memcpy(&b.words[2 * u], bytes.data() + 8 * u, 8);
        return;
    }
    for (unsigned u = 0; u < kUnits; ++u) {
        std::uint64_t unit;
        std::memcpy(&unit, bytes.data() + 8 * u, 8);
        unit &= u < units ? ~std::uint64_t{0} : 0;
        std::memcpy(&b.words[2 * u], &unit, 8);
    }
}

/// SS, ALS, CS0, ALES2/5 and CS1; their number is checked already. Without branches on the
/// channels, which no predictor can guess.
void decode_front(Bundle& b, bool ales25) {
    const std::uint32_t hs = b.hs;
    const std::uint32_t* next = &b.words[1];
    if (bit(hs, 12)) decode_stubs(*next++, b.ss);
    for (unsigned c = 0; c < kChannels; ++c) {
        const bool present = bit(hs, 26 + c);
        b.als[c].als = present ? *next : 0;
        next += present;
    }
    if (bit(hs, 14)) {
        b.cs0.present = true;
        b.cs0.raw = *next++;
    }
    for (unsigned c = 0; c < kChannels; ++c) {
        const bool extended = bit(hs, 20 + c);
        b.als[c].has_ales = extended;
        b.als[c].ales = extended ? kImpliedAles : 0;
    }
    if (ales25) {
        b.als[2].ales = static_cast<std::uint16_t>(*next >> 16);
        b.als[5].ales = static_cast<std::uint16_t>(*next++);
    }
    if (bit(hs, 15)) {
        b.cs1.present = true;
        b.cs1.raw = *next;
    }
}

template <typename T>
void reset(T& part, const T& fresh) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::memcpy(&part, &fresh, sizeof part);  // in wide moves, where `=` copies member by member
}

/// Channels that a decoded bundle has written to: with a syllable, an extension, or named by CDS.
unsigned touched_channels(const Bundle& b) {
    unsigned touched = (b.hs >> 26) | ((b.hs >> 20) & 0x3f) | 0b100100;
    for (unsigned i = 0; i < b.cds_count; ++i)
        for (const std::uint32_t half : {b.cds[i] >> 16, b.cds[i] & 0xffff})
            touched |= ((half >> 10) & 7) << (half & 0x4000 ? 3 : 0);
    return touched & 0x3f;
}

/// Back to the state of a new bundle; touches only what the last decoding can have written and
/// `decode_als` will not overwrite for `hs`.
void clear(Bundle& b, std::uint32_t hs) {
    static constexpr Bundle kNew{};
    for (unsigned left = touched_channels(b) & ~(hs >> 26); left; left &= left - 1)
        reset(b.als[static_cast<unsigned>(std::countr_zero(left))], kNew.als[0]);
    if (b.ss.present && !b.ss.format2 && (b.ss.raw & 0xf000)) reset(b.mova, kNew.mova);
    if (b.plu.count) reset(b.plu, kNew.plu);
    if (b.rpc.count) reset(b.rpc, kNew.rpc);
    reset(b.ss, kNew.ss);
    reset(b.cs0, kNew.cs0);
    reset(b.cs1, kNew.cs1);
    reset(b.lts, kNew.lts);
    reset(b.cds, kNew.cds);
    b.lts_count = 0;
    b.cds_count = 0;
}

}  // namespace

std::string DecodeError::message() const {
    const auto where = SyllableBits{Syllable::Hs, 0, bit_hi, bit_lo}.text();
    switch (kind) {
        case Kind::Misaligned:
            return "the address is not a multiple of 8, where bundles start";
        case Kind::Truncated:
            return fmt::format("{}: the bundle has {} bytes, fewer are available", where, length);
        case Kind::FrontSizeMismatch:
            return fmt::format(
                "{}: the middle pointer differs from the size of SS, ALS, CS0, ALES2/5 and CS1 "
                "that HS announces",
                where);
        case Kind::LengthTooSmall:
            return fmt::format("{}: {} bytes cannot hold the syllables HS announces", where,
                               length);
    }
    return {};
}

AsyncHalf decode_async_half(std::uint32_t aps, std::uint32_t disp, bool left) {
    AsyncHalf h;
    h.aps = aps;
    h.disp = disp;
    (left ? h.ct : h.dpl) = bit(aps, 31);
    h.si = bit(aps, 30);
    h.dcd = static_cast<std::uint8_t>(bits(aps, 29, 28));
    h.fmt = static_cast<std::uint8_t>(bits(aps, 27, 25));
    h.mrng = static_cast<std::uint8_t>(bits(aps, 24, 20));
    h.d = static_cast<std::uint8_t>(bits(aps, 19, 15));
    h.incr = static_cast<std::uint8_t>(bits(aps, 14, 12));
    h.ind = static_cast<std::uint8_t>(bits(aps, 11, 8));
    h.asz = static_cast<std::uint8_t>(bits(aps, 7, 5));
    h.abs = static_cast<std::uint8_t>(bits(aps, 4, 0));
    return h;
}

tl::expected<Bundle, DecodeError> decode(std::span<const std::uint8_t> bytes, std::uint64_t address,
                                         int iset) {
    tl::expected<Bundle, DecodeError> result;
    if (const auto done = decode_into(*result, bytes, address, iset); !done)
        result = tl::unexpected(done.error());
    return result;
}

tl::expected<void, DecodeError> decode_into(Bundle& b, std::span<const std::uint8_t> bytes,
                                            std::uint64_t address, int iset) {
    using Kind = DecodeError::Kind;
    if (address & 7) return tl::unexpected(error(Kind::Misaligned, 8, 0, 0, 31));
    if (bytes.size() < 8) return tl::unexpected(error(Kind::Truncated, 8, 0, 4, 6));
    const std::uint32_t hs = word_at(bytes, 0);
    const unsigned length = 8 * (bits(hs, 6, 4) + 1);
    if (length > bytes.size()) return tl::unexpected(error(Kind::Truncated, length, 0, 4, 6));

    clear(b, hs);
    b.address = address;
    b.length = static_cast<std::uint8_t>(length);
    b.iset = static_cast<std::uint8_t>(iset);
    copy_words(b, bytes);
    b.hs = hs;
    b.loop_mode = bit(hs, 10);
    b.set_mark = bit(hs, 13);
    b.nop = static_cast<std::uint8_t>(bits(hs, 9, 7));
    b.als_mask = static_cast<std::uint8_t>(bits(hs, 31, 26));
    b.cds_count = static_cast<std::uint8_t>(bits(hs, 17, 16));
    if (hs == 0) return {};  // canonical empty bundle: its second word is ignored

    // The front part has the syllables HS announces, and the ALES2/5 word if it is one longer.
    const unsigned front = bits(hs, 3, 0) + 1;
    const unsigned announced = 1 + bit(hs, 12) + static_cast<unsigned>(std::popcount(hs >> 26)) +
                               bit(hs, 14) + bit(hs, 15);
    const bool ales25 = front == announced + 1;
    if (4 * (announced + ales25) > length)
        return tl::unexpected(error(Kind::LengthTooSmall, length, 0, 4, 6));
    if (front != announced + ales25)
        return tl::unexpected(error(Kind::FrontSizeMismatch, length, 0, 0, 3));
    decode_front(b, ales25);

    HalfSyllables halves(b, front);
    for (const unsigned c : {0u, 1u, 3u, 4u}) {
        const bool extended = bit(hs, 20 + c);
        b.als[c].ales = extended ? halves.peek() : std::uint16_t{0};
        halves.skip(extended);
    }
    decode_array_part(b, halves);
    if (!decode_tail(b, halves.end(), bits(hs, 19, 18)))
        return tl::unexpected(error(Kind::LengthTooSmall, length, 0, 4, 6));
    if (b.cs0.present) decode_control0(b);
    if (b.cs1.present) decode_control1(b);
    if (b.cs1.icall || b.cs1.hcall) b.cs0.kind = Cs0Kind::None;
    if (b.als_mask) {
        const VersionIndex& index = version_index(iset);
        for (unsigned left = b.als_mask; left; left &= left - 1)
            decode_als(b, static_cast<unsigned>(std::countr_zero(left)), index);
    }
    if (b.cds_count) attach_conditions(b);
    return {};
}

}  // namespace e2k::isa
