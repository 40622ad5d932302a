// Translator against interpreter: sequences of compiled bundles, some with mutated words, run from
// random states; after every region the whole state and the memory must be equal.
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engine/cpu/interpreter.h"
#include "engine/translate/translator.h"

namespace e2k::translate {
namespace {

using cpu::CpuState;
using cpu::StopKind;

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kCode = 0x10000, kData = 0x20000, kReadOnly = 0x21000, kUnmapped = 0x30000;

/// A guest with one code page, a writable and a read-only data page.
class Guest {
public:
    Guest() {
        constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
        void* space = mmap(nullptr, cpu::kGuestSpace, PROT_NONE, kFlags, -1, 0);
        void* pages = mmap(nullptr, cpu::kGuestPages, PROT_READ | PROT_WRITE, kFlags, -1, 0);
        if (space == MAP_FAILED || pages == MAP_FAILED) return;
        view.base = static_cast<std::uint8_t*>(space);
        view.pages = map_ = static_cast<std::uint8_t*>(pages);
        allow(kCode, cpu::kPageRead | cpu::kPageExec);
        allow(kData, cpu::kPageRead | cpu::kPageWrite);
        allow(kReadOnly, cpu::kPageRead);
        ready = stacks.reserve(1u << 14, 1u << 8);
    }
    ~Guest() {
        if (view.base) munmap(view.base, cpu::kGuestSpace);
        if (map_) munmap(map_, cpu::kGuestPages);
    }

    /// Writes code or data whatever the guest may do.
    void poke(std::uint64_t address, const void* bytes, std::size_t size) {
        mprotect(view.base + kCode, 0x20 * kPage, PROT_READ | PROT_WRITE);
        std::memcpy(view.base + address, bytes, size);
        mprotect(view.base + kCode, 0x20 * kPage, PROT_NONE);
        mprotect(view.base + kCode, kPage, PROT_READ);
        mprotect(view.base + kData, kPage, PROT_READ | PROT_WRITE);
        mprotect(view.base + kReadOnly, kPage, PROT_READ);
    }

    cpu::MemoryView view;
    cpu::HardwareStacks stacks;
    bool ready = false;

private:
    void allow(std::uint64_t address, int bits) {
        map_[address / kPage] = static_cast<std::uint8_t>(bits | cpu::kPageMapped);
    }
    std::uint8_t* map_ = nullptr;
};

std::vector<std::vector<std::uint32_t>> corpus() {
    std::vector<std::vector<std::uint32_t>> bundles;
    std::ifstream file(std::string(E2K_SOURCE_DIR) + "/tests/data/decode_sample.jsonl");
    std::string line;
    while (std::getline(file, line)) {
        const auto record = nlohmann::json::parse(line);
        const auto& text = record.at("hex");
        if (!text.is_string()) continue;
        const std::string hex = text;
        std::vector<std::uint32_t> words;
        for (std::size_t i = 0; i + 8 <= hex.size(); i += 8) {
            std::uint32_t word = 0;
            for (std::size_t b = 0; b < 4; ++b)
                word |=
                    static_cast<std::uint32_t>(std::stoul(hex.substr(i + 2 * b, 2), nullptr, 16))
                    << 8 * b;
            words.push_back(word);
        }
        bundles.push_back(std::move(words));
    }
    return bundles;
}

/// A loop may be endless for a random state: makes it leave its region after a while.
class Watchdog {
public:
    explicit Watchdog(CpuState& state)
        : thread_([this, &state] {
              while (!done_) {
                  std::this_thread::sleep_for(std::chrono::microseconds(200));
                  state.interrupt = 1;
              }
          }) {}
    ~Watchdog() {
        done_ = true;
        thread_.join();
    }

private:
    std::atomic<bool> done_{false};
    std::thread thread_;
};

/// Bundles that read a clock give two threads two values.
bool reads_clock(const std::vector<std::uint32_t>& words, int iset) {
    std::array<std::uint8_t, 64> bytes{};
    std::memcpy(bytes.data(), words.data(), std::min(bytes.size(), words.size() * 4));
    const auto bundle = isa::decode(bytes, kCode, iset);
    if (!bundle) return false;
    for (int c = 0; c < isa::kChannels; ++c)
        if (bundle->has_als(c) && bundle->als[c].op &&
            bundle->als[c].op->mnemonic.starts_with("rr"))
            return true;
    return false;
}

class RandomBundles : public testing::TestWithParam<unsigned> {
protected:
    using Random = std::mt19937_64;

