#include "engine/history/checkpoint.h"

#include <algorithm>
#include <cstring>

#include "engine/history/touched_pages.h"

namespace e2k::history {
namespace {

using cpu::kPageSize;

bool is_zero(const std::uint8_t* at) {
    std::array<std::uint64_t, kPageSize / 8> words;
    std::memcpy(words.data(), at, sizeof words);
    std::uint64_t all = 0;
    for (const std::uint64_t word : words) all |= word;
    return all == 0;
}

PagePointer page_in(const std::vector<PageRun>& runs, std::uint64_t address) {
    auto run = std::ranges::upper_bound(runs, address, {}, &PageRun::begin);
    if (run == runs.begin()) return nullptr;
    --run;
    const std::uint64_t index = (address - run->begin) / kPageSize;
    return index < run->pages.size() ? run->pages[index] : nullptr;
}

/// The page as it is in `before`, if it is the same, or a new one.
PagePointer keep(const std::uint8_t* now, const PagePointer& before, std::uint64_t& own) {
    if (before && std::memcmp(before->data(), now, kPageSize) == 0) return before;
    if (is_zero(now)) return nullptr;
    own += kPageSize;
    auto page = std::make_shared<Page>();
    std::memcpy(page->data(), now, kPageSize);
    return page;
}

/// The three areas of a thread's stacks, as bytes.
struct Area {
    std::uint8_t* begin;
    std::uint64_t used, most;
};
std::array<Area, 3> areas_of(const cpu::CpuState& s) {
    const std::uint64_t registers = touched_registers(s), frames = touched_frames(s);
    const auto all = static_cast<std::uint64_t>(s.window_limit - s.window_file);
    const auto all_frames = static_cast<std::uint64_t>(s.chain_limit - s.chain_file);
    return {Area{reinterpret_cast<std::uint8_t*>(s.window_file), registers * sizeof(cpu::Reg),
                 all * sizeof(cpu::Reg)},
            Area{s.tag_file, registers, all},
            Area{reinterpret_cast<std::uint8_t*>(s.chain_file), frames * sizeof(cpu::ChainFrame),
                 all_frames * sizeof(cpu::ChainFrame)}};
}

bool same_layout(const std::vector<guest::Region>& a, const std::vector<guest::Region>& b) {
    return std::ranges::equal(a, b, [](const guest::Region& x, const guest::Region& y) {
        return x.begin == y.begin && x.end == y.end && x.prot == y.prot && x.shared == y.shared &&
               x.name == y.name;
    });
}

}  // namespace

std::shared_ptr<Checkpoint> Checkpoint::take(const guest::AddressSpace& memory,
                                             const cpu::CpuState& state, const Checkpoint* before) {
    auto made = std::make_shared<Checkpoint>();
    Checkpoint& c = *made;
    c.image_ = image_of(state);
    c.window_ = state.window_index();
    c.depth_ = state.depth();
    c.regions_ = memory.regions();
    const cpu::MemoryView view = memory.view();
    TouchedPages touched;
    Page now;
    for (const guest::Region& region : c.regions_) {
        PageRun run{region.begin, {}};
        run.pages.resize((region.end - region.begin) / kPageSize);
        for (std::uint64_t i = 0; i < run.pages.size(); ++i) {
            const std::uint64_t at = region.begin + i * kPageSize;
            if (!touched.holds(view.base + view.place(at)) ||
                !read_page(view, at, now.data(), now.size()))
                continue;
            run.pages[i] =
                keep(now.data(), before ? page_in(before->memory_, at) : nullptr, c.own_bytes_);
        }
        c.own_bytes_ += run.pages.size() * sizeof(PagePointer);
        c.memory_.push_back(std::move(run));
    }
    const auto areas = areas_of(state);
    for (std::size_t a = 0; a < areas.size(); ++a) {
        PageRun& run = c.stacks_[a];
        run.pages.resize((areas[a].used + kPageSize - 1) / kPageSize);
        for (std::uint64_t i = 0; i < run.pages.size(); ++i) {
            now.fill(0);
            std::memcpy(now.data(), areas[a].begin + i * kPageSize,
                        std::min(kPageSize, areas[a].most - i * kPageSize));
            const bool known = before && i < before->stacks_[a].pages.size();
            run.pages[i] =
                keep(now.data(), known ? before->stacks_[a].pages[i] : nullptr, c.own_bytes_);
        }
    }
    return made;
}

bool Checkpoint::restore(guest::AddressSpace& memory, cpu::CpuState& state) const {
    const cpu::MemoryView view = memory.view();
    const bool anew = !same_layout(memory.regions(), regions_);
    if (anew) {
        memory.clear();
        for (const guest::Region& r : regions_)
            if (!memory.map(r.begin, r.end - r.begin, r.prot, guest::AddressSpace::Place::Fixed,
                            r.shared, -1, 0, r.name))
                return false;
    }
    const Page zeros{};
    TouchedPages touched;
    Page now;
    bool good = true;
    for (const PageRun& run : memory_)
        for (std::uint64_t i = 0; i < run.pages.size(); ++i) {
            const std::uint64_t at = run.begin + i * kPageSize;
            const PagePointer& page = run.pages[i];
            if (!page && (anew || !touched.holds(view.base + view.place(at)))) continue;
            const std::uint8_t* const wanted = page ? page->data() : zeros.data();
            if (read_page(view, at, now.data(), now.size()) &&
                std::memcmp(now.data(), wanted, kPageSize) == 0)
                continue;
            good = write_page(view, at, wanted, kPageSize) && good;
            memory.note_write(at, kPageSize);
        }
    const auto areas = areas_of(state);
    for (std::size_t a = 0; a < areas.size(); ++a) {
        const PageRun& run = stacks_[a];
        const std::uint64_t end =
            std::max<std::uint64_t>(areas[a].used, run.pages.size() * kPageSize);
        for (std::uint64_t i = 0; i * kPageSize < std::min(end, areas[a].most); ++i) {
            const PagePointer page = i < run.pages.size() ? run.pages[i] : nullptr;
            const std::uint64_t size = std::min(kPageSize, areas[a].most - i * kPageSize);
            std::uint8_t* const to = areas[a].begin + i * kPageSize;
            const std::uint8_t* const wanted = page ? page->data() : zeros.data();
            if (std::memcmp(to, wanted, size) != 0) std::memcpy(to, wanted, size);
        }
    }
    return put_image(image_, window_, depth_, state) && good;
}

}  // namespace e2k::history
