#include "tests/translate/fuzz/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <optional>

#include <nlohmann/json.hpp>

#include "engine/isa/assembler/assembler.h"
#include "engine/isa/bundle.h"
#include "engine/isa/disassembler.h"

namespace e2k::fuzz {

using isa::Format;
using isa::Operation;
using isa::OpFlag;
using isa::Width;

namespace {

constexpr std::uint32_t kStopAls = 0x0dc0'c080, kStopHs = 0x0400'0001;  // the breakpoint bundle
constexpr unsigned kMaxBundle = 64;

unsigned below(Random& random, unsigned n) { return static_cast<unsigned>(random() % n); }
bool one_in(Random& random, unsigned n) { return random() % n == 0; }

/// `even`: first register of a pair.
std::string any_register(Random& random, bool even) {
    const unsigned mask = even ? ~1u : ~0u;
    switch (below(random, 10)) {
        case 0:
            return fmt::format("%g{}", below(random, 32) & mask);
        case 1:
        case 2:
            return fmt::format("%b[{}]", below(random, 8) & mask);
        case 3:
            return fmt::format("%r{}", below(random, 60) & mask);
        default:
            return fmt::format("%r{}", below(random, 12) & mask);
    }
}

std::string target_register(Random& random, bool even) {
    if (one_in(random, 30)) return "%empty";
    std::string name = any_register(random, even);
    const bool pointer = name == "%r0" || name == "%r1" || name == "%g8" || name == "%g9";
    if (pointer && !one_in(random, 20)) return "%r10";
    return name;
}

std::string pointer_register(Random& random) {
    if (one_in(random, 3)) return fmt::format("%g{}", kFirstPointerGlobal + below(random, 2));
    return fmt::format("%r{}", below(random, kPointerRegisters));
}

std::string literal(Random& random) {
    switch (below(random, 6)) {
        case 0:
            return fmt::format("0x{:x}", random());
        case 1:
            return fmt::format("0x{:x}", random() & 0xffff'ffff);
        case 2:
            return fmt::format("0x{:x}", random() & 0xffff);
        case 3: {
            // A bit-field descriptor: offset, length, sign.
            const unsigned offset = below(random, 64), length = 1 + below(random, 64 - offset);
            return fmt::format("0x{:x}", offset | (length & 63) << 6 | below(random, 2) << 12);
        }
        default:
            return fmt::format("{}", below(random, 32));
    }
}

std::string source(Random& random, Width width, bool even, bool may_be_literal) {
    if (may_be_literal && one_in(random, 3)) return literal(random);
    if (may_be_literal && width == Width::S && one_in(random, 6))
        return fmt::format("{}", below(random, 8));
    return any_register(random, even);
}

std::string condition(Random& random) {
    if (one_in(random, 10))
        return fmt::format("{}%pcnt{}", one_in(random, 2) ? "~" : "", below(random, 4));
    return fmt::format("{}%pred{}", one_in(random, 2) ? "~" : "", below(random, 8));
}

/// A guard: one condition, or a predicate and a counter.
std::string guard(Random& random) {
    if (!one_in(random, 6)) return " ? " + condition(random);
    return fmt::format(" ? {}%pred{}, {}%pcnt{}", one_in(random, 2) ? "~" : "", below(random, 8),
                       one_in(random, 2) ? "~" : "", below(random, 4));
}

std::string transfer_condition(Random& random) {
    const unsigned p = below(random, 8);
    switch (below(random, 10)) {
        case 0:
            return "";
        case 1:
            return " ? %LOOP_END";
        case 2:
            return " ? %NOT_LOOP_END";
        case 3:
            return fmt::format(" ? %pred{} || %LOOP_END", p);
        case 4:
            return fmt::format(" ? ~%pred{} && %NOT_LOOP_END", p);
        default:
            return fmt::format(" ? {}%pred{}", one_in(random, 2) ? "~" : "", p);
    }
}

/// Operations whose result depends on more than the state, or that no program uses.
bool unsuitable(const Operation& row) {
    constexpr std::array kNames{"rrd", "rrs", "rwd", "rws", "ibranchd", "icalld"};
    return !row.has(OpFlag::UserMode) || row.has(OpFlag::Alias) || row.has(OpFlag::CtCond) ||
           row.channels == 0 || std::any_of(kNames.begin(), kNames.end(), [&](const char* name) {
               return row.mnemonic == name;
           });
}

bool is_plain(Format format) {
    switch (format) {
        case Format::Alopf1:
        case Format::Alopf1Merge:
        case Format::Alopf2:
        case Format::Alopf7:
        case Format::Alopf8:
        case Format::Alopf11:
        case Format::Alopf11Merge:
        case Format::Alopf11Lit8:
        case Format::Alopf12:
        case Format::Alopf12Pshufh:
        case Format::Alopf17:
        case Format::Alopf21:
        case Format::Alopf21Merge:
        case Format::Alopf22:
            return true;
        default:
            return false;
    }
}

std::string operands_of(Random& random, const Operation& row) {
    const bool even = row.pair != isa::Pair::None;
    const auto src1 = [&] { return source(random, row.src1, even, false); };
    const auto src2 = [&] { return source(random, row.src2, even, true); };
    const auto dst = [&] { return target_register(random, even); };
    const auto imm8 = [&] { return fmt::format("0x{:x}", below(random, 256)); };
    switch (row.format) {
        case Format::Alopf1:
        case Format::Alopf11:
            return fmt::format("{}, {}, {}",
                               one_in(random, 4) ? fmt::format("{}", below(random, 32)) : src1(),
                               src2(), dst());
        case Format::Alopf1Merge:
        case Format::Alopf11Merge:
            return fmt::format("{}, {}, {}, {}%pred{}", src1(), src2(), dst(),
                               one_in(random, 2) ? "~" : "", below(random, 8));
        case Format::Alopf11Lit8:
            return fmt::format("{}, {}, {}, {}", src1(), src2(), imm8(), dst());
        case Format::Alopf2:
        case Format::Alopf12:
        case Format::Alopf22:
            return fmt::format("{}, {}", src2(), dst());
        case Format::Alopf12Pshufh:
            return fmt::format("{}, {}, {}", src2(), imm8(), dst());
        case Format::Alopf7:
        case Format::Alopf17:
            return fmt::format("{}, {}, %pred{}", src1(), src2(), below(random, 8));
        case Format::Alopf8:
            return fmt::format("{}, %pred{}", src2(), below(random, 8));
        case Format::Alopf21:
            return fmt::format("{}, {}, {}, {}", src1(), src2(), any_register(random, even), dst());
        default:
            return fmt::format("{}, {}, {}, {}, {}%pred{}", src1(), src2(),
                               any_register(random, even), dst(), one_in(random, 2) ? "~" : "",
                               below(random, 8));
    }
}

/// Name with a channel the row allows, and `,sm` now and then.
std::string head(Random& random, const Operation& row) {
    unsigned channel = below(random, isa::kChannels);
    while (!(row.channels >> channel & 1)) channel = (channel + 1) % isa::kChannels;
    return fmt::format("{},{}{} ", row.mnemonic, channel, one_in(random, 3) ? ",sm" : "");
}

std::string array_load(Random& random) {
    constexpr std::array kNames{"movab", "movah", "movaw", "movad"};
    return fmt::format("{},{} area = {}, ind = {}, am = {}, be = {}, {}", kNames[random() % 4],
                       below(random, 4), below(random, 4), below(random, 4) * 8, below(random, 2),
                       below(random, 8) == 0, target_register(random, false));
}

/// A read or write of a state register whose value depends on nothing but the program.
std::string state_access(Random& random) {
    constexpr std::array kReadable{"%lsr",    "%ilcr",   "%upsr",   "%fpcr",   "%ip",     "%idr",
                                   "%bgr",    "%psr",    "%sbr",    "%pfpfr",  "%pfpfr",  "%fpsr",
                                   "%wd",     "%br",     "%usd.lo", "%usd.hi", "%cr0.lo", "%cr0.hi",
                                   "%cr1.lo", "%cr1.hi", "%psp.hi", "%pcsp.hi"};
    constexpr std::array kWritable{"%lsr", "%lsr", "%lsr", "%ilcr", "%upsr"};
    const char size = one_in(random, 4) ? 's' : 'd';
    std::string text =
        one_in(random, 2)
            ? fmt::format("rr{},0 {}, {}", size, kReadable[random() % kReadable.size()],
                          target_register(random, false))
            : fmt::format("rw{},0 {}, {}", size, any_register(random, false),
                          kWritable[random() % kWritable.size()]);
    if (one_in(random, 4)) text += " ? " + condition(random);
    return text;
}

/// A store through the array access unit, or a write of one of its registers; its increment is a
/// line of its own.
std::vector<std::string> array_store(Random& random) {
    const unsigned channel = one_in(random, 2) ? 2 : 5;
    const auto guard = [&](unsigned n) {
        return one_in(random, n)
                   ? fmt::format(" ? {}%pred{}", one_in(random, 2) ? "~" : "", below(random, 8))
                   : std::string();
    };
    const unsigned d = below(random, 32), index = below(random, 16);
    if (one_in(random, 3)) {  // aaurw*, as it is written
        // The narrow ones are stores, or nothing.
        constexpr std::array kNames{"staaw", "staad", "staaw", "staad", "staab", "staah"};
        std::vector<std::string> lines{fmt::format(
            "{},{} {}, %aad{} [ %aasti{} ], mas = 0x3f{}", kNames[random() % kNames.size()],
            channel, one_in(random, 2) ? "%dr0" : any_register(random, false), d, index, guard(8))};
        if (const unsigned group = below(random, 8))
            lines.push_back(fmt::format("incr,{} %aaincr{}", channel, group));
        return lines;
    }
    constexpr std::array kNames{"staab", "staah", "staaw", "staad"};
    std::vector<std::string> lines{fmt::format(
        "{},{}{} {}, %aad{} [ %aasti{}{} ]{}", kNames[random() % 4], channel,
        one_in(random, 6) ? ",sm" : "", any_register(random, false), d, index,
        one_in(random, 2) ? fmt::format(" + 0x{:x}", 8 * below(random, 20)) : "", guard(4))};
    if (one_in(random, 2))
        lines.push_back(fmt::format("incr,{} %aaincr{}{}", channel, below(random, 8), guard(4)));
    return lines;
}

/// Size in pairs of registers; what calls pass on is smaller, as setwd demands.
constexpr unsigned kSmallWindow = 24;

/// Whether a window register beyond kSmallWindow is named.
bool leaves_small_window(const std::string& operands) {
    for (std::size_t at = operands.find("%r"); at != std::string::npos;
         at = operands.find("%r", at + 2))
        if (std::strtoul(operands.c_str() + at + 2, nullptr, 10) >= 2 * kSmallWindow) return true;
    return false;
}

using Assembled = std::optional<Words>;

constexpr unsigned kNextFunction = 9999;  ///< stands for the label of the next function

Assembled assemble(const std::vector<std::string>& lines, std::uint64_t address, int iset,
                   std::span<const std::uint64_t> labels) {
    std::vector<isa::SourceLine> source;
    source.reserve(lines.size());
    for (const std::string& line : lines) source.push_back({line});
    isa::AssemblerOptions options;
    options.iset = iset;
    options.symbols = [&](std::string_view name) -> std::optional<isa::SymbolValue> {
        if (name.size() < 2 || name[0] != 'L' || name[1] < '0' || name[1] > '9')
            return std::nullopt;
        const std::size_t n = std::stoul(std::string(name.substr(1)));
        return isa::SymbolValue{n < labels.size() ? labels[n] : address, false};
    };
    const auto bytes = isa::assemble_bundle(source, address, options);
    if (!bytes) return std::nullopt;
    Words words(bytes->size() / 4);
    std::memcpy(words.data(), bytes->data(), bytes->size());
    return words;
}

std::string disassembly(const Words& words, std::uint64_t address, int iset) {
    std::array<std::uint8_t, kMaxBundle> bytes{};
    std::memcpy(bytes.data(), words.data(), std::min<std::size_t>(kMaxBundle, words.size() * 4));
    std::string text = fmt::format("\n    {:08x}", fmt::join(words, " "));
    if (const auto bundle = isa::decode(bytes, address, iset))
        for (const std::string& line : isa::disassemble(*bundle, isa::DisassemblyStyle::native()))
            text += "\n    " + line;
    return text;
}

/// Bundles that read a clock give two threads two values.
bool reads_clock(const Words& words, int iset) {
    std::array<std::uint8_t, kMaxBundle> bytes{};
    std::memcpy(bytes.data(), words.data(), std::min<std::size_t>(kMaxBundle, words.size() * 4));
    const auto decoded = isa::decode(bytes, kCode, iset);
    if (!decoded) return false;
    for (int c = 0; c < isa::kChannels; ++c)
        if (decoded->has_als(c) && decoded->als[static_cast<std::size_t>(c)].op &&
            decoded->als[static_cast<std::size_t>(c)].op->mnemonic.starts_with("rr"))
            return true;
    return false;
}

}  // namespace

std::vector<Words> compiled_bundles() {
    std::vector<Words> bundles;
    std::ifstream file(std::string(E2K_SOURCE_DIR) + "/tests/data/decode_sample.jsonl");
    std::string line;
    while (std::getline(file, line)) {
        const auto record = nlohmann::json::parse(line);
        const auto& text = record.at("hex");
        if (!text.is_string()) continue;
        const std::string hex = text;
        Words words;
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

ProgramMaker::ProgramMaker(int iset, std::span<const Words> compiled)
    : iset_(iset), compiled_(compiled) {
    for (const Operation& row : isa::operations()) {
        if (unsuitable(row) || iset < row.iset_min || iset > row.iset_max) continue;
        if (row.has(OpFlag::Load) || row.has(OpFlag::Store)) {
            if (row.format == Format::Alopf1 || row.format == Format::Alopf3 ||
                row.format == Format::Alopf11 || row.format == Format::Alopf13)
                memory_.push_back(&row);
        } else if (is_plain(row.format)) {
            // The bitwise operations of three operands are most of the table, and all alike.
            if (row.family != isa::Family::Plog || isa::index_of(row) % 16 == 0)
                plain_.push_back(&row);
        }
    }
}

std::string ProgramMaker::operation(Random& random) const {
    constexpr std::array kCommon{"addd", "adds", "subd", "merges", "merged", "cmpesb", "cmpldb",
                                 "andd", "shls", "sxt",  "movtd",  "faddd",  "fmuls",  "getfd"};
    const Operation* row = plain_[random() % plain_.size()];
    if (one_in(random, 3)) {
        const std::string_view name = kCommon[random() % kCommon.size()];
        const auto it = std::find_if(plain_.begin(), plain_.end(),
                                     [&](const Operation* r) { return r->mnemonic == name; });
        if (it != plain_.end()) row = *it;
    }
    std::string text = head(random, *row) + operands_of(random, *row);
    if (one_in(random, 5)) text += guard(random);
    return text;
}

std::string ProgramMaker::memory_operation(Random& random) const {
    const Operation& row = *memory_[random() % memory_.size()];
    const bool even = row.pair != isa::Pair::None;
    std::string address;
    switch (below(random, 8)) {
        case 0:
            address = fmt::format("{}, {}", any_register(random, false), literal(random));
            break;
        case 1:
            address = fmt::format("{}, {}", pointer_register(random), any_register(random, false));
            break;
        default:
            address = fmt::format("{}, 0x{:x}", pointer_register(random),
                                  below(random, 12) * (one_in(random, 8) ? 5 : 8));
            break;
    }
    std::string text = head(random, row);
    if (row.has(OpFlag::Store))
        text += fmt::format("{}, {}", any_register(random, even), address);
    else
        text += fmt::format("{}, {}", address, target_register(random, even));
    if (row.has(OpFlag::MayCarryMas) && one_in(random, 12)) {
        constexpr std::array kMas{0x3, 0x3, 0x4, 0x8, 0x2, 0x7, 0x0b, 0x0c};
        text += fmt::format(", mas = 0x{:x}", kMas[random() % kMas.size()]);
    }
    if (one_in(random, 5)) text += guard(random);
    return text;
}

/// One transfer, preparation, window or predicate operation.
void ProgramMaker::control(Random& random, unsigned count, unsigned callee, Draft& draft) const {
    auto& lines = draft.lines;
    const auto label = [&] { return fmt::format("L{}", below(random, count)); };
    switch (below(random, 12)) {
        case 0:
        case 1:
            lines.push_back(fmt::format("ibranch {}{}", label(), transfer_condition(random)));
            break;
        case 2:
        case 3:
            lines.push_back(fmt::format("disp %ctpr{}, {}", 1 + below(random, 3), label()));
            break;
        case 4:
            lines.push_back(
                fmt::format("ct %ctpr{}{}", 1 + below(random, 3), transfer_condition(random)));
            break;
        case 5:
        case 6:
            lines.push_back(fmt::format("disp %ctpr{}, L{}", 1 + below(random, 2), callee));
            break;
        case 7:
            lines.push_back(fmt::format("call %ctpr{}, wbs = 0x{:x}{}", 1 + below(random, 2),
                                        below(random, 12), transfer_condition(random)));
            break;
        case 8:
            lines.push_back(fmt::format("setwd wsz = 0x{:x}, nfx = 0x1, dbl = 0x{:x}",
                                        40 + below(random, 60), below(random, 2)));
            break;
        case 9: {
            const unsigned rsz = below(random, 6);
            lines.push_back(fmt::format("setbn rbs = 0x{:x}, rsz = 0x{:x}, rcur = 0x{:x}",
                                        below(random, 16), rsz, below(random, rsz + 1)));
            break;
        }
        case 10:
            if (one_in(random, 2)) {
                lines.push_back(
                    fmt::format("sdisp %ctpr{}, 0x{:x}", 1 + below(random, 2), below(random, 32)));
                break;
            }
            lines.push_back(fmt::format("setbp psz = 0x{:x}", below(random, 32)));
            break;
        default:
            lines.push_back(fmt::format("pass %pred{}, @p0", below(random, 8)));
            lines.push_back(fmt::format("pass %pred{}, @p1", below(random, 8)));
            lines.push_back(fmt::format(
                "{} {}@p0, {}@p1, @p4", std::array{"andp", "landp", "movep"}[random() % 3],
                one_in(random, 2) ? "~" : "", one_in(random, 2) ? "~" : ""));
            lines.push_back(fmt::format("pass @p4, %pred{}", below(random, 8)));
            if (one_in(random, 3)) {  // two results, now and then of one predicate
                lines.push_back(fmt::format("{} {}@p0, @p4, @p5",
                                            std::array{"andp", "landp", "movep"}[random() % 3],
                                            one_in(random, 2) ? "~" : ""));
                lines.push_back(fmt::format("pass @p5, %pred{}", below(random, 8)));
            }
            break;
    }
    if (one_in(random, 3))
        lines.push_back(fmt::format("alc alcf={}, alct={}", below(random, 2), below(random, 2)));
    if (one_in(random, 4)) {
        const unsigned both = below(random, 4);
        lines.push_back(fmt::format("abn abnf={}, abnt={}", both & 1, both >> 1));
    }
    if (one_in(random, 6)) lines.emplace_back("abp abpf=1, abpt=1");
}

/// A function that a region of its caller can take in: a window, plain operations and accesses
/// (that may fault), ways inside the function, maybe a call of the next function, a return.
std::vector<std::vector<std::string>> ProgramMaker::function(Random& random, unsigned first,
                                                             unsigned next) const {
    std::vector<std::vector<std::string>> bundles;
    bundles.push_back({fmt::format("setwd wsz = 0x{:x}, nfx = 0x1, dbl = 0x{:x}",
                                   kSmallWindow + below(random, 8), below(random, 2)),
                       "setbn rbs = 0xc, rsz = 0x3, rcur = 0x0"});
    if (one_in(random, 2))
        bundles.back().push_back(
            fmt::format("getsp,0 0x{:x}, {}", std::uint32_t{0} - 16 * below(random, 12),
                        one_in(random, 3) ? "%empty" : fmt::format("%dr{}", 2 + below(random, 8))));
    // What does not fit into a bundle is dropped from the front: the transfer comes last.
    const auto add = [&](const std::string& transfer) {
        std::vector<std::string> lines;
        for (unsigned k = below(random, 3); k > 0; --k) lines.push_back(common_operation(random));
        if (one_in(random, 2)) lines.push_back(plain_access(random));
        if (one_in(random, 16))
            lines.push_back(fmt::format("rrd,0 {}, %dr2", one_in(random, 2) ? "%lsr" : "%usd.lo"));
        if (!transfer.empty()) lines.push_back(transfer);
        bundles.push_back(std::move(lines));
    };
    if (next) {
        add(fmt::format("disp %ctpr1, L{}", next));
        add(fmt::format("call %ctpr1, wbs = 0x{:x}{}", 8 + below(random, 8),
                        one_in(random, 4) ? " ? %pred1" : ""));
    }
    for (unsigned k = 1 + below(random, 3); k > 0; --k) {
        const auto inside = static_cast<unsigned>(bundles.size());
        add(one_in(random, 3)
                ? fmt::format("ibranch L{} ? {}%pred{}", first + 1 + below(random, inside),
                              one_in(random, 2) ? "~" : "", below(random, 8))
                : "");
    }
    add("return %ctpr3");
    if (one_in(random, 4)) add(fmt::format("ct %ctpr3 ? %pred{}", below(random, 8)));
    add("ct %ctpr3");
    return bundles;
}

std::string ProgramMaker::common_operation(Random& random) const {
    constexpr std::array kNames{"addd",   "adds",   "subd", "andd", "shls",  "sxt",
                                "cmpesb", "cmpldb", "xord", "ors",  "faddd", "merges"};
    const std::string_view name = kNames[random() % kNames.size()];
    const auto it = std::find_if(plain_.begin(), plain_.end(),
                                 [&](const Operation* r) { return r->mnemonic == name; });
    if (it == plain_.end()) return operation(random);
    const std::string name_part = head(random, **it);
    std::string operands;
    do operands = operands_of(random, **it);
    while (leaves_small_window(operands));
    return name_part + operands +
           (one_in(random, 5) ? fmt::format(" ? %pred{}", below(random, 8)) : "");
}

/// Of globals, which every function sees; now and then of whatever a register holds.
std::string ProgramMaker::plain_access(Random& random) const {
    const std::string base = one_in(random, 4)
                                 ? fmt::format("%dr{}", below(random, 12))
                                 : fmt::format("%dg{}", kFirstPointerGlobal + below(random, 2));
    const std::string at = fmt::format("{}, 0x{:x}", base, 8 * below(random, 12));
    const unsigned reg = below(random, 12);
    switch (below(random, 4)) {
        case 0:
            return fmt::format("ldd,0 {}, %dr{}", at, reg);
        case 1:
            return fmt::format("ldw,2 {}, %dr{}", at, reg);
        case 2:
            return fmt::format("std,2 {}, %dr{}", at, reg);
        default:
            return fmt::format("stw,5 {}, %r{}", at, reg);
    }
}

ProgramMaker::Draft ProgramMaker::bundle(Random& random, unsigned index, unsigned count,
                                         unsigned callee) const {
    Draft draft;
    if (index == callee) {
        draft.lines = {fmt::format("setwd wsz = 0x{:x}, nfx = 0x1, dbl = 0x{:x}",
                                   40 + below(random, 8), below(random, 2)),
                       "setbn rbs = 0xc, rsz = 0x3, rcur = 0x0"};
        return draft;
    }
    if (index + 2 == count) return {{"return %ctpr3"}, {}};
    if (index + 1 == count) return {{"ct %ctpr3"}, {}};
    if (!compiled_.empty() && one_in(random, 5)) {
        draft.compiled = compiled_[random() % compiled_.size()];
        if (one_in(random, 6) && draft.compiled.size() > 1)
            draft.compiled[1 + random() % (draft.compiled.size() - 1)] ^= 1u << random() % 32;
        constexpr unsigned kFirstAles = 20;  // of the header: extensions without operations
        if (one_in(random, 30)) draft.compiled[0] |= 1u << (kFirstAles + below(random, 6));
        if (reads_clock(draft.compiled, iset_)) draft.compiled.clear();
        if (!draft.compiled.empty()) return draft;
    }
    const unsigned operations = below(random, 5);
    for (unsigned k = 0; k < operations; ++k) draft.lines.push_back(operation(random));
    if (one_in(random, 20)) draft.lines.push_back(state_access(random));
    if (one_in(random, 20)) draft.lines.push_back(array_load(random));
    if (one_in(random, 12))
        for (std::string& line : array_store(random)) draft.lines.push_back(std::move(line));
    if (one_in(random, 20)) {
        if (one_in(random, 2))
            draft.lines.push_back(fmt::format("ldisp %ctpr2, L{}", below(random, count)));
        else
            draft.lines.emplace_back("bap");
    }
    if (one_in(random, 12)) draft.lines.emplace_back("loop_mode");
    if (one_in(random, 3)) draft.lines.push_back(memory_operation(random));
    if (one_in(random, 6)) draft.lines.push_back(memory_operation(random));
    if (one_in(random, 3) || draft.lines.empty()) control(random, count, callee, draft);
    return draft;
}

/// Sources of all bundles: the main part up to `callee`, then what it calls.
std::vector<ProgramMaker::Draft> ProgramMaker::structured(Random& random, unsigned& callee) const {
    std::vector<Draft> drafts;
    const unsigned main_part = 4 + below(random, 6);
    callee = main_part;
    const unsigned call_at = below(random, main_part - 1);
    for (unsigned i = 0; i < main_part; ++i) {
        Draft draft;
        for (unsigned k = below(random, 3); k > 0; --k)
            draft.lines.push_back(common_operation(random));
        if (one_in(random, 3)) draft.lines.push_back(memory_operation(random));
        if (i == 0)
            draft.lines.push_back(fmt::format("setwd wsz = 0x{:x}, nfx = 0x1", kSmallWindow));
        if (i == call_at) draft.lines.push_back(fmt::format("disp %ctpr1, L{}", callee));
        if (i == call_at + 1)
            draft.lines.push_back(fmt::format("call %ctpr1, wbs = 0x{:x}{}", 8 + below(random, 8),
                                              one_in(random, 4) ? " ? %pred2" : ""));
        if (i + 1 == main_part && one_in(random, 2))
            draft.lines.push_back(
                fmt::format("ibranch L{} ? %pred{}", below(random, main_part), below(random, 8)));
        drafts.push_back(std::move(draft));
    }
    const unsigned functions = 1 + below(random, 4);
    for (unsigned f = 0; f < functions; ++f) {
        const auto first = static_cast<unsigned>(drafts.size());
        const bool last = f + 1 == functions;
        // Where the next one begins is known only when this one is made: L9999 until then.
        auto bundles = function(random, first, last ? 0 : kNextFunction);
        const unsigned next = first + static_cast<unsigned>(bundles.size());
        for (auto& lines : bundles) {
            for (std::string& line : lines) {
                const std::string placeholder = fmt::format("L{}", kNextFunction);
                if (const auto at = line.find(placeholder); at != std::string::npos)
                    line.replace(at, placeholder.size(), fmt::format("L{}", next));
            }
            drafts.push_back({std::move(lines), {}});
        }
    }
    return drafts;
}

Program ProgramMaker::make(Random& random) const {
    Program program;
    program.iset = iset_;
    unsigned count = 8 + below(random, 10);
    unsigned callee = count - 2 - (3 + below(random, 3));
    std::vector<Draft> planned, drafts;
    if (const unsigned kind = below(random, 8); kind > 1) {
        planned = kind < 4 ? structured(random, callee) : pipelined(random, callee);
        count = static_cast<unsigned>(planned.size());
    }
    std::vector<std::uint64_t> labels;
    std::vector<Words> words;
    std::uint64_t address = kCode;
    for (unsigned i = 0; i < count; ++i) {
        if (i == callee) {  // the main part ends before the procedure
            program.ends.push_back(address);
            address += 8;
        }
        labels.push_back(address);
        Assembled made;
        Draft draft;
        // Random operations may not fit together: fewer of them do.
        while (!made) {
            draft = planned.empty() ? bundle(random, i, count, callee) : planned[i];
            if (!draft.compiled.empty()) {
                made = draft.compiled;
                break;
            }
            while (!(made = assemble(draft.lines, address, iset_, {})) && !draft.lines.empty())
                draft.lines.erase(draft.lines.begin());
        }
        address += 4 * made->size();
        words.push_back(std::move(*made));
        drafts.push_back(std::move(draft));
    }
    program.ends.push_back(address);
    unsigned end = 0;
    for (unsigned i = 0; i < count; ++i) {
        if (i == callee) {
            program.code.insert(program.code.end(), {kStopHs, kStopAls});
            ++end;
        }
        // Now that all labels are known.
        if (drafts[i].compiled.empty())
            if (auto again = assemble(drafts[i].lines, labels[i], iset_, labels);
                again && again->size() == words[i].size())
                words[i] = std::move(*again);
        program.code.insert(program.code.end(), words[i].begin(), words[i].end());
        std::string text = fmt::format("L{} {:x}:", i, labels[i]);
        for (const std::string& line : drafts[i].lines) text += "\n    " + line;
        if (drafts[i].lines.empty()) text += disassembly(words[i], labels[i], iset_);
        program.listing.push_back(std::move(text));
    }
    program.code.insert(program.code.end(), {kStopHs, kStopAls});
    program.code.resize(kPage / 4);
    program.bundles = count;
    return program;
}

}  // namespace e2k::fuzz
