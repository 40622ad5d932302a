#include "engine/isa/assembler/sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace e2k::isa::assembler {
namespace {

constexpr std::uint64_t kPage = 0x1000;
constexpr std::uint64_t kMaxContents = 1ull << 25, kMaxSpace = 1ull << 30;  ///< bytes
constexpr std::uint64_t kMaxAlignment = 1ull << 20;
constexpr std::size_t kMaxSections = 4096, kMaxParts = 1024, kMaxStack = 1024;
constexpr std::string_view kAbsolute = "*ABS*";

std::uint64_t round_up(std::uint64_t value, std::uint64_t to) { return (value + to - 1) / to * to; }

}  // namespace

SectionKind usual_kind(std::string_view name) {
    struct Row {
        std::string_view name;
        SectionKind kind;
    };
    static constexpr std::array kRows{Row{".text", {true, false, true, true}},
                                      Row{".init", {true, false, true, true}},
                                      Row{".fini", {true, false, true, true}},
                                      Row{".data", {true, true, false, true}},
                                      Row{".data1", {true, true, false, true}},
                                      Row{".bss", {true, true, false, false}},
                                      Row{".sbss", {true, true, false, false}},
                                      Row{".tdata", {true, true, false, true, false, true}},
                                      Row{".tbss", {true, true, false, false, false, true}},
                                      Row{".got", {true, true, false, true}},
                                      Row{".init_array", {true, true, false, true}},
                                      Row{".fini_array", {true, true, false, true}},
                                      Row{".preinit_array", {true, true, false, true}},
                                      Row{".ctors", {true, true, false, true}},
                                      Row{".dtors", {true, true, false, true}},
                                      Row{".comment", {false, false, false, true}},
                                      Row{".debug", {false, false, false, true}},
                                      Row{".note.GNU-stack", {false, false, false, true}},
                                      Row{".stab", {false, false, false, true}},
                                      Row{".stabstr", {false, false, false, true}}};
    for (const Row& row : kRows) {
        if (!name.starts_with(row.name)) continue;
        const auto rest = name.substr(row.name.size());
        if (rest.empty() || rest.front() == '.' || (row.name == ".debug" && rest.front() == '_'))
            return row.kind;
    }
    return {};
}

Sections::Sections() {
    // The usual sections stand in this order, whichever the source names first.
    for (const std::string_view name : {".text", ".rodata", ".got", ".data", ".bss"})
        make(name, usual_kind(name));
    select({});
}

std::size_t Sections::make(std::string_view name, const SectionKind& kind) {
    all_.push_back({std::string(name), kind});
    by_name_[std::string(name)] = all_.size() - 1;
    return all_.size() - 1;
}

void Sections::select(Place place) {
    place_ = place;
    Section& s = all_[place.section];
    auto at = s.parts.find(place.part);
    if (at == s.parts.end()) {
        at = s.parts.emplace(place.part, Subsection{}).first;
        if (apart_) lay_out_apart();
    }
    part_ = &at->second;
    if (part_->region == 0) break_region();
}

Trouble Sections::enter(std::string_view name, int number, const std::optional<SectionKind>& kind) {
    const auto at = by_name_.find(name);
    if (at == by_name_.end() && all_.size() >= kMaxSections)
        return fmt::format("a program has at most {} sections", kMaxSections);
    const std::size_t index = at == by_name_.end() ? make(name, usual_kind(name)) : at->second;
    Section& s = all_[index];
    if (s.parts.size() >= kMaxParts && !s.parts.contains(number))
        return fmt::format("a section has at most {} parts", kMaxParts);
    if (kind && !s.declared) s.kind = *kind;
    s.declared = true;
    previous_ = place_;
    select({index, number});
    return std::nullopt;
}

void Sections::enter_absolute(std::uint64_t offset) {
    const auto at = by_name_.find(kAbsolute);
    SectionKind kind;
    kind.loaded = kind.contents = false;
    kind.absolute = true;
    const std::size_t index = at == by_name_.end() ? make(kAbsolute, kind) : at->second;
    previous_ = place_;
    select({index, 0});
    part_->size = offset;
}

Trouble Sections::push() {
    if (stack_.size() >= kMaxStack) return "sections are pushed without end";
    stack_.push_back({place_, previous_});
    return std::nullopt;
}

Trouble Sections::pop() {
    if (stack_.empty()) return ".popsection without .pushsection; ignored";
    const Saved saved = stack_.back();
    stack_.pop_back();
    select(saved.place);
    previous_ = saved.previous;
    return std::nullopt;
}

Trouble Sections::swap_previous() {
    if (!previous_) return ".previous without a section before; ignored";
    const Place now = place_;
    select(*previous_);
    previous_ = now;
    return std::nullopt;
}

// ---- contents ----------------------------------------------------------------------------------

