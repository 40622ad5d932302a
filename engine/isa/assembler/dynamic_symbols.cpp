#include "engine/isa/assembler/dynamic_symbols.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

namespace e2k::isa::assembler {
namespace {

/// The hash function of the System V ABI.
std::uint32_t classic_hash(std::string_view name) {
    std::uint32_t h = 0;
    for (const char c : name) {
        h = (h << 4) + static_cast<unsigned char>(c);
        const std::uint32_t high = h & 0xf000'0000;
        h = (h ^ high >> 24) & ~high;
    }
    return h;
}

std::uint32_t gnu_hash_of(std::string_view name) {
    constexpr std::uint32_t kStart = 5381;
    std::uint32_t h = kStart;
    for (const char c : name) h = h * 33 + static_cast<unsigned char>(c);
    return h;
}

template <class T>
void append(std::vector<std::uint8_t>& bytes, const T* data, std::size_t count) {
    if (count == 0) return;
    const auto at = bytes.size();
    bytes.resize(at + count * sizeof(T));
    std::memcpy(bytes.data() + at, data, count * sizeof(T));
}

}  // namespace

void DynamicSymbols::clear() { *this = DynamicSymbols(); }

std::uint32_t DynamicSymbols::text(std::string_view text) {
    const auto [at, fresh] =
        texts_.emplace(std::string(text), static_cast<std::uint32_t>(strings_.size()));
    if (fresh) {
        strings_ += text;
        strings_ += '\0';
    }
    return at->second;
}

std::vector<std::string> DynamicSymbols::names() const {
    std::vector<std::string> out;
    for (const DynamicSymbol& s : all_) out.push_back(s.name);
    return out;
}

std::uint32_t DynamicSymbols::buckets() const {
    const auto defined = static_cast<std::uint32_t>(all_.size() - first_defined_);
    return std::max<std::uint32_t>(1, defined / 2);
}

void DynamicSymbols::arrange() {
    const auto middle = std::stable_partition(
        all_.begin(), all_.end(), [](const DynamicSymbol& s) { return s.section == 0; });
    first_defined_ = static_cast<std::size_t>(middle - all_.begin());
    const std::uint32_t count = buckets();
    std::stable_sort(middle, all_.end(), [&](const DynamicSymbol& a, const DynamicSymbol& b) {
        return gnu_hash_of(a.name) % count < gnu_hash_of(b.name) % count;
    });
    for (std::size_t i = 0; i < all_.size(); ++i)
        numbers_.emplace(all_[i].name, static_cast<std::uint32_t>(i + 1));
}

std::uint32_t DynamicSymbols::number(std::string_view name) const {
    const auto at = numbers_.find(name);
    return at == numbers_.end() ? 0 : at->second;
}

std::vector<std::uint8_t> DynamicSymbols::symbols() {
    std::vector<Elf64_Sym> table(1);
    for (const DynamicSymbol& s : all_) {
        Elf64_Sym& e = table.emplace_back();
        e.st_name = text(s.name);
        e.st_info = s.info;
        e.st_other = s.other;
        e.st_shndx = s.section;
        e.st_value = s.value;
        e.st_size = s.size;
    }
    std::vector<std::uint8_t> bytes;
    append(bytes, table.data(), table.size());
    return bytes;
}

std::vector<std::uint8_t> DynamicSymbols::hash() const {
    const auto count = static_cast<std::uint32_t>(all_.size()) + 1;
    const std::uint32_t buckets = std::max<std::uint32_t>(1, count / 2);
    std::vector<std::uint32_t> words(2 + buckets + count);
    words[0] = buckets;
    words[1] = count;
    for (std::uint32_t i = 1; i < count; ++i) {
        std::uint32_t& first = words[2 + classic_hash(all_[i - 1].name) % buckets];
        words[2 + buckets + i] = first;
        first = i;
    }
    std::vector<std::uint8_t> bytes;
    append(bytes, words.data(), words.size());
    return bytes;
}

std::vector<std::uint8_t> DynamicSymbols::gnu_hash() const {
    constexpr std::uint32_t kShift = 6, kBits = 64;
    const std::uint32_t count = buckets();
    const auto first = static_cast<std::uint32_t>(first_defined_) + 1;
    std::uint32_t filter_words = 1;
    while (filter_words * kBits / 8 < all_.size()) filter_words *= 2;
    std::vector<std::uint64_t> filter(filter_words);
    std::vector<std::uint32_t> starts(count), chain;
    for (std::size_t i = first_defined_; i < all_.size(); ++i) {
        const std::uint32_t h = gnu_hash_of(all_[i].name), bucket = h % count;
        filter[h / kBits % filter_words] |=
            std::uint64_t{1} << h % kBits | std::uint64_t{1} << (h >> kShift) % kBits;
        if (!starts[bucket]) starts[bucket] = static_cast<std::uint32_t>(i) + 1;
        const bool last = i + 1 == all_.size() || gnu_hash_of(all_[i + 1].name) % count != bucket;
        chain.push_back((h & ~1u) | (last ? 1u : 0u));
    }
    const std::uint32_t header[] = {count, first, filter_words, kShift};
    std::vector<std::uint8_t> bytes;
    append(bytes, header, std::size(header));
    append(bytes, filter.data(), filter.size());
    append(bytes, starts.data(), starts.size());
    append(bytes, chain.data(), chain.size());
    return bytes;
}

}  // namespace e2k::isa::assembler
