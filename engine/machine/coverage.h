// What of the instruction set is built: counted from the operation table and its registrations.
#pragma once

#include <string>
#include <vector>

#include "engine/isa/operation.h"

namespace e2k::machine {

/// How far an operation is built, in one version of the instruction set.
enum class Reach : std::uint8_t {
    Absent,       ///< the version does not have it
    Known,        ///< decoded and printed; executing it stops with a message naming it
    Privileged,   ///< defined to trap in a user's program; that is what it does
    Interpreted,  ///< executed by the interpreter only
    Called,       ///< translated as a call of its semantic function
    Emitted,      ///< host code of its own
};

/// What `mnemonic` reaches in version `iset`; the best of its rows.
Reach reach_of(std::string_view mnemonic, int iset);

struct CoverageCount {
    unsigned known = 0;        ///< operations the version has
    unsigned interpreted = 0;  ///< of these, executed (or trapping as defined)
    unsigned translated = 0;   ///< of these, in host code, by themselves or by a call
    unsigned emitted = 0;      ///< of these, as host code of their own
};

/// Counts of one family, operations counted by name.
struct FamilyCoverage {
    isa::Family family;
    CoverageCount versions[isa::kMaxIset + 1];  ///< by version; 0 is unused
};

std::vector<FamilyCoverage> coverage();

/// The counts as a table, one line a family: known/interpreted/emitted of each version. Below it
/// the operations that are known only. `iset` 0: versions 2 to 7.
std::string format_coverage(const std::vector<FamilyCoverage>& all, int iset);

}  // namespace e2k::machine
