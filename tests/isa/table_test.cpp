// The operation table against itself and against the reference list (opcodes.csv).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "engine/isa/describe.h"
#include "engine/isa/opcode_index.h"
#include "tests/isa/vectors.h"

namespace e2k::isa {
namespace {

bool is_als(const Operation& op) {
    return op.format < Format::Mmurr;  // ALS formats come first, then MMU forms and other units
}

/// Rows the decoder never chooses: other names, and forms told apart by addresses alone.
bool is_second_name(const Operation& op) { return op.has(OpFlag::Alias) || !is_als(op); }

bool has_ales(const Operation& op) { return op.opcode2 >= 0; }

/// An encoding of `op` whose free fields are random.
AlsCode random_code(const Operation& op, int iset, int channel, std::mt19937& random) {
    AlsCode code;
    code.iset = iset;
    code.channel = channel;
    code.has_ales = has_ales(op);
    code.als = static_cast<std::uint32_t>(random()) & 0x80ff'ffff;
    code.als |= static_cast<std::uint32_t>(op.opcode) << 24;
    if (op.opce1 >= 0)
        code.als = (code.als & ~0xff'0000u) | static_cast<std::uint32_t>(op.opce1) << 16;
    if (op.format == Format::Alopf7 || op.format == Format::Alopf8)
        code.als = (code.als & ~0xe0u) | static_cast<std::uint32_t>(op.cmpopce) << 5;
    const int low = op.format == Format::Alopf17 ? op.cmpopce
                    : op.opce2 >= 0              ? op.opce2
                                                 : static_cast<int>(random() & 0xff);
    if (code.has_ales) code.ales = static_cast<std::uint16_t>(op.opcode2 << 8 | low);
    code.mas = static_cast<std::uint8_t>(random() & 0x7e);
    if (code.mas == kAauAccessMas) code.mas = 0;
    if (op.format == Format::Aaurr || op.format == Format::Aaurw) code.mas = kAauAccessMas;
    return code;
}

TEST(OperationTable, EveryEncodingFindsItsOwnRow) {
    std::mt19937 random(1);
    unsigned tried = 0;
    for (const Operation& op : operations()) {
        if (is_second_name(op)) continue;
        for (int iset = op.iset_min; iset <= op.iset_max; ++iset) {
            for (int channel = 0; channel < kChannels; ++channel) {
                if (!((op.channels >> channel) & 1)) continue;
                for (int draw = 0; draw < 4; ++draw, ++tried) {
                    const Operation* found = find_operation(random_code(op, iset, channel, random));
                    ASSERT_EQ(found, &op)
                        << op.mnemonic << " v" << iset << " channel " << channel << " finds "
                        << (found ? found->mnemonic : std::string_view("nothing"));
                }
            }
        }
    }
    EXPECT_GT(tried, 50'000u);
}

TEST(OperationTable, NothingIsFoundOutsideChannelsAndVersions) {
    std::mt19937 random(2);
    for (const Operation& op : operations()) {
        if (is_second_name(op)) continue;
        for (int iset = kMinIset; iset <= kMaxIset; ++iset) {
            for (int channel = 0; channel < kChannels; ++channel) {
                const bool in_version = iset >= op.iset_min && iset <= op.iset_max;
                if (in_version && ((op.channels >> channel) & 1)) continue;
                ASSERT_NE(find_operation(random_code(op, iset, channel, random)), &op)
                    << op.mnemonic << " v" << iset << " channel " << channel;
            }
        }
    }
}

TEST(OperationTable, EqualMnemonicsAreAdjacentAndAlsComesFirst) {
    std::set<std::pair<bool, std::string_view>> seen;
    std::string_view last;
    bool other_units = false;
    for (const Operation& op : operations()) {
        const bool other = op.channels == 0;
        EXPECT_FALSE(other_units && !other) << op.mnemonic << " lies behind the ALS operations";
        other_units = other;
        if (op.mnemonic == last) continue;
        last = op.mnemonic;
        EXPECT_TRUE(seen.insert({other, op.mnemonic}).second) << op.mnemonic << " is split";
    }
}

TEST(OperationTable, IndexesRoundTrip) {
    for (const Operation& op : operations()) ASSERT_EQ(&operation(index_of(op)), &op);
}

TEST(OperationTable, EveryRowIsDescribed) {
    for (const Operation& op : operations()) {
        EXPECT_FALSE(op.mnemonic.empty());
        EXPECT_TRUE(!op.summary.empty() || op.has(OpFlag::Unverified)) << op.mnemonic;
        EXPECT_LE(op.iset_min, op.iset_max) << op.mnemonic;
        EXPECT_FALSE(family_name(op.family).empty());
        const auto text = describe(op).text();
        EXPECT_NE(text.find(op.mnemonic), std::string::npos) << text;
    }
}

// --- opcodes.csv ---

using Record = std::map<std::string, std::string>;

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> fields(1);
    bool quoted = false;
    for (const char c : line) {
        if (c == '"')
            quoted = !quoted;
        else if (c == ',' && !quoted)
            fields.emplace_back();
        else if (c != '\r')
            fields.back() += c;
    }
    return fields;
}

std::vector<Record> read_records(const std::string& path) {
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    const auto header = split(line);
    std::vector<Record> records;
    while (std::getline(in, line)) {
        const auto fields = split(line);
        Record r;
        for (std::size_t i = 0; i < header.size() && i < fields.size(); ++i)
            r[header[i]] = fields[i];
        records.push_back(std::move(r));
    }
    return records;
}

/// A hexadecimal constant; -1 for an empty or variable field.
int constant(const std::string& text) {
    if (!text.starts_with("0x")) return -1;
    return static_cast<int>(std::stoul(text, nullptr, 16));
}

/// opcodes.csv writes the 3-bit comparison codes in decimal.
int comparison_code(const std::string& text) {
    return text.empty() ? -1 : std::stoi(text, nullptr, 0);
}

unsigned channel_mask(const std::string& digits) {
    unsigned mask = 0;
    for (const char c : digits) mask |= 1u << (c - '0');
    return mask;
}

std::string width_name(Width width) {
    switch (width) {
        case Width::None:
            return "";
        case Width::S:
            return "s";
        case Width::D:
            return "d";
        case Width::X:
            return "x";
        case Width::Q:
            return "q";
        case Width::P:
            return "p";
        case Width::Pred:
            return "pred";
        case Width::State:
            return "sr";
        case Width::Aau:
            return "aau";
        case Width::AauReg:
            return "aaureg";
        case Width::MmuReg:
            return "mmureg";
    }
    return "?";
}

std::string pair_name(Pair pair) {
    switch (pair) {
        case Pair::None:
            return "";
        case Pair::P01_34:
            return "0+1/3+4";
        case Pair::P02_35:
            return "0+2/3+5";
        case Pair::P25:
            return "2+5";
        case Pair::P01:
            return "0+1";
    }
    return "?";
}

bool has_word(const std::string& text, std::string_view word) {
    return fmt::format(" {} ", text).find(fmt::format(" {} ", word)) != std::string::npos;
}

/// Flags of the table that opcodes.csv spells as words.
std::string flag_words(const Operation& op) {
    constexpr std::pair<OpFlag, std::string_view> kWords[] = {
        {OpFlag::Load, "load"},          {OpFlag::Store, "store"},
        {OpFlag::Merge, "merge"},        {OpFlag::CtCond, "ctcond"},
        {OpFlag::SameSrc1, "same_src1"}, {OpFlag::Ales25, "ales25"},
        {OpFlag::Ambiguous, "amb"},      {OpFlag::Src3Literal, "src3lit"},
        {OpFlag::Unverified, "v7only"}};
    std::string out;
    for (const auto& [flag, word] : kWords)
        if (op.has(flag)) (out += word) += ' ';
    return out;
}

std::string flag_words(const Record& r) {
    std::string out;
    for (const std::string_view word :
         {"load", "store", "merge", "ctcond", "same_src1", "ales25", "amb", "src3lit", "v7only"})
        if (has_word(r.at("flags"), word)) (out += word) += ' ';
    return out;
}

/// The encoding columns as one comparable line.
std::string line_of(const Operation& op) {
    std::ostringstream out;
    out << op.mnemonic << ' ' << format_name(op.format) << " ch " << unsigned{op.channels} << " op "
        << unsigned{op.opcode} << ' ' << op.opcode2 << ' ' << op.opce1 << ' '
        << (op.format == Format::Alopf17 ? op.cmpopce : op.opce2) << ' '
        << (op.format == Format::Alopf17 ? -1 : op.cmpopce) << " v" << unsigned{op.iset_min} << '-'
        << unsigned{op.iset_max};
    for (const Width w : {op.src1, op.src2, op.src3, op.src4, op.dst})
        out << ' ' << width_name(w) << ';';
    out << ' ' << op.print_sizes << ' ' << pair_name(op.pair) << " | " << flag_words(op);
    return out.str();
}

std::string line_of(const Record& r) {
    std::ostringstream out;
    out << r.at("mnemonic") << ' ' << r.at("format") << " ch " << channel_mask(r.at("channels"))
        << " op " << constant(r.at("opcode")) << ' ' << constant(r.at("opcode2")) << ' '
        << constant(r.at("opce1")) << ' ' << constant(r.at("opce2")) << ' '
        << comparison_code(r.at("cmpopce")) << " v" << r.at("iset_min") << '-' << r.at("iset_max");
    for (const char* key : {"src1", "src2", "src3", "src4", "dst"}) out << ' ' << r.at(key) << ';';
    out << ' ' << r.at("txt") << ' ' << r.at("pair") << " | " << flag_words(r);
    return out.str();
}

/// opcodes.csv gives pextrh a 32-bit result; it writes 64 bits (packed.md §5).
Record corrected(Record r) {
    if (r.at("mnemonic") == "pextrh") r["dst"] = "d";
    return r;
}

bool is_als(const Record& r) {
    const auto& format = r.at("format");
    return format.starts_with("ALOPF") || format.starts_with("AAUR");
}

TEST(OperationTable, HoldsEveryAlsRowOfTheReferenceWithEqualFields) {
    const auto path = test::shared_path("isa/opcodes.csv");
    if (path.empty()) GTEST_SKIP() << "../shared/isa/opcodes.csv is absent";
    std::multiset<std::string> ours, theirs;
    for (const Operation& op : operations())
        if (is_als(op)) ours.insert(line_of(op));
    for (const Record& r : read_records(path))
        if (is_als(r)) theirs.insert(line_of(corrected(r)));
    EXPECT_GT(theirs.size(), 2500u);
    EXPECT_EQ(ours.size(), theirs.size());
    unsigned shown = 0;
    for (const auto& line : theirs)
        if (!ours.contains(line) && ++shown < 20) ADD_FAILURE() << "not in the table: " << line;
    for (const auto& line : ours)
        if (!theirs.contains(line) && ++shown < 40)
            ADD_FAILURE() << "not in the reference: " << line;
}

TEST(OperationTable, HoldsEveryOtherOperationOfTheReference) {
    const auto path = test::shared_path("isa/opcodes.csv");
    if (path.empty()) GTEST_SKIP() << "../shared/isa/opcodes.csv is absent";
    // The reference splits SS and PLS further than the table.
    const auto key = [](std::string_view name, std::string_view format, int low, int high) {
        std::ostringstream out;
        out << name << ' ' << format.substr(0, 2) << " v" << low << '-' << high;
        return out.str();
    };
    std::multiset<std::string> ours, theirs;
    for (const Operation& op : operations())
        if (!is_als(op))
            ours.insert(key(op.mnemonic, format_name(op.format), op.iset_min, op.iset_max));
    for (const Record& r : read_records(path))
        if (!is_als(r))
            theirs.insert(key(r.at("mnemonic"), r.at("format"), std::stoi(r.at("iset_min")),
                              std::stoi(r.at("iset_max"))));
    EXPECT_EQ(ours, theirs);
}

}  // namespace
}  // namespace e2k::isa
