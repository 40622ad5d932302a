// What counts.h is told by code.
#pragma once

#include <cstdint>

namespace e2k::translate {

extern std::uint64_t kernels_entered;

}  // namespace e2k::translate
