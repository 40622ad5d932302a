#include "engine/cpu/exec/aau.h"

#include <array>
#include <bit>
#include <cstring>
#include <type_traits>

#include "engine/isa/bundle.h"

namespace e2k::cpu::exec {
namespace {

constexpr std::uint64_t kAddressMask = (1ull << 48) - 1;
constexpr unsigned kPlaneAreas = 32;        // areas of one plane; also the longest program
constexpr unsigned kAsyncInstruction = 16;  // bytes

enum Group : std::uint8_t { kAad = 0, kAasti = 1, kAaind = 2, kAaincr = 3 };

std::uint64_t sign_extend(std::uint64_t value, unsigned bits) {
    const unsigned shift = 64 - bits;
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(value << shift) >> shift);
}

AauArea area_of(const isa::AsyncHalf& half) {
    AauArea area;
    area.fmt = half.fmt;
    area.d = half.d;
    area.incr = half.incr;
    area.ind = half.ind;
    area.disp = half.disp;
    return area;
}

/// A prefetch program that has been read, but for the indices it begins with.
struct PrefetchProgram {
    std::uint64_t address = ~0ull;
    unsigned count = 0;  ///< instructions
    std::array<std::uint64_t, 2 * kPlaneAreas> words{};
    std::array<AauArea, 2 * kPlaneAreas> areas{};
};

/// Where a program at an address was decoded last, if no other has taken the place.
PrefetchProgram& decoded_program(std::uint64_t address) {
    constexpr std::size_t kPrograms = 16;
    thread_local std::array<PrefetchProgram, kPrograms> programs;
    return programs[address / kAsyncInstruction % kPrograms];
}

/// Its text is in memory as it was.
bool is_current(const PrefetchProgram& program, const MemoryView& memory, std::uint64_t address) {
    if (program.address != address || program.count == 0 ||
        !memory.allows(address, program.count * kAsyncInstruction, kPageRead))
        return false;
    for (unsigned k = 0; k < 2 * program.count; ++k)
        if (memory.load<std::uint64_t>(address + 8 * k) != program.words[k]) return false;
    return true;
}

void decode(PrefetchProgram& program, const MemoryView& memory, std::uint64_t address) {
    program.address = address;
    for (program.count = 0; program.count < kPlaneAreas; address += kAsyncInstruction) {
        // Another thread may have changed the program since it was looked at, its end above all.
        if (!memory.allows(address, kAsyncInstruction, kPageRead)) {
            program.address = ~0ull;  // for this time only
            break;
        }
        const unsigned k = program.count++;
        const auto text = memory.load<std::uint64_t>(address),
                   other = memory.load<std::uint64_t>(address + 8);
        const auto half = [](std::uint64_t words, bool left) {
            return isa::decode_async_half(static_cast<std::uint32_t>(words),
                                          static_cast<std::uint32_t>(words >> 32), left);
        };
        const auto left = half(text, true);
        program.words[2 * k] = text;
        program.words[2 * k + 1] = other;
        program.areas[k] = area_of(left);
        program.areas[kPlaneAreas + k] = area_of(half(other, false));
        if (left.ct) break;
    }
}

/// A dead area is all zeros.
void clear_areas(AauArea* first, std::size_t bytes) {
    static_assert(std::is_trivially_copyable_v<AauArea>);
    if (bytes) std::memset(static_cast<void*>(first), 0, bytes);
}

/// Channels 0 and 1 use the left plane, 2 and 3 the right one.
unsigned area_index(const ArrayLoad& load) {
    return load.area + (load.channel >= 2 ? kPlaneAreas : 0);
}

std::uint64_t reversed(std::uint64_t value, unsigned bytes) {
    return __builtin_bswap64(value) >> (64 - 8 * bytes);
}

}  // namespace

std::uint64_t wrap_index(std::uint64_t value, int iset) {
    return iset >= kFirstWideIndex ? sign_extend(value, 48) : value & 0xffff'ffff;
}

std::uint64_t array_store_address(const AauState& aau, const ArrayAddress& a) {
    return aau.aad_base[a.d] + aau.aasti[a.ind] + a.literal;
}

