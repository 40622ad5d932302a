// Sections of a program in the making: where statements put their bytes.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/isa/assembler/program.h"

namespace e2k::isa::assembler {

/// What `.section` says about one.
struct SectionKind {
    bool loaded = true;  ///< part of the program's memory
    bool writable = false, executable = false;
    bool contents = true;   ///< false: only reserved space, like .bss
    bool absolute = false;  ///< `.struct`: no section, its labels are numbers
    bool tls = false;       ///< each thread has its own copy
};

/// A part of a section: `.text 2` stands behind `.text 1`.
struct Subsection {
    std::vector<std::uint8_t> bytes;
    std::uint64_t size = 0, alignment = 1;
    std::uint64_t start = 0;  ///< in its section, as the last pass left it
    int region = 0;           ///< distances inside one are constants
};

struct Section {
    std::string name;
    SectionKind kind;
    bool declared = false;  ///< the source has said its kind
    std::uint64_t address = 0, size = 0;
    std::uint64_t alignment = 1;  ///< the largest of its parts
    std::map<int, Subsection> parts{};
};

/// Errors are messages; nothing: it went well.
using Trouble = std::optional<std::string>;

class Sections {
public:
    Sections();

    // ---- where statements go ---------------------------------------------------------------
    /// Makes `name` (part `number`) the current section. `kind`: what the source says of it.
    Trouble enter(std::string_view name, int number, const std::optional<SectionKind>& kind);
    void enter_part(int number) { select({place_.section, number}); }
    /// A section without a place whose next address is `offset`.
    void enter_absolute(std::uint64_t offset);
    Trouble push();
    Trouble pop();
    Trouble swap_previous();

    const Section& section() const { return all_[place_.section]; }
    std::size_t index() const { return place_.section; }
    /// Offset in the current part and address of the next byte.
    std::uint64_t offset() const { return part_->size; }
    std::uint64_t location() const { return section().address + part_->start + part_->size; }
    int part_number() const { return place_.part; }
    int region() const { return part_->region; }
    /// What follows has no constant distance to what stands before.
    void break_region() { part_->region = ++regions_; }

    /// The current part stands at a multiple of `to`.
    void need_alignment(std::uint64_t to) {
        if (part_->alignment < to) part_->alignment = to;
    }

    // ---- contents --------------------------------------------------------------------------
    Trouble append(std::span<const std::uint8_t> bytes);
    Trouble fill(std::uint64_t size, std::uint8_t value);
    /// Repeats `pattern`, which is up to eight bytes long.
    Trouble repeat(std::uint64_t count, std::span<const std::uint8_t> pattern);
    Trouble align(std::uint64_t to, std::span<const std::uint8_t> pattern,
                  std::optional<std::uint64_t> most);
    /// Moves on to an offset of the current part.
    Trouble move_to(std::uint64_t offset, std::uint8_t value);

    // ---- passes ----------------------------------------------------------------------------
    void begin_pass();
    /// Sections follow one another, each on its own page.
    void lay_out(std::uint64_t base);
    /// As a linker does (layout.cpp): behind the file's headers first what is only read, then, on
    /// pages of their own, what the dynamic linker protects once it has filled it, and what the
    /// program writes. True if nothing has moved.
    bool lay_out_in_segments(std::uint64_t base);
    /// The part of the memory that every thread gets a copy of.
    struct ThreadBlock {
        std::uint64_t begin = 0, contents = 0, size = 0, alignment = 1;
    };
    ThreadBlock thread_block() const;
    /// Of the sections `name` and `name.N`, as laid out last.
    std::pair<std::uint64_t, std::uint64_t> range_of(std::string_view name) const;
    /// Indices of those that the file holds, in its order: `segments`, that of the addresses.
    std::vector<std::size_t> file_order(bool segments) const;
    bool has_thread_block() const;
    /// Every part far from all others, so that a distance between two is no small number.
    void lay_out_apart();
    std::uint64_t address_of(std::string_view name) const;
    bool contains(std::string_view name) const { return by_name_.contains(name); }
    const std::deque<Section>& all() const { return all_; }
    std::deque<Section>& all() { return all_; }

private:
    struct Place {
        std::size_t section = 0;
        int part = 0;
        bool operator==(const Place&) const = default;
    };
    static void place_parts(Section& section);
    void select(Place place);
    std::size_t make(std::string_view name, const SectionKind& kind);
    Trouble room(std::uint64_t size);

    std::deque<Section> all_;
    std::map<std::string, std::size_t, std::less<>> by_name_;
    Place place_;
    Subsection* part_ = nullptr;
    std::optional<Place> previous_;
    struct Saved {
        Place place;
        std::optional<Place> previous;
    };
    std::vector<Saved> stack_;
    std::uint64_t contents_ = 0, space_ = 0;
    int regions_ = 0;
    bool apart_ = false;
};

/// What a section of this name is when the source says nothing about it.
SectionKind usual_kind(std::string_view name);
/// The program headers of a file with segments.
std::vector<AssembledSegment> segments_of(const Sections& sections, std::uint64_t base);
/// In which order sections stand in a file with segments; those with equal rank as in the source.
int segment_rank(const Section& section);
/// From this rank on they are written to; from the second one on the program itself writes.
inline constexpr int kFirstWritable = 20, kFirstUnprotected = 30;
/// Room for the ELF header and the program headers in front of the first section.
inline constexpr std::uint64_t kHeaderRoom = 0x240;

}  // namespace e2k::isa::assembler
