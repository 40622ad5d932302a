#include "engine/isa/assembler/preprocess.h"

#include <fmt/format.h>

#include <cctype>
#include <map>
#include <optional>

#include "engine/isa/assembler/cursor.h"

namespace e2k::isa::assembler {
namespace {

constexpr int kMaxDepth = 32;
constexpr std::size_t kMaxText = std::size_t{1} << 26;  ///< against expansions without end

bool is_name(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '$';
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
        text.remove_prefix(1);
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
        text.remove_suffix(1);
    return text;
}

std::string_view first_word(std::string_view text) {
    std::size_t n = 0;
    while (n < text.size() && is_name(text[n])) ++n;
    return text.substr(0, n);
}

/// A line of input and where it stands.
struct Line {
    std::string text;
    Origin origin;
};
using Lines = std::vector<Line>;

struct Macro {
    struct Parameter {
        std::string name, value;
    };
    std::vector<Parameter> parameters;
    Lines body;
};

/// A block between two directives that nest.
struct Block {
    std::string_view open, close;
};
constexpr Block kMacro{".macro", ".endm"}, kRepeat{".rept", ".endr"};

class Preprocessor {
public:
    explicit Preprocessor(const SourceReader& read) : read_(read) {}

    ExpandedSource run(std::string_view source) {
        expand(cut(source, 0), 0);
        return std::move(out_);
    }

private:
    static Lines cut(std::string_view source, int file) {
        Lines lines;
        for (std::size_t at = 0; at <= source.size();) {
            const auto end = std::min(source.find('\n', at), source.size());
            auto text = source.substr(at, end - at);
            if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
            lines.push_back(
                {std::string(text), {file, static_cast<int>(lines.size()) + 1, {}, {}}});
            at = end + 1;
        }
        return lines;
    }

    /// Writes a plain line.
    void emit(std::string_view text, const Origin& origin) {
        if (out_.text.size() > kMaxText) {
            if (!full_)
                out_.errors.push_back({static_cast<int>(out_.origins.size()),
                                       1,
                                       "the expanded source is larger than 64 MiB",
                                       {}});
            full_ = true;
            return;
        }
        out_.text += text;
        out_.text += '\n';
        out_.origins.push_back(origin);
    }

    /// A line that has been read, and its number in the output.
    struct Place {
        const Line& line;
        int number;
    };
    /// Leaves an empty line where a directive stood.
    Place skip(const Line& line) {
        emit({}, line.origin);
        if (!full_) out_.origins.back().text = line.text;
        return {line, static_cast<int>(out_.origins.size())};
    }

    void fail(const Place& at, std::string_view part, std::string message) {
        const auto column = part.empty() ? std::string::npos : at.line.text.find(part);
        out_.errors.push_back({at.number,
                               column == std::string::npos ? 1 : static_cast<int>(column) + 1,
                               std::move(message), std::string(part)});
    }

    /// The line without comments; keeps track of comments over several lines.
    std::string code_of(std::string_view text) {
        std::string code;
        for (std::size_t i = 0; i < text.size(); ++i) {
            const char c = text[i], next = i + 1 < text.size() ? text[i + 1] : '\0';
            if (in_comment_) {
                if (c == '*' && next == '/') {
                    in_comment_ = false;
                    ++i;
                }
                code += ' ';
                continue;
            }
            if (c == '!' || (c == '#' && trim(code).empty())) break;
            if (c == '/' && next == '*') {
                in_comment_ = true;
                ++i;
                code += ' ';
            } else if (c == '"') {
                const auto start = i++;
                while (i < text.size() && text[i] != '"') i += text[i] == '\\' ? 2 : 1;
                code += text.substr(start, i + 1 - start);
            } else {
                code += c;
                if (c == '\'' && next) code += text[++i];
            }
        }
        return code;
    }

    std::optional<std::uint64_t> evaluate(const Place& at, std::string_view expression) {
        const SymbolValues values = [&](std::string_view name) -> std::optional<SymbolValue> {
            const auto found = constants_.find(name);
            if (found == constants_.end()) return std::nullopt;
            return SymbolValue{found->second, true};
        };
        Cursor in(SourceLine{expression, 1, 1}, values);
        const Number n = in.expression();
        if (in.ok() && !in.at_end()) in.fail("nothing more expected here");
        if (in.ok()) return n.value;
        const auto& error = *in.error();
        fail(at, error.text.empty() ? expression : std::string_view(error.text),
             error.message == "this symbol is not defined"
                 ? "only constants defined before can be used here"
                 : error.message);
        return std::nullopt;
    }

