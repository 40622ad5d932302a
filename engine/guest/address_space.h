// The guest's address space: one reserved host range of kGuestSpace bytes (linux-abi.md §2).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "engine/cpu/memory.h"

namespace e2k::guest {

/// Guest memory protection, as in PROT_*.
enum Prot : int { kProtNone = 0, kProtRead = 1, kProtWrite = 2, kProtExec = 4 };

/// One mapping, for /proc/self/maps and the memory panel.
struct Region {
    std::uint64_t begin = 0, end = 0;
    int prot = 0;
    bool shared = false;
    std::string name;  ///< file path, "[stack]", "[heap]", ""
    std::uint64_t file_offset = 0;
};

/// Thread-safe. All errors are positive errno values.
class AddressSpace {
public:
    static tl::expected<std::unique_ptr<AddressSpace>, std::string> create();
    ~AddressSpace();
    AddressSpace(const AddressSpace&) = delete;
    AddressSpace& operator=(const AddressSpace&) = delete;

    cpu::MemoryView view() const { return view_; }

    /// Maps anonymous memory (fd < 0) or a file. `address` is a hint unless `fixed`.
    tl::expected<std::uint64_t, int> map(std::uint64_t address, std::uint64_t length, int prot,
                                         bool fixed, bool shared, int fd, std::uint64_t offset,
                                         std::string name);
    tl::expected<void, int> unmap(std::uint64_t address, std::uint64_t length);
    tl::expected<void, int> protect(std::uint64_t address, std::uint64_t length, int prot);
    tl::expected<std::uint64_t, int> remap(std::uint64_t old_address, std::uint64_t old_size,
                                           std::uint64_t new_size, bool may_move,
                                           std::optional<std::uint64_t> fixed);
    std::uint64_t set_brk(std::uint64_t brk);  ///< returns the break in force

    std::vector<Region> regions() const;
    /// Called with [begin, end) whenever executable guest memory changes or goes away.
    void on_code_change(std::function<void(std::uint64_t, std::uint64_t)> callback);

    // Checked copies (system calls, debugger, panels); false / nullopt if any byte is inaccessible.
    bool read(std::uint64_t address, void* to, std::size_t size) const;
    bool write(std::uint64_t address, const void* from, std::size_t size);
    std::optional<std::string> read_string(std::uint64_t address, std::size_t limit = 4096) const;

private:
    AddressSpace() = default;
    cpu::MemoryView view_;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace e2k::guest
