// Channels and literal words the source leaves open (assembly.md §3, §5).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>

#include "engine/isa/assembler/draft.h"

namespace e2k::isa::assembler {
namespace {

// ---- channels ----------------------------------------------------------------------------------

struct Lane {
    int channel, second;
    const Operation* row;
};

/// Lanes an operation may use, ascending. In a listing whose lines show both members of a pair
/// each line is one member.
std::vector<Lane> lanes_of(const AlsDraft& op, int iset, bool listing) {
    std::vector<Lane> lanes;
    const auto rows = rows_of(op.mnemonic, iset);
    for (int channel = 0; channel < kChannels; ++channel)
        for (const Operation* row : rows) {
            if (!((row->channels >> channel) & 1)) continue;
            const bool single =
                row->pair == Pair::None || (listing && row->has(OpFlag::PrintsBoth));
            const int second = single ? -1 : mate_of_lower(row->pair, channel);
            if (!single && second < 0) continue;
            if (op.wanted_channel >= 0 && op.wanted_channel != channel &&
                op.wanted_channel != second)
                continue;
            lanes.push_back({channel, second, row});
            break;
        }
    return lanes;
}

unsigned lane_mask(const Lane& lane) {
    return 1u << lane.channel | (lane.second < 0 ? 0u : 1u << lane.second);
}

/// Smallest assignment in text order; `used` holds the lanes of the operations before `at`.
bool assign(std::vector<AlsDraft>& ops, const std::vector<std::vector<Lane>>& lanes, std::size_t at,
            unsigned used) {
    if (at == ops.size()) return true;
    for (const Lane& lane : lanes[at]) {
        if (used & lane_mask(lane)) continue;
        if (!assign(ops, lanes, at + 1, used | lane_mask(lane))) continue;
        ops[at].channel = lane.channel;
        ops[at].second_channel = lane.second;
        ops[at].row = lane.row;
        return true;
    }
    return false;
}

// ---- literals ----------------------------------------------------------------------------------

constexpr int kHalves = 8;

struct Candidate {
    int position, width;
};

int smallest_width(const Literal& l) {
    if (l.number.is_symbolic()) return 64;
    const auto value = static_cast<std::int64_t>(l.number.value);
    if (value >= -0x8000 && value < 0x8000) return 16;
    return value >= -(std::int64_t{1} << 31) && value < (std::int64_t{1} << 31) ? 32 : 64;
}

std::vector<Candidate> candidates_of(const Literal& l) {
    constexpr std::array<int, 4> kHalfOrder{1, 0, 3, 2};
    std::vector<Candidate> out;
    const int smallest = l.bits ? l.bits : smallest_width(l);
    const int largest = l.bits ? l.bits : 64;
    const auto add = [&](int position, int width) {
        const bool here = l.place < 0 || l.place == position;
        if (here && width >= smallest && width <= largest) out.push_back({position, width});
    };
    for (const int position : kHalfOrder) add(position, 16);
    for (int position = 0; position < kHalves; position += 2) add(position, 32);
    for (int position = 0; position + 4 <= kHalves; position += 2) add(position, 64);
    return out;
}

/// Content of one half: equal contents may share it.
struct Half {
    bool used = false;
    std::uint16_t value = 0;
    std::string_view symbol;
    int part = 0;
    bool same(const Half& o) const {
        return value == o.value && symbol == o.symbol && (symbol.empty() || part == o.part);
    }
};

class Placement {
public:
    explicit Placement(const std::vector<Literal*>& literals) {
        for (Literal* l : literals) items_.push_back({l, candidates_of(*l)});
        std::stable_sort(items_.begin(), items_.end(), [](const Item& a, const Item& b) {
            if (a.candidates.size() != b.candidates.size())
                return a.candidates.size() < b.candidates.size();
            for (std::size_t i = 0; i < a.candidates.size(); ++i)
                if (a.candidates[i].width != b.candidates[i].width)
                    return a.candidates[i].width > b.candidates[i].width;
            return false;
        });
        choice_.resize(items_.size());
    }

    bool solve() {
        search(0);
        if (best_cost_ > kWorst) return false;
        for (std::size_t i = 0; i < items_.size(); ++i) {
            items_[i].literal->position = best_[i].position;
            items_[i].literal->width = best_[i].width;
        }
        return true;
    }
    int words() const {
        int words = 0;
        for (const Item& i : items_)
            words = std::max(words, (i.literal->position + i.literal->width / 16 + 1) / 2);
        return words;
    }

private:
    struct Item {
        Literal* literal;
        std::vector<Candidate> candidates;
    };
    static constexpr unsigned kWorst = (1u << kHalves) - 1;

