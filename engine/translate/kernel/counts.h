// How often kernels were made and entered in this process, for tests that must know that they were.
#pragma once

#include <cstdint>

namespace e2k::translate {

struct KernelCounts {
    std::uint64_t made = 0;
    std::uint64_t entered = 0;  ///< by code made with TranslatorOptions::statistics
};
KernelCounts kernel_counts();

}  // namespace e2k::translate
