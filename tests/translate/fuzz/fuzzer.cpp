#include "tests/translate/fuzz/fuzzer.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "engine/cpu/interpreter.h"
#include "engine/translate/host_features.h"
#include "engine/translate/kernel/counts.h"
#include "engine/translate/translator.h"
#include "tests/translate/fuzz/program.h"

namespace e2k::fuzz {
namespace {

using cpu::CpuState;
using cpu::StopKind;
using Guest = translate::test::BareGuest;
using translate::test::kStackRegisters;

constexpr unsigned kCompared = 700;  ///< registers of the window file that are looked at
constexpr unsigned kStopsPerCase = 40;
constexpr std::uint64_t kBundlesPerCase = 3000;

/// A loop may be endless for a random state: after a while this makes it leave translated code.
class Watchdog {
public:
    Watchdog()
        : thread_([this] {
              std::uint64_t seen = 0;
              while (!done_) {
                  std::this_thread::sleep_for(std::chrono::microseconds(100));
                  const std::lock_guard lock(mutex_);
                  if (state_ && entry_ == seen) state_->interrupt = 1;
                  seen = entry_;
              }
          }) {}
    ~Watchdog() {
        done_ = true;
        thread_.join();
    }
    /// Null: nothing runs; when this returns, no state is interrupted any more.
    void watch(CpuState* state) {
        const std::lock_guard lock(mutex_);
        state_ = state;
        ++entry_;
    }

private:
    std::atomic<bool> done_{false};
    std::mutex mutex_;  ///< of what follows: the state may be gone the moment it is not watched
    std::uint64_t entry_ = 0;
    CpuState* state_ = nullptr;
    std::thread thread_;
};

template <class Number>
std::uint64_t bits_of(Number n) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &n, sizeof n);
    return bits;
}

std::uint64_t value(Random& random) {
    switch (random() % 12) {
        case 0:
            return random() % 32;
        case 1:
            return kData + random() % 4000;
        case 2:
            return kReadOnly + random() % 4000;
        case 3:
            return kUnmapped + random() % 4000;
        case 4:
        case 5:
            return bits_of(static_cast<double>(static_cast<std::int64_t>(random())) / 65536.0);
        case 6: {
            const auto x = static_cast<float>(static_cast<std::int32_t>(random())) / 256.0f;
            return bits_of(x) << 32 | bits_of(1.0f / x);
        }
        case 7:
            return random() & 0xffff'ffff;
        case 8: {
            constexpr std::array<std::uint64_t, 12> kSpecial{0x7ff8'0000'0000'0001,
                                                             0xffff'ffff'ffff'fff0,
                                                             0x7ff0'0000'0000'0000,
                                                             0x8000'0000'0000'0000,
                                                             0x7f80'0000'ff80'0000,
                                                             0x7fc0'0001'7fa0'0000,
                                                             0x000f'ffff'0000'0001,
                                                             0x8000'0001'007f'ffff,
                                                             0x7fff'ffff'7fff'ffff,
                                                             0x8000'0000'8000'0000,
                                                             0,
                                                             ~0ull};
            return kSpecial[random() % kSpecial.size()];
        }
        default:
            return random();
    }
}

/// The upper part of a register: an 80-bit number's sign and exponent, or anything.
std::uint64_t extension(Random& random) {
    if (random() % 2) return random();
    return 0x3fff + random() % 64 - 32 + (random() % 2 ? 0x8000 : 0);
}

/// Some registers and predicates are diagnostic, in whole or in part; dead ones mostly, as in
/// programs: few of those that the generator's programs name.
void fill_tags(CpuState& s, Random& random) {
    constexpr std::array<std::uint8_t, 8> kTags{5, 5, 5, 1, 4, 0x55, 0x50, 0x15};
    const auto tag = [&] { return kTags[random() % kTags.size()]; };
    for (auto n = random() % 4; n > 0; --n)
        s.window_tags[random() % (random() % 3 ? s.wd.size : std::min<unsigned>(s.wd.size, 12))] =
            tag();
    for (auto n = random() % 3; n > 0; --n) s.g_tags[random() % s.g_tags.size()] = tag();
    for (auto n = random() % 2; n > 0; --n) s.pred[random() % s.pred.size()] |= cpu::kPredTag;
}

