// Names of flags and constants for the log.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {

struct Named {
    std::uint64_t value;
    const char* name;
};

/// Names a value of a set: one of `values` in the bits `value_mask`, then every flag of `flags`;
/// what remains is shown in hexadecimal.
struct NameSet {
    std::uint64_t value_mask = 0;
    std::span<const Named> values;
    std::span<const Named> flags;
    const char* zero = "0";  ///< text of an empty set
};

/// The set of an argument kind, or nullptr if the kind has no names.
const NameSet* names_of(Arg kind);
std::string name_flags(const NameSet& set, std::uint64_t value);

}  // namespace e2k::guest
