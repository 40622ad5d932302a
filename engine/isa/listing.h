// Linear listing of code bytes: rows for `e2kwb disasm` and the code panels.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/isa/bundle.h"
#include "engine/isa/disassembler.h"

namespace e2k::isa {

/// Symbol that covers or precedes an address.
struct SymbolAt {
    std::string_view name;
    std::uint64_t offset = 0;  ///< bytes from the symbol's start
};
using SymbolLookup = std::function<std::optional<SymbolAt>(std::uint64_t)>;

struct ListingOptions {
    int iset = 4;
    DisassemblyStyle style = DisassemblyStyle::native();
    SymbolLookup symbols = {};  ///< may be empty: no labels, bare targets
    bool skip_zeros = true;     ///< fold runs of two or more empty bundles into one row
    bool show_words = false;    ///< raw words on the address line of `to_text`
};

/// One row of the listing.
struct ListingRow {
    enum class Kind : std::uint8_t {
        Bundle,
        Async,    ///< 16-byte entry of an array prefetch program, found by following `ldisp`
        Zeros,    ///< folded run of empty bundles
        Invalid,  ///< no bundle starts here; the listing goes on 8 bytes further
    };
    Kind kind = Kind::Bundle;
    std::uint64_t address = 0;
    std::uint64_t length = 8;             ///< bytes the row covers
    std::string label;                    ///< symbol that starts here, or empty
    std::vector<std::uint32_t> words;     ///< raw, in memory order; empty for Zeros
    std::vector<DisassemblyLine> lines;   ///< operations; targets carry "<symbol+0x18>"
    std::optional<std::uint64_t> target;  ///< of disp, ldisp, ibranch, icall
    std::string problem;  ///< why the bytes are no bundle, or must not execute; else empty
};

/// Rows of `bytes` loaded at `start`, in order. `row` returns false to stop. Bytes that are no
/// bundle give an Invalid row each 8 bytes, so that the listing finds the next bundle again.
void list_code(std::span<const std::uint8_t> bytes, std::uint64_t start,
               const ListingOptions& options, const std::function<bool(const ListingRow&)>& row);
std::vector<ListingRow> list_code(std::span<const std::uint8_t> bytes, std::uint64_t start,
                                  const ListingOptions& options);

/// Row of one decoded bundle, for callers that walk the code themselves.
ListingRow list_bundle(const Bundle& bundle, const ListingOptions& options);

/// Address of an array prefetch program the bundle prepares, if it does.
std::optional<std::uint64_t> array_program_of(const Bundle& bundle);

/// "<main+0x18>", or empty without a symbol.
std::string symbolic(std::uint64_t address, const SymbolLookup& symbols);

/// The row as text: label, address line, one indented line per operation, an empty line.
std::string to_text(const ListingRow& row, const ListingOptions& options);

}  // namespace e2k::isa
