// The frames of the gdb remote protocol: "$payload#checksum", acknowledgements and the interrupt.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace e2k::tools::gdb {

/// One thing that arrived.
struct Packet {
    enum class Kind : std::uint8_t {
        Data,
        Interrupt,  ///< the byte 0x03
        Damaged,    ///< wrong checksum, or longer than anything that makes sense
        Ack,
        Again,  ///< the other side asks for the last packet once more
    };
    Kind kind = Kind::Data;
    std::string text;  ///< of Data, still escaped
};

/// Makes packets of the bytes of a stream; whatever lies between them is passed over.
class PacketReader {
public:
    static constexpr std::size_t kMostBytes = 1u << 20;
    void feed(std::string_view bytes) { pending_ += bytes; }
    std::optional<Packet> next();

private:
    std::optional<Packet> frame();
    std::string pending_;
};

/// "$payload#checksum". The payload is escaped where it needs to be (escaped()).
std::string framed(std::string_view payload);
/// For bytes that are not text: `}`, `#`, `$` and `*` become two characters.
std::string escaped(std::string_view bytes);
std::string unescaped(std::string_view text);

std::string to_hex(std::span<const std::uint8_t> bytes);
std::string to_hex(std::string_view bytes);
std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text);

/// Takes a hexadecimal number off the front of `text`; nullopt: none is there, or it has more than
/// 64 bits.
std::optional<std::uint64_t> take_number(std::string_view& text);
/// Takes `prefix` off the front of `text`, if it is there.
bool take(std::string_view& text, std::string_view prefix);
/// Takes everything up to `end` off, and `end` itself; the whole text where there is none.
std::string_view take_until(std::string_view& text, char end);

}  // namespace e2k::tools::gdb