void fill(CpuState& s, Random& random, int iset) {
    for (unsigned i = 0; i < 224; ++i) s.window[i] = {value(random), extension(random)};
    for (unsigned i = 224; i < kCompared; ++i) s.window[i] = {};
    // Calls reach further than what is compared; no program may see the tags of another.
    std::fill_n(s.tag_file, kStackRegisters, std::uint8_t{0});
    for (auto& g : s.g) g = {value(random), extension(random)};
    for (unsigned i = 0; i < kPointerRegisters; ++i) s.window[i].lo = kData + 8 * (random() % 400);
    for (unsigned i = 0; i < kPointerGlobals; ++i)
        s.g[kFirstPointerGlobal + i].lo = kData + 8 * (random() % 400);
    for (auto& p : s.pred) p = random() & 1;
    // Mostly windows and rotating areas that hold all the names of the programs.
    const bool roomy = random() % 8 != 0;
    s.wd.size = static_cast<std::uint16_t>(roomy ? 224 : 2 * (random() % 100 + 8));
    s.wd.psize = 8;
    s.wd.dbl = random() & 1;
    s.br.rsz = static_cast<std::uint8_t>(random() % 3 ? random() % 8 + 3 : random() % 64);
    s.br.rbs = static_cast<std::uint8_t>(random() % (roomy ? 64u : 40u));
    s.br.rcur = static_cast<std::uint8_t>(random() % (s.br.rsz + 1u));
    s.br.psz = static_cast<std::uint8_t>(random() % 32);
    s.br.pcur = static_cast<std::uint8_t>(random() % (s.br.psz + 1u));
    s.lsr.lcnt = random() % 3 ? random() % 6 : random() % 60;
    s.lsr.ecnt = random() % 3;
    s.lsr.pcnt = random() % 3;
    s.lsr.vlc = random() & 1;
    s.lsr.strmd = random() % 4;
    for (auto& c : s.ctpr) {
        c.base = kCode + 8 * (random() % 16);
        c.tag = random() % 4 ? cpu::CtprTag::Label : cpu::CtprTag::Empty;
    }
    s.pfpfr = 0x1f80 | static_cast<std::uint32_t>(random() % 4) << 13 |
              (random() % 8 == 0 ? 0x8000u : 0u);
    s.fpcr = 0x37f & ~0x300u;
    s.fpcr |= static_cast<std::uint32_t>(random() % 4) << 10;
    s.fpcr |= std::array{0x300u, 0x200u, 0u}[random() % 3];
    for (auto& base : s.aau.aad_base) base = kData + 8 * (random() % 400);
    for (auto& index : s.aau.aasti) index = 8 * (random() % 8);
    for (auto& step : s.aau.aaincr) step = random() % 8 ? random() % 3 : ~std::uint64_t{0};
    s.aau.aaincr[0] = 1;  // nothing changes it
    s.aau.active = random() % 8 != 0;
    for (auto& area : s.aau.area) {
        area.fmt = static_cast<std::uint8_t>(random() % 4 ? 4 + random() % 2 : random() % 6);
        area.d = static_cast<std::uint8_t>(random() % 32);
        area.incr = static_cast<std::uint8_t>(random() % 8);
        area.disp = static_cast<std::uint32_t>(8 * (random() % 8));
    }
    s.usd_base = kData + 0x800;
    s.usd_size = 0x1000;
    s.iset = static_cast<std::uint8_t>(iset);
    s.exact_tags = random() % 2 == 0;
    s.uncover_tags = 0;
    s.g_tags = {};
    if (s.exact_tags && random() % 4) fill_tags(s, random);
}

/// "" if equal, else the first difference.
class Comparison {
public:
    Comparison(const CpuState& translated, const CpuState& interpreted)
        : a(translated), b(interpreted) {}

