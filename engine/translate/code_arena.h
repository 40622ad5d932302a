// Memory for host code: one reserved range.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace e2k::translate {

/// A bump allocator; everything is released at once by `reset`. All code lies within ±2 GiB.
class CodeArena {
public:
    explicit CodeArena(std::size_t bytes);
    ~CodeArena();
    CodeArena(const CodeArena&) = delete;
    CodeArena& operator=(const CodeArena&) = delete;

    /// False: the host refused the memory.
    bool valid() const { return base_ != nullptr; }
    /// Executable address of the next block.
    std::uint8_t* cursor() const { return base_ + used_; }
    std::size_t room() const { return size_ - used_; }
    std::size_t used() const { return used_; }
    /// Copies a finished block to cursor() and moves on; it must fit.
    void commit(std::span<const std::uint8_t> code);
    bool contains(std::uint64_t address) const {
        return address - reinterpret_cast<std::uint64_t>(base_) < size_;
    }
    /// Everything after the first `keep` bytes is free again.
    void reset(std::size_t keep) { used_ = keep; }

private:
    std::uint8_t* base_ = nullptr;
    std::size_t size_ = 0, used_ = 0;
};

}  // namespace e2k::translate
