#include "engine/isa/assembler/preprocess.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <unordered_map>

#include "engine/isa/assembler/conditions.h"
#include "engine/isa/assembler/cursor.h"
#include "engine/isa/assembler/lexical.h"
#include "engine/isa/assembler/macro.h"
#include "engine/isa/assembler/statements.h"

namespace e2k::isa::assembler {
namespace {

// Against sources without end: generous for people, small for machines.
constexpr int kMaxDepth = 100;                              ///< of macros, repetitions, files
constexpr std::size_t kMaxExpanded = std::size_t{1} << 20;  ///< statements and repetitions
constexpr std::size_t kMaxText = std::size_t{1} << 25;      ///< bytes, of all texts made
constexpr std::size_t kMaxPrinted = 1000;                   ///< lines of `.print`

/// A block between directives that nest; the open ones count as one kind.
struct Block {
    bool (*opens)(std::string_view name);
    bool (*closes)(std::string_view name);
    std::string_view close;
};
constexpr Block kMacro{[](std::string_view n) { return n == ".macro"; },
                       [](std::string_view n) { return n == ".endm" || n == ".endmacro"; },
                       ".endm"};
constexpr Block kRepeat{[](std::string_view n) {
                            return n == ".rept" || n == ".rep" || n == ".irp" || n == ".irpc" ||
                                   n == ".irep" || n == ".irepc";
                        },
                        [](std::string_view n) { return n == ".endr"; }, ".endr"};

class Preprocessor {
public:
    Preprocessor(const SourceReader& read, const EarlyValues& early, ExpandedSource& out)
        : read_(read), early_(early), out_(out) {
        world_.value = [this](std::string_view expression) {
            const auto value = evaluate(expression);
            return value ? std::optional(static_cast<std::int64_t>(*value)) : std::nullopt;
        };
        world_.defined = [this](std::string_view name) {
            return defined_.contains(plain_name(name));
        };
        style_.evaluate = [this](std::string_view expression) -> std::optional<std::string> {
            const auto value = try_evaluate(expression);
            if (!value) return std::nullopt;
            return std::to_string(static_cast<std::int64_t>(*value));
        };
    }

    void run(std::string_view source) {
        Statements in(source, nullptr, 0, lines_read_);
        expand(in, 0);
        if (!stop_) check_closed(0);
        check_comment(in);
        out_.text += '\n';
    }

private:
    using Handler = void (Preprocessor::*)(Piece& at, Statements& in, int depth);

    // ---- output ----------------------------------------------------------------------------

    /// Makes the line of `at` the one that is written to; what stands there already stays.
    void open_line(const Piece& at) {
        if (open_ == at.id) return;
        if (!out_.origins.empty()) out_.text += '\n';
        out_.origins.push_back(at.origin);
        open_ = at.id;
        line_start_ = out_.text.size();
    }

    void emit(const Piece& at, std::string_view raw) {
        constexpr std::size_t kMaxPad = 200;
        open_line(at);
        const std::size_t column = std::min(at.column, kMaxPad);
        if (out_.text.size() < line_start_ + column)
            out_.text.append(line_start_ + column - out_.text.size(), ' ');
        out_.text += raw;
        if (out_.text.size() > kMaxText) give_up(at, "the source is too large");
    }

    int number() const { return std::max<int>(1, static_cast<int>(out_.origins.size())); }

    AssemblyError complaint(const Piece& at, std::string_view part, std::string message) {
        open_line(at);
        auto column = part.empty() ? std::string_view::npos : at.line.find(part);
        // A part of the statement stands where it stands, not where its text is seen first.
        const auto* const from = at.uncommented.data();
        const std::less_equal<> not_behind;
        if (!part.empty() && not_behind(from, part.data()) &&
            not_behind(part.data() + part.size(), from + at.uncommented.size()))
            column = at.column + static_cast<std::size_t>(part.data() - from);
        AssemblyError error{number(),
                            column == std::string_view::npos ? 1 : static_cast<int>(column) + 1,
                            std::move(message), clip(part)};
        if (at.line.size() <= kLongestShown) error.source = at.line;
        return error;
    }
    void fail(const Piece& at, std::string_view part, std::string message) {
        out_.errors.add(complaint(at, part, std::move(message)));
    }
    void give_up(const Piece& at, std::string message, std::string_view part = {}) {
        if (!stop_) fail(at, part, std::move(message));
        stop_ = out_.hopeless = true;
    }

