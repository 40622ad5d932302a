// ELF64 files for Elbrus: exact refusal messages, segments, symbols (elf.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace e2k::guest {

struct Segment {
    std::uint64_t vaddr, memsz, filesz, offset;
    int prot;
};
struct Symbol {
    std::uint64_t address, size;
    std::string name;
    bool function;
};
/// A section, or of a file without sections an executable segment: what a listing shows.
struct Section {
    std::string name;
    std::uint64_t address, size, offset;
    std::uint64_t file_size;  ///< bytes of the file that are in it: 0 for NOBITS
    bool executable;
};

/// A parsed executable; the bytes stay with it. Names are fit for a terminal (isa::printable).
struct ElfImage {
    std::string path;
    std::vector<std::uint8_t> bytes;
    std::uint64_t entry = 0, phdr_address = 0;
    std::uint16_t phnum = 0, phentsize = 56;
    std::uint32_t e_flags = 0;
    int iset = 4;  ///< from e_flags (elf.md §2)
    std::uint8_t idr_model = 7;
    bool position_independent = false;
    std::string interpreter;  ///< PT_INTERP, empty if static
    std::string linker;  ///< of the dynamic linker whose parts are among the others (sysroot.h)
    std::uint64_t linker_base = 0, start = 0;  ///< its place, and where it begins
    std::vector<Segment> segments;
    std::vector<Section> sections;
    std::vector<Symbol> symbols;  ///< sorted by address, functions before objects at equal address

    /// Reads a program file. An assembler source ("x.s") is assembled first; the error then lists
    /// what is wrong with it, on several lines.
    static tl::expected<ElfImage, std::string> load(const std::string& path);
    static tl::expected<ElfImage, std::string> parse(std::vector<std::uint8_t> bytes,
                                                     std::string path);
    /// A shared object, to be loaded `bias` bytes above the addresses in it; it needs no entry.
    static tl::expected<ElfImage, std::string> parse_library(std::vector<std::uint8_t> bytes,
                                                             std::string path, std::uint64_t bias);

private:
    static tl::expected<ElfImage, std::string> parse_at(std::vector<std::uint8_t> bytes,
                                                        std::string path,
                                                        std::optional<std::uint64_t> library_bias);
};

/// Address → "name+0x18". Immutable once built; shared with snapshots.
class SymbolTable {
public:
    SymbolTable() = default;
    explicit SymbolTable(std::vector<Symbol> symbols);
    const Symbol* find(std::uint64_t address) const;  ///< symbol that covers or precedes address
    const Symbol* by_name(std::string_view name) const;
    std::string describe(std::uint64_t address) const;  ///< "main+0x18", or "" if none
    const std::vector<Symbol>& all() const { return symbols_; }

private:
    std::vector<Symbol> symbols_;
};

}  // namespace e2k::guest
