// State registers as rrd/rrs/rwd/rws see them (state.md §1).
#include <chrono>

#include "engine/cpu/clock_tape.h"
#include "engine/cpu/guest_clock.h"
#include "engine/cpu/interpreter.h"

namespace e2k::cpu {
namespace {

// Codes of state.md §1 that a 64-bit user program can meet.
enum Code : std::uint8_t {
    kPsr = 0x00,
    kWd = 0x01,
    kCoreMode = 0x04,
    kPspHi = 0x07,
    kPspLo = 0x09,
    kPshtp = 0x0b,
    kPcspHi = 0x0d,
    kPcspLo = 0x0f,
    kPcshtp = 0x13,
    kCtpr1 = 0x15,
    kCtpr3 = 0x17,
    kSbr = 0x1e,
    kEir = 0x23,
    kTsd = 0x24,
    kCuir = 0x25,
    kUsdHi = 0x2c,
    kUsdLo = 0x2d,
    kTr = 0x2e,
    kCr0Hi = 0x51,
    kCr0Lo = 0x53,
    kCr1Hi = 0x55,
    kCr1Lo = 0x57,
    kSclkm1 = 0x70,
    kSclkm3 = 0x72,
    kUpsr = 0x80,
    kIp = 0x81,
    kNip = 0x82,
    kLsr = 0x83,
    kPfpfr = 0x84,
    kFpcr = 0x85,
    kFpsr = 0x86,
    kIlcr = 0x87,
    kBr = 0x88,
    kBgr = 0x89,
    kIdr = 0x8a,
    kClkr = 0x90,
    kRndpr = 0x91,
    kSclkr = 0x92,
    kTirHi = 0x9c,
    kTirLo = 0x9d,
    kRprLo = 0xa0,
    kSbbp = 0xa1,
    kRprHi = 0xa2,
    kUpsrm = 0xc0,
    kLsr1 = 0xc3,
    kIlcr1 = 0xc7,
};

constexpr std::uint64_t kUserPsr = 0x26;            // ie, sge, uie
constexpr std::uint64_t kReadWrite = 3ull << 59;    // rw of USD, PSP, PCSP
constexpr std::uint64_t kIdrRevAndLine = 0x2200;    // rev 2, 64-byte write-back line
constexpr std::uint64_t kPhysicalRegisters = 224;   // window registers of the register file
constexpr std::uint32_t kUpsrMask = 0x7ff;          // bits that exist
constexpr std::uint32_t kFpcrAlwaysOne = 0x40;      // bit 6 reads 1
constexpr std::uint32_t kFpcrMask = 0x1f3f;         // im..pm, pc, rc, ic
constexpr std::uint32_t kPfpfrMask = 0xfc00'ffffu;  // flags, masks, rc, fz, denormal-result flags
constexpr std::uint64_t kIlcrMask = 0x001f'001f'ffff'ffffull;  // pcnt, ecnt, lcnt

std::uint64_t wd_image(const CpuState& s) {
    const std::uint64_t base = 8 * (s.window_index() % kPhysicalRegisters);
    return base | std::uint64_t{s.wd.size} * 8 << 16 | std::uint64_t{s.wd.psize} * 8 << 32 |
           std::uint64_t{s.wd.fx} << 48 | std::uint64_t{s.wd.dbl} << 49;
}

/// The frame of the current procedure's caller; all zero at the bottom of the chain.
ChainFrame current_frame(const CpuState& s) {
    return s.chain_top == s.chain_file ? ChainFrame{} : s.chain_top[-1];
}

std::uint64_t cr1_lo_image(const ChainFrame& f) {
    if (f.return_ip == 0 && f.wbs == 0) return 0;
    return std::uint64_t{f.wd.fx} << 25 | std::uint64_t{f.wd.psize} / 2 << 26 |
           std::uint64_t{f.wbs} / 2 << 33 | kUserPsr << 57;
}

std::uint64_t cr1_hi_image(const ChainFrame& f) {
    return rotation_image(f.br) | std::uint64_t{f.wd.dbl} << 35 | std::uint64_t{f.ussz} << 36;
}

/// First version that has the register; below it the code is illegal.
int first_iset(std::uint8_t code) {
    switch (code) {
        case kCoreMode:
        case kSclkm1:
        case kSclkm1 + 1:
        case kSclkm3:
        case kRndpr:
        case kSclkr:
        case kUpsrm:
            return 3;
        case kLsr1:
        case kIlcr1:
            return 5;
        default:
            return 1;
    }
}

bool hidden_from_users(std::uint8_t code) { return code == kEir || code == kTsd || code == kTr; }

/// Readable registers without content of their own: the reference reads 0 (state.md §1).
bool reads_zero(std::uint8_t code) {
    switch (code) {
        case kCoreMode:
        case 0x06:
        case kPshtp:
        case kPcshtp:
        case 0x21:
        case kCuir:
        case kSclkm1:
        case kSclkm1 + 1:
        case kNip:
        case kRndpr:
        case kTirHi:
        case kTirLo:
        case kRprLo:
        case kSbbp:
        case kRprHi:
        case kUpsrm:
            return true;
        default:
            return (code >= 0x26 && code <= 0x2a) || (code >= 0x2f && code <= 0x4f);
    }
}

}  // namespace

std::uint64_t rotation_image(const RotationState& br) {
    return br.rbs | std::uint64_t{br.rsz} << 6 | std::uint64_t{br.rcur} << 12 |
           std::uint64_t{br.psz} << 18 | std::uint64_t{br.pcur} << 23;
}

RotationState rotation_from(std::uint64_t image) {
    RotationState br;
    br.rbs = image & 63;
    br.rsz = image >> 6 & 63;
    br.rcur = image >> 12 & 63;
    br.psz = image >> 18 & 31;
    br.pcur = image >> 23 & 31;
    return br;
}

std::uint64_t predicate_image(const PredicateFile& pred) {
    std::uint64_t image = 0;
    for (unsigned n = 0; n < pred.size(); ++n) image |= std::uint64_t{pred[n]} << (2 * n);
    return image;
}

std::uint64_t host_clock() {
    using namespace std::chrono;
    return static_cast<std::uint64_t>(
        duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count());
}

tl::expected<std::uint64_t, TrapCode> read_state_register(const CpuState& s, std::uint8_t code) {
    if (s.iset < first_iset(code) || hidden_from_users(code))
        return tl::unexpected(TrapCode::IllegalOpcode);
    switch (code) {
        case kPsr:
            return kUserPsr;
        case kWd:
            return wd_image(s);
        case kPspHi:
            return 16 * s.window_index() | s.psp_size << 32;
        case kPspLo:
            return s.psp_base | kReadWrite;
        case kPcspHi:
            return 32 * s.depth() | s.pcsp_size << 32;
        case kPcspLo:
            return s.pcsp_base | kReadWrite;
        case kCtpr1:
        case kCtpr1 + 1:
        case kCtpr3:
            return s.ctpr[code - kCtpr1].image();
        case kSbr:
            return s.sbr;
        case kUsdHi:
            return s.usd_size << 32;
        case kUsdLo:
            return s.usd_base | kReadWrite;
        case kCr0Hi:
            return current_frame(s).return_ip;
        case kCr0Lo:
            return predicate_image(current_frame(s).pred);
        case kCr1Hi:
            return cr1_hi_image(current_frame(s));
        case kCr1Lo:
            return cr1_lo_image(current_frame(s));
        case kUpsr:
            return s.upsr;
        case kIp:
            return s.ip;
        case kLsr:
            return s.lsr.lsr_image();
        case kLsr1:
            return s.lsr.lcnt;
        case kPfpfr:
            return s.pfpfr;
        case kFpcr:
            return s.fpcr;
        case kFpsr:
            return s.fpsr;
        case kIlcr:
            return s.ilcr.lsr_image() & kIlcrMask;
        case kIlcr1:
            return s.ilcr.lcnt;
        case kBr:
            return rotation_image(s.br);
        case kBgr:
            return 0xff;
        case kIdr:
            return kIdrRevAndLine | s.idr_model;
        case kClkr:
        case kSclkr:
            if (s.held_clock) return s.held_clock;
            {
                const std::uint64_t now =
                    s.clock.source ? s.clock.source->nanoseconds(s) : host_clock();
                ClockTape* const tape = clock_tape_of(s);
                return tape ? tape->reading(s, now) : now;
            }
        default:
            break;
    }
    if (reads_zero(code)) return 0;
    return tl::unexpected(TrapCode::IllegalOpcode);
}

tl::expected<void, TrapCode> state_register_writable(const CpuState& s, std::uint8_t code) {
    if (s.iset < first_iset(code)) return tl::unexpected(TrapCode::IllegalOpcode);
    switch (code) {
        case kUpsr:
        case kLsr:
        case kLsr1:
        case kIlcr:
        case kIlcr1:
        case kPfpfr:
        case kFpcr:
        case kFpsr:
        case kSclkr:
        case kTirHi:
        case kTirLo:
        case kRprLo:
        case kSbbp:
        case kRprHi:
        case kUpsrm:
            return {};
        case kCuir:
        case kIp:
        case kNip:
        case kIdr:
        case kTsd:
        case kTr:
            return tl::unexpected(TrapCode::IllegalOpcode);
        default:
            return tl::unexpected(TrapCode::PrivilegedAction);
    }
}

tl::expected<void, TrapCode> write_state_register(CpuState& s, std::uint8_t code,
                                                  std::uint64_t value) {
    if (auto allowed = state_register_writable(s, code); !allowed) return allowed;
    switch (code) {
        case kUpsr:
            s.upsr = static_cast<std::uint32_t>(value) & kUpsrMask;
            break;
        case kLsr:
            s.lsr = LoopState::from_lsr(value);
            s.ilcr = LoopState::from_lsr(value & kIlcrMask);
            break;
        case kLsr1:
            s.lsr.lcnt = s.ilcr.lcnt = value;
            break;
        case kIlcr:
            s.ilcr = LoopState::from_lsr(value & kIlcrMask);
            break;
        case kIlcr1:
            s.ilcr.lcnt = value;
            break;
        case kPfpfr:
            s.pfpfr = static_cast<std::uint32_t>(value) & kPfpfrMask;
            break;
        case kFpcr:
            s.fpcr = (static_cast<std::uint32_t>(value) & kFpcrMask) | kFpcrAlwaysOne;
            break;
        case kFpsr:
            s.fpsr = static_cast<std::uint32_t>(value) & 0xffff;
            break;
        default:
            break;  // accepted, no effect (state.md §1)
    }
    return {};
}

}  // namespace e2k::cpu
