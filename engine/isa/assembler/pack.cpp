// Statements to the words of a bundle: conditions, literal words, order of the parts
// (assembly.md §6, §7; bundles.md §2).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/isa/assembler/assembler.h"
#include "engine/isa/assembler/draft.h"
#include "engine/isa/assembler/encode_als.h"
#include "engine/isa/bundle.h"

namespace e2k::isa {
namespace assembler {
namespace {

constexpr std::uint16_t kImpliedAles = 0x01c0;
constexpr std::uint32_t kMasGroup = 6u << 28;

/// The condition halves: predicates shared by the channels of one cluster.
class Conditions {
public:
    /// Allocates `c` for mask bit `place`; false if six halves are not enough.
    bool add(unsigned opcode, unsigned place, const Condition& c) {
        const unsigned negation = std::min(place, 2u);
        for (std::size_t i = 0; i < count_; ++i) {
            Half& h = halves_[i];
            if (h.opcode != opcode || h.code != c.code) continue;
            const unsigned shared = place >= 2 ? h.mask & 0xcu : 0u;
            if (shared && ((h.negated >> negation) & 1) != c.negated) continue;
            h.mask |= 1u << place;
            if (c.negated) h.negated |= 1u << negation;
            return true;
        }
        if (count_ == halves_.size()) return false;
        halves_[count_++] = {opcode, 1u << place, c.negated ? 1u << negation : 0u, c.code};
        return true;
    }
    bool add_channel(bool merge, int channel, const Condition& c) {
        return add((merge ? 2u : 0u) + (channel >= 3 ? 1u : 0u), static_cast<unsigned>(channel % 3),
                   c);
    }
    unsigned words() const { return static_cast<unsigned>(count_ + 1) / 2; }
    std::uint32_t word(unsigned i) const {
        return static_cast<std::uint32_t>(half(2 * i)) << 16 | half(2 * i + 1);
    }

private:
    struct Half {
        unsigned opcode = 0, mask = 0, negated = 0;
        std::uint8_t code = 0;
    };
    std::uint16_t half(std::size_t i) const {
        if (i >= count_) return 0;
        const Half& h = halves_[i];
        return static_cast<std::uint16_t>(h.opcode << 14 | h.mask << 10 | h.negated << 7 | h.code);
    }
    std::array<Half, 6> halves_{};
    std::size_t count_ = 0;
};

bool add_conditions(const AlsDraft& op, int second_channel, Conditions& conditions) {
    std::vector<int> channels{op.channel};
    if (second_channel >= 0) channels.push_back(second_channel);
    bool fits = true;
    const auto guard = [&](bool pred) {
        for (const Condition& c : op.guards)
            if (c.is_pred() == pred)
                for (const int channel : channels)
                    fits = fits && conditions.add_channel(false, channel, c);
    };
    guard(true);
    if (op.merge)
        for (const int channel : channels)
            fits = fits && conditions.add_channel(true, channel, *op.merge);
    guard(false);
    if (op.incr_guard)  // AM2 and AM5: mask bit 3 of the cluster
        for (const int channel : channels)
            fits = fits && conditions.add(channel >= 3 ? 1u : 0u, 3, *op.incr_guard);
    return fits;
}

/// Where in a bundle an operation is.
struct Place {
    enum class Kind : std::uint8_t {
        Header,
        Stubs,
        Channel,  ///< index: into BundleDraft::als
        Control0,
        Control1,
        Predicates,  ///< index: of the PLS word
        ArrayLoad,   ///< index: channel
        AsyncHalf,   ///< index: 0 left, 1 right
    } kind = Kind::Header;
    unsigned index = 0;
};

/// The syllable of the operation that made `after` of `before`. Operations with several, such as
/// `call`, have that of their opcode.
Place changed(const BundleDraft& before, const BundleDraft& after) {
    using Kind = Place::Kind;
    if (after.als.size() > before.als.size())
        return {Kind::Channel, static_cast<unsigned>(before.als.size())};
    if (after.cs0 != before.cs0) return {Kind::Control0};
    if (after.cs1 != before.cs1) return {Kind::Control1};
    for (unsigned half = 0; half < after.async.size(); ++half)
        if (after.async[half] && !before.async[half]) return {Kind::AsyncHalf, half};
    for (unsigned i = 0; i < after.mova.size(); ++i)
        if (after.mova[i].present && !before.mova[i].present) return {Kind::ArrayLoad, i};
    for (unsigned i = 0; i < after.clp.size(); ++i)
        if (after.clp[i] != before.clp[i]) return {Kind::Predicates, i};
    for (unsigned i = 0; i < after.defined.size(); ++i)
        if (after.defined[i] && !before.defined[i])
            return {Kind::Predicates, i < 4 ? i / 2 : i - 4};
    if (after.ss != before.ss || after.ipd != before.ipd) return {Kind::Stubs};
    return {};
}

class Packer {
public:
    Packer(BundleDraft& draft, const AssemblerOptions& options)
        : draft_(draft), options_(options) {}

