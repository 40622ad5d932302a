// Numbers and names as the workbench writes them. Digit groups are separated by U+2009, which is
// drawn narrow (ink.h) and left out of copied and dumped text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/guest/elf_image.h"

namespace e2k::ui {

inline constexpr std::string_view kThinSpace = "\u2009";

/// "0x10b70": lower case, no leading zeros.
std::string hex(std::uint64_t value);
/// "0x0000 4afa" with thin spaces: `digits` hex digits in groups of four.
std::string hex_grouped(std::uint64_t value, int digits = 16);
/// "12 345 678" with thin spaces.
std::string decimal_grouped(std::uint64_t value);
std::string signed_grouped(std::int64_t value);
/// "41.3 M", "870", "12.0 k": three significant digits, SI suffix.
std::string si(double value);
/// "312 B", "1.8 KiB", "4.0 MiB".
std::string byte_size(std::uint64_t bytes);
/// "83 µs", "1.20 ms", "2.5 s".
std::string duration(double seconds);
/// Shortest text that reads back as the same double; "nan(0x…)" keeps the payload visible.
std::string float64(std::uint64_t bits);

/// `text` without thin spaces: what is copied, dumped and compared.
std::string without_thin_spaces(std::string_view text);

/// "main+0x18", or the address when no symbol covers it. `symbols` may be null.
std::string place(const guest::SymbolTable* symbols, std::uint64_t address);
/// Name of the procedure at `address` without the offset, or its address.
std::string procedure(const guest::SymbolTable* symbols, std::uint64_t address);

/// Columns of a UTF-8 string in a fixed-width font, thin spaces not counted.
std::size_t columns(std::string_view text);

}  // namespace e2k::ui
