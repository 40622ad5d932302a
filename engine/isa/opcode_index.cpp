#include "engine/isa/opcode_index.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

namespace e2k::isa {
namespace {

constexpr unsigned kOpcodes = 128;
constexpr unsigned kOpcode2s = 32;  ///< ALES opc2 values in use are below 0x18; 0 = no ALES

struct Range {
    std::uint16_t first = 0, count = 0;
};

bool identifies(const Operation& op, const AlsCode& code) {
    const auto byte1 = static_cast<std::uint8_t>(code.als);
    const auto byte3 = static_cast<std::uint8_t>(code.als >> 16);
    if (op.opce1 >= 0 && op.opce1 != byte3 && op.format != Format::Alopf15) return false;
    switch (op.format) {
        case Format::Alopf7:
        case Format::Alopf8:
            return op.cmpopce == byte1 >> 5;
        case Format::Alopf17:
            return op.cmpopce == (code.ales & 0xff);
        case Format::Aaurw:
        case Format::Aaurr:
            return code.mas == kAauAccessMas && (code.ales & 0xff) == op.opce2;
        case Format::Alopf10:
        case Format::Alopf19:
            return code.mas != kAauAccessMas && (code.ales & 0xff) == op.opce2;
        default:
            return op.opce2 < 0 || (code.ales & 0xff) == op.opce2;
    }
}

/// Rows of one version, grouped by channel, opcode and opc2.
class VersionIndex {
public:
    explicit VersionIndex(int iset) {
        const auto all = operations();
        for (unsigned channel = 0; channel < kChannels; ++channel) add_channel(all, iset, channel);
    }

    const Operation* find(const AlsCode& code) const {
        const unsigned opcode2 = code.has_ales ? code.ales >> 8 : 0u;
        if (opcode2 >= kOpcode2s || (code.has_ales && opcode2 == 0)) return nullptr;
        const Range range =
            ranges_[slot(static_cast<unsigned>(code.channel), (code.als >> 24) & 0x7f, opcode2)];
        for (unsigned i = 0; i < range.count; ++i) {
            const Operation& op = *candidates_[range.first + i];
            if (identifies(op, code)) return &op;
        }
        return nullptr;
    }

private:
    static std::size_t slot(unsigned channel, unsigned opcode, unsigned opcode2) {
        return (channel * kOpcodes + opcode) * kOpcode2s + opcode2;
    }

    void add_channel(std::span<const Operation> all, int iset, unsigned channel) {
        struct Entry {
            std::size_t slot;
            const Operation* op;
        };
        std::vector<Entry> entries;
        for (const Operation& op : all) {
            const bool printed_only_as_memory =
                op.format == Format::Mmurr || op.format == Format::Mmurw;
            if (!((op.channels >> channel) & 1) || iset < op.iset_min || iset > op.iset_max ||
                op.has(OpFlag::Alias) || printed_only_as_memory || op.format == Format::Incr)
                continue;
            entries.push_back(
                {slot(channel, op.opcode, op.opcode2 < 0 ? 0u : static_cast<unsigned>(op.opcode2)),
                 &op});
        }
        // A verified row comes before one from a secondary source that overlaps it.
        std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
            const auto key = [](const Entry& e) {
                return std::pair(e.slot, e.op->has(OpFlag::Unverified));
            };
            return key(a) < key(b);
        });
        for (const Entry& e : entries) {
            Range& range = ranges_[e.slot];
            if (range.count == 0) range.first = static_cast<std::uint16_t>(candidates_.size());
            ++range.count;
            candidates_.push_back(e.op);
        }
    }

    std::vector<const Operation*> candidates_;
    std::array<Range, kChannels * kOpcodes * kOpcode2s> ranges_{};
};

const VersionIndex& index_of_version(int iset) {
    static const auto make = [](int version) {
        return std::make_unique<const VersionIndex>(version);
    };
    // One static per version, so that a program pays only for the version it uses.
    switch (std::clamp(iset, kMinIset, kMaxIset)) {
        case 1: {
            static const auto v = make(1);
            return *v;
        }
        case 2: {
            static const auto v = make(2);
            return *v;
        }
        case 3: {
            static const auto v = make(3);
            return *v;
        }
        case 4: {
            static const auto v = make(4);
            return *v;
        }
        case 5: {
            static const auto v = make(5);
            return *v;
        }
        case 6: {
            static const auto v = make(6);
            return *v;
        }
        default: {
            static const auto v = make(7);
            return *v;
        }
    }
}

}  // namespace

const Operation* find_operation(const AlsCode& code) {
    return index_of_version(code.iset).find(code);
}

}  // namespace e2k::isa
