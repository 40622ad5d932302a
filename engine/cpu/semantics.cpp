// The table behind semantics_of(): every row of the operation table joined with the families'
// registrations, once per processor version.
#include "engine/cpu/semantics.h"

#include <algorithm>
#include <array>
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

/// The truth table is spread over the opcode: bit 7 is ALES bit 8 (opcodes.md, plog).
Semantics plog_semantics(const Operation& op) {
    const auto table = static_cast<std::uint8_t>((op.opcode2 & 1) << 7 | (op.opcode & 0x7f));
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

class Table {
public:
    Table() {
        for (const auto family : integer_families()) add(family);
        for (const auto family : fp_families()) add(family);
        const auto rows = isa::operations();
        for (int iset = isa::kMinIset; iset <= isa::kMaxIset; ++iset) {
            auto& column = columns_[static_cast<std::size_t>(iset)];
            column.reserve(rows.size());
            for (const Operation& op : rows) column.push_back(find(op, iset));
        }
    }

    const Semantics& at(isa::OpIndex op, int iset) const {
        const int column = std::clamp(iset, isa::kMinIset, isa::kMaxIset);
        return columns_[static_cast<std::size_t>(column)][op];
    }

private:
    void add(std::span<const SemanticEntry> family) {
        for (const SemanticEntry& entry : family) entries_.emplace(entry.mnemonic, &entry);
    }

    Semantics find(const Operation& op, int iset) const {
        if (op.family == isa::Family::Plog) return plog_semantics(op);
        const auto [first, last] = entries_.equal_range(op.mnemonic);
        for (auto it = first; it != last; ++it)
            if (it->second->iset_min <= iset && iset <= it->second->iset_max)
                return from_entry(*it->second);
        return {};
    }

    std::unordered_multimap<std::string_view, const SemanticEntry*> entries_;
    std::array<std::vector<Semantics>, isa::kMaxIset + 1> columns_;
};

}  // namespace

const Semantics& semantics_of(isa::OpIndex op, int iset) {
    static const Table table;
    return table.at(op, iset);
}

}  // namespace e2k::cpu
