#include "engine/guest/loader/object_file.h"

#include <elf.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include <fmt/format.h>

#include "engine/guest/loader/elbrus_elf.h"

namespace e2k::guest::loader {
namespace {

constexpr std::uint64_t kMaxAlignment = 1u << 20;
/// No table of names needs more steps than this, and a damaged one could go round in circles.
constexpr std::uint64_t kMaxVersions = 0x7fff;
constexpr std::uint16_t kVersionHidden = 0x8000;

bool holds(std::uint64_t whole, std::uint64_t offset, std::uint64_t size) {
    return offset <= whole && size <= whole - offset;
}

template <class T>
T at(std::span<const std::uint8_t> bytes, std::uint64_t offset) {
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

}  // namespace

bool DynamicSymbol::weak() const { return binding == STB_WEAK; }
bool DynamicSymbol::indirect() const { return defined && type == STT_GNU_IFUNC; }

struct ObjectFile::Tags {
    std::uint64_t strings = 0, strings_size = 0, symbols = 0, hash = 0, gnu_hash = 0;
    std::uint64_t rela = 0, rela_size = 0, rela_entry = sizeof(Elf64_Rela);
    std::uint64_t plt_rela = 0, plt_rela_size = 0, plt_rela_kind = DT_RELA;
    std::uint64_t symbol_entry = sizeof(Elf64_Sym);
    std::uint64_t init = 0, fini = 0;
    Range preinit_array, init_array, fini_array;
    std::uint64_t version_indices = 0, version_need = 0, version_need_count = 0;
    std::uint64_t version_definitions = 0, version_definition_count = 0;
    std::uint64_t soname = 0, rpath = 0, runpath = 0;
    std::vector<std::uint64_t> needed;
    bool has_soname = false, has_rpath = false, has_runpath = false, has_rel = false;
};

tl::unexpected<std::string> ObjectFile::damaged(std::string what) const {
    return tl::unexpected(path_ + ": damaged dynamic section: " + std::move(what));
}

std::span<const std::uint8_t> ObjectFile::loaded(std::uint64_t address) const {
    for (const LoadSegment& s : segments_)
        if (address >= s.address && address - s.address < s.file_size)
            return bytes_.subspan(s.offset + (address - s.address),
                                  s.file_size - (address - s.address));
    return {};
}

template <class T>
std::optional<T> ObjectFile::word(std::uint64_t address) const {
    const auto bytes = loaded(address);
    if (bytes.size() < sizeof(T)) return std::nullopt;
    return at<T>(bytes, 0);
}

std::string_view ObjectFile::text(std::uint64_t offset) const {
    if (offset >= strings_.size()) return {};
    const char* begin = reinterpret_cast<const char*>(strings_.data()) + offset;
    return {begin, strnlen(begin, strings_.size() - offset)};
}

bool ObjectFile::loads(std::uint64_t address, std::uint64_t size) const {
    return std::ranges::any_of(segments_, [&](const LoadSegment& s) {
        return address >= s.address && holds(s.memory_size, address - s.address, size);
    });
}

tl::expected<void, std::string> ObjectFile::read_segments() {
    if (!holds(bytes_.size(), 0, sizeof(Elf64_Ehdr)))
        return damaged("the file is too short for a header");
    const auto header = at<Elf64_Ehdr>(bytes_, 0);
    if (header.e_phentsize != sizeof(Elf64_Phdr) ||
        !holds(bytes_.size(), header.e_phoff, std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr)))
        return damaged("the program header table is outside of the file");
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        const auto ph = at<Elf64_Phdr>(bytes_, header.e_phoff + i * sizeof(Elf64_Phdr));
        if (ph.p_type == PT_LOAD) {
            if (!holds(bytes_.size(), ph.p_offset, ph.p_filesz) || ph.p_filesz > ph.p_memsz)
                return damaged(fmt::format("segment {} is outside of the file", i));
            segments_.push_back({ph.p_vaddr, ph.p_filesz, ph.p_memsz, ph.p_offset});
        }
        if (ph.p_type == PT_DYNAMIC) dynamic_ = {ph.p_vaddr, ph.p_filesz};
        if (ph.p_type == PT_GNU_RELRO) relro_ = {ph.p_vaddr, ph.p_memsz};
        if (ph.p_type == PT_TLS && ph.p_memsz != 0) {
            const std::uint64_t alignment = std::max<std::uint64_t>(ph.p_align, 1);
            if (!std::has_single_bit(alignment) || alignment > kMaxAlignment)
                return damaged(fmt::format("the TLS segment has alignment 0x{:x}", ph.p_align));
            if (ph.p_filesz > ph.p_memsz || ph.p_memsz > kMaxTls)
                return damaged(fmt::format("the TLS segment has 0x{:x} bytes, 0x{:x} of the file",
                                           ph.p_memsz, ph.p_filesz));
            tls_ = TlsSegment{ph.p_vaddr, ph.p_filesz, ph.p_memsz, alignment};
        }
    }
    if (tls_ && tls_->file_size != 0 && loaded(tls_->address).size() < tls_->file_size)
        return damaged("the initial values of the TLS segment are not in any segment");
    if (relro_.size != 0 && !loads(relro_.address, relro_.size))
        return damaged(fmt::format("PT_GNU_RELRO 0x{:x} of 0x{:x} bytes is in no segment",
                                   relro_.address, relro_.size));
    if (dynamic_.size == 0) return damaged("there is none (PT_DYNAMIC)");
    return {};
}

