#include "engine/isa/opcode_index.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

namespace e2k::isa {
namespace {

void add_constant_bits(DecodeRow& row) {
    const Operation& op = *row.op;
    if (op.opce1 >= 0 && op.format != Format::Alopf15) {
        row.als_mask |= 0xff'0000;
        row.als_value |= static_cast<std::uint32_t>(op.opce1) << 16;
    }
    if (op.format == Format::Alopf7 || op.format == Format::Alopf8) {
        row.als_mask |= 0xe0;
        row.als_value |= static_cast<std::uint32_t>(op.cmpopce) << 5;
    }
    const int low = op.format == Format::Alopf17 ? op.cmpopce : op.opce2;
    if (op.opcode2 >= 0 && low >= 0) {
        row.low_mask = 0xff;
        row.low_value = static_cast<std::uint8_t>(low);
    }
}

void add_roles(DecodeRow& row) {
    const Operation& op = *row.op;
    const auto unless_none = [](Width width, OperandRole role) {
        return OperandSource{width == Width::None ? OperandRole::None : role, width};
    };
    switch (op.format) {
        case Format::Alopf10:
        case Format::Alopf15:
        case Format::Alopf16:
        case Format::Alopf19:
        case Format::Aaurr:
        case Format::Aaurw:
            row.traits |= DecodeRow::kSpecial;
            return;
        case Format::Alopf12Icalld:
        case Format::Alopf11Lit8:
        case Format::Alopf12Pshufh:
            row.traits |= DecodeRow::kSpecial;
            break;
        case Format::Alopf21:
        case Format::Alopf21Merge:
            row.src3 = {OperandRole::Register, op.src3};
            if (op.has(OpFlag::Src3Literal)) row.traits |= DecodeRow::kSpecial;
            break;
        default:
            break;
    }
    row.src1 = unless_none(op.src1, OperandRole::Source1);
    row.src2 = unless_none(op.src2, OperandRole::Source2);
    row.data = unless_none(op.src4, OperandRole::Register);
    if (op.src4 == Width::None)
        row.dst = {op.dst == Width::Pred ? OperandRole::Predicate : OperandRole::Destination,
                   op.dst};
}

std::uint8_t second_channels(Pair pair) {
    switch (pair) {
        case Pair::None:
            return 0;
        case Pair::P01_34:
            return 0b010010;
        case Pair::P02_35:
            return 0b100100;
        case Pair::P25:
            return 0b100000;
        case Pair::P01:
            return 0b000010;
    }
    return 0;
}

/// Array stores of a byte, a halfword or a packed register have no aaurw beside them: whatever
/// their MAS, they are what their opcode says.
bool shares_encoding_with_aaurw(const Operation& op) {
    const auto all = operations();
    return std::any_of(all.begin(), all.end(), [&](const Operation& other) {
        return other.format == Format::Aaurw && other.opcode == op.opcode &&
               other.opcode2 == op.opcode2;
    });
}

DecodeRow decode_row(const Operation& op) {
    DecodeRow row;
    row.op = &op;
    add_constant_bits(row);
    add_roles(row);
    row.channels = op.channels;
    row.pair_second = second_channels(op.pair);
    if (op.format == Format::Aaurw || op.format == Format::Aaurr)
        row.traits |= DecodeRow::kMasNeeded;
    if (op.format == Format::Alopf19 ||
        (op.format == Format::Alopf10 && shares_encoding_with_aaurw(op)))
        row.traits |= DecodeRow::kMasRefused;
    if (op.has(OpFlag::MayCarryMas)) row.traits |= DecodeRow::kCarriesMas;
    if (op.has(OpFlag::Ambiguous)) row.traits |= DecodeRow::kAmbiguous;
    return row;
}

/// MMU accesses are told from loads and stores by their address alone; incr shares a staa.
bool has_own_encoding(const Operation& op) {
    return !op.has(OpFlag::Alias) && op.format != Format::Mmurr && op.format != Format::Mmurw &&
           op.format != Format::Incr;
}

}  // namespace

VersionIndex::VersionIndex(int iset) {
    struct Entry {
        std::size_t slot;
        const Operation* op;
    };
    std::vector<Entry> entries;
    for (const Operation& op : operations()) {
        if (op.channels == 0 || iset < op.iset_min || iset > op.iset_max || !has_own_encoding(op))
            continue;
        entries.push_back(
            {slot(op.opcode, op.opcode2 < 0 ? 0u : static_cast<unsigned>(op.opcode2)), &op});
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
        if (range.count == 0) range.first = static_cast<std::uint16_t>(rows_.size());
        ++range.count;
        rows_.push_back(decode_row(*e.op));
    }
}

const VersionIndex& version_index(int iset) {
    // Built at first use, so that a program pays only for the version it runs.
    static std::array<std::atomic<const VersionIndex*>, kMaxIset + 1> built{};
    static std::mutex building;
    const int version = std::clamp(iset, kMinIset, kMaxIset);
    auto& slot = built[static_cast<std::size_t>(version)];
    if (const VersionIndex* index = slot.load(std::memory_order_acquire)) return *index;
    const std::lock_guard lock(building);
    if (const VersionIndex* index = slot.load(std::memory_order_relaxed)) return *index;
    static std::array<std::unique_ptr<const VersionIndex>, kMaxIset + 1> owners;
    auto& owner = owners[static_cast<std::size_t>(version)];
    owner = std::make_unique<const VersionIndex>(version);
    slot.store(owner.get(), std::memory_order_release);
    return *owner;
}

const Operation* find_operation(const AlsCode& code) {
    const DecodeRow* row = version_index(code.iset).find(
        static_cast<unsigned>(code.channel), code.als, code.ales, code.has_ales, code.mas);
    return row ? row->op : nullptr;
}

}  // namespace e2k::isa
