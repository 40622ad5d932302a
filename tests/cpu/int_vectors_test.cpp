// Every tuple of operations_vectors.csv that is not floating point, through
// semantics_of(), and a sample of them kept in the repository.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "engine/cpu/semantics.h"
#include "tests/cpu/fp_support.h"

namespace e2k::cpu {
namespace {

using test::Bits128;

struct Tuple {
    std::string mnemonic, imm8, src1, src2, src3, pred, result;
    int line = 0;
};

std::vector<Tuple> read_tuples(const std::filesystem::path& file) {
    std::vector<Tuple> tuples;
    std::ifstream in(file);
    std::string text;
    std::getline(in, text);  // column names
    for (int line = 2; std::getline(in, text); ++line) {
        std::stringstream rest(text);
        std::vector<std::string> field;
        for (std::string f; std::getline(rest, f, ',');) field.push_back(f);
        if (field.size() < 8 || test::fp_entry(field[0])) continue;
        tuples.push_back(
            {field[0], field[1], field[2], field[3], field[4], field[5], field[7], line});
    }
    return tuples;
}

/// First row of each mnemonic.
const isa::Operation* row_of(std::string_view mnemonic) {
    static const auto by_name = [] {
        std::map<std::string_view, const isa::Operation*> all;
        for (const isa::Operation& op : isa::operations()) all.emplace(op.mnemonic, &op);
        return all;
    }();
    const auto found = by_name.find(mnemonic);
    return found == by_name.end() ? nullptr : found->second;
}

/// The vectors of getf* follow the byte rule of v1..v4.
int iset_of(const isa::Operation& op) {
    const bool byte_rule =
        op.mnemonic.starts_with("getf") && op.family != isa::Family::State && op.iset_min < 5;
    return byte_rule ? 4 : 6;
}

enum class Outcome { Same, Different, Interpreter };

struct Check {
    Outcome outcome;
    std::string text;
};

Check check(const Tuple& t) {
    const auto wrong = [&](const std::string& what) {
        return Check{Outcome::Different, "line " + std::to_string(t.line) + ": " + t.mnemonic +
                                             ' ' + t.src1 + ' ' + t.src2 + ' ' + t.src3 + ' ' +
                                             t.imm8 + " expected " + t.result + ": " + what + '\n'};
    };
    const isa::Operation* op = row_of(t.mnemonic);
    if (!op) return wrong("no such row");
    const Semantics& semantics = semantics_of(isa::index_of(*op), iset_of(*op));
    const Bits128 src2 = test::parse(t.src2);
    const Bits128 a = op->has(isa::OpFlag::Merge) && t.pred == "1" ? src2 : test::parse(t.src1);
    const Bits128 c = t.imm8.empty() ? test::parse(t.src3)
                                     : Bits128{std::strtoull(t.imm8.c_str(), nullptr, 0), 0};
    Bits128 got;
    switch (semantics.kind) {
        case SemKind::Int64:
            got.low = semantics.fn64(a.low, src2.low, c.low);
            break;
        case SemKind::Int128:
            got = test::from_v128(
                semantics.fn128(test::to_v128(a), test::to_v128(src2), test::to_v128(c)));
            break;
        case SemKind::Div: {
            const DivResult result = semantics.fn_div(a.low, src2.low, c.low);
            if (result.trap) return wrong("trap");
            got.low = result.value;
            break;
        }
        case SemKind::MoveTag:
        case SemKind::TagOp:
            return {Outcome::Interpreter, {}};
        default:
            return wrong("no function");
    }
    if (got != test::parse(t.result)) return wrong("got " + test::print(got));
    return {Outcome::Same, {}};
}

void check_all(const std::filesystem::path& file, int computed, int moved) {
    std::map<Outcome, int> count;
    std::string problems;
    for (const Tuple& t : read_tuples(file)) {
        const Check result = check(t);
        if (++count[result.outcome] <= 50) problems += result.text;
    }
    EXPECT_EQ(count[Outcome::Different], 0) << problems;
    EXPECT_EQ(count[Outcome::Same], computed);
    EXPECT_EQ(count[Outcome::Interpreter], moved) << "tag moves, left to the interpreter's tests";
}

TEST(IntVectors, SampledTuples) {
    check_all(std::filesystem::path(E2K_SOURCE_DIR) / "tests/data/int_tuples.csv", 918, 8);
}

TEST(IntVectors, AllTuples) {
    const auto file = std::filesystem::path(E2K_SHARED_DIR) / "isa/operations_vectors.csv";
    if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is not there";
    check_all(file, 2754, 24);
}

}  // namespace
}  // namespace e2k::cpu
