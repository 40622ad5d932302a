// objdump-compatible text of bundles (disassembly.md part A).
#pragma once

#include <string>
#include <vector>

#include "engine/isa/bundle.h"

namespace e2k::isa {

struct DisassemblyStyle {
    bool canonical_plog = false;  ///< print plog_0xNN instead of objdump's "ambiguous"
};

/// One string per operation line, in objdump's print order, blanks normalised.
std::vector<std::string> disassemble(const Bundle& bundle, const DisassemblyStyle& style = {});

/// Text of one ALS operation without mnemonic prefix blanks, e.g. "addd,0,sm %dr1, 0x8, %dr2".
std::string format_als(const Bundle& bundle, int channel, const DisassemblyStyle& style = {});
/// The two `apb` lines of a 16-byte asynchronous instruction.
std::vector<std::string> disassemble_async(std::span<const std::uint32_t, 4> words, int iset);
/// Name of a state register ("%lsr"), or empty.
std::string_view state_register_name(std::uint8_t code);

}  // namespace e2k::isa
