#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <thread>

#include "engine/guest/libc/core/heap.h"
#include "tests/guest/libc/fixture.h"

namespace e2k::guest::libc::test {
namespace {

class HeapTest : public LibcTest {
protected:
    std::uint64_t alloc(std::uint64_t size) { return heap_.allocate(size).value_or(0); }
    MappedPages pages_{*space_};
    Heap heap_{GuestMemory(*space_), pages_};
};

TEST_F(HeapTest, SizesAndAlignment) {
    std::map<std::uint64_t, std::uint64_t> blocks;
    for (std::uint64_t size = 0; size < 6u << 20; size += 1 + size / 3) {
        const auto at = alloc(size);
        ASSERT_NE(at, 0u) << size;
        EXPECT_EQ(at % 16, 0u);
        const auto usable = heap_.usable_size(at);
        EXPECT_GE(usable, std::max<std::uint64_t>(size, 1));
        EXPECT_LE(usable, size + size / 4 + 4096);
        ASSERT_TRUE(memory().fill(at, 0x5a, usable));
        blocks[at] = usable;
    }
    std::uint64_t last = 0;
    for (const auto& [at, size] : blocks) {
        EXPECT_GE(at, last);
        last = at + size;
    }
    for (const auto& [at, size] : blocks) EXPECT_TRUE(heap_.release(at));
    EXPECT_EQ(heap_.figures().blocks, 0u);
    EXPECT_EQ(heap_.figures().in_use, 0u);
    EXPECT_EQ(heap_.figures().own_mapping_bytes, 0u);
}

TEST_F(HeapTest, NeverOverlapAndKeepTheirBytes) {
    std::mt19937_64 random(5);
    struct Block {
        std::uint64_t size;
        std::uint8_t mark;
    };
    std::map<std::uint64_t, Block> blocks;
    const auto check = [&](std::uint64_t at, const Block& block) {
        std::vector<std::uint8_t> bytes(block.size);
        ASSERT_TRUE(space_->read(at, bytes.data(), bytes.size()));
        ASSERT_EQ(std::count(bytes.begin(), bytes.end(), block.mark),
                  static_cast<std::ptrdiff_t>(block.size));
    };
    const auto add = [&](std::uint64_t at, std::uint64_t size) {
        ASSERT_NE(at, 0u);
        const auto next = blocks.lower_bound(at);
        if (next != blocks.end()) {
            ASSERT_LE(at + size, next->first);
        }
        if (next != blocks.begin()) {
            ASSERT_LE(std::prev(next)->first + std::prev(next)->second.size, at);
        }
        const auto mark = static_cast<std::uint8_t>(random());
        ASSERT_TRUE(memory().fill(at, mark, size));
        blocks[at] = {size, mark};
    };
    for (int i = 0; i < 4000; ++i) {
        std::uint64_t size = random() % (1ull << (random() % 17));
        if (random() % 100 == 0) size = random() % (4u << 20);
        if (blocks.empty() || random() % 100 < 55) {
            const std::uint64_t alignment = 1ull << (random() % 15);
            const bool aligned = random() % 8 == 0;
            const auto at =
                aligned ? heap_.allocate_aligned(alignment, size) : heap_.allocate(size);
            ASSERT_TRUE(at);
            if (aligned) {
                ASSERT_EQ(*at % alignment, 0u);
            }
            add(*at, size);
        } else {
            auto it =
                blocks.lower_bound(blocks.begin()->first +
                                   random() % (blocks.rbegin()->first - blocks.begin()->first + 1));
            const auto [at, block] = *it;
            check(at, block);
            blocks.erase(it);
            if (random() % 3 != 0) {
                ASSERT_TRUE(heap_.release(at));
                continue;
            }
            const auto moved = heap_.reallocate(at, size + 1);
            ASSERT_TRUE(moved);
            check(*moved, {std::min(block.size, size), block.mark});
            add(*moved, size + 1);
        }
        if (HasFatalFailure()) return;
    }
    for (const auto& [at, block] : blocks) ASSERT_TRUE(heap_.release(at));
    EXPECT_EQ(heap_.figures().blocks, 0u);
}

TEST_F(HeapTest, Zeroed) {
    for (const std::uint64_t size : {100u, 5000u, 100000u, 3000000u}) {
        const auto at = alloc(size);
        ASSERT_TRUE(memory().fill(at, 0xff, size));
        ASSERT_TRUE(heap_.release(at));
        const auto clean = heap_.allocate_zeroed(size / 4, 4);
        ASSERT_TRUE(clean);
        std::vector<std::uint8_t> bytes(size);
        ASSERT_TRUE(space_->read(*clean, bytes.data(), size));
        EXPECT_EQ(std::count(bytes.begin(), bytes.end(), 0), static_cast<std::ptrdiff_t>(size));
    }
    EXPECT_EQ(error_of(heap_.allocate_zeroed(1ull << 33, 1ull << 33)), ENOMEM);
}

TEST_F(HeapTest, GrowsWhereItIs) {
    const auto at = alloc(40000);
    EXPECT_EQ(heap_.reallocate(at, 200000), at);
    EXPECT_EQ(heap_.reallocate(at, 50000), at);
    const auto small = alloc(100);
    EXPECT_EQ(heap_.reallocate(small, 97), small);
    EXPECT_EQ(heap_.reallocate(small, 112), small);
    const auto large = alloc(8u << 20);
    ASSERT_TRUE(memory().store(large + 4000, 0x1234));
    const auto moved = heap_.reallocate(large, 100u << 20);
    ASSERT_TRUE(moved);
    EXPECT_EQ(get<int>(*moved + 4000), 0x1234);
    EXPECT_EQ(heap_.usable_size(*moved), 100u << 20);
    EXPECT_EQ(heap_.reallocate(*moved, 0), 0u);
    EXPECT_EQ(heap_.usable_size(*moved), 0u);
    ASSERT_TRUE(heap_.reallocate(0, 10));
    EXPECT_EQ(error_of(heap_.reallocate_array(0, 1ull << 40, 1ull << 40)), ENOMEM);
}

TEST_F(HeapTest, WhatCannotBe) {
    EXPECT_EQ(error_of(heap_.allocate(~0ull)), ENOMEM);
    EXPECT_EQ(error_of(heap_.allocate(1ull << 62)), ENOMEM);
    EXPECT_EQ(error_of(heap_.allocate_aligned(24, 8)), EINVAL);
    EXPECT_EQ(error_of(heap_.allocate_aligned(0, 8)), EINVAL);
    EXPECT_EQ(error_of(heap_.allocate_aligned(1ull << 62, ~0ull - 4)), ENOMEM);
    const auto at = alloc(100);
    const auto large = alloc(100000), largest = alloc(10u << 20);
    for (const auto wrong : {at + 16, at + 1, large + 4096, largest + 4096, std::uint64_t{kBad},
                             scratch_begin(), std::uint64_t{~0ull}})
        EXPECT_EQ(trouble(heap_.release(wrong)).kind, Trouble::Kind::Abort) << wrong;
    EXPECT_EQ(trouble(heap_.reallocate(at + 8, 5)).kind, Trouble::Kind::Abort);
    for (const auto block : {at, large, largest}) {
        EXPECT_TRUE(heap_.release(block));
        EXPECT_EQ(trouble(heap_.release(block)).kind, Trouble::Kind::Abort);
    }
    EXPECT_TRUE(heap_.release(0));
}

TEST_F(HeapTest, GuestMayDamageItsOwnBlocksOnly) {
    const auto at = alloc(64);
    ASSERT_TRUE(memory().fill(at - at % 4096, 0xff, 4096));  // headers of others, if there were any
    EXPECT_TRUE(heap_.release(at));
    const auto large = alloc(100000);
    ASSERT_TRUE(space_->unmap(large - large % 4096, 8192));
    const auto moved = trouble(heap_.reallocate(large, 3000000));
    EXPECT_EQ(moved.kind, Trouble::Kind::Fault);
    EXPECT_EQ(moved.address, large);
}

TEST_F(HeapTest, MemoryIsUsedAgain) {
    for (int round = 0; round < 200; ++round) {
        std::vector<std::uint64_t> blocks;
        for (int i = 0; i < 100; ++i) blocks.push_back(alloc(static_cast<std::uint64_t>(i) * 500));
        for (const auto at : blocks) ASSERT_TRUE(heap_.release(at));
    }
    EXPECT_LE(heap_.figures().mapped, 16u << 20);
}

TEST_F(HeapTest, Threads) {
    std::atomic<int> failures{0};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            std::mt19937 random(t);
            std::vector<std::uint64_t> mine;
            for (int i = 0; i < 3000; ++i) {
                if (mine.size() < 50 || random() % 2) {
                    const auto at = heap_.allocate(8 + random() % 3000).value_or(0);
                    failures += !memory().store(at, at ^ t);
                    mine.push_back(at);
                } else {
                    std::swap(mine[random() % mine.size()], mine.back());
                    failures +=
                        memory().load<std::uint64_t>(mine.back()).value_or(0) != (mine.back() ^ t);
                    failures += !heap_.release(mine.back());
                    mine.pop_back();
                }
            }
            for (const auto at : mine) failures += !heap_.release(at);
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(failures, 0);
    EXPECT_EQ(heap_.figures().blocks, 0u);
}

}  // namespace
}  // namespace e2k::guest::libc::test
