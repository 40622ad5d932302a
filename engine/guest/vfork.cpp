#include "engine/guest/vfork.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

namespace e2k::guest {
namespace {

constexpr std::uint64_t kPage = cpu::kPageSize;
/// A vfork child writes a few pages of its stack before it executes another program; what it writes
/// beyond this many (256 MiB) the parent does not see.
constexpr std::size_t kMaxPages = 1u << 16;

// /proc/PID/pagemap, one word a page.
constexpr std::uint64_t kPresent = 1ull << 63, kSwapped = 1ull << 62, kOnlyHere = 1ull << 56;

/// Calls `visit(address)` for every page of the region that may differ from the parent's: one that
/// was written since the fork is mapped in one process only. If the host does not tell, for all
/// that are in memory.
template <class Visit>
void each_own_page(const AddressSpace& memory, const Region& region, int pagemap, Visit visit) {
    std::array<std::uint64_t, 512> words;
    for (std::uint64_t at = region.begin; at < region.end; at += words.size() * kPage) {
        const std::uint64_t pages =
            std::min<std::uint64_t>(words.size(), (region.end - at) / kPage);
        std::uint8_t* const host = memory.host(at, pages * kPage);
        const auto first = reinterpret_cast<std::uint64_t>(host) / kPage;
        const auto wanted = static_cast<ssize_t>(pages * sizeof words[0]);
        const bool known = host && pagemap >= 0 &&
                           pread(pagemap, words.data(), static_cast<std::size_t>(wanted),
                                 static_cast<off_t>(first * sizeof words[0])) == wanted;
        if (!known) {
            std::array<unsigned char, std::tuple_size_v<decltype(words)>> resident{};
            const bool told = host && mincore(host, pages * kPage, resident.data()) == 0;
            for (std::uint64_t i = 0; i < pages; ++i)
                words[i] = !told || (resident[i] & 1) ? kPresent | kOnlyHere : 0;
        }
        for (std::uint64_t i = 0; i < pages; ++i) {
            if (!(words[i] & kSwapped) &&
                (words[i] & (kPresent | kOnlyHere)) != (kPresent | kOnlyHere))
                continue;
            if (!visit(at + i * kPage)) return;
        }
    }
}

bool read_byte(int fd) {
    char byte = 0;
    ssize_t n = 0;
    while ((n = ::read(fd, &byte, 1)) < 0 && errno == EINTR) {
    }
    return n == 1;
}

bool write_byte(int fd) {
    const char byte = 0;
    return ::write(fd, &byte, 1) == 1;
}

}  // namespace

struct VforkPages::Record {
    std::uint64_t address;
    std::array<std::uint8_t, kPage> now, base;
};
struct VforkPages::Header {
    std::atomic<std::uint64_t> count;
    std::atomic<bool> has_base;
};

std::shared_ptr<VforkPages> VforkPages::create() {
    for (std::size_t pages = kMaxPages; pages >= 64; pages /= 4) {
        const std::size_t bytes = sizeof(Header) + pages * sizeof(Record);
        void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at == MAP_FAILED) continue;
        std::shared_ptr<VforkPages> made(new VforkPages);
        made->header_ = new (at) Header{};
        made->bytes_ = bytes;
        return made;
    }
    return nullptr;
}

VforkPages::~VforkPages() { munmap(header_, bytes_); }

VforkPages::Record* VforkPages::records() const { return reinterpret_cast<Record*>(header_ + 1); }

bool VforkPages::add(const AddressSpace& memory, std::uint64_t address) {
    const std::size_t room = (bytes_ - sizeof(Header)) / sizeof(Record);
    const std::uint64_t n = header_->count;
    if (n == room) return false;
    Record& record = records()[n];
    if (!memory.read(address, record.now.data(), kPage)) return true;
    record.address = address;
    header_->count = n + 1;
    return true;
}

void VforkPages::collect(const AddressSpace& memory) {
    header_->count = 0;
    header_->has_base = false;
    const int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    for (const Region& region : memory.regions())
        if (!region.shared && (region.prot & kProtWrite))
            each_own_page(memory, region, pagemap,
                          [&](std::uint64_t address) { return add(memory, address); });
    if (pagemap >= 0) close(pagemap);
}

void VforkPages::add_base(const AddressSpace& memory) {
    for (std::uint64_t i = 0; i < header_->count; ++i) {
        Record& record = records()[i];
        // A mapping that the child has made itself is none of the parent's.
        if (!memory.read(record.address, record.base.data(), kPage)) record.base = record.now;
    }
    header_->has_base = true;
}

void VforkPages::apply(AddressSpace& memory) const {
    std::array<std::uint8_t, kPage> own;
    for (std::uint64_t i = 0; i < header_->count; ++i) {
        const Record& record = records()[i];
        const std::uint8_t* base = record.base.data();
        if (!header_->has_base) {
            if (!memory.read(record.address, own.data(), kPage)) continue;
            base = own.data();
        }
        for (std::size_t at = 0; at < kPage;) {
            std::size_t end = at;
            while (end < kPage && record.now[end] != base[end]) ++end;
            if (end > at) memory.write(record.address + at, record.now.data() + at, end - at);
            at = end + 1;
        }
    }
}

VforkWait::~VforkWait() {
    if (gate >= 0) close(gate);
}

void VforkChild::keep_base(const AddressSpace& memory) {
    if (!pages_) return;
    std::array<int, 2> requests{-1, -1}, answers{-1, -1};
    if (pipe2(requests.data(), O_CLOEXEC) != 0) return;
    if (pipe2(answers.data(), O_CLOEXEC) != 0) {
        close(requests[0]);
        close(requests[1]);
        return;
    }
    // Without a signal at its end no wait of the guest sees it.
    const auto pid = static_cast<pid_t>(syscall(SYS_clone, 0ul, 0ul, 0ul, 0ul, 0ul));
    if (pid == 0) {
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, nullptr);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int in = requests[0], out = answers[1];
        const int low = std::min(in, out), high = std::max(in, out);
        if (low > 0) syscall(SYS_close_range, 0, low - 1, 0);
        if (high > low + 1) syscall(SYS_close_range, low + 1, high - 1, 0);
        syscall(SYS_close_range, high + 1, ~0u, 0);
        if (read_byte(in)) {
            pages_->add_base(memory);
            write_byte(out);
        }
        _exit(0);
    }
    close(requests[0]);
    close(answers[1]);
    keeper_ = pid;
    to_keeper_ = requests[1];
    from_keeper_ = answers[0];
    if (pid < 0) end_keeper();
}

void VforkChild::end_keeper() {
    for (int* fd : {&to_keeper_, &from_keeper_}) {
        if (*fd >= 0) close(*fd);
        *fd = -1;
    }
    if (keeper_ > 0) waitpid(keeper_, nullptr, __WALL);
    keeper_ = 0;
}

void VforkChild::hand_over(const AddressSpace& memory) {
    if (!pages_) return;
    pages_->collect(memory);
    if (to_keeper_ >= 0 && write_byte(to_keeper_)) read_byte(from_keeper_);
    end_keeper();
}

VforkChild::~VforkChild() {
    end_keeper();
    if (gate_ >= 0) close(gate_);
}

}  // namespace e2k::guest
