// Macros: their heads, the arguments of a use, and what becomes of the body.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/isa/assembler/complaints.h"

namespace e2k::isa::assembler {

/// Lines that are read again: of a macro or of a repetition.
struct Body {
    std::string text;
    std::vector<Origin> origins;  ///< of each line
};

struct Parameter {
    std::string name, value;  ///< value: what an argument that is not given becomes
    bool required = false;    ///< `:req`
    bool rest = false;        ///< `:vararg`: takes the rest of the line
};

struct Macro {
    std::string name;
    std::vector<Parameter> parameters;
    Body body;
    unsigned uses = 0;
};

/// What is wrong with a head or a use: the part and why.
struct MacroComplaint {
    std::string part, message;
};

/// How arguments are read.
struct ArgumentStyle {
    bool alternate = false;  ///< after `.altmacro`: <a b>, 'a b', and %expression
    /// The number that an expression is, in digits; nothing if it is no constant.
    std::function<std::optional<std::string>(std::string_view)> evaluate = {};
};

/// Values of the parameters by name.
using Arguments = std::map<std::string, std::string, std::less<>>;

/// Reads `NAME [A[:req|:vararg][=default], …]`; blanks separate as commas do.
std::optional<MacroComplaint> parse_macro_head(std::string_view head, const ArgumentStyle& style,
                                               Macro& macro);
/// Reads the arguments of a use: by place or as `NAME=value`.
std::optional<MacroComplaint> parse_arguments(const Macro& macro, std::string_view text,
                                              const ArgumentStyle& style, Arguments& values);
/// Values between commas or blanks, as `.irp` takes them.
std::vector<std::string> parse_values(std::string_view text, const ArgumentStyle& style);

/// Numbers that a body can ask for.
struct Numbers {
    std::optional<unsigned> macro;  ///< `\@`: macros used before this one
    unsigned here = 0;              ///< `\+`: uses of this macro or repetitions before
};
/// The body with `\A` replaced, `\()` gone; after `.altmacro` also plain A and A&B.
std::string substitute(std::string_view body, const Arguments& values, const Numbers& numbers,
                       bool alternate);

}  // namespace e2k::isa::assembler
