// The tables of symbols that a dynamic linker reads: .dynsym, .dynstr, .hash, .gnu.hash.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace e2k::isa::assembler {

struct DynamicSymbol {
    std::string name;
    std::uint64_t value = 0, size = 0;
    std::uint8_t info = 0, other = 0;
    std::uint16_t section = 0;  ///< number of its header; 0: undefined
};

class DynamicSymbols {
public:
    void clear();
    void add(DynamicSymbol symbol) { all_.push_back(std::move(symbol)); }
    /// Brings them into the order that .gnu.hash asks for.
    void arrange();

    /// Number in .dynsym; 0: there is none of this name.
    std::uint32_t number(std::string_view name) const;
    /// Offset in .dynstr.
    std::uint32_t text(std::string_view text);

    std::vector<std::uint8_t> symbols();
    std::vector<std::uint8_t> hash() const;
    std::vector<std::uint8_t> gnu_hash() const;
    const std::string& strings() const { return strings_; }
    std::vector<std::string> names() const;

private:
    std::uint32_t buckets() const;

    std::vector<DynamicSymbol> all_;
    std::size_t first_defined_ = 0;
    std::map<std::string, std::uint32_t, std::less<>> numbers_;
    std::string strings_ = std::string(1, '\0');
    std::map<std::string, std::uint32_t, std::less<>> texts_;
};

}  // namespace e2k::isa::assembler
