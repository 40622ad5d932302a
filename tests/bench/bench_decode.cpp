// Speed of the decoder over distinct bundles of compiled programs (rare shapes first, so larger
// than the average of running code).
#include <benchmark/benchmark.h>

#include <algorithm>
#include <span>
#include <vector>

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
