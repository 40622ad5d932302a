// What the dynamic linker needs to know of an ELF file: dynamic section, symbols, versions,
// relocations. Everything is read from the file, with its bounds checked, before anything is
// mapped (elf.md §5, §6, §7).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <tl/expected.hpp>

namespace e2k::guest::loader {

struct DynamicSymbol {
    std::string_view name;
    std::string_view version;  ///< that a program asks for, or a library gives; "" if none
    std::uint64_t value = 0;   ///< as in the file: without the load address
    std::uint64_t size = 0;
    std::uint8_t type = 0, binding = 0, visibility = 0;
    bool defined = false, absolute = false;
    bool hidden_version = false;  ///< an old version: only for who asks for it by name

    bool weak() const;
    bool indirect() const;  ///< STT_GNU_IFUNC: `value` is the function that tells the address
};

struct Relocation {
    std::uint64_t offset = 0;
    std::uint32_t type = 0, symbol = 0;
    std::int64_t addend = 0;
};

/// An address range as in the file (without the load address).
struct Range {
    std::uint64_t address = 0, size = 0;
};

struct TlsSegment {
    std::uint64_t address = 0, file_size = 0, memory_size = 0, alignment = 1;
};

/// Where the address of a function called through the PLT is kept.
enum class PltForm : std::uint8_t {
    Literal,         ///< no tag: a 64-bit literal at the place itself
    EntryLiteral,    ///< DT_E2K_LAZY: the literal of the entry's first bundle
    EntryLiteral20,  ///< DT_E2K_LAZY_BUG_75842: the 64-bit word 20 of the entry
    Got,             ///< DT_E2K_LAZY_GOT: a word of .got.plt
};

class ObjectFile {
public:
    /// `bytes` must outlive the object: names point into it. The error is a sentence that begins
    /// with `path`.
    static tl::expected<ObjectFile, std::string> parse(std::span<const std::uint8_t> bytes,
                                                       std::string path);

    const std::string& path() const { return path_; }
    std::string_view soname() const { return soname_; }
    /// Libraries asked for, in order.
    const std::vector<std::string_view>& needed() const { return needed_; }
    /// DT_RUNPATH, else DT_RPATH.
    std::string_view search_path() const { return search_path_; }
    std::uint32_t symbol_count() const { return symbol_count_; }
    /// `index` < symbol_count().
    DynamicSymbol symbol(std::uint32_t index) const;
    /// The definition of `name` that others see: the default version, or the one asked for.
    std::optional<std::uint32_t> find(std::string_view name, std::string_view version) const;
    /// In the order of the file, each once.
    const std::vector<Relocation>& relocations() const { return relocations_; }
    PltForm plt_form() const { return plt_form_; }
    const std::optional<TlsSegment>& tls() const { return tls_; }
    const Range& relro() const { return relro_; }
    /// DT_INIT, DT_FINI; 0: none.
    std::uint64_t init() const { return init_; }
    std::uint64_t fini() const { return fini_; }
    /// Arrays of addresses, read after relocation.
    const Range& preinit_array() const { return preinit_array_; }
    const Range& init_array() const { return init_array_; }
    const Range& fini_array() const { return fini_array_; }
    /// The dynamic section; address of the value of DT_DEBUG in it, 0: none.
    std::uint64_t dynamic_address() const { return dynamic_.address; }
    std::uint64_t debug_value_address() const { return debug_value_; }
    /// True if [address, address + size) lies in what the file loads.
    bool loads(std::uint64_t address, std::uint64_t size) const;

private:
    struct LoadSegment {
        std::uint64_t address, file_size, memory_size, offset;
    };
    /// Values of the dynamic section that lead to other tables.
    struct Tags;

    explicit ObjectFile(std::span<const std::uint8_t> bytes, std::string path)
        : bytes_(bytes), path_(std::move(path)) {}
    tl::expected<void, std::string> read_segments();
    tl::expected<Tags, std::string> read_dynamic();
    tl::expected<void, std::string> read_strings(const Tags& tags);
    tl::expected<void, std::string> read_symbols(const Tags& tags);
    tl::expected<void, std::string> read_versions(const Tags& tags);
    tl::expected<void, std::string> read_needed_versions(const Tags& tags);
    tl::expected<void, std::string> read_defined_versions(const Tags& tags);
    tl::expected<void, std::string> read_relocations(const Tags& tags);
    tl::expected<void, std::string> read_functions(const Tags& tags);
    tl::expected<std::uint32_t, std::string> count_symbols(const Tags& tags) const;
    tl::expected<std::uint32_t, std::string> count_gnu_symbols(std::uint64_t table) const;

    tl::unexpected<std::string> damaged(std::string what) const;
    /// Bytes of the file that are loaded at `address`, up to the end of their segment.
    std::span<const std::uint8_t> loaded(std::uint64_t address) const;
    template <class T>
    std::optional<T> word(std::uint64_t address) const;
    std::string_view text(std::uint64_t offset) const;  ///< of the string table; "" if damaged

    std::span<const std::uint8_t> bytes_;
    std::string path_;
    std::vector<LoadSegment> segments_;
    Range dynamic_;
    std::uint64_t debug_value_ = 0;
    std::span<const std::uint8_t> strings_, symbols_, version_indices_;
    std::uint32_t symbol_count_ = 0;
    std::unordered_map<std::uint16_t, std::string_view> versions_;
    std::string_view soname_, search_path_;
    std::vector<std::string_view> needed_;
    std::vector<Relocation> relocations_;
    PltForm plt_form_ = PltForm::Literal;
    std::optional<TlsSegment> tls_;
    Range relro_, preinit_array_, init_array_, fini_array_;
    std::uint64_t init_ = 0, fini_ = 0;
    mutable std::unordered_multimap<std::string_view, std::uint32_t> by_name_;  ///< made on demand
};

}  // namespace e2k::guest::loader
