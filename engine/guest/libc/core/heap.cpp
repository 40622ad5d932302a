#include "engine/guest/libc/core/heap.h"

#include <algorithm>
#include <bit>
#include <cerrno>

namespace e2k::guest::libc {
namespace {

using cpu::kPageSize;

constexpr std::uint64_t kLargestRun = 2u << 20;  ///< larger blocks have mappings of their own
constexpr std::uint64_t kLargestSegment = 64u << 20;
/// What is known about small blocks takes about a hundredth of them, in host memory.
constexpr std::uint64_t kMostSegments = 64ull << 30;
constexpr std::uint64_t kMostBytes = static_cast<std::uint64_t>(INT64_MAX);

constexpr std::uint64_t round_up(std::uint64_t n, std::uint64_t unit) {
    return (n + unit - 1) & ~(unit - 1);
}

}  // namespace

// --- which span a page belongs to ---

Heap::SpanId Heap::PageTable::get(std::uint64_t address) const {
    const std::uint64_t page = address >> cpu::kPageShift, leaf = page >> kLeafBits;
    if (leaf >= leaves_.size() || !leaves_[leaf]) return 0;
    return (*leaves_[leaf])[page & ((1u << kLeafBits) - 1)];
}

void Heap::PageTable::set(std::uint64_t address, SpanId id) {
    const std::uint64_t page = address >> cpu::kPageShift, leaf = page >> kLeafBits;
    if (leaf >= leaves_.size()) leaves_.resize(leaf + 1);
    if (!leaves_[leaf]) leaves_[leaf] = std::make_unique<Leaf>();
    (*leaves_[leaf])[page & ((1u << kLeafBits) - 1)] = id;
}

Heap::SpanId Heap::new_span(Span span) {
    SpanId id = 0;
    if (unused_spans_.empty()) {
        id = static_cast<SpanId>(spans_.size());
        spans_.push_back(std::move(span));
    } else {
        id = unused_spans_.back();
        unused_spans_.pop_back();
        spans_[id] = std::move(span);
    }
    const Span& made = spans_[id];
    const std::uint64_t noted = made.is_slab() ? made.bytes : kPageSize;
    for (std::uint64_t at = 0; at < noted; at += kPageSize) table_.set(made.begin + at, id);
    return id;
}

void Heap::drop_span(SpanId id) {
    Span& span = spans_[id];
    const std::uint64_t noted = span.is_slab() ? span.bytes : kPageSize;
    for (std::uint64_t at = 0; at < noted; at += kPageSize) table_.set(span.begin + at, 0);
    span = Span{};
    unused_spans_.push_back(id);
}

// --- pages ---

Outcome<std::uint64_t> Heap::take_pages(std::uint64_t bytes, std::uint64_t alignment) {
    const auto take = [&] {
        return alignment <= kPageSize ? runs_.take(bytes) : runs_.take_aligned(bytes, alignment);
    };
    if (auto at = take()) return *at;
    // A limit of the guest may allow only what is needed at once.
    const std::uint64_t needed = bytes + (alignment <= kPageSize ? 0 : alignment);
    for (const std::uint64_t size : {std::max(next_segment_, needed), needed}) {
        if (segments_ + size > kMostSegments) continue;
        const auto at = pages_.map(size);
        if (!at) continue;
        if (*at + size > cpu::kGuestSpace) {
            pages_.unmap(*at, size);
            continue;
        }
        next_segment_ = std::min(2 * next_segment_, kLargestSegment);
        segments_ += size;
        figures_.mapped += size;
        runs_.give(*at, size);
        if (auto taken = take()) return *taken;
    }
    return error(ENOMEM);
}

Outcome<std::uint64_t> Heap::take_large(std::uint64_t bytes, std::uint64_t alignment) {
    auto at = take_pages(bytes, alignment);
    if (!at) return at;
    new_span({.begin = *at, .bytes = bytes, .size_class = kLarge});
    ++figures_.blocks;
    figures_.in_use += bytes;
    return at;
}

Outcome<std::uint64_t> Heap::take_mapping(std::uint64_t bytes, std::uint64_t alignment) {
    const std::uint64_t slack = alignment <= kPageSize ? 0 : alignment;
    if (bytes > kMostBytes - slack) return error(ENOMEM);
    auto mapped = pages_.map(bytes + slack);
    if (!mapped) return mapped;
    const std::uint64_t at = round_up(*mapped, std::max(alignment, kPageSize));
    if (at + bytes > cpu::kGuestSpace) {
        pages_.unmap(*mapped, bytes + slack);
        return error(ENOMEM);
    }
    if (at != *mapped) pages_.unmap(*mapped, at - *mapped);
    if (const std::uint64_t behind = *mapped + slack - at; behind != 0)
        pages_.unmap(at + bytes, behind);
    new_span({.begin = at, .bytes = bytes, .size_class = kOwnMapping});
    ++figures_.blocks;
    ++figures_.own_mappings;
    figures_.in_use += bytes;
    figures_.mapped += bytes;
    figures_.own_mapping_bytes += bytes;
    return at;
}

// --- slabs ---

Outcome<Heap::SpanId> Heap::make_slab(unsigned size_class) {
    const std::uint64_t bytes = slab_bytes(size_class);
    auto at = take_pages(bytes, kPageSize);
    if (!at) return tl::unexpected(at.error());
    Span span{.begin = *at, .bytes = bytes, .size_class = static_cast<std::uint8_t>(size_class)};
    span.count = static_cast<std::uint32_t>(bytes / kClassSize[size_class]);
    span.taken.assign((span.count + 63) / 64, 0);
    // Bits behind the last block are never free.
    if (span.count % 64 != 0) span.taken.back() = ~0ull << (span.count % 64);
    const SpanId id = new_span(std::move(span));
    reopen(id);
    return id;
}

void Heap::reopen(SpanId id) {
    Span& span = spans_[id];
    auto& open = open_[span.size_class];
    span.open = true;
    span.place = static_cast<std::uint32_t>(open.size());
    open.push_back(id);
}

void Heap::close(SpanId id) {
    Span& span = spans_[id];
    auto& open = open_[span.size_class];
    open[span.place] = open.back();
    spans_[open.back()].place = span.place;
    open.pop_back();
    span.open = false;
}

Outcome<std::uint64_t> Heap::take_small(unsigned size_class) {
    if (open_[size_class].empty())
        if (auto made = make_slab(size_class); !made) return tl::unexpected(made.error());
    const SpanId id = open_[size_class].back();
    Span& span = spans_[id];
    std::uint32_t word = span.first_free;
    while (span.taken[word] == ~0ull) ++word;
    const auto bit = static_cast<std::uint32_t>(std::countr_one(span.taken[word]));
    span.taken[word] |= 1ull << bit;
    span.first_free = word;
    if (++span.used == span.count) close(id);
    ++figures_.blocks;
    figures_.in_use += kClassSize[size_class];
    return span.begin + (word * 64ull + bit) * kClassSize[size_class];
}

void Heap::release_small(const Block& block) {
    Span& span = spans_[block.span];
    const std::uint32_t word = block.index / 64;
    span.taken[word] &= ~(1ull << (block.index % 64));
    span.first_free = std::min(span.first_free, word);
    if (!span.open) reopen(block.span);
    // One empty slab of a size stays.
    if (--span.used != 0 || open_[span.size_class].size() == 1) return;
    close(block.span);
    runs_.give(span.begin, span.bytes);
    drop_span(block.span);
}

// --- blocks ---

std::optional<Heap::Block> Heap::find(std::uint64_t address) {
    if (address >= cpu::kGuestSpace) return std::nullopt;
    const SpanId id = table_.get(address);
    if (id == 0) return std::nullopt;
    const Span& span = spans_[id];
    if (!span.is_slab()) {
        if (address != span.begin) return std::nullopt;
        return Block{id, 0, true};
    }
    const std::uint64_t offset = address - span.begin;
    const auto index = static_cast<std::uint32_t>(offset / span.block_bytes());
    if (offset % span.block_bytes() != 0 || index >= span.count) return std::nullopt;
    return Block{id, index, (span.taken[index / 64] >> (index % 64) & 1) != 0};
}

void Heap::release_block(const Block& block) {
    Span& span = spans_[block.span];
    --figures_.blocks;
    figures_.in_use -= span.block_bytes();
    if (span.is_slab()) return release_small(block);
    if (span.size_class == kLarge) {
        runs_.give(span.begin, span.bytes);
    } else {
        pages_.unmap(span.begin, span.bytes);
        --figures_.own_mappings;
        figures_.mapped -= span.bytes;
        figures_.own_mapping_bytes -= span.bytes;
    }
    drop_span(block.span);
}

Outcome<std::uint64_t> Heap::allocate_locked(std::uint64_t size) {
    if (size <= kLargestSmall) return take_small(class_of(size));
    if (size > kMostBytes) return error(ENOMEM);
    const std::uint64_t bytes = round_up(size, kPageSize);
    return bytes <= kLargestRun ? take_large(bytes, kPageSize) : take_mapping(bytes, kPageSize);
}

Outcome<std::uint64_t> Heap::allocate_aligned_locked(std::uint64_t alignment, std::uint64_t size) {
    if (alignment <= 16) return allocate_locked(size);
    if (size > kMostBytes || alignment > kMostBytes) return error(ENOMEM);
    if (alignment <= kPageSize) {
        const std::uint64_t rounded = round_up(std::max<std::uint64_t>(size, 1), alignment);
        if (rounded > kLargestSmall) return allocate_locked(rounded);
        unsigned c = class_of(rounded);
        while (kClassSize[c] % alignment != 0) ++c;  // the powers of two are among them
        return take_small(c);
    }
    const std::uint64_t bytes = round_up(std::max<std::uint64_t>(size, 1), kPageSize);
    return bytes + alignment <= kLargestRun ? take_large(bytes, alignment)
                                            : take_mapping(bytes, alignment);
}

Outcome<bool> Heap::resize_in_place(const Block& block, std::uint64_t size) {
    Span& span = spans_[block.span];
    if (span.is_slab()) return size <= kLargestSmall && class_of(size) == span.size_class;
    if (span.size_class != kLarge || size <= kLargestSmall) return false;
    const std::uint64_t bytes = round_up(size, kPageSize);
    if (bytes > kLargestRun) return false;
    if (bytes > span.bytes && !runs_.take_at(span.begin + span.bytes, bytes - span.bytes))
        return false;
    if (bytes < span.bytes) runs_.give(span.begin + bytes, span.bytes - bytes);
    figures_.in_use += bytes - span.bytes;
    span.bytes = bytes;
    return true;
}

// --- what the guest calls ---

Outcome<std::uint64_t> Heap::allocate(std::uint64_t size) {
    const std::lock_guard lock(mutex_);
    return allocate_locked(size);
}

Outcome<std::uint64_t> Heap::allocate_zeroed(std::uint64_t count, std::uint64_t size) {
    std::uint64_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes)) return error(ENOMEM);
    auto at = allocate(bytes);
    // A mapping of its own is new.
    if (!at || round_up(bytes, kPageSize) > kLargestRun) return at;
    if (auto done = memory_.fill(*at, 0, bytes); !done) return tl::unexpected(done.error());
    return at;
}