    /// Notes "NAME = value" and its directives, if the value is a constant known here.
    void note_constant(std::string_view code) {
        auto name = first_word(code);
        auto rest = trim(code.substr(name.size()));
        if (name == ".equ" || name == ".set") {
            name = first_word(rest);
            rest = trim(rest.substr(name.size()));
            if (rest.empty() || rest.front() != ',') return;
        } else if (rest.empty() || rest.front() != '=') {
            return;
        }
        const auto errors = out_.errors.size();
        const Line none;
        const auto value = evaluate({none, 0}, trim(rest.substr(1)));
        out_.errors.resize(errors);
        if (value && !name.empty()) constants_[std::string(plain_name(name))] = *value;
    }

    void expand(const Lines& lines, int depth) {
        for (std::size_t i = 0; i < lines.size() && !full_; ++i) {
            const Line& line = lines[i];
            const std::string code_text = code_of(line.text);
            const auto code = trim(code_text);
            const auto word = first_word(code);
            const auto name = lower(word);
            const auto rest = trim(code.substr(word.size()));
            if (is_condition(name)) {
                condition(skip(line), name, rest);
            } else if (!active()) {
                skip(line);
            } else if (name == ".macro") {
                const Place at = skip(line);
                define(at, rest, block(at, lines, i, kMacro));
            } else if (name == ".rept") {
                const Place at = skip(line);
                const auto count = evaluate(at, rest);
                const Lines body = block(at, lines, i, kRepeat);
                for (std::uint64_t k = 0; k < count.value_or(0) && !full_; ++k)
                    expand(body, depth + 1);
            } else if (name == ".endm" || name == ".endr") {
                fail(skip(line), word, fmt::format("{} ends nothing", name));
            } else if (name == ".include") {
                include(skip(line), rest, depth);
            } else {
                statement(line, code, depth);
            }
        }
        if (depth == 0 && !conditions_.empty())
            out_.errors.push_back(
                {conditions_.back().number, 1, "this condition is not closed by .endif", {}});
    }

    void statement(const Line& line, std::string_view code, int depth) {
        // Labels stay in front of what a macro becomes.
        std::string labels;
        auto rest = code;
        for (auto word = first_word(rest); !word.empty(); word = first_word(rest)) {
            const auto after = trim(rest.substr(word.size()));
            if (after.empty() || after.front() != ':') break;
            labels += fmt::format("{}: ", word);
            rest = trim(after.substr(1));
        }
        const auto word = first_word(rest);
        const auto macro = macros_.find(word);
        const auto arguments = trim(rest.substr(word.size()));
        const bool assignment = !arguments.empty() && arguments.front() == '=';
        if (macro == macros_.end() || assignment) {
            note_constant(code);
            emit(line.text, line.origin);
            return;
        }
        emit(labels, line.origin);
        out_.origins.back().text = line.text;
        const Place at{line, static_cast<int>(out_.origins.size())};
        use(at, word, macro->second, arguments, depth);
    }

    /// Lines up to the directive that closes the block; `i` moves there.
    Lines block(const Place& at, const Lines& lines, std::size_t& i, const Block& kind) {
        Lines body;
        int nested = 1;
        for (++i; i < lines.size(); ++i) {
            const std::string code = code_of(lines[i].text);
            const auto name = lower(first_word(trim(code)));
            nested += name == kind.open ? 1 : name == kind.close ? -1 : 0;
            skip(lines[i]);
            if (nested == 0) return body;
            body.push_back(lines[i]);
        }
        fail(at, kind.open, fmt::format("{} is not closed by {}", kind.open, kind.close));
        return {};
    }

    void define(const Place& at, std::string_view head, Lines body) {
        const auto name = first_word(head);
        if (name.empty()) return fail(at, ".macro", "the name of the macro is missing");
        Macro macro;
        auto rest = trim(head.substr(name.size()));
        while (!rest.empty()) {
            if (rest.front() == ',') rest = trim(rest.substr(1));
            const auto parameter = first_word(rest);
            if (parameter.empty()) return fail(at, rest, "the name of a parameter expected");
            rest = trim(rest.substr(parameter.size()));
            std::string value;
            if (!rest.empty() && rest.front() == '=') {
                rest = trim(rest.substr(1));
                const auto end = std::min(rest.find(','), rest.size());
                value = std::string(trim(rest.substr(0, end)));
                rest = trim(rest.substr(end));
            }
            macro.parameters.push_back({std::string(parameter), value});
        }
        macro.body = std::move(body);
        macros_[std::string(name)] = std::move(macro);
    }
    void include(const Place& at, std::string_view rest, int depth) {
        const auto close = rest.find('"', 1);
        if (rest.empty() || rest.front() != '"' || close == rest.npos)
            return fail(at, rest, "the name of a file in quotes expected");
        const std::string name(rest.substr(1, close - 1));
        if (!read_) return fail(at, name, "no files can be read here");
        if (depth >= kMaxDepth) return fail(at, name, "files include one another without end");
        const auto text = read_(name);
        if (!text) return fail(at, name, text.error());
        out_.files.push_back(name);
        expand(cut(*text, static_cast<int>(out_.files.size()) - 1), depth + 1);
    }

