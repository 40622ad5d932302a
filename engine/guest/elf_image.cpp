// Parsing and judging ELF files. Order and wording of the refusals: elf.md §3.
#include "engine/guest/elf_image.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "engine/cpu/memory.h"
#include "engine/guest/address_space.h"
#include "engine/isa/assembler/program.h"
#include "engine/isa/printable.h"

namespace e2k::guest {
namespace {

constexpr std::uint16_t kMachineElbrus = 175, kMachineOld = 49;
constexpr std::uint32_t kFlagX86App = 0x4, kFlagProtected = 0x20;
constexpr std::uint64_t kMaxFile = 1ull << 31;
constexpr std::uint64_t kMaxNames =
    64 << 20;  // bytes of symbol names: damaged tables repeat long ones
constexpr std::uint64_t kPage = cpu::kPageSize;

/// CPU codes of e_flags bits 31:24 (elf.md §2, process.md §7).
struct CpuCode {
    std::uint8_t code;
    int iset;
    std::uint8_t idr_model;
    const char* name;
};
constexpr std::array kCpuCodes{
    CpuCode{0, 4, 7, "generic"},       CpuCode{2, 2, 4, "elbrus-v2"},
    CpuCode{3, 3, 3, "elbrus-v3"},     CpuCode{4, 4, 7, "elbrus-v4"},
    CpuCode{5, 5, 9, "elbrus-v5"},     CpuCode{6, 6, 0xb, "elbrus-v6"},
    CpuCode{19, 4, 7, "elbrus-8c"},    CpuCode{20, 4, 8, "elbrus-1c+"},
    CpuCode{21, 6, 0xa, "elbrus-12c"}, CpuCode{22, 6, 0xb, "elbrus-16c"},
    CpuCode{23, 6, 0xc, "elbrus-2c3"},
};

using Refusal = tl::unexpected<std::string>;

template <class... A>
Refusal refuse(const std::string& path, fmt::format_string<A...> text, A&&... args) {
    return Refusal(path + ": " + fmt::format(text, std::forward<A>(args)...));
}

/// Bounds-checked view of the file.
class File {
public:
    explicit File(const std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}
    bool holds(std::uint64_t offset, std::uint64_t size) const {
        return offset <= bytes_.size() && size <= bytes_.size() - offset;
    }
    template <class T>
    std::optional<T> at(std::uint64_t offset) const {
        if (!holds(offset, sizeof(T))) return std::nullopt;
        T value;
        std::memcpy(&value, bytes_.data() + offset, sizeof value);
        return value;
    }
    /// NUL-terminated text inside [offset, limit), "" if it leaves the range.
    std::string text(std::uint64_t offset, std::uint64_t limit) const {
        limit = std::min<std::uint64_t>(limit, bytes_.size());
        if (offset >= limit) return {};
        const char* begin = reinterpret_cast<const char*>(bytes_.data()) + offset;
        const std::size_t length = strnlen(begin, limit - offset);
        return length == limit - offset ? std::string() : std::string(begin, length);
    }
    std::uint64_t size() const { return bytes_.size(); }

private:
    const std::vector<std::uint8_t>& bytes_;
};

std::string machine_name(unsigned machine) {
    switch (machine) {
        case EM_386:
            return "3 (x86)";
        case EM_X86_64:
            return "62 (x86-64)";
        case EM_AARCH64:
            return "183 (AArch64)";
        case EM_ARM:
            return "40 (ARM)";
        case EM_RISCV:
            return "243 (RISC-V)";
        default:
            return fmt::format("{}", machine);
    }
}

tl::expected<Elf64_Ehdr, std::string> check_header(const File& file, const std::string& path) {
    const auto ident = file.at<std::array<std::uint8_t, EI_NIDENT>>(0);
    if (file.size() == 0) return refuse(path, "not an ELF file: it is empty");
    if (!ident || std::memcmp(ident->data(), ELFMAG, SELFMAG) != 0)
        return refuse(
            path,
            "not an ELF file: it does not begin with 7f 45 4c 46; give a program compiled "
            "for Elbrus Linux");
    const auto type = file.at<std::uint16_t>(offsetof(Elf64_Ehdr, e_type));
    const auto machine = file.at<std::uint16_t>(offsetof(Elf64_Ehdr, e_machine));
    if (!type || !machine)
        return refuse(path, "truncated: {} bytes do not hold an ELF header (64 bytes)",
                      file.size());
    if (*machine == kMachineOld)
        return refuse(path,
                      "pre-standard Elbrus ELF (machine 49) is not supported; rebuild it with a "
                      "tool chain that writes machine 175");
    if (*machine != kMachineElbrus)
        return refuse(path, "ELF for machine {}, not Elbrus (175); e_machine at offset 18",
                      machine_name(*machine));
    if ((*ident)[EI_CLASS] != ELFCLASS64)
        return refuse(
            path,
            "32-bit pointer mode (ELFCLASS32) is not supported: its system calls (trap 1) "
            "with structures of 32-bit pointers, and stacks and mappings below 4 GiB, are "
            "missing; build it for the 64-bit mode (-mptr64)");
    if ((*ident)[EI_DATA] != ELFDATA2LSB)
        return refuse(path, "big-endian ELF is not valid for Elbrus (e_ident[5] is {})",
                      (*ident)[EI_DATA]);
    const auto header = file.at<Elf64_Ehdr>(0);
    if (!header)
        return refuse(path, "truncated: {} bytes do not hold an ELF header (64 bytes)",
                      file.size());
    if (header->e_flags & kFlagProtected)
        return refuse(path,
                      "protected mode (128-bit pointers) is not supported: pointers that carry "
                      "bounds and rights, their tags in memory and the system calls of trap 8 are "
                      "missing; build it for the 64-bit mode (-mptr64)");
    if (header->e_flags & kFlagX86App)
        return refuse(path, "binary-translator image (x86 application flag) is not supported");
    if (header->e_type == ET_REL) return refuse(path, "relocatable object, link it first");
    if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
        return refuse(path, "ELF type {} cannot be executed", header->e_type);
    return *header;
}

tl::expected<void, std::string> choose_cpu(const Elf64_Ehdr& header, ElfImage& image) {
    const auto code = static_cast<std::uint8_t>(header.e_flags >> 24);
    for (const CpuCode& row : kCpuCodes) {
        if (row.code != code) continue;
        image.iset = row.iset;
        image.idr_model = row.idr_model;
        return {};
    }
    if (code == 1)
        return refuse(image.path,
                      "built for elbrus-v1 (E3M), whose encoding is not supported; rebuild it for "
                      "elbrus-v2 or later");
    if (code == 7 || code == 25)
        return refuse(image.path,
                      "built for elbrus-v7 (CPU code {} in e_flags), which is not supported; "
                      "rebuild it for elbrus-v6 or earlier",
                      code);
    return refuse(image.path, "unknown Elbrus CPU code {} in e_flags 0x{:08x}", code,
                  header.e_flags);
}

int segment_prot(std::uint32_t flags) {
    return ((flags & PF_R) ? kProtRead : 0) | ((flags & PF_W) ? kProtWrite : 0) |
           ((flags & PF_X) ? kProtExec : 0);
}

/// A PT_LOAD entry against the file and the guest's address space.
tl::expected<void, std::string> check_segment(const Elf64_Phdr& ph, unsigned index,
                                              const File& file, const std::string& path) {
    constexpr const char* kDamaged = "damaged program header table";
    if (ph.p_memsz < ph.p_filesz)
        return refuse(path,
                      "{}: segment {} at 0x{:x} has memory size 0x{:x} below its file size "
                      "0x{:x}",
                      kDamaged, index, ph.p_vaddr, ph.p_memsz, ph.p_filesz);
    if (!file.holds(ph.p_offset, ph.p_filesz))
        return refuse(path,
                      "{}: segment {} needs file bytes 0x{:x}..0x{:x} but the file ends at 0x{:x}; "
                      "the file is truncated, copy it again",
                      kDamaged, index, ph.p_offset, ph.p_offset + ph.p_filesz, file.size());
    if (ph.p_vaddr < kPage)
        return refuse(path, "{}: segment {} starts at 0x{:x}; the first page must stay unmapped",
                      kDamaged, index, ph.p_vaddr);
    // What lies between belongs to stacks and mappings.
    const bool high = ph.p_vaddr >= kHighPrograms;
    const std::uint64_t limit = high ? cpu::kAddressEnd : kProgramLimit;
    if (ph.p_vaddr >= limit || ph.p_memsz > limit - ph.p_vaddr)
        return refuse(path,
                      "{}: segment {} at 0x{:x} of 0x{:x} bytes is too large or too high; "
                      "programs lie below 0x{:x}, or between 0x{:x} and 0x{:x}",
                      kDamaged, index, ph.p_vaddr, ph.p_memsz, kProgramLimit, kHighPrograms,
                      cpu::kAddressEnd);
    if (ph.p_vaddr % kPage != ph.p_offset % kPage)
        return refuse(path,
                      "{}: segment {}: address 0x{:x} and file offset 0x{:x} differ modulo "
                      "the page size",
                      kDamaged, index, ph.p_vaddr, ph.p_offset);
    return {};
}

tl::expected<void, std::string> check_overlaps(const ElfImage& image) {
    std::vector<Segment> sorted = image.segments;
    std::ranges::sort(sorted, {}, &Segment::vaddr);
    for (std::size_t i = 1; i < sorted.size(); ++i) {
        const Segment &a = sorted[i - 1], &b = sorted[i];
        if (a.vaddr + a.memsz > b.vaddr)
            return refuse(image.path,
                          "damaged program header table: the segments at 0x{:x} (0x{:x} bytes) and "
                          "0x{:x} overlap",
                          a.vaddr, a.memsz, b.vaddr);
    }
    return {};
}

tl::expected<void, std::string> read_segments(const Elf64_Ehdr& header, const File& file,
                                              std::uint64_t bias, ElfImage& image) {
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 ||
        !file.holds(header.e_phoff, std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr)))
        return refuse(image.path,
                      "damaged program header table: {} entries of {} bytes at offset 0x{:x} in a "
                      "file of 0x{:x} bytes",
                      header.e_phnum, header.e_phentsize, header.e_phoff, file.size());
    image.phnum = header.e_phnum;
    image.phentsize = header.e_phentsize;
    std::optional<std::uint64_t> phdr;
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        const auto ph = file.at<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr));
        if (ph->p_type == PT_PHDR) phdr = ph->p_vaddr + bias;
        if (ph->p_type == PT_INTERP && file.holds(ph->p_offset, ph->p_filesz))
            image.interpreter = file.text(ph->p_offset, ph->p_offset + ph->p_filesz);
        if (ph->p_type == PT_INTERP && image.interpreter.empty())
            return refuse(image.path,
                          "damaged program header table: segment {} (PT_INTERP) holds "
                          "no name",
                          i);
        if (ph->p_type != PT_LOAD || ph->p_memsz == 0) continue;
        Elf64_Phdr load = *ph;
        if (load.p_vaddr < cpu::kAddressEnd) load.p_vaddr += bias;  // others are refused below
        if (auto ok = check_segment(load, i, file, image.path); !ok) return ok;
        image.segments.push_back(
            {load.p_vaddr, load.p_memsz, load.p_filesz, load.p_offset, segment_prot(load.p_flags)});
        if (!phdr && header.e_phoff >= load.p_offset &&
            header.e_phoff - load.p_offset < load.p_filesz)
            image.phdr_address = load.p_vaddr + (header.e_phoff - load.p_offset);
    }
    if (phdr) image.phdr_address = *phdr;
    if (image.segments.empty())
        return refuse(image.path,
                      "damaged program header table: none of its {} entries loads anything "
                      "(PT_LOAD)",
                      header.e_phnum);
    return check_overlaps(image);
}

