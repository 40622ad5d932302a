// The table behind semantics_of(): every row of the operation table joined with the families'
// registrations, once per processor version.
#include "engine/cpu/semantics.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "engine/cpu/semantics/families.h"

namespace e2k::cpu {
namespace {

using isa::Operation;

Semantics from_entry(const SemanticEntry& entry) {
    Semantics semantics;
    semantics.kind = entry.kind;
    semantics.access_size = entry.access_size;
    switch (entry.kind) {
        case SemKind::Int128:
        case SemKind::Sse128:
        case SemKind::X87:
            semantics.fn128 = entry.fn128;
            break;
        case SemKind::Div:
            semantics.fn_div = entry.fn_div;
            break;
        default:
            semantics.fn64 = entry.fn64;
            break;
    }
    return semantics;
}

Semantics plog_semantics(const Operation& op) {
    const std::uint8_t table = plog_table(op);
    Semantics semantics;
    if (op.dst == isa::Width::P) {
        semantics.kind = SemKind::Int128;
        semantics.fn128 = qplog(table);
    } else {
        semantics.kind = SemKind::Int64;
        semantics.fn64 = plog(table);
    }
    return semantics;
}

/// All families by mnemonic.
class Entries {
public:
    Entries() {
        for (const auto family : integer_families()) add(family);
        for (const auto family : fp_families()) add(family);
    }

    Semantics find(const Operation& op, int iset) const {
        if (op.family == isa::Family::Plog) return plog_semantics(op);
        const auto [first, last] = by_mnemonic_.equal_range(op.mnemonic);
        for (auto it = first; it != last; ++it)
            if (it->second->iset_min <= iset && iset <= it->second->iset_max)
                return from_entry(*it->second);
        return {};
    }

private:
    void add(std::span<const SemanticEntry> family) {
        for (const SemanticEntry& entry : family) by_mnemonic_.emplace(entry.mnemonic, &entry);
    }

    std::unordered_multimap<std::string_view, const SemanticEntry*> by_mnemonic_;
};

/// The functions of one version by operation, made when first asked for.
struct Column {
    std::once_flag made;
    std::vector<Semantics> functions;

    void make(int iset) {
        static const Entries entries;
        const auto rows = isa::operations();
        functions.reserve(rows.size());
        for (const Operation& op : rows) functions.push_back(entries.find(op, iset));
    }
};

}  // namespace

const Semantics& semantics_of(isa::OpIndex op, int iset) {
    static std::array<Column, isa::kMaxIset + 1> columns;
    const int version = std::clamp(iset, isa::kMinIset, isa::kMaxIset);
    Column& column = columns[static_cast<std::size_t>(version)];
    std::call_once(column.made, [&] { column.make(version); });
    return column.functions[op];
}

}  // namespace e2k::cpu
