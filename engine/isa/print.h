// Text pieces shared by the files of the disassembler (disassembly.md).
#pragma once

#include <fmt/format.h>

#include <iterator>
#include <string>
#include <utility>

#include "engine/isa/disassembler.h"

namespace e2k::isa::print {

template <typename... Args>
void add(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

/// `size` is objdump's letter of the operand: s, d, q or p (128-bit register).
std::string register_text(const Operand& operand, char size);
std::string destination_text(const Operand& operand, char size);
/// " ? a, b", or nothing without guards.
std::string guards_text(const PredicateList& guards);
/// " ? cond" of SS; " ?" alone for a condition without text, nothing for "always".
std::string condition_suffix(const Stubs& ss);

/// Lines of ALS syllables, with the `incr` line behind a staa.
void append_als_lines(const Bundle& bundle, int channel, const DisassemblyStyle& style,
                      std::vector<DisassemblyLine>& out);

}  // namespace e2k::isa::print