tl::expected<void, std::string> check_entry(const ElfImage& image) {
    const bool inside = std::ranges::any_of(image.segments, [&](const Segment& s) {
        return (s.prot & kProtExec) && image.entry >= s.vaddr && image.entry - s.vaddr < s.memsz;
    });
    if (image.entry % 8 == 0 && inside) return {};
    return refuse(image.path, "bad entry point 0x{:x}: {}", image.entry,
                  inside ? "not a multiple of 8" : "not inside an executable segment");
}

// Sections and symbols are for people only; a damaged table is left out, never an error.

std::vector<Elf64_Shdr> section_headers(const Elf64_Ehdr& header, const File& file) {
    std::vector<Elf64_Shdr> all;
    if (header.e_shoff == 0 || header.e_shentsize != sizeof(Elf64_Shdr)) return all;
    for (unsigned i = 0; i < header.e_shnum; ++i) {
        const auto sh = file.at<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr));
        if (!sh) return {};
        all.push_back(*sh);
    }
    return all;
}

void read_sections(const Elf64_Ehdr& header, const std::vector<Elf64_Shdr>& headers,
                   const File& file, std::uint64_t bias, ElfImage& image) {
    const bool named = header.e_shstrndx < headers.size();
    for (const Elf64_Shdr& sh : headers) {
        if (!(sh.sh_flags & SHF_ALLOC) || sh.sh_size == 0) continue;
        if (sh.sh_type != SHT_NOBITS && !file.holds(sh.sh_offset, sh.sh_size)) continue;
        std::string name;
        if (named) {
            const Elf64_Shdr& strings = headers[header.e_shstrndx];
            if (file.holds(strings.sh_offset, strings.sh_size))
                name = isa::printable(
                    file.text(strings.sh_offset + sh.sh_name, strings.sh_offset + strings.sh_size));
        }
        image.sections.push_back({std::move(name), sh.sh_addr + bias, sh.sh_size, sh.sh_offset,
                                  sh.sh_type == SHT_NOBITS ? 0 : sh.sh_size,
                                  (sh.sh_flags & SHF_EXECINSTR) != 0});
    }
}

