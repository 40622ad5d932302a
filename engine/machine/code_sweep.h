// Which bytes of a stretch of memory are bundles: a walk from what is known to be code.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/guest/elf_image.h"
#include "engine/machine/snapshot.h"

namespace e2k::machine {

/// Memory of [begin, begin + bytes.size()) as it was at one moment; the parts that cannot be read
/// are zero and marked by page.
struct CodeImage {
    static constexpr std::uint64_t kPage = 4096;
    std::uint64_t begin = 0;
    std::vector<std::uint8_t> bytes;
    std::vector<std::uint8_t> readable;  ///< of the page of `begin`, the next one, …
    std::uint64_t end() const { return begin + bytes.size(); }
    bool holds(std::uint64_t address) const {
        return address >= begin && address < end() &&
               readable[static_cast<std::size_t>(address / kPage - begin / kPage)];
    }
    bool operator==(const CodeImage&) const = default;
};

/// Rows of the bundles in `image`, ascending. Bundles begin at labels and where control comes from
/// the bundle before; behind a transfer that is always taken, bytes count as code if they are a
/// legal bundle. Array prefetch programs, data with symbols, padding and what else is no code have
/// no row. `executed`: places control was at, sorted; each has a row, even if it is no bundle.
std::vector<CodeView::Row> sweep_code(const CodeImage& image, const guest::SymbolTable* symbols,
                                      std::span<const std::uint64_t> executed, int iset);

}  // namespace e2k::machine
