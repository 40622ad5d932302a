#include "engine/isa/assembler/conditions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/isa/assembler/lexical.h"

namespace e2k::isa::assembler {
namespace {

using World = ConditionWorld;
using Test = std::optional<bool> (*)(std::string_view rest, const World& world);

/// A text of `.ifc`: in single quotes, or up to `end`.
std::string take_text(std::string_view& rest, std::string_view end) {
    rest = trim(rest);
    if (rest.starts_with('\'')) {
        const auto close = std::min(rest.find('\'', 1), rest.size());
        std::string text(rest.substr(1, close - 1));
        rest = trim(rest.substr(std::min(close + 1, rest.size())));
        return text;
    }
    const auto stop = end.empty() ? rest.size() : std::min(rest.find(end), rest.size());
    std::string text = scrub(rest.substr(0, stop));
    rest.remove_prefix(stop);
    return text;
}

std::optional<bool> same_texts(std::string_view rest, const World&) {
    const auto first = take_text(rest, ",");
    if (!rest.starts_with(',')) return std::nullopt;
    rest.remove_prefix(1);
    return first == take_text(rest, "");
}

/// Two strings in double quotes.
std::optional<bool> same_strings(std::string_view rest, const World&) {
    std::array<std::string_view, 2> strings;
    for (std::size_t i = 0; i < 2; ++i) {
        rest = trim(rest);
        if (i && rest.starts_with(',')) rest = trim(rest.substr(1));
        if (!rest.starts_with('"')) return std::nullopt;
        strings[i] = take_quoted(rest);
    }
    return strings[0] == strings[1];
}

std::optional<bool> blank(std::string_view rest, const World&) { return trim(rest).empty(); }

std::optional<bool> defined(std::string_view rest, const World& world) {
    const auto name = first_word(trim(rest));
    if (name.empty()) return std::nullopt;
    return world.defined(name);
}

template <class Compare>
std::optional<bool> compare(std::string_view rest, const World& world) {
    const auto value = world.value(rest);
    return value && Compare{}(*value, std::int64_t{0});
}

template <Test test>
std::optional<bool> negated(std::string_view rest, const World& world) {
    const auto holds = test(rest, world);
    return holds ? std::optional(!*holds) : std::nullopt;
}

struct Row {
    std::string_view name;
    Test test;
    std::string_view expected;  ///< message if the operands are wrong; empty: `test` has said it
};
constexpr std::string_view kTexts = "two texts and a comma between them expected",
                           kStrings = "two texts in double quotes expected",
                           kName = "the name of a symbol expected";
constexpr std::array kRows{
    Row{".if", compare<std::not_equal_to<>>, ""},
    Row{".ifne", compare<std::not_equal_to<>>, ""},
    Row{".ifeq", compare<std::equal_to<>>, ""},
    Row{".ifge", compare<std::greater_equal<>>, ""},
    Row{".ifgt", compare<std::greater<>>, ""},
    Row{".ifle", compare<std::less_equal<>>, ""},
    Row{".iflt", compare<std::less<>>, ""},
    Row{".ifb", blank, ""},
    Row{".ifnb", negated<blank>, ""},
    Row{".ifc", same_texts, kTexts},
    Row{".ifnc", negated<same_texts>, kTexts},
    Row{".ifeqs", same_strings, kStrings},
    Row{".ifnes", negated<same_strings>, kStrings},
    Row{".ifdef", defined, kName},
    Row{".ifndef", negated<defined>, kName},
    Row{".ifnotdef", negated<defined>, kName},
};

const Row* row_of(std::string_view name) {
    const auto at =
        std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) { return r.name == name; });
    return at == kRows.end() ? nullptr : &*at;
}

constexpr std::array<std::string_view, 3> kAlternatives{".else", ".elseif", ".endif"};

}  // namespace

bool Conditions::is_directive(std::string_view name) {
    if (!name.starts_with(".i") && !name.starts_with(".e")) return false;
    return row_of(name) ||
           std::find(kAlternatives.begin(), kAlternatives.end(), name) != kAlternatives.end();
}

std::optional<std::string> Conditions::apply(std::string_view name, std::string_view rest,
                                             int number, const ConditionWorld& world) {
    const Row* const row = row_of(name);
    if (!row) return alternative(name, rest, world);
    Open condition;
    condition.number = number;
    condition.outer = active();
    std::optional<std::string> message;
    if (condition.outer) {
        const auto holds = row->test(rest, world);
        if (!holds && !row->expected.empty()) message = row->expected;
        condition.active = condition.taken = holds.value_or(false);
    } else {
        condition.active = false;
    }
    open_.push_back(condition);
    return message;
}

std::optional<std::string> Conditions::alternative(std::string_view name, std::string_view rest,
                                                   const ConditionWorld& world) {
    if (open_.empty()) return fmt::format("{} without .if", name);
    Open& c = open_.back();
    if (name == ".endif") {
        open_.pop_back();
        return std::nullopt;
    }
    if (c.has_else) return fmt::format("{} behind .else", name);
    if (name == ".elseif") {
        c.active = false;
        if (!c.outer || c.taken) return std::nullopt;
        c.active = c.taken = world.value(rest).value_or(0) != 0;
        return std::nullopt;
    }
    c.has_else = true;
    c.active = c.outer && !c.taken;
    return std::nullopt;
}

}  // namespace e2k::isa::assembler
