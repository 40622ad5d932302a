#include "ui/scene.h"

#include <algorithm>

namespace e2k::ui {

namespace {

constexpr std::size_t kMaxSyscalls = 100'000, kMaxSyscallBytes = 32u << 20;
constexpr std::size_t kMaxConsoleLines = 20'000, kMaxLineBytes = 4096, kMaxConsoleBytes = 8u << 20;
constexpr std::size_t kMaxNotices = 32;

std::size_t cost_of(const guest::SyscallRecord& call) {
    return sizeof call + call.name.capacity() + call.arguments.capacity() +
           call.result_text.capacity();
}

bool same(const machine::RegisterView& a, const machine::RegisterView& b) {
    return a.lo == b.lo && a.ext == b.ext && a.tag == b.tag;
}

void age(std::uint8_t& stops) {
    if (stops != Changes::kOld) ++stops;
}

}  // namespace

// --- logs ---

void Logs::pull_syscalls(Source& source) {
    auto calls = source.syscalls(next_syscall_);
    if (calls.first != syscalls_begin_) {  // another run of the program
        syscalls_.clear();
        syscall_bytes_ = 0;
        first_syscall_ = syscalls_begin_ = calls.first;
        ++revision_;
    }
    next_syscall_ = calls.next;
    if (calls.items.empty()) return;
    ++revision_;
    for (auto& record : calls.items) {
        syscall_bytes_ += cost_of(record);
        syscalls_.push_back(std::move(record));
        while (syscalls_.size() > kMaxSyscalls || syscall_bytes_ > kMaxSyscallBytes) {
            syscall_bytes_ -= cost_of(syscalls_.front());
            syscalls_.pop_front();
        }
    }
}

bool Logs::pull_console(Source& source) {
    auto chunks = source.console(next_console_);
    const bool another_run = chunks.first != console_begin_;
    if (another_run) {
        clear_console();
        console_begin_ = chunks.first;
    }
    next_console_ = chunks.next;
    for (const auto& chunk : chunks.items) append_console(chunk.fd, chunk.text);
    return another_run || !chunks.items.empty();
}

bool Logs::pull(Source& source) {
    const std::uint64_t calls_before = revision_;
    pull_syscalls(source);
    bool any = pull_console(source) || revision_ != calls_before;
    auto notices = source.notices(next_notice_);
    next_notice_ = notices.next;
    for (auto& item : notices.items) add_notice(std::move(item));
    return any || !notices.items.empty();
}

void Logs::clear() {
    // What comes before the next run begins belongs to the last one; pull() forgets it then.
    syscalls_.clear();
    syscall_bytes_ = 0;
    first_syscall_ = next_syscall_;
    ++revision_;
    clear_console();
}

void Logs::clear_console() {
    console_.clear();
    console_bytes_ = 0;
    open_line_ = false;
    ++console_revision_;
}

void Logs::echo_input(std::string_view text) { append_console(0, text); }

void Logs::notice(bool error, std::string text) {
    add_notice({.sequence = 0, .error = error, .text = std::move(text)});
}

/// A failure that repeats is said once; the oldest go where there are too many.
void Logs::add_notice(machine::Notice notice) {
    if (!notices_.empty() && notices_.back().text == notice.text) return;
    notices_.push_back(std::move(notice));
    if (notices_.size() > kMaxNotices) notices_.erase(notices_.begin());
}

std::string& Logs::new_line(int fd) {
    console_.push_back({fd, {}});
    return console_.back().text;
}

void Logs::append_console(int fd, std::string_view text) {
    ++console_revision_;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view part = text.substr(0, end);
        std::string* line =
            open_line_ && console_.back().fd == fd ? &console_.back().text : nullptr;
        if (!line) line = &new_line(fd);
        // A carriage return overwrites the line, as terminals do.
        const std::size_t cr = part.rfind('\r');
        if (cr != std::string_view::npos && cr + 1 < part.size()) {
            console_bytes_ -= line->size();
            line->clear();
            part.remove_prefix(cr + 1);
        } else {
            part = part.substr(0, cr);
        }
        console_bytes_ += part.size();
        while (line->size() + part.size() > kMaxLineBytes) {  // very long lines are broken
            const std::size_t room = kMaxLineBytes - std::min(kMaxLineBytes, line->size());
            line->append(part.substr(0, room));
            part.remove_prefix(room);
            line = &new_line(fd);
        }
        *line += part;
        open_line_ = end == std::string_view::npos;
        text.remove_prefix(open_line_ ? text.size() : end + 1);
        while (console_.size() > kMaxConsoleLines || console_bytes_ > kMaxConsoleBytes) {
            console_bytes_ -= console_.front().text.size();
            console_.pop_front();
        }
    }
}

// --- changes ---

void Changes::update(const machine::Snapshot& now) {
    if (now.live && now.counters.bundles_per_second > Scene::kSlowMotion) return;
    if (last_ && last_->sequence == now.sequence) return;
    if (!last_ || last_->program != now.program || now.counters.bundles < last_->counters.bundles) {
        *this = Changes();
        last_ = now;
        return;
    }
    // A second picture of the same stop (another code range, a new breakpoint) changes nothing.
    if (last_->counters.bundles == now.counters.bundles && last_->ip == now.ip) {
        last_->sequence = now.sequence;
        return;
    }
    for (auto& [index, stops] : file_) ++stops;
    std::erase_if(file_, [](const auto& item) { return item.second > 4; });
    before_.clear();
    for (std::size_t i = 0; i < now.window_file.size(); ++i) {
        const auto index = static_cast<std::uint32_t>(now.file_first + i);
        if (index < last_->file_first) continue;
        const std::size_t old = index - last_->file_first;
        if (old >= last_->window_file.size()) {
            // The window grew by a call or setwd; what holds something is news too.
            if (now.window_file[i].lo != 0) file_[index] = 0;
            continue;
        }
        if (same(now.window_file[i], last_->window_file[old])) continue;
        file_[index] = 0;
        before_[index] = last_->window_file[old];
    }
    for (unsigned i = 0; i < 32; ++i) {
        age(globals_[i]);
        age(predicates_[i]);
        if (!same(now.globals[i], last_->globals[i])) globals_[i] = 0;
        if (now.predicates[i] != last_->predicates[i]) predicates_[i] = 0;
    }
    for (unsigned i = 0; i < 3; ++i) {
        age(ctpr_[i]);
        if (now.ctpr[i].base != last_->ctpr[i].base || now.ctpr[i].tag != last_->ctpr[i].tag)
            ctpr_[i] = 0;
    }
    age(loop_);
    if (now.lsr.lsr_image() != last_->lsr.lsr_image()) loop_ = 0;
    last_ = now;
}

std::uint8_t Changes::window_file(std::uint32_t index) const {
    const auto at = file_.find(index);
    return at == file_.end() ? kOld : at->second;
}

std::optional<machine::RegisterView> Changes::before(std::uint32_t file_index) const {
    const auto at = before_.find(file_index);
    if (at == before_.end()) return std::nullopt;
    return at->second;
}

const machine::CodeView::Row* find_row(const machine::CodeView* code, std::uint64_t address) {
    return code ? code->row_at(address) : nullptr;
}

}  // namespace e2k::ui
