// An ELF64 file from an assembled program (elf.md).
#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/isa/assembler/linkage.h"
#include "engine/isa/assembler/program.h"

namespace e2k::isa {
namespace {

constexpr std::uint16_t kMachineElbrus = 175;
constexpr std::uint64_t kPage = 0x1000;
constexpr std::size_t kUsualName = 16;  ///< characters

/// What the header of a section says beyond its flags, by its name.
struct SectionRow {
    std::string_view name;
    std::uint32_t type;
    std::string_view link = {};
    std::uint64_t entry_size = 0;
    std::uint32_t info = 0;
};
constexpr std::array kSectionRows{
    SectionRow{".hash", SHT_HASH, ".dynsym", 4},
    SectionRow{".gnu.hash", SHT_GNU_HASH, ".dynsym"},
    SectionRow{".dynsym", SHT_DYNSYM, ".dynstr", sizeof(Elf64_Sym), 1},
    SectionRow{".dynstr", SHT_STRTAB},
    SectionRow{".rela.dyn", SHT_RELA, ".dynsym", sizeof(Elf64_Rela)},
    SectionRow{".rela.plt", SHT_RELA, ".dynsym", sizeof(Elf64_Rela)},
    SectionRow{".dynamic", SHT_DYNAMIC, ".dynstr", sizeof(Elf64_Dyn)},
    SectionRow{".init_array", SHT_INIT_ARRAY, {}, 8},
    SectionRow{".fini_array", SHT_FINI_ARRAY, {}, 8},
    SectionRow{".preinit_array", SHT_PREINIT_ARRAY, {}, 8},
};

class ElfWriter {
public:
    explicit ElfWriter(const AssembledProgram& program) : program_(program) {}

    std::vector<std::uint8_t> run() {
        std::size_t size = 0;
        for (const AssembledSection& s : program_.sections) size += s.bytes.size() + kPage;
        file_.reserve(size + program_.symbols.size() * (sizeof(Elf64_Sym) + kUsualName));
        const auto loaded = std::count_if(program_.sections.begin(), program_.sections.end(),
                                          [](const AssembledSection& s) { return s.loaded; });
        const auto segments =
            in_segments() ? program_.segments.size() : static_cast<std::size_t>(loaded);
        file_.resize(sizeof(Elf64_Ehdr) + segments * sizeof(Elf64_Phdr));
        for (const AssembledSegment& s : program_.segments) add_segment(s);
        headers_.push_back({});  // the null section
        for (const AssembledSection& s : program_.sections) add_section(s);
        add_symbols();
        add_names();
        const std::uint64_t headers_at =
            append(headers_.data(), headers_.size() * sizeof(Elf64_Shdr));
        write_headers(headers_at);
        return std::move(file_);
    }

private:
    std::uint64_t append(const void* data, std::size_t size, std::uint64_t alignment = 8) {
        file_.resize((file_.size() + alignment - 1) / alignment * alignment);
        const std::uint64_t at = file_.size();
        const auto* bytes = static_cast<const std::uint8_t*>(data);
        file_.insert(file_.end(), bytes, bytes + size);
        return at;
    }

    bool in_segments() const { return !program_.segments.empty(); }

    void add_segment(const AssembledSegment& s) {
        Elf64_Phdr& p = segments_.emplace_back();
        p.p_type = s.type;
        p.p_flags = s.flags;
        p.p_offset = s.address - program_.base;
        p.p_vaddr = p.p_paddr = s.address;
        p.p_filesz = s.file_size;
        p.p_memsz = s.size;
        p.p_align = s.alignment;
    }

    /// Where the bytes of a section go: into the image of the memory, or behind what there is.
    std::uint64_t place(const AssembledSection& s) {
        if (!in_segments() || !s.loaded)
            return s.bytes.empty() ? 0
                                   : append(s.bytes.data(), s.bytes.size(), s.loaded ? kPage : 8);
        const std::uint64_t at = s.address - program_.base;
        if (s.bytes.empty()) return at;
        file_.resize(std::max<std::size_t>(file_.size(), at + s.bytes.size()));
        std::copy(s.bytes.begin(), s.bytes.end(), file_.begin() + static_cast<std::ptrdiff_t>(at));
        return at;
    }

    std::uint32_t number_of(std::string_view section) const {
        for (std::size_t i = 0; i < program_.sections.size(); ++i)
            if (program_.sections[i].name == section) return static_cast<std::uint32_t>(i + 1);
        return 0;
    }

    void describe(const AssembledSection& s, Elf64_Shdr& h) const {
        for (const SectionRow& row : kSectionRows) {
            if (row.name != s.name) continue;
            h.sh_type = row.type;
            h.sh_link = row.link.empty() ? 0 : number_of(row.link);
            h.sh_entsize = row.entry_size;
            h.sh_info = row.info;
            if (row.name == ".rela.plt") {
                h.sh_info = number_of(".got");
                h.sh_flags |= SHF_INFO_LINK;
            }
        }
    }

    std::uint32_t name(const std::string& text) {
        const auto at = static_cast<std::uint32_t>(names_.size());
        names_ += text;
        names_ += '\0';
        return at;
    }

