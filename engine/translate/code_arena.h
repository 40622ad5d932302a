// Memory for host code: one reserved range seen twice, executable and writable.
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

    bool valid() const { return rx_ != nullptr; }
    /// Executable address of the next block.
    std::uint8_t* cursor() const { return rx_ + used_; }
    std::size_t room() const { return size_ - used_; }
    std::size_t used() const { return used_; }
    /// Copies a finished block to cursor() and moves on; it must fit.
    void commit(std::span<const std::uint8_t> code);
    /// The writable view of executable address `p`.
    std::uint8_t* writable(std::uint8_t* p) const { return rw_ + (p - rx_); }
    bool contains(std::uint64_t address) const {
        return address - reinterpret_cast<std::uint64_t>(rx_) < size_;
    }
    /// Everything after the first `keep` bytes is free again.
    void reset(std::size_t keep) { used_ = keep; }

private:
    std::uint8_t* rx_ = nullptr;
    std::uint8_t* rw_ = nullptr;
    std::size_t size_ = 0, used_ = 0;
};

}  // namespace e2k::translate
