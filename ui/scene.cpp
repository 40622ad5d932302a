#include "ui/scene.h"

#include <algorithm>

namespace e2k::ui {

namespace {

constexpr std::size_t kMaxSyscalls = 100'000, kMaxConsoleLines = 20'000, kMaxLineBytes = 4096;

bool same(const machine::RegisterView& a, const machine::RegisterView& b) {
    return a.lo == b.lo && a.ext == b.ext && a.tag == b.tag;
}

void age(std::uint8_t& stops) {
    if (stops != Changes::kOld) ++stops;
}

}  // namespace

// --- logs ---

bool Logs::pull(Source& source) {
    bool any = false;
    auto calls = source.syscalls(next_syscall_);
    next_syscall_ = calls.next;
    syscalls_dropped_ = calls.dropped;
    for (auto& record : calls.items) {
        syscalls_.push_back(std::move(record));
        if (syscalls_.size() > kMaxSyscalls) syscalls_.pop_front();
    }
    if (!calls.items.empty()) {
        ++revision_;
        any = true;
    }
    auto chunks = source.console(next_console_);
    next_console_ = chunks.next;
    for (const auto& chunk : chunks.items) append_console(chunk.fd, chunk.text);
    any |= !chunks.items.empty();
    auto notices = source.notices(next_notice_);
    next_notice_ = notices.next;
    for (auto& item : notices.items) notices_.push_back(std::move(item));
    return any || !notices.items.empty();
}

void Logs::clear() {
    syscalls_.clear();
    console_.clear();
    open_line_ = false;
    ++revision_;
    ++console_revision_;
}

void Logs::echo_input(std::string_view text) { append_console(0, text); }

void Logs::notice(bool error, std::string text) {
    notices_.push_back({.sequence = 0, .error = error, .text = std::move(text)});
}

void Logs::append_console(int fd, std::string_view text) {
    ++console_revision_;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view part = text.substr(0, end);
        if (!open_line_ || console_.back().fd != fd ||
            console_.back().text.size() + part.size() > kMaxLineBytes)
            console_.push_back({fd, {}});
        // A carriage return overwrites the line, as terminals do.
        const std::size_t cr = part.rfind('\r');
        if (cr != std::string_view::npos && cr + 1 < part.size()) {
            console_.back().text.assign(part.substr(cr + 1));
        } else {
            console_.back().text += part.substr(0, cr);
        }
        open_line_ = end == std::string_view::npos;
        text.remove_prefix(open_line_ ? text.size() : end + 1);
        if (console_.size() > kMaxConsoleLines) console_.pop_front();
    }
}

// --- changes ---

void Changes::update(const machine::Snapshot& now) {
    if (now.live || (last_ && last_->sequence == now.sequence)) return;
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
    if (!code) return nullptr;
    const auto at = std::lower_bound(
        code->rows.begin(), code->rows.end(), address,
        [](const machine::CodeView::Row& row, std::uint64_t a) { return row.bundle.address < a; });
    return at != code->rows.end() && at->bundle.address == address ? &*at : nullptr;
}

}  // namespace e2k::ui