/// A stripped file has no section table; its executable segments hold the code.
void sections_from_segments(ElfImage& image) {
    for (const Segment& s : image.segments)
        image.sections.push_back({fmt::format("segment at 0x{:x}", s.vaddr), s.vaddr, s.memsz,
                                  s.offset, s.filesz, (s.prot & kProtExec) != 0});
}

void read_symbols(const std::vector<Elf64_Shdr>& headers, const File& file, std::uint64_t bias,
                  ElfImage& image) {
    auto wanted = [&](std::uint32_t type) {
        return std::ranges::find(headers, type, &Elf64_Shdr::sh_type);
    };
    auto table = wanted(SHT_SYMTAB);
    if (table == headers.end()) table = wanted(SHT_DYNSYM);
    if (table == headers.end() || table->sh_link >= headers.size()) return;
    const Elf64_Shdr& strings = headers[table->sh_link];
    if (!file.holds(table->sh_offset, table->sh_size) ||
        !file.holds(strings.sh_offset, strings.sh_size))
        return;
    const std::uint64_t count = table->sh_size / sizeof(Elf64_Sym);
    std::uint64_t room = kMaxNames;
    for (std::uint64_t i = 1; i < count; ++i) {
        const auto symbol = file.at<Elf64_Sym>(table->sh_offset + i * sizeof(Elf64_Sym));
        const unsigned type = ELF64_ST_TYPE(symbol->st_info);
        const bool code_type = type == STT_FUNC || type == STT_GNU_IFUNC;
        if ((!code_type && type != STT_OBJECT && type != STT_NOTYPE) ||
            symbol->st_shndx == SHN_UNDEF || symbol->st_shndx == SHN_ABS)
            continue;
        std::string name = isa::printable(
            file.text(strings.sh_offset + symbol->st_name, strings.sh_offset + strings.sh_size));
        if (name.empty()) continue;
        if (name.size() > room) break;
        room -= name.size();
        const bool label = type == STT_NOTYPE && symbol->st_shndx < headers.size() &&
                           (headers[symbol->st_shndx].sh_flags & SHF_EXECINSTR);
        image.symbols.push_back(
            {symbol->st_value + bias, symbol->st_size, std::move(name), code_type || label});
    }
    std::ranges::stable_sort(image.symbols, [](const Symbol& a, const Symbol& b) {
        return a.address != b.address ? a.address < b.address : a.function > b.function;
    });
}

}  // namespace