    std::string run() {
        same("ip", a.ip, b.ip);
        same("bundles", a.bundles, b.bundles);
        same("operations", a.operations, b.operations);
        same("window index", a.window_index(), b.window_index());
        same("tags index", a.window_tags - a.tag_file, b.window_tags - b.tag_file);
        same("depth", a.depth(), b.depth());
        if (!text_.empty()) return text_;
        registers();
        control();
        array_unit();
        return text_;
    }

private:
    template <class T>
    void same(std::string_view what, T x, T y) {
        if (text_.empty() && x != y)
            text_ = fmt::format("{}: translated 0x{:x}, interpreted 0x{:x}", what,
                                static_cast<std::uint64_t>(x), static_cast<std::uint64_t>(y));
    }
    void registers() {
        if (std::memcmp(a.window_file, b.window_file, kCompared * sizeof(cpu::Reg)) != 0)
            for (unsigned i = 0; i < kCompared; ++i) {
                const auto n =
                    static_cast<std::int64_t>(i) - static_cast<std::int64_t>(a.window_index());
                same(fmt::format("r{}", n), a.window_file[i].lo, b.window_file[i].lo);
                same(fmt::format("extension of r{}", n), a.window_file[i].ext,
                     b.window_file[i].ext);
            }
        if (std::memcmp(a.tag_file, b.tag_file, kCompared) != 0)
            for (unsigned i = 0; i < kCompared; ++i)
                same(fmt::format("tag of register {}", i), a.tag_file[i], b.tag_file[i]);
        for (unsigned i = 0; i < 32; ++i) {
            same("global", a.g[i].lo, b.g[i].lo);
            same("extension of a global", a.g[i].ext, b.g[i].ext);
            same("tag of a global", a.g_tags[i], b.g_tags[i]);
            if (a.pred[i] != b.pred[i])
                same(fmt::format("predicate {} (physical)", i), a.pred[i], b.pred[i]);
        }
    }
    void control() {
        for (unsigned i = 0; i < 3; ++i) same("ctpr", a.ctpr[i].image(), b.ctpr[i].image());
        same("wd", bits_of(a.wd), bits_of(b.wd));
        same("br", bits_of(a.br), bits_of(b.br));
        same("lsr", a.lsr.lsr_image(), b.lsr.lsr_image());
        same("lcnt", a.lsr.lcnt, b.lsr.lcnt);
        same("ilcr", a.ilcr.lsr_image(), b.ilcr.lsr_image());
        same("pfpfr", a.pfpfr, b.pfpfr);
        same("fpcr", a.fpcr, b.fpcr);
        same("fpsr", a.fpsr, b.fpsr);
        same("upsr", a.upsr, b.upsr);
        same("usd_base", a.usd_base, b.usd_base);
        same("usd_size", a.usd_size, b.usd_size);
        same("lock", a.lock.valid, b.lock.valid);
        if (a.lock.valid) same("lock address", a.lock.address, b.lock.address);
        for (const cpu::ChainFrame *x = a.chain_file, *y = b.chain_file; x != a.chain_top;
             ++x, ++y) {
            same("return address", x->return_ip, y->return_ip);
            same("frame wd", bits_of(untagged(x->wd)), bits_of(untagged(y->wd)));
            // Code that expects tags may say so where there are none.
            same("missed tags of a frame", int{y->wd.tagged != 0 && x->wd.tagged == 0}, 0);
            same("frame br", bits_of(x->br), bits_of(y->br));
            same("frame wbs", x->wbs, y->wbs);
            same("frame ussz", x->ussz, y->ussz);
            same("frame predicates", int{x->pred != y->pred}, 0);
        }
    }
    void array_unit() {
        for (unsigned i = 0; i < a.aau.aasti.size(); ++i)
            same("aasti", a.aau.aasti[i], b.aau.aasti[i]);
        for (unsigned i = 0; i < a.aau.aaind.size(); ++i)
            same("aaind", a.aau.aaind[i], b.aau.aaind[i]);
        for (unsigned i = 0; i < a.aau.aaincr.size(); ++i)
            same("aaincr", a.aau.aaincr[i], b.aau.aaincr[i]);
        for (unsigned i = 0; i < a.aau.aad_base.size(); ++i) {
            same("aad", a.aau.aad_base[i], b.aau.aad_base[i]);
            same("aad high", a.aau.aad_hi[i], b.aau.aad_hi[i]);
        }
        for (unsigned i = 0; i < a.aau.area.size(); ++i) {
            same("area format", a.aau.area[i].fmt, b.aau.area[i].fmt);
            same("area index", a.aau.area[i].cur, b.aau.area[i].cur);
        }
        same("aau active", a.aau.active, b.aau.active);
    }

