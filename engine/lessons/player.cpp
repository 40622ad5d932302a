#include "engine/lessons/player.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace e2k::lessons {

using machine::RunState;
using machine::Snapshot;

namespace {

bool ended(const Snapshot& now) {
    return now.run_state == RunState::Exited || now.run_state == RunState::Signaled ||
           now.run_state == RunState::Failed;
}

bool stands(const Snapshot& now) {
    return !now.live && (now.run_state == RunState::Paused || ended(now));
}

/// What a lesson writes for a value: a number, or a place.
std::optional<std::uint64_t> meant(std::string_view text, const guest::SymbolTable* symbols) {
    if (const auto number = parse_number(text)) return number;
    const std::uint64_t place = place_address(text, symbols);
    return place ? std::optional(place) : std::nullopt;
}

std::string lowered(std::string_view text) {
    std::string out;
    for (const char c : text)
        if (!std::isspace(static_cast<unsigned char>(c)))
            out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

}  // namespace

bool same_answer(std::string_view given, std::string_view wanted,
                 const guest::SymbolTable* symbols) {
    if (lowered(given) == lowered(wanted)) return true;
    const auto a = meant(given, symbols), b = meant(wanted, symbols);
    return a && b && *a == *b;
}

Player::Player(std::shared_ptr<const Lesson> lesson, Stage stage)
    : lesson_(std::move(lesson)), stage_(std::move(stage)) {}

void Player::fail(int line, std::string message, std::string hint) {
    if (!trouble_) trouble_ = Problem{line, std::move(message), std::move(hint)};
    at_ = queue_.size();
    waiting_ = opening_ = false;
}

void Player::queue_page(std::size_t page) {
    const auto& actions = lesson_->pages[page].actions;
    queue_.insert(queue_.end(), actions.begin(), actions.end());
}

void Player::replay(std::size_t page, const Snapshot& now) {
    page_ = page;
    verdict_ = Verdict::None;
    trouble_.reset();
    queue_.clear();
    at_ = 0;
    at_rest_ = waiting_ = looked_ = false;
    for (std::size_t i = 0; i <= page; ++i) {
        queue_page(i);
        // What a prediction executes belongs to its page.
        const auto& question = lesson_->pages[i].question;
        if (i < page && question && question->kind == Question::Kind::Predict && question->steps)
            queue_.push_back(
                {.kind = Action::Kind::Step, .line = question->line, .count = question->steps});
    }
    opening_ = true;
    sent_after_ = now.sequence;
    if (stage_.open) stage_.open();
}

void Player::turn_to(std::size_t page, const Snapshot& now) {
    if (page >= lesson_->pages.size()) return;
    const auto& question = this->page().question;
    const bool executed = !question || question->kind != Question::Kind::Predict || looked_;
    if (page != page_ + 1 || !executed || !at_rest_ || busy() || trouble_ || !stands(now) ||
        standing(now) != left_)
        return replay(page, now);
    page_ = page;
    verdict_ = Verdict::None;
    queue_.clear();
    at_ = 0;
    at_rest_ = looked_ = false;
    queue_page(page);
    run_queue(now);
}

void Player::next(const Snapshot& now) {
    if (page_ + 1 < lesson_->pages.size()) turn_to(page_ + 1, now);
}

void Player::back(const Snapshot& now) {
    if (page_ > 0) turn_to(page_ - 1, now);
}

void Player::look(const Snapshot& now) {
    if (opening_) {
        if (now.sequence <= sent_after_) return;
        if (now.run_state == RunState::NoProgram) {
            if (!now.banner.empty()) fail(lesson_->program_line, now.banner);
            return;
        }
        if (!stands(now) || now.counters.bundles != 0) return;
        opening_ = false;
        return run_queue(now);
    }
    if (verdict_ == Verdict::Looking) return judge(now);
    if (!waiting_ || !arrived(now)) return;
    waiting_ = go_on(now);
    if (waiting_ || trouble_) return;
    ++at_;
    run_queue(now);
}

/// True if the program stopped on the way, at a breakpoint of the reader's, and goes on.
bool Player::go_on(const Snapshot& now) {
    const Action& action = queue_[at_];
    const auto send = [&](machine::Command command) {
        sent_after_ = now.sequence;
        if (stage_.send) stage_.send(std::move(command));
        return true;
    };
    if (action.kind == Action::Kind::RunTo && now.ip != destination_) {
        bundles_before_ = now.counters.bundles;
        if (!ended(now)) return send(machine::RunTo{destination_});
        fail(action.line, fmt::format("the program ends before it comes to {}", action.text));
    }
    const std::uint64_t goal = bundles_before_ + action.count;
    if (action.kind == Action::Kind::Step && now.counters.bundles < goal && !ended(now))
        return send(machine::StepBundle{goal - now.counters.bundles});
    return false;
}

bool Player::arrived(const Snapshot& now) const {
    if (now.sequence <= sent_after_ || !stands(now)) return false;
    if (ended(now)) return true;
    return queue_[at_].kind != Action::Kind::Finish && now.counters.bundles > bundles_before_;
}

void Player::run_queue(const Snapshot& now) {
    while (at_ < queue_.size()) {
        waiting_ = begin(queue_[at_], now);
        if (waiting_ || trouble_) return;
        ++at_;
    }
    left_ = standing(now);
    at_rest_ = true;
}

/// True if the program has to get somewhere first.
bool Player::begin(const Action& action, const Snapshot& now) {
    sent_after_ = now.sequence;
    bundles_before_ = now.counters.bundles;
    destination_ = 0;
    const auto send = [&](machine::Command command) {
        if (ended(now)) {
            fail(action.line, "the program has ended before this line");
            return false;
        }
        if (stage_.send) stage_.send(std::move(command));
        return true;
    };
    switch (action.kind) {
        case Action::Kind::Step:
            return send(machine::StepBundle{action.count});
        case Action::Kind::Over:
            return send(machine::StepOver{});
        case Action::Kind::Out:
            return send(machine::StepOut{});
        case Action::Kind::Finish:
            return ended(now) ? false : send(machine::Run{});
        case Action::Kind::RunTo: {
            const std::uint64_t address = place_address(action.text, now.symbols.get());
            if (!address) {
                fail(action.line, fmt::format("the program has no place {}", action.text),
                     "a label of the program, label+0x18, or an address");
                return false;
            }
            if (now.ip == address) return false;
            destination_ = address;
            return send(machine::RunTo{address});
        }
        case Action::Kind::Tier:
            if (stage_.send)
                stage_.send(machine::SetTier{action.text == "interpreter"
                                                 ? machine::Tier::Interpreter
                                                 : machine::Tier::Translator});
            return false;
        case Action::Kind::Expect:
            expect(action, now);
            return false;
        default:
            view(action, now);
            return false;
    }
}

void Player::view(const Action& action, const Snapshot& now) {
    const auto place = [&] {
        const std::uint64_t address =
            action.text == "here" ? now.ip : place_address(action.text, now.symbols.get());
        if (!address)
            fail(action.line, fmt::format("the program has no place {}", action.text),
                 "a label of the program, label+0x18, here, or an address");
        return address;
    };
    switch (action.kind) {
        case Action::Kind::Layout:
            if (stage_.layout) stage_.layout(action.text);
            break;
        case Action::Kind::Show:
            if (stage_.show) stage_.show(action.text);
            break;
        case Action::Kind::GoTo:
            if (const std::uint64_t address = place(); address && stage_.go_to)
                stage_.go_to(address);
            break;
        case Action::Kind::Highlight: {
            if (action.text.starts_with('%')) {
                if (stage_.highlight) stage_.highlight(action.value, 0);
                break;
            }
            if (const std::uint64_t address = place(); address && stage_.highlight)
                stage_.highlight(action.value, address);
            break;
        }
        default:
            break;
    }
}

void Player::expect(const Action& action, const Snapshot& now) {
    const auto value = value_of(action.value, now);
    const auto wanted = meant(action.text, now.symbols.get());
    if (value && wanted && *value == *wanted) return;
    fail(action.line,
         !wanted ? fmt::format("\"{}\" is no number and no place", action.text)
         : value ? fmt::format("{} is {}, not {}", action.value.text,
                               action.value.kind == Value::Kind::Place ? now.location
                                                                       : std::to_string(*value),
                               action.text)
                 : fmt::format("there is no {} here", action.value.text));
}

void Player::answer(std::string_view text, const Snapshot& now) {
    if (busy() || !page().question) return;
    const Question& question = *page().question;
    switch (question.kind) {
        case Question::Kind::Text:
            verdict_ = std::ranges::any_of(question.answers,
                                           [&](const std::string& wanted) {
                                               return same_answer(text, wanted, now.symbols.get());
                                           })
                           ? Verdict::Right
                           : Verdict::Wrong;
            return;
        case Question::Kind::Choice: {
            const auto number = parse_number(text);
            verdict_ = number && *number >= 1 && *number <= question.options.size() &&
                               question.options[*number - 1].right
                           ? Verdict::Right
                           : Verdict::Wrong;
            return;
        }
        case Question::Kind::Predict: {
            const auto number = meant(text, now.symbols.get());
            if (!number) {
                verdict_ = Verdict::Wrong;
                return;
            }
            predicted_ = *number;
            // Looked at once already: the program stands behind it.
            if (looked_ && standing(now) == left_) {
                verdict_ = predicted_ == seen_ ? Verdict::Right : Verdict::Wrong;
                return;
            }
            verdict_ = Verdict::Looking;
            bundles_before_ = now.counters.bundles;
            sent_after_ = question.steps ? now.sequence : 0;
            if (question.steps == 0) return judge(now);
            if (stage_.send) stage_.send(machine::StepBundle{question.steps});
            return;
        }
    }
}

void Player::judge(const Snapshot& now) {
    const Question& question = *page().question;
    if (now.sequence <= sent_after_ || !stands(now)) return;
    if (!ended(now) && now.counters.bundles < bundles_before_ + question.steps) return;
    const auto value = value_of(question.value, now);
    if (!value) {
        verdict_ = Verdict::None;
        return fail(question.line, fmt::format("there is no {} here", question.value.text));
    }
    seen_ = *value;
    verdict_ = seen_ == predicted_ ? Verdict::Right : Verdict::Wrong;
    left_ = standing(now);
    looked_ = true;
}

}  // namespace e2k::lessons
