// fuzz_translator: random programs, translator against interpreter, until a difference is found.
//   fuzz_translator [--seed N] [--bundles N] [--cases N] [--from CASE] [--single]
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

#include "tests/translate/fuzz/fuzzer.h"

int main(int argc, char** argv) {
    e2k::fuzz::FuzzOptions options;
    options.bundles = 1'000'000;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--single") {
            options.single_regions = true;
            continue;
        }
        std::uint64_t* to = name == "--seed"      ? &options.seed
                            : name == "--bundles" ? &options.bundles
                            : name == "--cases"   ? &options.cases
                            : name == "--from"    ? &options.first_case
                                                  : nullptr;
        if (!to || i + 1 == argc) {
            fmt::print(stderr,
                       "usage: fuzz_translator [--seed N] [--bundles N] [--cases N] [--from CASE] "
                       "[--single]\n");
            return 2;
        }
        *to = std::strtoull(argv[++i], nullptr, 0);
    }
    const auto result = e2k::fuzz::fuzz(options);
    fmt::print(
        "{} programs of {} bundles, {} bundles executed and compared ({} interpreted), "
        "{} comparisons, {} traps, {} regions for visible tags, {} kernels entered {} times\n",
        result.cases, result.generated, result.bundles, result.interpreted, result.comparisons,
        result.traps, result.tagged, result.kernels, result.kernel_entries);
    if (result.difference.empty()) return 0;
    fmt::print("{}", result.difference);
    return 1;
}
