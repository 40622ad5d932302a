// Values of symbols in a file that a dynamic linker completes, and what they ask for.
#include "engine/isa/assembler/linkage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace e2k::isa::assembler {
namespace {

constexpr std::uint64_t kWord = 8;
constexpr std::uint64_t kThreadHead = 16;  ///< bytes at the thread pointer in front of the blocks
/// The part of .bss that holds copies of other files' objects; sources cannot name it.
constexpr int kCopyPart = 1 << 20;

/// Objects of the C library (libraries.md §9), for sources that do not say `.type` and
/// `.size` of them.
struct LibraryObject {
    std::string_view name;
    std::uint64_t size;
};
constexpr LibraryObject kLibraryObjects[] = {
    {"stdin", 8},
    {"stdout", 8},
    {"stderr", 8},
    {"environ", 8},
    {"__environ", 8},
    {"_environ", 8},
    {"optarg", 8},
    {"optind", 4},
    {"opterr", 4},
    {"optopt", 4},
    {"timezone", 8},
    {"__timezone", 8},
    {"daylight", 4},
    {"__daylight", 4},
    {"tzname", 16},
    {"__tzname", 16},
    {"program_invocation_name", 8},
    {"program_invocation_short_name", 8},
    {"__progname", 8},
    {"__progname_full", 8},
    {"signgam", 4},
    {"_IO_2_1_stdin_", 0xe0},
    {"_IO_2_1_stdout_", 0xe0},
    {"_IO_2_1_stderr_", 0xe0},
    {"in6addr_any", 16},
    {"in6addr_loopback", 16},
    {"obstack_alloc_failed_handler", 8},
    {"error_print_progname", 8},
    {"error_message_count", 4},
    {"error_one_per_line", 4},
    {"re_syntax_options", 8},
};

std::uint64_t round_up(std::uint64_t value, std::uint64_t to) { return (value + to - 1) / to * to; }

}  // namespace

Linkage::Linkage(const LinkOptions& options, Sections& sections, const SymbolMap& symbols)
    : options_(options), sections_(sections), symbols_(symbols) {}

// ---- what is known of a name -------------------------------------------------------------------

const Symbol* Linkage::symbol(std::string_view name) const {
    const auto at = symbols_.find(name);
    return at == symbols_.end() ? nullptr : &at->second;
}

bool Linkage::is_defined(std::string_view name) const {
    const Symbol* const s = symbol(name);
    return s && s->defined_in_pass >= 0;
}

bool Linkage::is_weak(std::string_view name) const {
    const Symbol* const s = symbol(name);
    return s && s->weak;
}

bool Linkage::is_preemptible(const Symbol& s) const {
    return options_.kind == OutputKind::Shared && !options_.symbolic &&
           (s.declared_global || s.weak) && s.visibility == SymbolVisibility::Default;
}

const LibrarySymbol* Linkage::known(std::string_view name) const {
    const auto at = std::ranges::find(options_.library, name, &LibrarySymbol::name);
    return at == options_.library.end() ? nullptr : &*at;
}

std::uint64_t Linkage::size_of_object(std::string_view name) const {
    const Symbol* const s = symbol(name);
    if (s && s->type == SymbolType::Object && s->size) return s->size;
    if (const LibrarySymbol* const l = known(name)) return l->object ? l->size : 0;
    const auto row = std::ranges::find(kLibraryObjects, name, &LibraryObject::name);
    return row == std::end(kLibraryObjects) ? 0 : row->size;
}

bool Linkage::is_function(std::string_view name) const {
    const Symbol* const s = symbol(name);
    if (s && s->type != SymbolType::None) return s->type == SymbolType::Function;
    if (const LibrarySymbol* const l = known(name)) return l->function;
    return stub_numbers_.contains(name);
}

bool Linkage::owns_section(std::string_view name) {
    constexpr std::array<std::string_view, 11> kOwn{
        ".interp", ".hash",        ".gnu.hash", ".dynsym",  ".dynstr",  ".rela.dyn",
        ".plt",    ".gnu.version", ".dynamic",  ".got.plt", ".rela.plt"};
    return std::ranges::find(kOwn, name) != kOwn.end();
}

// ---- values ------------------------------------------------------------------------------------

SymbolValue Linkage::defined(std::string_view name, const Symbol& s, SymbolValue value) {
    if (!options_.dynamic()) return value;
    value.link = s.link;
    const bool preemptible = is_preemptible(s) && s.link.base == 1;
    if (s.type == SymbolType::IndirectFunction && !preemptible && pass_ > 0) {
        // Its address is that of the entry which calls the implementation chosen at the start.
        need_stub(std::string(name));
        return {*stub_address(name), false, 0, 0, {.base = base()}};
    }
    if (!preemptible) return value;
    value.link.symbol = name;
    value.link.origin = value.value;
    if (const auto stub = stub_address(name)) value.link.call = *stub - value.value;
    return value;
}

