// A report on translated code as JSON and CSV: what `e2kwb quality --json` writes and the window
// exports.
#pragma once

#include <cstdint>
#include <string>

#include "engine/guest/elf_image.h"
#include "engine/translate/quality.h"

namespace e2k::machine {

/// "10b70 main+0x18", or the address alone.
std::string quality_place(const guest::SymbolTable* symbols, std::uint64_t address);
std::string quality_json(const translate::QualityReport& report, const guest::SymbolTable* symbols);
/// A line for each region that was executed, largest excess first, under a line of names.
std::string quality_csv(const translate::QualityReport& report, const guest::SymbolTable* symbols);

}  // namespace e2k::machine
