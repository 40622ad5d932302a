// The calls about memory: Linux's errors, addresses of the whole range, files that shrink.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "caller.h"

namespace e2k::guest::test {
namespace {

enum : std::uint32_t {
    kFork = 2,
    kMmap = 90,
    kMunmap = 91,
    kMprotect = 125,
    kMsync = 144,
    kMlock = 150,
    kMunlock = 151,
    kMlockall = 152,
    kMremap = 163,
    kMincore = 218,
    kMadvise = 219,
    kMlock2 = 391,
};
constexpr std::uint64_t kPage = cpu::kPageSize, kTiB = 1ull << 40;
constexpr std::uint64_t kShared = 1, kPrivate = 2, kAnonymous = 0x10, kFixed = 0x100,
                        kNoReserve = 0x10000, kFirst32 = 0x80000, kNoReplace = 0x400000;
constexpr std::uint64_t kPlain = kPrivate | kAnonymous;

struct MemoryCalls : testing::Test {
    Caller c;
    std::int64_t mmap(std::uint64_t at, std::uint64_t length, std::uint64_t flags = kPlain,
                      int prot = kProtRead | kProtWrite, int fd = -1, std::uint64_t offset = 0) {
        return c.call(kMmap, at, length, prot, flags, fd, offset);
    }
    std::uint64_t pages(unsigned n) {
        const auto at = mmap(0, n * kPage);
        EXPECT_GT(at, 0);
        return static_cast<std::uint64_t>(at);
    }
};

TEST_F(MemoryCalls, MmapGivesTheErrorsOfLinux) {
    const std::uint64_t at = pages(2);
    EXPECT_EQ(mmap(0, 0), -EINVAL);
    EXPECT_EQ(mmap(0, kPage, kAnonymous), -EINVAL);  // neither shared nor private
    EXPECT_EQ(mmap(0, kPage, 3 | kAnonymous | 1u << 30), -EOPNOTSUPP);
    EXPECT_EQ(mmap(0, kPage, kPlain, 3, -1, 8), -EINVAL);
    EXPECT_EQ(mmap(0, kPage, kPrivate, 3, 99), -EBADF);
    EXPECT_EQ(mmap(0, ~0ull), -ENOMEM);
    EXPECT_EQ(mmap(0, ~0ull - kPage), -ENOMEM);
    EXPECT_EQ(mmap(at + 1, kPage, kPlain | kFixed), -EINVAL);
    EXPECT_EQ(mmap(at + 1, kPage, kPlain | kNoReplace), -EINVAL);
    EXPECT_EQ(mmap(at, kPage, kPlain | kNoReplace), -EEXIST);
    EXPECT_EQ(mmap(cpu::kAddressEnd, kPage, kPlain | kFixed), -ENOMEM);
    EXPECT_EQ(mmap(cpu::kAddressEnd - kPage, 2 * kPage, kPlain | kFixed), -ENOMEM);
    EXPECT_EQ(mmap(~0ull << 12, kPage, kPlain | kFixed), -ENOMEM);
}

TEST_F(MemoryCalls, First32IsBelowFourGibibytes) {
    for (int i = 0; i < 3; ++i) {
        const auto at = mmap(0, 1 << 20, kPlain | kFirst32);
        ASSERT_GT(at, 0);
        EXPECT_LE(at + (1 << 20), std::int64_t{1} << 32);
    }
    EXPECT_EQ(mmap(0x5000'0000, kPage, kPlain | kFirst32), 0x5000'0000);
    EXPECT_EQ(mmap(0, 5ull << 30, kPlain | kFirst32), -ENOMEM);
}

TEST_F(MemoryCalls, TheWholeRangeOfAddressesCanBeMapped) {
    for (const std::uint64_t at :
         {0x7f00'0000'0000ull, 0xcff0'0000'0000ull, 0x80'0000'0000ull, 0x1234'5678'9000ull}) {
        SCOPED_TRACE(at);
        ASSERT_EQ(mmap(at, 4 * kPage, kPlain | kFixed), static_cast<std::int64_t>(at));
        const std::uint64_t word = 0x0123'4567'89ab'cdef;
        ASSERT_TRUE(c.memory().write(at + 2 * kPage - 4, &word, sizeof word));
        EXPECT_EQ(c.get<std::uint64_t>(at + 2 * kPage - 4), word);
        EXPECT_EQ(c.call(kMprotect, at, kPage, kProtRead), 0);
        EXPECT_FALSE(c.memory().write(at, &word, 8));
        // The kernel reaches it, too: a pipe's two ends.
        EXPECT_EQ(c.call(42u, at + 3 * kPage), 0);
        EXPECT_GT(c.get<std::int32_t>(at + 3 * kPage), 0);
        EXPECT_EQ(c.call(kMunmap, at, 4 * kPage), 0);
        EXPECT_FALSE(c.memory().read(at + 3 * kPage, &const_cast<std::uint64_t&>(word), 4));
    }
}

TEST_F(MemoryCalls, NeighboursInHighZonesAreOneRange) {
    // Two mappings that meet where two zones do, made in either order.
    for (const std::uint64_t border : {0x7f10'0000'0000ull, 0x8f30'0000'0000ull}) {
        const bool lower_first = border == 0x7f10'0000'0000ull;
        for (const bool lower : {lower_first, !lower_first})
            ASSERT_GT(mmap(lower ? border - kPage : border, kPage, kPlain | kFixed), 0);
        const std::string text(600, 'x');
        EXPECT_TRUE(c.memory().write(border - 300, text.data(), text.size()));
        EXPECT_TRUE(c.memory().view().allows(border - 4, 8, cpu::kPageWrite));
        c.memory().view().store<std::uint64_t>(border - 4, 0x1122'3344'5566'7788);
        EXPECT_EQ(c.get<std::uint32_t>(border), 0x1122'3344u);
    }
}

TEST_F(MemoryCalls, LargeReservationsCostNothing) {
    if (cpu::kGuestSpace <= kTiB) GTEST_SKIP() << "this build has little room for guest memory";
    for (int i = 0; i < 4; ++i) {
        const auto at = mmap(0, kTiB, kPlain | kNoReserve, kProtNone);
        ASSERT_GT(at, 0);
        const auto inside = static_cast<std::uint64_t>(at) + (kTiB / 2);
        EXPECT_EQ(c.call(kMprotect, inside, 2 * kPage, kProtRead | kProtWrite), 0);
        const int one = 1;
        EXPECT_TRUE(c.memory().write(inside + kPage, &one, sizeof one));
        EXPECT_FALSE(c.memory().write(inside + 2 * kPage, &one, sizeof one));
        EXPECT_EQ(c.call(kMunmap, at, kTiB), 0);
    }
}

TEST_F(MemoryCalls, ProtectStopsAtAGap) {
    const std::uint64_t at = pages(4);
    EXPECT_EQ(c.call(kMunmap, at + 2 * kPage, kPage), 0);
    EXPECT_EQ(c.call(kMprotect, at, 4 * kPage, kProtRead), -ENOMEM);
    EXPECT_FALSE(c.memory().view().allows(at + kPage, 1, cpu::kPageWrite));
    EXPECT_TRUE(c.memory().view().allows(at + 3 * kPage, 1, cpu::kPageWrite));
    EXPECT_EQ(c.call(kMprotect, at + 1, kPage, kProtRead), -EINVAL);
    EXPECT_EQ(c.call(kMprotect, at, 0, kProtRead), 0);
    EXPECT_EQ(c.call(kMprotect, at, kPage, 0x60), -EINVAL);
    EXPECT_EQ(c.call(kMprotect, at, kPage, 0x1000'0000), -EINVAL);
    EXPECT_EQ(c.call(kMprotect, at, ~0ull, kProtRead), -ENOMEM);
}

TEST_F(MemoryCalls, RemapGivesTheErrorsOfLinux) {
    constexpr std::uint64_t kMayMove = 1, kTo = 2, kDontUnmap = 4;
    const std::uint64_t at = pages(4);
    EXPECT_EQ(c.call(kMremap, at + 1, kPage, kPage, 0), -EINVAL);
    EXPECT_EQ(c.call(kMremap, at, kPage, 0, 0), -EINVAL);
    EXPECT_EQ(c.call(kMremap, at, kPage, kPage, 8), -EINVAL);
    EXPECT_EQ(c.call(kMremap, at, kPage, kPage, kTo, at + 8 * kPage), -EINVAL);
    EXPECT_EQ(c.call(kMremap, at, kPage, 2 * kPage, kDontUnmap | kMayMove), -EINVAL);
    EXPECT_EQ(c.call(kMremap, at, 2 * kPage, 2 * kPage, kMayMove | kTo, at + kPage), -EINVAL);
    EXPECT_EQ(c.call(kMremap, 0x6000'0000, kPage, 2 * kPage, kMayMove), -EFAULT);
    EXPECT_EQ(c.call(kMremap, at, 4 * kPage, ~0ull, kMayMove), -ENOMEM);
    const std::uint64_t mark = 77;
    ASSERT_TRUE(c.memory().write(at, &mark, sizeof mark));
    const auto moved = c.call(kMremap, at, kPage, kPage, kMayMove | kDontUnmap);
    ASSERT_GT(moved, 0);
    EXPECT_EQ(c.get<std::uint64_t>(static_cast<std::uint64_t>(moved)), mark);
    EXPECT_EQ(c.get<std::uint64_t>(at), 0u);
    // Into a high zone and back.
    ASSERT_EQ(c.call(kMremap, moved, kPage, 2 * kPage, kMayMove | kTo, 0x9000'0000'0000),
              0x9000'0000'0000);
    EXPECT_EQ(c.get<std::uint64_t>(0x9000'0000'0000), mark);
}

TEST_F(MemoryCalls, AdviceIsCheckedAndDone) {
    const std::uint64_t at = pages(4);
    EXPECT_EQ(c.call(kMadvise, at, kPage, 12345), -EINVAL);
    EXPECT_EQ(c.call(kMadvise, at, kPage, 7), -EINVAL);
    EXPECT_EQ(c.call(kMadvise, at + 1, kPage, MADV_DONTNEED), -EINVAL);
    EXPECT_EQ(c.call(kMadvise, at, ~0ull, MADV_DONTNEED), -EINVAL);
    EXPECT_EQ(c.call(kMadvise, at, 0, MADV_DONTNEED), 0);
    EXPECT_EQ(c.call(kMadvise, at, kPage, 100), -EPERM);
    const std::uint64_t mark = 77;
    ASSERT_TRUE(c.memory().write(at, &mark, sizeof mark));
    ASSERT_TRUE(c.memory().write(at + 3 * kPage, &mark, sizeof mark));
    ASSERT_EQ(c.call(kMunmap, at + kPage, kPage), 0);
    // What is mapped is done, and then the gap is told.
    EXPECT_EQ(c.call(kMadvise, at, 4 * kPage, MADV_DONTNEED), -ENOMEM);
    EXPECT_EQ(c.get<std::uint64_t>(at), 0u);
    EXPECT_EQ(c.get<std::uint64_t>(at + 3 * kPage), 0u);
    // Written data of the program itself would come back as zeros instead of the file's.
    const auto regions = c.memory().regions();
    const auto data = std::find_if(regions.begin(), regions.end(),
                                   [](const Region& r) { return r.name.ends_with("/hello"); });
    ASSERT_NE(data, regions.end());
    EXPECT_EQ(c.call(kMadvise, data->begin, kPage, MADV_DONTNEED), -EINVAL);
}

/// What the child of a fork reads at `at`: -1 if nothing can be read there.
int read_in_child(Caller& c, std::uint64_t at) {
    const auto pid = c.call(kFork);
    if (pid == 0) {
        std::uint64_t value = 0;
        _exit(c.memory().read(at, &value, sizeof value) ? static_cast<int>(value) : 255);
    }
    int status = 0;
    waitpid(static_cast<pid_t>(pid), &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) != 255 ? WEXITSTATUS(status) : -1;
}

TEST_F(MemoryCalls, AdviceAboutForksIsFollowed) {
    constexpr int kDontFork = 10, kDoFork = 11, kWipe = 18, kKeep = 19;
    const std::uint64_t at = pages(3), mark = 77;
    for (unsigned i = 0; i < 3; ++i)
        ASSERT_TRUE(c.memory().write(at + i * kPage, &mark, sizeof mark));
    EXPECT_EQ(c.call(kMadvise, at, kPage, kWipe), 0);
    EXPECT_EQ(c.call(kMadvise, at + kPage, kPage, kDontFork), 0);
    EXPECT_EQ(read_in_child(c, at), 0);
    EXPECT_EQ(read_in_child(c, at + kPage), -1);
    EXPECT_EQ(read_in_child(c, at + 2 * kPage), 77);
    EXPECT_EQ(c.get<std::uint64_t>(at), mark);
    EXPECT_EQ(c.call(kMadvise, at, kPage, kKeep), 0);
    EXPECT_EQ(c.call(kMadvise, at + kPage, kPage, kDoFork), 0);
    EXPECT_EQ(read_in_child(c, at), 77);
    EXPECT_EQ(read_in_child(c, at + kPage), 77);
    const auto shared = mmap(0, kPage, kShared | kAnonymous);
    EXPECT_EQ(c.call(kMadvise, shared, kPage, kWipe), -EINVAL);
}

TEST_F(MemoryCalls, CallsAboutRanges) {
    const std::uint64_t at = pages(4), to = c.room(64);
    EXPECT_EQ(c.call(kMsync, at, kPage, MS_SYNC), 0);
    EXPECT_EQ(c.call(kMsync, at, kPage, MS_SYNC | MS_ASYNC), -EINVAL);
    EXPECT_EQ(c.call(kMsync, at, kPage, 8), -EINVAL);
    EXPECT_EQ(c.call(kMsync, at + 1, kPage, MS_SYNC), -EINVAL);
    EXPECT_EQ(c.call(kMsync, at, 0, MS_SYNC), 0);
    EXPECT_EQ(c.call(kMsync, at, ~0ull, MS_SYNC), 0);  // rounds to nothing
    EXPECT_EQ(c.call(kMincore, at, 4 * kPage, to), 0);
    EXPECT_EQ(c.call(kMincore, at + 1, kPage, to), -EINVAL);
    EXPECT_EQ(c.call(kMincore, at, kPage, 8), -EFAULT);
    EXPECT_EQ(c.call(kMincore, at, ~0ull, to), -ENOMEM);
    EXPECT_EQ(c.call(kMlock, at + 5, 10), 0);
    EXPECT_EQ(c.call(kMlock2, at, kPage, 2), -EINVAL);
    EXPECT_EQ(c.call(kMlock2, at, kPage, 1), 0);
    EXPECT_EQ(c.call(kMlock, at, ~0ull), -EINVAL);
    EXPECT_EQ(c.call(kMunlock, at, 4 * kPage), 0);
    EXPECT_EQ(c.call(kMlockall, 0), -EINVAL);
    EXPECT_EQ(c.call(kMlockall, 4), -EINVAL);
    EXPECT_EQ(c.call(kMlockall, 3), 0);
    ASSERT_EQ(c.call(kMunmap, at + 2 * kPage, kPage), 0);
    for (const std::uint32_t number : {kMsync, kMlock, kMunlock})
        EXPECT_EQ(c.call(number, at, 4 * kPage, MS_SYNC), -ENOMEM) << number;
    EXPECT_EQ(c.call(kMincore, at, 4 * kPage, to), -ENOMEM);
}

TEST_F(MemoryCalls, PagesThatTheirFileHasLostFaultForEverybody) {
    const int file = memfd_create("file", MFD_CLOEXEC);
    ASSERT_EQ(ftruncate(file, 2 * kPage), 0);
    const auto at = c.memory().map(0, 2 * kPage, kProtRead | kProtWrite | kProtExec, false, true,
                                   file, 0, "file");
    ASSERT_TRUE(at);
    std::uint64_t word = 5;
    EXPECT_TRUE(c.memory().write(*at + kPage, &word, 8));
    ASSERT_EQ(ftruncate(file, kPage), 0);  // behind the guest's back
    const cpu::MemoryView view = c.memory().view();
    EXPECT_FALSE(c.memory().read(*at + kPage, &word, 8));
    EXPECT_FALSE(c.memory().write(*at + kPage, &word, 8));
    EXPECT_FALSE(c.memory().read_string(*at + kPage));
    EXPECT_FALSE(view.copy_out(*at + kPage, &word, 8));
    EXPECT_FALSE(view.allows(*at + kPage, 8, cpu::kPageRead));
    EXPECT_FALSE(view.allows(*at + kPage - 4, 8, cpu::kPageWrite));
    EXPECT_TRUE(view.allows(*at + kPage - 8, 8, cpu::kPageRead));
    EXPECT_FALSE(cpu::fetch(view, *at + kPage, 4));
    // An access that nothing guards: the workbench lives on, the page is put right.
    view.store<std::uint64_t>(*at + kPage, 1);
    EXPECT_FALSE(view.allows(*at + kPage, 8, cpu::kPageRead));
    ASSERT_EQ(ftruncate(file, 2 * kPage), 0);
    EXPECT_TRUE(c.memory().refresh_file_pages(*at + kPage));
    EXPECT_TRUE(c.memory().read(*at + kPage, &word, 8));
    EXPECT_EQ(word, 0u);
    close(file);
}

TEST_F(MemoryCalls, AnAccessThatLosesARaceHarmsNobody) {
    // Between check and access another thread has taken the page away.
    const std::uint64_t at = pages(2);
    ASSERT_EQ(c.call(kMunmap, at, kPage), 0);
    c.memory().view().store<std::uint64_t>(at, 1);
    c.memory().restore_forced_pages();
    EXPECT_FALSE(c.memory().view().allows(at, 8, cpu::kPageRead));
    std::uint64_t word = 0;
    EXPECT_FALSE(c.memory().view().copy_out(at, &word, 8));
    ASSERT_EQ(c.call(kMprotect, at + kPage, kPage, kProtRead), 0);
    c.memory().view().store<std::uint64_t>(at + kPage, 1);
    c.memory().restore_forced_pages();
    EXPECT_TRUE(c.memory().view().allows(at + kPage, 8, cpu::kPageRead));
    EXPECT_FALSE(c.memory().view().copy_in(at + kPage, &word, 8));
}

}  // namespace
}  // namespace e2k::guest::test
