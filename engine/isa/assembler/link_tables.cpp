// The sections a dynamic linker reads, and the table of addresses.
#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "engine/isa/assembler/linkage.h"

namespace e2k::isa::assembler {
namespace {

constexpr std::uint64_t kWord = 8;
constexpr std::int64_t kLazyByTable = 0x70000003;  ///< DT_E2K_LAZY_GOT
constexpr SectionKind kReadOnly{};
constexpr SectionKind kWritable{true, true, false, true};
constexpr SectionKind kCode{true, false, true, true};

template <class T>
std::vector<std::uint8_t> bytes_of(const std::vector<T>& items) {
    std::vector<std::uint8_t> bytes(items.size() * sizeof(T));
    if (!items.empty()) std::memcpy(bytes.data(), items.data(), bytes.size());
    return bytes;
}

unsigned char elf_info(bool weak, unsigned type) {
    return static_cast<unsigned char>(ELF64_ST_INFO(weak ? STB_WEAK : STB_GLOBAL, type));
}

}  // namespace

unsigned elf_symbol_type(SymbolType type) {
    switch (type) {
        case SymbolType::Object:
        case SymbolType::Common:
            return STT_OBJECT;
        case SymbolType::Function:
            return STT_FUNC;
        case SymbolType::IndirectFunction:
            return STT_GNU_IFUNC;
        case SymbolType::Tls:
            return STT_TLS;
        case SymbolType::None:
            break;
    }
    return STT_NOTYPE;
}

void Linkage::end_pass(Complaints& errors) {
    find_needs();
    if (options_.dynamic()) {
        place_copies();
        for (const NotedField& n : fields_) relocate(n, errors);
    }
    fill_table(errors);
    if (!options_.dynamic()) return;
    list_symbols();
    write_symbols();
    if (!stubs_.empty()) put(".plt", kCode, plt_code(plan()));
    write_dynamic(errors);
}

void Linkage::put(std::string_view name, const SectionKind& kind,
                  std::span<const std::uint8_t> bytes, std::uint64_t alignment) {
    sections_.enter(name, 0, kind);
    sections_.align(alignment, {}, std::nullopt);
    if (auto trouble = sections_.append(bytes)) trouble_ = std::move(trouble);
}

// ---- .got --------------------------------------------------------------------------------------

void Linkage::fill_table(Complaints& errors) {
    std::vector<std::uint64_t> words;
    const std::uint64_t start = sections_.address_of(".got");
    const auto here = [&] { return start + kWord * words.size(); };
    if (options_.dynamic()) {
        words = {sections_.address_of(".dynamic"), 0, 0};
        for (std::size_t i = 0; i < stubs_.size(); ++i) {
            const Symbol* const s = symbol(stubs_[i]);
            const bool own = s && s->defined_in_pass >= 0 && !is_preemptible(*s);
            if (own)  // an indirect function: its resolver says what to call
                slots_.push_back({here(), RelocationType::IndirectRelative, {}, s->value});
            else
                slots_.push_back({here(), RelocationType::JumpSlot, stubs_[i], 0});
            words.push_back(own ? s->value : plt_lazy_entry(plan(), i));
        }
    }
    for (const Entry& e : entries_) {
        std::uint64_t word = 0;
        relocate_entry(e, here(), word, errors);
        words.push_back(word);
    }
    if (!words.empty()) put(".got", kWritable, bytes_of(words));
}

/// The word of an entry, and the relocation that completes it.
void Linkage::relocate_entry(const Entry& e, std::uint64_t at, std::uint64_t& word,
                             Complaints& errors) {
    const Symbol* const s = symbol(e.name);
    const bool known_here = s && s->defined_in_pass >= 0;
    const bool looked_up = options_.dynamic() && (!known_here || is_preemptible(*s));
    const bool shared = options_.kind == OutputKind::Shared;
    const auto add = [&](RelocationType type, std::uint64_t addend = 0) {
        relocations_.push_back({at, type, looked_up ? e.name : std::string(), addend});
    };
    if (e.kind == EntryKind::Address) {
        if (looked_up && !known_here && options_.kind == OutputKind::Dynamic) {
            const SymbolValue value = imported(e.name, 0);
            word = value.value;
            if (word) return;
        }
        if (looked_up) return add(RelocationType::Absolute);
        if (!known_here) return;
        const SymbolValue value = defined(e.name, *s, {s->value, s->constant});
        word = value.value;
        if (value.link.base == 1) add(RelocationType::Relative, word);
        return;
    }
    const auto block = sections_.thread_block();
    const std::uint64_t position = known_here ? s->value - block.begin : 0;
    if (known_here && pass_ > 0 && !(s->label && sections_.all()[s->section].kind.tls))
        return errors.add({1, 1, "this is in no thread-local section", e.name});
    switch (e.kind) {
        case EntryKind::ThreadModule:
            if (looked_up || shared) return add(RelocationType::ThreadModule);
            word = 1;  // the program itself
            return;
        case EntryKind::ThreadPosition:
            if (looked_up) return add(RelocationType::ThreadPosition);
            word = position;
            return;
        case EntryKind::ThreadOffset:
            if (looked_up) return add(RelocationType::ThreadOffset);
            if (shared) return add(RelocationType::ThreadOffset, position);
            word = thread_offset(e.name).value_or(0);
            return;
        case EntryKind::Address:
            break;
    }
}

// ---- symbols -----------------------------------------------------------------------------------

std::uint16_t Linkage::file_index(std::size_t section) const {
    const auto at = std::ranges::find(file_order_, section);
    return at == file_order_.end() ? static_cast<std::uint16_t>(SHN_ABS)
                                   : static_cast<std::uint16_t>(at - file_order_.begin() + 1);
}

DynamicSymbol Linkage::exported(const std::string& name, const Symbol& s) const {
    DynamicSymbol made{name,
                       s.value,
                       s.size,
                       elf_info(s.weak, elf_symbol_type(s.type)),
                       static_cast<std::uint8_t>(s.visibility),
                       SHN_ABS};
    if (s.label) {
        made.section = file_index(s.section);
        if (sections_.all()[s.section].kind.tls) {
            made.value -= sections_.thread_block().begin;
            made.info = elf_info(s.weak, STT_TLS);
        }
    } else if (!s.constant) {
        const auto& all = sections_.all();
        for (std::size_t i = 0; i < all.size(); ++i)
            if (all[i].kind.loaded && s.value >= all[i].address &&
                s.value - all[i].address < std::max<std::uint64_t>(all[i].size, 1))
                made.section = file_index(i);
    }
    return made;
}

/// A symbol of another file.
DynamicSymbol Linkage::wanted(const std::string& name) const {
    unsigned type = is_function(name) ? STT_FUNC : STT_NOTYPE;
    for (const EntryKind kind :
         {EntryKind::ThreadModule, EntryKind::ThreadOffset, EntryKind::ThreadPosition})
        if (entry_numbers_.contains({kind, name})) type = STT_TLS;
    DynamicSymbol made{name, 0, 0, elf_info(is_weak(name), type)};
    if (const auto copy = copies_.find(name); copy != copies_.end()) {
        const auto bss =
            std::ranges::find(sections_.all(), std::string_view(".bss"), &Section::name);
        made.value = *copy_address(name);
        made.size = copy->second.size;
        made.info = elf_info(false, STT_OBJECT);
        made.section = file_index(static_cast<std::size_t>(bss - sections_.all().begin()));
    } else if (canonical_.contains(name)) {
        made.value = *stub_address(name);
    }
    return made;
}

void Linkage::list_symbols() {
    file_order_ = sections_.file_order(true);
    std::set<std::string, std::less<>> names;
    for (const auto* list : {&relocations_, &slots_})
        for (const Relocation& r : *list)
            if (!r.symbol.empty()) names.insert(r.symbol);
    const bool exports = options_.kind == OutputKind::Shared || options_.export_all;
    for (const auto& [name, s] : symbols_) {
        const bool hidden =
            s.visibility == SymbolVisibility::Hidden || s.visibility == SymbolVisibility::Internal;
        const bool global = s.declared_global || s.weak;
        if (exports && global && !hidden && s.defined_in_pass >= 0) names.insert(name);
    }
    for (const std::string& name : names) {
        const Symbol* const s = symbol(name);
        table_.add(s && s->defined_in_pass >= 0 ? exported(name, *s) : wanted(name));
    }
    table_.arrange();
}

void Linkage::write_symbols() {
    if (options_.kind != OutputKind::Shared && !options_.interpreter.empty()) {
        const std::string& path = options_.interpreter;
        std::vector<std::uint8_t> bytes(path.begin(), path.end());
        bytes.push_back(0);
        put(".interp", kReadOnly, bytes, 1);
    }
    put(".hash", kReadOnly, table_.hash());
    put(".gnu.hash", kReadOnly, table_.gnu_hash());
    put(".dynsym", kReadOnly, table_.symbols());
    // The dynamic linker does what depends on nothing first, what calls code of the file last.
    std::stable_sort(
        relocations_.begin(), relocations_.end(), [](const Relocation& a, const Relocation& b) {
            return (a.type == RelocationType::Relative) > (b.type == RelocationType::Relative);
        });
    const auto records = [&](const std::vector<Relocation>& list) {
        std::vector<Elf64_Rela> out;
        for (const Relocation& r : list)
            out.push_back({r.at,
                           ELF64_R_INFO(std::uint64_t{table_.number(r.symbol)},
                                        static_cast<std::uint64_t>(r.type)),
                           static_cast<std::int64_t>(r.addend)});
        return bytes_of(out);
    };
    put(".rela.dyn", kReadOnly, records(relocations_));
    put(".rela.plt", kReadOnly, records(slots_));
}

// ---- .dynamic ----------------------------------------------------------------------------------

std::vector<std::uint64_t> Linkage::dynamic_words() {
    std::vector<std::uint64_t> words;
    const auto add = [&](std::int64_t tag, std::uint64_t value) {
        words.push_back(static_cast<std::uint64_t>(tag));
        words.push_back(value);
    };
    const auto size_of = [&](std::string_view name) {
        const auto at = std::ranges::find(sections_.all(), name, &Section::name);
        return at == sections_.all().end() ? 0 : at->size;
    };
    const auto address = [&](std::string_view name) { return sections_.address_of(name); };
    for (const std::string& name : options_.needed) add(DT_NEEDED, table_.text(name));
    if (!options_.soname.empty()) add(DT_SONAME, table_.text(options_.soname));
    if (!options_.runpath.empty()) add(DT_RUNPATH, table_.text(options_.runpath));
    for (const auto& [name, tag] : {std::pair{"_init", DT_INIT}, std::pair{"_fini", DT_FINI}})
        if (is_defined(name)) add(tag, symbol(name)->value);
    struct Array {
        std::string_view section;
        std::int64_t tag, size_tag;
    };
    for (const Array& a : {Array{".preinit_array", DT_PREINIT_ARRAY, DT_PREINIT_ARRAYSZ},
                           Array{".init_array", DT_INIT_ARRAY, DT_INIT_ARRAYSZ},
                           Array{".fini_array", DT_FINI_ARRAY, DT_FINI_ARRAYSZ}}) {
        const auto [begin, end] = sections_.range_of(a.section);
        if (begin == end) continue;
        add(a.tag, begin);
        add(a.size_tag, end - begin);
    }
    add(DT_HASH, address(".hash"));
    add(DT_GNU_HASH, address(".gnu.hash"));
    add(DT_STRTAB, address(".dynstr"));
    add(DT_SYMTAB, address(".dynsym"));
    add(DT_STRSZ, size_of(".dynstr"));
    add(DT_SYMENT, sizeof(Elf64_Sym));
    if (options_.kind != OutputKind::Shared) add(DT_DEBUG, 0);
    const std::uint64_t dyn = size_of(".rela.dyn"), plt = size_of(".rela.plt");
    if (!relocations_.empty() || !slots_.empty()) {
        add(DT_RELA, address(relocations_.empty() ? ".rela.plt" : ".rela.dyn"));
        // As the linker does: the range covers those of the procedure linkage table, too.
        add(DT_RELASZ, dyn + plt);
        add(DT_RELAENT, sizeof(Elf64_Rela));
    }
    add(kLazyByTable, 0);
    add(DT_PLTGOT, address(".got"));
    if (!slots_.empty()) {
        add(DT_PLTRELSZ, plt);
        add(DT_PLTREL, DT_RELA);
        add(DT_JMPREL, address(".rela.plt"));
    }
    if (text_relocations_) add(DT_TEXTREL, 0);
    std::uint64_t flags = text_relocations_ ? DF_TEXTREL : 0;
    if (options_.bind_now) flags |= DF_BIND_NOW;
    const bool early_thread_data = std::ranges::any_of(
        relocations_, [](const Relocation& r) { return r.type == RelocationType::ThreadOffset; });
    if (early_thread_data && options_.kind == OutputKind::Shared) flags |= DF_STATIC_TLS;
    if (options_.symbolic) {
        flags |= DF_SYMBOLIC;
        add(DT_SYMBOLIC, 0);
    }
    if (flags) add(DT_FLAGS, flags);
    std::uint64_t flags_1 = options_.bind_now ? DF_1_NOW : 0;
    if (options_.kind == OutputKind::PositionIndependent) flags_1 |= DF_1_PIE;
    if (flags_1) add(DT_FLAGS_1, flags_1);
    add(DT_NULL, 0);
    return words;
}

void Linkage::write_dynamic(Complaints& errors) {
    const auto words = dynamic_words();
    const std::string& strings = table_.strings();
    put(".dynstr", kReadOnly, std::vector<std::uint8_t>(strings.begin(), strings.end()), 1);
    put(".dynamic", kWritable, bytes_of(words));
    if (trouble_) errors.add({1, 1, *trouble_, {}});
}

}  // namespace e2k::isa::assembler
