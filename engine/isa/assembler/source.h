// A source cut into labels, directives, assignments and bundles.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/isa/assembler/assembler.h"
#include "engine/isa/assembler/complaints.h"

namespace e2k::isa::assembler {

struct Statement {
    enum class Kind : std::uint8_t { Label, Directive, Assignment, Bundle };
    Kind kind = Kind::Bundle;
    SourceLine line;                     ///< label name, directive, or first operation
    std::vector<SourceLine> operations;  ///< of a bundle
    bool braces = false;
};

/// Cuts `source`; the statements refer to its characters. Comments are gone.
std::vector<Statement> cut_source(std::string_view source, Complaints& errors);

}  // namespace e2k::isa::assembler
