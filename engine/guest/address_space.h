// The guest's address space: mappings anywhere below kAddressEnd (process.md), in one reserved
// host range (cpu/memory.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "engine/cpu/memory.h"
#include "engine/guest/watched_pages.h"

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

// Layout. The programs we run are linked at 0x10000; position-independent ones go to kPieBase. The
// stack and the first mapping stand where process.md §1 shows them.
inline constexpr std::uint64_t kPieBase = 0x20'0000'0000;
inline constexpr std::uint64_t kLinkerBase = 0x30'0000'0000;    ///< of the program's dynamic linker
inline constexpr std::uint64_t kProgramLimit = 0x40'0000'0000;  ///< segments and heap stay below
inline constexpr std::uint64_t kStackTop = 0x40'0080'1000;
inline constexpr std::uint64_t kStackSize = 8u << 20;
inline constexpr std::uint64_t kMmapBase = kStackTop + 0x1000;
inline constexpr std::uint64_t kMmapLimit = 0xe0'0000'0000;
/// More room for mappings, up to what translated code reaches; and for programs linked up there.
inline constexpr std::uint64_t kHighMmapBase = 0x100'0000'0000;
inline constexpr std::uint64_t kHighMmapLimit = cpu::kGuestSpace - cpu::kGuestGuard;
inline constexpr std::uint64_t kHighPrograms = kHighMmapBase;
/// Where MAP_FIRST32 looks.
inline constexpr std::uint64_t kFirst32Base = 0x4000'0000, kFirst32Limit = 1ull << 32;
/// Where %psp and %pcsp claim the hardware stacks are; never mapped (windows.md §7).
inline constexpr std::uint64_t kProcedureStackBase = 0xe0'0000'0000;
inline constexpr std::uint64_t kChainStackBase = 0xf0'0000'0000;

/// Thread-safe. All errors are positive errno values.
class AddressSpace {
public:
    static tl::expected<std::unique_ptr<AddressSpace>, std::string> create();
    ~AddressSpace();
    AddressSpace(const AddressSpace&) = delete;
    AddressSpace& operator=(const AddressSpace&) = delete;

    cpu::MemoryView view() const { return view_; }

    /// Maps anonymous memory (fd < 0) or a file. `address` is a hint unless `place` says otherwise.
    /// `reserve`: the host shall refuse what it could never hold.
    enum class Place : std::uint8_t {
        Hint,
        Fixed,
        FixedNoReplace,  ///< EEXIST where something is mapped
        First32          ///< below 4 GiB
    };
    tl::expected<std::uint64_t, int> map(std::uint64_t address, std::uint64_t length, int prot,
                                         Place place, bool shared, int fd, std::uint64_t offset,
                                         std::string name, bool reserve = false);
    tl::expected<std::uint64_t, int> map(std::uint64_t address, std::uint64_t length, int prot,
                                         bool fixed, bool shared, int fd, std::uint64_t offset,
                                         std::string name) {
        return map(address, length, prot, fixed ? Place::Fixed : Place::Hint, shared, fd, offset,
                   std::move(name));
    }
    tl::expected<void, int> unmap(std::uint64_t address, std::uint64_t length);
    tl::expected<void, int> protect(std::uint64_t address, std::uint64_t length, int prot);
    tl::expected<std::uint64_t, int> remap(std::uint64_t old_address, std::uint64_t old_size,
                                           std::uint64_t new_size, bool may_move,
                                           std::optional<std::uint64_t> fixed,
                                           bool keep_old = false);
    std::uint64_t set_brk(std::uint64_t brk);  ///< returns the break in force

    /// Unmaps everything (execve).
    void clear();

    std::vector<Region> regions() const;
    /// Called with [begin, end) whenever executable guest memory changes or goes away.
    void on_code_change(std::function<void(std::uint64_t, std::uint64_t)> callback);

    /// Start of the heap; the break can never go below it (process start).
    void start_brk(std::uint64_t brk);
    std::uint64_t heap_start() const;
    /// Gives the memory of a System V segment a place; `address` 0 = anywhere.
    tl::expected<std::uint64_t, int> attach_shm(int id, std::uint64_t address, int flags);
    tl::expected<void, int> detach_shm(std::uint64_t address);
    /// Follows a change of a mapped file's length: pages past its end fault instead of killing the
    /// workbench with SIGBUS. True if some page at `address` (if given) became accessible.
    bool refresh_file_pages(std::optional<std::uint64_t> address = std::nullopt);
    /// The mapping that holds `address`.
    std::optional<Region> region_at(std::uint64_t address) const;
    /// True if every page of [address, address+size) belongs to some mapping.
    bool covered(std::uint64_t address, std::uint64_t size) const;
    /// What `visit` (0 or an errno value) says about the host's part of every mapping in
    /// [address, address+size), in order, until one is not 0; ENOMEM at the end if there was a gap.
    /// The mappings cannot change meanwhile.
    int for_each_part(
        std::uint64_t address, std::uint64_t size,
        const std::function<int(const Region&, std::uint8_t* at, std::uint64_t length)>& visit);
    /// madvise(MADV_WIPEONFORK / KEEPONFORK, MADV_DONTFORK / DOFORK): the child of a fork gets
    /// what it should by the host's own advice; the tables follow in unlock_after_fork().
    int advise_fork(std::uint64_t address, std::uint64_t size, int advice);

    /// Host address of [address, address+size), or nullptr if any of it is outside the guest's
    /// space. Pages need not be mapped: only hand it to the kernel, which answers EFAULT.
    std::uint8_t* host(std::uint64_t address, std::uint64_t size) const;
    /// Guest address of a host address that host() gave.
    std::uint64_t guest(const void* host) const;
    /// How far from `address` on host() can reach.
    std::uint64_t reach(std::uint64_t address) const;
    /// The kernel has written guest memory on the guest's behalf (read(2) and the like).
    void note_write(std::uint64_t address, std::uint64_t size);

    /// Watchpoints; they are off until arm() is called on them.
    WatchedPages& watched();

    /// Held over fork(2), so that the child gets consistent tables.
    void lock_for_fork();
    void unlock_after_fork(bool in_child);

    /// Puts right what the host had to allow while the workbench's own code was in an access
    /// (cpu/host_faults.h). Cheap when there is nothing to do.
    void restore_forced_pages();

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
