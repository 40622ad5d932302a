// What a panel may see in one frame: the snapshot, what changed since the last stops, the event
// logs, and the shared selection that links panels.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/machine/machine.h"
#include "engine/machine/snapshot.h"
#include "ui/theme.h"

namespace e2k::ui {

/// Where snapshots and logs come from: the machine, or a stand-in of the tests.
class Source : public machine::CommandSink {
public:
    virtual std::shared_ptr<const machine::Snapshot> snapshot() = 0;
    virtual machine::LogSlice<guest::SyscallRecord> syscalls(std::uint64_t after) = 0;
    virtual machine::LogSlice<machine::ConsoleChunk> console(std::uint64_t after) = 0;
    virtual machine::LogSlice<machine::Notice> notices(std::uint64_t after) = 0;
};

/// The UI's own bounded copy of the machine's logs.
class Logs {
public:
    struct Line {
        int fd = 1;  ///< 0 = typed by the user, 1 and 2 = guest
        std::string text;
    };

    /// Takes over what is new; true if anything was.
    bool pull(Source& source);
    void clear();
    void echo_input(std::string_view text);
    void notice(bool error, std::string text);
    void dismiss_notice(std::size_t index) {
        notices_.erase(notices_.begin() + static_cast<std::ptrdiff_t>(index));
    }

    const std::deque<guest::SyscallRecord>& syscalls() const { return syscalls_; }
    /// Of this run of the program, and how many of them are no longer kept.
    std::uint64_t syscalls_total() const { return next_syscall_ - first_syscall_; }
    std::uint64_t syscalls_dropped() const { return syscalls_total() - syscalls_.size(); }
    /// The place of a call among those of this run, from 0.
    std::uint64_t number_of(const guest::SyscallRecord& call) const {
        return call.sequence - first_syscall_;
    }
    /// Grows whenever syscalls() changes; filters are rebuilt when it does.
    std::uint64_t syscalls_revision() const { return revision_; }
    const std::deque<Line>& console() const { return console_; }
    std::uint64_t console_revision() const { return console_revision_; }
    const std::vector<machine::Notice>& notices() const { return notices_; }

private:
    void clear_console();
    void pull_syscalls(Source& source);
    bool pull_console(Source& source);
    void append_console(int fd, std::string_view text);
    std::string& new_line(int fd);
    void add_notice(machine::Notice notice);

    std::deque<guest::SyscallRecord> syscalls_;
    std::deque<Line> console_;  ///< the last one may still grow
    std::vector<machine::Notice> notices_;
    std::uint64_t next_syscall_ = 0, next_console_ = 0, next_notice_ = 0;
    std::uint64_t first_syscall_ = 0;                       ///< of what is shown
    std::uint64_t syscalls_begin_ = 0, console_begin_ = 0;  ///< of this run, as the source says
    std::size_t syscall_bytes_ = 0, console_bytes_ = 0;
    std::uint64_t revision_ = 0, console_revision_ = 0;
    bool open_line_ = false;  ///< last console line has no newline yet
};

/// How many stops ago a register changed; drives the fading highlight.
class Changes {
public:
    static constexpr std::uint8_t kOld = 255;
    /// Compares with the previous stop. Of a program that runs light snapshots count as stops if it
    /// is so slow that they can be followed, and are ignored otherwise.
    void update(const machine::Snapshot& now);

    /// By index in the window file, so that a register keeps its identity across calls.
    std::uint8_t window_file(std::uint32_t index) const;
    std::uint8_t global(unsigned index) const { return globals_[index]; }
    std::uint8_t predicate(unsigned index) const { return predicates_[index]; }
    std::uint8_t ctpr(unsigned index) const { return ctpr_[index]; }
    std::uint8_t loop() const { return loop_; }
    /// Value before the last stop, if it is known.
    std::optional<machine::RegisterView> before(std::uint32_t file_index) const;

private:
    std::unordered_map<std::uint32_t, std::uint8_t> file_;  ///< only the recently changed
    std::unordered_map<std::uint32_t, machine::RegisterView> before_;
    std::array<std::uint8_t, 32> globals_, predicates_;
    std::array<std::uint8_t, 3> ctpr_;
    std::uint8_t loop_ = kOld;
    std::optional<machine::Snapshot> last_;  ///< registers of the last stop

public:
    Changes() {
        globals_.fill(kOld);
        predicates_.fill(kOld);
        ctpr_.fill(kOld);
    }
};

/// A register named by panels and explanations.
struct RegisterRef {
    enum class Kind : std::uint8_t { None, Window, Global, Predicate, Ctpr } kind = Kind::None;
    std::uint16_t index = 0;
    bool operator==(const RegisterRef&) const = default;
};

/// What the user points at; every panel shows it, any panel sets it.
struct Selection {
    std::uint64_t bundle = 0;  ///< 0 = none: panels follow the current bundle
    int lane = -1;
    RegisterRef reg;
    std::uint64_t hover_bundle = 0;  ///< under the mouse in some panel, this frame
    RegisterRef hover_reg;           ///< the same
    RegisterRef hovered_reg;         ///< ... in the frame before: what other panels show
    std::uint64_t go_to = 0;         ///< request to show an address in the bundles panel
};

/// Collects the text that is really drawn, row by row, for tests.
struct TextCapture {
    std::string text;
};

struct Scene {
    const machine::Snapshot& now;
    const Changes& changes;
    const Logs& logs;
    const Theme& theme;
    Selection& selection;
    TextCapture* capture = nullptr;
    bool still = false;  ///< deterministic picture: no wall-clock figures, no caret

    std::uint64_t cursor() const { return selection.bundle ? selection.bundle : now.ip; }
    const guest::SymbolTable* symbols() const { return now.symbols.get(); }
    /// A program runs so slowly that its bundles can be watched.
    bool slow_motion() const { return running() && now.counters.bundles_per_second <= kSlowMotion; }
    static constexpr double kSlowMotion = 120;  ///< bundles a second
    bool has_program() const { return now.run_state != machine::RunState::NoProgram; }
    bool running() const { return now.run_state == machine::RunState::Running; }
};

/// The row of `code` at `address`, null if it is not in view.
const machine::CodeView::Row* find_row(const machine::CodeView* code, std::uint64_t address);

}  // namespace e2k::ui
