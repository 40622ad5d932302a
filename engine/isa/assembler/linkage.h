// The linker's part of the assembler: what a dynamic linker must do before the program runs, and
// the sections that tell it so.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/isa/assembler/complaints.h"
#include "engine/isa/assembler/dynamic_symbols.h"
#include "engine/isa/assembler/plt.h"
#include "engine/isa/assembler/program.h"
#include "engine/isa/assembler/relocations.h"
#include "engine/isa/assembler/sections.h"
#include "engine/isa/assembler/symbols.h"

namespace e2k::isa::assembler {

/// What an entry of the table of addresses holds.
enum class EntryKind : std::uint8_t {
    Address,
    ThreadOffset,    ///< from the thread pointer
    ThreadModule,    ///< number of the file that the variable is in
    ThreadPosition,  ///< in that file's thread-local block
};

class Linkage {
public:
    Linkage(const LinkOptions& options, Sections& sections, const SymbolMap& symbols);

    // ---- values --------------------------------------------------------------------------------
    /// Of an address in this file.
    int base() const { return options_.position_independent() ? 1 : 0; }
    /// Of a symbol that the source defines.
    SymbolValue defined(std::string_view name, const Symbol& symbol, SymbolValue value);
    /// Of one that it does not; `here`: where the reference stands.
    SymbolValue imported(std::string_view name, std::uint64_t here) const;
    /// Of `_DYNAMIC` and its kin.
    std::optional<SymbolValue> own_symbol(std::string_view name) const;
    /// Offset of an entry in .got, which is made if there is none.
    std::uint64_t entry(EntryKind kind, std::string_view name);
    /// From the thread pointer to a variable of this program; the error says why it is unknown.
    tl::expected<std::uint64_t, std::string> thread_offset(std::string_view name) const;

    // ---- passes --------------------------------------------------------------------------------
    void begin_pass(int pass, int iset);
    void note(std::size_t section, int part, std::uint64_t offset,
              const std::vector<LinkedField>& fields);
    /// Makes the sections of a pass; complains about what cannot be linked.
    void end_pass(Complaints& errors);
    /// True if the pass has found nothing that the last one had not.
    bool settled() const { return !changed_; }

    /// Names of other files' symbols, for the table of symbols of the file.
    std::vector<AssembledSymbol> others() const;
    /// Sections whose contents are made here.
    static bool owns_section(std::string_view name);

private:
    struct Entry {
        EntryKind kind;
        std::string name;
    };
    struct Copy {
        std::uint64_t size = 0, offset = 0;
    };

    bool is_defined(std::string_view name) const;
    const Symbol* symbol(std::string_view name) const;
    bool is_weak(std::string_view name) const;
    /// Another file's definition may take the place of this one.
    bool is_preemptible(const Symbol& symbol) const;
    const LibrarySymbol* known(std::string_view name) const;
    std::uint64_t size_of_object(std::string_view name) const;
    bool is_function(std::string_view name) const;

    void need_stub(const std::string& name);
    void need_copy(const std::string& name, std::uint64_t size);
    std::optional<std::uint64_t> stub_address(std::string_view name) const;
    std::optional<std::uint64_t> copy_address(std::string_view name) const;
    PltPlan plan() const;

    void find_needs();
    void place_copies();
    void list_symbols();
    void relocate(const NotedField& field, Complaints& errors);
    void relocate_entry(const Entry& entry, std::uint64_t at, std::uint64_t& word,
                        Complaints& errors);
    void fill_table(Complaints& errors);
    DynamicSymbol exported(const std::string& name, const Symbol& symbol) const;
    DynamicSymbol wanted(const std::string& name) const;
    void write_symbols();
    void write_dynamic(Complaints& errors);
    std::vector<std::uint64_t> dynamic_words();
    void put(std::string_view name, const SectionKind& kind, std::span<const std::uint8_t> bytes,
             std::uint64_t alignment = 8);
    std::uint64_t place_of(const NotedField& field) const;
    std::uint16_t file_index(std::size_t section) const;

    const LinkOptions& options_;
    Sections& sections_;
    const SymbolMap& symbols_;
    int pass_ = 0;
    bool changed_ = false;
    int iset_ = 4;

    // Found so far; these only grow.
    std::vector<std::string> stubs_;
    std::map<std::string, std::size_t, std::less<>> stub_numbers_;
    std::map<std::string, Copy, std::less<>> copies_;
    std::set<std::string, std::less<>> canonical_;  ///< their stubs are their addresses
    std::vector<Entry> entries_;
    std::map<std::pair<EntryKind, std::string>, std::size_t> entry_numbers_;

    // Of this pass.
    std::vector<NotedField> fields_;
    std::vector<Relocation> relocations_, slots_;
    DynamicSymbols table_;
    bool text_relocations_ = false;
    std::vector<std::size_t> file_order_;  ///< sections by their number in the file
    Trouble trouble_;
};

/// STT_… of a symbol.
unsigned elf_symbol_type(SymbolType type);

}  // namespace e2k::isa::assembler