Outcome<std::uint64_t> Heap::allocate_aligned(std::uint64_t alignment, std::uint64_t size) {
    if (!std::has_single_bit(alignment)) return error(EINVAL);
    const std::lock_guard lock(mutex_);
    return allocate_aligned_locked(alignment, size);
}

Outcome<std::uint64_t> Heap::reallocate(std::uint64_t address, std::uint64_t size) {
    if (address == 0) return allocate(size);
    if (size == 0) {
        if (auto done = release(address); !done) return tl::unexpected(done.error());
        return 0;
    }
    std::uint64_t old = 0, moved = 0;
    {
        const std::lock_guard lock(mutex_);
        const auto block = find(address);
        if (!block || !block->taken) return abort_with("realloc(): invalid pointer");
        Span& span = spans_[block->span];
        old = span.block_bytes();
        auto stays = resize_in_place(*block, size);
        if (!stays) return tl::unexpected(stays.error());
        if (*stays) return address;
        const std::uint64_t bytes = size <= kMostBytes ? round_up(size, kPageSize) : 0;
        if (span.size_class == kOwnMapping && bytes > kLargestRun) {
            auto at = pages_.resize(address, old, bytes);
            if (!at) return at;
            drop_span(block->span);
            new_span({.begin = *at, .bytes = bytes, .size_class = kOwnMapping});
            for (std::uint64_t* const figure :
                 {&figures_.in_use, &figures_.mapped, &figures_.own_mapping_bytes})
                *figure += bytes - old;
            return at;
        }
        auto at = allocate_locked(size);
        if (!at) return at;
        moved = *at;
    }
    if (auto copied = memory_.move(moved, address, std::min(old, size)); !copied)
        return tl::unexpected(copied.error());
    if (auto done = release(address); !done) return tl::unexpected(done.error());
    return moved;
}

Outcome<std::uint64_t> Heap::reallocate_array(std::uint64_t address, std::uint64_t count,
                                              std::uint64_t size) {
    std::uint64_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes)) return error(ENOMEM);
    return reallocate(address, bytes);
}

Outcome<void> Heap::release(std::uint64_t address) {
    if (address == 0) return {};
    const std::lock_guard lock(mutex_);
    const auto block = find(address);
    if (!block) return abort_with("free(): invalid pointer");
    if (!block->taken) return abort_with("free(): double free detected");
    release_block(*block);
    return {};
}

std::uint64_t Heap::usable_size(std::uint64_t address) {
    const std::lock_guard lock(mutex_);
    const auto block = find(address);
    return block && block->taken ? spans_[block->span].block_bytes() : 0;
}

Heap::Figures Heap::figures() {
    const std::lock_guard lock(mutex_);
    return figures_;
}

}  // namespace e2k::guest::libc
