// Guest FP control registers in the host's MXCSR and x87 control word (float.md §1, float80.md §1).
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
constexpr std::uint16_t kX87Exceptions = 0x80ff;  // flags, stack fault, summary, busy
void clear_status_word() { __asm__ volatile("fnclex"); }

// Reading these registers costs little, writing them a lot, and they are mostly as wanted: the
// translator comes here for each bundle that it hands to the interpreter.
void set_mxcsr(std::uint32_t v) {
    if (fp::read_mxcsr() != v) fp::write_mxcsr(v);
}
void set_x87(std::uint16_t control_word) {
    if (read_status_word() & kX87Exceptions) clear_status_word();
    if (read_control_word() != control_word) write_control_word(control_word);
}

}  // namespace

FpEnvironment::FpEnvironment(std::uint32_t& pfpfr, std::uint32_t& fpcr, std::uint32_t& fpsr)
    : pfpfr_(pfpfr),
      fpcr_(fpcr),
      fpsr_(fpsr),
      host_mxcsr_(fp::read_mxcsr()),
      host_x87_(read_control_word()) {
    reload();
}

FpEnvironment::~FpEnvironment() {
    fold();
    set_x87(host_x87_);
    set_mxcsr(host_mxcsr_);
}

void FpEnvironment::fold(std::uint32_t& pfpfr, std::uint32_t& fpsr) {
    pfpfr |= fp::read_mxcsr() & fp::kAllFlags;
    fpsr |= read_status_word() & fp::kAllFlags;
}

void FpEnvironment::fold() { fold(pfpfr_, fpsr_); }

// The x87 flags of the guest stay in fpsr_; the host's word collects only what is new.
void FpEnvironment::reload() {
    set_mxcsr(mxcsr_of(pfpfr_));
    set_x87(control_word_of(fpcr_));
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