    /// Counts what macros and repetitions make.
    bool spend(const Piece& at) {
        if (++expanded_ > kMaxExpanded)
            give_up(at, fmt::format("macros and repetitions make more than {} statements here",
                                    kMaxExpanded));
        return !stop_;
    }
    bool spend_bytes(const Piece& at, std::size_t bytes) {
        made_ += bytes;
        if (made_ > kMaxText)
            give_up(at, fmt::format("macros and repetitions make more than {} MiB here",
                                    kMaxText >> 20));
        return !stop_;
    }

    // ---- values ----------------------------------------------------------------------------

    /// Value of an expression, or the complaint about it.
    tl::expected<std::uint64_t, AssemblyError> value_of(std::string_view expression, bool labels) {
        bool early = false;
        const SymbolValues values = [&](std::string_view name) -> std::optional<SymbolValue> {
            const auto found = constants_.find(name);
            if (found != constants_.end()) return SymbolValue{found->second, true};
            if (!labels || !early_) return std::nullopt;
            early = true;
            return early_(name, out_);
        };
        Cursor in(SourceLine{expression, 1, 1}, values);
        const Number n = in.expression();
        if (in.ok() && !in.at_end()) in.fail("nothing more expected here");
        // Sections lie far apart: what is left small is a difference inside one.
        constexpr std::int64_t kFar = std::int64_t{1} << 39;
        const auto value = static_cast<std::int64_t>(n.value);
        if (in.ok() && early && (value > kFar || value < -kFar))
            in.fail_at(expression, "this symbol is not defined");
        if (in.ok()) return n.value;
        return tl::unexpected(*in.error());
    }

    std::optional<std::uint64_t> try_evaluate(std::string_view expression) {
        const auto value = value_of(expression, true);
        return value ? std::optional(*value) : std::nullopt;
    }

    /// The same with a complaint at the statement that is being read.
    std::optional<std::uint64_t> evaluate(std::string_view expression) {
        const auto value = value_of(expression, true);
        if (value) return *value;
        const AssemblyError& error = value.error();
        fail(*at_, error.text.empty() ? expression : std::string_view(error.text),
             error.message == "this symbol is not defined"
                 ? "only constants defined before and distances between labels before can be used "
                   "here"
                 : error.message);
        return std::nullopt;
    }

    /// Notes what a plain statement defines.
    void note_definitions(const Piece& at) {
        for (auto rest = at.labels; !rest.empty();) {
            const auto label = first_word(rest);
            rest = trim(rest.substr(label.size()));
            rest = trim(rest.substr(rest.empty() ? 0 : 1));
            if (label.empty()) break;
            if (!is_digit(label.front())) define(label, std::nullopt);
        }
        auto name = at.word;
        auto rest = at.rest;
        const auto lowered = name.starts_with('.') ? lower(name) : std::string();
        const bool directive = lowered == ".equ" || lowered == ".set" || lowered == ".equiv" ||
                               lowered == ".eqv" || lowered == ".comm" || lowered == ".lcomm" ||
                               lowered == ".common";
        if (directive) {
            name = first_word(rest);
            rest = trim(rest.substr(name.size()));
            if (!rest.starts_with(',')) return;
            if (lowered.ends_with("comm") || lowered == ".common")
                return define(name, std::nullopt);
            rest.remove_prefix(1);
        } else if (rest.starts_with('=') && !name.empty()) {
            rest.remove_prefix(rest.starts_with("==") ? 2 : 1);
        } else {
            return;
        }
        const auto value = value_of(trim(rest), false);
        define(name, value ? std::optional(*value) : std::nullopt);
    }
    void define(std::string_view name, std::optional<std::uint64_t> constant) {
        name = plain_name(name);
        if (name.empty() || name == ".") return;
        defined_.insert(std::string(name));
        if (constant)
            constants_[std::string(name)] = *constant;
        else if (const auto at = constants_.find(name); at != constants_.end())
            constants_.erase(at);
    }

    // ---- reading ---------------------------------------------------------------------------

    void expand(Statements& in, int depth) {
        Piece at;
        while (!stop_ && !leaving_ && in.next(at)) {
            if (depth > 0 && !at.code.empty() && !spend(at)) return;
            at_ = &at;
            statement(at, in, depth);
        }
    }

