// The source that code was made from, beside the addresses it became.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace e2k::machine {

/// One statement of a source, or one row of a line table.
struct SourceLine {
    std::uint64_t address = 0;
    std::uint64_t end = 0;   ///< behind its bytes
    std::uint32_t file = 0;  ///< index into SourceLines::files
    int line = 1, last_line = 1;
    std::string text;     ///< the lines as written
    std::string comment;  ///< of these lines and those above; of compiled code "FILE:LINE  TEXT"
    std::string note;     ///< "in macro NAME of line 7", or empty
};

struct SourceLines {
    std::vector<std::string> files;
    std::vector<SourceLine> lines;  ///< by address

    /// The line whose bytes hold `address`; null if none does.
    const SourceLine* at(std::uint64_t address) const {
        auto found = std::ranges::upper_bound(lines, address, {}, &SourceLine::address);
        if (found == lines.begin()) return nullptr;
        --found;
        return address < found->end ? &*found : nullptr;
    }
};

/// Of an assembler source, by assembling it, or of an ELF file by its line table (.debug_line),
/// with the text where the source is found, at its place or beside the program. Null if there is
/// neither.
std::shared_ptr<const SourceLines> source_lines(const std::string& path);

}  // namespace e2k::machine
