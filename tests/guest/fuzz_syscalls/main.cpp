// fuzz_syscalls: random system calls of sandboxed guests, by hand. --help says how.
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/guest/fuzz_syscalls/fuzzer.h"

namespace {

constexpr const char* kHelp =
    "fuzz_syscalls: random system calls of sandboxed guests.\n"
    "  --seed N        numbers to begin with (1)\n"
    "  --calls N       how many (1000000)\n"
    "  --seconds N     at most so long (0: no limit)\n"
    "  --worker N      only this part of the run, as a finding names it\n"
    "  --number N      only this system call\n"
    "  --trusted       without the sandbox: only crashes are findings\n"
    "  --bad-pointers  every call with bad addresses in each pointer, instead\n"
    "  --rows          the calls made and how many succeeded\n"
    "Exit code 0: no finding; 1: findings; 2: wrong use. As root it works as nobody, in name\n"
    "spaces of its own.\n";

template <class T>
bool parse(const char* text, T& value) {
    const std::string_view view(text);
    const auto end = std::from_chars(view.data(), view.data() + view.size(), value);
    return end.ec == std::errc() && end.ptr == view.data() + view.size();
}

}  // namespace

int main(int argc, char** argv) {
    using namespace e2k::guest::fuzz;
    Settings settings;
    settings.progress = true;
    bool bad_pointers = false, rows = false, good = true;
    std::uint64_t seconds = 0;
    for (int i = 1; i < argc && good; ++i) {
        const std::string_view name = argv[i];
        const char* value = i + 1 < argc ? argv[i + 1] : "";
        if (name == "--bad-pointers") {
            bad_pointers = true;
        } else if (name == "--rows") {
            rows = true;
        } else if (name == "--trusted") {
            settings.sandbox = false;
        } else {
            good = name == "--seed"      ? parse(value, settings.seed)
                   : name == "--calls"   ? parse(value, settings.calls)
                   : name == "--seconds" ? parse(value, seconds)
                   : name == "--worker"  ? parse(value, settings.worker)
                   : name == "--number"  ? parse(value, settings.number)
                                         : false;
            ++i;
        }
    }
    if (!good) {
        std::fputs(kHelp, stderr);
        return 2;
    }
    settings.seconds = static_cast<double>(seconds);
    const Outcome outcome = bad_pointers ? run_bad_pointers(settings.sandbox) : run(settings);
    if (rows)
        for (const RowCount& row : outcome.rows)
            std::printf("%-26s %10llu made %10llu succeeded\n", row.name.c_str(),
                        static_cast<unsigned long long>(row.made),
                        static_cast<unsigned long long>(row.succeeded));
    std::printf("seed %llu: %llu calls, %llu guests, %llu workers, %zu findings\n",
                static_cast<unsigned long long>(settings.seed),
                static_cast<unsigned long long>(outcome.calls),
                static_cast<unsigned long long>(outcome.guests),
                static_cast<unsigned long long>(outcome.workers), outcome.findings.size());
    for (const std::string& finding : outcome.findings) std::printf("  %s\n", finding.c_str());
    return outcome.findings.empty() ? 0 : 1;
}
