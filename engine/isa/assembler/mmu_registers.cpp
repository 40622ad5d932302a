#include "engine/isa/assembler/mmu_registers.h"

#include <fmt/format.h>

#include <map>
#include <string>

namespace e2k::isa::assembler {
namespace {

enum Group : std::uint8_t { kInvalidate = 0x3, kMmu = 0x8, kCache = 0xb, kDebug = 0xd };
using Registers = std::map<std::string, MmuRegister, std::less<>>;

struct Named {
    std::string_view name;
    std::uint32_t address;
};
/// "%mtrr3": `count` registers, `step` apart.
struct Numbered {
    std::string_view name;
    unsigned count;
    std::uint32_t address, step;
};

constexpr Named kMmuRegisters[] = {
    {"mmu_cr", 0x00},
    {"cont", 0x10},
    {"pid", 0x10},
    {"cr3_rg", 0x20},
    {"u2_pptb", 0x20},
    {"elb_ptb", 0x30},
    {"u_vptb", 0x30},
    {"root_ptb", 0x40},
    {"u_pptb", 0x40},
    {"trap_point", 0x50},
    {"trap_count", 0x60},
    {"mpt_b", 0x70},
    {"pci_l_b", 0x80},
    {"us_cl_d", 0x90},
    {"ph_h_b", 0xa0},
    {"used_4kb_dtlb", 0xb0},
    {"used_dtlb_mpt_dw", 0xc0},
    {"apic_base", 0xd0},
    {"mu_hw0", 0xe0},
    {"cont_second", 0xf0},
    {"pid2", 0xf0},
    {"pat", 0x310},
    {"ph_hi_l_b", 0x320},
    {"ph_hi_h_b", 0x330},
    {"os_vptb", 0x340},
    {"os_pptb", 0x350},
    {"tlu_cache", 0x3c0},
    {"tlu_cmd_mem", 0x3e0},
    {"virt_ctrl_mu", 0x400},
    {"gid", 0x410},
    {"gp_vptb", 0x420},
    {"gp_pptb", 0x430},
    {"intc_info_mu", 0x440},
    {"intc_ptr_mu", 0x450},
    {"sh_os_vptb", 0x460},
    {"sh_os_pptb", 0x470},
    {"g_w_imask_mmu_cr", 0x480},
    {"sh_pid", 0x490},
    {"sh_mmu_cr", 0x4a0},
    {"os_vab", 0x4c0},
    {"sh_os_vab", 0x4d0},
};
constexpr Numbered kMmuArrays[] = {{"mtrr", 33, 0x100, 0x10}, {"pdpte", 4, 0x380, 0x10}};

constexpr unsigned kTables = 16;
constexpr Numbered kDebugArrays[] = {
    {"mlta", kTables, 0x05, 0x80}, {"mltb", kTables, 0x25, 0x80}, {"mltc", kTables, 0x45, 0x80},
    {"us_cl_m", 4, 0x04, 0x80},    {"ddbar", 4, 0x07, 0x20},
};
constexpr Named kDebugRegisters[] = {{"us_cl_b", 0x24}, {"us_cl_up", 0x124}, {"ddmar0", 0xc7},
                                     {"ddmar1", 0xe7},  {"ddbcr", 0x87},     {"ddbsr", 0xa7},
                                     {"ddmcr", 0x107}};
constexpr Named kCacheRegisters[] = {{"bist_sig1", 0}, {"bist_sig2", 0x100}, {"bisr_ctrl", 0x200},
                                     {"ctrl", 0x300},  {"ecc_dbg", 0x400},   {"err", 0x500}};
constexpr unsigned kCacheBanks = 4;
constexpr Named kInvalidators[] = {{"dam_inv", 0}, {"mlt_inv", 1}, {"ldstgt_inv", 2}};

constexpr std::uint8_t mas_of(Group group) { return static_cast<std::uint8_t>(group << 3 | 7); }

Registers make_table() {
    Registers table;
    const auto add = [&table](const std::string& name, std::uint32_t address, Group group,
                              std::uint8_t channel = 2) {
        table[name] = {address, mas_of(group), channel, group != kInvalidate};
    };
    const auto add_array = [&add](const Numbered& r, Group group, std::uint8_t channel) {
        for (unsigned n = 0; n < r.count; ++n)
            add(fmt::format("%{}{}", r.name, n), r.address + n * r.step, group, channel);
    };
    for (const Named& r : kMmuRegisters) add(fmt::format("%{}", r.name), r.address, kMmu);
    for (const Numbered& r : kMmuArrays) add_array(r, kMmu, 2);
    for (const Numbered& r : kDebugArrays) add_array(r, kDebug, r.name.starts_with("mlt") ? 2 : 5);
    for (const Named& r : kDebugRegisters) add(fmt::format("%{}", r.name), r.address, kDebug, 5);
    for (unsigned bank = 0; bank < kCacheBanks; ++bank)
        for (const Named& r : kCacheRegisters)
            add(fmt::format("%l2_b{}_{}", bank, r.name), 0x40 * bank + r.address, kCache);
    for (const Named& r : kInvalidators) add(fmt::format("%{}", r.name), r.address, kInvalidate);
    return table;
}

}  // namespace

std::optional<MmuRegister> mmu_register(std::string_view name) {
    static const Registers table = make_table();
    const auto at = table.find(name);
    return at == table.end() ? std::nullopt : std::optional(at->second);
}

}  // namespace e2k::isa::assembler