    std::uint64_t value(Random& random) {
        switch (random() % 8) {
            case 0:
                return random() % 32;
            case 1:
                return kData + random() % 4000;
            case 2:
                return kReadOnly + random() % 4000;
            case 3:
                return kUnmapped + random() % 4000;
            case 4: {
                const double d = static_cast<double>(static_cast<std::int64_t>(random())) / 65536.0;
                std::uint64_t bits;
                std::memcpy(&bits, &d, sizeof bits);
                return bits;
            }
            case 5:
                return random() & 0xffff'ffff;
            case 6:
                return random() % 2 ? 0x7ff8'0000'0000'0001 : 0xffff'ffff'ffff'fff0;
            default:
                return random();
        }
    }

    void fill(CpuState& s, Random& random, int iset) {
        for (unsigned i = 0; i < 224; ++i) s.window[i] = {value(random), random()};
        for (auto& g : s.g) g = {value(random), random()};
        for (auto& p : s.pred) p = random() & 1;
        // Mostly windows and rotating areas that hold all the names of compiled bundles.
        const bool roomy = random() % 8 != 0;
        s.wd.size = static_cast<std::uint16_t>(roomy ? 224 : 2 * (random() % 100 + 8));
        s.wd.psize = 8;
        s.wd.dbl = random() & 1;
        s.br.rbs = static_cast<std::uint8_t>(random() % 40);
        s.br.rsz = static_cast<std::uint8_t>(roomy ? 63 : random() % 64);
        s.br.rcur = static_cast<std::uint8_t>(random() % (s.br.rsz + 1u));
        s.br.psz = static_cast<std::uint8_t>(random() % 32);
        s.br.pcur = static_cast<std::uint8_t>(random() % (s.br.psz + 1u));
        s.lsr.lcnt = random() % 4;
        s.lsr.ecnt = random() % 3;
        s.lsr.pcnt = random() % 3;
        s.lsr.vlc = random() & 1;
        s.lsr.strmd = random() % 4;
        for (auto& c : s.ctpr) {
            c.base = kCode + 8 * (random() % 16);
            c.tag = random() % 4 ? cpu::CtprTag::Label : cpu::CtprTag::Empty;
        }
        s.pfpfr = 0x1f80 | static_cast<std::uint32_t>(random() % 4) << 13;
        s.usd_base = kData + 0x800;
        s.usd_size = 0x1000;
        s.iset = static_cast<std::uint8_t>(iset);
    }

