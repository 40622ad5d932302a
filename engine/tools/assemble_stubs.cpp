// Build tool: assembles the guest code of the C library bridge into a table of bytes.
//
//     e2k_assemble_stubs STUBS/all.s OUTPUT.cpp
#include <cstdio>
#include <fstream>
#include <string>

#include <fmt/format.h>

#include "engine/isa/assembler/program.h"

namespace {

constexpr std::uint64_t kBridgeBase = 0xdf'0000'0000;

int fail(const std::string& text) {
    std::fprintf(stderr, "%s\n", text.c_str());
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return fail("usage: e2k_assemble_stubs SOURCE OUTPUT");
    const auto program = e2k::isa::assemble_file(argv[1], {.iset = 2, .base = kBridgeBase});
    if (!program) return fail(program.error());
    if (program->sections.size() != 1)
        return fail(fmt::format("{}: has other sections than .text", argv[1]));
    const auto& text = program->sections.front();
    std::string out =
        "// Made by e2k_assemble_stubs.\n#include \"engine/guest/libc/stubs.h\"\n\n"
        "namespace e2k::guest::libc {\nnamespace {\n"
        "constexpr std::uint8_t kBytes[] = {";
    for (std::size_t i = 0; i < text.bytes.size(); ++i)
        out += fmt::format("{}{},", i % 24 == 0 ? "\n" : "", text.bytes[i]);
    out += "\n};\nconstexpr StubSymbol kSymbols[] = {\n";
    for (const auto& symbol : program->symbols)
        if (symbol.global && symbol.name != "_start")
            out += fmt::format("    {{\"{}\", {}, {}}},\n", symbol.name,
                               symbol.address - text.address, symbol.size);
    out += fmt::format("}};\nstatic_assert(kBridgeBase == 0x{:x});\n", text.address);
    out +=
        "}  // namespace\n"
        "std::span<const std::uint8_t> stub_bytes() { return kBytes; }\n"
        "std::span<const StubSymbol> stub_symbols() { return kSymbols; }\n"
        "}  // namespace e2k::guest::libc\n";
    std::ofstream file(argv[2], std::ios::binary);
    file << out;
    return file.flush() ? 0 : fail(fmt::format("{}: cannot write", argv[2]));
}
