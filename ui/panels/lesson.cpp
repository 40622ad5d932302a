#include "ui/panels/lesson.h"

#include <fmt/format.h>

#include "ui/format.h"
#include "ui/ink.h"
#include "ui/scoped.h"
#include "ui/text.h"

namespace e2k::ui {

namespace {

using lessons::Player;
using lessons::Question;
using Asked = LessonState::Asked;

/// What is written, in order; the drawing adds what can be pressed.
struct Line {
    enum class Kind : std::uint8_t { Title, Dim, Text, Question, Option, Good, Bad, Entry };
    Kind kind = Kind::Text;
    std::string text;
    std::size_t number = 0;  ///< of an option or entry
};

std::string in_language(const lessons::Words& words) { return words.in(language_code(language())); }

std::string progress_of(const LessonEntry& entry) {
    if (!entry.lesson) return tr("faulty");
    const std::size_t pages = entry.lesson->pages.size();
    if (entry.read >= pages) return tr("done");
    return entry.read == 0 ? trf("{} pages", pages) : trf("{} of {}", entry.read, pages);
}

/// What a prediction was about, as it really is.
std::string seen_value(const Scene& scene, const Player& player) {
    using Kind = lessons::Value::Kind;
    const Kind kind = player.page().question->value.kind;
    if (kind == Kind::Place || kind == Kind::Transfer) return place(scene.symbols(), player.seen());
    return std::to_string(static_cast<std::int64_t>(player.seen()));
}

void add_verdict(const Scene& scene, std::vector<Line>& lines, const Player& player) {
    const Question& question = *player.page().question;
    const bool predicted = question.kind == Question::Kind::Predict;
    switch (player.verdict()) {
        case Player::Verdict::None:
            return;
        case Player::Verdict::Looking:
            lines.push_back({Line::Kind::Dim, tr("The program is on its way…")});
            return;
        case Player::Verdict::Right:
            lines.push_back({Line::Kind::Good, tr("Right.")});
            if (const std::string after = in_language(question.after); !after.empty())
                lines.push_back({Line::Kind::Text, after});
            return;
        case Player::Verdict::Wrong:
            lines.push_back(
                {Line::Kind::Bad, predicted && player.seen_known()
                                      ? trf("Not so: it is {}.", seen_value(scene, player))
                                      : std::string(tr("Not so. Try again."))});
            if (const std::string hint = in_language(question.hint); !hint.empty())
                lines.push_back({Line::Kind::Text, hint});
            return;
    }
}

std::vector<Line> lines_of(const Scene& scene, const LessonState& state) {
    std::vector<Line> lines;
    if (!state.player) {
        lines.push_back({Line::Kind::Title, tr("Lessons")});
        lines.push_back({Line::Kind::Dim,
                         tr("Each plays on a program: read, predict, look. Nothing can be broken: "
                            "a page always begins where it must.")});
        for (std::size_t i = 0; i < state.list.size(); ++i) {
            const LessonEntry& entry = state.list[i];
            lines.push_back({Line::Kind::Entry,
                             entry.lesson ? in_language(entry.lesson->title) : entry.name, i});
        }
        return lines;
    }
    const Player& player = *state.player;
    const lessons::Page& page = player.page();
    lines.push_back({Line::Kind::Dim, trf("{} · page {} of {}", in_language(player.lesson().title),
                                          player.page_number() + 1, player.lesson().pages.size())});
    lines.push_back({Line::Kind::Title, in_language(page.title)});
    for (const lessons::Words& words : page.paragraphs)
        lines.push_back({Line::Kind::Text, in_language(words)});
    if (page.free)
        lines.push_back({Line::Kind::Dim, tr("Free play: step, change, look around as you like.")});
    if (page.question) {
        lines.push_back({Line::Kind::Question, in_language(page.question->words)});
        for (std::size_t i = 0; i < page.question->options.size(); ++i)
            lines.push_back(
                {Line::Kind::Option, in_language(page.question->options[i].words), i + 1});
        add_verdict(scene, lines, player);
    }
    if (player.trouble())
        lines.push_back({Line::Kind::Bad, trf("Line {} of the lesson: {}", player.trouble()->line,
                                              player.trouble()->message)});
    return lines;
}

void paragraph(const Scene& scene, const std::string& text, ImU32 colour, ImFont* font) {
    ImGui::PushFont(font);
    {
        const auto tint = scoped::colour(ImGuiCol_Text, colour);
        ImGui::PushTextWrapPos(0);
        ImGui::TextUnformatted(text.data(), text.data() + text.size());
        ImGui::PopTextWrapPos();
    }
    ImGui::PopFont();
    if (scene.capture) scene.capture->text += text + "\n";
}

void draw_entry(const Scene& scene, LessonState& state, const Line& line, float width = 0) {
    const Theme& theme = scene.theme;
    const LessonEntry& entry = state.list[line.number];
    const auto id = scoped::id(static_cast<int>(line.number));
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float right = at.x + (width > 0 ? width : ImGui::GetContentRegionAvail().x);
    if (ImGui::Selectable("##entry", false, 0, {width, theme.row() + theme.px(4)})) {
        state.asked = Asked::Begin;
        state.which = line.number;
    }
    if (!entry.trouble.empty() && ImGui::IsItemHovered()) tool_tip(theme, entry.trouble);
    Ink ink(scene);
    const std::string progress = progress_of(entry);
    const float y = at.y + theme.px(2), room = ink.width(progress, Weight::Prose);
    const bool done = entry.lesson && entry.read >= entry.lesson->pages.size();
    ink.text_fit({at.x + theme.px(4), y}, right - room - at.x - theme.px(20),
                 entry.lesson ? theme.text : theme.error,
                 fmt::format("{:>2}  {}", line.number + 1, line.text), Weight::Prose);
    ink.end_cell();
    ink.text_right(right - theme.px(6), y, done ? theme.good : theme.dim, progress, Weight::Prose);
    ink.end_row();
}

void ask(LessonState& state, Asked what, std::string given = {}) {
    state.asked = what;
    state.given = std::move(given);
}

void draw_option(const Scene& scene, LessonState& state, const Line& line) {
    const auto id = scoped::id(static_cast<int>(line.number));
    const bool chosen = state.given == std::to_string(line.number);
    if (ImGui::RadioButton("##option", chosen))
        ask(state, Asked::Answer, std::to_string(line.number));
    ImGui::SameLine();
    paragraph(scene, line.text, scene.theme.text, scene.theme.prose);
}

void draw_answer(const Scene& scene, LessonState& state) {
    const Question& question = *state.player->page().question;
    if (question.kind == Question::Kind::Choice) return;
    const Theme& theme = scene.theme;
    const bool predict = question.kind == Question::Kind::Predict;
    const char* const label = predict ? tr("Look") : tr("Answer");
    const auto off = scoped::disabled(state.player->busy());
    ImGui::SetNextItemWidth(
        std::max(theme.px(60),
                 ImGui::GetContentRegionAvail().x - ImGui::CalcTextSize(label).x - theme.px(30)));
    const bool entered = ImGui::InputTextWithHint(
        "##answer", predict ? tr("your prediction") : tr("your answer"), state.answer,
        sizeof state.answer, ImGuiInputTextFlags_EnterReturnsTrue);
    ImGui::SameLine();
    if ((ImGui::Button(label) || entered) && state.answer[0])
        ask(state, Asked::Answer, state.answer);
}

void draw_buttons(const Scene& scene, LessonState& state) {
    const Player& player = *state.player;
    const auto button = [&](const char* label, Asked what, bool enabled, const char* help) {
        {
            const auto off = scoped::disabled(!enabled);
            if (ImGui::Button(label)) ask(state, what);
        }
        if (ImGui::IsItemHovered(ImGuiHoveredFlags_AllowWhenDisabled)) tool_tip(scene.theme, help);
        ImGui::SameLine();
    };
    const bool last = player.page_number() + 1 == player.lesson().pages.size();
    button(tr("Back###back"), Asked::Back, player.page_number() > 0, tr("The page before"));
    if (last)
        button(tr("All lessons###next"), Asked::Leave, true, tr("The list of lessons"));
    else
        button(tr("Next###next"), Asked::Next, true, tr("The next page"));
    button(tr("Again###again"), Asked::Restart, true, tr("Begin this lesson again"));
    if (!last) button(tr("Leave###leave"), Asked::Leave, true, tr("The list of lessons"));
    ImGui::NewLine();
}

void draw_line(const Scene& scene, LessonState& state, const Line& line) {
    const Theme& theme = scene.theme;
    switch (line.kind) {
        case Line::Kind::Entry:
            return draw_entry(scene, state, line);
        case Line::Kind::Option:
            return draw_option(scene, state, line);
        case Line::Kind::Title:
            return paragraph(scene, line.text, theme.text, theme.mono_bold);
        case Line::Kind::Dim:
            return paragraph(scene, line.text, theme.dim, theme.prose);
        case Line::Kind::Question:
            return paragraph(scene, line.text, theme.current, theme.prose);
        case Line::Kind::Good:
            return paragraph(scene, line.text, theme.good, theme.prose);
        case Line::Kind::Bad:
            return paragraph(scene, line.text, theme.error, theme.prose);
        case Line::Kind::Text:
            return paragraph(scene, line.text, theme.text, theme.prose);
    }
}

}  // namespace

void draw_lesson(const Scene& scene, LessonState& state, machine::CommandSink&) {
    const Theme& theme = scene.theme;
    if (!state.listed) state.asked = Asked::List;
    if (state.listed && state.list.empty()) {
        empty_state(scene, tr("No lessons"), tr("They lie in assets/lessons."));
        return;
    }
    const float foot = state.player ? ImGui::GetFrameHeightWithSpacing() + theme.px(4) : 0;
    {
        const auto body = scoped::child("page", {0, -foot});
        for (const Line& line : lines_of(scene, state)) {
            // The place to answer is between the question and what became of the answer.
            const bool verdict = line.kind == Line::Kind::Good || line.kind == Line::Kind::Bad;
            draw_line(scene, state, line);
            if (line.kind == Line::Kind::Question) draw_answer(scene, state);
            if (line.kind != Line::Kind::Entry && line.kind != Line::Kind::Option && !verdict)
                ImGui::Dummy({1, theme.px(3)});
        }
    }
    if (state.player) draw_buttons(scene, state);
}

float draw_lesson_entries(const Scene& scene, LessonState& state, ImVec2 at, float width,
                          int columns) {
    const float height = scene.theme.row() + scene.theme.px(6), gap = scene.theme.px(10);
    const float room =
        (width - gap * static_cast<float>(columns - 1)) / static_cast<float>(columns);
    const auto in_column =
        static_cast<int>((state.list.size() + static_cast<std::size_t>(columns) - 1) /
                         static_cast<std::size_t>(columns));
    for (std::size_t i = 0; i < state.list.size(); ++i) {
        const int n = static_cast<int>(i);
        ImGui::SetCursorScreenPos({at.x + static_cast<float>(n / in_column) * (room + gap),
                                   at.y + static_cast<float>(n % in_column) * height});
        const LessonEntry& entry = state.list[i];
        const std::string title = entry.lesson ? in_language(entry.lesson->title) : entry.name;
        draw_entry(scene, state, {Line::Kind::Entry, title, i}, room);
    }
    return static_cast<float>(in_column) * height;
}

std::string lesson_text(const Scene& scene, const LessonState& state) {
    std::string out;
    for (const Line& line : lines_of(scene, state)) {
        if (line.kind == Line::Kind::Option) out += fmt::format("({}) ", line.number);
        out += line.text;
        if (line.kind == Line::Kind::Entry) out += " | " + progress_of(state.list[line.number]);
        out += "\n";
    }
    return out;
}

}  // namespace e2k::ui
