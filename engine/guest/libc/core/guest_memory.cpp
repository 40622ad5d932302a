#include "engine/guest/libc/core/guest_memory.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

namespace e2k::guest::libc {
namespace {

using cpu::kPageSize;

constexpr std::size_t kBlock = 16 * 1024;

/// The first byte of the range that does not allow `bits`.
std::uint64_t first_bad(const AddressSpace& space, std::uint64_t address, std::uint64_t size,
                        std::uint8_t bits) {
    const cpu::MemoryView view = space.view();
    for (std::uint64_t done = 0; done < size;) {
        const std::uint64_t at = address + done;
        if (!view.allows(at, 1, bits)) return at;
        done += kPageSize - (at & (kPageSize - 1));
    }
    return address;  // it was bad a moment ago
}

}  // namespace

tl::unexpected<Trouble> GuestMemory::read_fault(std::uint64_t address, std::uint64_t size) const {
    return fault(first_bad(*space_, address, size, cpu::kPageRead), false);
}

tl::unexpected<Trouble> GuestMemory::write_fault(std::uint64_t address, std::uint64_t size) const {
    return fault(first_bad(*space_, address, size, cpu::kPageWrite), true);
}

std::size_t GuestMemory::piece_room(std::uint64_t address, std::uint64_t limit) {
    return std::min<std::uint64_t>({kPageSize - (address & (kPageSize - 1)), kPiece, limit});
}

Outcome<std::size_t> GuestMemory::next_piece(std::uint64_t address, std::uint64_t limit,
                                             char* piece) const {
    const std::size_t room = piece_room(address, limit);
    if (auto done = read(address, piece, room); !done) return tl::unexpected(done.error());
    return strnlen(piece, room);
}

Outcome<std::uint64_t> GuestMemory::length(std::uint64_t address, std::uint64_t limit) const {
    std::uint64_t bytes = 0;
    auto done = each_piece(address, limit, [&](const char*, std::size_t size) -> Outcome<void> {
        bytes += size;
        return {};
    });
    if (!done) return tl::unexpected(done.error());
    return bytes;
}

Outcome<std::string> GuestMemory::text(std::uint64_t address, std::size_t limit) const {
    std::string all;
    auto done = each_piece(address, limit + 1ull,
                           [&](const char* piece, std::size_t size) -> Outcome<void> {
                               all.append(piece, size);
                               return {};
                           });
    if (!done) return tl::unexpected(done.error());
    if (all.size() > limit) return error(E2BIG);
    return all;
}

Outcome<void> GuestMemory::fill(std::uint64_t address, std::uint8_t byte,
                                std::uint64_t size) const {
    std::array<std::uint8_t, 4096> block;
    block.fill(byte);
    while (size != 0) {
        const std::uint64_t part =
            std::min<std::uint64_t>(size, kPageSize - (address & (kPageSize - 1)));
        if (auto done = write(address, block.data(), part); !done) return done;
        address += part;
        size -= part;
    }
    return {};
}

Outcome<void> GuestMemory::move(std::uint64_t to, std::uint64_t from, std::uint64_t size) const {
    std::array<std::uint8_t, kBlock> block;
    const bool backwards = to > from && to - from < size;
    for (std::uint64_t done = 0; done < size;) {
        const std::uint64_t part = std::min<std::uint64_t>(block.size(), size - done);
        const std::uint64_t offset = backwards ? size - done - part : done;
        if (auto got = read(from + offset, block.data(), part); !got) return got;
        if (auto put = write(to + offset, block.data(), part); !put) return put;
        done += part;
    }
    return {};
}

}  // namespace e2k::guest::libc
