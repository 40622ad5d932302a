#include "engine/translate/code_arena.h"

#include <asmjit/core.h>

#include <cstring>

namespace e2k::translate {
namespace {

constexpr std::size_t kBlockAlignment = 32;
constexpr std::size_t kArenaGranularity = 1u << 16;

}  // namespace

CodeArena::CodeArena(std::size_t bytes) {
    bytes = (bytes + kArenaGranularity - 1) & ~(kArenaGranularity - 1);
    asmjit::VirtMem::DualMapping mapping{};
    if (asmjit::VirtMem::allocDualMapping(&mapping, bytes,
                                          asmjit::VirtMem::MemoryFlags::kAccessRWX) !=
        asmjit::kErrorOk)
        return;
    rx_ = static_cast<std::uint8_t*>(mapping.rx);
    rw_ = static_cast<std::uint8_t*>(mapping.rw);
    size_ = bytes;
}

CodeArena::~CodeArena() {
    if (!rx_) return;
    asmjit::VirtMem::DualMapping mapping{rx_, rw_};
    asmjit::VirtMem::releaseDualMapping(&mapping, size_);
}

void CodeArena::commit(std::span<const std::uint8_t> code) {
    std::memcpy(rw_ + used_, code.data(), code.size());
    used_ = (used_ + code.size() + kBlockAlignment - 1) & ~(kBlockAlignment - 1);
}

}  // namespace e2k::translate
