// Guest memory: a reserved host range, a byte of permissions per page, a list of mappings.
//
// Every change of the mappings keeps the whole range reserved: pages are replaced (MAP_FIXED),
// never freed, so that no allocation of the workbench can land inside the guest's space.
#include "engine/guest/address_space.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <new>
#include <shared_mutex>

#include <fmt/format.h>

#include "engine/cpu/guest_space.h"
#include "engine/guest/mapping_list.h"

namespace e2k::guest {
namespace {

using cpu::kGuestSpace;
using cpu::kPageShift;
using cpu::kPageSize;

constexpr std::uint64_t page_down(std::uint64_t a) { return a & ~(kPageSize - 1); }
constexpr std::uint64_t page_up(std::uint64_t a) { return page_down(a + kPageSize - 1); }
/// The last page of the space is never given away: MemoryView::allows relies on it.
constexpr std::uint64_t kTop = kGuestSpace - kPageSize;

bool in_space(std::uint64_t address, std::uint64_t length) {
    return address <= kTop && length <= kTop - address;
}

/// What the host must allow: fetching is reading for us, and x86 cannot write without reading.
int host_prot(int prot) {
    int p = PROT_NONE;
    if (prot & (kProtRead | kProtWrite | kProtExec)) p |= PROT_READ;
    if (prot & kProtWrite) p |= PROT_WRITE;
    return p;
}

std::uint8_t page_bits(int prot) {
    unsigned bits = cpu::kPageMapped;
    if (prot & (kProtRead | kProtWrite | kProtExec)) bits |= cpu::kPageRead;
    if (prot & kProtWrite) bits |= cpu::kPageWrite;
    if (prot & kProtExec) bits |= cpu::kPageExec;
    return static_cast<std::uint8_t>(bits);
}

}  // namespace

struct AddressSpace::Impl {
    mutable std::shared_mutex mutex;
    MappingList mappings;
    cpu::GuestSpace space;
    std::uint8_t* base = nullptr;   ///< of `space`
    std::uint8_t* pages = nullptr;  ///< of `space`
    std::uint64_t brk_start = 0, brk = 0;
    std::function<void(std::uint64_t, std::uint64_t)> code_change;
    mutable std::mutex callback_mutex;

    /// Sets the permission bytes; true if executable pages were among them.
    bool set_pages(std::uint64_t begin, std::uint64_t end, std::uint8_t bits) {
        bool code = false;
        for (std::uint64_t page = begin >> kPageShift; page < end >> kPageShift; ++page) {
            std::uint8_t& at = pages[page];
            code |= (at & cpu::kPageExec) != 0;
            if (at != bits) __atomic_store_n(&at, bits, __ATOMIC_RELAXED);
        }
        return code;
    }

    /// Permission bytes of a mapping: pages wholly past the end of a file are mapped but dead.
    bool publish(const Mapping& m) {
        const Region& r = m.region;
        std::uint8_t bits = page_bits(r.prot);
        if (!m.file) return set_pages(r.begin, r.end, bits);
        struct stat st {};
        std::uint64_t size = 0;
        if (fstat(m.fd, &st) == 0) size = static_cast<std::uint64_t>(st.st_size);
        const std::uint64_t live = S_ISREG(st.st_mode) && size > r.file_offset
                                       ? page_up(std::min(size - r.file_offset, r.end - r.begin))
                                       : (S_ISREG(st.st_mode) ? 0 : r.end - r.begin);
        bool code = set_pages(r.begin, r.begin + live, bits | cpu::kPageFile);
        code |= set_pages(r.begin + live, r.end, cpu::kPageMapped | cpu::kPageFile);
        return code;
    }

