// `e2kwb disasm`: the code of an ELF file.
#include <algorithm>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "app/commands.h"
#include "engine/guest/elf_image.h"
#include "engine/isa/listing.h"

namespace e2k::app {

namespace {

struct Range {
    std::uint64_t begin = 0, end = ~0ull;
};

std::optional<Range> range_of(const guest::SymbolTable& symbols, const std::string& name) {
    const guest::Symbol* symbol = symbols.by_name(name);
    if (!symbol) return std::nullopt;
    if (symbol->size != 0) return Range{symbol->address, symbol->address + symbol->size};
    // Hand-written functions often have no size: up to the next symbol then.
    const auto& all = symbols.all();
    const auto next = std::ranges::upper_bound(all, symbol->address, {}, &guest::Symbol::address);
    return Range{symbol->address, next == all.end() ? ~0ull : next->address};
}

void print(const guest::ElfImage& image, const guest::Section& section, Range range,
           const isa::ListingOptions& options) {
    const std::uint64_t first = std::max(range.begin, section.address);
    const std::uint64_t last = std::min(range.end, section.address + section.file_size);
    if (first >= last) return;
    const std::span code(image.bytes.data() + section.offset + (first - section.address),
                         static_cast<std::size_t>(last - first));
    isa::list_code(code, first, options, [&](const isa::ListingRow& row) {
        return results().write(isa::to_text(row, options));
    });
}

}  // namespace

int disasm(const DisasmOptions& options) {
    const auto image = guest::ElfImage::load(options.file);
    if (!image) {
        complain(image.error());
        return kExitFailure;
    }
    const guest::SymbolTable symbols(image->symbols);
    isa::ListingOptions listing;
    listing.iset = options.processor.iset ? options.processor.iset : image->iset;
    listing.show_words = options.raw;
    listing.symbols = [&](std::uint64_t address) -> std::optional<isa::SymbolAt> {
        const guest::Symbol* symbol = symbols.find(address);
        if (!symbol) return std::nullopt;
        return isa::SymbolAt{symbol->name, address - symbol->address};
    };
    Range range;
    if (!options.symbol.empty()) {
        const auto found = range_of(symbols, options.symbol);
        if (!found) {
            complain(fmt::format("{}: no symbol \"{}\"", options.file, options.symbol));
            return kExitFailure;
        }
        range = *found;
    }
    for (const guest::Section& section : image->sections) {
        if (!section.executable || section.size == 0) continue;
        if (options.symbol.empty()) results().print("\nDisassembly of section {}:\n", section.name);
        print(*image, section, range, listing);
    }
    return 0;
}

}  // namespace e2k::app