void advance_store_index(AauState& aau, const ArrayAddress& a, unsigned size, int iset) {
    const unsigned shift = static_cast<unsigned>(std::countr_zero(size));
    std::uint64_t& index = aau.aasti[a.ind];
    index = wrap_index(index + (aau.aaincr[a.incr] << shift), iset);
}

void write_array_register(AauState& aau, const ArrayAddress& a, std::uint64_t value, unsigned size,
                          bool upper_half, int iset) {
    if (size < 4) return;
    switch (a.group) {
        case kAad:
            if (upper_half)
                aau.aad_hi[a.d] = value;
            else
                aau.aad_base[a.d] = value & kAddressMask;
            return;
        case kAasti:
            if (!upper_half) aau.aasti[a.ind] = wrap_index(value, iset);
            return;
        case kAaind:
            if (!upper_half && a.ind != 0) aau.aaind[a.ind] = wrap_index(value, iset);
            return;
        case kAaincr:
            // A 32-bit step is signed whatever the width of the register.
            if (!upper_half && (a.ind & 7) != 0)
                aau.aaincr[a.ind & 7] =
                    wrap_index(size == 4 ? sign_extend(value, 32) : value, iset);
            return;
        default:
            return;  // registers only the kernel looks at
    }
}

bool prefetch_program_readable(const MemoryView& memory, std::uint64_t address,
                               std::uint64_t& fault) {
    for (unsigned k = 0; k < kPlaneAreas; ++k, address += kAsyncInstruction) {
        fault = address;
        if (!memory.allows(address, kAsyncInstruction, kPageRead)) return false;
        const auto left = isa::decode_async_half(memory.load<std::uint32_t>(address),
                                                 memory.load<std::uint32_t>(address + 4), true);
        if (left.ct) break;
    }
    return true;
}

void start_prefetch(AauState& aau, const MemoryView& memory, std::uint64_t address) {
    PrefetchProgram& program = decoded_program(address);
    if (!is_current(program, memory, address)) decode(program, memory, address);
    const auto start = [&aau](AauArea& area, const AauArea& from) {
        area = from;
        area.cur = from.fmt != 0 ? aau.aaind[from.ind] : 0;
    };
    for (unsigned k = 0; k < program.count; ++k) {
        start(aau.area[k], program.areas[k]);
        start(aau.area[kPlaneAreas + k], program.areas[kPlaneAreas + k]);
    }
    const std::size_t dead = (kPlaneAreas - program.count) * sizeof(AauArea);
    for (const unsigned plane : {0u, kPlaneAreas})
        clear_areas(aau.area.data() + plane + program.count, dead);
    aau.active = 1;
}

bool load_array_element(const AauState& aau, const MemoryView& memory, const ArrayLoad& load,
                        int iset, Value& value) {
    value.lo = kBadArrayElement;
    value.ext = load.packed ? kBadArrayElement : 0;
    const AauArea& area = aau.area[area_index(load)];
    if (!aau.active || area.fmt < load.min_fmt || load.size == 0) return false;
    const std::uint64_t address = aau.aad_base[area.d] + area.cur + area.disp + load.ind;
    if (iset < kFirstUnalignedElement && (address & (load.size - 1u))) return false;
    if (!memory.allows(address, load.size, kPageRead)) return false;
    Value element{};
    load_element(memory, address, load.size, element);
    std::uint64_t low = element.lo, high = element.ext;
    if (load.big_endian && load.size == 16) {
        const std::uint64_t swapped = reversed(high, 8);
        high = reversed(low, 8);
        low = swapped;
    } else if (load.big_endian) {
        low = reversed(low, load.size);
    }
    value.lo = low;
    value.ext = high;
    return true;
}

void advance_areas(AauState& aau, const ArrayLoad* loads, unsigned count, int iset) {
    std::uint64_t advanced = 0;
    for (unsigned i = 0; i < count; ++i) {
        if (!loads[i].advance) continue;
        const unsigned n = area_index(loads[i]);
        if (advanced >> n & 1) continue;
        advanced |= 1ull << n;
        AauArea& area = aau.area[n];
        if (area.fmt != 0)
            area.cur = wrap_index(area.cur + (aau.aaincr[area.incr] << (area.fmt - 1)), iset);
    }
}

}  // namespace e2k::cpu::exec