tl::expected<ObjectFile::Tags, std::string> ObjectFile::read_dynamic() {
    const auto table = loaded(dynamic_.address);
    if (table.size() < dynamic_.size)
        return damaged(fmt::format("PT_DYNAMIC 0x{:x} of 0x{:x} bytes is in no segment",
                                   dynamic_.address, dynamic_.size));
    Tags t;
    for (std::uint64_t offset = 0; offset + sizeof(Elf64_Dyn) <= dynamic_.size;
         offset += sizeof(Elf64_Dyn)) {
        const auto entry = at<Elf64_Dyn>(table, offset);
        const std::uint64_t value = entry.d_un.d_val;
        struct Plain {
            std::int64_t tag;
            std::uint64_t* to;
        };
        const Plain plain[] = {
            {DT_STRTAB, &t.strings},
            {DT_STRSZ, &t.strings_size},
            {DT_SYMTAB, &t.symbols},
            {DT_SYMENT, &t.symbol_entry},
            {DT_HASH, &t.hash},
            {DT_GNU_HASH, &t.gnu_hash},
            {DT_RELA, &t.rela},
            {DT_RELASZ, &t.rela_size},
            {DT_RELAENT, &t.rela_entry},
            {DT_JMPREL, &t.plt_rela},
            {DT_PLTRELSZ, &t.plt_rela_size},
            {DT_PLTREL, &t.plt_rela_kind},
            {DT_INIT, &t.init},
            {DT_FINI, &t.fini},
            {DT_PREINIT_ARRAY, &t.preinit_array.address},
            {DT_PREINIT_ARRAYSZ, &t.preinit_array.size},
            {DT_INIT_ARRAY, &t.init_array.address},
            {DT_INIT_ARRAYSZ, &t.init_array.size},
            {DT_FINI_ARRAY, &t.fini_array.address},
            {DT_FINI_ARRAYSZ, &t.fini_array.size},
            {DT_VERSYM, &t.version_indices},
            {DT_VERNEED, &t.version_need},
            {DT_VERNEEDNUM, &t.version_need_count},
            {DT_VERDEF, &t.version_definitions},
            {DT_VERDEFNUM, &t.version_definition_count},
        };
        for (const Plain& known : plain)
            if (known.tag == entry.d_tag) *known.to = value;
        switch (entry.d_tag) {
            case DT_NULL:
                return t;
            case DT_NEEDED:
                t.needed.push_back(value);
                break;
            case DT_SONAME:
                t.soname = value;
                t.has_soname = true;
                break;
            case DT_RPATH:
                t.rpath = value;
                t.has_rpath = true;
                break;
            case DT_RUNPATH:
                t.runpath = value;
                t.has_runpath = true;
                break;
            case DT_REL:
                t.has_rel = true;
                break;
            case DT_DEBUG:
                debug_value_ = dynamic_.address + offset + offsetof(Elf64_Dyn, d_un);
                break;
            case kTagLazy:
                plt_form_ = PltForm::EntryLiteral;
                break;
            case kTagLazyBug75842:
                plt_form_ = PltForm::EntryLiteral20;
                break;
            case kTagLazyGot:
                plt_form_ = PltForm::Got;
                break;
            default:
                break;
        }
    }
    return t;
}

