// The parts of the operation table, one file per group of families.
#pragma once

#include <span>

#include "engine/isa/operation.h"

namespace e2k::isa::table {

/// One flag as a mask (the operators of OpFlag join two or more).
constexpr std::uint16_t bit(OpFlag f) { return static_cast<std::uint16_t>(f); }

std::span<const Operation> integer_rows();
std::span<const Operation> integer_combined_rows();
std::span<const Operation> shift_combined_rows();
std::span<const Operation> float_rows();
std::span<const Operation> float_packed_rows();
std::span<const Operation> packed_rows();
std::span<const Operation> memory_rows();
std::span<const Operation> state_rows();
std::span<const Operation> plog_rows();
std::span<const Operation> control_rows();

}  // namespace e2k::isa::table
