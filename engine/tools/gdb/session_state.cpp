// Packets that read and write registers, memory, tags and the points where the guest stops.
#include <algorithm>

#include <fmt/format.h>

#include "engine/guest/stack_image.h"
#include "engine/tools/gdb/server.h"

namespace e2k::tools::gdb {
namespace {

constexpr std::string_view kOk = "OK", kBad = "E01", kBadAddress = "E14";
constexpr std::uint64_t kMostBytes = 0x4000;  ///< of one answer, which doubles as hexadecimal

/// "ADDRESS,LENGTH" at the front.
std::optional<std::pair<std::uint64_t, std::uint64_t>> take_range(std::string_view& text) {
    const auto address = take_number(text);
    if (!address || !take(text, ",")) return std::nullopt;
    const auto size = take_number(text);
    if (!size) return std::nullopt;
    return std::pair(*address, *size);
}

}  // namespace

std::string Session::read_registers(std::string_view) {
    return to_hex(read_all_registers(debuggee_.stopped(selected_)));
}

std::string Session::read_register(std::string_view rest) {
    const auto number = take_number(rest);
    if (!number || !rest.empty() || *number >= kRegisters) return std::string(kBad);
    const auto bytes =
        gdb::read_register(debuggee_.stopped(selected_), static_cast<unsigned>(*number));
    return bytes ? to_hex(*bytes) : std::string(kBad);
}

std::string Session::write_register(std::string_view rest) {
    constexpr std::uint64_t kOtherLow = 0x386, kOtherHigh = 0x387;  // gdb's pusd_lo, pusd_hi
    const auto number = take_number(rest);
    if (!number || !take(rest, "=")) return std::string(kBad);
    const auto bytes = from_hex(rest);
    if (!bytes) return std::string(kBad);
    if (*number == kOtherLow || *number == kOtherHigh) return std::string(kOk);
    if (*number >= kRegisters || bytes->empty() || debuggee_.in_past()) return std::string(kBad);
    const StoppedThread at = debuggee_.stopped(selected_);
    bool ok = false;
    debuggee_.guest().edit([&] {
        if (!calls_.write(*at.state, debuggee_.process().memory(), static_cast<unsigned>(*number),
                          *bytes, ok))
            ok = gdb::write_register(at, static_cast<unsigned>(*number), *bytes);
    });
    return std::string(ok ? kOk : kBad);
}

std::string Session::read_memory(std::string_view rest) {
    const auto range = take_range(rest);
    if (!range || !rest.empty()) return std::string(kBad);
    const auto [address, wanted] = *range;
    const std::uint64_t size = std::min(wanted, kMostBytes);
    if (size == 0) return {};
    const guest::StackImage stacks(*debuggee_.stopped(selected_).state);
    if (const auto bytes = stacks.read(address, size)) return to_hex(*bytes);
    // As far as the guest could read itself.
    const guest::AddressSpace& memory = debuggee_.memory();
    std::vector<std::uint8_t> bytes(size);
    if (memory.read(address, bytes.data(), size)) return to_hex(bytes);
    std::size_t readable = 0;
    while (readable < size) {
        const std::uint64_t page_end =
            (address + readable + cpu::kPageSize) & ~(cpu::kPageSize - 1);
        const std::size_t count =
            std::min<std::uint64_t>(size - readable, page_end - address - readable);
        if (count == 0 || !memory.read(address + readable, bytes.data() + readable, count)) break;
        readable += count;
    }
    if (readable == 0) return std::string(kBadAddress);
    bytes.resize(readable);
    return to_hex(bytes);
}

/// Code and constants are written, too: breakpoints of programs, patches.
bool Session::store(std::uint64_t address, std::span<const std::uint8_t> bytes) {
    if (debuggee_.in_past()) return false;
    bool done = false;
    debuggee_.guest().edit([&] { done = store_now(address, bytes); });
    return done;
}

bool Session::store_now(std::uint64_t address, std::span<const std::uint8_t> bytes) {
    guest::StackImage stacks(*debuggee_.stopped(selected_).state);
    if (stacks.read(address, 1)) return stacks.write(address, bytes);
    guest::AddressSpace& memory = debuggee_.process().memory();
    if (bytes.empty()) return true;
    bool done = memory.write(address, bytes.data(), bytes.size());
    if (!done) {
        const auto region = memory.region_at(address);
        if (!region || region->prot == guest::kProtNone || address + bytes.size() > region->end ||
            address + bytes.size() < address)
            return false;
        const std::uint64_t begin = address & ~(cpu::kPageSize - 1);
        const std::uint64_t end =
            (address + bytes.size() + cpu::kPageSize - 1) & ~(cpu::kPageSize - 1);
        done = memory.protect(begin, end - begin, region->prot | guest::kProtWrite) &&
               memory.write(address, bytes.data(), bytes.size());
        if (!memory.protect(begin, end - begin, region->prot)) return false;
    }
    if (done) debuggee_.guest().code_changed(address, address + bytes.size());
    return done;
}

std::string Session::write_memory(std::string_view rest) {
    const auto range = take_range(rest);
    if (!range || !take(rest, ":")) return std::string(kBad);
    const auto bytes = from_hex(rest);
    if (!bytes || bytes->size() != range->second) return std::string(kBad);
    return std::string(store(range->first, *bytes) ? kOk : kBadAddress);
}

std::string Session::write_binary(std::string_view rest) {
    const auto range = take_range(rest);
    if (!range || !take(rest, ":")) return std::string(kBad);
    const std::string bytes = unescaped(rest);
    if (bytes.size() != range->second) return std::string(kBad);
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    return std::string(store(range->first, {data, bytes.size()}) ? kOk : kBadAddress);
}

std::string Session::insert(std::string_view rest) { return point(rest, true); }
std::string Session::remove(std::string_view rest) { return point(rest, false); }

/// Z0 … Z4: breakpoints, which are never seen in memory, and watchpoints.
std::string Session::point(std::string_view rest, bool on) {
    const auto kind = take_number(rest);
    if (!kind || !take(rest, ",")) return std::string(kBad);
    const auto range = take_range(rest);
    if (!range || !(rest.empty() || rest.front() == ';')) return std::string(kBad);
    const auto [address, size] = *range;
    if (*kind > 4) return {};
    if (*kind <= 1) {
        debuggee_.set_breakpoint(address, on);
        if (on && *kind == 1)
            hardware_breakpoints_.insert(address);
        else
            hardware_breakpoints_.erase(address);
        return std::string(kOk);
    }
    constexpr std::uint64_t kMostWatched = 1u << 20;
    if (size == 0 || size > kMostWatched || address + size < address) return std::string(kBad);
    debuggee_.watch({address, size, static_cast<guest::WatchKind>(*kind - 2)}, on);
    return std::string(kOk);
}

std::optional<std::uint8_t> Session::tag_at(std::uint64_t address) {
    return guest::StackImage(*debuggee_.stopped(selected_).state).tag(address);
}

/// One byte a 32-bit word; packed, one byte of four tags for 16 bytes. Memory carries no tags.
std::string Session::read_tags(std::string_view rest, bool packed) {
    const auto range = take_range(rest);
    if (!range || !rest.empty()) return std::string(kBad);
    std::string tags;
    for (std::uint64_t i = 0; i < std::min(range->second, kMostBytes); ++i) {
        unsigned value = 0;
        for (unsigned k = 0; k < (packed ? 4u : 1u); ++k)
            value |= unsigned{tag_at(range->first + (packed ? 16 * i + 4 * k : 4 * i)).value_or(0)}
                     << (2 * k);
        tags += static_cast<char>(value);
    }
    return "l" + escaped(tags);
}

std::string Session::write_tags(std::string_view rest) {
    const auto address = take_number(rest);
    if (!address || !take(rest, ":")) return std::string(kBad);
    if (debuggee_.in_past()) return std::string(kBad);
    const std::string tags = unescaped(rest);
    debuggee_.guest().edit([&] {
        guest::StackImage stacks(*debuggee_.stopped(selected_).state);
        for (std::size_t i = 0; i < tags.size(); ++i)
            static_cast<void>(stacks.set_tag(*address + 4 * i, static_cast<std::uint8_t>(tags[i])));
    });
    return fmt::format("{:x}", tags.size());
}

}  // namespace e2k::tools::gdb
