// Host registers of a kernel.
#pragma once

#include <asmjit/x86.h>

#include <cstddef>

#include "engine/translate/host_frame.h"
#include "engine/translate/kernel/facts.h"

namespace e2k::translate {

/// So many pointers may be in registers: of passes that compute in floating point only; of others;
/// where code calls functions, which keep the first ones.
inline constexpr std::size_t kPointerRegisters = 5, kFewerPointers = 3, kKeptPointers = 2;

inline asmjit::x86::Gp kernel_pointer(std::size_t n) {
    constexpr std::uint32_t kIds[kPointerRegisters] = {13, 12, 11, 10, 9};
    return asmjit::x86::gpq(kIds[n]);
}

static_assert(sizeof(Frame::pointers) == kMostPointers * sizeof(std::uint64_t));

/// The others are in the frame.
inline asmjit::x86::Mem frame_pointer(std::size_t n) {
    return asmjit::x86::qword_ptr(
        asmjit::x86::rsp,
        static_cast<std::int32_t>(offsetof(Frame, pointers) + n * sizeof(std::uint64_t)));
}

}  // namespace e2k::translate