    /// Cost: the halves in use, LTS0 high being the cheapest. It only grows along a branch.
    unsigned cost() const {
        unsigned mask = 0;
        for (unsigned p = 0; p < kHalves; ++p)
            if (halves_[p].used) mask |= 1u << (p ^ 1);
        return mask;
    }

    bool put(const Literal& l, const Candidate& c) {
        for (int part = 0; part < c.width / 16; ++part) {
            Half h{true, static_cast<std::uint16_t>(l.number.value >> (16 * part)), l.number.symbol,
                   part};
            Half& place = halves_[static_cast<unsigned>(c.position + part)];
            if (place.used && !place.same(h)) return false;
            place = h;
        }
        return true;
    }

    void search(std::size_t at) {
        if (cost() >= best_cost_) return;
        if (at == items_.size()) {
            best_cost_ = cost();
            best_ = choice_;
            return;
        }
        for (const Candidate& c : items_[at].candidates) {
            const auto saved = halves_;
            choice_[at] = c;
            if (put(*items_[at].literal, c)) search(at + 1);
            halves_ = saved;
        }
    }

    std::vector<Item> items_;
    std::vector<Candidate> choice_, best_;
    std::array<Half, kHalves> halves_{};
    unsigned best_cost_ = kWorst + 1;
};

}  // namespace

int mate_of_lower(Pair pair, int channel) {
    switch (pair) {
        case Pair::P01_34:
            return channel == 0 || channel == 3 ? channel + 1 : -1;
        case Pair::P02_35:
            return channel == 0 || channel == 3 ? channel + 2 : -1;
        case Pair::P25:
            return channel == 2 ? 5 : -1;
        case Pair::P01:
            return channel == 0 ? 1 : -1;
        case Pair::None:
            break;
    }
    return -1;
}

std::optional<AssemblyError> choose_channels(BundleDraft& draft, const AssemblerOptions& options) {
    std::vector<std::vector<Lane>> lanes;
    for (const AlsDraft& op : draft.als) {
        lanes.push_back(lanes_of(op, options.iset, options.listing));
        if (!lanes.back().empty()) continue;
        return error_at(op.line, fmt::format("{} does not exist in channel {}", op.mnemonic,
                                             op.wanted_channel));
    }
    if (draft.als.size() > kChannels)
        return error_at(draft.als.back().line, "more than six operations for the six channels");
    if (!assign(draft.als, lanes, 0, 0))
        return error_at(draft.als.back().line,
                        "the channels do not suffice for the operations of this bundle");
    return std::nullopt;
}

namespace {

/// What a placement depends on: the candidates, and which halves have equal contents. Values
/// themselves do not matter, so that a few patterns are all that a program has.
std::string pattern_of(const std::vector<Literal*>& literals) {
    std::string pattern;
    std::vector<Half> halves;
    for (const Literal* l : literals) {
        pattern += static_cast<char>(l->bits ? l->bits : 1);
        pattern += static_cast<char>(smallest_width(*l));
        pattern += static_cast<char>(l->place);
        for (int part = 0; part < 4; ++part) {
            const Half half{true, static_cast<std::uint16_t>(l->number.value >> (16 * part)),
                            l->number.symbol, part};
            const auto at = std::find_if(halves.begin(), halves.end(),
                                         [&](const Half& h) { return h.same(half); });
            pattern += static_cast<char>(at - halves.begin());
            if (at == halves.end()) halves.push_back(half);
        }
    }
    return pattern;
}

struct Solution {
    bool fits = false;
    int words = 0;
    std::vector<Candidate> places{};
};

Solution solve(const std::vector<Literal*>& literals) {
    Solution solution;
    Placement placement(literals);
    solution.fits = placement.solve();
    if (!solution.fits) return solution;
    solution.words = placement.words();
    for (const Literal* l : literals) solution.places.push_back({l->position, l->width});
    return solution;
}

}  // namespace

bool place_literals(const std::vector<Literal*>& literals, int& words) {
    // The search can take a millisecond: a source of many such bundles must not take minutes.
    constexpr std::size_t kMostPatterns = 4096;
    thread_local std::unordered_map<std::string, Solution> known;
    const auto pattern = pattern_of(literals);
    auto at = known.find(pattern);
    if (at == known.end()) {
        if (known.size() >= kMostPatterns) known.clear();
        at = known.emplace(pattern, solve(literals)).first;
    }
    const Solution& solution = at->second;
    if (!solution.fits) return false;
    for (std::size_t i = 0; i < literals.size(); ++i) {
        literals[i]->position = solution.places[i].position;
        literals[i]->width = solution.places[i].width;
    }
    words = solution.words;
    return true;
}

}  // namespace e2k::isa::assembler
