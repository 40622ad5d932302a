#include "engine/isa/assembler/macro.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/isa/assembler/lexical.h"

namespace e2k::isa::assembler {
namespace {

/// "<a <b> c>": up to the bracket that closes the first; `text` moves behind it.
std::string take_angles(std::string_view& text) {
    std::size_t i = 1, nesting = 1;
    for (; i < text.size(); ++i) {
        nesting += text[i] == '<';
        if (text[i] == '>' && --nesting == 0) break;
    }
    std::string inside(text.substr(1, std::min(i, text.size()) - 1));
    text.remove_prefix(std::min(i + 1, text.size()));
    return inside;
}

/// Up to a comma or a blank; parentheses and brackets keep theirs, quotes too.
std::string_view take_plain(std::string_view& text) {
    std::size_t i = 0;
    int nesting = 0;
    while (i < text.size()) {
        const char c = text[i];
        if (c == '"' || c == '\'') {
            i = skip_quoted(text, i);
            continue;
        }
        nesting += c == '(' || c == '[' ? 1 : c == ')' || c == ']' ? -1 : 0;
        if (nesting <= 0 && (c == ',' || c == ' ')) break;
        ++i;
    }
    const auto taken = text.substr(0, i);
    text.remove_prefix(i);
    return taken;
}

/// One argument of scrubbed text, without the quotes around it.
std::string take_argument(std::string_view& text, const ArgumentStyle& style) {
    std::string value;
    if (style.alternate && text.starts_with('%')) {
        auto rest = text.substr(1);
        const auto expression = take_plain(rest);
        const auto number = style.evaluate ? style.evaluate(expression) : std::nullopt;
        if (number) {
            text = rest;
            return *number;
        }
    }
    if (style.alternate && text.starts_with('<')) return take_angles(text);
    if (style.alternate && text.starts_with('\'')) {
        const auto end = std::min(text.find('\'', 1), text.size());
        value = text.substr(1, end - 1);
        text.remove_prefix(std::min(end + 1, text.size()));
        return value;
    }
    if (!text.starts_with('"')) return std::string(take_plain(text));
    while (text.starts_with('"')) {
        const auto inside = take_quoted(text);
        value += style.alternate ? fmt::format("\"{}\"", inside) : std::string(inside);
    }
    return value + std::string(take_plain(text));
}

void skip_separator(std::string_view& text) {
    text = trim(text);
    if (text.starts_with(',')) text = trim(text.substr(1));
}

const Parameter* find(const Macro& macro, std::string_view name) {
    const auto at = std::find_if(macro.parameters.begin(), macro.parameters.end(),
                                 [&](const Parameter& p) { return p.name == name; });
    return at == macro.parameters.end() ? nullptr : &*at;
}

/// The parameter that "NAME=" at the start of `text` names; `text` moves behind.
const Parameter* take_key(const Macro& macro, std::string_view& text) {
    const auto word = first_word(text);
    const auto after = text.substr(word.size());
    if (word.empty() || !after.starts_with('=') || after.starts_with("==")) return nullptr;
    const Parameter* const parameter = find(macro, word);
    if (parameter) text = after.substr(1);
    return parameter;
}

}  // namespace

std::optional<MacroComplaint> parse_macro_head(std::string_view head, const ArgumentStyle& style,
                                               Macro& macro) {
    const std::string scrubbed = scrub(head);
    std::string_view rest = scrubbed;
    const auto name = first_word(rest);
    if (name.empty()) return MacroComplaint{".macro", "the name of the macro is missing"};
    macro.name = name;
    rest.remove_prefix(name.size());
    skip_separator(rest);
    if (rest.starts_with('(') && rest.ends_with(')')) rest = rest.substr(1, rest.size() - 2);
    while (!rest.empty()) {
        const auto word = first_word(rest);
        if (word.empty())
            return MacroComplaint{std::string(rest), "the name of a parameter expected"};
        if (find(macro, word))
            return MacroComplaint{std::string(word), "there is a parameter of this name already"};
        if (!macro.parameters.empty() && macro.parameters.back().rest)
            return MacroComplaint{std::string(word), "nothing can follow a `:vararg` parameter"};
        Parameter parameter{std::string(word), {}};
        rest.remove_prefix(word.size());
        if (rest.starts_with(':')) {
            rest = trim(rest.substr(1));
            const auto kind = first_word(rest);
            parameter.required = kind == "req";
            parameter.rest = kind == "vararg";
            if (!parameter.required && !parameter.rest)
                return MacroComplaint{std::string(kind), "`req` or `vararg` expected"};
            rest.remove_prefix(kind.size());
        }
        if (rest.starts_with('=')) {
            rest = trim(rest.substr(1));
            parameter.value = take_argument(rest, style);
        }
        macro.parameters.push_back(std::move(parameter));
        skip_separator(rest);
    }
    return std::nullopt;
}

std::optional<MacroComplaint> parse_arguments(const Macro& macro, std::string_view text,
                                              const ArgumentStyle& style, Arguments& values) {
    const std::string scrubbed = scrub(text);
    std::string_view rest = scrubbed;
    std::size_t place = 0;
    std::size_t count = 0;
    for (bool more = !rest.empty(); more; ++count) {
        const Parameter* parameter = take_key(macro, rest);
        if (!parameter) {
            while (place < macro.parameters.size() && values.contains(macro.parameters[place].name))
                ++place;
            if (place < macro.parameters.size()) parameter = &macro.parameters[place++];
        }
        std::string value;
        if (parameter && parameter->rest)
            value = std::exchange(rest, std::string_view{});
        else
            value = take_argument(rest, style);
        if (parameter && !value.empty()) values[parameter->name] = std::move(value);
        if (!parameter && !value.empty())
            return MacroComplaint{std::string(trim(text)),
                                  fmt::format("the macro takes {} argument(s), not {}",
                                              macro.parameters.size(), count + 1)};
        more = !rest.empty();
        skip_separator(rest);
    }
    for (const Parameter& p : macro.parameters) {
        if (values.contains(p.name)) continue;
        if (p.required)
            return MacroComplaint{macro.name, fmt::format("the argument {} is missing", p.name)};
        values[p.name] = p.value;
    }
    return std::nullopt;
}

std::vector<std::string> parse_values(std::string_view text, const ArgumentStyle& style) {
    const std::string scrubbed = scrub(text);
    std::string_view rest = scrubbed;
    std::vector<std::string> values;
    for (bool more = !rest.empty(); more;) {
        values.push_back(take_argument(rest, style));
        more = !rest.empty();
        skip_separator(rest);
    }
    return values;
}

namespace {

/// Replaces names in a body, character by character.
class Substitution {
public:
    Substitution(std::string_view body, const Arguments& values, const Numbers& numbers,
                 bool alternate)
        : body_(body), values_(values), numbers_(numbers), alternate_(alternate) {}