    bool reserve_host(std::uint64_t begin, std::uint64_t end) {
        return mmap(base + begin, end - begin, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED;
    }

    void announce(bool code, std::uint64_t begin, std::uint64_t end) const {
        if (!code) return;
        std::function<void(std::uint64_t, std::uint64_t)> callback;
        {
            std::lock_guard lock(callback_mutex);
            callback = code_change;
        }
        if (callback) callback(begin, end);
    }

    bool allowed(std::uint64_t address, std::size_t size, std::uint8_t bits, bool& file) const {
        if (size == 0) return true;
        if (!in_space(address, size)) return false;
        for (std::uint64_t page = address >> kPageShift; page <= (address + size - 1) >> kPageShift;
             ++page) {
            if ((pages[page] & bits) != bits) return false;
            file |= (pages[page] & cpu::kPageFile) != 0;
        }
        return true;
    }

    tl::expected<void, int> unmap_locked(std::uint64_t begin, std::uint64_t end, bool& code) {
        if (!reserve_host(begin, end)) return tl::unexpected(errno);
        mappings.erase(begin, end);
        code |= set_pages(begin, end, 0);
        return {};
    }

    tl::expected<void, int> move_host(const Mapping& m, std::uint64_t old_size, std::uint64_t to,
                                      std::uint64_t new_size);
};

tl::expected<std::unique_ptr<AddressSpace>, std::string> AddressSpace::create() {
    std::unique_ptr<AddressSpace> space(new AddressSpace);
    space->impl_ = std::make_unique<Impl>();
    Impl& impl = *space->impl_;
    if (!impl.space.reserve())
        return tl::unexpected(fmt::format(
            "cannot reserve 1 TiB of address space for the guest: {}; raise the limit on virtual "
            "memory (ulimit -v unlimited)",
            std::strerror(errno)));
    impl.base = impl.space.base();
    impl.pages = impl.space.pages();
    space->view_ = impl.space.view();
    return space;
}

AddressSpace::~AddressSpace() = default;

tl::expected<std::uint64_t, int> AddressSpace::map(std::uint64_t address, std::uint64_t length,
                                                   int prot, bool fixed, bool shared, int fd,
                                                   std::uint64_t offset, std::string name) {
    if (length == 0 || (offset & (kPageSize - 1))) return tl::unexpected(EINVAL);
    if (fixed && (address & (kPageSize - 1))) return tl::unexpected(EINVAL);
    if (length > kGuestSpace) return tl::unexpected(ENOMEM);
    length = page_up(length);
    bool code = false;
    std::uint64_t at = page_down(address);
    {
        std::unique_lock lock(impl_->mutex);
        if (fixed) {
            if (at == 0) return tl::unexpected(EPERM);
            if (!in_space(at, length)) return tl::unexpected(ENOMEM);
        } else if (at == 0 || !in_space(at, length) ||
                   !impl_->mappings.free_range(at, at + length)) {
            auto gap = impl_->mappings.find_gap(kMmapBase, length);
            if (!gap) return tl::unexpected(ENOMEM);
            at = *gap;
        }
        Mapping m;
        m.region = {at, at + length, prot, shared, std::move(name), fd >= 0 ? offset : 0};
        if (fd >= 0) {
            struct stat st {};
            if (fstat(fd, &st) != 0) return tl::unexpected(errno);
            m.file = true;
            m.device = st.st_dev;
            m.inode = st.st_ino;
        }
        const int flags = (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED | MAP_NORESERVE |
                          (fd < 0 ? MAP_ANONYMOUS : 0);
        if (mmap(impl_->base + at, length, host_prot(prot), flags, fd,
                 static_cast<off_t>(offset)) == MAP_FAILED)
            return tl::unexpected(errno);
        if (m.file) {
            m.fd = fcntl(fd, F_DUPFD_CLOEXEC, 512);
            if (m.fd < 0) m.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
            if (m.fd < 0) {
                const int error = errno;
                static_cast<void>(impl_->unmap_locked(at, at + length, code));
                return tl::unexpected(error);
            }
        }
        impl_->mappings.erase(at, at + length);
        code |= impl_->publish(m);
        impl_->mappings.insert(std::move(m));
        impl_->mappings.merge_around(at);
    }
    impl_->announce(code, at, at + length);
    return at;
}

tl::expected<void, int> AddressSpace::unmap(std::uint64_t address, std::uint64_t length) {
    if (length == 0 || (address & (kPageSize - 1))) return tl::unexpected(EINVAL);
    if (!in_space(address, length)) return tl::unexpected(EINVAL);
    const std::uint64_t end = address + page_up(length);
    bool code = false;
    {
        std::unique_lock lock(impl_->mutex);
        if (impl_->mappings.free_range(address, end)) return {};
        auto done = impl_->unmap_locked(address, end, code);
        if (!done) return done;
    }
    impl_->announce(code, address, end);
    return {};
}

tl::expected<void, int> AddressSpace::protect(std::uint64_t address, std::uint64_t length,
                                              int prot) {
    if (address & (kPageSize - 1)) return tl::unexpected(EINVAL);
    if (length == 0) return {};
    if (!in_space(address, length)) return tl::unexpected(ENOMEM);
    const std::uint64_t end = address + page_up(length);
    bool code = false;
    {
        std::unique_lock lock(impl_->mutex);
        if (!impl_->mappings.covered(address, end)) return tl::unexpected(ENOMEM);
        if (mprotect(impl_->base + address, end - address, host_prot(prot)) != 0)
            return tl::unexpected(errno);
        impl_->mappings.split(address);
        impl_->mappings.split(end);
        impl_->mappings.each_in(address, end, [&](Mapping& m) {
            m.region.prot = prot;
            code |= impl_->publish(m);
        });
        impl_->mappings.merge_around(address);
    }
    impl_->announce(code, address, end);
    return {};
}

/// Moves the pages without ever leaving a hole in the reservation.
tl::expected<void, int> AddressSpace::Impl::move_host(const Mapping& m, std::uint64_t old_size,
                                                      std::uint64_t to, std::uint64_t new_size) {
    const std::uint64_t from = m.region.begin;
    constexpr int kMove = MREMAP_MAYMOVE | MREMAP_FIXED;
    const std::uint64_t common = std::min(old_size, new_size);
    void* moved = mremap(base + from, common, common, kMove | MREMAP_DONTUNMAP, base + to);
    if (moved == MAP_FAILED) moved = mremap(base + from, common, common, kMove, base + to);
    if (moved == MAP_FAILED) return tl::unexpected(errno);
    if (!reserve_host(from, from + old_size)) return tl::unexpected(errno);
    if (new_size > common) {
        const int flags = (m.region.shared ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED | MAP_NORESERVE |
                          (m.file ? 0 : MAP_ANONYMOUS);
        if (mmap(base + to + common, new_size - common, host_prot(m.region.prot), flags, m.fd,
                 m.file ? static_cast<off_t>(m.region.file_offset + common) : 0) == MAP_FAILED)
            return tl::unexpected(errno);
    }
    return {};
}

tl::expected<std::uint64_t, int> AddressSpace::remap(std::uint64_t old_address,
                                                     std::uint64_t old_size, std::uint64_t new_size,
                                                     bool may_move,
                                                     std::optional<std::uint64_t> fixed) {
    if ((old_address & (kPageSize - 1)) || new_size == 0) return tl::unexpected(EINVAL);
    if (!in_space(old_address, old_size)) return tl::unexpected(EFAULT);
    if (new_size > kGuestSpace) return tl::unexpected(ENOMEM);
    old_size = page_up(old_size);
    new_size = page_up(new_size);
    bool code = false;
    std::uint64_t result = old_address;
    {
        std::unique_lock lock(impl_->mutex);
        const Mapping* found = impl_->mappings.mapping_at(old_address);
        if (!found) return tl::unexpected(EFAULT);
        if (old_size == 0) return tl::unexpected(EINVAL);  // duplicating shared pages: not offered
        if (old_address + old_size > found->region.end) return tl::unexpected(EFAULT);
        impl_->mappings.split(old_address);
        impl_->mappings.split(old_address + old_size);
        Mapping m = *impl_->mappings.mapping_at(old_address);
        const std::uint64_t old_end = old_address + old_size;
        if (fixed) {
            if ((*fixed & (kPageSize - 1)) || !in_space(*fixed, new_size) || *fixed == 0)
                return tl::unexpected(EINVAL);
            if (*fixed < old_end && old_address < *fixed + new_size) return tl::unexpected(EINVAL);
            result = *fixed;
        } else if (new_size <= old_size) {
            if (new_size < old_size) {
                auto done = impl_->unmap_locked(old_address + new_size, old_end, code);
                if (!done) return tl::unexpected(done.error());
            }
        } else if (in_space(old_address, new_size) &&
                   impl_->mappings.free_range(old_end, old_address + new_size) && !m.shm &&
                   (m.file || !m.region.shared)) {
            const int flags = (m.region.shared ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED |
                              MAP_NORESERVE | (m.file ? 0 : MAP_ANONYMOUS);
            if (mmap(impl_->base + old_end, new_size - old_size, host_prot(m.region.prot), flags,
                     m.fd, m.file ? static_cast<off_t>(m.region.file_offset + old_size) : 0) ==
                MAP_FAILED)
                return tl::unexpected(errno);
            Mapping& grown = impl_->mappings.beginning_at(old_address);
            grown.region.end = old_address + new_size;
            code |= impl_->publish(grown);
        } else {
            if (!may_move) return tl::unexpected(ENOMEM);
            auto gap = impl_->mappings.find_gap(kMmapBase, new_size);
            if (!gap) return tl::unexpected(ENOMEM);
            result = *gap;
        }
        if (result != old_address) {
            auto done = impl_->move_host(m, old_size, result, new_size);
            if (!done) return tl::unexpected(done.error());
            impl_->mappings.hold(m);  // erase() of the old place must not close its descriptor
            impl_->mappings.erase(result, result + new_size);
            impl_->mappings.erase(old_address, old_end);
            code |= impl_->set_pages(old_address, old_end, 0);
            m.region.begin = result;
            m.region.end = result + new_size;
            code |= impl_->publish(m);
            impl_->mappings.insert(m);
            impl_->mappings.drop(m);
        }
    }
    impl_->announce(code, old_address, old_address + old_size);
    if (result != old_address) impl_->announce(code, result, result + new_size);
    return result;
}

void AddressSpace::start_brk(std::uint64_t brk) {
    std::unique_lock lock(impl_->mutex);
    impl_->brk_start = impl_->brk = brk;
}

std::uint64_t AddressSpace::set_brk(std::uint64_t brk) {
    std::uint64_t old_top = 0, new_top = 0, current = 0;
    {
        std::shared_lock lock(impl_->mutex);
        current = impl_->brk;
        if (brk < impl_->brk_start || brk > kProgramLimit) return current;
        old_top = page_up(current);
        new_top = page_up(brk);
        if (new_top > old_top && !impl_->mappings.free_range(old_top, new_top)) return current;
    }
    if (new_top > old_top) {
        if (!map(old_top, new_top - old_top, kProtRead | kProtWrite, true, false, -1, 0, "[heap]"))
            return current;
    } else if (new_top < old_top) {
        if (!unmap(new_top, old_top - new_top)) return current;
    }
    std::unique_lock lock(impl_->mutex);
    return impl_->brk = brk;
}

tl::expected<std::uint64_t, int> AddressSpace::attach_shm(int id, std::uint64_t address,
                                                          int flags) {
    shmid_ds ds{};
    if (shmctl(id, IPC_STAT, &ds) != 0) return tl::unexpected(errno);
    if (flags & SHM_RND) address = page_down(address);
    if (address & (kPageSize - 1)) return tl::unexpected(EINVAL);
    const std::uint64_t length = page_up(ds.shm_segsz);
    bool code = false;
    std::uint64_t at = address;
    {
        std::unique_lock lock(impl_->mutex);
        if (at == 0) {
            auto gap = impl_->mappings.find_gap(kMmapBase, length);
            if (!gap) return tl::unexpected(ENOMEM);
            at = *gap;
        } else if (!in_space(at, length) ||
                   (!impl_->mappings.free_range(at, at + length) && !(flags & SHM_REMAP))) {
            return tl::unexpected(EINVAL);
        }
        const int keep = flags & (SHM_RDONLY | SHM_EXEC);
        if (shmat(id, impl_->base + at, keep | SHM_REMAP) == reinterpret_cast<void*>(-1))
            return tl::unexpected(errno);
        Mapping m;
        int prot = kProtRead;
        if (!(flags & SHM_RDONLY)) prot |= kProtWrite;
        if (flags & SHM_EXEC) prot |= kProtExec;
        m.region = {at, at + length, prot, true, fmt::format("/SYSV{:08x}", ds.shm_perm.__key), 0};
        m.shm = true;
        impl_->mappings.erase(at, at + length);
        code |= impl_->publish(m);
        impl_->mappings.insert(std::move(m));
    }
    impl_->announce(code, at, at + length);
    return at;
}

tl::expected<void, int> AddressSpace::detach_shm(std::uint64_t address) {
    std::uint64_t length = 0;
    {
        std::shared_lock lock(impl_->mutex);
        const Mapping* m = impl_->mappings.mapping_at(address);
        if (!m || !m->shm || m->region.begin != address) return tl::unexpected(EINVAL);
        length = m->region.end - m->region.begin;
    }
    return unmap(address, length);  // replacing the pages detaches the segment
}

bool AddressSpace::refresh_file_pages(std::optional<std::uint64_t> address) {
    std::unique_lock lock(impl_->mutex);
    if (!address) {
        for (const auto& [begin, m] : impl_->mappings.all())
            if (m.file) impl_->publish(m);
        return false;
    }
    const Mapping* m = impl_->mappings.mapping_at(*address);
    if (!m || !m->file) return false;
    const std::uint8_t before = impl_->pages[*address >> kPageShift];
    impl_->publish(*m);
    return (before & cpu::kPageRead) == 0 &&
           (impl_->pages[*address >> kPageShift] & cpu::kPageRead) != 0;
}

std::vector<Region> AddressSpace::regions() const {
    std::shared_lock lock(impl_->mutex);
    std::vector<Region> all;
    all.reserve(impl_->mappings.all().size());
    for (const auto& [begin, m] : impl_->mappings.all()) all.push_back(m.region);
    return all;
}

std::optional<Region> AddressSpace::region_at(std::uint64_t address) const {
    std::shared_lock lock(impl_->mutex);
    const Mapping* m = impl_->mappings.mapping_at(address);
    return m ? std::optional(m->region) : std::nullopt;
}

void AddressSpace::on_code_change(std::function<void(std::uint64_t, std::uint64_t)> callback) {
    std::lock_guard lock(impl_->callback_mutex);
    impl_->code_change = std::move(callback);
}

std::uint8_t* AddressSpace::host(std::uint64_t address, std::uint64_t size) const {
    return in_space(address, size) ? impl_->base + address : nullptr;
}

void AddressSpace::note_write(std::uint64_t address, std::uint64_t size) {
    if (size == 0 || !in_space(address, size)) return;
    bool code = false;
    for (std::uint64_t page = address >> kPageShift; page <= (address + size - 1) >> kPageShift;
         ++page)
        code |= (view_.page(page) & cpu::kPageExec) != 0;
    impl_->announce(code, address, address + size);
}

void AddressSpace::lock_for_fork() {
    impl_->mutex.lock();
    impl_->callback_mutex.lock();
}

void AddressSpace::unlock_after_fork(bool in_child) {
    impl_->callback_mutex.unlock();
    // A reader-writer lock knows its writer by thread id, and the child has another one.
    if (in_child)
        new (&impl_->mutex) std::shared_mutex;
    else
        impl_->mutex.unlock();
}

bool AddressSpace::read(std::uint64_t address, void* to, std::size_t size) const {
    if (size == 0) return true;
    std::shared_lock lock(impl_->mutex);
    bool file = false;
    if (!impl_->allowed(address, size, cpu::kPageRead, file)) return false;
    if (!file) {
        view_.copy_out(address, to, size);
        return true;
    }
    // The file may have shrunk under us: let the kernel do the copy, it answers instead of SIGBUS.
    // Where a container forbids that call, trust the page map.
    const iovec local{to, size}, remote{impl_->base + address, size};
    const ssize_t done = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
    if (done < 0 && errno != EFAULT) view_.copy_out(address, to, size);
    return done == static_cast<ssize_t>(size) || (done < 0 && errno != EFAULT);
}

bool AddressSpace::write(std::uint64_t address, const void* from, std::size_t size) {
    if (size == 0) return true;
    {
        std::shared_lock lock(impl_->mutex);
        bool file = false;
        if (!impl_->allowed(address, size, cpu::kPageWrite, file)) return false;
        if (!file) {
            view_.copy_in(address, from, size);
        } else {
            const iovec local{const_cast<void*>(from), size}, remote{impl_->base + address, size};
            const ssize_t done = process_vm_writev(getpid(), &local, 1, &remote, 1, 0);
            if (done < 0 && errno != EFAULT)
                view_.copy_in(address, from, size);
            else if (done != static_cast<ssize_t>(size))
                return false;
        }
    }
    note_write(address, size);
    return true;
}

std::optional<std::string> AddressSpace::read_string(std::uint64_t address,
                                                     std::size_t limit) const {
    std::string text;
    std::array<char, 256> chunk{};
    while (text.size() < limit) {
        const std::uint64_t in_page = kPageSize - (address & (kPageSize - 1));
        const std::size_t size =
            std::min<std::uint64_t>({in_page, chunk.size(), limit - text.size()});
        if (!read(address, chunk.data(), size)) return std::nullopt;
        const std::size_t length = strnlen(chunk.data(), size);
        text.append(chunk.data(), length);
        if (length < size) return text;
        address += size;
    }
    return text;
}

}  // namespace e2k::guest
