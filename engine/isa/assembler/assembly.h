// State of the passes over one source; the directives are its member functions.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/isa/assembler/complaints.h"
#include "engine/isa/assembler/cursor.h"
#include "engine/isa/assembler/linkage.h"
#include "engine/isa/assembler/preprocess.h"
#include "engine/isa/assembler/program.h"
#include "engine/isa/assembler/sections.h"
#include "engine/isa/assembler/source.h"
#include "engine/isa/assembler/symbols.h"

namespace e2k::isa::assembler {

class Assembly {
public:
    Assembly(std::string_view source, const ProgramSourceOptions& options);
    tl::expected<AssembledProgram, AssemblyErrors> run();

private:
    struct Probe {};
    /// A pass that goes along with the preprocessor, for the values of labels it asks for.
    Assembly(Probe, const ProgramSourceOptions& options);
    std::optional<SymbolValue> early_value(std::string_view name, const ExpandedSource& so_far);
    void take_early(std::string_view text);

    // program.cpp: passes
    void run_pass();
    void statement(const Statement& s);
    bool settled(const SymbolMap& before) const;
    void check_symbols();
    AssemblyErrors placed(AssemblyErrors errors) const;
    std::string source_line(int first, int last) const;
    AssembledProgram program();
    void place_symbols(AssembledProgram& out, const std::vector<int>& section_numbers) const;
    void place_lines(AssembledProgram& out) const;

    // assembly.cpp: statements
    void label(const SourceLine& line);
    void assignment(const SourceLine& line);
    void bundle(const Statement& s);
    struct InnerLabel;
    std::vector<SourceLine> without_labels(const Statement& s, std::vector<InnerLabel>& labels);
    static bool is_array_program(const std::vector<SourceLine>& operations);
    void array_program(const SourceLine& line, bool last);
    void end_array_program();
    void fail(const SourceLine& line, std::string message);
    void warn(const SourceLine& line, std::string message);
    Cursor cursor(const SourceLine& line) { return {line, lookup_}; }
    /// Complains if something is left; false after an error.
    bool finish(Cursor& in);
    /// Complains if there is trouble; false then.
    bool check(const SourceLine& line, Trouble trouble);
    void emit(const SourceLine& line, std::span<const std::uint8_t> bytes, int last_line = 0);
    bool in_segments() const { return options_.link.dynamic() || sections_.has_thread_block(); }
    bool lay_out();

    // symbol_values.cpp
    std::optional<SymbolValue> value_of(std::string_view name);
    std::optional<SymbolValue> defined_value(std::string_view name);
    std::optional<SymbolValue> undefined_value(std::string_view name);
    std::optional<SymbolValue> lazy_value(const std::string& expression);
    std::optional<SymbolValue> reference(std::string_view name, std::string_view kind);
    std::optional<SymbolValue> local_label(std::string_view name);
    std::string dollar_name(std::string_view number) const;
    void define(const SourceLine& where, const std::string& name, Symbol value);
    Symbol label_here() const;
    enum class Redefine : std::uint8_t { Allowed, Refused };
    void assign(Cursor& in, const std::string& name, Redefine redefine);
    void assign_lazily(Cursor& in, const std::string& name);

    // Directives: each has a row in directives.cpp.
    struct Directive {
        const SourceLine& line;
        std::string name;  ///< in lower case
        Cursor in;
    };
    struct DirectiveRow;
    static const DirectiveRow* row_of(std::string_view name);
    void directive(const SourceLine& line, bool inside_bundle);
    void ignored(Directive&) {}

    // directives_section.cpp
    void usual_section(Directive& d);
    void named_section(Directive& d);
    void subsection(Directive& d);
    void pop_section(Directive& d);
    void previous_section(Directive& d);
    void absolute_section(Directive& d);
    void alignment(Directive& d);
    void origin(Directive& d);
    void style(Directive& d);
    void processor(Directive& d);
    std::optional<SectionKind> section_flags(Cursor& in, std::string_view name);
    void section_type(Cursor& in, std::optional<SectionKind>& kind);
    void section_rest(Cursor& in);
    void move_to(Cursor& in);

    // directives_data.cpp
    void integers(Directive& d);
    void octas(Directive& d);
    void reals(Directive& d);
    void leb128(Directive& d);
    void strings(Directive& d);
    void register_code(Directive& d);
    void space(Directive& d);
    void fill(Directive& d);
    void repeated(Directive& d);
    void binary_file(Directive& d);
    template <class Read>
    void contents(Directive& d, const Read& read);
    std::optional<std::uint64_t> count(Cursor& in, std::string_view what);

    // directives_symbol.cpp
    void binding(Directive& d);
    void visibility(Directive& d);
    void set_symbol(Directive& d);
    void symbol_type(Directive& d);
    void symbol_size(Directive& d);
    void weak_reference(Directive& d);
    void local_common(Directive& d);
    void common(Directive& d);
    void place_commons();
    void refused(Directive& d);

    ProgramSourceOptions options_;
    int iset_;
    ExpandedSource expanded_;
    std::vector<std::size_t> line_starts_;
    std::vector<Statement> statements_;
    Complaints first_errors_{expanded_.origins};  ///< of macros and cutting; they stay
    Complaints errors_{expanded_.origins}, warnings_{expanded_.origins};
    AssemblyErrors bundle_warnings_;

    struct NotedLine {
        int line = 1, last_line = 1;  ///< of the expanded source
        std::uint64_t address = 0;
        std::vector<std::uint8_t> bytes;
    };
    std::vector<NotedLine> lines_;

    Sections sections_;
    SymbolMap symbols_;
    Linkage linkage_{options_.link, sections_, symbols_};
    std::vector<LinkedField> statement_fields_;  ///< of the bytes that come next
    Definitions definitions_;
    std::map<std::string, int, std::less<>> local_counts_;
    int dollar_scope_ = 0;  ///< labels so far: `1$` lives between two
    SymbolValues lookup_ = [this](std::string_view name) { return value_of(name); };
    std::vector<Definitions::Use>* uses_ = nullptr;  ///< where a definition notes its uses
    int lazy_depth_ = 0;
    std::size_t lazy_count_ = 0;
    struct Common {
        std::string name;
        std::uint64_t size = 0, alignment = 1;
        SourceLine line = {};
    };
    std::vector<Common> commons_;
    std::map<std::string, std::size_t, std::less<>> common_numbers_;
    std::map<std::string, std::string, std::less<>> files_;  ///< of `.incbin`
    bool in_code_ = false;                                   ///< a bundle is being assembled
    bool data_last_ = false, strict_delay_ = true;
    std::optional<SourceLine> open_array_program_;  ///< its last entry so far
    int entries_ = 0;
    int pass_ = 0;

    bool probing_ = false;
    std::unique_ptr<Assembly> probe_;
    std::vector<std::unique_ptr<std::string>> probe_texts_;
    std::size_t probed_ = 0;   ///< bytes of the expanded source that the probe has seen
    std::size_t scanned_ = 0;  ///< the same, for the brace that is open there
    std::optional<std::size_t> open_brace_;
};

struct Assembly::InnerLabel {
    SourceLine line;
    std::string name;
    std::size_t operation;
};

struct Assembly::DirectiveRow {
    std::string_view name;
    void (Assembly::*run)(Directive&);
    bool inside = false;  ///< may stand between the operations of a bundle
};

/// The table of addresses that `@GOT` refers to.
inline constexpr std::string_view kOffsetTable = "_GLOBAL_OFFSET_TABLE_", kOffsetSection = ".got";

}  // namespace e2k::isa::assembler
