// Statements of the arithmetic-logic channels: NAME[,CH][,sm] operands [? guards].
#include <fmt/format.h>

#include <algorithm>

#include "engine/isa/assembler/draft.h"
#include "engine/isa/assembler/mmu_registers.h"

namespace e2k::isa::assembler {
namespace {

/// Rows of ALS operations are sorted by name (operation.h).
std::span<const Operation> rows_named(std::string_view mnemonic) {
    const auto all = operations();
    const auto end =
        std::find_if(all.begin(), all.end(), [](const Operation& op) { return op.channels == 0; });
    struct ByName {
        bool operator()(const Operation& a, std::string_view b) const { return a.mnemonic < b; }
        bool operator()(std::string_view a, const Operation& b) const { return a < b.mnemonic; }
    };
    const auto [first, last] = std::equal_range(all.begin(), end, mnemonic, ByName{});
    return {first, last};
}

/// ",2", ",sm" and ",s" directly behind the mnemonic.
void parse_suffixes(Cursor& in, AlsDraft& op) {
    while (in.rest().starts_with(",")) {
        in.accept(",");
        const auto word = in.word();
        if (word == "sm" || word == "s")
            op.speculative = true;
        else if (word.size() == 1 && word[0] >= '0' && word[0] <= '5')
            op.wanted_channel = word[0] - '0';
        else
            return in.fail_at(word, "a channel 0 to 5 or `sm` expected");
    }
}

Operand zero() { return {}; }

/// "[%dr1 + 8]", "[%dr1, 8]", "[%dr1]", "[8]": two operands. Elsewhere brackets stand around one,
/// as compilers write literals: "addd 0x0, [ _f64,_lts0 x + 8 ], %dr1".
void parse_brackets(Cursor& in, bool address, std::vector<Operand>& out) {
    const Operand first = parse_operand(in);
    if (in.accept("+") || in.accept(",")) {
        out.push_back(first);
        out.push_back(parse_operand(in));
    } else if (!address) {
        out.push_back(first);
    } else if (first.kind == Operand::Kind::Number) {
        out.push_back(zero());
        out.push_back(first);
    } else {
        out.push_back(first);
        out.push_back(zero());
    }
    in.expect("]");
}

void parse_operands(Cursor& in, AlsDraft& op, const Operation& row, bool data_last) {
    if (in.at_end() || in.peek() == '?') return;
    const bool store = row.format == Format::Alopf3 || row.format == Format::Alopf13;
    const std::size_t address_at = store && !data_last ? 1 : 0;
    do {
        if (in.accept_key("mas"))
            op.mas = static_cast<std::uint8_t>(in.constant(0x7f, "mas"));
        else if (in.accept_key("wbs"))
            op.wbs = static_cast<std::uint8_t>(in.constant(0xff, "wbs"));
        else if (in.accept("["))
            parse_brackets(in, op.operands.size() == address_at, op.operands);
        else
            op.operands.push_back(parse_operand(in));
    } while (in.ok() && in.accept(","));
}

void parse_guards(Cursor& in, AlsDraft& op) {
    if (!in.accept("?")) return;
    do {
        const auto condition = parse_condition(in);
        if (!condition) return;
        for (const Condition& other : op.guards)
            if (other.is_pred() == condition->is_pred())
                in.fail("an operation takes one %pred and one %pcnt guard");
        op.guards.push_back(*condition);
    } while (in.ok() && in.accept(","));
}

std::string unknown(std::string_view name, int iset) {
    const auto rows = rows_named(name);
    if (name == "clpandp" || name == "clplandp")
        return "this stands outside braces only, where it becomes four operations";
    if (rows.empty()) return "no operation has this name";
    int first = kMaxIset, last = kMinIset;
    for (const Operation& row : rows) {
        first = std::min<int>(first, row.iset_min);
        last = std::max<int>(last, row.iset_max);
    }
    if (iset < first) return fmt::format("this operation needs elbrus-v{} or later", first);
    return fmt::format("this operation does not exist after elbrus-v{}", last);
}

}  // namespace

std::vector<const Operation*> rows_of(std::string_view mnemonic, int iset) {
    std::vector<const Operation*> rows;
    for (const Operation& row : rows_named(mnemonic))
        if (iset >= row.iset_min && iset <= row.iset_max && row.format != Format::Incr &&
            row.format != Format::Mmurr && row.format != Format::Mmurw)
            rows.push_back(&row);
    return rows;
}

std::string canonical_name(std::string_view name, int iset) {
    constexpr int kFirstOfLongNames = 3;
    if (name.starts_with("apur") || name.starts_with("aaur")) {
        // The form for 32 bits may have its size, too.
        const auto rest = name.substr(4);
        return fmt::format("aaur{}", rest == "rw" || rest == "ww" ? rest.substr(0, 1) : rest);
    }
    const bool is_long = name.size() > 4 && (name.starts_with("ldl") || name.starts_with("stl")) &&
                         std::string_view("cdsfg").find(name[3]) != std::string_view::npos &&
                         name[4] == 's' && iset >= kFirstOfLongNames && rows_named(name).empty();
    return is_long ? fmt::format("{}{}", name.substr(0, 2), name.substr(3)) : std::string(name);
}

/// "mmurr %pat, %dr1", "mmurw %dr1, %dam_inv": the load and store that they are.
bool parse_memory_unit(std::string_view name, Cursor& in, BundleDraft& draft,
                       const Context& context) {
    if (name != "mmurr" && name != "mmurw") return false;
    const bool reads = name == "mmurr";
    AlsDraft op;
    op.line = in.line();
    op.mnemonic = reads ? "ldd" : "std";
    op.mnemonic_text = in.statement().substr(0, name.size());
    parse_suffixes(in, op);
    Operand other, address;
    const auto take_register = [&] {
        const auto word = in.word();
        const auto found = mmu_register(lower(word));
        if (!found) return in.fail_at(word, "no register of the memory unit has this name");
        if (reads && !found->readable) in.fail_at(word, "this register can only be written");
        if (op.wanted_channel >= 0 && op.wanted_channel != found->channel)
            in.fail_at(word, fmt::format("this register is reached in channel {}", found->channel));
        op.wanted_channel = found->channel;
        op.mas = found->mas;
        address.literal.number.value = found->address;
    };
    if (reads) take_register();
    if (!reads) other = parse_operand(in);
    in.expect(",");
    if (!reads) take_register();
    if (reads) other = parse_operand(in);
    op.operands = {zero(), address};
    op.operands.insert(reads || context.options.data_last ? op.operands.end() : op.operands.begin(),
                       other);
    if (in.ok()) parse_guards(in, op);
    draft.als.push_back(std::move(op));
    return true;
}

void parse_als(std::string_view name, std::string_view text, Cursor& in, BundleDraft& draft,
               const Context& context) {
    AlsDraft op;
    op.line = in.line();
    op.mnemonic = name;
    op.mnemonic_text = text;
    const auto rows = rows_of(name, context.options.iset);
    if (rows.empty()) return in.fail_at(text, unknown(name, context.options.iset));
    parse_suffixes(in, op);
    parse_operands(in, op, *rows.front(), context.options.data_last || context.options.listing);
    if (rows.front()->has(OpFlag::Merge) && !op.operands.empty() &&
        op.operands.back().kind == Operand::Kind::Predicate) {
        op.merge = op.operands.back().condition;
        op.operands.pop_back();
    }
    if (rows.front()->has(OpFlag::Merge) && !op.merge)
        return in.fail("a merge needs its predicate as last operand");
    if (rows.front()->has(OpFlag::CtCond)) draft.transfer = in.line();
    if (rows.front()->has(OpFlag::CtCond))
        draft.ss = draft.ss.value_or(0) | parse_transfer_condition(in);
    else
        parse_guards(in, op);
    if (op.mas.value_or(0) && !rows.front()->has(OpFlag::MayCarryMas))
        return in.fail_at(text, "this operation takes no `mas`");
    draft.als.push_back(std::move(op));
}

void parse_operation(Cursor& in, BundleDraft& draft, const Context& context) {
    const auto text = in.word();
    const auto name = canonical_name(lower(text), context.options.iset);
    if (name.empty()) return in.fail("an operation expected");
    if (!parse_memory_unit(name, in, draft, context) && !parse_control(name, in, draft, context) &&
        !parse_predicate_logic(name, in, draft) && !parse_array(name, in, draft, context))
        parse_als(name, text, in, draft, context);
    if (in.ok() && !in.at_end()) in.fail("nothing more expected here");
}

}  // namespace e2k::isa::assembler