    void add_section(const AssembledSection& s) {
        const bool contents = !s.bytes.empty();
        Elf64_Shdr h{};
        h.sh_name = name(s.name);
        h.sh_type = contents ? SHT_PROGBITS : SHT_NOBITS;
        h.sh_flags = (s.loaded ? SHF_ALLOC : 0u) | (s.writable ? SHF_WRITE : 0u) |
                     (s.executable ? SHF_EXECINSTR : 0u) | (s.tls ? SHF_TLS : 0u);
        h.sh_addr = s.address;
        h.sh_offset = place(s);
        h.sh_size = s.size;
        h.sh_addralign = s.alignment;
        if (in_segments() && contents) describe(s, h);
        headers_.push_back(h);
        if (!s.loaded || in_segments()) return;

        Elf64_Phdr p{};
        p.p_type = PT_LOAD;
        p.p_flags = PF_R | (s.writable ? PF_W : 0u) | (s.executable ? PF_X : 0u);
        p.p_offset = h.sh_offset;
        p.p_vaddr = p.p_paddr = s.address;
        p.p_filesz = s.bytes.size();
        p.p_memsz = s.size;
        p.p_align = kPage;
        segments_.push_back(p);
    }

    static unsigned binding_of(const AssembledSymbol& s) {
        return s.weak ? STB_WEAK : s.global ? STB_GLOBAL : STB_LOCAL;
    }

    void add_symbols() {
        std::vector<Elf64_Sym> table(1);
        std::string strings(1, '\0');
        std::uint32_t locals = 1;
        for (const bool global : {false, true})
            for (const AssembledSymbol& s : program_.symbols) {
                if ((binding_of(s) != STB_LOCAL) != global) continue;
                Elf64_Sym e{};
                e.st_name = static_cast<std::uint32_t>(strings.size());
                e.st_info = static_cast<unsigned char>(
                    ELF64_ST_INFO(binding_of(s), assembler::elf_symbol_type(s.type)));
                e.st_other = static_cast<unsigned char>(s.visibility);
                e.st_shndx = s.undefined     ? static_cast<std::uint16_t>(SHN_UNDEF)
                             : s.section < 0 ? static_cast<std::uint16_t>(SHN_ABS)
                                             : static_cast<std::uint16_t>(s.section + 1);
                e.st_value = s.address;
                e.st_size = s.size;
                strings += s.name;
                strings += '\0';
                table.push_back(e);
                if (!global) ++locals;
            }
        Elf64_Shdr symbols{};
        symbols.sh_name = name(".symtab");
        symbols.sh_type = SHT_SYMTAB;
        symbols.sh_size = table.size() * sizeof(Elf64_Sym);
        symbols.sh_offset = append(table.data(), symbols.sh_size);
        symbols.sh_link = static_cast<std::uint32_t>(headers_.size()) + 1;
        symbols.sh_info = locals;
        symbols.sh_entsize = sizeof(Elf64_Sym);
        symbols.sh_addralign = 8;
        headers_.push_back(symbols);
        add_strings(".strtab", strings);
    }

    void add_strings(const char* section, const std::string& strings) {
        Elf64_Shdr h{};
        h.sh_name = name(section);
        h.sh_type = SHT_STRTAB;
        h.sh_size = strings.size();
        h.sh_offset = append(strings.data(), strings.size());
        h.sh_addralign = 1;
        headers_.push_back(h);
    }

    void add_names() {
        const std::uint32_t own = name(".shstrtab");
        add_strings("", names_);
        headers_.back().sh_name = own;
    }

    void write_headers(std::uint64_t headers_at) {
        Elf64_Ehdr e{};
        std::memcpy(e.e_ident, ELFMAG, SELFMAG);
        e.e_ident[EI_CLASS] = ELFCLASS64;
        e.e_ident[EI_DATA] = ELFDATA2LSB;
        e.e_ident[EI_VERSION] = EV_CURRENT;
        const bool anywhere =
            program_.kind == OutputKind::PositionIndependent || program_.kind == OutputKind::Shared;
        e.e_type = anywhere ? ET_DYN : ET_EXEC;
        e.e_machine = kMachineElbrus;
        e.e_version = EV_CURRENT;
        e.e_entry = program_.entry;
        e.e_phoff = sizeof(Elf64_Ehdr);
        e.e_shoff = headers_at;
        e.e_flags = static_cast<std::uint32_t>(program_.iset) << 24;
        e.e_ehsize = sizeof(Elf64_Ehdr);
        e.e_phentsize = sizeof(Elf64_Phdr);
        e.e_phnum = static_cast<std::uint16_t>(segments_.size());
        e.e_shentsize = sizeof(Elf64_Shdr);
        e.e_shnum = static_cast<std::uint16_t>(headers_.size());
        e.e_shstrndx = static_cast<std::uint16_t>(headers_.size() - 1);
        std::memcpy(file_.data(), &e, sizeof e);
        std::memcpy(file_.data() + sizeof e, segments_.data(),
                    segments_.size() * sizeof(Elf64_Phdr));
    }

    const AssembledProgram& program_;
    std::vector<std::uint8_t> file_;
    std::vector<Elf64_Shdr> headers_;
    std::vector<Elf64_Phdr> segments_;
    std::string names_ = std::string(1, '\0');
};

}  // namespace

std::vector<std::uint8_t> write_elf(const AssembledProgram& program) {
    return ElfWriter(program).run();
}

}  // namespace e2k::isa
