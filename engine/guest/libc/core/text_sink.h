// Where the printf family puts its text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/guest/libc/core/guest_memory.h"

namespace e2k::guest::libc {

class TextSink {
public:
    virtual ~TextSink() = default;
    virtual Outcome<void> put(std::string_view text) = 0;
};

/// sprintf and snprintf: guest memory of `room` bytes, of which the last is for the null byte.
class MemorySink final : public TextSink {
public:
    MemorySink(GuestMemory memory, std::uint64_t address, std::uint64_t room = ~0ull)
        : memory_(memory), address_(address), room_(room) {}

    Outcome<void> put(std::string_view text) override {
        const std::uint64_t left = room_ > 0 ? room_ - 1 - done_ : 0;
        const std::size_t size = std::min<std::uint64_t>(text.size(), left);
        if (size == 0) return {};
        const std::uint64_t at = address_ + done_;
        done_ += size;
        return memory_.write(at, text.data(), size);
    }
    /// The null byte; call it when everything has been put.
    Outcome<void> finish() {
        return room_ > 0 ? memory_.store(address_ + done_, '\0') : Outcome<void>{};
    }

private:
    GuestMemory memory_;
    std::uint64_t address_, room_, done_ = 0;
};

/// asprintf, error messages: host memory, at most `limit` bytes (ENOMEM).
class StringSink final : public TextSink {
public:
    explicit StringSink(std::size_t limit = 64u << 20) : limit_(limit) {}
    Outcome<void> put(std::string_view text) override;
    const std::string& text() const { return text_; }

private:
    std::string text_;
    std::size_t limit_;
};

}  // namespace e2k::guest::libc