    static cpu::WindowDescriptor untagged(cpu::WindowDescriptor wd) {
        wd.tagged = 0;
        return wd;
    }

    const CpuState &a, &b;
    std::string text_;
};

/// Two guests with equal contents, one for each way of running.
class Fuzzer {
public:
    explicit Fuzzer(const FuzzOptions& options)
        : options_(options),
          compiled_(compiled_bundles()),
          fallback_(translated_.view),
          reference_(interpreted_.view),
          translator_(translated_.view, {.code_cache_bytes = 4u << 20,
                                         .statistics = true,
                                         .hot_samples = options.seed % 2 ? 0u : 1u,
                                         .profile = options.profile,
                                         .keep_records = options.profile,
                                         .on_region = [this](const translate::RegionRecord& r) {
                                             result_.tagged += r.key_text.ends_with("tags");
                                         }}) {
        for (int iset = 3; iset <= 6; ++iset) makers_.emplace_back(iset, compiled_);
        // Every third seed: code for the oldest hosts.
        if (options.seed % 3 == 0)
            translate::limit_host_features_for_test(translate::HostFeatures{});
    }
    ~Fuzzer() { translate::limit_host_features_for_test(std::nullopt); }
    Fuzzer(const Fuzzer&) = delete;
    Fuzzer& operator=(const Fuzzer&) = delete;

    FuzzResult run() {
        if (!translated_.ready || !interpreted_.ready || compiled_.empty()) {
            result_.difference = "no address space or no compiled bundles";
            return result_;
        }
        for (std::uint64_t n = options_.first_case;
             n - options_.first_case < options_.cases && result_.generated < options_.bundles;
             ++n) {
            one_case(n);
            ++result_.cases;
            if (result_.difference.empty()) continue;
            result_.bad_case = n;
            break;
        }
        result_.interpreted = translator_.stats().interpreted_bundles;
        const auto kernels = translate::kernel_counts();
        result_.kernels = kernels.made - kernels_before_.made;
        result_.kernel_entries = kernels.entered - kernels_before_.entered;
        if (options_.profile)
            for (const auto& record : translator_.regions())
                for (const std::uint64_t n : record->bundle_executions) result_.profiled += n;
        return result_;
    }

private:
    void one_case(std::uint64_t n) {
        std::seed_seq sequence{options_.seed, n};
        Random random(sequence);
        const ProgramMaker& maker = makers_[random() % makers_.size()];
        const Program program = maker.make(random);
        result_.generated += program.bundles;
        std::array<std::uint64_t, kPage / 8> data;
        for (auto& d : data) d = value(random);
        const bool single = options_.single_regions || random() % 2;
        const std::uint64_t seed = random();
        CpuState a, b;
        prepare(translated_, a, program, data, seed);
        prepare(interpreted_, b, program, data, seed);
        if (auto complaint = cpu::stacks_complaint(a)) {
            result_.difference = "a state that nothing runs on: " + *complaint;
            return;
        }
        translator_.invalidate(kCode, kCode + kPage);
        fallback_.invalidate(kCode, kCode + kPage);
        reference_.invalidate(kCode, kCode + kPage);
        for (unsigned k = 0; k < kStopsPerCase && a.bundles < kBundlesPerCase; ++k) {
            if (!advance(a, b, program, single)) break;
            if (!result_.difference.empty()) {
                explain(program, n, k);
                break;
            }
        }
        watchdog_.watch(nullptr);
    }