    tl::expected<std::vector<std::uint8_t>, AssemblyErrors> run(const SourceLine& start) {
        start_ = start;
        if (auto errors = encode_operations(); !errors.empty()) return tl::unexpected(errors);
        if (auto error = choose_literals()) return only(*error);
        if (auto error = collect_conditions()) return only(*error);
        const auto halves = half_words();
        const auto words = join(front_words(true), halves);
        if (words.size() <= kMaxWords) return finish(words);
        // The word v4 stores without need goes when room is short.
        const auto fewer = join(front_words(false), halves);
        if (fewer.size() <= kMaxWords) return finish(fewer);
        return only(error_at(
            start_, fmt::format("the bundle needs {} words, 16 are possible", fewer.size())));
    }

private:
    static tl::unexpected<AssemblyErrors> only(const AssemblyError& error) {
        return tl::unexpected(AssemblyErrors{error});
    }

    std::vector<std::uint8_t> finish(const std::vector<std::uint32_t>& words) {
        if (options_.fields) note_fields();
        return bytes_of(words);
    }

    /// Tells where the literals stand that a dynamic linker must complete.
    void note_fields() const {
        unsigned told = 0;
        for (std::size_t i = 0; i < encoded_.size(); ++i) {
            const Literal* const l = encoded_[i].literal;
            if (!l || l->reference || l->number.link.fixed() || (told >> l->position & 1)) continue;
            told |= 1u << l->position;
            // LTS words stand in falling order; of a literal of two the upper one is first.
            const int last_word = (l->position + l->width / 16 - 1) / 2;
            const std::size_t lts0 =
                size_ - conditions_.words() - 1 - static_cast<std::size_t>(draft_.pls_count);
            LinkedField& f = options_.fields->emplace_back();
            f.kind = l->width == 64 ? LinkedField::Kind::Literal64 : LinkedField::Kind::Literal32;
            f.offset = static_cast<std::uint32_t>(4 * (lts0 - static_cast<std::size_t>(last_word)));
            f.size = static_cast<unsigned>(l->width) / 8;
            f.value = l->number.value;
            f.link = l->number.link;
            f.line = draft_.als[i].line.line;
            f.column = draft_.als[i].line.column;
            f.text = l->number.symbol;
        }
    }

    AssemblyErrors encode_operations() {
        if (auto error = choose_channels(draft_, options_)) return {*error};
        AssemblyErrors errors;
        encoded_.resize(draft_.als.size());
        for (std::size_t i = 0; i < draft_.als.size(); ++i) {
            AlsDraft& op = draft_.als[i];
            auto error = encode_als(op, options_, encoded_[i]);
            if (!error) error = add_mas(op, encoded_[i].mas);
            if (error) errors.push_back(*error);
        }
        return errors;
    }

    std::optional<AssemblyError> add_mas(const AlsDraft& op, std::uint8_t mas) {
        constexpr std::array<int, kChannels> kShift{21, -1, 14, 7, -1, 0};
        if (!mas) return std::nullopt;
        if (draft_.cs1 && draft_.cs1_group != "mas")
            return error_at(op.line, fmt::format("CS1 already holds {}, which excludes `mas`",
                                                 draft_.cs1_group));
        draft_.cs1_group = "mas";
        std::uint32_t word = draft_.cs1.value_or(kMasGroup);
        for (const int channel : {op.channel, op.second_channel})
            if (channel >= 0 && kShift[static_cast<std::size_t>(channel)] >= 0)
                word |= static_cast<std::uint32_t>(mas)
                        << kShift[static_cast<std::size_t>(channel)];
        draft_.cs1 = word;
        return std::nullopt;
    }

