#include "engine/isa/listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <unordered_set>

namespace e2k::isa {
namespace {

constexpr std::uint64_t kUnit = 8;  ///< bundles start at multiples of it
constexpr std::uint64_t kAsyncEntry = 16;
constexpr unsigned kMaxAsyncEntries = 32;  ///< syllables.md §10

std::vector<std::uint32_t> words_of(std::span<const std::uint8_t> bytes) {
    std::vector<std::uint32_t> words(bytes.size() / 4);
    if (!words.empty()) std::memcpy(words.data(), bytes.data(), words.size() * 4);
    return words;
}

std::optional<std::uint64_t> target_of(const Bundle& b) {
    if (b.cs1.icall) return b.cs0.target;
    if (!b.cs0.present || !b.cs0.valid) return std::nullopt;
    switch (b.cs0.kind) {
        case Cs0Kind::Ibranch:
            if (b.ss.condition == 0) return std::nullopt;
            [[fallthrough]];
        case Cs0Kind::Disp:
        case Cs0Kind::Ldisp:
        case Cs0Kind::Puttsd:
            return b.cs0.target;
        default:
            return std::nullopt;
    }
}

/// Puts the symbol behind the target's number, or at the end where another number is printed
/// (icall prints the raw displacement).
void name_target(DisassemblyLine& line, std::uint64_t target, const std::string& name) {
    const auto number = fmt::format("0x{:x}", target);
    const auto at = line.text.find(number);
    if (at == std::string::npos)
        line.text += " " + name;
    else
        line.text.insert(at + number.size(), " " + name);
}

class Lister {
public:
    Lister(std::span<const std::uint8_t> bytes, std::uint64_t start, const ListingOptions& options)
        : bytes_(bytes), start_(start), options_(options) {
        find_array_programs();
    }

    /// Row at byte offset `at`.
    ListingRow row(std::uint64_t at) const {
        const std::uint64_t address = start_ + at;
        if (address % kUnit != 0) {
            const auto gap = std::min<std::uint64_t>(kUnit - address % kUnit, bytes_.size() - at);
            return invalid(at, gap, "a bundle starts at a multiple of 8");
        }
        if (bytes_.size() - at < kUnit)
            return invalid(at, bytes_.size() - at, "fewer bytes than the shortest bundle");
        if (array_entries_.contains(address)) return array_entry(at);
        if (const auto zeros = zero_run(at); options_.skip_zeros && zeros >= 2 * kUnit)
            return zero_row(at, zeros);
        const auto bundle = decode(bytes_.subspan(at), address, options_.iset);
        if (!bundle) return invalid(at, kUnit, bundle.error().message());
        return list_bundle(*bundle, options_);
    }

private:
    void find_array_programs() {
        for (std::uint64_t at = (kUnit - start_ % kUnit) % kUnit; at + kUnit <= bytes_.size();) {
            const auto bundle = decode(bytes_.subspan(at), start_ + at, options_.iset);
            if (!bundle) {
                at += kUnit;
                continue;
            }
            if (const auto program = array_program_of(*bundle)) mark_array_program(*program);
            at += bundle->length;
        }
    }

    void mark_array_program(std::uint64_t address) {
        for (unsigned i = 0; i < kMaxAsyncEntries; ++i, address += kAsyncEntry) {
            const std::uint64_t at = address - start_;
            if (address < start_ || at > bytes_.size() || bytes_.size() - at < kAsyncEntry) return;
            array_entries_.insert(address);
            if (bytes_[at + 3] & 0x80) return;  // ct: end of the program
        }
    }

    std::uint64_t zero_run(std::uint64_t at) const {
        const auto first = bytes_.begin() + static_cast<std::ptrdiff_t>(at);
        const auto end = std::find_if(first, bytes_.end(), [](std::uint8_t b) { return b != 0; });
        auto run = static_cast<std::uint64_t>(end - first) / kUnit * kUnit;
        if (!options_.symbols) return run;
        // A symbol inside the run gets its own row.
        for (std::uint64_t k = kUnit; k < run; k += kUnit)
            if (!label(start_ + at + k).empty()) return k;
        return run;
    }

    std::string label(std::uint64_t address) const {
        if (!options_.symbols) return {};
        const auto symbol = options_.symbols(address);
        return symbol && symbol->offset == 0 ? std::string(symbol->name) : std::string();
    }

