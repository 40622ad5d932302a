#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "engine/isa/printable.h"
#include "engine/lessons/lesson.h"

namespace e2k::lessons {

namespace {

constexpr std::size_t kMostBytes = 1u << 20;
constexpr std::size_t kMostProblems = 50;

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r";
    const std::size_t first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// Takes the first word off `text`, and the blanks before the next one.
std::string_view take_word(std::string_view& text) {
    text = trimmed(text);
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    const std::string_view word = text.substr(0, end);
    text = trimmed(text.substr(end));
    return word;
}

std::string joined(const std::vector<std::string>& names) {
    return fmt::format("{}", fmt::join(names, ", "));
}

class Parser {
public:
    explicit Parser(const Names& names) : names_(names) {}

    void line(std::string_view text, int number) {
        number_ = number;
        text = trimmed(text);
        if (text.empty() || text.front() == '#') return;
        if (text.starts_with("en:")) return say(&Words::english, trimmed(text.substr(3)));
        if (text.starts_with("ru:")) return say(&Words::russian, trimmed(text.substr(3)));
        std::string_view rest = text;
        const std::string word(take_word(rest));
        const auto row = std::ranges::find(kWords, word, &Word::name);
        if (row == std::end(kWords))
            return problem(fmt::format("unknown word \"{}\"", isa::printable(word)), nearest(word));
        (this->*row->read)(rest);
    }

    tl::expected<Lesson, Problems> result() {
        if (lesson_.program.empty())
            problem("no program", "say which one it plays on: program ../demo/hello.s");
        if (lesson_.pages.empty()) problem("no pages", "a page begins with the word page");
        number_ = 1;
        complete(lesson_.title, "the lesson's title", "lesson");
        for (const Page& page : lesson_.pages) check(page);
        if (problems_.empty()) return std::move(lesson_);
        std::ranges::stable_sort(problems_, {}, &Problem::line);
        return tl::unexpected(std::move(problems_));
    }

private:
    struct Word {
        std::string_view name;
        void (Parser::*read)(std::string_view);
    };
    static const std::array<Word, 22> kWords;

    void problem(std::string message, std::string hint = {}) {
        if (problems_.size() < kMostProblems)
            problems_.push_back({number_, std::move(message), std::move(hint)});
    }

    static std::string nearest(std::string_view word) {
        for (const Word& known : kWords)
            if (known.name.starts_with(word.substr(0, 2)))
                return fmt::format("did you mean {}? Texts begin with en: or ru:", known.name);
        return "texts begin with en: or ru:, comments with #";
    }

    void say(std::string Words::*language, std::string_view text) {
        if (!words_) return problem("a text that belongs to nothing", "begin it with page or text");
        std::string& to = words_->*language;
        if (words_->line == 0) words_->line = number_;
        if (text.empty()) {
            if (!to.empty()) to += "\n\n";
            return;
        }
        if (!to.empty() && !to.ends_with('\n')) to += ' ';
        to += text;
    }

    /// Words that take nothing behind them.
    bool alone(std::string_view rest, std::string_view word) {
        if (rest.empty()) return true;
        problem(fmt::format("{} takes nothing behind it", word),
                "a text stands in lines of its own, with en: and ru: in front");
        return false;
    }
    Page* page() {
        if (lesson_.pages.empty()) {
            problem("this belongs to a page", "begin the first one with the word page");
            return nullptr;
        }
        return &lesson_.pages.back();
    }
    Question* question() {
        Page* const at = page();
        if (!at) return nullptr;
        if (!at->question) {
            problem("no question has been asked", "begin it with the word ask");
            return nullptr;
        }
        return &*at->question;
    }

    void read_lesson(std::string_view rest) {
        if (alone(rest, "lesson")) words_ = &lesson_.title;
    }
    void read_program(std::string_view rest) {
        if (rest.empty()) return problem("which program?", "program ../demo/hello.s");
        if (!lesson_.program.empty()) return problem("a lesson has one program");
        lesson_.program = rest;
        lesson_.program_line = number_;
    }
    void read_page(std::string_view rest) {
        if (!alone(rest, "page")) return;
        Page& page = lesson_.pages.emplace_back();
        page.line = number_;
        words_ = &page.title;
    }
    void read_text(std::string_view rest) {
        Page* const at = page();
        if (!at || !alone(rest, "text")) return;
        words_ = &at->paragraphs.emplace_back();
        words_->line = number_;
    }

