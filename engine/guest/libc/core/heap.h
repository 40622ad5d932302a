// malloc and its relatives. Blocks are guest memory; what is known about them is not.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/guest/libc/core/page_runs.h"
#include "engine/guest/libc/core/page_source.h"
#include "engine/guest/libc/core/size_classes.h"

namespace e2k::guest::libc {

/// Small blocks are cut from slabs of one size each, larger ones are runs of pages, the largest
/// have mappings of their own. Whatever the guest writes, the heap stays consistent; blocks begin
/// at multiples of 16. Thread-safe.
class Heap {
public:
    struct Figures {
        std::uint64_t mapped = 0, in_use = 0;  ///< bytes
        std::uint64_t blocks = 0;              ///< in use
        std::uint64_t own_mappings = 0;        ///< blocks with a mapping of their own
        std::uint64_t own_mapping_bytes = 0;
    };

    Heap(GuestMemory memory, PageSource& pages) : memory_(memory), pages_(pages) {}

    /// malloc. Also of 0 bytes, which has an address of its own. ENOMEM.
    Outcome<std::uint64_t> allocate(std::uint64_t size);
    /// calloc: `count` × `size` zeros.
    Outcome<std::uint64_t> allocate_zeroed(std::uint64_t count, std::uint64_t size);
    /// posix_memalign, aligned_alloc, memalign; EINVAL unless `alignment` is a power of two.
    Outcome<std::uint64_t> allocate_aligned(std::uint64_t alignment, std::uint64_t size);
    /// realloc: address 0 is malloc; size 0 frees and gives 0. Trouble::Abort for an address that
    /// is none of a block.
    Outcome<std::uint64_t> reallocate(std::uint64_t address, std::uint64_t size);
    /// reallocarray.
    Outcome<std::uint64_t> reallocate_array(std::uint64_t address, std::uint64_t count,
                                            std::uint64_t size);
    /// free; address 0 is nothing. Trouble::Abort as above.
    Outcome<void> release(std::uint64_t address);
    /// malloc_usable_size; 0 for what is no block.
    std::uint64_t usable_size(std::uint64_t address);

    Figures figures();

    /// Held over fork(2).
    void lock_for_fork() { mutex_.lock(); }
    void unlock_after_fork() { mutex_.unlock(); }

private:
    using SpanId = std::uint32_t;  ///< index into spans_; 0: none
    static constexpr std::uint8_t kLarge = 0xfe, kOwnMapping = 0xff;

    /// A run of pages: a slab, or one block.
    struct Span {
        std::uint64_t begin = 0, bytes = 0;
        std::uint8_t size_class = 0;  ///< or kLarge, kOwnMapping
        std::uint32_t used = 0;       ///< blocks of a slab
        std::uint32_t count = 0;
        std::uint32_t first_free = 0;  ///< no word of `taken` before this one has a free bit
        std::uint32_t place = 0;       ///< in open_[size_class]
        bool open = false;             ///< a slab with free blocks
        std::vector<std::uint64_t> taken = {};  ///< a bit per block

        bool is_slab() const { return size_class < kLarge; }
        std::uint64_t block_bytes() const { return is_slab() ? kClassSize[size_class] : bytes; }
    };
    /// Which span a page belongs to. Of spans that are one block, only the first page is noted.
    class PageTable {
    public:
        SpanId get(std::uint64_t address) const;
        void set(std::uint64_t address, SpanId id);

    private:
        static constexpr unsigned kLeafBits = 16;
        using Leaf = std::array<SpanId, 1u << kLeafBits>;
        std::vector<std::unique_ptr<Leaf>> leaves_;
    };
    struct Block {
        SpanId span = 0;
        std::uint32_t index = 0;
        bool taken = false;
    };

    // With mutex_ held:
    Outcome<std::uint64_t> take_small(unsigned size_class);
    Outcome<std::uint64_t> take_large(std::uint64_t bytes, std::uint64_t alignment);
    Outcome<std::uint64_t> take_mapping(std::uint64_t bytes, std::uint64_t alignment);
    Outcome<std::uint64_t> take_pages(std::uint64_t bytes, std::uint64_t alignment);
    Outcome<SpanId> make_slab(unsigned size_class);
    SpanId new_span(Span span);
    void drop_span(SpanId id);
    void close(SpanId id);
    void reopen(SpanId id);
    std::optional<Block> find(std::uint64_t address);
    void release_block(const Block& block);
    void release_small(const Block& block);
    /// Changes the size of a block where it is; false: it must move.
    Outcome<bool> resize_in_place(const Block& block, std::uint64_t size);
    Outcome<std::uint64_t> allocate_locked(std::uint64_t size);
    Outcome<std::uint64_t> allocate_aligned_locked(std::uint64_t alignment, std::uint64_t size);

    GuestMemory memory_;
    PageSource& pages_;
    std::mutex mutex_;
    PageTable table_;
    std::deque<Span> spans_ = std::deque<Span>(1);
    std::vector<SpanId> unused_spans_;
    std::array<std::vector<SpanId>, kSizeClasses> open_;
    PageRuns runs_;
    std::uint64_t next_segment_ = 4u << 20;
    std::uint64_t segments_ = 0;  ///< bytes mapped for slabs and runs
    Figures figures_;
};

}  // namespace e2k::guest::libc
