// Fused multiply-add (v6) in two implementations with identical results and flags: the host's FMA
// instructions, and integer arithmetic for hosts without them (x86-64-v2 is the floor).
#pragma once

#include <cstdint>
#include <span>

#include "engine/cpu/semantics.h"

namespace e2k::cpu::fp {

/// One rounding of (-1)^negate_product * a * b + (-1)^negate_addend * c, by MXCSR's rounding mode
/// and FZ; raises flags in MXCSR. Operands and result are f64 images.
std::uint64_t fma_f64(std::uint64_t a, std::uint64_t b, std::uint64_t c, bool negate_product,
                      bool negate_addend);
/// The same for f32 images.
std::uint32_t fma_f32(std::uint32_t a, std::uint32_t b, std::uint32_t c, bool negate_product,
                      bool negate_addend);

/// True if the host has FMA instructions (and the system saves their registers).
bool host_has_fma();
/// The family by integer arithmetic; runs on every host.
std::span<const SemanticEntry> soft_fma_entries();
/// The family by FMA instructions; call its functions only if host_has_fma().
std::span<const SemanticEntry> host_fma_entries();

}  // namespace e2k::cpu::fp