    Action* action(Action::Kind kind, std::string_view text) {
        Page* const at = page();
        if (!at) return nullptr;
        if (at->question)
            problem("a page acts before it asks", "put this line above ask, or on the next page");
        Action& to = at->actions.emplace_back();
        to.kind = kind;
        to.line = number_;
        to.text = text;
        words_ = nullptr;
        return &to;
    }
    void named(Action::Kind kind, std::string_view text, const std::vector<std::string>& known,
               std::string_view what) {
        action(kind, text);
        if (known.empty() || std::ranges::find(known, text) != known.end()) return;
        problem(fmt::format("there is no {} \"{}\"", what, isa::printable(text)),
                fmt::format("there are {}", joined(known)));
    }
    void read_layout(std::string_view rest) {
        named(Action::Kind::Layout, rest, names_.layouts, "layout");
    }
    void read_show(std::string_view rest) {
        named(Action::Kind::Show, rest, names_.panels, "panel");
    }
    void read_tier(std::string_view rest) {
        named(Action::Kind::Tier, rest, {"interpreter", "translator"}, "tier");
    }
    void read_step(std::string_view rest) {
        Action* const to = action(Action::Kind::Step, rest);
        if (!to || rest.empty()) return;
        const auto count = parse_number(rest);
        if (count && *count >= 1 && *count <= 1'000'000'000) {
            to->count = *count;
        } else {
            problem("how many bundles?", "step 3");
        }
    }
    void read_over(std::string_view rest) {
        if (alone(rest, "over")) action(Action::Kind::Over, {});
    }
    void read_out(std::string_view rest) {
        if (alone(rest, "out")) action(Action::Kind::Out, {});
    }
    void read_finish(std::string_view rest) {
        if (alone(rest, "finish")) action(Action::Kind::Finish, {});
    }
    void placed(Action::Kind kind, std::string_view rest, std::string_view example) {
        if (rest.empty()) return problem("which place?", std::string(example));
        action(kind, rest);
    }
    void read_run_to(std::string_view rest) { placed(Action::Kind::RunTo, rest, "run-to loop"); }
    void read_goto(std::string_view rest) { placed(Action::Kind::GoTo, rest, "goto loop"); }
    void read_highlight(std::string_view rest) {
        placed(Action::Kind::Highlight, rest, "highlight loop, highlight %dr3");
        Page* const at = lesson_.pages.empty() ? nullptr : &lesson_.pages.back();
        if (!at || !rest.starts_with('%')) return;
        const auto value = parse_value(rest);
        if (!value || value->tag) return bad_value(rest);
        at->actions.back().value = *value;
    }
    void bad_value(std::string_view text) {
        problem(fmt::format("\"{}\" is nothing that can be looked at", isa::printable(text)),
                "%r3, %dr3, %b[2], %db[2], %g1, %pred0, %ctpr1, tag %r3, ip, bundles, operations, "
                "depth, window, exit");
    }
    /// "VALUE is NUMBER"
    void read_expect(std::string_view rest) {
        const std::size_t is = rest.find(" is ");
        if (is == std::string_view::npos)
            return problem("what is expected?", "expect %dr0 is 3, expect ip is loop");
        const auto value = parse_value(rest.substr(0, is));
        if (!value) return bad_value(rest.substr(0, is));
        Action* const to = action(Action::Kind::Expect, trimmed(rest.substr(is + 4)));
        if (to) to->value = *value;
    }

    void read_ask(std::string_view rest) {
        Page* const at = page();
        if (!at || !alone(rest, "ask")) return;
        if (at->question) return problem("a page asks one question", "begin another page");
        at->question.emplace();
        at->question->line = number_;
        words_ = &at->question->words;
    }
    void read_answer(std::string_view rest) {
        Question* const to = question();
        if (!to) return;
        if (rest.empty()) return problem("which answer?", "answer 6");
        if (to->kind != Question::Kind::Text)
            return problem("this question has another kind of answer");
        to->answers.emplace_back(rest);
    }
    void read_option(std::string_view rest) {
        Question* const to = question();
        if (!to) return;
        if (!rest.empty() && rest != "right")
            return problem("an option is right or nothing is said of it", "option right");
        if (to->kind == Question::Kind::Predict || !to->answers.empty())
            return problem("this question has another kind of answer");
        to->kind = Question::Kind::Choice;
        Option& option = to->options.emplace_back();
        option.right = rest == "right";
        words_ = &option.words;
    }
    /// "VALUE [after N] is NUMBER"
    void read_predict(std::string_view rest) {
        constexpr const char* kExample = "predict %dr0 after 1 is 3";
        Question* const to = question();
        if (!to) return;
        if (to->kind != Question::Kind::Text || !to->answers.empty())
            return problem("this question has another kind of answer");
        to->kind = Question::Kind::Predict;
        const std::size_t is = rest.find(" is ");
        if (is == std::string_view::npos) return problem("what will it be?", kExample);
        std::string_view what = rest.substr(0, is);
        to->steps = 1;
        if (const std::size_t after = what.find(" after "); after != std::string_view::npos) {
            const auto steps = parse_number(what.substr(after + 7));
            if (!steps || *steps > 1'000'000) return problem("after how many bundles?", kExample);
            to->steps = *steps;
            what = what.substr(0, after);
        }
        const auto value = parse_value(what);
        if (!value) return bad_value(what);
        to->value = *value;
        to->answers = {std::string(trimmed(rest.substr(is + 4)))};
    }
    void read_hint(std::string_view rest) {
        if (Question* const to = question(); to && alone(rest, "hint")) words_ = &to->hint;
    }
    void read_after(std::string_view rest) {
        if (Question* const to = question(); to && alone(rest, "after")) words_ = &to->after;
    }
    void read_free(std::string_view rest) {
        if (Page* const at = page(); at && alone(rest, "free")) at->free = true;
    }

