// Pre-decoded bundles by address, with direct links between successors.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/cpu/exec/micro_op.h"

namespace e2k::cpu::exec {

/// Owns execution forms. Entries stay valid until `flush`; nothing is evicted one by one.
class BundleCache {
public:
    BundleCache() : recent_(static_cast<ExecBundle**>(std::calloc(kRecent, sizeof(ExecBundle*)))) {
        if (!recent_) throw std::bad_alloc();
    }
    /// The entry at `address`, or null. Cheap for recently used addresses.
    ExecBundle* find(std::uint64_t address) {
        ExecBundle* entry = recent_[slot(address)];
        if (entry && entry->address == address) return entry;
        return find_slow(address);
    }
    /// Makes an entry for `bundle`; an existing one at that address is replaced in lookups.
    ExecBundle* insert(const isa::Bundle& bundle, int iset);
    /// True if some entry was made from bytes in [begin, end).
    bool overlaps(std::uint64_t begin, std::uint64_t end) const;
    /// Drops all entries. The caller may hold no pointer to one.
    void flush();
    /// Drops all entries when there are more than a program's hot code can need.
    bool full() const { return chunks_.size() * kChunk > kMaxEntries; }

private:
    static constexpr std::size_t kRecent = 1u << 14;
    static constexpr std::size_t kChunk = 64;
    static constexpr std::size_t kMaxEntries = 200'000;
    static constexpr std::uint64_t kPageShift = 12;

    static std::size_t slot(std::uint64_t address) { return (address >> 3) & (kRecent - 1); }
    ExecBundle* find_slow(std::uint64_t address);

    struct Free {
        void operator()(ExecBundle** table) const { std::free(table); }
    };

    /// From calloc: a program that hardly interprets never touches most of its pages.
    std::unique_ptr<ExecBundle*[], Free> recent_;
    std::unordered_map<std::uint64_t, ExecBundle*> all_;
    std::unordered_set<std::uint64_t> pages_;
    std::vector<std::unique_ptr<std::array<ExecBundle, kChunk>>> chunks_;
    std::size_t used_in_chunk_ = kChunk;
};

}  // namespace e2k::cpu::exec
