// Memory for host code: one reserved range, seen twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace e2k::translate {

/// A bump allocator; everything is released at once by `reset`. All code lies within ±2 GiB.
///
/// No address is ever both writable and executable: the same pages are mapped once for execution,
/// where all addresses of this class lie, and once elsewhere for writing. Pages seen twice are
/// shared, also with a child made by fork: prepare_fork() and the others give it pages of its own.
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
    /// Where the byte at an executable address can be written.
    std::uint8_t* writable(const std::uint8_t* executable) const {
        return writable_ + (executable - base_);
    }
    bool contains(std::uint64_t address) const {
        return address - reinterpret_cast<std::uint64_t>(base_) < size_;
    }
    /// Everything after the first `keep` bytes is free again.
    void reset(std::size_t keep) { used_ = keep; }

    /// Before fork: copies the code for the child. Nothing may be written until after_fork().
    void prepare_fork();
    /// The child takes its copy in place of the shared pages, at the same addresses; without one
    /// (the host refused the memory) the arena is no longer valid. The parent drops the copy.
    void after_fork(bool in_child);

private:
    std::uint8_t* base_ = nullptr;
    std::uint8_t* writable_ = nullptr;
    std::uint8_t* copy_ = nullptr;  ///< between prepare_fork() and after_fork()
    std::size_t size_ = 0, used_ = 0;
};

}  // namespace e2k::translate
