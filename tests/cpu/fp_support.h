// Calling FP semantic functions by name with guest control registers, for the fp_* tests.
#pragma once

#include <cstdio>
#include <map>
#include <string>
#include <string_view>

#include "engine/cpu/semantics.h"
#include "engine/cpu/semantics/fp_families.h"

namespace e2k::cpu::test {

/// The entry of an FP mnemonic, or null.
inline const SemanticEntry* fp_entry(std::string_view mnemonic) {
    static const auto by_name = [] {
        std::map<std::string_view, const SemanticEntry*> all;
        for (const auto family : fp_families())
            for (const SemanticEntry& entry : family) all.emplace(entry.mnemonic, &entry);
        return all;
    }();
    const auto found = by_name.find(mnemonic);
    return found == by_name.end() ? nullptr : found->second;
}

struct Bits128 {
    std::uint64_t low = 0, high = 0;
    bool operator==(const Bits128&) const = default;
};

/// "0x..." of up to 32 digits; empty is 0.
inline Bits128 parse(std::string_view text) {
    Bits128 v;
    if (text.starts_with("0x")) text.remove_prefix(2);
    for (const char c : text) {
        const auto digit = static_cast<std::uint64_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        v.high = v.high << 4 | v.low >> 60;
        v.low = v.low << 4 | digit;
    }
    return v;
}

inline std::string print(const Bits128& v) {
    char text[40];
    std::snprintf(text, sizeof text, "0x%016llx%016llx", static_cast<unsigned long long>(v.high),
                  static_cast<unsigned long long>(v.low));
    return text;
}

inline V128 to_v128(const Bits128& v) {
    return _mm_set_epi64x(static_cast<long long>(v.high), static_cast<long long>(v.low));
}
inline Bits128 from_v128(V128 v) {
    alignas(16) std::uint64_t parts[2];
    _mm_store_si128(reinterpret_cast<__m128i*>(parts), v);
    return {parts[0], parts[1]};
}

/// Calls the function of `entry` under the given control registers, which collect its flags.
inline Bits128 apply(const SemanticEntry& entry, Bits128 a, Bits128 b, Bits128 c,
                     std::uint32_t& pfpfr, std::uint32_t& fpcr, std::uint32_t& fpsr) {
    const FpEnvironment environment(pfpfr, fpcr, fpsr);
    if (entry.kind == SemKind::Int64 || entry.kind == SemKind::Sse64)
        return {entry.fn64(a.low, b.low, c.low), 0};
    return from_v128(entry.fn128(to_v128(a), to_v128(b), to_v128(c)));
}

}  // namespace e2k::cpu::test
