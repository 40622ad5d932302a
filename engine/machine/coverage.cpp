#include "engine/machine/coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "engine/cpu/exec/micro_op.h"
#include "engine/cpu/semantics.h"
#include "engine/isa/assembler/assembler.h"
#include "engine/isa/bundle.h"
#include "engine/isa/describe.h"
#include "engine/translate/emitters.h"
#include "engine/translate/plan.h"

namespace e2k::machine {
namespace {

using cpu::SemKind;
using isa::Format;
using isa::Operation;

constexpr int kFirstVersion = 2;  // v1 programs do not run (elf.md §2)

/// A bundle that shows an operation at work, lines by '\n': those outside the arithmetic channels,
/// and those that are translated for one register only.
struct Example {
    std::string_view mnemonic, bundle;
};
constexpr std::array kExamples{
    Example{"rrd", "rrd,0 %ip, %dr1"},
    Example{"rrs", "rrs,0 %ip, %r1"},
    Example{"rwd", "rwd,0 %dr1, %lsr"},
    Example{"rws", "rws,0 %r1, %lsr"},
    Example{"incr", "staad,2 %dr1, %aad1 [ %aasti1 ]\nincr,2 %aaincr1"},
    Example{"(mas)", "ldd,0 [%dr1], %dr2, mas = 0x20"},
    Example{"abg", "abg 3"},
    Example{"abn", "abn 3"},
    Example{"abp", "abp 3"},
    Example{"alc", "alc 3"},
    Example{"andp", "pass %pred0, @p0\npass %pred1, @p1\nandp @p0, @p1, @p4\npass @p4, %pred2"},
    Example{"landp", "pass %pred0, @p0\npass %pred1, @p1\nlandp @p0, @p1, @p4\npass @p4, %pred2"},
    Example{"movep", "pass %pred0, @p0\npass %pred1, @p1\nmovep @p0, @p1, @p4\npass @p4, %pred2"},
    Example{"clpandp", "pass %pred0, @p0\npass %pred1, @p1\nandp @p0, @p1, @p4\npass @p4, %pred2"},
    Example{"clplandp",
            "pass %pred0, @p0\npass %pred1, @p1\nlandp @p0, @p1, @p4\npass @p4, %pred2"},
    Example{"pass", "pass %pred0, @p0\nandp @p0, @p0, @p4\npass @p4, %pred2"},
    Example{"bap", "bap"},
    Example{"eap", "eap"},
    Example{"call", "call %ctpr1, wbs = 2"},
    Example{"crp", "crp"},
    Example{"srp", "srp"},
    Example{"slrp", "slrp"},
    Example{"ct", "ct %ctpr1"},
    Example{"disp", "disp %ctpr1, 2"},
    Example{"ldisp", "ldisp %ctpr2, 2"},
    Example{"sdisp", "sdisp %ctpr1, 3"},
    Example{"return", "return %ctpr3"},
    Example{"gettsd", "gettsd %ctpr1"},
    Example{"puttsd", "puttsd 2"},
    Example{"pref", "pref %ipr1, disp = 2"},
    Example{"done", "done"},
    Example{"iret", "iret"},
    Example{"hret", "hret"},
    Example{"glaunch", "glaunch"},
    Example{"ibranch", "ibranch 2 ? %pred1"},
    Example{"rbranch", "rbranch 2"},
    Example{"icall", "icall 2, wbs = 2"},
    Example{"hcall", "hcall 2, wbs = 2"},
    Example{"flushr", "flushr"},
    Example{"flushc", "flushc"},
    Example{"fillr", "fillr"},
    Example{"fillc", "fillc"},
    Example{"flushts", "flushts"},
    Example{"ipd", "ipd 2"},
    Example{"nop", "nop 3"},
    Example{"loop_mode", "loop_mode\nstd,2 %dr1, [%dr2]"},
    Example{"set_mark", "set_mark"},
    Example{"setbn", "setbn rbs = 1, rsz = 1, rcur = 0"},
    Example{"setbp", "setbp psz = 1"},
    Example{"setei", "setei 1"},
    Example{"setsft", "setsft"},
    Example{"settr", "settr type = 1"},
    Example{"setwd", "setwd wsz = 8, nfx = 1, dbl = 1"},
    Example{"vfrpsz", "vfrpsz rpsz = 2\nsetwd wsz = 8"},
    Example{"vfdi", "vfdi"},
    Example{"vfbg", "vfbg umask = 1"},
    Example{"wait", "wait all_c = 1"},
    Example{"movab", "movab,0 area = 0, %b[1]"},
    Example{"movah", "movah,0 area = 0, %b[1]"},
    Example{"movaw", "movaw,0 area = 0, %b[1]"},
    Example{"movad", "movad,0 area = 0, %db[1]"},
    Example{"movaq", "movaq,0 area = 0, %db[2]"},
    Example{"movaqp", "movaqp,0 area = 0, %qpb[1]"}};

/// Reach of a whole bundle, found by giving it to the interpreter's and the translator's planners.
Reach reach_of_bundle(std::string_view text, int iset) {
    std::vector<isa::SourceLine> lines;
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        lines.push_back({text.substr(at, end - at), 1, 1});
        at = end + 1;
    }
    constexpr std::uint64_t kAddress = 0x1000;
    const auto bytes = isa::assemble_bundle(lines, kAddress, {.iset = iset});
    if (!bytes) return Reach::Known;
    const auto bundle = isa::decode(*bytes, kAddress, iset);
    if (!bundle) return Reach::Known;
    cpu::exec::ExecBundle exec;
    cpu::exec::predecode(*bundle, iset, exec);
    if (exec.flags & cpu::exec::kIllegal) {
        if (exec.illegal_code == cpu::TrapCode::Unsupported) return Reach::Known;
        return Reach::Privileged;
    }
    cpu::WindowDescriptor wd;
    wd.size = 64;
    cpu::RotationState br;
    br.rbs = 8;
    br.rsz = 15;
    const bool translated = translate::can_emit(exec, translate::Config::of(wd, br), {});
    return translated ? Reach::Emitted : Reach::Interpreted;
}

Reach reach_of_row(const Operation& row, int iset) {
    const auto example = std::ranges::find(kExamples, row.mnemonic, &Example::mnemonic);
    if (example != kExamples.end()) return reach_of_bundle(example->bundle, iset);
    if (row.channels == 0 || row.format == Format::Incr) return Reach::Known;
    if (row.format == Format::Apb) return Reach::Interpreted;  // read by `bap`, not executed
    if (row.format == Format::Mmurr || row.format == Format::Mmurw)
        return Reach::Privileged;  // loads and stores with a MAS that traps
    const isa::OpIndex index = isa::index_of(row);
    const SemKind kind = cpu::semantics_of(index, iset).kind;
    // aaurr*: a kernel's; the executor stops at it.
    if (kind == SemKind::None || kind == SemKind::AauRead) return Reach::Known;
    switch (translate::host_code_of(index, kind)) {
        case translate::HostCode::Own:
            return Reach::Emitted;
        case translate::HostCode::Call:
            return Reach::Called;
        default:
            return Reach::Interpreted;
    }
}

using ByName = std::map<std::string_view, Reach>;

/// Reach of every operation of a version.
const ByName& reaches(int iset) {
    static const auto all = [] {
        std::array<ByName, isa::kMaxIset + 1> table;
        for (int v = isa::kMinIset; v <= isa::kMaxIset; ++v)
            for (const Operation& row : isa::operations()) {
                if (v < row.iset_min || v > row.iset_max) continue;
                Reach& at = table[static_cast<std::size_t>(v)][row.mnemonic];
                at = std::max(at, reach_of_row(row, v));
            }
        return table;
    }();
    return all[static_cast<std::size_t>(iset)];
}

}  // namespace

