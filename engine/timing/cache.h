// A set-associative cache of line numbers with the least recently used line given up first.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "engine/timing/processor.h"

namespace e2k::timing {

class Cache {
public:
    explicit Cache(const CacheTiming& t)
        : line_shift_(static_cast<unsigned>(std::countr_zero(t.line))),
          ways_(t.ways),
          mask_(t.bytes / (t.line * t.ways) - 1),
          lines_(std::size_t{t.bytes} / t.line, kNone) {}

    unsigned line_shift() const { return line_shift_; }
    /// Whether the address' line is there; it is the latest used then.
    bool touch(std::uint64_t address) {
        const std::uint64_t line = address >> line_shift_;
        std::uint64_t* const set = &lines_[(line & mask_) * ways_];
        if (set[0] == line) return true;
        for (std::uint32_t way = 1; way < ways_; ++way) {
            if (set[way] != line) continue;
            std::rotate(set, set + way, set + way + 1);
            return true;
        }
        return false;
    }
    /// Puts the address' line in, where it is not.
    void insert(std::uint64_t address) {
        const std::uint64_t line = address >> line_shift_;
        std::uint64_t* const set = &lines_[(line & mask_) * ways_];
        std::copy_backward(set, set + ways_ - 1, set + ways_);
        set[0] = line;
    }

private:
    static constexpr std::uint64_t kNone = ~0ull;
    unsigned line_shift_;
    std::uint32_t ways_;
    std::uint64_t mask_;
    std::vector<std::uint64_t> lines_;  ///< of a set in order of use
};

/// L1 and what lies behind it.
class MemoryModel {
public:
    explicit MemoryModel(const Processor& p) : p_(p) {
        for (const CacheTiming& c : p.caches) caches_.emplace_back(c);
        pipe_.assign(caches_.size() + 1, 0);
        stream_pipe_ = pipe_;
    }
    /// Levels: 0 is L1, caches() is memory.
    std::size_t caches() const { return caches_.size(); }
    struct Answer {
        std::uint64_t ready = 0;  ///< cycle
        std::size_t level = 0;
    };
    /// A load at cycle `at` whose latency from L1 would be `hit`.
    Answer load(std::uint64_t address, unsigned size, std::uint64_t at, unsigned hit) {
        Answer a = line(address, at, hit);
        const std::uint64_t last = address + size - 1;
        if ((address ^ last) >> caches_[0].line_shift()) [[unlikely]] {
            const Answer b = line(last, at, hit);
            a.ready = std::max(a.ready, b.ready);
            a.level = std::max(a.level, b.level);
        }
        return a;
    }
    /// A store goes through L1 into L2. Cycle when it is out of the way.
    std::uint64_t store(std::uint64_t address, std::uint64_t at) {
        caches_[0].touch(address);
        if (caches_.size() > 1) fetch(address, 1, at, pipe_);
        std::uint64_t& out = store_pipe_;
        out = std::max(out, at) + p_.store_interval;
        return out;
    }
    /// An area's next line, read past L1, at cycle `at` or later.
    Answer stream(std::uint64_t address, std::uint64_t at) {
        const std::size_t first = caches_.size() > 1 ? 1 : 0;
        return fetch(address, first, at, stream_pipe_);
    }
    unsigned stream_shift() const { return caches_[caches_.size() > 1 ? 1 : 0].line_shift(); }

private:
    Answer line(std::uint64_t address, std::uint64_t at, unsigned hit) {
        if (caches_[0].touch(address)) return {at + hit, 0};
        caches_[0].insert(address);
        return fetch(address, 1, at, pipe_);
    }
    /// From level `first` on; levels on the way keep the line. A line holds up those behind it on
    /// its way.
    Answer fetch(std::uint64_t address, std::size_t first, std::uint64_t at,
                 std::vector<std::uint64_t>& pipe) {
        std::size_t level = first;
        while (level < caches_.size() && !caches_[level].touch(address))
            caches_[level++].insert(address);
        const CacheTiming& t = level < caches_.size() ? p_.caches[level] : p_.memory;
        const std::uint64_t start = std::max(at, pipe[level]);
        pipe[level] = start + t.interval;
        return {start + t.latency, level};
    }

    const Processor& p_;
    std::vector<Cache> caches_;
    /// Per level: when it can deliver again. Streams are asked for long before, so they have ways
    /// of their own.
    std::vector<std::uint64_t> pipe_, stream_pipe_;
    std::uint64_t store_pipe_ = 0;
};

}  // namespace e2k::timing
