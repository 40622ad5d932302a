#include "ui/format.h"

#include <bit>
#include <cmath>

#include <fmt/format.h>

namespace e2k::ui {

std::string hex(std::uint64_t value) { return fmt::format("{:#x}", value); }

namespace {
/// Inserts thin spaces so that groups of `size` characters count from the end.
std::string group(std::string_view digits, std::size_t size) {
    std::string out;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i != 0 && (digits.size() - i) % size == 0) out += kThinSpace;
        out += digits[i];
    }
    return out;
}
}  // namespace

std::string hex_grouped(std::uint64_t value, int digits) {
    std::string out = "0x";
    out += group(fmt::format("{:0{}x}", value, digits), 4);
    return out;
}

std::string decimal_grouped(std::uint64_t value) { return group(fmt::format("{}", value), 3); }

std::string signed_grouped(std::int64_t value) {
    const auto magnitude =
        value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    std::string out = value < 0 ? "-" : "";
    out += decimal_grouped(magnitude);
    return out;
}

std::string si(double value) {
    static constexpr const char* kSuffix[] = {"", " k", " M", " G", " T"};
    int step = 0;
    while (value >= 999.5 && step < 4) {
        value /= 1000;
        ++step;
    }
    const int decimals = step == 0 ? 0 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    return fmt::format("{:.{}f}{}", value, decimals, kSuffix[step]);
}

std::string byte_size(std::uint64_t bytes) {
    static constexpr const char* kUnit[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    if (bytes < 1024) return fmt::format("{} B", bytes);
    double value = static_cast<double>(bytes);
    int step = 0;
    while (value >= 1024 && step < 4) {
        value /= 1024;
        ++step;
    }
    return fmt::format("{:.1f} {}", value, kUnit[step]);
}

std::string duration(double seconds) {
    if (seconds < 1e-6) return fmt::format("{:.0f} ns", seconds * 1e9);
    if (seconds < 1e-3) return fmt::format("{:.0f} µs", seconds * 1e6);
    if (seconds < 1) return fmt::format("{:.2f} ms", seconds * 1e3);
    return fmt::format("{:.2f} s", seconds);
}

std::string float64(std::uint64_t bits) {
    const double value = std::bit_cast<double>(bits);
    if (std::isnan(value))
        return fmt::format("{}nan({:#x})", std::signbit(value) ? "-" : "",
                           bits & 0x000f'ffff'ffff'ffffull);
    return fmt::format("{}", value);
}

std::string without_thin_spaces(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        if (text.substr(i).starts_with(kThinSpace)) {
            i += kThinSpace.size();
        } else {
            out += text[i++];
        }
    }
    return out;
}

std::string place(const guest::SymbolTable* symbols, std::uint64_t address) {
    if (symbols) {
        if (std::string text = symbols->describe(address); !text.empty()) return text;
    }
    return hex(address);
}

std::string procedure(const guest::SymbolTable* symbols, std::uint64_t address) {
    if (symbols) {
        if (const guest::Symbol* symbol = symbols->find(address)) return symbol->name;
    }
    return hex(address);
}

std::size_t columns(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < text.size();) {
        if (text.substr(i).starts_with(kThinSpace)) {
            i += kThinSpace.size();
            continue;
        }
        ++i;
        while (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80) ++i;
        ++count;
    }
    return count;
}

}  // namespace e2k::ui
