#include "engine/cpu/guest_space.h"

#include <sys/mman.h>

#include <utility>

namespace e2k::cpu {
namespace {

/// Where the host is asked to place the space; 0 leaves it to the host. Only a hint, for tools
/// that divide up the host's address space themselves (CMake option E2K_GUEST_SPACE_AT).
#ifndef E2K_GUEST_SPACE_AT
#define E2K_GUEST_SPACE_AT 0
#endif
constexpr std::uintptr_t kPlace = E2K_GUEST_SPACE_AT;

std::uint8_t* map(std::uintptr_t place, std::uint64_t size, int protection) {
    void* p = mmap(reinterpret_cast<void*>(place), size, protection,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? nullptr : static_cast<std::uint8_t*>(p);
}

}  // namespace

GuestSpace::GuestSpace(GuestSpace&& other) noexcept { *this = std::move(other); }

GuestSpace& GuestSpace::operator=(GuestSpace&& other) noexcept {
    std::swap(base_, other.base_);
    std::swap(pages_, other.pages_);
    return *this;
}

GuestSpace::~GuestSpace() {
    if (base_) munmap(base_ - kGuestGuard, kGuestGuard + kGuestSpace);
    if (pages_) munmap(pages_, kGuestPages);
}

bool GuestSpace::reserve() {
    GuestSpace fresh;
    std::uint8_t* const guard = map(kPlace, kGuestGuard + kGuestSpace, PROT_NONE);
    if (!guard) return false;
    fresh.base_ = guard + kGuestGuard;
    fresh.pages_ = map(0, kGuestPages, PROT_READ | PROT_WRITE);
    if (!fresh.pages_) return false;
    // Core dumps of the workbench need not carry the reservation.
    madvise(fresh.base_, kGuestSpace, MADV_DONTDUMP);
    std::swap(*this, fresh);
    return true;
}

}  // namespace e2k::cpu