tl::expected<ElfImage, std::string> ElfImage::parse(std::vector<std::uint8_t> bytes,
                                                    std::string path) {
    return parse_at(std::move(bytes), std::move(path), std::nullopt);
}

tl::expected<ElfImage, std::string> ElfImage::parse_library(std::vector<std::uint8_t> bytes,
                                                            std::string path, std::uint64_t bias) {
    return parse_at(std::move(bytes), std::move(path), bias);
}

tl::expected<ElfImage, std::string> ElfImage::parse_at(std::vector<std::uint8_t> bytes,
                                                       std::string path,
                                                       std::optional<std::uint64_t> library_bias) {
    ElfImage image;
    image.path = std::move(path);
    const File file(bytes);
    const auto header = check_header(file, image.path);
    if (!header) return Refusal(header.error());
    if (auto ok = choose_cpu(*header, image); !ok) return Refusal(ok.error());
    image.e_flags = header->e_flags;
    image.position_independent = header->e_type == ET_DYN;
    if (library_bias && !image.position_independent)
        return refuse(image.path, "is a program, not a shared library");
    const std::uint64_t bias = library_bias                 ? *library_bias
                               : image.position_independent ? kPieBase
                                                            : 0;
    if (auto ok = read_segments(*header, file, bias, image); !ok) return Refusal(ok.error());
    image.entry = header->e_entry + bias;
    if (!library_bias)
        if (auto ok = check_entry(image); !ok) return Refusal(ok.error());
    const auto headers = section_headers(*header, file);
    read_sections(*header, headers, file, bias, image);
    if (std::ranges::none_of(image.sections, &Section::executable)) sections_from_segments(image);
    read_symbols(headers, file, bias, image);
    image.bytes = std::move(bytes);
    return image;
}

