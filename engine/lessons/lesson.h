// Lessons: plain-text scripts that play beside a program (assets/lessons/README.md has the
// language). Here they are read; player.h plays them, check.h tries them out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "engine/lessons/value.h"

namespace e2k::lessons {

/// A text in all languages that lessons have.
struct Words {
    std::string english, russian;
    int line = 0;  ///< where it begins in the lesson

    /// `code`: "en" or "ru".
    const std::string& in(std::string_view code) const { return code == "ru" ? russian : english; }
};

/// What a page does to the program and the window before it can be read.
struct Action {
    enum class Kind : std::uint8_t {
        Layout,     ///< text: its name
        Show,       ///< text: a panel's name
        Tier,       ///< text: interpreter or translator
        Step,       ///< count bundles
        Over,       ///< one bundle; a call until it returns
        Out,        ///< until the procedure returns
        RunTo,      ///< text: a place
        Finish,     ///< until the program has ended
        GoTo,       ///< text: a place, or `here`
        Highlight,  ///< text: a place or a register
        Expect,     ///< value is text: the lesson is wrong where it is not
    };
    Kind kind{};
    int line = 0;
    std::string text = {};
    std::uint64_t count = 1;
    Value value = {};
};

struct Option {
    Words words;
    bool right = false;
};

/// Asked at the end of a page. Of predictions the program gives the answer: after `steps` bundles
/// `value` is what was asked for.
struct Question {
    enum class Kind : std::uint8_t { Text, Choice, Predict };
    Kind kind = Kind::Text;
    int line = 0;
    Words words, hint, after;  ///< after: said when it has been answered
    std::vector<std::string>
        answers;                  ///< Text: any of them, in any case; Predict: as the lesson says
    std::vector<Option> options;  ///< Choice
    Value value;                  ///< Predict
    std::uint64_t steps = 0;      ///< Predict
};

struct Page {
    Words title;
    int line = 0;
    std::vector<Action> actions;
    std::vector<Words> paragraphs;
    std::optional<Question> question;
    bool free = false;  ///< the reader is invited to play; the next page begins where it must
};

struct Lesson {
    Words title;
    std::string program;  ///< path, from where the lesson lies
    int program_line = 0;
    std::vector<Page> pages;
};

/// What is wrong with a lesson, and what may help.
struct Problem {
    int line = 1;
    std::string message, hint;
    /// "file:12: message", the line, and the hint below it if there is one; ends in a newline.
    std::string report(std::string_view file, std::string_view text) const;
};
using Problems = std::vector<Problem>;

/// Names that `show` and `layout` may use; empty: all may be.
struct Names {
    std::vector<std::string> panels, layouts;
};

/// Reads the text of a lesson. All of its problems at once, in order of their lines.
tl::expected<Lesson, Problems> parse_lesson(std::string_view text, const Names& names = {});

}  // namespace e2k::lessons
