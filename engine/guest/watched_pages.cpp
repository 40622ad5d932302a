#include "engine/guest/watched_pages.h"

#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "engine/cpu/state.h"

namespace e2k::guest {
namespace {

using cpu::kPageShift;
using cpu::kPageSize;

constexpr std::uint64_t kMostWatched = 1u << 16;  ///< bytes of a range that is compared

bool overlaps(const WatchedRange& range, std::uint64_t address, unsigned size) {
    return address < range.begin + range.size && range.begin < address + size;
}
bool wants(WatchKind kind, bool write) {
    return kind == WatchKind::Access || (kind == WatchKind::Write) == write;
}

}  // namespace

WatchedPages::WatchedPages(const cpu::GuestSpace& space) : space_(space) {}

WatchedPages::~WatchedPages() {
    if (!ranges_.empty()) cpu::set_page_watch(space_.base(), nullptr);
}

void WatchedPages::set_callback(WatchCallback callback) { callback_ = std::move(callback); }

void WatchedPages::set(std::vector<WatchedRange> ranges) {
    const std::lock_guard lock(mutex_);
    ranges_ = std::move(ranges);
    cpu::set_page_watch(space_.base(), ranges_.empty() ? nullptr : this);
}

void WatchedPages::mark(bool on) {
    for (const Page& page : pages_) {
        auto& bits = const_cast<std::uint8_t&>(space_.view().pages[page.number]);
        if (on)
            __atomic_fetch_or(&bits, std::uint8_t{cpu::kPageWatched}, __ATOMIC_RELAXED);
        else if (space_.view().page(page.number) & cpu::kPageWatched)
            __atomic_fetch_and(&bits, static_cast<std::uint8_t>(~cpu::kPageWatched),
                               __ATOMIC_RELAXED);
    }
}

void WatchedPages::close(const Page& page) const {
    const std::uint8_t bits = space_.view().page(page.number);
    // Only what the guest can access, and what has not been mapped anew since.
    if (!(bits & cpu::kPageRead) || !(bits & cpu::kPageWatched)) return;
    mprotect(space_.base() + (page.number << kPageShift), kPageSize,
             page.reads ? PROT_NONE : PROT_READ);
}

void WatchedPages::open(const Page& page) const {
    const std::uint8_t bits = space_.view().page(page.number);
    if (!(bits & cpu::kPageRead)) return;
    mprotect(space_.base() + (page.number << kPageShift), kPageSize,
             (bits & cpu::kPageWrite) ? PROT_READ | PROT_WRITE : PROT_READ);
}

void WatchedPages::arm(bool on) {
    const std::lock_guard lock(mutex_);
    if (armed_ == (on && !ranges_.empty())) return;
    if (on) {
        pages_.clear();
        for (const WatchedRange& range : ranges_)
            for (std::uint64_t at = range.begin & ~(kPageSize - 1); at < range.begin + range.size;
                 at += kPageSize) {
                const std::uint64_t place = space_.view().place(at);
                if (place == cpu::MemoryView::kNowhere) continue;
                const std::uint64_t number = place >> kPageShift;
                if (space_.view().page(number) == 0) continue;
                auto known = std::ranges::find(pages_, number, &Page::number);
                if (known == pages_.end()) known = pages_.insert(known, Page{number, false});
                known->reads = known->reads || range.kind != WatchKind::Write;
            }
    }
    armed_ = on;
    if (on) mark(true);
    for (const Page& page : pages_) on ? close(page) : open(page);
    if (!on) mark(false);
    touched_any_ = false;
    reported_.clear();
}

void WatchedPages::pause() {
    const std::lock_guard lock(mutex_);
    if (paused_++ != 0) return;
    for (const Page& page : pages_) open(page);
    remember();
}

void WatchedPages::go_on() {
    const std::lock_guard lock(mutex_);
    if (--paused_ != 0) return;
    compare();
    if (!armed_) return;
    for (const Page& page : pages_) close(page);
    touched_any_ = false;
}

void WatchedPages::close_touched() {
    const std::lock_guard lock(mutex_);
    if (!armed_ || paused_ != 0) return;
    for (const Page& page : pages_) close(page);
    touched_any_ = false;
}

void WatchedPages::remember() {
    contents_.assign(ranges_.size(), {});
    for (std::size_t i = 0; i < ranges_.size(); ++i) {
        if (!wants(ranges_[i].kind, true) || ranges_[i].size > kMostWatched) continue;
        contents_[i].resize(ranges_[i].size);
        if (!space_.view().copy_out(ranges_[i].begin, contents_[i].data(), contents_[i].size()))
            contents_[i].clear();
    }
}

void WatchedPages::compare() {
    for (std::size_t i = 0; i < contents_.size(); ++i) {
        std::vector<std::uint8_t> now(contents_[i].size());
        if (now.empty() || !space_.view().copy_out(ranges_[i].begin, now.data(), now.size()))
            continue;
        if (now != contents_[i]) hit(nullptr, {ranges_[i], ranges_[i].begin, true});
    }
    contents_.clear();
}

void WatchedPages::hit(const cpu::CpuState* state, const WatchHit& hit) const {
    if (callback_) callback_(state, hit);
}

void WatchedPages::touched(cpu::CpuState* state, std::uint64_t address, unsigned size, bool write) {
    const std::lock_guard lock(mutex_);
    if (!armed_ || paused_ != 0) return;
    for (std::uint64_t at : {address, address + size - 1}) {
        const std::uint64_t number = space_.view().place(at) >> kPageShift;
        const auto page = std::ranges::find(pages_, number, &Page::number);
        if (page != pages_.end()) open(*page);
    }
    touched_any_ = true;
    if (!state) return;
    // Translated code must not find the page open: the thread comes back after this bundle.
    state->interrupt.fetch_or(1);
    // A bundle looks at its addresses more than once.
    if (std::exchange(last_state_, state) != state ||
        std::exchange(last_bundle_, state->bundles) != state->bundles)
        reported_.clear();
    last_bundle_ = state->bundles;
    for (const WatchedRange& range : ranges_) {
        if (!overlaps(range, address, size) || !wants(range.kind, write)) continue;
        if (std::ranges::find(reported_, range) != reported_.end()) continue;
        reported_.push_back(range);
        hit(state, {range, address, write});
    }
}

}  // namespace e2k::guest
