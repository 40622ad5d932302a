// Random bytes must neither crash the decoder nor make it read past its input: the bytes end at a
// page that cannot be read.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <random>

#include "engine/isa/describe.h"
#include "engine/isa/disassembler.h"
#include "engine/isa/listing.h"

namespace e2k::isa {
namespace {

constexpr std::size_t kMaxBytes = 64;

/// Memory whose last byte lies before an inaccessible page.
class GuardedBuffer {
public:
    GuardedBuffer() : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
        void* const at =
            mmap(nullptr, 2 * page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED) return;
        base_ = static_cast<std::uint8_t*>(at);
        guarded_ = mprotect(base_ + page_, page_, PROT_NONE) == 0;
    }
    ~GuardedBuffer() {
        if (base_) munmap(base_, 2 * page_);
    }
    GuardedBuffer(const GuardedBuffer&) = delete;
    GuardedBuffer& operator=(const GuardedBuffer&) = delete;

    bool ready() const { return base_ && guarded_; }
    std::span<std::uint8_t> last(std::size_t size) { return {base_ + page_ - size, size}; }

private:
    std::size_t page_;
    std::uint8_t* base_ = nullptr;
    bool guarded_ = false;
};

/// Repairs the middle pointer of HS, so that random syllables pass the layout check.
std::uint32_t with_consistent_front(std::uint32_t hs, bool ales25) {
    const unsigned words = 1 + ((hs >> 12) & 1) + ((hs >> 14) & 1) + ((hs >> 15) & 1) +
                           static_cast<unsigned>(std::popcount(hs >> 26)) + (ales25 ? 1 : 0);
    return (hs & ~0xfu) | (words - 1);
}

struct Counts {
    std::uint64_t decoded = 0, refused = 0, legal = 0, lines = 0;
};

/// One input: every third is left random, the others have a consistent front; every fourth is cut.
void fill(std::span<std::uint8_t> bytes, std::uint64_t n, std::mt19937_64& random) {
    for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(random());
    if (n % 3 == 0 || bytes.size() < 4) return;
    std::uint32_t hs;
    std::memcpy(&hs, bytes.data(), sizeof hs);
    hs = with_consistent_front(hs, n % 7 == 0);
    std::memcpy(bytes.data(), &hs, sizeof hs);
}

void run(std::uint64_t inputs, Counts& counts) {
    GuardedBuffer buffer;
    ASSERT_TRUE(buffer.ready());
    std::mt19937_64 random(20240607);
    Bundle reused;
    for (std::uint64_t n = 0; n < inputs; ++n) {
        const std::size_t size = n % 4 == 0 ? random() % (kMaxBytes + 1) : kMaxBytes;
        const auto bytes = buffer.last(size);
        fill(bytes, n, random);
        const int iset = kMinIset + static_cast<int>(n % (kMaxIset - kMinIset + 1));
        const std::uint64_t address = n % 5 == 0 ? ~std::uint64_t{7} : 0x10000;
        const auto bundle = decode(bytes, address, iset);
        // Storage that every earlier input, good or bad, has been written to.
        const auto again = decode_into(reused, bytes, address, iset);
        ASSERT_EQ(again.has_value(), bundle.has_value());
        ASSERT_TRUE(!bundle || *bundle == reused) << "input " << n;
        if (!bundle) {
            ++counts.refused;
            ASSERT_FALSE(bundle.error().message().empty());
            continue;
        }
        ++counts.decoded;
        ASSERT_LE(bundle->length, size);
        const auto legality = check_legal(*bundle);
        counts.legal += legality.legal;
        if (!legality.legal && n % 16 == 0) {
            ASSERT_FALSE(legality.why.message().empty());
        }
        if (n % 64 == 0) {
            ASSERT_FALSE(describe_syllables(*bundle).empty());
            ListingOptions options;
            options.iset = iset;
            ASSERT_FALSE(list_code(bytes, 0x10000, options).empty());
        }
        if (n % 8 == 0)
            counts.lines += disassemble(*bundle).size() +
                            disassemble(*bundle, DisassemblyStyle::native()).size();
    }
}

/// E2K_RANDOM_BUNDLES in the environment asks for a longer run.
std::uint64_t requested_inputs() {
    const char* const asked = std::getenv("E2K_RANDOM_BUNDLES");
    return asked ? std::strtoull(asked, nullptr, 10) : 500'000;
}

TEST(RandomBytes, NeitherCrashNorReadBeyondTheInput) {
    Counts counts;
    const auto inputs = requested_inputs();
    run(inputs, counts);
    EXPECT_EQ(counts.decoded + counts.refused, inputs);
    // The inputs must reach both outcomes, or nothing was tested.
    EXPECT_GT(counts.decoded, inputs / 10);
    EXPECT_GT(counts.refused, inputs / 10);
    EXPECT_GT(counts.legal, 0u);
    EXPECT_GT(counts.lines, counts.decoded / 8);
}

TEST(RandomBytes, EveryTruncationIsRefused) {
    GuardedBuffer buffer;
    ASSERT_TRUE(buffer.ready());
    std::mt19937_64 random(7);
    for (unsigned units = 1; units <= 8; ++units) {
        for (std::size_t size = 0; size < 8 * units; ++size) {
            const auto bytes = buffer.last(size);
            fill(bytes, 0, random);
            if (size >= 4) {
                const std::uint32_t hs = (units - 1) << 4;
                std::memcpy(bytes.data(), &hs, sizeof hs);
            }
            const auto bundle = decode(bytes, 0, 5);
            ASSERT_FALSE(bundle);
            EXPECT_EQ(bundle.error().kind, DecodeError::Kind::Truncated);
        }
    }
}

TEST(RandomBytes, MisalignedAddressesAreRefused) {
    const std::array<std::uint8_t, 8> empty{};
    for (std::uint64_t address = 1; address < 8; ++address) {
        const auto bundle = decode(empty, address, 5);
        ASSERT_FALSE(bundle);
        EXPECT_EQ(bundle.error().kind, DecodeError::Kind::Misaligned);
    }
    EXPECT_TRUE(decode(empty, 8, 5));
}

}  // namespace
}  // namespace e2k::isa