    /// "" if equal, else the first difference.
    static std::string difference(const CpuState& a, const CpuState& b) {
        const auto differ = [](const std::string& what, std::uint64_t x, std::uint64_t y) {
            return what + ": translated " + std::to_string(x) + ", interpreted " +
                   std::to_string(y);
        };
        if (a.ip != b.ip) return differ("ip", a.ip, b.ip);
        if (a.operations != b.operations) return differ("operations", a.operations, b.operations);
        if (a.window_index() != b.window_index())
            return differ("window", a.window_index(), b.window_index());
        if (a.depth() != b.depth()) return differ("depth", a.depth(), b.depth());
        for (unsigned i = 0; i < 300; ++i) {
            if (a.window_file[i].lo != b.window_file[i].lo)
                return differ("r" + std::to_string(i), a.window_file[i].lo, b.window_file[i].lo);
            if (a.window_file[i].ext != b.window_file[i].ext)
                return differ("ext r" + std::to_string(i), a.window_file[i].ext,
                              b.window_file[i].ext);
        }
        for (unsigned i = 0; i < 32; ++i) {
            if (a.g[i].lo != b.g[i].lo || a.g[i].ext != b.g[i].ext)
                return differ("g" + std::to_string(i), a.g[i].lo, b.g[i].lo);
            if (a.pred[i] != b.pred[i])
                return differ("pred" + std::to_string(i), a.pred[i], b.pred[i]);
        }
        for (unsigned i = 0; i < 3; ++i)
            if (a.ctpr[i].image() != b.ctpr[i].image())
                return differ("ctpr" + std::to_string(i + 1), a.ctpr[i].image(), b.ctpr[i].image());
        if (std::memcmp(&a.wd, &b.wd, sizeof a.wd) != 0) return differ("wd", a.wd.size, b.wd.size);
        if (std::memcmp(&a.br, &b.br, sizeof a.br) != 0) return differ("br", a.br.rcur, b.br.rcur);
        if (a.lsr.lsr_image() != b.lsr.lsr_image())
            return differ("lsr", a.lsr.lsr_image(), b.lsr.lsr_image());
        if (a.pfpfr != b.pfpfr) return differ("pfpfr", a.pfpfr, b.pfpfr);
        if (a.fpsr != b.fpsr) return differ("fpsr", a.fpsr, b.fpsr);
        if (a.usd_base != b.usd_base) return differ("usd_base", a.usd_base, b.usd_base);
        if (a.usd_size != b.usd_size) return differ("usd_size", a.usd_size, b.usd_size);
        for (unsigned i = 0; i < a.aau.aasti.size(); ++i)
            if (a.aau.aasti[i] != b.aau.aasti[i])
                return differ("aasti", a.aau.aasti[i], b.aau.aasti[i]);
        return "";
    }
};

TEST_P(RandomBundles, AgreeWithTheInterpreter) {
    constexpr unsigned kCases = 250, kBundles = 12, kRegions = 60;
    const auto bundles = corpus();
    ASSERT_GT(bundles.size(), 100u);
    Guest translated, interpreted;
    ASSERT_TRUE(translated.ready && interpreted.ready);
    cpu::Interpreter fallback(translated.view), reference(interpreted.view);
    Translator translator(translated.view, {.code_cache_bytes = 4u << 20});
    Random random(GetParam());
    std::uint64_t compared = 0;
    for (unsigned n = 0; n < kCases; ++n) {
        const int iset = 3 + static_cast<int>(random() % 4);
        std::vector<std::uint32_t> code;
        for (unsigned k = 0; k < kBundles; ++k) {
            auto words = bundles[random() % bundles.size()];
            if (random() % 6 == 0 && words.size() > 1)
                words[1 + random() % (words.size() - 1)] ^= 1u << random() % 32;
            if (reads_clock(words, iset)) continue;
            code.insert(code.end(), words.begin(), words.end());
        }
        code.resize(kPage / 4);
        std::array<std::uint64_t, kPage / 8> data;
        for (auto& d : data) d = value(random);
        const std::uint64_t seed = random();
        CpuState a, b;
        for (const auto& [guest, state] :
             {std::pair(&translated, &a), std::pair(&interpreted, &b)}) {
            guest->poke(kCode, code.data(), kPage);
            guest->poke(kData, data.data(), kPage);
            guest->poke(kReadOnly, data.data(), kPage);
            guest->stacks.attach(*state);
            Random same(seed);
            fill(*state, same, iset);
            state->memory_base = guest->view.base;
            state->page_map = guest->view.pages;
            state->ip = kCode;
        }
        translator.invalidate(kCode, kCode + kPage);
        fallback.invalidate(kCode, kCode + kPage);
        reference.invalidate(kCode, kCode + kPage);
        const Watchdog watchdog(a);
        for (unsigned k = 0; k < kRegions; ++k) {
            if (a.ip < kCode || a.ip >= kCode + kPage - 64) break;
            const std::uint64_t before = a.bundles;
            a.interrupt = 0;
            const cpu::Stop stop = translator.run_region(a, fallback);
            cpu::Stop expected;
            if (a.bundles != before) expected = reference.run(b, a.bundles - before);
            if (stop.kind == StopKind::Trapped) {
                ASSERT_EQ(expected.kind, StopKind::Budget) << expected.trap.detail;
                expected = reference.step(b);
                ASSERT_EQ(expected.kind, StopKind::Trapped);
                EXPECT_EQ(stop.trap.code, expected.trap.code) << stop.trap.detail;
                EXPECT_EQ(stop.trap.address, expected.trap.address);
                EXPECT_EQ(stop.trap.channel, expected.trap.channel);
            }
            ASSERT_EQ(difference(a, b), "")
                << "case " << n << " after region " << k << ", bundle " << before << ".."
                << a.bundles << " stop " << expected.trap.detail;
            ASSERT_EQ(
                std::memcmp(translated.view.base + kData, interpreted.view.base + kData, kPage), 0)
                << "case " << n << " after region " << k;
            ++compared;
            if (stop.kind != StopKind::Budget && stop.kind != StopKind::Trapped) break;
            if (stop.kind == StopKind::Trapped) {
                // On with the bundle after the one that trapped.
                const auto bundle = cpu::fetch(interpreted.view, a.ip, a.iset);
                if (!bundle) break;
                a.ip = b.ip = bundle->next_address();
            }
        }
    }
    EXPECT_GT(compared, 4 * kCases);
    EXPECT_GT(translator.stats().bundles_translated, kCases);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomBundles, testing::Range(1u, 9u));

}  // namespace
}  // namespace e2k::translate