    void statement(Piece& at, Statements& in, int depth) {
        const auto name = at.word.starts_with('.') ? lower(at.word) : std::string();
        if (Conditions::is_directive(name)) {
            if (conditions_.active()) emit(at, at.head());
            open_line(at);
            const auto message = conditions_.apply(name, at.rest, number(), world_);
            if (message) fail(at, at.word, *message);
            return;
        }
        if (!conditions_.active()) return open_line(at);
        if (const Handler handler = handler_of(name)) {
            emit(at, at.head());
            return (this->*handler)(at, in, depth);
        }
        const bool assignment = at.rest.starts_with('=');
        if (!at.word.empty() && !assignment && !macros_.empty()) {
            const auto macro = macros_.find(lower(at.word));
            if (macro != macros_.end()) {
                emit(at, at.head());
                note_definitions(at);
                return use(at, macro->second, depth);
            }
        }
        note_definitions(at);
        emit(at, at.raw);
    }

    static Handler handler_of(std::string_view name) {
        static const std::unordered_map<std::string_view, Handler> handlers{
            {".macro", &Preprocessor::macro},         {".endm", &Preprocessor::stray},
            {".endmacro", &Preprocessor::stray},      {".purgem", &Preprocessor::purge},
            {".exitm", &Preprocessor::exit_macro},    {".rept", &Preprocessor::repeat},
            {".rep", &Preprocessor::repeat},          {".irp", &Preprocessor::repeat_values},
            {".irep", &Preprocessor::repeat_values},  {".irpc", &Preprocessor::repeat_values},
            {".irepc", &Preprocessor::repeat_values}, {".endr", &Preprocessor::stray},
            {".altmacro", &Preprocessor::alternate},  {".noaltmacro", &Preprocessor::alternate},
            {".include", &Preprocessor::include},     {".end", &Preprocessor::end},
            {".err", &Preprocessor::report},          {".error", &Preprocessor::report},
            {".warning", &Preprocessor::report},      {".print", &Preprocessor::report},
            {".fail", &Preprocessor::report},         {".abort", &Preprocessor::report}};
        if (name.empty()) return nullptr;
        const auto at = handlers.find(name);
        return at == handlers.end() ? nullptr : at->second;
    }

    void stray(Piece& at, Statements&, int) {
        fail(at, at.word, fmt::format("{} ends nothing", lower(at.word)));
    }

    void end(Piece& at, Statements&, int) {
        open_line(at);
        stop_ = true;
    }

    /// Complains about conditions opened since there were `depth`.
    void check_closed(std::size_t depth) {
        if (conditions_.depth() <= depth) return;
        out_.errors.add({conditions_.number(), 1, "this condition is not closed by .endif", {}});
        conditions_.close_to(depth);
    }

    void check_comment(const Statements& in) {
        if (const auto open = in.open_comment())
            fail(*open, open->raw, "this comment is not closed");
    }

    /// Statements up to the directive that closes the block.
    Body block(const Piece& open, Statements& in, const Block& kind) {
        Body body;
        const Piece start = open;
        const std::string word(open.word);
        const auto append = [&](const Piece& at, std::string_view raw) {
            if (at.first || body.origins.empty()) {
                if (!body.origins.empty()) body.text += '\n';
                body.origins.push_back(at.origin);
                if (!at.first) body.text.append(std::min<std::size_t>(at.column, 200), ' ');
            }
            body.text += raw;
        };
        int nested = 1;
        Piece at;
        while (in.next(at)) {
            if (!spend_bytes(at, at.raw.size())) return {};
            const auto name = at.word.starts_with('.') ? lower(at.word) : std::string();
            nested += kind.opens(name) ? 1 : kind.closes(name) ? -1 : 0;
            open_line(at);
            if (nested > 0) {
                append(at, at.raw);
                continue;
            }
            if (!trim(at.head()).empty()) append(at, at.head());
            return body;
        }
        fail(start, word, fmt::format("{} is not closed by {}", lower(word), kind.close));
        return {};
    }
    /// Reads a body that a macro or a repetition has made. True if it ended by `.exitm`.
    bool expand_body(const std::string& text, const std::vector<Origin>& origins, int note,
                     int depth) {
        const auto conditions = conditions_.depth();
        Statements in(text, &origins, 0, lines_read_);
        in.set_note(note);
        expand(in, depth + 1);
        if (stop_) return true;
        if (std::exchange(leaving_, false)) {
            conditions_.close_to(conditions);
            return true;
        }
        check_closed(conditions);
        return false;
    }