    void complete(const Words& words, std::string_view what, std::string_view word) {
        if (words.line) number_ = words.line;
        for (const auto& [text, language] :
             {std::pair{&words.english, "en"}, std::pair{&words.russian, "ru"}})
            if (trimmed(*text).empty())
                problem(fmt::format("{} is missing in {}", what, language),
                        fmt::format("below {}: \"{}: …\"", word, language));
    }
    void check(const Page& page) {
        number_ = page.line;
        complete(page.title, "the page's title", "page");
        for (const Words& words : page.paragraphs) complete(words, "a paragraph", "text");
        number_ = page.line;
        if (page.paragraphs.empty() && !page.question)
            problem("a page that says nothing", "text, then en: and ru: lines");
        if (!page.question) return;
        const Question& q = *page.question;
        number_ = q.line;
        complete(q.words, "the question", "ask");
        const auto optional = [&](const Words& words, const char* word) {
            if (!words.english.empty() || !words.russian.empty()) complete(words, word, word);
        };
        optional(q.hint, "hint");
        optional(q.after, "after");
        for (const Option& option : q.options) complete(option.words, "an option", "option");
        number_ = q.line;
        const auto right = std::ranges::count(q.options, true, &Option::right);
        if (q.kind == Question::Kind::Choice && right != 1)
            problem(fmt::format("{} options are right", right), "mark one: option right");
        if (q.kind == Question::Kind::Text && q.answers.empty())
            problem("nothing answers the question", "answer 6, predict %dr0 is 3, or options");
    }

    const Names& names_;
    Lesson lesson_;
    Problems problems_;
    Words* words_ = nullptr;  ///< what en: and ru: lines belong to
    int number_ = 1;
};

const std::array<Parser::Word, 22> Parser::kWords = {{
    {"lesson", &Parser::read_lesson},   {"program", &Parser::read_program},
    {"page", &Parser::read_page},       {"text", &Parser::read_text},
    {"layout", &Parser::read_layout},   {"show", &Parser::read_show},
    {"tier", &Parser::read_tier},       {"step", &Parser::read_step},
    {"over", &Parser::read_over},       {"out", &Parser::read_out},
    {"run-to", &Parser::read_run_to},   {"finish", &Parser::read_finish},
    {"goto", &Parser::read_goto},       {"highlight", &Parser::read_highlight},
    {"expect", &Parser::read_expect},   {"ask", &Parser::read_ask},
    {"answer", &Parser::read_answer},   {"option", &Parser::read_option},
    {"predict", &Parser::read_predict}, {"hint", &Parser::read_hint},
    {"after", &Parser::read_after},     {"free", &Parser::read_free},
}};

}  // namespace

std::string Problem::report(std::string_view file, std::string_view text) const {
    std::string out = fmt::format("{}:{}: {}\n", file, line, message);
    for (int n = 1; !text.empty(); ++n) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        if (n == line) {
            out += fmt::format("    {}\n", isa::printable(trimmed(text.substr(0, end))));
            break;
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (!hint.empty()) out += fmt::format("    hint: {}\n", hint);
    return out;
}

tl::expected<Lesson, Problems> parse_lesson(std::string_view text, const Names& names) {
    if (text.size() > kMostBytes)
        return tl::unexpected(Problems{{1, "this is too long for a lesson", ""}});
    Parser parser(names);
    for (int number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        parser.line(text.substr(0, end), number);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parser.result();
}

}  // namespace e2k::lessons
