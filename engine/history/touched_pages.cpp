#include "engine/history/touched_pages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

namespace e2k::history {
namespace {

using cpu::kPageShift;
using cpu::kPageSize;

// /proc/PID/pagemap, one word a page.
constexpr std::uint64_t kPresent = 1ull << 63, kSwapped = 1ull << 62;

/// Stacks grow by less than this at a time: where as much has never been used, nothing has.
constexpr std::uint64_t kGap = 64 * kPageSize;

std::uint64_t touched_bytes(const void* begin, std::uint64_t most) {
    TouchedPages touched;
    const auto* const at = static_cast<const std::uint8_t*>(begin);
    std::uint64_t end = 0;
    for (std::uint64_t i = 0; i < most && i < end + kGap; i += kPageSize)
        if (touched.holds(at + i)) end = std::min(most, i + kPageSize);
    return end;
}

std::uint8_t* host_page(const cpu::MemoryView& view, std::uint64_t place) {
    return view.base + (place & ~(kPageSize - 1));
}

int rights_of(std::uint8_t bits) {
    if (!(bits & cpu::kPageRead)) return PROT_NONE;
    return bits & cpu::kPageWrite ? PROT_READ | PROT_WRITE : PROT_READ;
}

}  // namespace

TouchedPages::TouchedPages() : file_(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)) {}
TouchedPages::~TouchedPages() {
    if (file_ >= 0) close(file_);
}

bool TouchedPages::holds(const void* host) {
    const std::uint64_t page = reinterpret_cast<std::uint64_t>(host) >> kPageShift;
    if (page - first_ >= count_) {
        if (file_ < 0) return true;
        const ssize_t got =
            pread(file_, words_.data(), sizeof words_, static_cast<off_t>(page * sizeof words_[0]));
        if (got < static_cast<ssize_t>(sizeof words_[0])) return true;
        first_ = page;
        count_ = static_cast<std::uint64_t>(got) / sizeof words_[0];
    }
    return (words_[page - first_] & (kPresent | kSwapped)) != 0;
}

std::uint64_t touched_registers(const cpu::CpuState& state) {
    const auto most =
        static_cast<std::uint64_t>(state.window_limit - state.window_file) * sizeof(cpu::Reg);
    return std::max<std::uint64_t>(touched_bytes(state.window_file, most) / sizeof(cpu::Reg),
                                   state.window_index() + state.wd.size);
}

std::uint64_t touched_frames(const cpu::CpuState& state) {
    const auto most =
        static_cast<std::uint64_t>(state.chain_limit - state.chain_file) * sizeof(cpu::ChainFrame);
    return std::max<std::uint64_t>(touched_bytes(state.chain_file, most) / sizeof(cpu::ChainFrame),
                                   state.depth());
}

bool read_page(const cpu::MemoryView& view, std::uint64_t address, void* to, std::size_t size) {
    const std::uint64_t place = view.place(address);
    if (place == cpu::MemoryView::kNowhere) return false;
    const std::uint8_t bits = view.page(place >> kPageShift);
    if (bits & cpu::kPageRead) return view.copy_out(address, to, size);
    // Of a file this is the part behind its end.
    if (!(bits & cpu::kPageMapped) || (bits & cpu::kPageFile)) return false;
    std::uint8_t* const page = host_page(view, place);
    if (mprotect(page, kPageSize, PROT_READ) != 0) return false;
    const bool done = view.copy_out(address, to, size);
    mprotect(page, kPageSize, PROT_NONE);
    return done;
}

bool write_page(const cpu::MemoryView& view, std::uint64_t address, const void* from,
                std::size_t size) {
    const std::uint64_t place = view.place(address);
    if (place == cpu::MemoryView::kNowhere) return false;
    const std::uint8_t bits = view.page(place >> kPageShift);
    if (bits & cpu::kPageWrite) return view.copy_in(address, from, size);
    if (bits == 0) return false;
    std::uint8_t* const page = host_page(view, place);
    if (mprotect(page, kPageSize, PROT_READ | PROT_WRITE) != 0) return false;
    const bool done = view.copy_in(address, from, size);
    mprotect(page, kPageSize, rights_of(bits));
    return done;
}

}  // namespace e2k::history
