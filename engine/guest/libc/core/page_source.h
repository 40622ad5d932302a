// Where the heap of the bridge gets guest memory.
#pragma once

#include <cstdint>
#include <functional>

#include "engine/guest/libc/core/guest_memory.h"

namespace e2k::guest::libc {

/// Sizes and addresses are whole pages. The guest's limits are the source's business.
class PageSource {
public:
    virtual ~PageSource() = default;
    /// Readable and writable memory full of zeros; ENOMEM.
    virtual Outcome<std::uint64_t> map(std::uint64_t bytes) = 0;
    virtual void unmap(std::uint64_t address, std::uint64_t bytes) = 0;
    /// The same memory with another size, perhaps at another place; ENOMEM.
    virtual Outcome<std::uint64_t> resize(std::uint64_t address, std::uint64_t bytes,
                                          std::uint64_t new_bytes) = 0;
};

/// Private mappings of the address space.
class MappedPages final : public PageSource {
public:
    explicit MappedPages(AddressSpace& space) : space_(space) {}
    /// Whether the guest's limits allow so many bytes more; empty: they do. Set before there are
    /// threads.
    std::function<bool(std::uint64_t bytes)> allows;
    Outcome<std::uint64_t> map(std::uint64_t bytes) override;
    void unmap(std::uint64_t address, std::uint64_t bytes) override;
    Outcome<std::uint64_t> resize(std::uint64_t address, std::uint64_t bytes,
                                  std::uint64_t new_bytes) override;

private:
    AddressSpace& space_;
};

}  // namespace e2k::guest::libc
