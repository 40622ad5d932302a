#include "engine/machine/code_view.h"

#include <algorithm>

namespace e2k::machine {

namespace {

constexpr std::size_t kKept = 8;       ///< views
constexpr std::size_t kExecuted = 64;  ///< places remembered
/// Of a longer section a part is shown: from a function on, this much before and behind the place.
constexpr std::uint64_t kLongest = 128u << 10, kBefore = 32u << 10, kAfter = 64u << 10;
constexpr std::chrono::milliseconds kLivePause{200};

}  // namespace

CodeViewCache::CodeViewCache(const guest::AddressSpace& memory,
                             std::shared_ptr<const guest::SymbolTable> symbols,
                             const std::vector<guest::Section>& sections, int iset)
    : memory_(&memory), symbols_(std::move(symbols)), iset_(iset) {
    for (const guest::Section& s : sections) {
        if (!s.executable || s.size == 0) continue;
        const std::uint64_t begin = s.address & ~std::uint64_t{7}, end = s.address + s.size;
        if (end > begin) sections_.push_back({begin, end, begin, end});
    }
}

/// Executable pages around an address outside of the program's sections.
CodeViewCache::Extent CodeViewCache::mapping_around(std::uint64_t address) const {
    const cpu::MemoryView view = memory_->view();
    const std::uint64_t page = address & ~(CodeImage::kPage - 1);
    const auto is_code = [&](std::uint64_t at) { return view.allows(at, 1, cpu::kPageExec); };
    Extent whole{page, page + CodeImage::kPage, 0, 0};
    if (is_code(page)) {
        while (whole.begin >= CodeImage::kPage && page - whole.begin < kLongest &&
               is_code(whole.begin - CodeImage::kPage))
            whole.begin -= CodeImage::kPage;
        while (whole.end - page < kLongest && is_code(whole.end)) whole.end += CodeImage::kPage;
    }
    return {whole.begin, whole.end, whole.begin, whole.end};
}

CodeViewCache::Extent CodeViewCache::extent_of(std::uint64_t address) const {
    Extent extent = mapping_around(address);
    for (const Extent& section : sections_)
        if (address >= section.begin && address < section.end) extent = section;
    if (extent.end - extent.begin <= kLongest) return extent;
    // A part: it begins where a function does, or else at the place itself.
    const std::uint64_t first = std::max(extent.begin, address - std::min(address, kBefore));
    extent.begin = address & ~std::uint64_t{7};
    if (symbols_) {
        const auto& all = symbols_->all();
        const auto at = std::ranges::lower_bound(all, first, {}, &guest::Symbol::address);
        if (at != all.end() && at->address < extent.begin && at->address % 8 == 0)
            extent.begin = at->address;
    }
    extent.end = std::min(extent.whole_end, address + kAfter);
    return extent;
}

CodeImage CodeViewCache::image_of(const Extent& extent) const {
    CodeImage image;
    image.begin = extent.begin;
    image.bytes.resize(static_cast<std::size_t>(extent.end - extent.begin));
    for (std::uint64_t at = extent.begin; at < extent.end;) {
        const std::uint64_t next =
            std::min((at / CodeImage::kPage + 1) * CodeImage::kPage, extent.end);
        auto* to = image.bytes.data() + (at - extent.begin);
        const auto size = static_cast<std::size_t>(next - at);
        const bool read = memory_->read(at, to, size);
        if (!read) std::fill_n(to, size, std::uint8_t{0});
        image.readable.push_back(read);
        at = next;
    }
    return image;
}

CodeViewCache::Entry* CodeViewCache::find(std::uint64_t address) {
    for (Entry& entry : entries_)
        if (address >= entry.extent.begin && address < entry.extent.end) return &entry;
    return nullptr;
}

void CodeViewCache::make(Entry& entry) {
    auto view = std::make_shared<CodeView>();
    view->generation = ++generation_;
    view->begin = entry.extent.begin;
    view->end = entry.extent.end;
    view->whole_begin = entry.extent.whole_begin;
    view->whole_end = entry.extent.whole_end;
    view->rows = sweep_code(entry.image, symbols_.get(), executed_, iset_);
    entry.view = std::move(view);
    entry.made = Clock::now();
}

std::shared_ptr<const CodeView> CodeViewCache::current(std::uint64_t address, bool executed) {
    Entry* entry = find(address);
    bool stale = !entry;
    if (!entry) {
        const Extent extent = extent_of(address);
        entry = &entries_.emplace_front(Entry{extent, image_of(extent), nullptr, {}});
        if (entries_.size() > kKept) entries_.pop_back();
    } else if (CodeImage now = image_of(entry->extent); now != entry->image) {
        entry->image = std::move(now);
        stale = true;
    }
    if (stale) make(*entry);
    if (!executed || entry->view->row_at(address)) return entry->view;
    // Control is where no bundle was expected: what is there is shown, and remembered.
    if (executed_.size() >= kExecuted) executed_.clear();
    executed_.insert(std::ranges::upper_bound(executed_, address), address);
    make(*entry);
    return entry->view;
}

std::shared_ptr<const CodeView> CodeViewCache::around(std::uint64_t address) {
    return current(address, false);
}

std::shared_ptr<const CodeView> CodeViewCache::executing(std::uint64_t address) {
    return current(address, true);
}

std::shared_ptr<const CodeView> CodeViewCache::cached(std::uint64_t address) {
    Entry* entry = find(address);
    if (!entry) return nullptr;
    if (Clock::now() - entry->made < kLivePause) return entry->view;
    return current(address, false);
}

}  // namespace e2k::machine
