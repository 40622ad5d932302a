#include "engine/lessons/value.h"

#include <charconv>
#include <cstddef>

namespace e2k::lessons {

namespace {

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

template <class T>
std::optional<T> whole_number(std::string_view digits, int base) {
    T value{};
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return value;
}

struct Name {
    std::string_view text;
    Value::Kind kind;
};
constexpr Name kNames[] = {
    {"ip", Value::Kind::Place},
    {"bundles", Value::Kind::Bundles},
    {"operations", Value::Kind::Operations},
    {"depth", Value::Kind::Depth},
    {"window", Value::Kind::WindowSize},
    {"exit", Value::Kind::Exit},
};

/// Names of registers, the longer ones first.
struct Family {
    std::string_view prefix, suffix;
    Value::Kind kind;
    bool narrow;
    unsigned limit;
};
constexpr Family kFamilies[] = {
    {"%pred", "", Value::Kind::Predicate, false, 32},
    {"%ctpr", "", Value::Kind::Transfer, false, 4},
    {"%db[", "]", Value::Kind::Based, false, 128},
    {"%b[", "]", Value::Kind::Based, true, 128},
    {"%dr", "", Value::Kind::Window, false, 224},
    {"%r", "", Value::Kind::Window, true, 224},
    {"%dg", "", Value::Kind::Global, false, 32},
    {"%g", "", Value::Kind::Global, true, 32},
};

const machine::RegisterView* register_of(const Value& value, const machine::Snapshot& now) {
    if (value.kind == Value::Kind::Global) return &now.globals[value.index];
    const int index = value.kind == Value::Kind::Based ? based_register(now, value.index)
                                                       : static_cast<int>(value.index);
    if (index < 0 || static_cast<std::size_t>(index) >= now.window.size()) return nullptr;
    return &now.window[static_cast<std::size_t>(index)];
}

}  // namespace

std::optional<Value> parse_value(std::string_view text) {
    text = trimmed(text);
    Value value;
    value.text = text;
    constexpr std::string_view kTag = "tag ";
    if (text.starts_with(kTag)) {
        value.tag = true;
        text = trimmed(text.substr(kTag.size()));
    }
    for (const Name& name : kNames)
        if (text == name.text && !value.tag) {
            value.kind = name.kind;
            return value;
        }
    for (const Family& family : kFamilies) {
        if (!text.starts_with(family.prefix) || !text.ends_with(family.suffix)) continue;
        const auto number = whole_number<unsigned>(
            text.substr(family.prefix.size(),
                        text.size() - family.prefix.size() - family.suffix.size()),
            10);
        if (!number || *number >= family.limit) return std::nullopt;
        const bool transfer = family.kind == Value::Kind::Transfer;
        if (transfer && *number == 0) return std::nullopt;
        if (value.tag && (transfer || family.kind == Value::Kind::Predicate)) return std::nullopt;
        value.kind = family.kind;
        value.index = *number;
        value.narrow = family.narrow;
        return value;
    }
    return std::nullopt;
}

int based_register(const machine::Snapshot& now, unsigned n) {
    cpu::CpuState state;
    state.br = now.br;
    return state.based_index(n, now.wd.size);
}

std::optional<std::uint64_t> value_of(const Value& value, const machine::Snapshot& now) {
    switch (value.kind) {
        case Value::Kind::Window:
        case Value::Kind::Global:
        case Value::Kind::Based: {
            const machine::RegisterView* reg = register_of(value, now);
            if (!reg) return std::nullopt;
            if (value.tag) return value.narrow ? reg->tag & 3u : reg->tag;
            return value.narrow ? reg->lo & 0xffffffffu : reg->lo;
        }
        case Value::Kind::Predicate:
            return now.predicates[value.index] & 1u;
        case Value::Kind::Transfer:
            if (now.ctpr[value.index - 1].tag == cpu::CtprTag::Empty) return std::nullopt;
            return now.ctpr[value.index - 1].base;
        case Value::Kind::Place:
            return now.ip;
        case Value::Kind::Bundles:
            return now.counters.bundles;
        case Value::Kind::Operations:
            return now.counters.operations;
        case Value::Kind::Depth:
            return now.frames.size();
        case Value::Kind::WindowSize:
            return now.wd.size;
        case Value::Kind::Exit:
            if (now.run_state != machine::RunState::Exited) return std::nullopt;
            return static_cast<std::uint64_t>(now.exit.value);
    }
    return std::nullopt;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    text = trimmed(text);
    if (text.starts_with("0x") || text.starts_with("0X"))
        return whole_number<std::uint64_t>(text.substr(2), 16);
    if (text.starts_with('-')) {
        const auto value = whole_number<std::int64_t>(text, 10);
        return value ? std::optional(static_cast<std::uint64_t>(*value)) : std::nullopt;
    }
    return whole_number<std::uint64_t>(text, 10);
}

std::uint64_t place_address(std::string_view text, const guest::SymbolTable* symbols) {
    text = trimmed(text);
    std::string_view name = text;
    std::uint64_t offset = 0;
    const auto number = [](std::string_view digits) {
        if (digits.starts_with("0x")) digits.remove_prefix(2);
        return whole_number<std::uint64_t>(digits, 16);
    };
    if (const std::size_t plus = text.find('+'); plus != std::string_view::npos) {
        name = text.substr(0, plus);
        const auto behind = number(text.substr(plus + 1));
        if (!behind) return 0;
        offset = *behind;
    }
    if (symbols && !name.empty())
        if (const guest::Symbol* symbol = symbols->by_name(name)) return symbol->address + offset;
    const auto value = number(name);
    return value ? *value + offset : 0;
}

}  // namespace e2k::lessons
