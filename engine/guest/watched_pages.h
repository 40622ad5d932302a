// Watchpoints on guest memory. The pages they lie on are closed in the host, so that translated
// code keeps its speed everywhere else: what touches such a page is executed by the interpreter,
// which looks closely (MemoryView::allows).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "engine/cpu/guest_space.h"
#include "engine/cpu/page_watch.h"

namespace e2k::guest {

enum class WatchKind : std::uint8_t { Write, Read, Access };

struct WatchedRange {
    std::uint64_t begin = 0, size = 0;
    WatchKind kind = WatchKind::Write;
    bool operator==(const WatchedRange&) const = default;
};

/// An access that met a range.
struct WatchHit {
    WatchedRange range;
    std::uint64_t address = 0;  ///< of the access
    bool write = false;
};

/// Called on the thread that makes the access, while its bundle executes. Its state: null where the
/// kernel or the C library of the workbench has written for it, which is seen afterwards.
using WatchCallback = std::function<void(const cpu::CpuState*, const WatchHit&)>;

class WatchedPages final : public cpu::PageWatch {
public:
    explicit WatchedPages(const cpu::GuestSpace& space);
    ~WatchedPages() override;

    void set_callback(WatchCallback callback);
    /// While nothing is armed, and the guest does not run.
    void set(std::vector<WatchedRange> ranges);
    /// Closes the pages, or opens all of them.
    void arm(bool on);
    bool armed() const { return armed_.load(std::memory_order_relaxed); }
    /// While the kernel or the workbench accesses guest memory itself: the pages are open; what has
    /// changed in between is a write. They nest, also over threads.
    void pause();
    void go_on();
    /// Closes the pages again that a bundle has opened.
    void close_touched();
    bool has_touched() const { return touched_any_.load(std::memory_order_relaxed); }

    void touched(cpu::CpuState* state, std::uint64_t address, unsigned size, bool write) override;

private:
    struct Page {
        std::uint64_t number = 0;  ///< of the page map
        bool reads = false;        ///< loads are watched too
    };
    void mark(bool on);
    void close(const Page& page) const;
    void open(const Page& page) const;
    void remember();
    void compare();
    void hit(const cpu::CpuState* state, const WatchHit& hit) const;

    const cpu::GuestSpace& space_;
    std::mutex mutex_;
    std::vector<WatchedRange> ranges_;
    std::vector<Page> pages_;
    std::vector<std::vector<std::uint8_t>> contents_;  ///< of the ranges, before a pause
    WatchCallback callback_;
    std::atomic<bool> armed_{false}, touched_any_{false};
    unsigned paused_ = 0;
    const cpu::CpuState* last_state_ = nullptr;  ///< whose bundle `reported_` belongs to
    std::uint64_t last_bundle_ = 0;
    std::vector<WatchedRange> reported_;
};

}  // namespace e2k::guest
