// Places of sections in a file with segments, as the linker of binutils puts them.
#include <elf.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "engine/isa/assembler/sections.h"

namespace e2k::isa::assembler {
namespace {

constexpr std::uint64_t kPage = 0x1000;

std::uint64_t round_up(std::uint64_t value, std::uint64_t to) { return (value + to - 1) / to * to; }

struct Rank {
    std::string_view name;
    int rank;
};
constexpr std::array kRanks{
    Rank{".interp", 0},      Rank{".note", 1},           Rank{".hash", 2},
    Rank{".gnu.hash", 3},    Rank{".dynsym", 4},         Rank{".dynstr", 5},
    Rank{".gnu.version", 6}, Rank{".gnu.version_r", 7},  Rank{".rela.dyn", 8},
    Rank{".rela.plt", 9},    Rank{".init", 10},          Rank{".plt", 11},
    Rank{".fini", 13},       Rank{".preinit_array", 22}, Rank{".init_array", 23},
    Rank{".fini_array", 24}, Rank{".ctors", 25},         Rank{".dtors", 26},
    Rank{".dynamic", 28},    Rank{".got", 30},
};
constexpr int kCode = 12, kConstants = 14, kThreadData = 20, kThreadSpace = 21, kData = 31,
              kSpace = 32;

}  // namespace

int segment_rank(const Section& s) {
    const bool writable = s.kind.writable || s.kind.tls || !s.kind.contents;
    if (s.kind.tls) return s.kind.contents ? kThreadData : kThreadSpace;
    for (const Rank& row : kRanks) {
        if (!s.name.starts_with(row.name)) continue;
        const auto rest = std::string_view(s.name).substr(row.name.size());
        const bool numbered = row.rank > kThreadSpace || row.name == ".note";
        const bool same = rest.empty() || (numbered && rest.front() == '.');
        if (same && writable == (row.rank >= kFirstWritable)) return row.rank;
    }
    if (!s.kind.contents) return kSpace;
    if (writable) return kData;
    return s.kind.executable ? kCode : kConstants;
}

bool Sections::lay_out_in_segments(std::uint64_t base) {
    std::vector<Section*> order;
    bool moved = false;
    for (Section& s : all_) {
        const auto size = s.size;
        place_parts(s);
        moved |= size != s.size;
        if (s.kind.loaded) {
            order.push_back(&s);
            continue;
        }
        s.address = 0;
    }
    std::stable_sort(order.begin(), order.end(), [](const Section* a, const Section* b) {
        return segment_rank(*a) < segment_rank(*b);
    });
    std::uint64_t at = base + kHeaderRoom;
    std::uint64_t after_thread_space = 0;
    int before = 0;
    bool first_of_thread = true;
    for (Section* const s : order) {
        const int rank = segment_rank(*s);
        for (const int boundary : {kFirstWritable, kFirstUnprotected})
            if (before < boundary && rank >= boundary) at = round_up(at, kPage);
        before = rank;
        if (after_thread_space && rank != kThreadSpace) at = std::exchange(after_thread_space, 0);
        std::uint64_t alignment = s->alignment;
        // Threads find the whole block at a multiple of its alignment.
        if (s->kind.tls && s->size && std::exchange(first_of_thread, false))
            alignment = thread_block().alignment;
        // What has no contents takes no memory of the image.
        if (rank == kThreadSpace && !after_thread_space) after_thread_space = at;
        const auto address = round_up(at, alignment);
        moved |= s->address != address;
        s->address = address;
        at = s->size ? address + s->size : at;
    }
    return !moved;
}

bool Sections::has_thread_block() const {
    return std::any_of(all_.begin(), all_.end(), [](const Section& s) {
        return s.kind.tls && std::any_of(s.parts.begin(), s.parts.end(),
                                         [](const auto& part) { return part.second.size != 0; });
    });
}

std::pair<std::uint64_t, std::uint64_t> Sections::range_of(std::string_view name) const {
    std::uint64_t begin = 0, end = 0;
    for (const Section& s : all_) {
        const bool same = s.name.starts_with(name) &&
                          (s.name.size() == name.size() || s.name[name.size()] == '.');
        if (!same || !s.size || !s.kind.loaded) continue;
        begin = end == 0 ? s.address : std::min(begin, s.address);
        end = std::max(end, s.address + s.size);
    }
    return {begin, end};
}

std::vector<std::size_t> Sections::file_order(bool segments) const {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < all_.size(); ++i)
        if (all_[i].size && !all_[i].kind.absolute) order.push_back(i);
    const auto rank = [&](std::size_t i) {
        constexpr int kNotLoaded = 100;
        return all_[i].kind.loaded ? segment_rank(all_[i]) : kNotLoaded;
    };
    if (segments)
        std::stable_sort(order.begin(), order.end(),
                         [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
    return order;
}

Sections::ThreadBlock Sections::thread_block() const {
    ThreadBlock block;
    bool first = true;
    for (const Section& s : all_) {
        if (!s.kind.tls || !s.size) continue;
        block.begin = first ? s.address : std::min(block.begin, s.address);
        block.alignment = std::max(block.alignment, s.alignment);
        first = false;
    }
    for (const Section& s : all_) {
        if (!s.kind.tls || !s.size) continue;
        const auto end = s.address + s.size - block.begin;
        block.size = std::max(block.size, end);
        if (s.kind.contents) block.contents = std::max(block.contents, end);
    }
    return block;
}

namespace {

/// The range of the loaded sections with ranks from `first` up to `last`, without that one.
AssembledSegment segment(const Sections& sections, int first, int last) {
    AssembledSegment out;
    out.flags = PF_R;
    std::uint64_t end = 0, contents_end = 0;
    for (const std::size_t i : sections.file_order(true)) {
        const Section& s = sections.all()[i];
        const int rank = segment_rank(s);
        if (!s.kind.loaded || rank < first || rank >= last) continue;
        if (end == 0) out.address = contents_end = end = s.address;
        if (s.kind.executable) out.flags |= PF_X;
        if (s.kind.contents) contents_end = s.address + s.size;
        if (!s.kind.tls || s.kind.contents) end = std::max(end, s.address + s.size);
    }
    out.file_size = contents_end - out.address;
    out.size = end - out.address;
    return out;
}

}  // namespace

std::vector<AssembledSegment> segments_of(const Sections& sections, std::uint64_t base) {
    constexpr int kAll = 1000;
    std::vector<AssembledSegment> out;
    const auto add = [&](std::uint32_t type, AssembledSegment s, std::uint64_t alignment) {
        s.type = type;
        s.alignment = alignment;
        out.push_back(s);
    };
    const auto add_section = [&](std::uint32_t type, std::string_view name, std::uint32_t flags,
                                 std::uint64_t alignment) {
        const auto at = std::ranges::find(sections.all(), name, &Section::name);
        if (at == sections.all().end() || !at->size) return;
        add(type, {0, flags, at->address, at->size, at->size}, alignment);
    };
    auto text = segment(sections, 0, kFirstWritable);
    // The headers are the first part of the image.
    const std::uint64_t end = std::max(text.address + text.size, base + kHeaderRoom);
    text.address = base;
    text.file_size = text.size = end - base;
    add(PT_PHDR, {0, PF_R, base + sizeof(Elf64_Ehdr)}, 8);  // its size: when all are known
    add_section(PT_INTERP, ".interp", PF_R, 1);
    add(PT_LOAD, text, kPage);
    auto data = segment(sections, kFirstWritable, kAll);
    data.flags |= PF_W;
    if (data.size) add(PT_LOAD, data, kPage);
    add_section(PT_DYNAMIC, ".dynamic", PF_R | PF_W, 8);
    if (sections.has_thread_block()) {
        const auto block = sections.thread_block();
        add(PT_TLS, {0, PF_R, block.begin, block.contents, block.size}, block.alignment);
    }
    auto relro = segment(sections, kFirstWritable, kFirstUnprotected);
    if (relro.size && std::ranges::find(sections.all(), std::string_view(".dynamic"),
                                        &Section::name) != sections.all().end()) {
        relro.file_size = relro.size = round_up(relro.address + relro.size, kPage) - relro.address;
        add(PT_GNU_RELRO, relro, 1);
    }
    out.front().file_size = out.front().size = out.size() * sizeof(Elf64_Phdr);
    return out;
}

}  // namespace e2k::isa::assembler