    static void prepare(Guest& guest, CpuState& state, const Program& program,
                        const std::array<std::uint64_t, kPage / 8>& data, std::uint64_t seed) {
        guest.load(program.code);
        std::memcpy(guest.view.base + kData, data.data(), kPage);
        guest.attach(state);
        Random random(seed);
        fill(state, random, program.iset);
    }

    /// To the next stop of the translator, then the interpreter as far. False: the program ended.
    bool advance(CpuState& a, CpuState& b, const Program& program, bool single) {
        const std::uint64_t before = a.bundles;
        a.interrupt = 0;
        watchdog_.watch(&a);
        const cpu::Stop stop =
            single ? translator_.run_region(a, fallback_) : translator_.run(a, fallback_);
        watchdog_.watch(nullptr);
        cpu::Stop expected;
        if (a.bundles != before) expected = reference_.run(b, a.bundles - before);
        const bool calls = stop.kind == StopKind::SystemCall;
        if (calls != (expected.kind == StopKind::SystemCall) ||
            (calls && (stop.syscall_entry != expected.syscall_entry ||
                       stop.syscall_wbs != expected.syscall_wbs))) {
            result_.difference = fmt::format(
                "system call: translator {}, entry {}, wbs {}; interpreter {}, entry {}, wbs {}",
                calls, stop.syscall_entry, stop.syscall_wbs, expected.kind == StopKind::SystemCall,
                expected.syscall_entry, expected.syscall_wbs);
            return true;
        }
        if (stop.kind == StopKind::Trapped) {
            if (expected.kind != StopKind::Budget) {
                result_.difference =
                    "the interpreter stopped before the translator's trap: " + expected.trap.detail;
                return true;
            }
            ++result_.traps;
            expected = reference_.step(b);
            if (expected.kind != StopKind::Trapped || expected.trap.code != stop.trap.code ||
                expected.trap.address != stop.trap.address ||
                expected.trap.channel != stop.trap.channel) {
                result_.difference = fmt::format(
                    "translator's trap: {} (address 0x{:x}, channel {}); "
                    "interpreter's: {} (0x{:x}, {})",
                    stop.trap.detail, stop.trap.address, int{stop.trap.channel},
                    expected.trap.detail, expected.trap.address, int{expected.trap.channel});
                return true;
            }
        }
        result_.bundles += a.bundles - before;
        ++result_.comparisons;
        result_.difference = Comparison(a, b).run();
        if (result_.difference.empty() &&
            std::memcmp(translated_.view.base + kData, interpreted_.view.base + kData, kPage) != 0)
            result_.difference = "memory differs";
        if (!result_.difference.empty()) return true;
        if (stop.kind == StopKind::Trapped) {
            if (std::find(program.ends.begin(), program.ends.end(), a.ip) != program.ends.end())
                return false;
            // On with the bundle after the one that trapped.
            const auto bundle = cpu::fetch(interpreted_.view, a.ip, a.iset);
            if (!bundle) return false;
            a.ip = b.ip = bundle->next_address();
            return a.ip < kCode + kPage - 64;
        }
        return stop.kind == StopKind::Budget || stop.kind == StopKind::Interrupted ||
               stop.kind == StopKind::CodeFlush || calls;
    }

    void explain(const Program& program, std::uint64_t n, unsigned stop) {
        std::string text = fmt::format("seed {} case {} after stop {} (iset {}): {}\n",
                                       options_.seed, n, stop, program.iset, result_.difference);
        for (const std::string& line : program.listing) text += line + "\n";
        result_.difference = std::move(text);
    }

    FuzzOptions options_;
    std::vector<Words> compiled_;
    std::vector<ProgramMaker> makers_;
    Guest translated_, interpreted_;
    cpu::Interpreter fallback_, reference_;
    translate::Translator translator_;
    const translate::KernelCounts kernels_before_ = translate::kernel_counts();
    Watchdog watchdog_;
    FuzzResult result_;
};

}  // namespace

FuzzResult fuzz(const FuzzOptions& options) { return Fuzzer(options).run(); }

}  // namespace e2k::fuzz
