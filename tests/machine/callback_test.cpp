// Functions of the C library bridge that call functions of the program, in both tiers.
#include <algorithm>
#include <cstring>
#include <random>

#include "tests/machine/bridge_caller.h"

namespace e2k::test {
namespace {

using Tier = BridgeCaller::Tier;
constexpr Tier kTiers[] = {Tier::Interpreted, Tier::Translated};

/// Comparisons; `_start` itself returns the address of the first, the others follow at steps of
/// 0x100.
constexpr std::string_view kComparisons = R"(
        .org 0x200
! The low halves of two words, as signed numbers.
compare_low:
        procedure
        { nop 2
          ldw [%dr0], %r2
          ldw [%dr1], %r3 }
        { nop 2
          cmplsb %r2, %r3, %pred0
          cmpesb %r2, %r3, %pred1 }
        { adds 0, 1, %r4 }
        { adds 0, _f32s 0xffffffff, %r4 ? %pred0 }
        { adds 0, 0, %r4 ? %pred1 }
        { sxt 2, %r4, %dr0 }
        back
        .org 0x300
! The same for an element of one byte, and a third argument that turns the order around.
compare_bytes:
        procedure
        { nop 2
          ldb [%dr0], %r3
          ldb [%dr1], %r4 }
        { subs %r3, %r4, %r5 }
        { muls %r5, %r2, %r5
          nop 6 }
        { sxt 2, %r5, %dr0 }
        back
)";
constexpr std::uint64_t kCompareLow = DynamicElf::kText + 0x200;
constexpr std::uint64_t kCompareBytes = DynamicElf::kText + 0x300;

TEST(Callbacks, QsortIsStableAndSorts) {
    BridgeCaller guest({"qsort", "qsort_r"}, std::string(kComparisons));
    std::mt19937_64 random(5);
    for (const Tier tier : kTiers)
        for (const std::size_t count : {0u, 1u, 2u, 3u, 7u, 8u, 33u, 200u}) {
            guest.forget();
            std::vector<std::uint64_t> words(count);
            for (std::uint64_t& w : words) w = random() << 32 | (random() % 16 - 8) % (1ull << 32);
            const auto at = guest.put(words.data(), count * 8);
            ASSERT_TRUE(guest.call("qsort", {at, count, 8, kCompareLow}, tier).returned);
            std::ranges::stable_sort(words, {},
                                     [](std::uint64_t w) { return static_cast<std::int32_t>(w); });
            for (std::size_t i = 0; i < count; ++i)
                ASSERT_EQ(guest.get<std::uint64_t>(at + 8 * i), words[i]) << count << ' ' << i;
        }
    // Elements of three bytes, in the other order.
    for (const Tier tier : kTiers) {
        guest.forget();
        const auto at = guest.put("bx1ax2cx3ay4", 12);
        ASSERT_TRUE(guest.call("qsort_r", {at, 4, 3, kCompareBytes, ~0ull}, tier).returned);
        EXPECT_EQ(guest.process().memory().read_string(at, 12), "cx3bx1ax2ay4");
    }
}

TEST(Callbacks, QsortOfWhatIsNotThere) {
    for (const std::vector<std::uint64_t>& arguments :
         {std::vector<std::uint64_t>{0x18, 4, 8, kCompareLow},
          std::vector<std::uint64_t>{0x18, 1ull << 63, 1ull << 62, kCompareLow},
          std::vector<std::uint64_t>{0x18, 1ull << 40, 8, kCompareLow}}) {
        BridgeCaller guest({"qsort"}, std::string(kComparisons));
        EXPECT_FALSE(guest.call("qsort", arguments, Tier::Translated).returned);
    }
    BridgeCaller guest({"qsort"}, std::string(kComparisons));
    EXPECT_TRUE(guest.call("qsort", {0x18, 1, 8, 0x18}, Tier::Translated).returned);
    EXPECT_TRUE(guest.call("qsort", {0x18, 100, 0, 0x18}, Tier::Translated).returned);
    EXPECT_FALSE(guest.call("qsort", {guest.room(64), 2, 8, 0x18}, Tier::Translated).returned);
}

TEST(Callbacks, BsearchFindsWhatIsThere) {
    BridgeCaller guest({"bsearch"}, std::string(kComparisons));
    std::vector<std::uint64_t> words;
    for (std::uint64_t i = 0; i < 57; ++i) words.push_back(3 * i + 1);
    const auto at = guest.put(words.data(), words.size() * 8), key = guest.room(8);
    for (const Tier tier : kTiers)
        for (std::uint64_t wanted = 0; wanted < 180; ++wanted) {
            ASSERT_TRUE(guest.process().memory().write(key, &wanted, sizeof wanted));
            const auto found =
                guest.call("bsearch", {key, at, words.size(), 8, kCompareLow}, tier).low;
            const bool there = wanted % 3 == 1 && wanted < 3 * words.size();
            ASSERT_EQ(found, there ? at + wanted / 3 * 8 : 0) << wanted;
        }
    EXPECT_EQ(guest.call("bsearch", {key, 0x18, 0, 8, 0x18}, Tier::Translated).low, 0u);
}

/// As the macros of <obstack.h> use it; malloc and free give the chunks.
TEST(Callbacks, ObstacksGrowAndAreFreed) {
    BridgeCaller guest({"_obstack_begin", "_obstack_newchunk", "obstack_free",
                        "_obstack_allocated_p", "_obstack_memory_used", "malloc", "free"});
    for (const Tier tier : kTiers) {
        const auto stack = guest.room(88);
        const auto field = [&](unsigned at) { return guest.get<std::uint64_t>(stack + at); };
        ASSERT_EQ(guest
                      .call("_obstack_begin",
                            {stack, 100, 8, guest.address("malloc"), guest.address("free")}, tier)
                      .low,
                  1u);
        const std::uint64_t first = field(16);
        EXPECT_EQ(first % 8, 0u);
        EXPECT_EQ(field(32), field(8) + 100);
        // An object that has grown by five letters moves to a larger chunk.
        ASSERT_TRUE(guest.process().memory().write(first, "hello", 5));
        const std::uint64_t grown = first + 5;
        ASSERT_TRUE(guest.process().memory().write(stack + 24, &grown, sizeof grown));
        ASSERT_TRUE(guest.call("_obstack_newchunk", {stack, 5000}, tier).returned);
        EXPECT_EQ(guest.process().memory().read_string(field(16), 5), "hello");
        EXPECT_EQ(field(24), field(16) + 5);
        EXPECT_GE(field(32) - field(24), 5000u);
        EXPECT_GE(guest.call("_obstack_memory_used", {stack}, tier).low, 5005u);
        EXPECT_EQ(guest.call("_obstack_allocated_p", {stack, field(16)}, tier).low, 1u);
        EXPECT_EQ(guest.call("_obstack_allocated_p", {stack, 0x18}, tier).low, 0u);
        ASSERT_TRUE(guest.call("obstack_free", {stack, 0}, tier).returned);
        EXPECT_EQ(field(8), 0u);
    }
    EXPECT_FALSE(guest.call("_obstack_newchunk", {0x18, 1}, Tier::Translated).returned);
}

/// A callback that adds what it is told (the third argument is where) and goes on, or stops.
TEST(Callbacks, ObjectsOfTheProgramOneByOne) {
    BridgeCaller guest({"dl_iterate_phdr", "dlsym", "dlopen", "dlerror", "malloc"}, R"(
        .org 0x200
count:  procedure
        { nop 2
          ldd [%dr0 + 16], %dr3         ! program headers
          ldd [%dr2], %dr4 }
        { std %dr3, [%dr2 + 8]
          addd %dr4, 1, %dr4 }
        { std %dr4, [%dr2]
          addd 0, 7, %dr0 }
        back
)");
    for (const Tier tier : kTiers) {
        const auto data = guest.room(16);
        const auto result = guest.call("dl_iterate_phdr", {DynamicElf::kText + 0x200, data}, tier);
        EXPECT_EQ(result.low, 7u);
        EXPECT_EQ(guest.get<std::uint64_t>(data), 1u);
        EXPECT_EQ(guest.get<std::uint64_t>(data + 8), DynamicElf::kBase + 64);
    }
    const auto handle = guest.call("dlopen", {0, 1}, Tier::Translated).low;
    EXPECT_EQ(guest.call("dlsym", {handle, guest.text("malloc")}, Tier::Translated).low,
              guest.address("malloc"));
    EXPECT_NE(guest.call("dlsym", {handle, guest.text("cosf")}, Tier::Translated).low, 0u);
    EXPECT_EQ(guest.call("dlsym", {handle, guest.text("nobody")}, Tier::Translated).low, 0u);
    const auto why = guest.call("dlerror", {}, Tier::Translated).low;
    EXPECT_EQ(guest.process().memory().read_string(why, 100), "undefined symbol: nobody");
    EXPECT_EQ(guest.call("dlerror", {}, Tier::Translated).low, 0u);
    EXPECT_EQ(guest.call("dlopen", {guest.text("./plugin.so"), 1}, Tier::Translated).low, 0u);
    EXPECT_NE(guest.call("dlopen", {guest.text("libm.so.6"), 1}, Tier::Translated).low, 0u);
}

/// err and error end the program by its own exit, after the message.
TEST(Callbacks, MessagesThatEndTheProgram) {
    for (const Tier tier : kTiers)
        for (const char* const name : {"errx", "error"}) {
            BridgeCaller guest({name, "exit"});
            const bool is_error = std::string_view(name) == "error";
            const auto form = guest.text("bad thing");
            const auto result = guest.call(name,
                                           is_error ? std::vector<std::uint64_t>{3, 2, form}
                                                    : std::vector<std::uint64_t>{3, form},
                                           tier);
            EXPECT_FALSE(result.returned);
            EXPECT_EQ(guest.process().exit_status().value, 3);
            EXPECT_TRUE(guest.output.ends_with(is_error ? ": bad thing: No such file or directory\n"
                                                        : ": bad thing\n"))
                << guest.output;
        }
    BridgeCaller guest({"error"});
    EXPECT_TRUE(guest.call("error", {0, 0, guest.text("goes on")}, Tier::Translated).returned);
}

}  // namespace
}  // namespace e2k::test
