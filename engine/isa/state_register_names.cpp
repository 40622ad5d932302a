// Codes and names of the state registers (state.md §1).
#include <array>

#include "engine/isa/disassembler.h"

namespace e2k::isa {
namespace {

struct Name {
    std::uint8_t code;
    bool in_objdump;  ///< objdump prints "(null)" for the others
    std::string_view text;
};

// clang-format off
constexpr Name kNames[] = {
    {0x00, true, "%psr"},
    {0x01, true, "%wd"},
    {0x04, true, "%core_mode"},
    {0x06, true, "%cwd"},
    {0x07, true, "%psp.hi"},
    {0x09, true, "%psp.lo"},
    {0x0b, true, "%pshtp"},
    {0x0d, true, "%pcsp.hi"},
    {0x0f, true, "%pcsp.lo"},
    {0x13, true, "%pcshtp"},
    {0x15, true, "%ctpr1"},
    {0x16, true, "%ctpr2"},
    {0x17, true, "%ctpr3"},
    {0x19, false, "%ctpr1.hi"},
    {0x1a, false, "%ctpr2.hi"},
    {0x1b, false, "%ctpr3.hi"},
    {0x1e, true, "%sbr"},
    {0x21, true, "%cutd"},
    {0x22, false, "%oscutd"},
    {0x23, true, "%eir"},
    {0x24, false, "%tsd"},
    {0x25, true, "%cuir"},
    {0x26, true, "%oscud.hi"},
    {0x27, true, "%oscud.lo"},
    {0x28, true, "%osgd.hi"},
    {0x29, true, "%osgd.lo"},
    {0x2a, true, "%osem"},
    {0x2b, false, "%oscuir"},
    {0x2c, true, "%usd.hi"},
    {0x2d, true, "%usd.lo"},
    {0x2e, false, "%tr"},
    {0x2f, true, "%osr0"},
    {0x30, true, "%cud.hi"},
    {0x31, true, "%cud.lo"},
    {0x32, true, "%gd.hi"},
    {0x33, true, "%gd.lo"},
    {0x34, true, "%cs.hi"},
    {0x35, true, "%cs.lo"},
    {0x36, true, "%ds.hi"},
    {0x37, true, "%ds.lo"},
    {0x38, true, "%es.hi"},
    {0x39, true, "%es.lo"},
    {0x3a, true, "%fs.hi"},
    {0x3b, true, "%fs.lo"},
    {0x3c, true, "%gs.hi"},
    {0x3d, true, "%gs.lo"},
    {0x3e, true, "%ss.hi"},
    {0x3f, true, "%ss.lo"},
    {0x40, true, "%dibcr"},
    {0x41, true, "%dimcr"},
    {0x42, true, "%dibsr"},
    {0x43, true, "%dtcr"},
    {0x46, false, "%dimtp.hi"},
    {0x47, false, "%dimtp.lo"},
    {0x48, true, "%dibar0"},
    {0x49, true, "%dibar1"},
    {0x4a, true, "%dibar2"},
    {0x4b, true, "%dibar3"},
    {0x4c, true, "%dimar0"},
    {0x4d, true, "%dimar1"},
    {0x4e, true, "%dtarf"},
    {0x4f, true, "%dtart"},
    {0x51, true, "%cr0.hi"},
    {0x53, true, "%cr0.lo"},
    {0x55, true, "%cr1.hi"},
    {0x57, true, "%cr1.lo"},
    {0x58, false, "%sh_psp.hi"},
    {0x59, false, "%sh_psp.lo"},
    {0x5a, false, "%bu_psp.hi"},
    {0x5b, false, "%bu_psp.lo"},
    {0x5c, false, "%sh_pcsp.hi"},
    {0x5d, false, "%sh_pcsp.lo"},
    {0x5e, false, "%sh_pshtp"},
    {0x5f, false, "%sh_pcshtp"},
    {0x60, false, "%virt_ctrl_cu"},
    {0x61, false, "%hceb"},
    {0x62, false, "%hcem"},
    {0x63, false, "%g_preempt_tmr"},
    {0x64, false, "%intc_info_cu"},
    {0x65, false, "%intc_ptr_cu"},
    {0x66, false, "%sh_psr"},
    {0x67, false, "%sh_core_mode"},
    {0x68, false, "%sh_oscud.hi"},
    {0x69, false, "%sh_oscud.lo"},
    {0x6a, false, "%sh_osgd.hi"},
    {0x6b, false, "%sh_osgd.lo"},
    {0x6c, false, "%sh_oscutd"},
    {0x6d, false, "%sh_oscuir"},
    {0x6e, false, "%sh_osr0"},
    {0x6f, false, "%sh_sclkm3"},
    {0x70, true, "%sclkm1"},
    {0x71, true, "%sclkm2"},
    {0x72, false, "%sclkm3"},
    {0x74, false, "%bu_pcsp.hi"},
    {0x75, false, "%bu_pcsp.lo"},
    {0x76, false, "%sh_wd"},
    {0x78, true, "%cu_hw0"},
    {0x79, true, "%cu_hw1"},
    {0x80, true, "%upsr"},
    {0x81, true, "%ip"},
    {0x82, true, "%nip"},
    {0x83, true, "%lsr"},
    {0x84, true, "%pfpfr"},
    {0x85, true, "%fpcr"},
    {0x86, true, "%fpsr"},
    {0x87, true, "%ilcr"},
    {0x88, true, "%br"},
    {0x89, true, "%bgr"},
    {0x8a, true, "%idr"},
    {0x90, true, "%clkr"},
    {0x91, true, "%rndpr"},
    {0x92, true, "%sclkr"},
    {0x9c, true, "%tir.hi"},
    {0x9d, true, "%tir.lo"},
    {0xa0, true, "%rpr.lo"},
    {0xa1, true, "%sbbp"},
    {0xa2, true, "%rpr.hi"},
    {0xc0, true, "%upsrm"},
    {0xc3, true, "%lsr1"},
    {0xc7, true, "%ilcr1"},
};
// clang-format on

constexpr auto kByCode = [] {
    std::array<const Name*, 256> table{};
    for (const Name& n : kNames) table[n.code] = &n;
    return table;
}();

}  // namespace

std::string_view state_register_name(std::uint8_t code) {
    const Name* n = kByCode[code];
    return n ? n->text : std::string_view{};
}

std::string_view objdump_state_register_name(std::uint8_t code) {
    const Name* n = kByCode[code];
    return n && n->in_objdump ? n->text : "(null)";
}

}  // namespace e2k::isa
