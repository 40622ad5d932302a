#include "engine/guest/libc/core/page_source.h"

#include <cerrno>

namespace e2k::guest::libc {

Outcome<std::uint64_t> MappedPages::map(std::uint64_t bytes) {
    if (allows && !allows(bytes)) return error(ENOMEM);
    auto at = space_.map(0, bytes, kProtRead | kProtWrite, AddressSpace::Place::Hint, false, -1, 0,
                         "", true);
    if (!at) return error(ENOMEM);
    return *at;
}

void MappedPages::unmap(std::uint64_t address, std::uint64_t bytes) {
    static_cast<void>(space_.unmap(address, bytes));
}

Outcome<std::uint64_t> MappedPages::resize(std::uint64_t address, std::uint64_t bytes,
                                           std::uint64_t new_bytes) {
    if (new_bytes > bytes && allows && !allows(new_bytes - bytes)) return error(ENOMEM);
    auto at = space_.remap(address, bytes, new_bytes, true, std::nullopt);
    if (!at) return error(ENOMEM);
    return *at;
}

}  // namespace e2k::guest::libc