    /// Guards the stack; complains once, since the same happens in every branch of a recursion.
    bool too_deep(const Piece& at, int depth, std::string_view what, std::string_view part) {
        if (depth < kMaxDepth) return false;
        give_up(at, fmt::format("{} use one another without end", what), part);
        return true;
    }

    /// The body with its values; gives up if it becomes too long.
    std::optional<std::string> fill(const Piece& at, const Body& body, const Arguments& values,
                                    const Numbers& numbers) {
        std::size_t longest = 0;
        for (const auto& [name, value] : values) longest = std::max(longest, value.size());
        const auto places =
            style_.alternate
                ? body.text.size()
                : static_cast<std::size_t>(std::count(body.text.begin(), body.text.end(), '\\'));
        if (places * longest > kMaxText) {
            give_up(at, "the lines of this macro become too long");
            return std::nullopt;
        }
        std::string text = substitute(body.text, values, numbers, style_.alternate);
        if (!spend_bytes(at, text.size())) return std::nullopt;
        return text;
    }

    // ---- macros ----------------------------------------------------------------------------

    void macro(Piece& at, Statements& in, int) {
        Macro macro;
        const auto wrong = parse_macro_head(at.rest, style_, macro);
        if (wrong) fail(at, wrong->part, wrong->message);
        macro.body = block(at, in, kMacro);
        const auto name = lower(macro.name);
        if (!wrong) macros_[name] = std::move(macro);
    }

    void purge(Piece& at, Statements&, int) {
        const auto name = first_word(at.rest);
        if (macros_.erase(lower(name)) == 0) fail(at, name, "there is no macro of this name");
    }

    void exit_macro(Piece& at, Statements&, int depth) {
        if (depth == 0) return fail(at, at.word, ".exitm stands in macros and repetitions only");
        leaving_ = true;
    }

    void alternate(Piece& at, Statements&, int) {
        style_.alternate = lower(at.word) == ".altmacro";
    }

    void use(Piece& at, Macro& macro, int depth) {
        if (too_deep(at, depth, "macros", macro.name) || !spend(at)) return;
        Arguments values;
        if (const auto wrong = parse_arguments(macro, at.rest, style_, values))
            return fail(at, wrong->part, wrong->message);
        Body body = macro.body;  // it may define itself anew
        if (style_.alternate) take_locals(body, values);
        const int note = note_of(macro.name, at.origin.line);
        const auto text = fill(at, body, values, {uses_, macro.uses});
        ++uses_;
        ++macro.uses;
        if (text) expand_body(*text, body.origins, note, depth);
    }

