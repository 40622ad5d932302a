// The pieces of the machine that need no guest: logs, hand-over, queue.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "engine/machine/bounded_log.h"
#include "engine/machine/exchange.h"
#include "engine/machine/input_queue.h"

namespace e2k::machine {
namespace {

TEST(BoundedLog, KeepsTheNewestAndCountsTheRest) {
    BoundedLog<Notice> log(3, 1000);
    for (int i = 0; i < 5; ++i) log.append(Notice{0, false, std::to_string(i)}, 1);
    const auto all = log.read(0);
    ASSERT_EQ(all.items.size(), 3u);
    EXPECT_EQ(all.items.front().text, "2");
    EXPECT_EQ(all.items.front().sequence, 2u);
    EXPECT_EQ(all.dropped, 2u);
    EXPECT_EQ(all.next, 5u);
}

TEST(BoundedLog, ReadsOnlyWhatIsNew) {
    BoundedLog<Notice> log(10, 1000);
    log.append(Notice{0, false, "a"}, 1);
    const auto next = log.read(0).next;
    EXPECT_TRUE(log.read(next).items.empty());
    log.append(Notice{0, false, "b"}, 1);
    const auto fresh = log.read(next);
    ASSERT_EQ(fresh.items.size(), 1u);
    EXPECT_EQ(fresh.items[0].text, "b");
    EXPECT_TRUE(log.read(99).items.empty());
}

TEST(BoundedLog, IsBoundedInBytesToo) {
    BoundedLog<Notice> log(100, 10);
    for (int i = 0; i < 4; ++i) log.append(Notice{0, false, std::to_string(i)}, 4);
    EXPECT_EQ(log.read(0).items.size(), 2u);
    log.append(Notice{0, false, "huge"}, 1000);  // alone it stays
    ASSERT_EQ(log.read(0).items.size(), 1u);
    EXPECT_EQ(log.read(0).items[0].text, "huge");
    EXPECT_EQ(log.read(0).dropped, 4u);
}

TEST(BoundedLog, ANewRunForgetsTheOldOneAndGoesOnCounting) {
    BoundedLog<Notice> log(2, 1000);
    for (int i = 0; i < 3; ++i) log.append(Notice{0, false, "old"}, 1);
    EXPECT_EQ(log.read(0).first, 0u);
    log.begin_anew();
    EXPECT_TRUE(log.read(0).items.empty());
    EXPECT_EQ(log.read(0).dropped, 0u);
    log.append(Notice{0, false, "new"}, 1);
    const auto slice = log.read(1);
    ASSERT_EQ(slice.items.size(), 1u);
    EXPECT_EQ(slice.items[0].sequence, 3u);
    EXPECT_EQ(slice.first, 3u);
    EXPECT_EQ(slice.next, 4u);
}

TEST(Exchange, GivesTheLatest) {
    Exchange<int> exchange(1);
    EXPECT_EQ(exchange.latest(), 1);
    exchange.publish(2);
    exchange.publish(3);
    EXPECT_EQ(exchange.latest(), 3);
    EXPECT_EQ(exchange.latest(), 3);
}

TEST(Exchange, ValuesAreWholeAndNeverGoBack) {
    struct Value {
        std::uint64_t number = 0, twice = 0;
    };
    Exchange<std::shared_ptr<const Value>> exchange(std::make_shared<const Value>());
    std::atomic<bool> done{false};
    std::thread writer([&] {
        for (std::uint64_t i = 1; i <= 100'000; ++i)
            exchange.publish(std::make_shared<const Value>(Value{i, 2 * i}));
        done = true;
    });
    std::uint64_t last = 0, bad = 0;
    while (!done) {
        const auto value = exchange.latest();
        if (value->twice != 2 * value->number || value->number < last) ++bad;
        last = value->number;
    }
    writer.join();
    EXPECT_EQ(bad, 0u);
    EXPECT_EQ(exchange.latest()->number, 100'000u);
}

TEST(InputQueue, HandsOutBytesThenTheEnd) {
    InputQueue queue;
    queue.push("abc", false);
    char buffer[2];
    EXPECT_EQ(queue.read(buffer, 2), 2u);
    EXPECT_EQ(queue.read(buffer, 2), 1u);
    EXPECT_EQ(buffer[0], 'c');
    std::thread closer([&] { queue.close(); });
    EXPECT_EQ(queue.read(buffer, 2), 0u);
    closer.join();
}

}  // namespace
}  // namespace e2k::machine
