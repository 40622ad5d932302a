// Text that came out of a file or a guest, made fit for a terminal and for the window.
#pragma once

#include <string>
#include <string_view>

namespace e2k::isa {

/// `text` with everything that could steer a terminal written out: control characters (C0, DEL,
/// C1), bytes that are no UTF-8, line and paragraph separators, and the marks that turn the
/// direction of writing, as \xNN for each byte. All else stays, UTF-8 letters included. `keep`
/// names control characters that may stay, e.g. "\n\t" in a message of several lines.
std::string printable(std::string_view text, std::string_view keep = {});

}  // namespace e2k::isa
