#include "app/processors.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

namespace e2k::app {

namespace {

// Versions stand for their first processor; process.md §7.
constexpr std::array kProcessors{
    Processor{"elbrus-v2", "instruction set 2", 2, 4},
    Processor{"elbrus-v3", "instruction set 3", 3, 3},
    Processor{"elbrus-v4", "instruction set 4", 4, 7},
    Processor{"elbrus-v5", "instruction set 5", 5, 9},
    Processor{"elbrus-v6", "instruction set 6", 6, 11},
    Processor{"e2c+", "Elbrus-2C+", 2, 4},
    Processor{"e2s", "Elbrus-4C", 3, 3},
    Processor{"e8c", "Elbrus-8C", 4, 7},
    Processor{"e1c+", "Elbrus-1C+", 4, 8},
    Processor{"e8c2", "Elbrus-8CB", 5, 9},
    Processor{"e12c", "Elbrus-12C", 6, 10},
    Processor{"e16c", "Elbrus-16C", 6, 11},
    Processor{"e2c3", "Elbrus-2C3", 6, 12},
};

bool same_name(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) {
        return std::tolower(static_cast<unsigned char>(x)) ==
               std::tolower(static_cast<unsigned char>(y));
    });
}

}  // namespace

tl::expected<Processor, std::string> processor_by_name(std::string_view name) {
    // "elbrus-8c" is e8c; the assembler's manual has such names.
    for (const Processor& processor : kProcessors)
        if (same_name(processor.name, name) || same_name(processor.description, name) ||
            same_name(fmt::format("elbrus-{}", processor.name.substr(1)), name))
            return processor;
    return tl::unexpected(
        fmt::format("unknown processor \"{}\"; known are {}", name, processor_names()));
}

std::string processor_names() {
    std::string names;
    for (const Processor& processor : kProcessors) {
        if (!names.empty()) names += ", ";
        names += processor.name;
    }
    return names;
}

}  // namespace e2k::app
