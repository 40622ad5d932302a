// Registrations of the floating-point families; semantics_of() collects them.
#pragma once

#include <array>
#include <span>

#include "engine/cpu/semantics.h"

namespace e2k::cpu {

std::span<const SemanticEntry> fp_scalar_entries();
std::span<const SemanticEntry> fp_compare_entries();
std::span<const SemanticEntry> fp_convert_entries();
std::span<const SemanticEntry> fp_combined_entries();
std::span<const SemanticEntry> fp_combined_packed_entries();
std::span<const SemanticEntry> fp_fma_entries();
std::span<const SemanticEntry> fp_packed64_entries();
std::span<const SemanticEntry> fp_packed128_entries();
std::span<const SemanticEntry> fp80_entries();

/// All of the above.
inline std::array<std::span<const SemanticEntry>, 9> fp_families() {
    return {fp_scalar_entries(),   fp_compare_entries(),         fp_convert_entries(),
            fp_combined_entries(), fp_combined_packed_entries(), fp_fma_entries(),
            fp_packed64_entries(), fp_packed128_entries(),       fp80_entries()};
}

}  // namespace e2k::cpu
