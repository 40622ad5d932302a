// Macros, repetition, conditions and included files: a source becomes plain lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/isa/assembler/program.h"

namespace e2k::isa::assembler {

/// Where a plain line comes from.
struct Origin {
    int file = 0;      ///< index into `ExpandedSource::files`
    int line = 1;      ///< line of that file, from 1; inside a macro, of its body
    std::string note;  ///< "in macro NAME of line 7", or empty
    std::string text;  ///< of a line that is not in the output: a directive that is done
};

struct ExpandedSource {
    std::string text;             ///< line k (from 1) has the origin `origins[k - 1]`
    std::vector<Origin> origins;  ///< a directive that is done leaves an empty line behind
    std::vector<std::string> files{std::string()};  ///< the first is the source itself
    std::vector<AssemblyError> errors;              ///< lines count as in `text`
};

/// Expands `.macro NAME [A[=default], …]` … `.endm` (arguments as `\A`, a number per use as `\@`),
/// `.rept N` … `.endr`, `.if`, `.ifdef`, `.ifndef`, `.else`, `.endif` and `.include "FILE"`.
/// Counts and conditions see the constants that `.equ`, `.set` and `NAME =` defined before.
/// A macro is used by a line of its own, after labels if any.
ExpandedSource preprocess(std::string_view source, const SourceReader& read);

}  // namespace e2k::isa::assembler
