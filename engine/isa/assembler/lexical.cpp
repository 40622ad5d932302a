#include "engine/isa/assembler/lexical.h"

namespace e2k::isa::assembler {

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

std::string_view first_word(std::string_view text) {
    std::size_t n = 0;
    while (n < text.size() && is_name(text[n])) ++n;
    return text.substr(0, n);
}

std::size_t skip_quoted(std::string_view text, std::size_t at) {
    const auto escaped = [&](std::size_t i) {
        return text[i] == '\\' && i + 1 < text.size() && text[i + 1] != '\n' ? i + 2 : i + 1;
    };
    if (text[at] == '\'') {  // 'c, 'c', '\n'
        if (++at < text.size() && text[at] != '\n') at = escaped(at);
        while (at < text.size() && (text[at] & 0xc0) == 0x80) ++at;  // the rest of a letter
        return at < text.size() && text[at] == '\'' ? at + 1 : at;
    }
    for (++at; at < text.size() && text[at] != '\n' && text[at] != '"';) at = escaped(at);
    return at < text.size() && text[at] == '"' ? at + 1 : at;
}

std::string_view take_quoted(std::string_view& text) {
    const std::size_t end = skip_quoted(text, 0);
    auto inside = text.substr(1, end - 1);
    if (end > 1 && !inside.empty() && inside.back() == '"') inside.remove_suffix(1);
    text.remove_prefix(end);
    return inside;
}

std::string Comments::strip(std::string_view line) {
    std::string code(line);
    block_ = inside_;
    bool blank = true;  // nothing but blanks so far
    for (std::size_t i = 0; i < code.size();) {
        const auto starts = [&](std::string_view what) {
            return std::string_view(code).substr(i).starts_with(what);
        };
        const char c = code[i];
        if (inside_) {
            inside_ = !starts("*/");
            code[i] = ' ';
            if (!inside_) code[++i] = ' ';
            ++i;
        } else if (starts("/*")) {
            inside_ = block_ = true;
            code[i] = code[i + 1] = ' ';
            i += 2;
        } else if (c == '!' || (c == '#' && blank)) {
            code.resize(i);
        } else if (c == '"' || c == '\'') {
            i = skip_quoted(code, i);
            blank = false;
        } else {
            blank = blank && is_blank(c);
            ++i;
        }
    }
    return code;
}

std::size_t next_statement(std::string_view code, std::size_t from) {
    for (std::size_t i = from; i < code.size();) {
        const char c = code[i];
        if (c == ';' || c == '{' || c == '}') return i;
        i = c == '"' || c == '\'' ? skip_quoted(code, i) : i + 1;
    }
    return code.npos;
}

std::string scrub(std::string_view text) {
    const auto word = [](char c) { return is_name(c) || c == '\\' || c == '@'; };
    text = trim(text);
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] == '"' || text[i] == '\'') {
            const auto end = skip_quoted(text, i);
            out += text.substr(i, end - i);
            i = end;
            continue;
        }
        if (!is_blank(text[i])) {
            out += text[i++];
            continue;
        }
        while (is_blank(text[i])) ++i;
        const char before = out.empty() ? '\0' : out.back(), after = text[i];
        const bool ends = word(before) || before == '"' || before == ')' || before == ']';
        // A register behind a word: "m 1 %dr2" has two arguments, "m 10 % 3" one.
        const bool register_name =
            after == '%' && i + 1 < text.size() && is_name(text[i + 1]) && !is_digit(text[i + 1]);
        if (ends && (word(after) || after == '"' || register_name)) out += ' ';
    }
    return out;
}

std::string clip(std::string_view text) {
    constexpr std::size_t kLongest = 160;
    text = text.substr(0, text.find('\n'));
    if (text.size() <= kLongest) return std::string(text);
    return std::string(text.substr(0, kLongest)) + "...";
}

}  // namespace e2k::isa::assembler
