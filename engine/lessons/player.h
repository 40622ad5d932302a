// Plays a lesson: goes from page to page, makes the program stand where a page needs it, and judges
// answers. Knows the program by its snapshots alone, and neither waits nor draws.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/lessons/lesson.h"
#include "engine/machine/machine.h"

namespace e2k::lessons {

/// What the player asks of the window around it. Functions that are not set are left out.
struct Stage {
    std::function<void(machine::Command)> send;
    std::function<void()> open;  ///< the lesson's program, anew, stopped before its first bundle
    std::function<void(const std::string&name)> layout, show;
    std::function<void(std::uint64_t address)> go_to;
    std::function<void(const Value&, std::uint64_t address)> highlight;  ///< address 0: a register
};

class Player {
public:
    /// What became of an answer.
    enum class Verdict : std::uint8_t { None, Looking, Right, Wrong };

    Player(std::shared_ptr<const Lesson> lesson, Stage stage);

    const Lesson& lesson() const { return *lesson_; }
    const Page& page() const { return lesson_->pages[page_]; }
    std::size_t page_number() const { return page_; }  ///< from 0
    /// The program is on its way to where the page needs it, or to what was predicted.
    bool busy() const { return opening_ || at_ < queue_.size() || verdict_ == Verdict::Looking; }

    /// Shows a page: the program goes on from where it stands if that is where the page before
    /// left it, else all of it is played again up to here.
    void turn_to(std::size_t page, const machine::Snapshot& now);
    void next(const machine::Snapshot& now);
    void back(const machine::Snapshot& now);
    void restart(const machine::Snapshot& now) { replay(0, now); }
    void begin_at(std::size_t page, const machine::Snapshot& now) { replay(page, now); }

    /// Goes on if the program has come to where it was sent. Call it with every new snapshot.
    void look(const machine::Snapshot& now);

    /// An answer to the page's question; of choices the option's number, from 1. A prediction is
    /// compared when the program has executed what it is about.
    void answer(std::string_view text, const machine::Snapshot& now);
    Verdict verdict() const { return verdict_; }
    std::uint64_t seen() const { return seen_; }  ///< of a prediction: what it really was
    bool seen_known() const { return looked_; }
    /// Pages without a question are done when they are left.
    bool solved() const { return verdict_ == Verdict::Right || !page().question; }

    /// What could not be done, with the line of the lesson; empty: nothing.
    const std::optional<Problem>& trouble() const { return trouble_; }

private:
    struct Standing {
        std::string program;
        std::uint64_t bundles = 0, ip = 0;
        bool operator==(const Standing&) const = default;
    };
    static Standing standing(const machine::Snapshot& now) {
        return {now.program, now.counters.bundles, now.ip};
    }

    void replay(std::size_t page, const machine::Snapshot& now);
    void queue_page(std::size_t page);
    void run_queue(const machine::Snapshot& now);
    bool begin(const Action& action, const machine::Snapshot& now);
    bool go_on(const machine::Snapshot& now);
    void view(const Action& action, const machine::Snapshot& now);
    bool arrived(const machine::Snapshot& now) const;
    void expect(const Action& action, const machine::Snapshot& now);
    void fail(int line, std::string message, std::string hint = {});
    void judge(const machine::Snapshot& now);

    std::shared_ptr<const Lesson> lesson_;
    Stage stage_;
    std::size_t page_ = 0;
    std::vector<Action> queue_;
    std::size_t at_ = 0;
    bool opening_ = false, waiting_ = false;
    std::uint64_t sent_after_ = 0;  ///< sequence of the snapshot before the command in progress
    std::uint64_t bundles_before_ = 0;
    std::uint64_t destination_ = 0;  ///< of a RunTo
    Standing left_;                  ///< where the page's actions ended
    bool at_rest_ = false;           ///< left_ is known
    bool looked_ = false;            ///< what was to be predicted has been executed
    Verdict verdict_ = Verdict::None;
    std::uint64_t predicted_ = 0, seen_ = 0;
    std::optional<Problem> trouble_;
};

/// True if both mean the same: numbers by their value, words in any case.
bool same_answer(std::string_view given, std::string_view wanted,
                 const guest::SymbolTable* symbols);

}  // namespace e2k::lessons
