// Instruction sets of the host that code may use where they make it shorter.
#pragma once

#include <optional>

namespace e2k::translate {

struct HostFeatures {
    bool avx = false;   ///< three operands
    bool bmi2 = false;  ///< pdep
    bool operator==(const HostFeatures&) const = default;
};

/// What this host has, or what a test has put in its place.
const HostFeatures& host_features();

/// At most what the host has; none: that again. Not while anything is translated.
void limit_host_features_for_test(std::optional<HostFeatures> features);

}  // namespace e2k::translate