    std::optional<AssemblyError> choose_literals() {
        std::vector<Literal*> literals;
        for (EncodedAls& als : encoded_)
            if (als.literal && !als.literal->reference) literals.push_back(als.literal);
        if (draft_.window) literals.push_back(&*draft_.window);
        if (!place_literals(literals, lts_count_))
            return error_at(start_, "the literals of this bundle do not fit its four words");
        if (auto error = resolve_references(literals)) return error;
        for (EncodedAls& als : encoded_) finish_literal(als);
        for (const Literal* l : literals)
            for (int part = 0; part < l->width / 16; ++part) {
                const int half = l->position + part;
                const auto value = static_cast<std::uint16_t>(l->number.value >> (16 * part));
                std::uint32_t& word = lts_[static_cast<std::size_t>(half / 2)];
                word = half & 1 ? (word & 0xffffu) | static_cast<std::uint32_t>(value) << 16
                                : (word & 0xffff'0000u) | value;
            }
        return std::nullopt;
    }

    /// References to words that operations of the bundle have filled.
    std::optional<AssemblyError> resolve_references(const std::vector<Literal*>& literals) {
        unsigned filled = 0;
        for (const Literal* l : literals)
            for (int part = 0; part < l->width / 16; ++part) filled |= 1u << (l->position + part);
        for (std::size_t i = 0; i < encoded_.size(); ++i) {
            Literal* const l = encoded_[i].literal;
            if (!l || !l->reference) continue;
            l->position = l->place;
            l->width = l->bits;
            for (int part = 0; part < l->width / 16; ++part)
                if (!(filled >> (l->position + part) & 1))
                    return error_at(draft_.als[i].line,
                                    "no operation of the bundle fills the words referred to");
        }
        return std::nullopt;
    }

    std::optional<AssemblyError> collect_conditions() {
        const AssemblyError full =
            error_at(start_, "the conditions of this bundle need more than six CDS halves");
        // RPC: mask bit 3 of MRGC0.
        if (draft_.rp_condition && !conditions_.add(2, 3, *draft_.rp_condition)) return full;
        for (const AlsDraft& op : draft_.als)
            if (!is_listed_mate(op.channel) && !add_conditions(op, second_channel(op), conditions_))
                return full;
        return std::nullopt;
    }

    /// A listing shows some pairs as two operations; their conditions go together all the same.
    int second_channel(const AlsDraft& op) const {
        if (op.second_channel >= 0) return op.second_channel;
        const int mate = mate_of_lower(op.row->pair, op.channel);
        const bool listed =
            mate >= 0 &&
            std::any_of(draft_.als.begin(), draft_.als.end(), [&](const AlsDraft& other) {
                return other.channel == mate && other.row == op.row && other.guards == op.guards;
            });
        return listed ? mate : -1;
    }
    bool is_listed_mate(int channel) const {
        return std::any_of(draft_.als.begin(), draft_.als.end(), [&](const AlsDraft& op) {
            return op.second_channel < 0 && second_channel(op) == channel;
        });
    }

    struct Lane {
        bool present = false, has_ales = false, forced = false;
        std::uint32_t als = 0;
        std::uint16_t ales = kImpliedAles;
    };
    std::array<Lane, kChannels> lanes() const {
        std::array<Lane, kChannels> out{};
        for (std::size_t i = 0; i < draft_.als.size(); ++i) {
            const AlsDraft& op = draft_.als[i];
            for (const int channel : {op.channel, op.second_channel}) {
                if (channel < 0) continue;
                const bool second = channel == op.second_channel;
                Lane& lane = out[static_cast<std::size_t>(channel)];
                lane.present = true;
                lane.als = encoded_[i].word(op, second);
                lane.has_ales = encoded_[i].has_ales;
                if (lane.has_ales) lane.ales = encoded_[i].extension(second);
                lane.forced = op.row->has(OpFlag::Ales25) && options_.iset == 4;
            }
        }
        return out;
    }

    std::uint32_t stubs() const {
        // The prefetch depth is 3 unless the source says otherwise; a listing shows all but 0.
        const std::uint32_t ipd = draft_.ipd.value_or(options_.listing ? 0 : 3);
        return *draft_.ss | ipd << 30;
    }

    std::vector<std::uint32_t> front_words(bool with_forced) {
        const auto all = lanes();
        std::vector<std::uint32_t> words{0};
        hs_ = (draft_.loop_mode ? 1u << 10 : 0u) | (draft_.set_mark ? 1u << 13 : 0u) |
              static_cast<std::uint32_t>(nop()) << 7;
        if (draft_.ss) {
            hs_ |= 1u << 12;
            words.push_back(stubs());
        }
        for (unsigned c = 0; c < kChannels; ++c) {
            lane_at_[c] = words.size();
            if (!all[c].present) continue;
            hs_ |= 1u << (26 + c) | (all[c].has_ales ? 1u << (20 + c) : 0u);
            words.push_back(all[c].als);
        }
        if (draft_.cs0) {
            hs_ |= 1u << 14;
            cs0_at_ = words.size();
            words.push_back(*draft_.cs0);
        }
        bool stored = false;
        for (const unsigned c : {2u, 5u})
            stored = stored || (all[c].has_ales &&
                                (all[c].ales != kImpliedAles || (with_forced && all[c].forced)));
        if (stored) words.push_back(static_cast<std::uint32_t>(all[2].ales) << 16 | all[5].ales);
        if (draft_.cs1) {
            hs_ |= 1u << 15;
            words.push_back(*draft_.cs1);
        }
        front_size_ = words.size();
        return words;
    }

    std::uint8_t nop() const {
        if (!draft_.nop) return 0;
        const bool alone =
            draft_.als.empty() && !draft_.ss && !draft_.cs0 && !draft_.cs1 && draft_.pls_count == 0;
        return *draft_.nop <= 7 ? *draft_.nop : alone ? 0 : 1;
    }

    std::vector<std::uint32_t> half_words() const {
        std::vector<std::uint16_t> halves;
        const auto all = lanes();
        for (const unsigned c : {0u, 1u, 3u, 4u})
            if (all[c].has_ales) halves.push_back(all[c].ales);
        const auto& m = draft_.mova;
        for (const unsigned i : {0u, 2u})
            if (m[i].present || m[i + 1].present)
                halves.push_back(static_cast<std::uint16_t>(m[i].dst << 8 | m[i + 1].dst));
        for (const MovaDraft& load : m)
            if (load.present) halves.push_back(load.word);
        std::vector<std::uint32_t> words;
        for (std::size_t i = 0; i < halves.size(); i += 2)
            words.push_back(static_cast<std::uint32_t>(halves[i]) << 16 |
                            (i + 1 < halves.size() ? halves[i + 1] : 0u));
        return words;
    }

    std::uint32_t predicate_word(unsigned i) const {
        std::uint32_t word = draft_.clp[i];
        if (i < 2)
            word |= static_cast<std::uint32_t>(draft_.elp[2 * i]) << 24 |
                    static_cast<std::uint32_t>(draft_.elp[2 * i + 1]) << 16;
        return word;
    }

    std::vector<std::uint32_t> join(const std::vector<std::uint32_t>& front,
                                    const std::vector<std::uint32_t>& halves) {
        const auto pls = static_cast<unsigned>(draft_.pls_count);
        const unsigned cds = conditions_.words(), lts = static_cast<unsigned>(lts_count_);
        std::vector<std::uint32_t> words = front;
        words.insert(words.end(), halves.begin(), halves.end());
        if ((words.size() + lts + pls + cds) % 2) words.push_back(0);
        size_ = words.size() + lts + pls + cds;
        for (unsigned i = lts; i-- > 0;) words.push_back(lts_[i]);
        for (unsigned i = pls; i-- > 0;) words.push_back(predicate_word(i));
        for (unsigned i = cds; i-- > 0;) words.push_back(conditions_.word(i));
        const auto size = static_cast<std::uint32_t>(words.size());
        words[0] = hs_ | pls << 18 | cds << 16 | (size / 2 - 1) << 4;
        words[0] |= static_cast<std::uint32_t>(front.size()) - 1;
        return words;
    }

public:
    static std::vector<std::uint8_t> bytes_of(std::span<const std::uint32_t> words) {
        std::vector<std::uint8_t> bytes;
        for (const std::uint32_t word : words)
            for (int shift = 0; shift < 32; shift += 8)
                bytes.push_back(static_cast<std::uint8_t>(word >> shift));
        return bytes;
    }

    /// Byte offset of a syllable of the bundle that `run` has made.
    std::uint32_t offset_of(const Place& s) const {
        std::size_t word = 0;
        switch (s.kind) {
            case Place::Kind::Header:
                break;
            case Place::Kind::Stubs:
                word = 1;
                break;
            case Place::Kind::Channel:
                word = lane_at_[static_cast<std::size_t>(draft_.als[s.index].channel)];
                break;
            case Place::Kind::Control0:
                word = cs0_at_;
                break;
            case Place::Kind::Control1:
                word = front_size_ - 1;
                break;
            case Place::Kind::Predicates:
                word = size_ - conditions_.words() - 1 - s.index;
                break;
            case Place::Kind::ArrayLoad:
                return array_load_offset(s.index);
            case Place::Kind::AsyncHalf:
                word = 2 * std::size_t{s.index};
                break;
        }
        return static_cast<std::uint32_t>(4 * word);
    }

private:
    /// The half of channel `channel`: behind those of ALES and those with the destinations.
    std::uint32_t array_load_offset(unsigned channel) const {
        std::size_t half = 0;
        const auto all = lanes();
        for (const unsigned c : {0u, 1u, 3u, 4u}) half += all[c].has_ales;
        const auto& m = draft_.mova;
        for (const unsigned i : {0u, 2u}) half += m[i].present || m[i + 1].present;
        for (unsigned i = 0; i < channel; ++i) half += m[i].present;
        // The first of two halves is the upper one of its word.
        return static_cast<std::uint32_t>(4 * (front_size_ + half / 2) + (half % 2 ? 0 : 2));
    }

    BundleDraft& draft_;
    const AssemblerOptions& options_;
    SourceLine start_;
    std::vector<EncodedAls> encoded_;
    Conditions conditions_;
    std::array<std::uint32_t, 4> lts_{};
    int lts_count_ = 0;
    std::uint32_t hs_ = 0;
    // In words, of the form joined last.
    std::array<std::size_t, kChannels> lane_at_{};
    std::size_t cs0_at_ = 0, front_size_ = 0, size_ = 0;
};

/// Local predicates must have a source, and elements read only earlier ones.
std::optional<AssemblyError> check_local_predicates(const BundleDraft& d, const SourceLine& line) {
    constexpr std::array<unsigned, 3> kLast{1, 4, 5};
    for (unsigned i = 0; i < 3; ++i) {
        const bool defined = d.defined[4 + i];
        if ((d.clp[i] & (1u << 5)) && !defined)
            return error_at(line, fmt::format("@p{} has no source", 4 + i));
        if (!defined) continue;
        for (const unsigned p : {(d.clp[i] >> 10) & 7u, (d.clp[i] >> 6) & 7u}) {
            if (p > kLast[i]) return error_at(line, fmt::format("@p{} cannot read @p{}", 4 + i, p));
            if (!d.defined[p]) return error_at(line, fmt::format("@p{} has no source", p));
        }
    }
    return std::nullopt;
}

/// The channels that a condition `%MLOCK || ...` names must hold what it asks about, and the source
/// must say so (assembly.md §2).
std::optional<AssemblyError> check_mlock(const BundleDraft& d) {
    constexpr std::array<int, 4> kChannel{0, 1, 3, 4};
    if (!d.ss) return std::nullopt;
    const auto type = static_cast<ConditionType>(*d.ss >> 5 & 15);
    const unsigned psrc = *d.ss & 31;
    const auto check = [&](unsigned n, bool comparison) -> std::optional<AssemblyError> {
        const int channel = kChannel[n];
        for (const AlsDraft& op : d.als)
            if (op.wanted_channel == channel &&
                (comparison ? op.row->dst == Width::Pred : op.speculative))
                return std::nullopt;
        return error_at(d.transfer,
                        fmt::format("the condition needs a {} with channel {} named",
                                    comparison ? "comparison" : "speculative operation", channel));
    };
    if (type == ConditionType::Mlock) {
        for (unsigned n = 0; n < kChannel.size(); ++n)
            if (psrc >> n & 1)
                if (auto error = check(n, false)) return error;
    } else if (type == ConditionType::MlockOrCompare) {
        const unsigned n = psrc >> 1 & 3;
        if (psrc >> 3 == 0) return check(n, true);
        if (psrc >> 3 == 1)
            for (const unsigned k : {0u, 1u})
                if (auto error = check((psrc & 4 ? 2 : 0) + k, true)) return error;
        if (psrc >> 3 == 2 && (n >= d.clp.size() || !d.defined[4 + n]))
            return error_at(d.transfer, fmt::format("%clp{} has no element in this bundle", n));
    }
    return std::nullopt;
}

/// Two results for one predicate are assembled all the same: the program traps there.
bool only_warned_about(const Illegality& why) {
    return why.trap == Illegality::Trap::IllegalOperand && why.where.syllable == Syllable::Pls;
}

/// What decodes but must not execute, such as a load and a store in mirrored channels.
std::optional<AssemblyError> check_rules(const std::vector<std::uint8_t>& bytes,
                                         std::uint64_t address, int iset, const BundleDraft& d,
                                         const SourceLine& start) {
    const auto bundle = decode(bytes, address & ~std::uint64_t{7}, iset);
    if (!bundle) return error_at(start, bundle.error().message());
    const auto legality = check_legal(*bundle);
    if (legality.legal) return std::nullopt;
    const auto at = std::find_if(d.als.begin(), d.als.end(), [&](const AlsDraft& op) {
        return op.channel == legality.why.channel;
    });
    auto error = error_at(at == d.als.end() ? start : at->line, legality.why.message());
    error.warning = only_warned_about(legality.why);
    return error;
}

/// Two unguarded results in one register: the higher channel's stays (execution.md §4).
void warn_double_writes(const BundleDraft& d, AssemblyErrors& warnings) {
    const auto writes = [](const AlsDraft& op) {
        return !op.operands.empty() && op.guards.empty() && op.row->dst != Width::None &&
               (op.operands.back().kind == Operand::Kind::Register ||
                op.operands.back().kind == Operand::Kind::Predicate);
    };
    for (std::size_t i = 0; i < d.als.size(); ++i)
        for (std::size_t k = 0; k < i; ++k) {
            const AlsDraft &a = d.als[k], &b = d.als[i];
            if (!writes(a) || !writes(b)) continue;
            const Operand &x = a.operands.back(), &y = b.operands.back();
            if (x.kind != y.kind || x.code != y.code || !(x.condition == y.condition)) continue;
            auto warning =
                error_at(b.line, fmt::format("two operations write {}; channel {}'s result stays",
                                             y.text, std::max(a.channel, b.channel)));
            warning.warning = true;
            warnings.push_back(std::move(warning));
        }
}

std::vector<std::uint8_t> asynchronous(const BundleDraft& d) {
    std::array<std::uint32_t, 4> words{};
    for (std::size_t half = 0; half < 2; ++half)
        if (d.async[half]) {
            words[2 * half] = (*d.async[half])[0];
            words[2 * half + 1] = (*d.async[half])[1];
        }
    return Packer::bytes_of(words);
}

}  // namespace
}  // namespace assembler

tl::expected<std::vector<std::uint8_t>, AssemblyErrors> assemble_bundle(
    std::span<const SourceLine> operations, std::uint64_t address,
    const AssemblerOptions& options) {
    using namespace assembler;
    BundleDraft draft;
    const Context context{options, address};
    AssemblyErrors errors;
    std::vector<Place> syllables;
    for (const SourceLine& line : operations) {
        Cursor in(line, options.symbols);
        const BundleDraft before = options.syllables ? draft : BundleDraft{};
        parse_operation(in, draft, context);
        if (!in.ok()) errors.push_back(*in.error());
        if (options.syllables) syllables.push_back(changed(before, draft));
    }
    if (!errors.empty()) return tl::unexpected(errors);
    const auto only = [](const AssemblyError& error) {
        return tl::unexpected(AssemblyErrors{error});
    };
    const auto report_syllables = [&](const Packer& packer) {
        if (!options.syllables) return;
        for (const Place& s : syllables) options.syllables->push_back(packer.offset_of(s));
    };
    const SourceLine start = operations.empty() ? SourceLine{} : operations.front();
    if (draft.async[0] || draft.async[1]) {
        const bool alone = draft.als.empty() && !draft.ss && !draft.cs0 && !draft.cs1;
        if (!alone) return only(error_at(start, "fapb stands in a bundle of its own"));
        report_syllables(Packer(draft, options));
        return asynchronous(draft);
    }
    if (!options.listing)
        if (auto error = check_local_predicates(draft, start)) return only(*error);
    Packer packer(draft, options);
    auto bytes = packer.run(start);
    if (bytes) report_syllables(packer);
    if (!bytes || options.listing) return bytes;
    if (auto error = check_mlock(draft)) return only(*error);
    if (auto error = check_rules(*bytes, address, options.iset, draft, start)) {
        if (!error->warning) return only(*error);
        if (options.warnings) options.warnings->push_back(*error);
    }
    if (options.warnings) warn_double_writes(draft, *options.warnings);
    return bytes;
}

}  // namespace e2k::isa
