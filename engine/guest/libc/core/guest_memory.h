// Guest memory as the bridge's functions touch it: checked, bounded, with the address that is bad.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/guest/address_space.h"
#include "engine/guest/libc/core/outcome.h"

namespace e2k::guest::libc {

/// Thread-safe, as AddressSpace is. Copyable: it only refers to the address space.
class GuestMemory {
public:
    explicit GuestMemory(AddressSpace& space) : space_(&space) {}

    AddressSpace& space() const { return *space_; }

    Outcome<void> read(std::uint64_t address, void* to, std::size_t size) const {
        if (space_->read(address, to, size)) return {};
        return read_fault(address, size);
    }
    Outcome<void> write(std::uint64_t address, const void* from, std::size_t size) const {
        if (space_->write(address, from, size)) return {};
        return write_fault(address, size);
    }
    template <class T>
    Outcome<T> load(std::uint64_t address) const {
        T value;
        if (!space_->read(address, &value, sizeof value)) return read_fault(address, sizeof value);
        return value;
    }
    template <class T>
    Outcome<void> store(std::uint64_t address, const T& value) const {
        return write(address, &value, sizeof value);
    }

    /// Sets `size` bytes; those before a fault are set.
    Outcome<void> fill(std::uint64_t address, std::uint8_t byte, std::uint64_t size) const;
    /// As memmove; those before a fault are copied.
    Outcome<void> move(std::uint64_t to, std::uint64_t from, std::uint64_t size) const;

    /// strnlen: at most `limit` bytes are looked at.
    Outcome<std::uint64_t> length(std::uint64_t address, std::uint64_t limit = ~0ull) const;
    /// The text at `address`. What is longer than `limit` is an error (E2BIG): nothing the bridge
    /// keeps in host memory is that long.
    Outcome<std::string> text(std::uint64_t address, std::size_t limit = 16u << 20) const;
    /// Writes `text` and a null byte.
    Outcome<void> store_text(std::uint64_t address, const std::string& text) const {
        return write(address, text.c_str(), text.size() + 1);
    }

    /// Calls `visit(pointer, bytes)` for pieces of the text at `address`, at most `limit` bytes,
    /// without its null byte. `visit` returns an Outcome.
    template <class Visit>
    Outcome<void> each_piece(std::uint64_t address, std::uint64_t limit, Visit&& visit) const {
        char piece[kPiece];
        while (limit != 0) {
            auto size = next_piece(address, limit, piece);
            if (!size) return tl::unexpected(size.error());
            const bool last = *size < piece_room(address, limit);
            if (*size != 0)
                if (auto done = visit(static_cast<const char*>(piece), *size); !done)
                    return tl::unexpected(done.error());
            if (last) break;
            address += *size;
            limit -= *size;
        }
        return {};
    }

private:
    static constexpr std::size_t kPiece = 512;
    /// Bytes up to the end of the page, the piece or the limit.
    static std::size_t piece_room(std::uint64_t address, std::uint64_t limit);
    /// Fills `piece`; bytes before a null byte.
    Outcome<std::size_t> next_piece(std::uint64_t address, std::uint64_t limit, char* piece) const;
    tl::unexpected<Trouble> read_fault(std::uint64_t address, std::uint64_t size) const;
    tl::unexpected<Trouble> write_fault(std::uint64_t address, std::uint64_t size) const;

    AddressSpace* space_;
};

}  // namespace e2k::guest::libc
