#include "engine/tools/gdb/packets.h"

#include <charconv>

#include <fmt/format.h>

namespace e2k::tools::gdb {
namespace {

constexpr char kInterrupt = '\x03', kEscape = '}', kEscapeBit = 0x20;

unsigned checksum(std::string_view payload) {
    unsigned sum = 0;
    for (const char c : payload) sum += static_cast<unsigned char>(c);
    return sum & 0xff;
}

int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::optional<Packet> PacketReader::next() {
    const std::size_t start = pending_.find_first_of("$+-\x03");
    if (start == std::string::npos) {
        pending_.clear();
        return std::nullopt;
    }
    pending_.erase(0, start);
    switch (pending_.front()) {
        case '$':
            return frame();
        case '+':
            pending_.erase(0, 1);
            return Packet{Packet::Kind::Ack, {}};
        case '-':
            pending_.erase(0, 1);
            return Packet{Packet::Kind::Again, {}};
        case kInterrupt:
        default:
            pending_.erase(0, 1);
            return Packet{Packet::Kind::Interrupt, {}};
    }
}

std::optional<Packet> PacketReader::frame() {
    const std::size_t end = pending_.find('#', 1);
    if (end == std::string::npos || end + 3 > pending_.size()) {
        if (pending_.size() <= kMostBytes) return std::nullopt;
        pending_.clear();
        return Packet{Packet::Kind::Damaged, {}};
    }
    const int high = digit(pending_[end + 1]), low = digit(pending_[end + 2]);
    std::string payload = pending_.substr(1, end - 1);
    pending_.erase(0, end + 3);
    // A frame that was cut off is followed by the next one.
    if (const std::size_t again = payload.rfind('$'); again != std::string::npos)
        payload.erase(0, again + 1);
    const bool sound =
        high >= 0 && low >= 0 && checksum(payload) == static_cast<unsigned>(high * 16 + low);
    if (!sound) return Packet{Packet::Kind::Damaged, {}};
    return Packet{Packet::Kind::Data, std::move(payload)};
}

std::string framed(std::string_view payload) {
    return fmt::format("${}#{:02x}", payload, checksum(payload));
}

std::string escaped(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size());
    for (const char c : bytes) {
        if (c == kEscape || c == '#' || c == '$' || c == '*') {
            text += kEscape;
            text += static_cast<char>(c ^ kEscapeBit);
        } else {
            text += c;
        }
    }
    return text;
}

std::string unescaped(std::string_view text) {
    std::string bytes;
    bytes.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i)
        bytes += text[i] == kEscape && i + 1 < text.size()
                     ? static_cast<char>(text[++i] ^ kEscapeBit)
                     : text[i];
    return bytes;
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const std::uint8_t byte : bytes) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

std::string to_hex(std::string_view bytes) {
    return to_hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    std::vector<std::uint8_t> bytes(text.size() / 2);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return bytes;
}

std::optional<std::uint64_t> take_number(std::string_view& text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

bool take(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

std::string_view take_until(std::string_view& text, char end) {
    const std::size_t at = text.find(end);
    const std::string_view front = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
    return front;
}

}  // namespace e2k::tools::gdb
