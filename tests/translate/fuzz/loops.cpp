// Software-pipelined loops, as compilers write them and as they do not: a rotating area, stages by
// guards on counters, array streams, stores masked at both ends, speculative loads that fail.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tests/translate/fuzz/program.h"

namespace e2k::fuzz {
namespace {

unsigned below(Random& random, unsigned n) { return static_cast<unsigned>(random() % n); }
bool one_in(Random& random, unsigned n) { return random() % n == 0; }

/// A register of the ring, mostly; `d` before its name makes it 64 bits wide.
std::string ring_register(Random& random, unsigned ring) {
    switch (below(random, 8)) {
        case 0:
            return fmt::format("g{}", 16 + below(random, 4));
        case 1:
        case 2:
            return fmt::format("r{}", 2 + below(random, 8));
        default:
            return fmt::format("b[{}]", below(random, ring));
    }
}

std::string stage_guard(Random& random) {
    if (!one_in(random, 4)) return {};
    if (one_in(random, 2)) return fmt::format(" ? %pcnt{}", below(random, 5));
    return fmt::format(" ? {}%pred{}", one_in(random, 2) ? "~" : "", below(random, 4));
}

/// Where programs point by mistake, and where they should.
std::string loaded_address(Random& random, unsigned ring) {
    switch (below(random, 5)) {
        case 0:
            return fmt::format("0x0, 0x{:x}", 8 * below(random, 4));  // through a null pointer
        case 1:
            return fmt::format("%d{}, 0x{:x}", ring_register(random, ring), 8 * below(random, 4));
        case 2:
            return fmt::format("%dr{}, %d{}", below(random, kPointerRegisters),
                               ring_register(random, ring));
        default:
            return fmt::format("%dg{}, 0x{:x}",
                               kFirstPointerGlobal + below(random, kPointerGlobals),
                               8 * below(random, 12));
    }
}

std::string loop_state(Random& random) {
    const std::uint64_t count = below(random, 24),
                        epilogue = one_in(random, 3) ? below(random, 5) : 0,
                        prologue = one_in(random, 3) ? below(random, 5) : 0,
                        stores = one_in(random, 4) ? below(random, 4) : 8 + below(random, 4);
    return fmt::format("rwd,0 0x{:x}, %lsr", count | epilogue << 32 |
                                                 (one_in(random, 8) ? 0ull : 1ull) << 37 |
                                                 prologue << 48 | stores << 53);
}

}  // namespace

/// One operation of a loop's body.
std::string ProgramMaker::loop_operation(Random& random, unsigned ring) const {
    const auto reg = [&] { return ring_register(random, ring); };
    const auto sm = [&] { return one_in(random, 4) ? "" : ",sm"; };
    constexpr std::array kLoads{"ldd", "ldd", "ldw", "ldh", "ldb"};
    constexpr std::array kDouble{"addd", "subd", "faddd", "fmuld", "xord", "merged"};
    constexpr std::array kSingle{"adds", "subs", "ands", "fadds", "sars", "merges"};
    switch (below(random, 9)) {
        case 0:
        case 1:
            return fmt::format("{},{}{} {}, %d{}{}", kLoads[random() % kLoads.size()],
                               std::array{0, 2, 3, 5}[random() % 4], sm(),
                               loaded_address(random, ring), reg(), stage_guard(random));
        case 2:
            return fmt::format("{},{} %dg{}, 0x{:x}, %d{}{}", one_in(random, 2) ? "std" : "stw",
                               one_in(random, 2) ? 2 : 5,
                               kFirstPointerGlobal + below(random, kPointerGlobals),
                               8 * below(random, 12), reg(), stage_guard(random));
        case 3:
            return fmt::format("{},{}{} %d{}, %d{}, %pred{}{}",
                               one_in(random, 2) ? "cmpedb" : "cmpbdb", one_in(random, 2) ? 3 : 4,
                               sm(), reg(), reg(), below(random, 4), stage_guard(random));
        case 4:
        case 5: {
            const std::string_view name = kSingle[random() % kSingle.size()];
            return fmt::format("{},{}{} %{}, %{}, %{}{}", name, std::array{0, 3, 4}[random() % 3],
                               sm(), reg(), reg(), reg(),
                               name == "merges" ? fmt::format(", %pred{}", below(random, 4))
                                                : stage_guard(random));
        }
        default: {
            const std::string_view name = kDouble[random() % kDouble.size()];
            return fmt::format("{},{}{} %d{}, %d{}, %d{}{}", name,
                               std::array{0, 3, 4}[random() % 3], sm(), reg(), reg(), reg(),
                               name == "merged" ? fmt::format(", %pred{}", below(random, 4))
                                                : stage_guard(random));
        }
    }
}

/// A loop inside a loop, with code before and behind it and a function that it may call.
std::vector<ProgramMaker::Draft> ProgramMaker::pipelined(Random& random, unsigned& callee) const {
    const unsigned rsz = below(random, 7), ring = 2 * rsz + 2;
    std::vector<Draft> drafts;
    const auto add = [&](std::vector<std::string> last) {
        std::vector<std::string> lines;
        for (unsigned k = below(random, 5); k > 0; --k)
            lines.push_back(loop_operation(random, ring));
        lines.insert(lines.end(), last.begin(), last.end());
        drafts.push_back({std::move(lines), {}});
    };
    constexpr std::array kMovas{"movab", "movah", "movaw", "movad", "movad"};
    constexpr std::array kStaas{"staab", "staah", "staaw", "staad", "staad"};
    drafts.push_back(
        {{fmt::format("setwd wsz = 0x{:x}, nfx = 0x1, dbl = 0x{:x}", 0x18, below(random, 2)),
          fmt::format("setbn rbs = 0xc, rsz = 0x{:x}, rcur = 0x{:x}", rsz, below(random, rsz + 1)),
          fmt::format("setbp psz = 0x{:x}", below(random, 4))},
         {}});
    const unsigned outer = static_cast<unsigned>(drafts.size());
    add({loop_state(random)});
    const bool by_label = one_in(random, 2);
    const unsigned header = static_cast<unsigned>(drafts.size()) + (by_label ? 1 : 0);
    if (by_label) add({fmt::format("disp %ctpr1, L{}", header)});
    const unsigned bundles = 1 + below(random, 4);
    for (unsigned i = 0; i < bundles; ++i) {
        std::vector<std::string> lines;
        if (one_in(random, 2)) {
            lines.push_back(fmt::format("{},{} {}, %aad{} [ %aasti{} ]",
                                        kStaas[random() % kStaas.size()], one_in(random, 2) ? 2 : 5,
                                        fmt::format("%db[{}]", below(random, ring)),
                                        below(random, 32), below(random, 16)));
            if (one_in(random, 2))
                lines.push_back(
                    fmt::format("incr,{} %aaincr{}", lines.back()[6] - '0', below(random, 8)));
        }
        for (unsigned channel = 0; channel < 4; ++channel)
            if (one_in(random, 4))
                lines.push_back(fmt::format("{},{} area = {}, ind = {}, am = {}, be = 0, %db[{}]",
                                            kMovas[random() % kMovas.size()], channel,
                                            below(random, 4), 8 * below(random, 2),
                                            below(random, 2), below(random, ring)));
        if (!one_in(random, 4)) lines.emplace_back("loop_mode");
        if (i + 1 == bundles) {
            lines.emplace_back("alc alcf=1, alct=1");
            lines.emplace_back("abn abnf=1, abnt=1");
            if (one_in(random, 3)) lines.emplace_back("abp abpf=1, abpt=1");
            const std::string condition =
                one_in(random, 4) ? fmt::format("{}%pred{} && %NOT_LOOP_END",
                                                one_in(random, 2) ? "~" : "", below(random, 4))
                                  : "%NOT_LOOP_END";
            lines.push_back(by_label ? fmt::format("ct %ctpr1 ? {}", condition)
                                     : fmt::format("ibranch L{} ? {}", header, condition));
        }
        add(std::move(lines));
    }
    if (one_in(random, 2)) {
        add({fmt::format("disp %ctpr1, L{}", drafts.size() + 3)});
        add({fmt::format("call %ctpr1, wbs = 0x{:x}", 8 + below(random, 8))});
    }
    add({fmt::format("ibranch L{} ? %pred{}", outer, below(random, 8))});
    callee = static_cast<unsigned>(drafts.size());
    for (auto& lines : function(random, callee, 0)) drafts.push_back({std::move(lines), {}});
    return drafts;
}

}  // namespace e2k::fuzz
