#include "engine/machine/code_sweep.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <unordered_set>

#include "engine/isa/disassembler.h"
#include "engine/isa/listing.h"

namespace e2k::machine {

namespace {

constexpr std::uint64_t kUnit = 8;  ///< bundles begin at multiples of it
constexpr std::uint64_t kLongestBundle = 64;
constexpr std::uint64_t kPrefetchStep = 16;  ///< of an array prefetch program
constexpr unsigned kPrefetchSteps = 32;      ///< at most

constexpr std::uint64_t next_unit(std::uint64_t address) { return address / kUnit * kUnit + kUnit; }

/// Whether control can come from the bundle to the one behind it.
bool falls_through(const isa::Bundle& b) {
    if (b.cs1.call || b.cs1.icall || b.cs1.hcall) return true;
    const bool transfers = b.ss.ctop != 0 || b.cs0.kind == isa::Cs0Kind::Ibranch;
    return !transfers ||
           static_cast<isa::ConditionType>(b.ss.condition) != isa::ConditionType::Always;
}

/// No operation, and yet more than a pause: no assembler makes that, but addresses in a table look
/// like it.
bool is_hollow(const isa::Bundle& b) {
    constexpr std::uint32_t kOperations = 0xfc0c'd000;  // HS: al, pl, c1, c0, s (bundles.md §2)
    constexpr std::uint32_t kPause = 0x0000'0780;       // lm, nop
    return (b.hs & kOperations) == 0 && (b.hs & ~kPause) != 0;
}

/// What a place in the walk is known to be.
enum class Entry : std::uint8_t { None, Data, Target, Label, Function, Executed };

class Sweep {
public:
    Sweep(const CodeImage& image, const guest::SymbolTable* symbols,
          std::span<const std::uint64_t> executed, int iset)
        : image_(image), executed_(executed), iset_(iset) {
        if (!symbols) return;
        const auto& all = symbols->all();
        const auto first = std::ranges::lower_bound(all, image.begin, {}, &guest::Symbol::address);
        const auto last = std::ranges::lower_bound(all, image.end(), {}, &guest::Symbol::address);
        symbols_ = std::span(first, last);
    }

    std::vector<CodeView::Row> rows() {
        // Targets and prefetch programs first: either may lie before what names it.
        walk([this](const isa::Bundle& bundle) { learn(bundle); }, [](std::uint64_t) {});
        std::vector<CodeView::Row> found;
        walk(
            [&](const isa::Bundle& bundle) {
                CodeView::Row& row = found.emplace_back();
                row.bundle = bundle;
                row.text = isa::disassemble(bundle);
            },
            [&](std::uint64_t address) { found.push_back(no_bundle(address)); });
        return found;
    }

private:
    void learn(const isa::Bundle& bundle) {
        if (const auto program = isa::array_program_of(bundle)) return learn_prefetch(*program);
        const bool names_target = bundle.cs0.present && (bundle.cs0.kind == isa::Cs0Kind::Disp ||
                                                         bundle.cs0.kind == isa::Cs0Kind::Ibranch);
        if (names_target) targets_.insert(bundle.cs0.target);
    }

    void learn_prefetch(std::uint64_t address) {
        for (unsigned i = 0; i < kPrefetchSteps; ++i, address += kPrefetchStep) {
            if (!image_.holds(address) || !image_.holds(address + kPrefetchStep - 1)) return;
            prefetch_.insert(address);
            const std::uint8_t* at = image_.bytes.data() + (address - image_.begin);
            std::uint32_t words[2];
            std::memcpy(words, at, sizeof words);
            if (isa::decode_async_half(words[0], words[1], true).ct) return;
        }
    }

    /// The strongest thing known about `address`; `symbol` is left at the first one not before it.
    Entry entry_at(std::uint64_t address) {
        while (!waiting_symbols_.empty() && waiting_symbols_.front().address < address)
            waiting_symbols_ = waiting_symbols_.subspan(1);
        Entry entry = targets_.contains(address) ? Entry::Target : Entry::None;
        data_end_ = address;
        for (const guest::Symbol& s : waiting_symbols_) {
            if (s.address != address) break;
            if (!s.function) {
                if (entry <= Entry::Target && s.size != 0) {
                    entry = Entry::Data;
                    data_end_ =
                        std::max(data_end_, address + std::min(s.size, image_.end() - address));
                }
                continue;
            }
            entry = std::max(entry, s.size != 0 ? Entry::Function : Entry::Label);
        }
        if (std::ranges::binary_search(executed_, address)) entry = Entry::Executed;
        return entry;
    }

