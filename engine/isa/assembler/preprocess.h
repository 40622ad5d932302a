// Macros, repetition, conditions and included files: a source becomes plain lines.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/isa/assembler/complaints.h"
#include "engine/isa/assembler/program.h"

namespace e2k::isa::assembler {

struct ExpandedSource {
    std::string text;             ///< line k (from 1) has the origin `origins[k - 1]`
    std::vector<Origin> origins;  ///< a directive that is done leaves an empty line behind
    std::vector<std::string> files{std::string()};  ///< the first is the source itself
    std::vector<std::string> notes{std::string()};  ///< "in macro NAME of line 7"; the first: none
    Complaints errors{origins}, warnings{origins};  ///< lines count as in `text`
    std::vector<std::string> printed;               ///< by `.print`
    /// The source takes too much or says `.abort`: assembling what there is has no use.
    bool hopeless = false;

    ExpandedSource() = default;
    ExpandedSource(const ExpandedSource&) = delete;
    ExpandedSource& operator=(const ExpandedSource&) = delete;
};

/// Value that a symbol has at the end of the plain lines so far; nothing if it is not known.
using EarlyValues =
    std::function<std::optional<SymbolValue>(std::string_view name, const ExpandedSource& so_far)>;

/// Expands `.macro` … `.endm`, `.rept`, `.irp`, `.irpc` … `.endr`, `.if` and its kin … `.endif`,
/// `.include "FILE"`, and does `.exitm`, `.purgem`, `.altmacro`, `.end`, `.error`, `.warning`,
/// `.print`, `.abort` (README.md of this folder). Counts and conditions see the constants defined
/// before and what `early` knows. Stops with an error at 2^20 statements made by macros and
/// repetitions.
void preprocess(std::string_view source, const SourceReader& read, const EarlyValues& early,
                ExpandedSource& out);

}  // namespace e2k::isa::assembler
