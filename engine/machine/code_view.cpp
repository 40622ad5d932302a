#include "engine/machine/code_view.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "engine/isa/disassembler.h"

namespace e2k::machine {

namespace {

constexpr std::size_t kKept = 16;
/// A function longer than this is shown in part, from one of its bundles on.
constexpr std::uint64_t kLongest = 64u << 10;
constexpr std::uint64_t kStretch = 8u << 10;  ///< shown where no symbol is known
constexpr std::uint64_t kLongestBundle = 64;

}  // namespace

CodeViewCache::CodeViewCache(cpu::MemoryView memory,
                             std::shared_ptr<const guest::SymbolTable> symbols, int iset)
    : memory_(memory), symbols_(std::move(symbols)), iset_(iset) {}

CodeViewCache::Extent CodeViewCache::extent_of(std::uint64_t address) const {
    const guest::Symbol* symbol = symbols_ ? symbols_->find(address) : nullptr;
    if (symbol && symbol->size != 0 && address < symbol->address + symbol->size) {
        const std::uint64_t end = symbol->address + symbol->size;
        if (symbol->size <= kLongest) return {symbol->address, end};
        return {address, std::min(address + kStretch, end)};
    }
    // Hand-written code often has no sizes: up to the next symbol then.
    if (symbol && address - symbol->address < kStretch) {
        const auto& all = symbols_->all();
        const auto next = std::ranges::upper_bound(all, address, {}, &guest::Symbol::address);
        const std::uint64_t limit = symbol->address + 2 * kStretch;
        return {symbol->address, next == all.end() ? limit : std::min(limit, next->address)};
    }
    return {address, address + kStretch};
}

std::shared_ptr<const CodeView> CodeViewCache::cached(std::uint64_t address) const {
    for (const Entry& entry : entries_)
        if (address >= entry.begin && address < entry.end) return entry.view;
    return nullptr;
}

std::shared_ptr<const CodeView> CodeViewCache::around(std::uint64_t address) {
    if (auto view = cached(address)) return view;
    if (!memory_.allows(address, 8, cpu::kPageRead)) return nullptr;
    const Extent extent = extent_of(address);
    auto view = std::make_shared<CodeView>();
    view->generation = ++generation_;
    std::uint64_t at = extent.begin;
    while (at < extent.end) {
        std::uint64_t readable = 0;
        while (readable < kLongestBundle && memory_.allows(at + readable, 8, cpu::kPageRead))
            readable += 8;
        if (readable == 0) break;
        CodeView::Row& row = view->rows.emplace_back();
        std::array<std::uint8_t, kLongestBundle> bytes;
        if (!memory_.copy_out(at, bytes.data(), readable)) break;  // its file has just shrunk
        const auto bundle = isa::decode(std::span(bytes).first(readable), at, iset_);
        if (bundle) {
            row.bundle = *bundle;
            row.text = isa::disassemble(*bundle);
        } else {
            row.valid = false;
            row.error = bundle.error().message();
            row.bundle.address = at;
            row.bundle.length = 8;
            std::memcpy(row.bundle.words.data(), bytes.data(), 8);
        }
        at += row.bundle.length;
    }
    entries_.push_front({extent.begin, std::max(at, extent.begin + 8), view});
    if (entries_.size() > kKept) entries_.pop_back();
    return view;
}

void CodeViewCache::forget() { entries_.clear(); }

}  // namespace e2k::machine
