// The join of the operation table with the registrations: nothing needed is missing, nothing is
// registered that does not exist.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/cpu/semantics.h"
#include "engine/cpu/semantics/families.h"

namespace e2k::cpu {
namespace {

using isa::Family;
using isa::Operation;
using isa::OpFlag;

std::vector<const SemanticEntry*> all_entries() {
    std::vector<const SemanticEntry*> all;
    for (const auto family : integer_families())
        for (const SemanticEntry& entry : family) all.push_back(&entry);
    for (const auto family : fp_families())
        for (const SemanticEntry& entry : family) all.push_back(&entry);
    return all;
}

/// Formats up to Alopf22 and the AAU register forms are operations of an arithmetic channel.
bool is_arithmetic_channel(const Operation& op) { return op.format <= isa::Format::Aaurw; }

TEST(SemanticsTable, EveryUserModeOperationHasAMeaning) {
    std::set<std::string> missing;
    int rows = 0;
    for (const Operation& op : isa::operations()) {
        if (!is_arithmetic_channel(op) || !op.has(OpFlag::UserMode)) continue;
        ++rows;
        for (int iset = op.iset_min; iset <= op.iset_max; ++iset)
            if (semantics_of(isa::index_of(op), iset).kind == SemKind::None)
                missing.insert(std::string(op.mnemonic) + " v" + std::to_string(iset));
    }
    EXPECT_GT(rows, 1000);
    std::string names;
    for (const std::string& name : missing) names += name + ' ';
    EXPECT_TRUE(missing.empty()) << names;
}

/// Operations without a public definition (versions.md §3) must say so, not compute something.
TEST(SemanticsTable, UndefinedOperationsHaveNone) {
    constexpr std::array undefined{Family::IntFlags, Family::MemSegment, Family::ProtectedMisc,
                                   Family::Unknown, Family::V7};
    int rows = 0;
    for (const Operation& op : isa::operations()) {
        if (std::ranges::find(undefined, op.family) == undefined.end()) continue;
        ++rows;
        EXPECT_EQ(semantics_of(isa::index_of(op), op.iset_max).kind, SemKind::None) << op.mnemonic;
    }
    EXPECT_GT(rows, 200);
}

TEST(SemanticsTable, EveryRegistrationNamesARow) {
    std::set<std::string_view> names;
    for (const Operation& op : isa::operations()) names.insert(op.mnemonic);
    for (const SemanticEntry* entry : all_entries())
        EXPECT_TRUE(names.contains(entry->mnemonic)) << entry->mnemonic;
}

TEST(SemanticsTable, OneRegistrationPerVersion) {
    std::map<std::pair<std::string_view, int>, int> count;
    for (const SemanticEntry* entry : all_entries())
        for (int iset = entry->iset_min; iset <= entry->iset_max; ++iset)
            ++count[{entry->mnemonic, iset}];
    for (const auto& [key, times] : count) EXPECT_EQ(times, 1) << key.first << " v" << key.second;
}

TEST(SemanticsTable, KindFitsTheResultWidth) {
    for (const Operation& op : isa::operations()) {
        const Semantics& semantics = semantics_of(isa::index_of(op), op.iset_max);
        const bool wide = op.dst == isa::Width::P || op.src1 == isa::Width::P ||
                          op.src2 == isa::Width::P || op.src3 == isa::Width::P;
        const bool extended =
            op.dst == isa::Width::X || op.src1 == isa::Width::X || op.src2 == isa::Width::X;
        if (semantics.kind == SemKind::Int64 || semantics.kind == SemKind::Sse64) {
            EXPECT_FALSE(wide) << op.mnemonic;
        }
        if (semantics.kind == SemKind::Int128 || semantics.kind == SemKind::Sse128) {
            EXPECT_TRUE(wide || extended) << op.mnemonic;
        }
    }
}

}  // namespace
}  // namespace e2k::cpu
