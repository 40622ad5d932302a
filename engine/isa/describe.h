// Words about operations and the bit fields of syllables: hover texts and the x-ray view.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/isa/bundle.h"

namespace e2k::isa {

/// "scalar integer arithmetic", in the singular, lower case.
std::string_view family_name(Family family);
/// "src1, src2 -> dst" style name of the syllable format, e.g. "ALOPF21".
std::string_view format_name(Format format);
/// Bits of an operand of this width; 0 where it is no register value.
unsigned width_bits(Width width);

/// An operation in plain words.
struct OperationDescription {
    std::string title;     ///< mnemonic and what it is: "addd: integer arithmetic"
    std::string formula;   ///< from the operation table; may be empty
    std::string operands;  ///< "src1 64, src2 64 -> dst 64 bits"
    std::string latency;   ///< "1 cycle", empty if unknown
    std::string channels;  ///< "ALC0, ALC1, ALC3, ALC4"
    std::string versions;  ///< "since v5", "v1 to v2"
    std::vector<std::string> notes;

    std::string text() const;  ///< all of it, one fact a line
};
OperationDescription describe(const Operation& op);

/// A field of a syllable. Bit numbers count inside the syllable.
struct BitField {
    std::string_view name;
    std::uint8_t high = 0, low = 0;
    std::uint32_t value = 0;
    std::string meaning;  ///< what this value means here; may be empty
};

/// A syllable and where it lies: bits `low_bit + width - 1 .. low_bit` of word `word`.
struct SyllableView {
    std::string name;  ///< "HS", "ALS0", "ALES3", "AAS1", "LTS0", "CDS0.hi", "gap"
    std::uint8_t word = 0, low_bit = 0, width = 32;
    std::uint32_t raw = 0;
    std::vector<BitField> fields;  ///< from the highest bit down, without gaps
};

/// Every syllable of the bundle in memory order (a word's upper half first). Together they cover
/// all words.
std::vector<SyllableView> describe_syllables(const Bundle& bundle);

}  // namespace e2k::isa
