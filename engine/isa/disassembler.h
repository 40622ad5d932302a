// objdump-compatible text of bundles (disassembly.md).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/isa/bundle.h"

namespace e2k::isa {

/// The default is objdump's text, character for character. `native()` says what is meant where
/// objdump cannot: names of plog/qplog, array-unit registers, v6 state registers.
struct DisassemblyStyle {
    bool canonical_plog = false;   ///< print plog_0xNN instead of objdump's "ambiguous"
    bool canonical_aau = false;    ///< print aaurw/aaurr/ldaa as themselves (disassembly.md §5)
    bool all_state_names = false;  ///< name also state registers objdump calls "(null)"

    static constexpr DisassemblyStyle native() { return {true, true, true}; }
};

/// One string per operation line, in objdump's print order, blanks normalised.
std::vector<std::string> disassemble(const Bundle& bundle, const DisassemblyStyle& style = {});

/// Where a line of `disassemble` comes from.
enum class Unit : std::uint8_t { Hs, Ss, Als, Cs0, Cs1, Aas, Pls, Async };
struct DisassemblyLine {
    std::string text;
    Unit unit = Unit::Hs;
    std::int8_t channel = -1;  ///< ALS or mova channel, PLS number, -1 elsewhere
};
/// The same lines, each with the unit that carries it.
std::vector<DisassemblyLine> disassemble_lines(const Bundle& bundle,
                                               const DisassemblyStyle& style = {});

/// Text of one ALS operation without mnemonic prefix blanks, e.g. "addd,0,sm %dr1, 0x8, %dr2".
std::string format_als(const Bundle& bundle, int channel, const DisassemblyStyle& style = {});
/// Text of one operand with the prefix of the width the operation uses: "%dr5", "_f32s 0x10",
/// "%pred3", "%lsr"; empty for none.
std::string operand_text(const Bundle& bundle, const Operand& operand);
/// Name of a PLU input: "%pred3", "%lcntex" (syllables.md §8).
std::string elp_text(unsigned code);
/// Name of a guard: "~%pcnt2".
std::string predicate_text(const PredicateRef& predicate);
/// The two `apb` lines of a 16-byte asynchronous instruction.
std::vector<std::string> disassemble_async(std::span<const std::uint32_t, 4> words, int iset);
/// Text of a transfer condition without the leading `?`: "%pred3 || %LOOP_END"; empty for always,
/// never and reserved local comparisons (syllables.md §1.3).
std::string condition_text(const Stubs& ss);

/// Name of a state register ("%lsr"), or empty.
std::string_view state_register_name(std::uint8_t code);
/// As objdump prints it: "(null)" for registers it does not know.
std::string_view objdump_state_register_name(std::uint8_t code);
/// Name of an array-unit register accessed by aaurw/aaurr, e.g. "%aaind5" (syllables.md §4.1).
std::string aau_register_name(const AauAddress& address);

}  // namespace e2k::isa