    /// `LOCAL a, b` in a body: names that are new in every use.
    void take_locals(Body& body, Arguments& values) {
        constexpr std::string_view kLocal = "local";
        std::string text;
        std::string_view rest = body.text;
        while (!rest.empty()) {
            const auto end = std::min(rest.find('\n'), rest.size());
            const auto line = trim(rest.substr(0, end));
            const auto word = first_word(line);
            if (lower(word) == kLocal)
                for (const std::string& name : parse_values(line.substr(word.size()), style_))
                    values[name] = fmt::format(".LL{:04x}", locals_++);
            else
                text += rest.substr(0, end);
            if (end < rest.size()) text += '\n';
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        body.text = std::move(text);
    }

    /// The note of lines that a macro makes.
    int note_of(const std::string& name, int line) {
        auto note = fmt::format("in macro {} of line {}", name, line);
        const auto [at, fresh] = notes_.emplace(note, static_cast<int>(out_.notes.size()));
        if (fresh) out_.notes.push_back(std::move(note));
        return at->second;
    }

    // ---- repetition ------------------------------------------------------------------------

    void repeat(Piece& at, Statements& in, int depth) {
        const auto count = static_cast<std::int64_t>(evaluate(at.rest).value_or(0));
        if (count < 0) fail(at, at.rest, "a repetition cannot have a negative count");
        const Piece open = at;
        const Body body = block(at, in, kRepeat);
        if (too_deep(open, depth, "repetitions", {})) return;
        for (std::int64_t k = 0; k < count && spend(open); ++k) {
            const auto text = fill(open, body, {}, {std::nullopt, static_cast<unsigned>(k)});
            if (!text || expand_body(*text, body.origins, open.origin.note, depth)) return;
        }
    }

    void repeat_values(Piece& at, Statements& in, int depth) {
        const auto name = std::string(first_word(at.rest));
        const bool characters = lower(at.word).ends_with('c');
        if (name.empty()) fail(at, at.word, "the name of a parameter expected");
        auto rest = trim(at.rest.substr(name.size()));
        if (rest.starts_with(',')) rest = trim(rest.substr(1));
        auto values = parse_values(rest, style_);
        if (characters) {
            std::string all;
            for (const std::string& value : values) all += value;
            values.clear();
            for (const char c : all) values.emplace_back(1, c);
        }
        if (values.empty()) values.emplace_back();
        const Piece open = at;
        const Body body = block(at, in, kRepeat);
        if (name.empty() || too_deep(open, depth, "repetitions", {})) return;
        unsigned k = 0;
        for (std::string& value : values) {
            const auto text = fill(open, body, {{name, std::move(value)}}, {uses_, k++});
            if (!text || expand_body(*text, body.origins, open.origin.note, depth)) return;
        }
    }

    // ---- files and messages ----------------------------------------------------------------

    void include(Piece& at, Statements&, int depth) {
        auto rest = at.rest;
        if (!rest.starts_with('"')) return fail(at, rest, "the name of a file in quotes expected");
        const std::string name(take_quoted(rest));
        if (!read_) return fail(at, name, "no files can be read here");
        if (depth >= kMaxDepth) return give_up(at, "files include one another without end");
        const auto text = read_(name);
        if (!text) return fail(at, name, text.error());
        if (!spend(at) || !spend_bytes(at, text->size())) return;
        out_.files.push_back(name);
        const auto conditions = conditions_.depth();
        Statements in(*text, nullptr, static_cast<int>(out_.files.size()) - 1, lines_read_);
        expand(in, depth + 1);
        leaving_ = false;
        if (!stop_) check_closed(conditions);
        check_comment(in);
    }

    /// `.err`, `.error "…"`, `.warning "…"`, `.print "…"`, `.fail N`, `.abort`.
    void report(Piece& at, Statements&, int) {
        const auto name = lower(at.word);
        auto rest = at.rest;
        std::string text(rest.starts_with('"') ? take_quoted(rest) : rest);
        if (name == ".print") {
            if (out_.printed.size() < kMaxPrinted) out_.printed.push_back(std::move(text));
            return;
        }
        if (name == ".abort") return give_up(at, ".abort: the source ends itself here");
        bool warning = name == ".warning";
        if (name == ".fail") {
            constexpr std::uint64_t kFirstWarning = 500;
            const auto value = evaluate(rest);
            if (!value) return;
            warning = *value >= kFirstWarning;
            text = fmt::format(".fail {} encountered", *value);
        }
        if (text.empty()) text = fmt::format("{} encountered", name);
        AssemblyError error = complaint(at, at.word, clip(text));
        error.text.clear();
        error.warning = warning;
        (warning ? out_.warnings : out_.errors).add(std::move(error));
    }

    const SourceReader& read_;
    const EarlyValues& early_;
    ExpandedSource& out_;
    ConditionWorld world_;
    ArgumentStyle style_;
    Conditions conditions_;
    std::map<std::string, Macro, std::less<>> macros_;
    std::map<std::string, std::uint64_t, std::less<>> constants_;
    std::set<std::string, std::less<>> defined_;
    std::map<std::string, int> notes_;
    const Piece* at_ = nullptr;  ///< statement that is being read
    unsigned long lines_read_ = 0;
    unsigned long open_ = 0;      ///< id of the line that is written to
    std::size_t line_start_ = 0;  ///< of it, in the output
    unsigned uses_ = 0, locals_ = 1;
    std::size_t expanded_ = 0, made_ = 0;
    bool stop_ = false, leaving_ = false;
};

}  // namespace

void preprocess(std::string_view source, const SourceReader& read, const EarlyValues& early,
                ExpandedSource& out) {
    Preprocessor(read, early, out).run(source);
}

}  // namespace e2k::isa::assembler
