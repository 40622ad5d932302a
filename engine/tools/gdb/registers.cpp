#include "engine/tools/gdb/registers.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/cpu/interpreter.h"
#include "engine/guest/stack_image.h"

namespace e2k::tools::gdb {
namespace {

using At = const StoppedThread&;

constexpr std::uint64_t kReadWrite = 3ull << 59;
constexpr std::uint64_t kUserPsr = 0x26;
constexpr std::uint64_t kPhysicalRegisters = 224;
constexpr std::uint8_t kClkr = 0x90, kIdr = 0x8a;  // state.md §1

std::uint64_t state_register(At at, std::uint8_t code) {
    return cpu::read_state_register(*at.state, code).value_or(0);
}

void set_rotation(At at, std::uint64_t value) {
    const cpu::RotationState br = cpu::rotation_from(value);
    if (cpu::is_sound_rotation(br)) at.state->br = br;
}

std::uint64_t predicates(At at, unsigned) { return cpu::predicate_image(at.state->pred); }
void set_predicates(At at, unsigned, std::uint64_t value) {
    for (unsigned n = 0; n < at.state->pred.size(); ++n)
        at.state->pred[n] = static_cast<std::uint8_t>(value >> (2 * n) & 3);
    at.state->tags_live = 1;
}

std::uint64_t cr1_lo(At at, unsigned) {
    const cpu::WindowDescriptor& wd = at.state->wd;
    return std::uint64_t{wd.fx} << 25 | std::uint64_t{wd.psize} / 2 << 26 |
           std::uint64_t{wd.size} / 2 << 33 | kUserPsr << 57;
}
std::uint64_t cr1_hi(At at, unsigned) {
    return cpu::rotation_image(at.state->br) | std::uint64_t{at.state->wd.dbl} << 35 |
           at.state->usd_size >> 4 << 36;
}

template <unsigned K>
std::uint64_t packed_tag(At at, unsigned i) {
    return at.state->g_tags[i] >> (4 * K) & 15;
}
template <unsigned K>
void set_packed_tag(At at, unsigned i, std::uint64_t value) {
    std::uint8_t& tag = at.state->g_tags[i];
    tag = static_cast<std::uint8_t>((tag & ~(15u << (4 * K))) | (value & 15) << (4 * K));
    at.state->tags_live = 1;
}

constexpr std::array kSystem{"oscud_lo", "oscud_hi", "osgd_lo", "osgd_hi", "osem", "osr0"};
constexpr std::array kFloating{"pfpfr", "fpcr", "fpsr"};
constexpr std::array kDescriptors{"cud_lo", "cud_hi", "gd_lo", "gd_hi", "cs_lo", "cs_hi",
                                  "ds_lo",  "ds_hi",  "es_lo", "es_hi", "fs_lo", "fs_hi",
                                  "gs_lo",  "gs_hi",  "ss_lo", "ss_hi"};
constexpr std::array kArrayState{"aaldm", "aasr", "aafstr"};
constexpr std::array kDebug{"dibcr",  "ddbcr",  "dibar0", "dibar1", "dibar2", "dibar3", "ddbar0",
                            "ddbar1", "ddbar2", "ddbar3", "dimcr",  "ddmcr",  "dimar0", "dimar1",
                            "ddmar0", "ddmar1", "dibsr",  "ddbsr",  "dtcr",   "dtarf",  "dtart"};
constexpr std::array kHidden{"eir", "tr", "cutd", "cuir", "tsd"};
constexpr std::array kCall{"_sys_rval", "_arg1", "_arg2", "_arg3", "_arg4", "_arg5", "_arg6"};
constexpr std::array kRecovery{"rpr_hi", "rpr_lo"};
constexpr std::array kV6{"dimtp_lo", "dimtp_hi", "ctpr1_hi", "ctpr2_hi", "ctpr3_hi"};
constexpr std::array kCalling{"_e2k_arch_idx", "_e2k_entry_point", "_e2k_call_dummy",
                              "_e2k_prologue", "_e2k_call_target"};
constexpr std::array kDoubles{"_e2k_dbl_reg", "_e2k_dbl_stack"};
constexpr std::array kQuads{"_e2k_quad_reg", "_e2k_quad_stack"};

/// Half of area `i`'s descriptor.
std::uint64_t array_descriptor(At at, unsigned i) {
    const cpu::AauState& aau = at.state->aau;
    return i % 2 ? aau.aad_hi[i / 2] : aau.aad_base[i / 2];
}

constexpr Feature kAll = Feature::Generic;
constexpr RegisterRow kRows[] = {
    {"_sizeof", 0, 1, 8, "uint64", kAll,
     [](At at, unsigned) -> std::uint64_t {
         return at.state->iset >= 6 ? 4784 : at.state->iset == 5 ? 4744 : 4408;
     },
     nullptr},
    {"_sys_rnum", 1, 1, 8, "uint64", kAll,
     [](At at, unsigned) { return static_cast<std::uint64_t>(at.system_call); }, nullptr},
    {"_pcsp_offset", 2, 1, 8, "uint64", kAll,
     [](At at, unsigned) { return guest::StackImage(*at.state).chain_size(); }, nullptr},
    {"_g{}", 3, 32, 8, "uint64", kAll, [](At at, unsigned i) { return at.state->g[i].lo; },
     [](At at, unsigned i, std::uint64_t v) {
         at.state->g[i].lo = v;
         at.state->g_tags[i] = 0;
     }},
    {"psr", 35, 1, 8, "psr", kAll, [](At, unsigned) -> std::uint64_t { return kUserPsr; }, nullptr},
    {"upsr", 36, 1, 8, "upsr", kAll,
     [](At at, unsigned) -> std::uint64_t { return at.state->upsr; },
     [](At at, unsigned, std::uint64_t v) { at.state->upsr = v & 0x7ff; }},
    {"", 37, 6, 8, "uint64", kAll, nullptr, nullptr, kSystem},
    {"", 43, 3, 8, "uint64", kAll,
     [](At at, unsigned i) -> std::uint64_t {
         return i == 0 ? at.state->pfpfr : i == 1 ? at.state->fpcr : at.state->fpsr;
     },
     [](At at, unsigned i, std::uint64_t v) {
         constexpr std::array<std::uint8_t, 3> kCodes{0x84, 0x85, 0x86};
         static_cast<void>(cpu::write_state_register(*at.state, kCodes[i], v));
     },
     kFloating},
    {"usbr", 46, 1, 8, "uint64", kAll, [](At at, unsigned) { return at.state->sbr; }, nullptr},
    {"usd_lo", 47, 1, 8, "usd_lo", kAll,
     [](At at, unsigned) { return at.state->usd_base | kReadWrite; },
     [](At at, unsigned, std::uint64_t v) { at.state->usd_base = v & ((1ull << 48) - 1); }},
    {"usd_hi", 48, 1, 8, "usd_hi", kAll, [](At at, unsigned) { return at.state->usd_size << 32; },
     [](At at, unsigned, std::uint64_t v) { at.state->usd_size = v >> 32; }},
    {"_psp_lo", 49, 1, 8, "psp_lo", kAll,
     [](At at, unsigned) { return at.state->psp_base | kReadWrite; }, nullptr},
    {"_psp_hi", 50, 1, 8, "psp_hi", kAll,
     [](At at, unsigned) {
         return guest::StackImage(*at.state).procedure_size() | at.state->psp_size << 32;
     },
     nullptr},
    {"pshtp", 51, 1, 8, "pshtp", kAll, nullptr, nullptr},
    {"_cr0_lo", 52, 1, 8, "cr0_lo", kAll, predicates, set_predicates},
    {"_cr0_hi", 53, 1, 8, "cr0_hi", kAll,
     [](At at, unsigned) -> std::uint64_t { return at.state->ip & ~7ull; },
     [](At at, unsigned, std::uint64_t v) { at.state->ip = v & ((1ull << 48) - 1) & ~7ull; }},
    {"_cr1_lo", 54, 1, 8, "cr1_lo", kAll, cr1_lo, nullptr},
    {"_cr1_hi", 55, 1, 8, "cr1_hi", kAll, cr1_hi,
     [](At at, unsigned, std::uint64_t v) { set_rotation(at, v); }},
    {"cwd", 56, 1, 8, "uint64", kAll, nullptr, nullptr},
    {"_pcsp_lo", 57, 1, 8, "pcsp_lo", kAll,
     [](At at, unsigned) { return at.state->pcsp_base | kReadWrite; }, nullptr},
    {"_pcsp_hi", 58, 1, 8, "pcsp_hi", kAll,
     [](At at, unsigned) {
         return guest::StackImage(*at.state).chain_size() | at.state->pcsp_size << 32;
     },
     nullptr},
    {"pcshtp", 59, 1, 8, "pcshtp", kAll, nullptr, nullptr},
    {"", 60, 16, 8, "uint64", kAll, nullptr, nullptr, kDescriptors},
    {"aad{}", 76, 64, 8, "uint64", kAll, array_descriptor, nullptr},
    {"aaind{}", 140, 16, 8, "uint64", kAll,
     [](At at, unsigned i) { return at.state->aau.aaind[i]; }, nullptr},
    {"aaincr{}", 156, 8, 8, "uint64", kAll,
     [](At at, unsigned i) { return at.state->aau.aaincr[i]; }, nullptr},
    {"aaldi{}", 164, 64, 8, "uint64", kAll,
     [](At at, unsigned i) { return at.state->aau.area[i].cur; }, nullptr},
    {"aaldv", 228, 1, 8, "uint64", kAll, nullptr, nullptr},
    {"aalda{}", 229, 64, 8, "uint64", kAll, nullptr, nullptr},
    {"", 293, 3, 8, "uint64", kAll, nullptr, nullptr, kArrayState},
    {"aasti{}", 296, 16, 8, "uint64", kAll,
     [](At at, unsigned i) { return at.state->aau.aasti[i]; }, nullptr},
    {"clkr", 312, 1, 8, "uint64", kAll, [](At at, unsigned) { return state_register(at, kClkr); },
     nullptr},
    {"", 313, 21, 8, "uint64", kAll, nullptr, nullptr, kDebug},
    {"_wd", 334, 1, 8, "wd", kAll,
     [](At at, unsigned) -> std::uint64_t {
         return 8 * (at.state->window_index() % kPhysicalRegisters);
     },
     nullptr},
    {"_br", 335, 1, 8, "br", kAll,
     [](At at, unsigned) { return cpu::rotation_image(at.state->br); },
     [](At at, unsigned, std::uint64_t v) { set_rotation(at, v); }},
    {"bgr", 336, 1, 8, "bgr", kAll, [](At, unsigned) -> std::uint64_t { return 0xff; }, nullptr},
    {"_ip", 337, 1, 8, "uint64", kAll, [](At at, unsigned) { return at.state->ip; }, nullptr},
    {"nip", 338, 1, 8, "uint64", kAll, [](At at, unsigned) { return at.state->ip; }, nullptr},
    {"ctpr{1}", 339, 3, 8, "ctpr_rwp", kAll,
     [](At at, unsigned i) { return at.state->ctpr[i].image(); }, nullptr},
    {"", 342, 5, 8, "uint64", kAll, nullptr, nullptr, kHidden},
    {"lsr", 347, 1, 8, "lsr", kAll, [](At at, unsigned) { return at.state->lsr.lsr_image(); },
     [](At at, unsigned, std::uint64_t v) { at.state->lsr = cpu::LoopState::from_lsr(v); }},
    {"ilcr", 348, 1, 8, "ilcr", kAll, [](At at, unsigned) { return at.state->ilcr.lsr_image(); },
     [](At at, unsigned, std::uint64_t v) { at.state->ilcr = cpu::LoopState::from_lsr(v); }},
    {"", 349, 7, 8, "uint64", kAll, nullptr, nullptr, kCall},
    {"_gtag{}", 356, 32, 1, "uint8", kAll, packed_tag<0>, set_packed_tag<0>},
    {"_gext{}", 388, 32, 2, "uint16", kAll,
     [](At at, unsigned i) { return at.state->g[i].ext & 0xffff; },
     [](At at, unsigned i, std::uint64_t v) {
         std::uint64_t& ext = at.state->g[i].ext;
         ext = (ext & ~0xffffull) | (v & 0xffff);
     }},
    {"", 420, 2, 8, "uint64", kAll, nullptr, nullptr, kRecovery},
    {"tir_{}_lo", 422, 19, 8, "tir_lo", kAll,
     [](At at, unsigned i) { return i == 0 ? at.trap_ip : 0; }, nullptr},
    {"tir_{}_hi", 441, 19, 8, "tir_hi", kAll,
     [](At at, unsigned i) { return i == 0 ? at.trap_bits : 0; }, nullptr},
    {"trap_cell_addr_{}", 460, 10, 8, "uint64", kAll, nullptr, nullptr},
    {"trap_cell_val_{}", 470, 10, 8, "uint64", kAll, nullptr, nullptr},
    {"trap_cell_tag_{}", 480, 10, 1, "uint8", kAll, nullptr, nullptr},
    {"_dummy_{1}", 490, 6, 1, "uint8", kAll, nullptr, nullptr},
    {"trap_cell_info_{}", 496, 10, 8, "uint64", kAll, nullptr, nullptr},
    {"dam_{}", 506, 32, 8, "uint64", kAll, nullptr, nullptr},
    {"sbbp_{}", 538, 32, 8, "uint64", kAll, nullptr, nullptr},
    {"mlt_{}", 570, 16, 24, "mlt", kAll, nullptr, nullptr},
    {"idr", 586, 1, 8, "uint64", Feature::V2,
     [](At at, unsigned) { return state_register(at, kIdr); }, nullptr},
    {"core_mode", 587, 1, 8, "uint64", Feature::V3, nullptr, nullptr},
    {"lsr1", 588, 1, 8, "lsr1", Feature::V5, [](At at, unsigned) { return at.state->lsr.lcnt; },
     [](At at, unsigned, std::uint64_t v) { at.state->lsr.lcnt = v; }},
    {"ilcr1", 589, 1, 8, "uint64", Feature::V5, [](At at, unsigned) { return at.state->ilcr.lcnt; },
     [](At at, unsigned, std::uint64_t v) { at.state->ilcr.lcnt = v; }},
    {"_gext_v5_{}", 590, 32, 8, "uint64", Feature::V5,
     [](At at, unsigned i) { return at.state->g[i].ext; },
     [](At at, unsigned i, std::uint64_t v) { at.state->g[i].ext = v; }},
    {"_gtag_v5_{}", 622, 32, 1, "uint8", Feature::V5, packed_tag<1>, set_packed_tag<1>},
    {"pcsp_base", 654, 1, 8, "uint64", kAll, [](At at, unsigned) { return at.state->pcsp_base; },
     nullptr},
    {"psp_base", 655, 1, 8, "uint64", kAll, [](At at, unsigned) { return at.state->psp_base; },
     nullptr},
    {"", 656, 5, 8, "uint64", Feature::V6, nullptr, nullptr, kV6},
    // What gdb writes to call a function (calls.h).
    {"", 661, 5, 8, "uint64", kAll, nullptr, nullptr, kCalling},
    {"", 666, 2, 25, "dbl_param", kAll, nullptr, nullptr, kDoubles},
    {"", 668, 2, 33, "quad_param", kAll, nullptr, nullptr, kQuads},
};

}  // namespace

std::string RegisterRow::name_of(unsigned i) const {
    if (!names.empty()) return names[i];
    const std::string pattern = name;
    if (pattern == "aad{}") return fmt::format("aad{}_{}", i / 2, i % 2 ? "hi" : "lo");
    const std::size_t at = pattern.find('{');
    if (at == std::string::npos) return pattern;
    const std::size_t end = pattern.find('}');
    const unsigned from = end == at + 2 ? static_cast<unsigned>(pattern[at + 1] - '0') : 0;
    return pattern.substr(0, at) + std::to_string(from + i) + pattern.substr(end + 1);
}

std::span<const RegisterRow> register_rows() { return kRows; }

bool has_feature(Feature feature, int iset) {
    switch (feature) {
        case Feature::Generic:
        case Feature::V2:
            return true;
        case Feature::V3:
            return iset >= 3;
        case Feature::V5:
            return iset >= 5;
        case Feature::V6:
            return iset >= 6;
    }
    return false;
}

const RegisterRow* find_register(unsigned number, int iset) {
    const auto row = std::ranges::upper_bound(kRows, number, {}, &RegisterRow::first);
    if (row == std::begin(kRows)) return nullptr;
    const RegisterRow& found = row[-1];
    const bool there = number < found.first + found.count && has_feature(found.feature, iset);
    return there ? &found : nullptr;
}

std::optional<std::vector<std::uint8_t>> read_register(const StoppedThread& at, unsigned number) {
    const RegisterRow* const row = find_register(number, at.state->iset);
    if (!row) return std::nullopt;
    const std::uint64_t value = row->get ? row->get(at, number - row->first) : 0;
    std::vector<std::uint8_t> bytes(row->size);
    for (std::size_t i = 0; i < std::min<std::size_t>(8, bytes.size()); ++i)
        bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
    return bytes;
}

bool write_register(const StoppedThread& at, unsigned number, std::span<const std::uint8_t> bytes) {
    const RegisterRow* const row = find_register(number, at.state->iset);
    if (!row || row->size != bytes.size()) return false;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < std::min<std::size_t>(8, bytes.size()); ++i)
        value |= std::uint64_t{bytes[i]} << (8 * i);
    if (row->set) row->set(at, number - row->first, value);
    return true;
}

std::vector<std::uint8_t> read_all_registers(const StoppedThread& at) {
    std::vector<std::uint8_t> all;
    for (unsigned number = 0; number < kRegisters; ++number)
        if (const auto bytes = read_register(at, number))
            all.insert(all.end(), bytes->begin(), bytes->end());
    return all;
}

}  // namespace e2k::tools::gdb