    // ---- conditions ------------------------------------------------------------------------

    bool active() const {
        for (const Condition& c : conditions_)
            if (!c.active) return false;
        return true;
    }

    static bool is_condition(std::string_view name) {
        return name == ".if" || name == ".ifdef" || name == ".ifndef" || name == ".else" ||
               name == ".endif";
    }

    void condition(const Place& at, std::string_view name, std::string_view rest) {
        if (name == ".if") {
            const bool holds = active() && evaluate(at, rest).value_or(0) != 0;
            conditions_.push_back({at.number, holds, false});
        } else if (name == ".ifdef" || name == ".ifndef") {
            const bool holds = constants_.contains(plain_name(rest)) == (name == ".ifdef");
            conditions_.push_back({at.number, holds, false});
        } else if (conditions_.empty() || (name == ".else" && conditions_.back().has_else)) {
            fail(at, name, fmt::format("{} without .if", name));
        } else if (name == ".else") {
            conditions_.back().active = !conditions_.back().active;
            conditions_.back().has_else = true;
        } else {
            conditions_.pop_back();
        }
    }

    // ---- macros ----------------------------------------------------------------------------

    /// Arguments between commas; parentheses, brackets and quotes keep theirs.
    static std::vector<std::string> split(std::string_view text) {
        std::vector<std::string> out;
        std::string current;
        int nesting = 0;
        bool quoted = false;
        for (const char c : text) {
            quoted = quoted != (c == '"');
            if (!quoted) nesting += c == '(' || c == '[' ? 1 : c == ')' || c == ']' ? -1 : 0;
            if (c == ',' && nesting == 0 && !quoted) {
                out.emplace_back(trim(current));
                current.clear();
            } else {
                current += c;
            }
        }
        if (!trim(current).empty() || !out.empty()) out.emplace_back(trim(current));
        return out;
    }

    void use(const Place& at, std::string_view name, const Macro& macro, std::string_view arguments,
             int depth) {
        if (depth >= kMaxDepth) return fail(at, name, "macros use one another without end");
        std::map<std::string, std::string, std::less<>> values;
        for (const Macro::Parameter& p : macro.parameters) values[p.name] = p.value;
        const auto given = split(arguments);
        if (given.size() > macro.parameters.size())
            return fail(at, arguments,
                        fmt::format("the macro takes {} argument(s), not {}",
                                    macro.parameters.size(), given.size()));
        for (std::size_t i = 0; i < given.size(); ++i) {
            const auto key = first_word(given[i]);
            const auto after = trim(std::string_view(given[i]).substr(key.size()));
            if (!after.empty() && after.front() == '=' && values.contains(key))
                values[std::string(key)] = std::string(trim(after.substr(1)));
            else if (!given[i].empty())
                values[macro.parameters[i].name] = given[i];
        }
        Lines body;
        const int use_number = uses_++;
        for (const Line& l : macro.body) {
            Line copy{substitute(l.text, values, use_number), l.origin};
            copy.origin.note = fmt::format("in macro {} of line {}", name, at.line.origin.line);
            body.push_back(std::move(copy));
        }
        expand(body, depth + 1);
    }

    static std::string substitute(std::string_view text,
                                  const std::map<std::string, std::string, std::less<>>& values,
                                  int use_number) {
        std::string out;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] != '\\' || i + 1 == text.size()) {
                out += text[i];
                continue;
            }
            const auto rest = text.substr(i + 1);
            std::size_t n = 0;
            while (n < rest.size() && is_name(rest[n]) && rest[n] != '.' && rest[n] != '$') ++n;
            const auto value = values.find(rest.substr(0, n));
            if (rest.front() == '@') {
                out += std::to_string(use_number);
                ++i;
            } else if (rest.starts_with("()")) {  // ends a name: \A()x
                i += 2;
            } else if (value != values.end()) {
                out += value->second;
                i += n;
            } else {
                out += text[i];
            }
        }
        return out;
    }

    struct Condition {
        int number;  ///< of its line in the output
        bool active, has_else;
    };

    const SourceReader& read_;
    ExpandedSource out_;
    std::map<std::string, Macro, std::less<>> macros_;
    std::map<std::string, std::uint64_t, std::less<>> constants_;
    std::vector<Condition> conditions_;
    bool in_comment_ = false, full_ = false;
    int uses_ = 0;
};

}  // namespace

ExpandedSource preprocess(std::string_view source, const SourceReader& read) {
    return Preprocessor(read).run(source);
}

}  // namespace e2k::isa::assembler
