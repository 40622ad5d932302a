#include "engine/history/recorder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/history/touched_pages.h"

namespace e2k::history {
namespace {

using cpu::kPageSize;

/// Of a longer span that may be written nothing is kept: what it holds afterwards is recorded.
constexpr std::uint64_t kMostKept = 16u << 20;
/// Bytes that are equal in between do not end a difference.
constexpr std::size_t kShortGap = 16;

constexpr std::uint64_t page_down(std::uint64_t a) { return a & ~(kPageSize - 1); }

bool same(const cpu::Reg& a, const cpu::Reg& b) { return a.lo == b.lo && a.ext == b.ext; }

}  // namespace

Recorder::Recorder(guest::Process& process, cpu::CpuState& state, std::shared_ptr<Log> log)
    : process_(process), memory_(process.memory()), state_(state), log_(std::move(log)) {
    window_file_ = state_.window_file;
    active_ = true;
    record_start();
    guest::observe_memory(memory_.view().base, this);
    if (!cpu::set_clock_tape(state_, this)) end("too many threads are recorded at once");
    if (process_.threads().size() > 1) end("the program has more than one thread");
}

Recorder::~Recorder() { forget(); }

void Recorder::forget() {
    active_ = false;
    guest::observe_memory(memory_.view().base, nullptr);
    cpu::set_clock_tape(state_, nullptr);
}

void Recorder::end(std::string why) {
    if (!active_) return;
    log_->end(std::move(why), state_.bundles);
    forget();
}

void Recorder::record_start() {
    Event start;
    start.kind = EventKind::Start;
    start.bundle = state_.bundles;
    start.check = state_check(state_);
    start.window = state_.window_index();
    start.depth = state_.depth();
    const StateImage image = image_of(state_);
    for (std::uint64_t i = 0; i < image.size(); ++i)
        if (image[i] != 0) start.words.emplace_back(i, image[i]);
    add_registers(start, 0, touched_registers(state_));
    add_frames(start, 0, touched_frames(state_));
    for (const guest::Region& region : memory_.regions()) {
        if (region.shared && !region.name.empty() && region.name.front() == '/')
            end_after_ = "the program shares memory with others";
        MappingChange map{.a = region.begin, .b = region.end, .prot = 0, .name = region.name};
        map.shared = region.shared;
        map.prot = static_cast<std::uint8_t>(region.prot);
        start.mappings.push_back(std::move(map));
        add_contents(start, region.begin, region.end - region.begin);
    }
    log_->append(start);
    if (!end_after_.empty()) end(end_after_);
}

void Recorder::before(EventKind kind, std::uint64_t number) {
    if (!active_ || inside_) return;
    inside_ = true;
    event_ = Event();
    event_.kind = kind;
    event_.number = number;
    event_.bundle = state_.bundles;
    event_.check = state_check(state_);
    image_ = image_of(state_);
    window_ = state_.window_index();
    depth_ = state_.depth();
    registers_.assign(state_.window, state_.window + state_.wd.size);
    tags_.assign(state_.window_tags, state_.window_tags + state_.wd.size);
    if (depth_ > 0) frame_ = state_.chain_top[-1];
    spans_.clear();
    whole_stacks_ = false;
}

void Recorder::after(bool goes_on, bool waits) {
    if (!inside_) return;
    inside_ = false;
    if (!active_) return;
    if (state_.window_file != window_file_) {
        const bool new_program = std::ranges::any_of(event_.mappings, [](const MappingChange& m) {
            return m.kind == MappingChange::Kind::Clear;
        });
        if (!new_program) return end("the program goes on with other stacks (makecontext)");
        window_file_ = state_.window_file;
        whole_stacks_ = true;
    }
    event_.goes_on = goes_on;
    event_.waits = waits;
    collect_words(event_);
    collect_stacks(event_);
    collect_memory(event_);
    const bool nothing = event_.words.empty() && event_.registers.empty() &&
                         event_.frames.empty() && event_.mappings.empty() &&
                         event_.memory.empty() && event_.goes_on;
    if (nothing && (waits || event_.kind == EventKind::Signals || event_.kind == EventKind::Edit))
        return;
    log_->append(event_);
    if (log_->full()) end("the recording has reached its size limit");
    if (!end_after_.empty()) end(std::exchange(end_after_, {}));
}

void Recorder::collect_words(Event& event) const {
    event.window = state_.window_index();
    event.depth = state_.depth();
    const StateImage now = image_of(state_);
    for (std::uint64_t i = 0; i < now.size(); ++i)
        if (now[i] != image_[i]) event.words.emplace_back(i, now[i]);
}

void Recorder::add_registers(Event& event, std::uint64_t first, std::uint64_t end) const {
    if (first >= end) return;
    RegisterRun run;
    run.first = first;
    run.values.assign(state_.window_file + first, state_.window_file + end);
    run.tags.assign(state_.tag_file + first, state_.tag_file + end);
    event.registers.push_back(std::move(run));
}

void Recorder::add_frames(Event& event, std::uint64_t first, std::uint64_t end) const {
    if (first >= end) return;
    FrameRun run;
    run.first = first;
    run.frames.assign(state_.chain_file + first, state_.chain_file + end);
    event.frames.push_back(std::move(run));
}

void Recorder::collect_stacks(Event& event) {
    const std::uint64_t window = event.window, depth = event.depth, size = state_.wd.size;
    if (whole_stacks_) {
        add_registers(event, 0, window + size);
        return add_frames(event, 0, depth);
    }
    if (window != window_ || size != registers_.size()) {
        add_registers(event, window, window + size);
    } else {
        for (std::uint64_t i = 0; i < size; ++i) {
            const auto differs = [&](std::uint64_t k) {
                return k < size && (!same(state_.window[k], registers_[k]) ||
                                    state_.window_tags[k] != tags_[k]);
            };
            if (!differs(i)) continue;
            std::uint64_t end = i + 1;
            while (differs(end)) ++end;
            add_registers(event, window + i, window + end);
            i = end;
        }
    }
    const std::uint64_t common = std::min(depth, depth_);
    if (depth != depth_)
        add_frames(event, common > 0 ? common - 1 : 0, depth);
    else if (depth > 0 && std::memcmp(&frame_, &state_.chain_top[-1], sizeof frame_) != 0)
        add_frames(event, depth - 1, depth);
}

/// What can be read of [address, address+size), without pages of zeros.
void Recorder::add_contents(Event& event, std::uint64_t address, std::uint64_t size) const {
    const cpu::MemoryView view = memory_.view();
    TouchedPages touched;
    const std::uint64_t end = address + size;
    for (std::uint64_t at = page_down(address); at < end; at += kPageSize) {
        const std::uint64_t begin = std::max(at, address), stop = std::min(at + kPageSize, end);
        const std::uint64_t place = view.place(begin);
        if (place == cpu::MemoryView::kNowhere) continue;
        const std::uint8_t bits = view.page(place >> cpu::kPageShift);
        if (bits == 0) continue;
        // Untouched anonymous memory is zeros; pages of files are in none of our tables yet.
        if (!(bits & cpu::kPageFile) && !touched.holds(view.base + place)) continue;
        std::vector<std::uint8_t> bytes(stop - begin);
        if (!read_page(view, begin, bytes.data(), bytes.size())) continue;
        if (!event.memory.empty()) {
            MemoryBytes& last = event.memory.back();
            if (last.address + last.bytes.size() == begin) {
                last.bytes.insert(last.bytes.end(), bytes.begin(), bytes.end());
                continue;
            }
        }
        event.memory.push_back({begin, std::move(bytes)});
    }
}

void Recorder::add_difference(Event& event, const Span& span) const {
    std::vector<std::uint8_t> now(span.size);
    if (!memory_.view().copy_out(span.address, now.data(), now.size())) return;
    for (std::size_t at = 0; at < now.size();) {
        if (now[at] == span.before[at]) {
            ++at;
            continue;
        }
        std::size_t end = at + 1, equal = 0;
        for (std::size_t i = end; i < now.size() && equal < kShortGap; ++i) {
            equal = now[i] == span.before[i] ? equal + 1 : 0;
            if (equal == 0) end = i + 1;
        }
        event.memory.push_back({span.address + at,
                                {now.begin() + static_cast<std::ptrdiff_t>(at),
                                 now.begin() + static_cast<std::ptrdiff_t>(end)}});
        at = end;
    }
}

void Recorder::collect_memory(Event& event) {
    for (const Span& span : spans_)
        if (span.before.empty()) {
            event.mappings.push_back({.kind = MappingChange::Kind::Zero,
                                      .a = span.address,
                                      .b = span.address + span.size,
                                      .name = {}});
            add_contents(event, span.address, span.size);
        } else {
            add_difference(event, span);
        }
    spans_.clear();
}

void Recorder::may_write(std::uint64_t address, std::uint64_t size) {
    if (!inside_ || size == 0) return;
    for (const Span& span : spans_)
        if (address >= span.address && address + size <= span.address + span.size) return;
    Span span{address, size, {}};
    if (size <= kMostKept) {
        span.before.resize(size);
        if (!memory_.view().copy_out(address, span.before.data(), size)) span.before.clear();
    }
    spans_.push_back(std::move(span));
}

void Recorder::written(std::uint64_t address, std::uint64_t size) {
    if (!inside_) {  // a debugger
        before(EventKind::Edit, 0);
        spans_.push_back({address, size, {}});
        return after(true, false);
    }
    for (const Span& span : spans_)
        if (address >= span.address && address + size <= span.address + span.size) return;
    spans_.push_back({address, size, {}});
}

/// A change of the mappings: what spans held before it says nothing any more.
void Recorder::change(guest::Region&& region, MappingChange change) {
    change.name = std::move(region.name);
    change.shared = region.shared;
    change.prot = static_cast<std::uint8_t>(region.prot);
    for (Span& span : spans_) span.before.clear();
    if (inside_) {
        event_.mappings.push_back(std::move(change));
        return;
    }
    before(EventKind::Edit, 0);
    event_.mappings.push_back(std::move(change));
    after(true, false);
}

void Recorder::mapped(const guest::Region& region, bool content, bool foreign) {
    if (foreign) end_after_ = "the program shares memory with a file or another program";
    change(guest::Region(region), {.a = region.begin, .b = region.end, .name = {}});
    if (content) spans_.push_back({region.begin, region.end - region.begin, {}});
}

void Recorder::unmapped(std::uint64_t begin, std::uint64_t end) {
    change({}, {.kind = MappingChange::Kind::Unmap, .a = begin, .b = end, .name = {}});
}

void Recorder::protection(std::uint64_t begin, std::uint64_t size, int prot) {
    guest::Region region;
    region.prot = prot;
    const auto at = memory_.region_at(begin);
    change(std::move(region),
           {.kind = MappingChange::Kind::Protect, .a = begin, .b = size, .name = {}});
    // Of a file it may be the first time that it can be read.
    if (at && at->name.starts_with('/') && inside_) spans_.push_back({begin, size, {}});
}

void Recorder::moved(const guest::Remapping& what) {
    MappingChange move{.kind = MappingChange::Kind::Move,
                       .a = what.from,
                       .b = what.old_size,
                       .c = what.to,
                       .d = what.new_size,
                       .name = {}};
    move.keep = what.keep_old;
    const auto at = memory_.region_at(what.to);
    change({}, std::move(move));
    if (at && at->name.starts_with('/') && inside_ && what.new_size > what.old_size)
        spans_.push_back({what.to + what.old_size, what.new_size - what.old_size, {}});
}

void Recorder::cleared() { change({}, {.kind = MappingChange::Kind::Clear, .name = {}}); }

/// Time stands still within a bundle, so that one that is executed twice reads the same.
std::uint64_t Recorder::reading(const cpu::CpuState& state, std::uint64_t now) {
    if (!active_) return now;
    const auto& all = log_->readings();
    if (!all.empty() && all.back().bundle == state.bundles) return all.back().value;
    log_->append(Reading{state.bundles, now});
    return now;
}

}  // namespace e2k::history
