// What the scanf family reads from.
#pragma once

#include <array>
#include <cstdint>

#include "engine/guest/libc/core/guest_memory.h"
#include "engine/guest/libc/core/stream.h"

namespace e2k::guest::libc {

class CharacterSource {
public:
    virtual ~CharacterSource() = default;
    /// 0…255, or -1 at the end.
    virtual Outcome<int> get() = 0;
    /// Gives back what get() gave last.
    virtual void unget(int c) = 0;
};

/// sscanf: a text in guest memory, read as far as it is needed.
class TextSource final : public CharacterSource {
public:
    TextSource(GuestMemory memory, std::uint64_t address) : memory_(memory), next_(address) {}
    Outcome<int> get() override;
    void unget(int c) override { next_ -= c >= 0 ? 1 : 0; }

private:
    GuestMemory memory_;
    std::uint64_t next_;
    std::uint64_t begin_ = 0;
    std::size_t size_ = 0;
    std::array<char, 128> piece_{};
};

/// fscanf: a locked stream. A call that is interrupted has read nothing.
class StreamSource final : public CharacterSource {
public:
    explicit StreamSource(Stream& stream) : stream_(stream) { stream_.mark(); }
    ~StreamSource() override { stream_.drop_mark(); }
    StreamSource(const StreamSource&) = delete;
    StreamSource& operator=(const StreamSource&) = delete;
    Outcome<int> get() override;
    void unget(int c) override;

private:
    Stream& stream_;
};

}  // namespace e2k::guest::libc
