// Guest FP control registers in the host's MXCSR and x87 control word (operations.md §4.1, §5.1).
#include "engine/cpu/semantics.h"
#include "engine/cpu/semantics/fp_sse.h"

namespace e2k::cpu {
namespace {

constexpr std::uint32_t kMxcsrMasks = 0x1f80;
constexpr int kMxcsrMaskShift = 7;
constexpr std::uint32_t kMxcsrRounding = 0x6000;
constexpr std::uint32_t kMxcsrFlushToZero = 0x8000;
constexpr std::uint32_t kPfpfrUnderflowMask = 0x0800;
constexpr std::uint16_t kX87Masks = 0x003f;
constexpr std::uint16_t kX87PrecisionRounding = 0x0f00;
constexpr std::uint16_t kX87Reserved = 0x0040;

/// PFPFR as MXCSR: every exception masked, DAZ off. FZ acts only while underflow is masked.
std::uint32_t mxcsr_of(std::uint32_t pfpfr) {
    std::uint32_t v = kMxcsrMasks | (pfpfr & (kMxcsrRounding | fp::kAllFlags));
    if (pfpfr & kPfpfrUnderflowMask) v |= pfpfr & kMxcsrFlushToZero;
    return v;
}

std::uint16_t control_word_of(std::uint32_t fpcr) {
    return static_cast<std::uint16_t>(kX87Masks | kX87Reserved | (fpcr & kX87PrecisionRounding));
}

std::uint16_t read_control_word() {
    std::uint16_t v;
    __asm__ volatile("fnstcw %0" : "=m"(v));
    return v;
}
void write_control_word(std::uint16_t v) { __asm__ volatile("fldcw %0" : : "m"(v)); }
std::uint16_t read_status_word() {
    std::uint16_t v;
    __asm__ volatile("fnstsw %0" : "=a"(v));
    return v;
}
void clear_status_word() { __asm__ volatile("fnclex"); }

}  // namespace

// Reading these registers takes some cycles, writing them more: each is read once, and written only
// where it must change.
FpEnvironment::FpEnvironment(std::uint32_t& pfpfr, std::uint32_t& fpcr, std::uint32_t& fpsr)
    : pfpfr_(pfpfr),
      fpcr_(fpcr),
      fpsr_(fpsr),
      host_mxcsr_(fp::read_mxcsr()),
      host_x87_(read_control_word()) {
    if (const std::uint32_t guest = mxcsr_of(pfpfr_); guest != host_mxcsr_) fp::write_mxcsr(guest);
    if (read_status_word() & fp::kAllFlags) clear_status_word();
    if (const std::uint16_t guest = control_word_of(fpcr_); guest != host_x87_)
        write_control_word(guest);
}

FpEnvironment::~FpEnvironment() {
    const std::uint32_t mxcsr = fp::read_mxcsr(), status = read_status_word();
    pfpfr_ |= mxcsr & fp::kAllFlags;
    fpsr_ |= status & fp::kAllFlags;
    if (status & fp::kAllFlags) clear_status_word();
    if (read_control_word() != host_x87_) write_control_word(host_x87_);
    if (mxcsr != host_mxcsr_) fp::write_mxcsr(host_mxcsr_);
}

void FpEnvironment::fold(std::uint32_t& pfpfr, std::uint32_t& fpsr) {
    pfpfr |= fp::read_mxcsr() & fp::kAllFlags;
    fpsr |= read_status_word() & fp::kAllFlags;
}

void FpEnvironment::fold() { fold(pfpfr_, fpsr_); }

// The x87 flags of the guest stay in fpsr_; the host's word collects only what is new.
void FpEnvironment::reload() {
    fp::write_mxcsr(mxcsr_of(pfpfr_));
    clear_status_word();
    write_control_word(control_word_of(fpcr_));
}

void FpEnvironment::watch() {
    fold();
    fp::write_mxcsr(mxcsr_of(pfpfr_) & ~std::uint32_t{fp::kAllFlags});
    clear_status_word();
}

std::uint32_t FpEnvironment::unmasked() {
    const std::uint32_t by_sse = fp::read_mxcsr() & ~(pfpfr_ >> kMxcsrMaskShift);
    const std::uint32_t by_x87 = read_status_word() & ~fpcr_;
    fold();
    reload();
    return (by_sse | by_x87) & fp::kAllFlags;
}

}  // namespace e2k::cpu