tl::expected<ElfImage, std::string> ElfImage::load(const std::string& path) {
    if (isa::is_assembler_source(path) && access(path.c_str(), R_OK) == 0) {
        const auto program = isa::assemble_file(path);
        if (!program) {
            auto report = program.error();
            while (report.ends_with('\n')) report.pop_back();
            return Refusal("cannot assemble\n" + report);
        }
        return parse(isa::write_elf(*program), path);
    }
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return refuse(path, "cannot open: {}", std::strerror(errno));
    struct stat st {};
    const bool known = fstat(fd, &st) == 0;
    std::string trouble;
    if (!known)
        trouble = std::strerror(errno);
    else if (S_ISDIR(st.st_mode))
        trouble = "it is a directory; give a program file";
    else if (!S_ISREG(st.st_mode))
        trouble = "not a regular file; give a program file";
    else if (static_cast<std::uint64_t>(st.st_size) > kMaxFile)
        trouble = "larger than 2 GiB";
    std::vector<std::uint8_t> bytes;
    if (trouble.empty()) bytes.resize(static_cast<std::size_t>(st.st_size));
    std::size_t have = 0;
    while (trouble.empty() && have < bytes.size()) {
        const ssize_t n = ::read(fd, bytes.data() + have, bytes.size() - have);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) trouble = std::strerror(errno);
        if (n <= 0) break;
        have += static_cast<std::size_t>(n);
    }
    close(fd);
    if (!trouble.empty()) return refuse(path, "cannot open: {}", trouble);
    bytes.resize(have);
    return parse(std::move(bytes), path);
}

SymbolTable::SymbolTable(std::vector<Symbol> symbols) : symbols_(std::move(symbols)) {
    std::ranges::stable_sort(symbols_, [](const Symbol& a, const Symbol& b) {
        return a.address != b.address ? a.address < b.address : a.function > b.function;
    });
}

const Symbol* SymbolTable::find(std::uint64_t address) const {
    constexpr std::uint64_t kUnsizedReach = 0x10000;  // how far a label without size may name code
    constexpr std::uint64_t kPadding = 0x100;         // alignment after a sized symbol
    auto it = std::ranges::upper_bound(symbols_, address, {}, &Symbol::address);
    const Symbol* nearest = nullptr;
    for (int steps = 0; it != symbols_.begin() && steps < 16; ++steps) {
        --it;
        if (address - it->address < it->size) {
            // The first symbol at an address is the function, so walk to it.
            while (it != symbols_.begin() && std::prev(it)->address == it->address &&
                   address - it->address < std::prev(it)->size)
                --it;
            return &*it;
        }
        const std::uint64_t reach = it->size == 0 ? kUnsizedReach : it->size + kPadding;
        if ((!nearest || nearest->address == it->address) && address - it->address < reach)
            nearest = &*it;
    }
    return nearest;
}

const Symbol* SymbolTable::by_name(std::string_view name) const {
    const auto it = std::ranges::find(symbols_, name, &Symbol::name);
    return it == symbols_.end() ? nullptr : &*it;
}

std::string SymbolTable::describe(std::uint64_t address) const {
    const Symbol* symbol = find(address);
    if (!symbol) return {};
    if (symbol->address == address) return symbol->name;
    return fmt::format("{}+0x{:x}", symbol->name, address - symbol->address);
}

}  // namespace e2k::guest
