#include "engine/translate/code_arena.h"

#include <sys/mman.h>

#include <cstring>

namespace e2k::translate {
namespace {

constexpr std::size_t kBlockAlignment = 32;
constexpr std::size_t kArenaGranularity = 1u << 16;

/// Pages that can be mapped a second time.
std::uint8_t* map_pages(std::size_t bytes) {
    void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? nullptr : static_cast<std::uint8_t*>(p);
}

/// A second view of the pages at `pages`; `at`: in place of what is there, null: anywhere. (mremap
/// of 0 bytes leaves the first view where it is. Unlike a memory file this needs no descriptor and
/// no limit on file sizes concerns it.)
std::uint8_t* map_again(std::uint8_t* pages, std::size_t bytes, std::uint8_t* at = nullptr) {
    void* p = at ? mremap(pages, 0, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, at)
                 : mremap(pages, 0, bytes, MREMAP_MAYMOVE);
    return p == MAP_FAILED ? nullptr : static_cast<std::uint8_t*>(p);
}

bool make_executable(std::uint8_t* view, std::size_t bytes) {
    return mprotect(view, bytes, PROT_READ | PROT_EXEC) == 0;
}

}  // namespace

CodeArena::CodeArena(std::size_t bytes) {
    bytes = (bytes + kArenaGranularity - 1) & ~(kArenaGranularity - 1);
    std::uint8_t* const pages = map_pages(bytes);
    if (!pages) return;
    std::uint8_t* const code = map_again(pages, bytes);
    if (!code || !make_executable(code, bytes)) {
        munmap(pages, bytes);
        if (code) munmap(code, bytes);
        return;
    }
    base_ = code;
    writable_ = pages;
    size_ = bytes;
}

CodeArena::~CodeArena() {
    if (!base_) return;
    munmap(base_, size_);
    munmap(writable_, size_);
}

void CodeArena::commit(std::span<const std::uint8_t> code) {
    std::memcpy(writable(cursor()), code.data(), code.size());
    used_ = (used_ + code.size() + kBlockAlignment - 1) & ~(kBlockAlignment - 1);
}

void CodeArena::prepare_fork() {
    if (!valid()) return;
    copy_ = map_pages(size_);
    if (copy_) std::memcpy(copy_, writable_, used_);
}

void CodeArena::after_fork(bool in_child) {
    if (!valid()) return;
    std::uint8_t* const copy = copy_;
    copy_ = nullptr;
    if (!in_child) {
        if (copy) munmap(copy, size_);
        return;
    }
    const bool moved = copy && map_again(copy, size_, writable_) && map_again(copy, size_, base_) &&
                       make_executable(base_, size_);
    if (copy) munmap(copy, size_);
    // The parent's pages must not be touched: rather no code.
    if (!moved) base_ = nullptr;
}

}  // namespace e2k::translate
