// Statements of the predicate logic, of array loads and of asynchronous programs
// (syllables.md §7, §8, §10).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/isa/assembler/draft.h"

namespace e2k::isa::assembler {
namespace {

constexpr unsigned kFirstResult = 4;  ///< @p4..@p6 are results

/// Number N of "@pN"; -1 and an error if it is something else.
int local_predicate(Cursor& in, unsigned first, unsigned last) {
    const auto word = in.word();
    const auto name = lower(word);
    if (name.size() == 3 && name.starts_with("@p") && name[2] >= '0' && name[2] <= '9') {
        const auto n = static_cast<unsigned>(name[2] - '0');
        if (n >= first && n <= last) return static_cast<int>(n);
    }
    in.fail_at(word, fmt::format("@p{} to @p{} expected", first, last));
    return -1;
}

std::optional<unsigned> number(std::string_view name, std::string_view prefix, unsigned maximum) {
    if (!name.starts_with(prefix) || name.size() == prefix.size()) return std::nullopt;
    unsigned n = 0;
    for (const char c : name.substr(prefix.size())) {
        if (c < '0' || c > '9' || n > maximum) return std::nullopt;
        n = n * 10 + static_cast<unsigned>(c - '0');
    }
    return n <= maximum ? std::optional(n) : std::nullopt;
}

/// The seven bits of an ELP.
std::uint8_t input_code(Cursor& in) {
    const auto word = in.word();
    const auto name = lower(word);
    if (name == "%lcntex") return 0;
    if (name == "%bgrpred") return 0x40;
    if (const auto n = number(name, "%pred", 31)) return static_cast<std::uint8_t>(0x60 + *n);
    if (const auto n = number(name, "%rndpred", 15); n && *n)
        return static_cast<std::uint8_t>(0x40 + *n);
    if (name.starts_with("%spred")) {
        unsigned mask = 0;
        for (const char c : name.substr(6)) {
            if (c < '0' || c > '5') break;
            mask |= 1u << (c - '0');
        }
        if (mask) return static_cast<std::uint8_t>(mask);
    }
    in.fail_at(word, "%predN, %lcntex, %spredN, %bgrpred or %rndpredN expected");
    return 0;
}

void use_word(BundleDraft& d, unsigned pls) {
    d.pls_count = std::max(d.pls_count, static_cast<int>(pls) + 1);
}

/// "pass %pred1, @p0" or "pass @p4, %pred1".
void pass(Cursor& in, BundleDraft& d) {
    if (in.peek_word().starts_with("@")) {
        const int from = local_predicate(in, kFirstResult, kFirstResult + 2);
        in.expect(",");
        const auto to = parse_condition(in);
        if (!in.ok()) return;
        if (!to->is_pred() || to->negated) return in.fail_at(in.statement(), "%predN expected");
        const auto i = static_cast<unsigned>(from) - kFirstResult;
        d.clp[i] = static_cast<std::uint16_t>(d.clp[i] | 1u << 5 | (to->code & 0x1fu));
        return use_word(d, i);
    }
    const std::uint8_t code = input_code(in);
    in.expect(",");
    const int to = local_predicate(in, 0, kFirstResult - 1);
    if (!in.ok()) return;
    const auto i = static_cast<unsigned>(to);
    if (d.defined[i])
        return in.fail_at(in.statement(), "this local predicate has a source already");
    d.elp[i] = code;
    d.defined[i] = true;
    use_word(d, i / 2);
}

/// "[~]@pN", as the bits neg and p of a CLP.
std::uint32_t element_input(Cursor& in) {
    const bool negated = in.accept("~");
    const int n = local_predicate(in, 0, 6);
    return (negated ? 8u : 0u) | (n < 0 ? 0u : static_cast<unsigned>(n));
}

void element(Cursor& in, BundleDraft& d, unsigned opcode) {
    const std::uint32_t first = element_input(in);
    in.expect(",");
    const std::uint32_t second = element_input(in);
    in.expect(",");
    const int to = local_predicate(in, kFirstResult, kFirstResult + 2);
    if (!in.ok()) return;
    const auto n = static_cast<unsigned>(to), i = n - kFirstResult;
    if (d.defined[n])
        return in.fail_at(in.statement(), "this local predicate has a source already");
    d.defined[n] = true;
    d.clp[i] = static_cast<std::uint16_t>(d.clp[i] | opcode << 14 | first << 10 | second << 6);
    use_word(d, i);
}

/// Array load: "movad,3 area = 2, ind = 9, am = 1, be = 0, %db[9]".
struct ArrayLoad {
    std::uint32_t area = 0, ind = 0, am = 0, be = 0;
    std::uint8_t dst = 0xdf;
};

ArrayLoad array_load(Cursor& in) {
    ArrayLoad load;
    do {
        if (in.accept_key("area")) {
            load.area = in.constant(31, "area");
        } else if (in.accept_key("ind")) {
            load.ind = in.constant(31, "ind");
        } else if (in.accept_key("am")) {
            load.am = in.constant(1, "am");
        } else if (in.accept_key("be")) {
            load.be = in.constant(1, "be");
        } else {
            const Operand dst = parse_operand(in);
            if (dst.kind != Operand::Kind::Register && dst.kind != Operand::Kind::Special &&
                dst.kind != Operand::Kind::Empty)
                in.fail_at(dst.text, "the destination of an array load is a register");
            load.dst = dst.code;
        }
    } while (in.ok() && in.accept(","));
    return load;
}

void store_load(Cursor& in, BundleDraft& d, unsigned channel, unsigned opcode,
                const ArrayLoad& load) {
    MovaDraft& m = d.mova[channel];
    if (m.present) return in.fail_at(in.statement(), "this channel has an array load already");
    m.present = true;
    m.dst = load.dst;
    m.word = static_cast<std::uint16_t>(load.be << 15 | opcode << 12 | load.area << 6 |
                                        load.ind << 1 | load.am);
    d.ss = d.ss.value_or(0) | 1u << (12 + channel);
}

void mova(Cursor& in, BundleDraft& d, unsigned opcode, const Context& context) {
    in.expect(",");
    const auto channel_text = in.rest().substr(0, 1);
    const auto channel = in.digits();
    if (!channel || *channel > 3) return in.fail_at(channel_text, "a channel 0 to 3 expected");
    ArrayLoad load = array_load(in);
    if (!in.ok()) return;
    if (opcode != 5 || context.options.listing) return store_load(in, d, *channel, opcode, load);
    if (*channel & 1) return in.fail_at(channel_text, "movaq takes channel 0 or 2");
    if (load.ind > 23) return in.fail_at(in.statement(), "movaq takes an `ind` up to 23");
    // Two halves of 8 bytes; big-endian data has the upper half first (syllables.md §7).
    ArrayLoad upper = load;
    upper.dst = static_cast<std::uint8_t>(load.dst + 1);
    (load.be ? load : upper).ind += 8;
    store_load(in, d, *channel, opcode, load);
    store_load(in, d, *channel + 1, opcode, upper);
}

void incr(Cursor& in, BundleDraft& d) {
    int channel = -1;
    if (in.rest().starts_with(",")) {
        in.accept(",");
        channel = static_cast<int>(in.digits().value_or(9));
    }
    const auto word = in.word();
    const auto n = number(lower(word), "%aaincr", 7);
    if (!n) return in.fail_at(word, "%aaincr0 to %aaincr7 expected");
    std::optional<Condition> guard;
    if (in.accept("?")) guard = parse_condition(in);
    if (!in.ok()) return;
    AlsDraft* const store = d.als.empty() ? nullptr : &d.als.back();
    const bool fits =
        store && !store->incr && !store->operands.empty() &&
        std::any_of(store->operands.begin(), store->operands.end(),
                    [](const Operand& o) { return o.kind == Operand::Kind::ArrayAddress; }) &&
        (channel < 0 || channel == store->wanted_channel);
    if (!fits)
        return in.fail_at(in.statement(),
                          "incr follows the array store it belongs to, and names "
                          "a channel only if that store does");
    store->incr = true;
    store->incr_register = static_cast<std::uint8_t>(*n);
    store->incr_guard = guard;
}

/// "fapb ct = 1, dcd = 0, fmt = 4, ...": the key chooses the half.
void async(Cursor& in, BundleDraft& d) {
    struct Field {
        std::string_view name;
        unsigned low, bits;
    };
    constexpr Field kFields[] = {{"ct", 31, 1},  {"dpl", 31, 1},  {"si", 30, 1}, {"dcd", 28, 2},
                                 {"fmt", 25, 3}, {"mrng", 20, 5}, {"d", 15, 5},  {"incr", 12, 3},
                                 {"ind", 8, 4},  {"asz", 5, 3},   {"abs", 0, 5}};
    std::array<std::uint32_t, 2> words{};
    int half = -1;
    do {
        if (in.accept_key("disp")) {
            in.at_end();
            const auto text = in.rest();
            const auto value = in.expression().value;
            const auto sign = static_cast<std::int64_t>(value);
            if (value > 0xffff'ffff && (sign < -(std::int64_t{1} << 31) || sign >= 0))
                in.fail_at(text, "disp has 32 bits");
            words[1] = static_cast<std::uint32_t>(value);
            continue;
        }
        const Field* found = nullptr;
        for (const Field& f : kFields)
            if (!found && in.accept_key(f.name)) found = &f;
        if (!found) return in.fail("this field is not known here");
        if (found->name == "ct") half = 0;
        if (found->name == "dpl") half = 1;
        words[0] |= in.constant((1u << found->bits) - 1, found->name) << found->low;
    } while (in.ok() && in.accept(","));
    if (!in.ok()) return;
    if (half < 0) return in.fail_at(in.statement(), "`ct` or `dpl` chooses the half");
    auto& place = d.async[static_cast<std::size_t>(half)];
    if (place) return in.fail_at(in.statement(), "this half is there already");
    place = words;
}

}  // namespace

bool parse_predicate_logic(std::string_view name, Cursor& in, BundleDraft& draft) {
    if (name == "pass")
        pass(in, draft);
    else if (name == "andp")
        element(in, draft, 0);
    else if (name == "landp")
        element(in, draft, 1);
    else if (name == "movep")
        element(in, draft, 3);
    else
        return false;
    return true;
}

bool parse_array(std::string_view name, Cursor& in, BundleDraft& draft, const Context& context) {
    constexpr std::array<std::string_view, 8> kLoads{"",      "movab", "movah", "movaw",
                                                     "movad", "movaq", "",      "movaqp"};
    if (name == "incr") {
        incr(in, draft);
        return true;
    }
    if (name == "fapb" || (context.options.listing && name == "apb")) {
        async(in, draft);
        return true;
    }
    const auto at = name.empty() ? kLoads.end() : std::find(kLoads.begin(), kLoads.end(), name);
    if (at == kLoads.end()) return false;
    const auto opcode = static_cast<unsigned>(at - kLoads.begin());
    if (opcode == 7 && context.options.iset < 5)
        in.fail_at(in.statement(), "this operation needs elbrus-v5 or later");
    mova(in, draft, opcode, context);
    return true;
}

}  // namespace e2k::isa::assembler
