// Structures with texts and lists in them, as functions of the C library return them.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {

/// What will lie at `address`: parts one behind the other.
class GuestImage {
public:
    explicit GuestImage(std::uint64_t address) : address_(address) {}

    /// Each returns where the part will be.
    std::uint64_t text(std::string_view text) {
        const std::uint64_t at = add(text.data(), text.size());
        bytes_.push_back(0);
        return at;
    }
    std::uint64_t bytes(const void* from, std::size_t size) {
        bytes_.resize((bytes_.size() + 7) / 8 * 8);
        return add(from, size);
    }
    /// Words, and a 0 behind them.
    std::uint64_t list(std::vector<std::uint64_t> words) {
        words.push_back(0);
        return bytes(words.data(), words.size() * sizeof(std::uint64_t));
    }
    template <class T>
    std::uint64_t object(const T& value) {
        return bytes(&value, sizeof value);
    }
    const std::vector<std::uint8_t>& content() const { return bytes_; }

private:
    std::uint64_t add(const void* from, std::size_t size) {
        const std::size_t at = bytes_.size();
        bytes_.resize(at + size);
        if (size != 0) std::memcpy(bytes_.data() + at, from, size);
        return address_ + at;
    }
    std::uint64_t address_;
    std::vector<std::uint8_t> bytes_;
};

/// A block of the guest's heap with what `build(image)` makes; the result is what that returns,
/// an address.
template <class Build>
Outcome<std::uint64_t> make_image(LibraryCall& call, Build&& build,
                                  std::uint64_t* block = nullptr) {
    GuestImage trial(0);
    build(trial);
    const auto at = call.library.heap.allocate(trial.content().size());
    if (!at) return at;
    GuestImage image(*at);
    const std::uint64_t result = build(image);
    if (auto done = call.memory.write(*at, image.content().data(), image.content().size()); !done)
        return tl::unexpected(done.error());
    if (block) *block = *at;
    return result;
}

/// The same for a function that returns the same place each time: what it has returned before is
/// gone. `family` is a literal.
template <class Build>
Outcome<Value> keep_image(LibraryCall& call, std::string_view family, Build&& build) {
    std::uint64_t block = 0;
    const auto result = make_image(call, build, &block);
    if (!result) return tl::unexpected(result.error());
    const std::lock_guard lock(call.library.thread_mutex);
    std::uint64_t& kept = call.library.kept_blocks[family];
    if (kept != 0) static_cast<void>(call.library.heap.release(kept));
    kept = block;
    return Value(*result);
}

}  // namespace e2k::guest::libc
