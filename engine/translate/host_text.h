// Host code of a region as text: relative to the region's start, so that listings can be compared.
#pragma once

#include <Zydis/Zydis.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "engine/translate/translator.h"

namespace e2k::translate {

/// Formats code as if it stood at address 0: jumps inside a region show offsets, calls and jumps
/// out of it (to stubs and functions) `<stub>`.
class HostText {
public:
    HostText();
    /// The instruction at `code[at]`; `length` receives its bytes. "?" for the rest of the code
    /// when it cannot be decoded.
    std::string instruction(std::span<const std::uint8_t> code, std::size_t at,
                            std::size_t& length) const;

private:
    ZydisDecoder decoder_;
    ZydisFormatter formatter_;
};

/// Calls f(offset, instruction text, range) for each instruction of a region's straight path,
/// or, with `cold`, of what lies off it.
template <typename F>
void for_each_instruction(const RegionRecord& record, bool cold, F&& f) {
    const HostText host;
    const std::span<const std::uint8_t> code(record.host_code);
    for (const HostRange& range : record.ranges) {
        if ((range.begin >= record.cold_begin) != cold) continue;
        for (std::size_t at = range.begin, length = 0; at < range.end; at += length) {
            const std::string text = host.instruction(code, at, length);
            f(at, text, range);
        }
    }
}

}  // namespace e2k::translate
