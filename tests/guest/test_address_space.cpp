#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <numeric>

#include "engine/guest/address_space.h"

namespace e2k::guest {
namespace {

constexpr int kRW = kProtRead | kProtWrite;
constexpr std::uint64_t kPage = cpu::kPageSize;

class AddressSpaceTest : public testing::Test {
protected:
    void SetUp() override {
        auto made = AddressSpace::create();
        ASSERT_TRUE(made) << made.error();
        space_ = std::move(*made);
    }
    std::uint64_t map(std::uint64_t at, std::uint64_t pages, int prot = kRW) {
        auto mapped = space_->map(at, pages * kPage, prot, at != 0, false, -1, 0, "");
        EXPECT_TRUE(mapped) << mapped.error();
        return mapped.value_or(0);
    }
    bool allows(std::uint64_t at, std::uint8_t bits) { return space_->view().allows(at, 1, bits); }
    std::unique_ptr<AddressSpace> space_;
};

TEST_F(AddressSpaceTest, PermissionsFollowMappings) {
    const auto at = map(0x10000, 3);
    EXPECT_TRUE(allows(at, cpu::kPageRead | cpu::kPageWrite | cpu::kPageMapped));
    EXPECT_FALSE(allows(at, cpu::kPageExec));
    EXPECT_FALSE(allows(at + 3 * kPage, cpu::kPageMapped));
    ASSERT_TRUE(space_->protect(at + kPage, kPage, kProtRead));
    EXPECT_FALSE(allows(at + kPage, cpu::kPageWrite));
    EXPECT_EQ(space_->regions().size(), 3u);
    ASSERT_TRUE(space_->protect(at + kPage, kPage, 0));
    EXPECT_FALSE(allows(at + kPage, cpu::kPageRead));
    EXPECT_TRUE(allows(at + kPage, cpu::kPageMapped));
    ASSERT_TRUE(space_->unmap(at, 3 * kPage));
    EXPECT_TRUE(space_->regions().empty());
    EXPECT_FALSE(allows(at, cpu::kPageMapped));
}

TEST_F(AddressSpaceTest, CheckedCopies) {
    const auto at = map(0x10000, 2);
    std::vector<std::uint8_t> out(kPage), in(kPage);
    std::iota(out.begin(), out.end(), 0);
    EXPECT_TRUE(space_->write(at + 100, out.data(), out.size()));
    EXPECT_TRUE(space_->read(at + 100, in.data(), in.size()));
    EXPECT_EQ(in, out);
    EXPECT_FALSE(space_->read(at + kPage + 1, in.data(), kPage));
    EXPECT_FALSE(space_->read(0, in.data(), 1));
    EXPECT_FALSE(space_->write(cpu::kGuestSpace - 1, in.data(), 2));
    EXPECT_FALSE(space_->read(~0ull, in.data(), 1));
    EXPECT_FALSE(space_->read(~0ull - 5, in.data(), 16));
    ASSERT_TRUE(space_->protect(at, kPage, kProtRead));
    EXPECT_FALSE(space_->write(at, in.data(), 1));
    EXPECT_TRUE(space_->read(at, in.data(), 1));
}

TEST_F(AddressSpaceTest, Strings) {
    const auto at = map(0x10000, 1);
    space_->write(at + kPage - 6, "hello", 6);
    EXPECT_EQ(space_->read_string(at + kPage - 6), "hello");
    space_->write(at + kPage - 6, "helloo", 6);  // not terminated before the end of the mapping
    EXPECT_EQ(space_->read_string(at + kPage - 6), std::nullopt);
    EXPECT_EQ(space_->read_string(8), std::nullopt);
    EXPECT_EQ(space_->read_string(at + kPage - 6, 3), "hel");
}

TEST_F(AddressSpaceTest, BadRequests) {
    auto error = [](const auto& result) { return result ? 0 : result.error(); };
    EXPECT_EQ(error(space_->map(0x10001, kPage, kRW, true, false, -1, 0, "")), EINVAL);
    EXPECT_EQ(error(space_->map(0, 0, kRW, false, false, -1, 0, "")), EINVAL);
    EXPECT_EQ(error(space_->map(0, 1ull << 50, kRW, false, false, -1, 0, "")), ENOMEM);
    EXPECT_EQ(error(space_->map(0, kPage, kRW, true, false, -1, 0, "")), EPERM);
    EXPECT_EQ(error(space_->map(cpu::kAddressEnd, kPage, kRW, true, false, -1, 0, "")), ENOMEM);
    EXPECT_EQ(error(space_->map(~0xfffull, kPage, kRW, true, false, -1, 0, "")), ENOMEM);
    EXPECT_EQ(error(space_->unmap(0x10008, kPage)), EINVAL);
    EXPECT_EQ(error(space_->unmap(0x10000, ~0ull)), EINVAL);
    EXPECT_EQ(error(space_->protect(0x10000, kPage, kRW)), ENOMEM);
    EXPECT_EQ(error(space_->protect(0x10001, kPage, kRW)), EINVAL);
    EXPECT_EQ(error(space_->remap(0x10000, kPage, 2 * kPage, true, std::nullopt)), EFAULT);
}

TEST_F(AddressSpaceTest, HintsAndGaps) {
    const auto first = map(0, 4), second = map(0, 4);
    EXPECT_EQ(first, kMmapBase);
    EXPECT_EQ(second, first + 4 * kPage);
    ASSERT_TRUE(space_->unmap(first, 4 * kPage));
    EXPECT_EQ(map(0, 4), first);
    // A hint is taken when free, else the mapping goes elsewhere.
    auto hinted = space_->map(0x5000000, kPage, kRW, false, false, -1, 0, "");
    EXPECT_EQ(*hinted, 0x5000000u);
    auto taken = space_->map(0x5000000, kPage, kRW, false, false, -1, 0, "");
    EXPECT_NE(*taken, 0x5000000u);
}

TEST_F(AddressSpaceTest, FixedMappingReplaces) {
    const auto at = map(0x10000, 4);
    const std::uint64_t value = 7;
    space_->write(at + kPage, &value, 8);
    map(at + kPage, 1);
    std::uint64_t read = 1;
    EXPECT_TRUE(space_->read(at + kPage, &read, 8));
    EXPECT_EQ(read, 0u);
}

TEST_F(AddressSpaceTest, RemapGrowsInPlaceMovesAndShrinks) {
    const auto at = map(0x100000, 2);
    const std::uint64_t mark = 0x1234;
    space_->write(at + kPage, &mark, 8);
    EXPECT_EQ(*space_->remap(at, 2 * kPage, 3 * kPage, false, std::nullopt), at);
    EXPECT_TRUE(allows(at + 2 * kPage, cpu::kPageWrite));
    map(at + 3 * kPage, 1, kProtRead);
    EXPECT_EQ(space_->remap(at, 3 * kPage, 8 * kPage, false, std::nullopt).error(), ENOMEM);
    const auto moved = space_->remap(at, 3 * kPage, 8 * kPage, true, std::nullopt);
    ASSERT_TRUE(moved);
    EXPECT_NE(*moved, at);
    std::uint64_t seen = 0;
    EXPECT_TRUE(space_->read(*moved + kPage, &seen, 8));
    EXPECT_EQ(seen, mark);
    EXPECT_TRUE(space_->read(*moved + 7 * kPage, &seen, 8));
    EXPECT_FALSE(space_->read(at, &seen, 8));
    EXPECT_EQ(*space_->remap(*moved, 8 * kPage, kPage, false, std::nullopt), *moved);
    EXPECT_FALSE(allows(*moved + kPage, cpu::kPageMapped));
    const auto fixed = space_->remap(*moved, kPage, kPage, true, 0x40000);
    EXPECT_EQ(*fixed, 0x40000u);
}

TEST_F(AddressSpaceTest, BreakGrowsAndShrinks) {
    space_->start_brk(0x20000);
    EXPECT_EQ(space_->set_brk(0), 0x20000u);
    EXPECT_EQ(space_->set_brk(0x25678), 0x25678u);
    EXPECT_TRUE(allows(0x25fff, cpu::kPageWrite));
    EXPECT_EQ(space_->set_brk(0x21000), 0x21000u);
    EXPECT_FALSE(allows(0x21000, cpu::kPageMapped));
    map(0x30000, 1);
    EXPECT_EQ(space_->set_brk(0x40000), 0x21000u) << "must not run into another mapping";
    EXPECT_EQ(space_->set_brk(~0ull), 0x21000u);
}

TEST_F(AddressSpaceTest, CodeChangesAreAnnounced) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> seen;
    space_->on_code_change([&](auto begin, auto end) { seen.emplace_back(begin, end); });
    const auto data = map(0x10000, 1);
    const auto code = map(0x20000, 1, kRW | kProtExec);
    EXPECT_TRUE(seen.empty());
    const std::uint64_t value = 1;
    space_->write(data, &value, 8);
    EXPECT_TRUE(seen.empty());
    space_->write(code + 16, &value, 8);
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_EQ(seen[0], std::make_pair(code + 16, code + 24));
    ASSERT_TRUE(space_->protect(code, kPage, kProtRead));
    EXPECT_EQ(seen.size(), 2u);
    ASSERT_TRUE(space_->unmap(code, kPage));
    EXPECT_EQ(seen.size(), 2u) << "nothing executable any more";
}

TEST_F(AddressSpaceTest, FilesSharedAndShrinking) {
    char name[] = "/tmp/e2k-test-XXXXXX";
    const int fd = mkstemp(name);
    ASSERT_GE(fd, 0);
    unlink(name);
    ASSERT_EQ(ftruncate(fd, 2 * kPage), 0);
    const auto at = space_->map(0, 3 * kPage, kRW, false, true, fd, 0, "file");
    ASSERT_TRUE(at);
    const std::uint64_t value = 0x55;
    EXPECT_TRUE(space_->write(*at, &value, 8));
    std::uint64_t in_file = 0;
    EXPECT_EQ(pread(fd, &in_file, 8, 0), 8);
    EXPECT_EQ(in_file, value);
    EXPECT_FALSE(allows(*at + 2 * kPage, cpu::kPageRead)) << "past the end of the file";
    EXPECT_TRUE(allows(*at + 2 * kPage, cpu::kPageMapped));
    ASSERT_EQ(ftruncate(fd, 3 * kPage), 0);
    EXPECT_TRUE(space_->refresh_file_pages(*at + 2 * kPage));
    EXPECT_TRUE(allows(*at + 2 * kPage, cpu::kPageRead));
    // Shrunk behind our back: an error, never SIGBUS.
    ASSERT_EQ(ftruncate(fd, 0), 0);
    EXPECT_FALSE(space_->read(*at, &in_file, 8));
    EXPECT_FALSE(space_->write(*at, &in_file, 8));
    close(fd);
    const auto copy = space_->map(0, kPage, kProtRead, false, true, fd, 0, "closed");
    EXPECT_EQ(copy.error(), EBADF);
}

}  // namespace
}  // namespace e2k::guest
