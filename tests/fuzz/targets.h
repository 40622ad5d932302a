// What a fuzzer does with one input. Each target takes any bytes; a crash, a sanitizer's report, a
// failed check (abort) or a time-out is a finding. Built as fuzz_NAME by the preset "fuzz"
// (libFuzzer); test_fuzz runs the committed corpora through all of them in every build.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace e2k::fuzz {

using Bytes = std::span<const std::uint8_t>;

void decoder(Bytes input);    ///< first byte: version; the rest: code
void assembler(Bytes input);  ///< a source; what assembles must be a loadable program
void elf(Bytes input);        ///< a program file: parsed, listed, loaded
void settings(Bytes input);   ///< a settings file; what is read must be written and read back
void script(Bytes input);     ///< commands for the window

struct Target {
    std::string_view name;
    void (*run)(Bytes);
};
inline constexpr Target kTargets[] = {{"decoder", decoder},
                                      {"assembler", assembler},
                                      {"elf", elf},
                                      {"settings", settings},
                                      {"script", script}};

}  // namespace e2k::fuzz