SymbolValue Linkage::imported(std::string_view name, std::uint64_t here) const {
    SymbolValue value;
    const auto stub = stub_address(name);
    if (const auto copy = copy_address(name))
        value.value = *copy;
    else if (stub && canonical_.contains(name))
        value.value = *stub;
    value.link.symbol = name;
    value.link.foreign = true;
    value.link.origin = value.value;
    value.link.call = stub.value_or(here) - value.value;
    return value;
}

std::optional<SymbolValue> Linkage::own_symbol(std::string_view name) const {
    struct Row {
        std::string_view name, section;
        bool end = false;
    };
    constexpr std::array kRows{
        Row{"_DYNAMIC", ".dynamic"},
        Row{"__preinit_array_start", ".preinit_array"},
        Row{"__preinit_array_end", ".preinit_array", true},
        Row{"__init_array_start", ".init_array"},
        Row{"__init_array_end", ".init_array", true},
        Row{"__fini_array_start", ".fini_array"},
        Row{"__fini_array_end", ".fini_array", true},
        Row{"__bss_start", ".bss"},
        Row{"_edata", ".data", true},
        Row{"_end", ".bss", true},
        Row{"_etext", ".text", true},
    };
    if (!options_.dynamic()) return std::nullopt;
    if (name == "__ehdr_start") {  // the headers stand in front of the first section
        const auto order = sections_.file_order(true);
        const auto first = order.empty() ? 0 : sections_.all()[order.front()].address;
        return SymbolValue{first - first % 0x1000, false, 0, 0, {.base = base()}};
    }
    const auto row = std::ranges::find(kRows, name, &Row::name);
    if (row == kRows.end()) return std::nullopt;
    const auto at = std::ranges::find(sections_.all(), row->section, &Section::name);
    const bool there = at != sections_.all().end();
    const std::uint64_t address = there ? at->address + (row->end ? at->size : 0) : 0;
    return SymbolValue{address, false, 0, 0, {.base = base()}};
}

std::uint64_t Linkage::entry(EntryKind kind, std::string_view name) {
    const auto [at, fresh] =
        entry_numbers_.emplace(std::pair(kind, std::string(name)), entries_.size());
    if (fresh) {
        entries_.push_back({kind, std::string(name)});
        changed_ = true;
    }
    const std::size_t before = options_.dynamic() ? kReservedWords + stubs_.size() : 0;
    return kWord * (before + at->second);
}

tl::expected<std::uint64_t, std::string> Linkage::thread_offset(std::string_view name) const {
    if (pass_ == 0) return 0;
    const Symbol* const s = symbol(name);
    if (!is_defined(name))
        return tl::unexpected(
            std::string("nothing here defines this; thread-local storage of other files is "
                        "reached by @TLS_IE, @TLS_GDMOD and @TLS_GDREL"));
    if (!s->label || !sections_.all()[s->section].kind.tls)
        return tl::unexpected(std::string("this is in no thread-local section"));
    if (options_.kind == OutputKind::Shared)
        return tl::unexpected(
            std::string("a shared object does not know how far its thread-local storage is "
                        "from the thread pointer; use @TLS_IE, or @TLS_GDMOD and @TLS_GDREL"));
    const auto block = sections_.thread_block();
    return s->value - block.begin + round_up(kThreadHead, block.alignment);
}

// ---- entries of the procedure linkage table, copies
// ----------------------------------------------

PltPlan Linkage::plan() const {
    return {iset_, options_.position_independent(), stubs_.size(), sections_.address_of(".plt"),
            sections_.address_of(".got")};
}

void Linkage::need_stub(const std::string& name) {
    if (!stub_numbers_.emplace(name, stubs_.size()).second) return;
    stubs_.push_back(name);
    changed_ = true;
}

std::optional<std::uint64_t> Linkage::stub_address(std::string_view name) const {
    const auto at = stub_numbers_.find(name);
    if (at == stub_numbers_.end()) return std::nullopt;
    return plt_entry(plan(), at->second);
}

void Linkage::need_copy(const std::string& name, std::uint64_t size) {
    const auto [at, fresh] = copies_.emplace(name, Copy{});
    changed_ |= fresh || at->second.size != size;
    at->second.size = size;
}

std::optional<std::uint64_t> Linkage::copy_address(std::string_view name) const {
    const auto at = copies_.find(name);
    if (at == copies_.end()) return std::nullopt;
    const auto bss = std::ranges::find(sections_.all(), std::string_view(".bss"), &Section::name);
    const auto part = bss->parts.find(kCopyPart);
    return bss->address + (part == bss->parts.end() ? 0 : part->second.start) + at->second.offset;
}

