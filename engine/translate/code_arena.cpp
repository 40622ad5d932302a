#include "engine/translate/code_arena.h"

#include <sys/mman.h>

#include <cstring>

namespace e2k::translate {
namespace {

constexpr std::size_t kBlockAlignment = 32;
constexpr std::size_t kArenaGranularity = 1u << 16;

}  // namespace

CodeArena::CodeArena(std::size_t bytes) {
    bytes = (bytes + kArenaGranularity - 1) & ~(kArenaGranularity - 1);
    // Private, so that a fork has its own copy; a second view would need a shared mapping.
    void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE | PROT_EXEC,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) return;
    base_ = static_cast<std::uint8_t*>(p);
    size_ = bytes;
}

CodeArena::~CodeArena() {
    if (base_) munmap(base_, size_);
}

void CodeArena::commit(std::span<const std::uint8_t> code) {
    std::memcpy(base_ + used_, code.data(), code.size());
    used_ = (used_ + code.size() + kBlockAlignment - 1) & ~(kBlockAlignment - 1);
}

}  // namespace e2k::translate