    ListingRow plain(ListingRow::Kind kind, std::uint64_t at, std::uint64_t length) const {
        ListingRow row;
        row.kind = kind;
        row.address = start_ + at;
        row.length = length;
        row.label = label(row.address);
        return row;
    }
    ListingRow zero_row(std::uint64_t at, std::uint64_t length) const {
        return plain(ListingRow::Kind::Zeros, at, length);
    }
    ListingRow invalid(std::uint64_t at, std::uint64_t length, std::string problem) const {
        auto row = plain(ListingRow::Kind::Invalid, at, length);
        row.words = words_of(bytes_.subspan(at, length));
        row.problem = std::move(problem);
        return row;
    }
    ListingRow array_entry(std::uint64_t at) const {
        auto row = plain(ListingRow::Kind::Async, at, kAsyncEntry);
        row.words = words_of(bytes_.subspan(at, kAsyncEntry));
        const std::span<const std::uint32_t, 4> words(row.words.data(), 4);
        for (auto& text : disassemble_async(words, options_.iset))
            row.lines.push_back({std::move(text), Unit::Async, -1});
        return row;
    }

    std::span<const std::uint8_t> bytes_;
    std::uint64_t start_;
    const ListingOptions& options_;
    std::unordered_set<std::uint64_t> array_entries_;
};

}  // namespace

std::optional<std::uint64_t> array_program_of(const Bundle& b) {
    if (b.cs0.present && b.cs0.kind == Cs0Kind::Ldisp) return b.cs0.target;
    return std::nullopt;
}

std::string symbolic(std::uint64_t address, const SymbolLookup& symbols) {
    if (!symbols) return {};
    const auto symbol = symbols(address);
    if (!symbol) return {};
    if (symbol->offset == 0) return fmt::format("<{}>", symbol->name);
    return fmt::format("<{}+0x{:x}>", symbol->name, symbol->offset);
}

ListingRow list_bundle(const Bundle& b, const ListingOptions& options) {
    ListingRow row;
    row.address = b.address;
    row.length = b.length;
    if (options.symbols)
        if (const auto symbol = options.symbols(b.address); symbol && symbol->offset == 0)
            row.label = symbol->name;
    row.words.assign(b.words.begin(), b.words.begin() + b.length / 4);
    row.lines = disassemble_lines(b, options.style);
    row.target = target_of(b);
    if (row.target)
        if (const auto name = symbolic(*row.target, options.symbols); !name.empty())
            for (auto& line : row.lines)
                if (line.unit == (b.cs1.icall ? Unit::Cs1 : Unit::Cs0))
                    name_target(line, *row.target, name);
    if (const auto legality = check_legal(b); !legality.legal) row.problem = legality.why.message();
    return row;
}

void list_code(std::span<const std::uint8_t> bytes, std::uint64_t start,
               const ListingOptions& options, const std::function<bool(const ListingRow&)>& row) {
    const Lister lister(bytes, start, options);
    for (std::uint64_t at = 0; at < bytes.size();) {
        const ListingRow r = lister.row(at);
        if (!row(r)) return;
        at += r.length;
    }
}

std::vector<ListingRow> list_code(std::span<const std::uint8_t> bytes, std::uint64_t start,
                                  const ListingOptions& options) {
    std::vector<ListingRow> rows;
    list_code(bytes, start, options, [&](const ListingRow& r) {
        rows.push_back(r);
        return true;
    });
    return rows;
}

std::string to_text(const ListingRow& row, const ListingOptions& options) {
    std::string out;
    const auto add = [&]<typename... A>(fmt::format_string<A...> format, A&&... args) {
        fmt::format_to(std::back_inserter(out), format, std::forward<A>(args)...);
    };
    if (!row.label.empty()) add("\n{:016x} <{}>:\n", row.address, row.label);
    add("{:8x}:", row.address);
    if (options.show_words)
        for (const std::uint32_t w : row.words) add(" {:08x}", w);
    out += '\n';
    if (row.kind == ListingRow::Kind::Zeros) add("  ... {} empty bundles\n", row.length / kUnit);
    for (const auto& line : row.lines) add("  {}\n", line.text);
    if (row.kind == ListingRow::Kind::Invalid)
        add("  <not a bundle: {}>\n", row.problem);
    else if (!row.problem.empty())
        add("  <illegal: {}>\n", row.problem);
    out += '\n';
    return out;
}

}  // namespace e2k::isa