std::vector<AssembledSymbol> Linkage::others() const {
    std::vector<AssembledSymbol> out;
    if (!options_.dynamic()) return out;
    for (const std::string& name : table_.names()) {
        if (is_defined(name)) continue;
        const DynamicSymbol made = wanted(name);
        AssembledSymbol& s = out.emplace_back();
        s.name = name;
        s.address = made.value;
        s.size = made.size;
        s.global = true;
        s.weak = is_weak(name);
        s.type = (made.info & 0xf) == 1   ? SymbolType::Object
                 : (made.info & 0xf) == 2 ? SymbolType::Function
                 : (made.info & 0xf) == 6 ? SymbolType::Tls
                                          : SymbolType::None;
        s.undefined = made.section == 0;
        s.section = static_cast<int>(made.section) - 1;
    }
    return out;
}

// ---- passes ------------------------------------------------------------------------------------

void Linkage::begin_pass(int pass, int iset) {
    pass_ = pass;
    iset_ = iset;
    changed_ = false;
    text_relocations_ = false;
    fields_.clear();
    relocations_.clear();
    slots_.clear();
    trouble_.reset();
    table_.clear();
}

void Linkage::note(std::size_t section, int part, std::uint64_t offset,
                   const std::vector<LinkedField>& fields) {
    if (!options_.dynamic() || pass_ == 0) return;
    for (const LinkedField& f : fields) fields_.push_back({section, part, offset, f});
}

/// Transfers go through the procedure linkage table. In a program at fixed addresses objects of
/// others are copied, and functions of others have an address here: code holds it.
void Linkage::find_needs() {
    for (const NotedField& n : fields_) {
        const Link& link = n.field.link;
        if (link.symbol.empty() || link.mixed) continue;
        if (n.field.kind == LinkedField::Kind::Displacement) {
            need_stub(link.symbol);
            continue;
        }
        const bool data = n.field.kind == LinkedField::Kind::Data;
        if (!link.foreign || data || options_.kind != OutputKind::Dynamic) continue;
        if (const auto size = size_of_object(link.symbol)) {
            need_copy(link.symbol, size);
        } else if (is_function(link.symbol) && !is_weak(link.symbol)) {
            need_stub(link.symbol);
            changed_ |= canonical_.insert(link.symbol).second;
        }
    }
}

void Linkage::place_copies() {
    constexpr std::uint64_t kAlignment = 16;
    if (copies_.empty()) return;
    sections_.enter(".bss", kCopyPart, std::nullopt);
    for (auto& [name, copy] : copies_) {
        sections_.align(kAlignment, {}, std::nullopt);
        copy.offset = sections_.offset();
        sections_.fill(copy.size, 0);
        relocations_.push_back({*copy_address(name), RelocationType::Copy, name, 0});
    }
}

std::uint64_t Linkage::place_of(const NotedField& n) const {
    const Section& s = sections_.all()[n.section];
    const auto part = s.parts.find(n.part);
    return s.address + (part == s.parts.end() ? 0 : part->second.start) + n.offset + n.field.offset;
}

/// What the dynamic linker has to do for a field, if anything.
void Linkage::relocate(const NotedField& n, Complaints& errors) {
    using Kind = LinkedField::Kind;
    const LinkedField& f = n.field;
    const auto fail = [&](std::string message) {
        errors.add({f.line, f.column, std::move(message), f.text});
    };
    if (f.link.mixed)
        return fail(
            "no relocation can express this: an address that is not known yet may have "
            "constants added, nothing else");
    if (f.kind == Kind::Displacement) {
        if (f.link.symbol.empty() && f.link.base != 1)
            fail("the target is no address in this file");
        return;
    }
    const bool here = f.link.foreign && options_.kind == OutputKind::Dynamic &&
                      (copies_.contains(f.link.symbol) || canonical_.contains(f.link.symbol));
    if (here) return;
    if (f.link.symbol.empty() && f.link.base == 0) return;
    if (f.link.symbol.empty() && f.link.base != 1)
        return fail("no relocation can express this sum of addresses");
    if (f.size < kWord || f.kind == Kind::Literal32)
        return fail(
            fmt::format("the dynamic linker fills 64 bits, not {}; use _f64, .dword or a "
                        "reference like @GOT",
                        8 * f.size));
    const Section& section = sections_.all()[n.section];
    if (!section.kind.loaded) return;  // notes for debuggers stay as they are
    if (!section.kind.writable) text_relocations_ = true;
    const bool literal = f.kind == Kind::Literal64;
    Relocation r;
    r.at = place_of(n);
    if (f.link.symbol.empty()) {
        r.type = literal ? RelocationType::RelativeLiteral : RelocationType::Relative;
        r.addend = f.value;
    } else {
        r.type = literal ? RelocationType::AbsoluteLiteral : RelocationType::Absolute;
        r.symbol = f.link.symbol;
        r.addend = f.value - f.link.origin;
    }
    relocations_.push_back(std::move(r));
}

}  // namespace e2k::isa::assembler