tl::expected<void, std::string> ObjectFile::read_strings(const Tags& tags) {
    const auto table = loaded(tags.strings);
    if (tags.strings == 0 || tags.strings_size == 0 || table.size() < tags.strings_size)
        return damaged(fmt::format("the string table 0x{:x} of 0x{:x} bytes is in no segment",
                                   tags.strings, tags.strings_size));
    strings_ = table.first(tags.strings_size);
    if (strings_.back() != 0) return damaged("the string table does not end with a zero");
    for (const std::uint64_t name : tags.needed) {
        needed_.push_back(text(name));
        if (needed_.back().empty())
            return damaged(
                fmt::format("the name 0x{:x} of a needed library is outside of the "
                            "string table",
                            name));
    }
    if (tags.has_soname) soname_ = text(tags.soname);
    if (tags.has_rpath) search_path_ = text(tags.rpath);
    if (tags.has_runpath) search_path_ = text(tags.runpath);
    return {};
}

tl::expected<std::uint32_t, std::string> ObjectFile::count_gnu_symbols(std::uint64_t table) const {
    const auto bytes = loaded(table);
    constexpr std::uint64_t kHeader = 16, kWord = 4;
    if (bytes.size() < kHeader) return damaged("DT_GNU_HASH is in no segment");
    const auto buckets = at<std::uint32_t>(bytes, 0), first = at<std::uint32_t>(bytes, 4);
    const auto bloom = at<std::uint32_t>(bytes, 8);
    const std::uint64_t bucket_at = kHeader + std::uint64_t{bloom} * 8;
    const std::uint64_t chain_at = bucket_at + std::uint64_t{buckets} * kWord;
    if (chain_at > bytes.size()) return damaged("DT_GNU_HASH is larger than its segment");
    std::uint32_t last = 0;
    for (std::uint32_t i = 0; i < buckets; ++i)
        last = std::max(last, at<std::uint32_t>(bytes, bucket_at + i * kWord));
    if (last < first) return first;  // no symbol has a hash
    for (std::uint64_t i = last;; ++i) {
        const std::uint64_t offset = chain_at + (i - first) * kWord;
        if (!holds(bytes.size(), offset, kWord) || i >= 0xffff'ffff)
            return damaged("a chain of DT_GNU_HASH has no end");
        if (at<std::uint32_t>(bytes, offset) & 1) return static_cast<std::uint32_t>(i + 1);
    }
}

tl::expected<std::uint32_t, std::string> ObjectFile::count_symbols(const Tags& tags) const {
    if (tags.hash != 0) {
        const auto count = word<std::uint32_t>(tags.hash + 4);
        if (!count) return damaged("DT_HASH is in no segment");
        return *count;
    }
    if (tags.gnu_hash != 0) return count_gnu_symbols(tags.gnu_hash);
    // The table of names usually follows.
    if (tags.strings > tags.symbols)
        return static_cast<std::uint32_t>(
            std::min<std::uint64_t>((tags.strings - tags.symbols) / sizeof(Elf64_Sym), 1u << 24));
    return damaged("nothing says how many symbols there are (DT_HASH, DT_GNU_HASH)");
}

tl::expected<void, std::string> ObjectFile::read_symbols(const Tags& tags) {
    if (tags.symbols == 0) return damaged("there is no symbol table (DT_SYMTAB)");
    if (tags.symbol_entry != sizeof(Elf64_Sym))
        return damaged(fmt::format("symbols of {} bytes (DT_SYMENT)", tags.symbol_entry));
    const auto count = count_symbols(tags);
    if (!count) return tl::unexpected(count.error());
    const auto table = loaded(tags.symbols);
    if (table.size() / sizeof(Elf64_Sym) < *count)
        return damaged(fmt::format("the symbol table 0x{:x} of {} symbols is in no segment",
                                   tags.symbols, *count));
    symbols_ = table.first(*count * sizeof(Elf64_Sym));
    symbol_count_ = *count;
    for (std::uint32_t i = 0; i < symbol_count_; ++i)
        if (at<Elf64_Sym>(symbols_, i * sizeof(Elf64_Sym)).st_name >= strings_.size())
            return damaged(fmt::format("the name of symbol {} is outside of the string table", i));
    return {};
}

tl::expected<void, std::string> ObjectFile::read_needed_versions(const Tags& tags) {
    std::uint64_t need = tags.version_need;
    std::uint64_t steps = 0;
    for (std::uint64_t i = 0; i < tags.version_need_count; ++i) {
        const auto entry = word<Elf64_Verneed>(need);
        if (!entry || ++steps > kMaxVersions)
            return damaged("the table of needed versions (DT_VERNEED) is broken");
        std::uint64_t auxiliary = need + entry->vn_aux;
        for (unsigned k = 0; k < entry->vn_cnt; ++k) {
            const auto version = word<Elf64_Vernaux>(auxiliary);
            if (!version || ++steps > kMaxVersions)
                return damaged("the table of needed versions (DT_VERNEED) is broken");
            versions_[version->vna_other & ~kVersionHidden] = text(version->vna_name);
            if (version->vna_next == 0) break;
            auxiliary += version->vna_next;
        }
        if (entry->vn_next == 0) break;
        need += entry->vn_next;
    }
    return {};
}

tl::expected<void, std::string> ObjectFile::read_defined_versions(const Tags& tags) {
    std::uint64_t definition = tags.version_definitions;
    for (std::uint64_t i = 0; i < tags.version_definition_count; ++i) {
        const auto entry = word<Elf64_Verdef>(definition);
        if (!entry || i > kMaxVersions)
            return damaged("the table of defined versions (DT_VERDEF) is broken");
        const auto name = word<Elf64_Verdaux>(definition + entry->vd_aux);
        if (!name) return damaged("the table of defined versions (DT_VERDEF) is broken");
        versions_[entry->vd_ndx & ~kVersionHidden] = text(name->vda_name);
        if (entry->vd_next == 0) break;
        definition += entry->vd_next;
    }
    return {};
}

tl::expected<void, std::string> ObjectFile::read_versions(const Tags& tags) {
    if (tags.version_indices == 0) return {};
    const auto table = loaded(tags.version_indices);
    if (table.size() / 2 < symbol_count_)
        return damaged("the versions of the symbols (DT_VERSYM) are in no segment");
    version_indices_ = table.first(std::uint64_t{symbol_count_} * 2);
    if (auto ok = read_needed_versions(tags); !ok) return ok;
    return read_defined_versions(tags);
}

tl::expected<void, std::string> ObjectFile::read_relocations(const Tags& tags) {
    if (tags.has_rel) return damaged("relocations without addends (DT_REL) are not used on Elbrus");
    if (tags.rela_size != 0 && tags.rela_entry != sizeof(Elf64_Rela))
        return damaged(fmt::format("relocations of {} bytes (DT_RELAENT)", tags.rela_entry));
    if (tags.plt_rela_size != 0 && tags.plt_rela_kind != DT_RELA)
        return damaged(fmt::format("DT_PLTREL is {}", tags.plt_rela_kind));
    // DT_RELA may cover DT_JMPREL.
    const bool covered = tags.plt_rela >= tags.rela && tags.plt_rela - tags.rela < tags.rela_size;
    for (const Range& range : {Range{tags.rela, tags.rela_size},
                               Range{tags.plt_rela, covered ? 0 : tags.plt_rela_size}}) {
        if (range.size == 0) continue;
        const auto table = loaded(range.address);
        if (table.size() < range.size || range.size % sizeof(Elf64_Rela) != 0)
            return damaged(
                fmt::format("the relocations at 0x{:x} of 0x{:x} bytes are in no "
                            "segment",
                            range.address, range.size));
        for (std::uint64_t offset = 0; offset < range.size; offset += sizeof(Elf64_Rela)) {
            const auto rela = at<Elf64_Rela>(table, offset);
            const Relocation relocation{
                rela.r_offset, static_cast<std::uint32_t>(ELF64_R_TYPE(rela.r_info)),
                static_cast<std::uint32_t>(ELF64_R_SYM(rela.r_info)), rela.r_addend};
            if (relocation.symbol >= symbol_count_ && relocation.symbol != 0)
                return damaged(fmt::format("the relocation of 0x{:x} names symbol {} of {}",
                                           relocation.offset, relocation.symbol, symbol_count_));
            relocations_.push_back(relocation);
        }
    }
    return {};
}

tl::expected<void, std::string> ObjectFile::read_functions(const Tags& tags) {
    init_ = tags.init;
    fini_ = tags.fini;
    preinit_array_ = tags.preinit_array;
    init_array_ = tags.init_array;
    fini_array_ = tags.fini_array;
    for (const Range* array : {&preinit_array_, &init_array_, &fini_array_})
        if (array->size != 0 && !loads(array->address, array->size))
            return damaged(
                fmt::format("an array of functions at 0x{:x} of 0x{:x} bytes is in no "
                            "segment",
                            array->address, array->size));
    for (const std::uint64_t function : {init_, fini_})
        if (function != 0 && !loads(function, 8))
            return damaged(fmt::format("DT_INIT or DT_FINI 0x{:x} is in no segment", function));
    return {};
}

tl::expected<ObjectFile, std::string> ObjectFile::parse(std::span<const std::uint8_t> bytes,
                                                        std::string path) {
    ObjectFile file(bytes, std::move(path));
    if (auto ok = file.read_segments(); !ok) return tl::unexpected(ok.error());
    const auto tags = file.read_dynamic();
    if (!tags) return tl::unexpected(tags.error());
    for (const auto step :
         {&ObjectFile::read_strings, &ObjectFile::read_symbols, &ObjectFile::read_versions,
          &ObjectFile::read_relocations, &ObjectFile::read_functions})
        if (auto ok = (file.*step)(*tags); !ok) return tl::unexpected(ok.error());
    return file;
}

DynamicSymbol ObjectFile::symbol(std::uint32_t index) const {
    const auto raw = at<Elf64_Sym>(symbols_, index * sizeof(Elf64_Sym));
    DynamicSymbol symbol;
    symbol.name = text(raw.st_name);
    symbol.value = raw.st_value;
    symbol.size = raw.st_size;
    symbol.type = ELF64_ST_TYPE(raw.st_info);
    symbol.binding = ELF64_ST_BIND(raw.st_info);
    symbol.visibility = ELF64_ST_VISIBILITY(raw.st_other);
    symbol.defined = raw.st_shndx != SHN_UNDEF;
    symbol.absolute = raw.st_shndx == SHN_ABS;
    if (!version_indices_.empty()) {
        const auto version = at<std::uint16_t>(version_indices_, std::uint64_t{index} * 2);
        symbol.hidden_version = (version & kVersionHidden) != 0;
        const auto name = versions_.find(version & ~kVersionHidden);
        if (name != versions_.end()) symbol.version = name->second;
    }
    return symbol;
}

std::optional<std::uint32_t> ObjectFile::find(std::string_view name,
                                              std::string_view version) const {
    if (by_name_.empty()) {
        for (std::uint32_t i = 1; i < symbol_count_; ++i) {
            const DynamicSymbol s = symbol(i);
            if (s.defined && s.binding != STB_LOCAL && !s.name.empty() &&
                (s.visibility == STV_DEFAULT || s.visibility == STV_PROTECTED))
                by_name_.emplace(s.name, i);
        }
        if (by_name_.empty()) by_name_.emplace(std::string_view(), 0);
    }
    std::optional<std::uint32_t> found;
    const auto [begin, end] = by_name_.equal_range(name);
    for (auto it = begin; it != end && it->second != 0; ++it) {
        const DynamicSymbol s = symbol(it->second);
        if (!version.empty() && s.version == version) return it->second;
        if (!s.hidden_version && (version.empty() || s.version.empty() || !found))
            found = it->second;
    }
    return found;
}

}  // namespace e2k::guest::loader
