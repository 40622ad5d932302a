// Statements of HS, SS, CS0 and CS1 (bundles.md §2, syllables.md §1, §5, §6).
#include <fmt/format.h>

#include <array>

#include "engine/isa/assembler/draft.h"
#include "engine/isa/bundle.h"

namespace e2k::isa::assembler {
namespace {

std::uint32_t& ss(BundleDraft& d) {
    if (!d.ss) d.ss = 0;
    return *d.ss;
}

void set_cs0(Cursor& in, BundleDraft& d, std::uint32_t word) {
    if (d.cs0) return in.fail_at(in.statement(), "the bundle has another operation in CS0");
    d.cs0 = word;
}

/// CS1 holds one group of operations; those of one group join.
void join_cs1(Cursor& in, BundleDraft& d, std::string_view group, std::uint32_t word) {
    if (d.cs1 && d.cs1_group != group)
        return in.fail_at(in.statement(),
                          fmt::format("CS1 already holds {}, which excludes this", d.cs1_group));
    d.cs1_group = group;
    d.cs1 = d.cs1.value_or(0) | word;
}

std::uint32_t ctpr(Cursor& in) {
    const auto word = in.word();
    const auto name = lower(word);
    if (name == "%ctpr1") return 1;
    if (name == "%ctpr2") return 2;
    if (name == "%ctpr3") return 3;
    in.fail_at(word, "%ctpr1, %ctpr2 or %ctpr3 expected");
    return 1;
}

/// A label or, without symbols in it, the raw displacement; an address in listings.
std::uint32_t displacement(Cursor& in, const Context& context) {
    in.accept_key("disp");
    in.at_end();
    const auto text = in.rest();
    const Number n = in.expression();
    if (!n.is_symbolic() && !context.options.listing)
        return static_cast<std::uint32_t>(n.value & 0x0fff'ffff);
    const auto distance = static_cast<std::int64_t>(n.value + n.link.call - context.address);
    if (context.options.fields && !n.link.fixed()) {
        LinkedField& f = context.options.fields->emplace_back();
        f.kind = LinkedField::Kind::Displacement;
        f.value = n.value;
        f.link = n.link;
        f.line = in.line().line;
        f.column = in.line().column;
        f.text = text.substr(0, text.size() - in.rest().size());
    }
    if (distance % 8 != 0) in.fail_at(text, "the target is not a multiple of 8");
    if (distance / 8 < -(1 << 27) || distance / 8 >= (1 << 27))
        in.fail_at(text, "the target is more than 1 GiB away");
    return static_cast<std::uint32_t>(distance / 8) & 0x0fff'ffff;
}

void transfer(Cursor& in, BundleDraft& d, unsigned ctop) {
    const std::uint32_t condition = parse_transfer_condition(in);
    if (ss(d) & 0xdff) return in.fail_at(in.statement(), "the bundle has another transfer");
    d.transfer = in.line();
    ss(d) |= condition | ctop << 10;
}

struct Field {
    std::string_view name;
    unsigned low, bits;
    std::uint32_t bias = 0;  ///< subtracted from the written value
    bool no_symbol = false;
};

/// "name = N[, name = N]" in any order; missing ones are 0. `given` receives the bits of those that
/// are there.
std::uint32_t fields(Cursor& in, std::span<const Field> known, std::uint32_t* given = nullptr) {
    std::uint32_t word = 0;
    do {
        const Field* found = nullptr;
        for (const Field& f : known)
            if (!found && in.accept_key(f.name)) found = &f;
        if (!found) {
            in.fail("this field is not known here");
            return word;
        }
        const std::uint32_t maximum = (1u << found->bits) - 1;
        in.at_end();
        const auto text = in.rest();
        bool symbolic = false;
        const std::uint32_t value =
            in.constant(maximum + found->bias, found->name, found->no_symbol ? &symbolic : nullptr);
        if (symbolic)
            in.fail_at(text.substr(0, text.size() - in.rest().size()),
                       "only a number can stand here: what it counts from is not known");
        if (value < found->bias) in.fail("the value is too small");
        word |= ((value - found->bias) & maximum) << found->low;
        if (given) *given |= maximum << found->low;
    } while (in.ok() && in.accept(","));
    return word;
}

/// "abn abnf=1, abnt=0" or "abn 2".
void advance(Cursor& in, BundleDraft& d, std::string_view name, char first, unsigned low) {
    const std::string high_name = std::string(name) + first;
    const std::string low_name = std::string(name) + (first == 'i' ? 'd' : 't');
    if (in.peek() >= '0' && in.peek() <= '9') {
        ss(d) |= in.constant(3, name) << low;
        return;
    }
    const Field known[] = {{high_name, low + 1, 1}, {low_name, low, 1}};
    ss(d) |= fields(in, known);
}

void array_window(Cursor& in, BundleDraft& d, std::uint32_t lts0, std::uint32_t cs1) {
    d.window_fields |= lts0;
    Literal word;
    word.bits = 32;
    word.place = 0;
    word.number.value = d.window_fields;
    d.window = word;
    // Any of these makes the operation code SETR0 or SETR1 instead of SETBR.
    if (d.cs1 && d.cs1_group == "setwd or setbn") *d.cs1 &= ~(4u << 28);
    join_cs1(in, d, "setwd or setbn", cs1);
}

void bases(Cursor& in, BundleDraft& d, std::uint32_t bits) {
    join_cs1(in, d, "setwd or setbn", bits | (d.window ? 0 : 4u << 28));
}

bool parse_window(std::string_view name, Cursor& in, BundleDraft& d, const Context& context) {
    if (name == "setwd") {
        constexpr Field kFields[] = {{"wsz", 5, 7}, {"nfx", 4, 1}, {"dbl", 3, 1}};
        array_window(in, d, fields(in, kFields), 0);
    } else if (name == "vfrpsz") {
        const Field known[] = {{"rpsz", 12, 5, context.options.listing ? 0u : 1u}};
        array_window(in, d, fields(in, known), 1u << 28);
    } else if (name == "settr") {
        constexpr Field kFields[] = {{"type", 17, 15}};
        array_window(in, d, fields(in, kFields), 1u << 25);
    } else if (name == "setbn") {
        constexpr Field kFields[] = {{"rbs", 0, 6}, {"rsz", 6, 6}, {"rcur", 12, 6}};
        bases(in, d, fields(in, kFields) | 1u << 26);
    } else if (name == "setbp") {
        constexpr Field kFields[] = {{"psz", 18, 5}};
        bases(in, d, fields(in, kFields) | 1u << 27);
    } else {
        return false;
    }
    return true;
}

void wait(Cursor& in, BundleDraft& d, const Context& context) {
    constexpr Field kFields[] = {{"all_c", 0, 1}, {"all_e", 1, 1},   {"st_c", 2, 1}, {"ld_c", 3, 1},
                                 {"fl_c", 4, 1},  {"ma_c", 5, 1},    {"trap", 6, 1}, {"sas", 7, 1},
                                 {"sal", 8, 1},   {"las", 9, 1},     {"lal", 10, 1}, {"mt", 11, 1},
                                 {"int", 12, 1},  {"mem_mod", 13, 1}};
    std::uint32_t given = 0;
    std::uint32_t word = fields(in, kFields, &given);
    if (!context.options.listing) {
        if (word == 0) in.fail_at(in.statement(), "wait needs a condition that is 1");
        const auto imply = [&](std::uint32_t conditions, std::uint32_t by, const char* message) {
            if (!(word & conditions)) return;
            if (given & ~word & by) in.fail_at(in.statement(), message);
            word |= by;
        };
        imply(1u << 7 | 1u << 9, 1u << 2, "sas and las wait for stores: st_c cannot be 0");
        imply(1u << 8 | 1u << 10, 1u << 3, "sal and lal wait for loads: ld_c cannot be 0");
    }
    join_cs1(in, d, "wait", 3u << 28 | word);
}

void window_base(Cursor& in, std::uint32_t& wbs) {
    in.expect(",");
    if (!in.accept_key("wbs")) return in.fail("`wbs = N` expected");
    wbs = in.constant(0x7f, "wbs");
}

bool parse_call(std::string_view name, Cursor& in, BundleDraft& d, const Context& context) {
    std::uint32_t wbs = 0;
    if (name == "call") {
        const std::uint32_t n = ctpr(in);
        window_base(in, wbs);
        transfer(in, d, n);
        join_cs1(in, d, "call", 5u << 28 | wbs);
        return true;
    }
    if (name != "icall" && name != "hcall") return false;
    const bool hypervisor = name == "hcall";
    if (context.options.iset < 6)
        in.fail_at(in.statement(), "this operation needs elbrus-v6 or later");
    // Listings show the raw displacement field here.
    const std::uint32_t disp = hypervisor                ? in.constant(15, "hcall") << 1
                               : context.options.listing ? in.constant(0x0fff'ffff, "icall")
                                                         : displacement(in, context);
    window_base(in, wbs);
    transfer(in, d, 0);
    set_cs0(in, d, disp);
    join_cs1(in, d, "call", 5u << 28 | (hypervisor ? 2u : 1u) << 7 | wbs);
    return true;
}

void pref(Cursor& in, BundleDraft& d) {
    const auto word = in.word();
    const auto name = lower(word);
    if (name.size() != 5 || !name.starts_with("%ipr") || name[4] < '0' || name[4] > '7')
        return in.fail_at(word, "%ipr0 to %ipr7 expected");
    in.expect(",");
    constexpr Field kFields[] = {{"disp", 4, 24, 0, true}, {"ipd", 3, 1}};
    set_cs0(in, d, 1u << 28 | fields(in, kFields) | static_cast<unsigned>(name[4] - '0'));
}

bool parse_cs0(std::string_view name, Cursor& in, BundleDraft& d, const Context& context) {
    const auto prepare = [&](std::uint32_t opcode, bool target) {
        const std::uint32_t n = ctpr(in);
        in.expect(",");
        set_cs0(in, d,
                n << 30 | opcode << 28 |
                    (target ? displacement(in, context) : in.constant(31, "the entry number")));
    };
    if (name == "disp") {
        prepare(0, true);
    } else if (name == "ldisp") {
        if (lower(in.peek_word()) != "%ctpr2") in.fail("ldisp takes %ctpr2");
        prepare(1, true);
    } else if (name == "sdisp") {
        prepare(2, false);
    } else if (name == "return") {
        if (lower(in.peek_word()) != "%ctpr3") in.fail("return takes %ctpr3");
        set_cs0(in, d, ctpr(in) << 30 | 3u << 28);
    } else if (name == "gettsd") {
        set_cs0(in, d, ctpr(in) << 30 | 3u << 28 | 1u);
    } else if (name == "puttsd") {
        set_cs0(in, d, 2u << 28 | displacement(in, context));
    } else if (name == "pref") {
        pref(in, d);
    } else if (name == "ibranch" || name == "rbranch") {
        set_cs0(in, d, displacement(in, context));
        if (name == "rbranch" && in.peek() != '?') {
            d.transfer = in.line();
            ss(d) |= static_cast<std::uint32_t>(ConditionType::Mlock) << 5;
            return true;
        }
        transfer(in, d, 0);
    } else if (name == "done" || name == "iret" || name == "hret" || name == "glaunch") {
        set_cs0(in, d,
                3u << 28 | (name == "iret"      ? 2u
                            : name == "hret"    ? 3u
                            : name == "glaunch" ? 4u
                                                : 0u));
        transfer(in, d, 0);
    } else {
        return false;
    }
    return true;
}

bool parse_cs1(std::string_view name, Cursor& in, BundleDraft& d, const Context& context) {
    if (parse_window(name, in, d, context) || parse_call(name, in, d, context)) return true;
    if (name == "wait") {
        wait(in, d, context);
    } else if (name == "setei") {
        join_cs1(in, d, "setei", 2u << 28 | in.constant(0xff, "setei"));
    } else if (name == "setsft") {
        join_cs1(in, d, "setsft", 2u << 28 | 1u << 27);
    } else if (name == "flushr") {
        join_cs1(in, d, "flush", 7u << 28 | 1u);
    } else if (name == "flushc") {
        join_cs1(in, d, "flush", 7u << 28 | 2u);
    } else if (name == "fillr") {
        join_cs1(in, d, "flush", 7u << 28 | 4u);
    } else if (name == "fillc") {
        join_cs1(in, d, "flush", 7u << 28 | 8u);
    } else if (name == "vfbg") {
        constexpr Field kFields[] = {{"umask", 0, 8}, {"dmask", 8, 8}, {"chkm4", 16, 1}};
        join_cs1(in, d, "vfbg", 8u << 28 | fields(in, kFields));
    } else {
        return false;
    }
    return true;
}

void restore_permission(Cursor& in, BundleDraft& d, std::uint32_t bits) {
    ss(d) |= bits;
    if (in.accept("?")) d.rp_condition = parse_condition(in);
}

bool parse_ss(std::string_view name, Cursor& in, BundleDraft& d) {
    if (name == "ct") {
        const std::uint32_t n = ctpr(in);
        transfer(in, d, n);
    } else if (name == "ipd") {
        d.ipd = static_cast<std::uint8_t>(in.constant(3, "ipd"));
        ss(d);
    } else if (name == "eap") {
        ss(d) |= 1u << 29;
    } else if (name == "bap") {
        ss(d) |= 1u << 28;
    } else if (name == "vfdi") {
        ss(d) |= 1u << 26;
    } else if (name == "crp") {
        restore_permission(in, d, 1u << 25);
    } else if (name == "srp") {
        restore_permission(in, d, 1u << 27);
    } else if (name == "slrp") {
        restore_permission(in, d, 1u << 27 | 1u << 25);
    } else if (name == "abg") {
        advance(in, d, name, 'i', 23);
    } else if (name == "abn") {
        advance(in, d, name, 'f', 21);
    } else if (name == "abp") {
        advance(in, d, name, 'f', 18);
    } else if (name == "alc") {
        advance(in, d, name, 'f', 16);
    } else if (name == "flushts") {
        ss(d) |= 1u << 20 | 1u << 28 | 1u << 26;  // format 2, ts_opc 3
    } else {
        return false;
    }
    return true;
}

bool parse_hs(std::string_view name, Cursor& in, BundleDraft& d) {
    if (name == "loop_mode") {
        d.loop_mode = true;
    } else if (name == "set_mark") {
        d.set_mark = true;
    } else if (name == "nop") {
        constexpr std::uint8_t kDefault = 0xff;  // 1 beside other operations, else 0
        d.nop = in.at_end() ? kDefault : static_cast<std::uint8_t>(in.constant(7, "nop"));
    } else {
        return false;
    }
    return true;
}

// ---- transfer conditions -----------------------------------------------------------------------

constexpr std::uint32_t condition(ConditionType type, unsigned psrc = 0) {
    return static_cast<std::uint32_t>(type) << 5 | psrc;
}

std::string special_name(Cursor& in) {
    auto name = lower(in.peek_word());
    if (!name.empty() && name.front() == '#') name.front() = '%';
    return name;
}

/// Number of a channel with local results: 0, 1, 3, 4.
int local_channel(char digit) {
    const auto at = std::string_view("0134").find(digit);
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

/// What follows "%MLOCK ||".
std::uint32_t mlock_term(Cursor& in) {
    const bool negated = in.accept("~");
    const auto name = special_name(in);
    const auto word = in.word();
    const auto bad = [&] {
        in.fail_at(word, "%dt_al, %cmp0, %cmp1, %cmp3, %cmp4, %clp0, %clp1 or %clp2 expected");
        return 0u;
    };
    if (name.starts_with("%dt_al") && !negated) {
        unsigned mask = 0;
        for (const char digit : name.substr(6)) {
            const int at = local_channel(digit);
            if (at < 0) return bad();
            mask |= 1u << at;
        }
        return condition(ConditionType::Mlock, mask);
    }
    if (name.size() != 5) return bad();
    if (name.starts_with("%clp") && name[4] >= '0' && name[4] <= '3')
        return condition(ConditionType::MlockOrCompare,
                         2u << 3 | static_cast<unsigned>(name[4] - '0') << 1 | (negated ? 1u : 0u));
    const int first = name.starts_with("%cmp") ? local_channel(name[4]) : -1;
    if (first < 0) return bad();
    if (!in.accept("||"))
        return condition(ConditionType::MlockOrCompare,
                         static_cast<unsigned>(first) << 1 | (negated ? 1u : 0u));
    const bool second_negated = in.accept("~");
    const auto second = special_name(in);
    const auto second_word = in.word();
    const bool pair =
        (name[4] == '0' && second == "%cmp1") || (name[4] == '3' && second == "%cmp4");
    if (!pair) in.fail_at(second_word, "the pairs are %cmp0 || %cmp1 and %cmp3 || %cmp4");
    return condition(ConditionType::MlockOrCompare, 1u << 3 | (name[4] == '3' ? 4u : 0u) |
                                                        (negated ? 2u : 0u) |
                                                        (second_negated ? 1u : 0u));
}

std::uint32_t predicate_condition(Cursor& in) {
    in.at_end();
    const auto text = in.rest();
    const auto p = parse_condition(in);
    if (!p) return 0;
    if (!p->is_pred()) in.fail_at(text, "a transfer takes %pred, not %pcnt");
    const unsigned psrc = p->code & 0x1fu;
    ConditionType type = p->negated ? ConditionType::NotPred : ConditionType::Pred;
    if (in.accept("||")) {
        if (special_name(in) != "%loop_end") in.fail("%LOOP_END expected");
        in.word();
        type = p->negated ? ConditionType::NotPredOrLoopEnd : ConditionType::PredOrLoopEnd;
    } else if (in.accept("&&")) {
        if (special_name(in) != "%not_loop_end") in.fail("%NOT_LOOP_END expected");
        in.word();
        type = p->negated ? ConditionType::NotPredAndNotLoopEnd : ConditionType::PredAndNotLoopEnd;
    }
    return condition(type, psrc);
}

}  // namespace

std::uint32_t parse_transfer_condition(Cursor& in) {
    if (!in.accept("?")) return condition(ConditionType::Always);
    if (in.at_end()) return condition(ConditionType::Never);  // as listings show it
    const auto name = special_name(in);
    const auto take = [&](std::uint32_t c) {
        in.word();
        return c;
    };
    if (name == "%always") return take(condition(ConditionType::Always));
    if (name == "%never") return take(condition(ConditionType::Never));
    if (name == "%loop_end") return take(condition(ConditionType::LoopEnd));
    if (name == "%not_loop_end") return take(condition(ConditionType::NotLoopEnd));
    if (name == "%mlock") {
        in.word();
        return in.accept("||") ? mlock_term(in) : condition(ConditionType::Mlock);
    }
    return predicate_condition(in);
}

bool parse_control(std::string_view name, Cursor& in, BundleDraft& draft, const Context& context) {
    return parse_hs(name, in, draft) || parse_ss(name, in, draft) ||
           parse_cs0(name, in, draft, context) || parse_cs1(name, in, draft, context);
}

}  // namespace e2k::isa::assembler