    std::string run() {
        while (at_ < body_.size()) step();
        return std::move(out_);
    }

private:
    void step() {
        const char c = body_[at_];
        if (c == '\\' && at_ + 1 < body_.size()) return escape();
        if (c == '"') quoted_ = !quoted_;
        if (c == '\n') quoted_ = false;
        if (alternate_ && !quoted_ && is_name(c)) return word();
        if (alternate_ && c == '&' && joins()) return static_cast<void>(++at_);
        out_ += c;
        ++at_;
    }

    /// The longest parameter name at the start of `text`.
    Arguments::const_iterator longest(std::string_view text) const {
        std::size_t n = first_word(text).size();
        for (; n > 0; --n) {
            const auto value = values_.find(text.substr(0, n));
            if (value != values_.end()) return value;
            // A name may only end before what is no letter: `\reg.lo`, `\n$`.
            const auto inside = text.substr(0, n).find_last_of(".$");
            if (inside == std::string_view::npos) break;
            n = inside + 1;
        }
        return values_.end();
    }

    void escape() {
        const auto rest = body_.substr(at_ + 1);
        if (rest.starts_with('@') && numbers_.macro) {
            out_ += std::to_string(*numbers_.macro);
            at_ += 2;
            return;
        }
        if (rest.starts_with('+')) {
            out_ += std::to_string(numbers_.here);
            at_ += 2;
            return;
        }
        if (rest.starts_with("()")) {  // ends a name: \A()x
            at_ += 3;
            return;
        }
        const auto value = longest(rest);
        if (value == values_.end()) {
            out_ += body_[at_++];
            return;
        }
        out_ += value->second;
        at_ += 1 + value->first.size();
        if (alternate_ && at_ < body_.size() && body_[at_] == '&') ++at_;
    }

    void word() {
        const auto name = first_word(body_.substr(at_));
        const auto value = values_.find(name);
        out_ += value == values_.end() ? name : std::string_view(value->second);
        at_ += name.size();
        if (value != values_.end() && at_ < body_.size() && body_[at_] == '&') ++at_;
    }

    /// `&` before a parameter's name joins what stands before it with the value.
    bool joins() const { return values_.contains(first_word(body_.substr(at_ + 1))); }

    std::string_view body_;
    const Arguments& values_;
    const Numbers& numbers_;
    bool alternate_, quoted_ = false;
    std::size_t at_ = 0;
    std::string out_;
};

}  // namespace

std::string substitute(std::string_view body, const Arguments& values, const Numbers& numbers,
                       bool alternate) {
    return Substitution(body, values, numbers, alternate).run();
}

}  // namespace e2k::isa::assembler
