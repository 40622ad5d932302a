#include "engine/isa/assembler/library.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

namespace e2k::isa {
namespace {

constexpr std::uint16_t kMachineElbrus = 175;
constexpr std::size_t kMostSymbols = 1 << 18;
constexpr std::size_t kMostBytes = std::size_t{1} << 28;

template <class T>
std::optional<T> at(std::string_view bytes, std::uint64_t offset) {
    if (offset > bytes.size() || sizeof(T) > bytes.size() - offset) return std::nullopt;
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

/// The bytes of a section; empty if the file does not hold them.
std::string_view contents(std::string_view bytes, const Elf64_Shdr& h) {
    if (h.sh_offset > bytes.size() || h.sh_size > bytes.size() - h.sh_offset) return {};
    return bytes.substr(h.sh_offset, h.sh_size);
}

std::string text(std::string_view strings, std::uint64_t offset) {
    if (offset >= strings.size()) return {};
    const auto rest = strings.substr(offset);
    return std::string(rest.substr(0, rest.find('\0')));
}

void take_symbols(std::string_view table, std::string_view strings, Library& library) {
    const std::size_t count = std::min(table.size() / sizeof(Elf64_Sym), kMostSymbols);
    for (std::size_t i = 1; i < count; ++i) {
        const auto s = at<Elf64_Sym>(table, i * sizeof(Elf64_Sym));
        if (s->st_shndx == SHN_UNDEF || ELF64_ST_BIND(s->st_info) == STB_LOCAL) continue;
        const unsigned type = ELF64_ST_TYPE(s->st_info);
        library.symbols.push_back({text(strings, s->st_name), s->st_size, type == STT_OBJECT,
                                   type == STT_FUNC || type == STT_GNU_IFUNC});
    }
}

}  // namespace

tl::expected<Library, std::string> parse_library(std::string_view bytes) {
    const auto header = at<Elf64_Ehdr>(bytes, 0);
    if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
        return tl::unexpected(std::string("this is no ELF file"));
    if (header->e_machine != kMachineElbrus || header->e_ident[EI_CLASS] != ELFCLASS64 ||
        header->e_type != ET_DYN)
        return tl::unexpected(std::string("this is no 64-bit shared object for Elbrus"));
    std::vector<Elf64_Shdr> sections;
    for (std::uint64_t i = 0; i < header->e_shnum; ++i) {
        const auto h = at<Elf64_Shdr>(bytes, header->e_shoff + i * sizeof(Elf64_Shdr));
        if (!h) break;
        sections.push_back(*h);
    }
    Library library;
    for (const Elf64_Shdr& h : sections) {
        if (h.sh_link >= sections.size()) continue;
        const auto strings = contents(bytes, sections[h.sh_link]);
        const auto own = contents(bytes, h);
        if (h.sh_type == SHT_DYNSYM) take_symbols(own, strings, library);
        if (h.sh_type != SHT_DYNAMIC) continue;
        for (std::size_t i = 0; i < own.size() / sizeof(Elf64_Dyn); ++i) {
            const auto d = at<Elf64_Dyn>(own, i * sizeof(Elf64_Dyn));
            if (d->d_tag == DT_SONAME) library.soname = text(strings, d->d_un.d_val);
        }
    }
    return library;
}

tl::expected<Library, std::string> read_library(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return tl::unexpected(path + ": cannot be read");
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (bytes.size() > kMostBytes) return tl::unexpected(path + ": too large");
    return parse_library(bytes);
}

std::string usual_library_name(std::string_view name) {
    struct Row {
        std::string_view name, file;
    };
    static constexpr Row kNames[] = {
        {"c", "libc.so.6"},           {"m", "libm.so.6"},         {"pthread", "libpthread.so.0"},
        {"rt", "librt.so.1"},         {"dl", "libdl.so.2"},       {"util", "libutil.so.1"},
        {"resolv", "libresolv.so.2"}, {"crypt", "libcrypt.so.1"}, {"stdc++", "libstdc++.so.6"},
        {"gcc_s", "libgcc_s.so.1"},
    };
    const auto row = std::ranges::find(kNames, name, &Row::name);
    return row == std::end(kNames) ? fmt::format("lib{}.so", name) : std::string(row->file);
}

}  // namespace e2k::isa
