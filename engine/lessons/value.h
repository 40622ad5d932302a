// What a lesson can ask of a program that stands: registers, predicates, counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/machine/snapshot.h"

namespace e2k::lessons {

struct Value {
    enum class Kind : std::uint8_t {
        Window,      ///< %r3, %dr3
        Global,      ///< %g3, %dg3
        Based,       ///< %b[3], %db[3]
        Predicate,   ///< %pred3
        Transfer,    ///< %ctpr2: where it leads
        Place,       ///< ip
        Bundles,     ///< executed so far
        Operations,  ///< the same
        Depth,       ///< procedures on the chain stack
        WindowSize,  ///< registers of the procedure
        Exit,        ///< exit code of a program that has ended
    };
    Kind kind = Kind::Place;
    unsigned index = 0;
    bool narrow = false;  ///< 32 bits of a register
    bool tag = false;     ///< `tag %r3`: 0 of a number
    std::string text;     ///< as written
};

/// Nothing if the text names none.
std::optional<Value> parse_value(std::string_view text);
/// Nothing where the program has no such thing now.
std::optional<std::uint64_t> value_of(const Value& value, const machine::Snapshot& now);
/// Index in the window of the register that is called %b[n] now; -1: none is.
int based_register(const machine::Snapshot& now, unsigned n);
/// A number as people write it: decimal, with a sign, or 0x…; nothing else.
std::optional<std::uint64_t> parse_number(std::string_view text);
/// Address of "main", "main+0x18" or "0x10b70"; 0 if it means nothing. Offsets are hexadecimal.
std::uint64_t place_address(std::string_view text, const guest::SymbolTable* symbols);

}  // namespace e2k::lessons
