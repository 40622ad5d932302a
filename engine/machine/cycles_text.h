// What the cycle model has counted, as text and as JSON: `e2kwb cycles`.
#pragma once

#include <cstddef>
#include <string>

#include "engine/guest/elf_image.h"
#include "engine/timing/model.h"

namespace e2k::machine {

/// Totals, use of the channels, stalls by reason, and the `top` hottest bundles.
std::string cycles_text(const timing::CycleModel& model, const guest::SymbolTable* symbols,
                        std::size_t top);
std::string cycles_json(const timing::CycleModel& model, const guest::SymbolTable* symbols);

}  // namespace e2k::machine