Trouble Sections::room(std::uint64_t size) {
    const SectionKind& kind = section().kind;
    if (kind.absolute)
        return size > kMaxSpace - std::min(kMaxSpace, part_->size)
                   ? Trouble("the section would be too large")
                   : std::nullopt;
    std::uint64_t& used = kind.contents ? contents_ : space_;
    const std::uint64_t most = kind.contents ? kMaxContents : kMaxSpace;
    if (size > most - used)
        return fmt::format("the section would be too large: a program has at most {} MiB of {}",
                           most >> 20, kind.contents ? "contents" : "reserved space");
    used += size;
    return std::nullopt;
}

Trouble Sections::append(std::span<const std::uint8_t> bytes) {
    if (!section().kind.contents) {
        const bool zeros = std::all_of(bytes.begin(), bytes.end(), [](auto b) { return b == 0; });
        if (!zeros) return "a section without contents holds only reserved space";
        return fill(bytes.size(), 0);
    }
    if (auto trouble = room(bytes.size())) return trouble;
    part_->bytes.insert(part_->bytes.end(), bytes.begin(), bytes.end());
    part_->size += bytes.size();
    return std::nullopt;
}

Trouble Sections::fill(std::uint64_t size, std::uint8_t value) {
    return repeat(size, std::span(&value, 1));
}

Trouble Sections::repeat(std::uint64_t count, std::span<const std::uint8_t> pattern) {
    const std::uint64_t length = pattern.size();
    if (length == 0 || count == 0) return std::nullopt;
    const bool zeros = std::all_of(pattern.begin(), pattern.end(), [](auto b) { return b == 0; });
    if (!section().kind.contents && !zeros)
        return "a section without contents holds only reserved space";
    if (count > ~std::uint64_t{0} / length) return room(~std::uint64_t{0});
    const std::uint64_t size = count * length;
    if (auto trouble = room(size)) return trouble;
    if (section().kind.contents) {
        auto& bytes = part_->bytes;
        const auto from = bytes.size();
        bytes.resize(from + size, pattern.front());
        if (length > 1)
            for (std::uint64_t i = 0; i < size; ++i) bytes[from + i] = pattern[i % length];
    }
    part_->size += size;
    return std::nullopt;
}

Trouble Sections::align(std::uint64_t to, std::span<const std::uint8_t> pattern,
                        std::optional<std::uint64_t> most) {
    if (to == 0) to = 1;
    if ((to & (to - 1)) || to > kMaxAlignment)
        return fmt::format("an alignment is a power of two up to {}", kMaxAlignment);
    const std::uint64_t gap = round_up(offset(), to) - offset();
    break_region();
    if (most && gap > *most) return std::nullopt;
    part_->alignment = std::max(part_->alignment, to);
    const std::uint64_t length = std::max<std::uint64_t>(pattern.size(), 1);
    if (auto trouble = fill(gap % length, 0)) return trouble;
    constexpr std::uint8_t kZero = 0;
    return repeat(gap / length, pattern.empty() ? std::span(&kZero, 1) : pattern);
}

Trouble Sections::move_to(std::uint64_t to, std::uint8_t value) {
    if (to < offset())
        return fmt::format("the location cannot move back from {:#x} to {:#x}", offset(), to);
    auto trouble = fill(to - offset(), value);
    break_region();
    return trouble;
}

// ---- passes ------------------------------------------------------------------------------------

void Sections::begin_pass() {
    for (Section& s : all_) {
        s.declared = false;
        s.kind = usual_kind(s.name);
        if (s.name == kAbsolute) s.kind = {false, false, false, false, true};
        for (auto& [number, part] : s.parts) {
            part.bytes.clear();
            part.size = 0;
            part.alignment = 1;
            part.region = 0;
        }
    }
    contents_ = space_ = 0;
    regions_ = 0;
    stack_.clear();
    previous_.reset();
    select({});
}

void Sections::place_parts(Section& s) {
    s.size = 0;
    s.alignment = 1;
    for (auto& [number, part] : s.parts) {
        part.start = s.kind.absolute ? 0 : round_up(s.size, part.alignment);
        s.size = part.start + part.size;
        s.alignment = std::max(s.alignment, part.alignment);
    }
}

void Sections::lay_out(std::uint64_t base) {
    std::uint64_t at = base;
    for (Section& s : all_) {
        place_parts(s);
        s.address = s.kind.loaded ? round_up(at, std::max(s.alignment, kPage)) : 0;
        if (s.kind.loaded && s.size) at = round_up(s.address + s.size, kPage);
        if (s.kind.loaded && !s.size) s.address = at;
    }
}

void Sections::lay_out_apart() {
    apart_ = true;
    std::uint64_t section = 0;
    for (Section& s : all_) {
        std::uint64_t part_number = 0;
        if (!s.kind.absolute) s.address = ++section << 48;
        for (auto& [number, part] : s.parts)
            if (!s.kind.absolute) part.start = part_number++ << 40;
    }
}

std::uint64_t Sections::address_of(std::string_view name) const {
    const auto at = by_name_.find(name);
    return at == by_name_.end() ? 0 : all_[at->second].address;
}

}  // namespace e2k::isa::assembler