    /// Where the next bundle surely begins: none reaches beyond it.
    std::uint64_t next_border(std::uint64_t address) const {
        std::uint64_t border = image_.end();
        const auto executed = std::ranges::upper_bound(executed_, address);
        if (executed != executed_.end()) border = std::min(border, *executed);
        for (const guest::Symbol& s : waiting_symbols_) {
            if (s.address <= address) continue;
            if (s.address % kUnit == 0) return std::min(border, s.address);
        }
        return border;
    }

    std::optional<isa::Bundle> decode(std::uint64_t address, std::uint64_t border) const {
        std::uint64_t length = 0;
        while (length < kLongestBundle && address + length < border &&
               image_.holds(address + length))
            length += kUnit;
        length = std::min(length, border - address);
        const auto* from = image_.bytes.data() + (address - image_.begin);
        const auto bundle =
            isa::decode(std::span(from, static_cast<std::size_t>(length)), address, iset_);
        if (!bundle) return std::nullopt;
        return *bundle;
    }

    /// Zeros up to the next label or the end: they would run as empty bundles, but a few at most
    /// are meant so.
    bool is_padding(std::uint64_t address, std::uint64_t border) const {
        constexpr std::uint64_t kShort = 64;
        if (border - address < kShort && border != image_.end()) return false;
        const auto from =
            image_.bytes.begin() + static_cast<std::ptrdiff_t>(address - image_.begin);
        const auto to = image_.bytes.begin() + static_cast<std::ptrdiff_t>(border - image_.begin);
        return std::all_of(from, to, [](std::uint8_t byte) { return byte == 0; });
    }

    static bool is_code(const isa::Bundle& bundle, Entry entry, bool reached) {
        if (entry >= Entry::Function || reached) return true;
        if (is_hollow(bundle) || !isa::check_legal(bundle).legal) return false;
        return entry != Entry::None || bundle.hs != 0;
    }

    template <class OnBundle, class OnNoBundle>
    void walk(OnBundle on_bundle, OnNoBundle on_no_bundle) {
        waiting_symbols_ = symbols_;
        bool reached = false;  // control comes here from the bundle before
        std::uint64_t at = image_.begin;
        while (at < image_.end()) {
            const Entry entry = entry_at(at);
            const std::uint64_t border = next_border(at);
            const std::uint64_t after = std::min(next_unit(at), border);
            const bool prefetch = prefetch_.contains(at);
            if (entry != Entry::Executed && (entry == Entry::Data || prefetch)) {
                const std::uint64_t end = prefetch ? at + kPrefetchStep : next_unit(data_end_ - 1);
                reached = false;
                at = std::max(after, std::min(end, border));
                continue;
            }
            const auto bundle = at % kUnit == 0 && image_.holds(at) ? decode(at, border)
                                                                    : std::optional<isa::Bundle>();
            const bool padding =
                bundle && bundle->hs == 0 && entry == Entry::None && is_padding(at, border);
            if (bundle &&
                (entry == Entry::Executed || (!padding && is_code(*bundle, entry, reached)))) {
                on_bundle(*bundle);
                reached = falls_through(*bundle);
                at = bundle->next_address();
                continue;
            }
            if (entry == Entry::Executed) on_no_bundle(at);
            reached = false;
            at = after;
        }
    }

    CodeView::Row no_bundle(std::uint64_t address) const {
        CodeView::Row row;
        row.valid = false;
        row.bundle.address = address;
        row.bundle.length = kUnit;
        if (address % kUnit != 0) {
            row.error = "bundles begin at multiples of 8";
            return row;
        }
        if (!image_.holds(address)) {
            row.error = "nothing that can be read is mapped here";
            return row;
        }
        const std::uint64_t offset = address - image_.begin;
        const auto rest = std::span(image_.bytes).subspan(static_cast<std::size_t>(offset));
        std::memcpy(row.bundle.words.data(), rest.data(), std::min<std::size_t>(8, rest.size()));
        const auto bundle =
            isa::decode(rest.first(std::min(rest.size(), std::size_t{64})), address, iset_);
        row.error = bundle ? "runs into the next bundle" : bundle.error().message();
        return row;
    }

    const CodeImage& image_;
    std::span<const guest::Symbol> symbols_, waiting_symbols_;
    std::span<const std::uint64_t> executed_;
    int iset_;
    std::uint64_t data_end_ = 0;
    std::unordered_set<std::uint64_t> targets_, prefetch_;
};

}  // namespace

std::vector<CodeView::Row> sweep_code(const CodeImage& image, const guest::SymbolTable* symbols,
                                      std::span<const std::uint64_t> executed, int iset) {
    return Sweep(image, symbols, executed, iset).rows();
}

}  // namespace e2k::machine
