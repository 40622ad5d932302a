// Speed of the decoder over distinct bundles of compiled programs (rare shapes first, so larger
// than the average of running code) and over whole programs.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/guest/elf_image.h"
#include "engine/isa/bundle.h"
#include "tests/isa/vectors.h"

namespace e2k::isa {
namespace {

struct Input {
    std::size_t at;
    std::uint64_t address;
    int iset;
};

/// The bundles one behind the other as in a program, padded so that every one has 64 bytes.
struct Code {
    std::vector<std::uint8_t> bytes;
    std::vector<Input> bundles;

    std::span<const std::uint8_t> at(const Input& i) const {
        return std::span(bytes).subspan(i.at);
    }
};

const Code& code() {
    static const Code all = [] {
        auto path = test::vector_path("decode_real.jsonl.gz");
        if (path.empty()) path = test::vector_path("decode_sample.jsonl");
        std::vector<test::DecodeRecord> records;
        test::for_each_record(path, [&](const test::DecodeRecord& r) {
            if (r.source != "apb") records.push_back(r);
        });
        // A program is of one version.
        std::stable_sort(records.begin(), records.end(),
                         [](const auto& a, const auto& b) { return a.iset < b.iset; });
        Code c;
        for (const auto& r : records) {
            c.bundles.push_back({c.bytes.size(), r.address, r.iset});
            c.bytes.insert(c.bytes.end(), r.bytes.begin(), r.bytes.end());
        }
        c.bytes.resize(c.bytes.size() + 64);
        return c;
    }();
    return all;
}

void count(benchmark::State& state) {
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(code().bundles.size()));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(code().bytes.size()));
}

/// A fresh bundle each time.
void decode_new(benchmark::State& state) {
    for (auto _ : state)
        for (const Input& i : code().bundles) {
            const auto bundle = decode(code().at(i), i.address, i.iset);
            benchmark::DoNotOptimize(bundle->length);
        }
    count(state);
}
BENCHMARK(decode_new)->Unit(benchmark::kMillisecond);

/// The storage of one bundle used again.
void decode_reusing(benchmark::State& state) {
    Bundle bundle;
    for (auto _ : state)
        for (const Input& i : code().bundles) {
            const auto ok = decode_into(bundle, code().at(i), i.address, i.iset);
            benchmark::DoNotOptimize(ok.has_value());
            benchmark::DoNotOptimize(&bundle);
            benchmark::ClobberMemory();
        }
    count(state);
}
BENCHMARK(decode_reusing)->Unit(benchmark::kMillisecond);

/// Executable sections of the guest programs (or of the files in the folder that the environment
/// variable E2K_BENCH_PROGRAMS names), walked from start to end like a program's code.
struct Section {
    std::vector<std::uint8_t> bytes;
    std::uint64_t address;
    int iset;
};

std::vector<Section> guest_code() {
    std::vector<Section> sections;
    const char* const asked = std::getenv("E2K_BENCH_PROGRAMS");
    const std::string folder = asked ? asked : test::shared_path("guests/elf");
    if (!std::filesystem::is_directory(folder)) return sections;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const auto image = guest::ElfImage::load(entry.path().string());
        if (!image) continue;
        for (const guest::Section& s : image->sections) {
            if (!s.executable) continue;
            const auto first = image->bytes.begin() + static_cast<std::ptrdiff_t>(s.offset);
            sections.push_back({{first, first + static_cast<std::ptrdiff_t>(s.file_size)},
                                s.address,
                                image->iset});
        }
    }
    return sections;
}

void decode_programs(benchmark::State& state) {
    const auto sections = guest_code();
    if (sections.empty()) {
        state.SkipWithError("no programs: set E2K_BENCH_PROGRAMS to a folder of E2K files");
        return;
    }
    Bundle bundle;
    std::int64_t bundles = 0, bytes = 0;
    for (auto _ : state)
        for (const Section& s : sections)
            for (std::size_t at = 0; at < s.bytes.size();) {
                const auto rest = std::span(s.bytes).subspan(at);
                const bool ok = decode_into(bundle, rest, s.address + at, s.iset).has_value();
                benchmark::DoNotOptimize(&bundle);
                benchmark::ClobberMemory();
                const std::size_t length = ok ? bundle.length : 8;
                at += length;
                bundles += ok;
                bytes += static_cast<std::int64_t>(length);
            }
    state.SetItemsProcessed(bundles);
    state.SetBytesProcessed(bytes);
}
BENCHMARK(decode_programs)->Unit(benchmark::kMillisecond);

void check(benchmark::State& state) {
    std::vector<Bundle> bundles;
    for (const Input& i : code().bundles)
        if (const auto b = decode(code().at(i), i.address, i.iset)) bundles.push_back(*b);
    for (auto _ : state)
        for (const Bundle& b : bundles) benchmark::DoNotOptimize(check_legal(b).legal);
    count(state);
}
BENCHMARK(check)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace e2k::isa

BENCHMARK_MAIN();
