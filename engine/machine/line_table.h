// The line table of an ELF file (.debug_line): which line of which source an address comes from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace e2k::machine {

struct LineTable {
    struct Row {
        std::uint64_t address = 0, end = 0;  ///< end: behind its bytes
        std::uint32_t file = 0;              ///< index into `files`
        int line = 1;
    };
    std::vector<std::string> files;  ///< as the compiler named them, absolute where it said so
    std::vector<Row> rows;           ///< by address, none of them empty
};

/// What the file says, at most a million rows; nothing of a file without a table, or with one that
/// cannot be read. Addresses are those in the file.
LineTable read_line_table(const std::string& path);

}  // namespace e2k::machine