Reach reach_of(std::string_view mnemonic, int iset) {
    const ByName& table = reaches(iset);
    const auto at = table.find(mnemonic);
    return at == table.end() ? Reach::Absent : at->second;
}

std::vector<FamilyCoverage> coverage() {
    std::map<isa::Family, FamilyCoverage> families;
    for (int v = isa::kMinIset; v <= isa::kMaxIset; ++v) {
        std::set<std::string_view> seen;
        for (const Operation& row : isa::operations()) {
            if (v < row.iset_min || v > row.iset_max || !seen.insert(row.mnemonic).second) continue;
            FamilyCoverage& family = families[row.family];
            family.family = row.family;
            CoverageCount& count = family.versions[v];
            const Reach reach = reach_of(row.mnemonic, v);
            ++count.known;
            count.interpreted += reach >= Reach::Privileged;
            count.translated += reach >= Reach::Called;
            count.emitted += reach == Reach::Emitted;
        }
    }
    std::vector<FamilyCoverage> all;
    all.reserve(families.size());
    for (const auto& [family, row] : families) all.push_back(row);
    return all;
}

std::string format_coverage(const std::vector<FamilyCoverage>& all, int iset) {
    const int first = iset ? iset : kFirstVersion, last = iset ? iset : isa::kMaxIset;
    constexpr int kName = 46, kColumn = 15;
    std::string out = fmt::format("{:<{}}", "known/interpreted/emitted", kName);
    for (int v = first; v <= last; ++v)
        out += fmt::format("{:>{}}", fmt::format("v{}", v), kColumn);
    const auto line = [&](std::string_view name, const CoverageCount* counts) {
        out += fmt::format("\n{:<{}}", name, kName);
        for (int v = first; v <= last; ++v) {
            const CoverageCount& c = counts[v];
            out += fmt::format(
                "{:>{}}",
                c.known ? fmt::format("{}/{}/{}", c.known, c.interpreted, c.emitted) : "-",
                kColumn);
        }
    };
    CoverageCount sum[isa::kMaxIset + 1];
    for (const FamilyCoverage& f : all) {
        line(isa::family_name(f.family), f.versions);
        for (int v = first; v <= last; ++v) {
            sum[v].known += f.versions[v].known;
            sum[v].interpreted += f.versions[v].interpreted;
            sum[v].emitted += f.versions[v].emitted;
        }
    }
    line("all", sum);
    out +=
        "\n\nThe rest of what is interpreted has no host code: translated programs call its "
        "function "
        "or hand\nits bundle to the interpreter. Known but without a meaning that the references "
        "define (executing\none stops the program and names it):\n";
    std::set<std::string_view> missing;
    for (int v = first; v <= last; ++v)
        for (const auto& [name, reach] : reaches(v))
            if (reach == Reach::Known) missing.insert(name);
    std::string row;
    for (const std::string_view name : missing) {
        if (row.size() + name.size() > 96) {
            out += row + "\n";
            row.clear();
        }
        row += fmt::format("{}{}", row.empty() ? "" : " ", name);
    }
    return out + row + "\n";
}

}  // namespace e2k::machine
