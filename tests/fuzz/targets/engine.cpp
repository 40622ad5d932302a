#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "engine/guest/elf_image.h"
#include "engine/isa/assembler/program.h"
#include "engine/isa/describe.h"
#include "engine/isa/disassembler.h"
#include "engine/isa/listing.h"
#include "tests/fuzz/targets.h"

namespace e2k::fuzz {

namespace {

constexpr std::uint64_t kCode = 0x10000;

void check(bool holds, std::string_view what) {
    if (holds) return;
    fmt::print(stderr, "does not hold: {}\n", what);
    std::abort();
}

std::string_view text_of(Bytes input) {
    return {reinterpret_cast<const char*>(input.data()), input.size()};
}

/// One bundle through everything that reads it: text, legality, meaning, and back to bytes.
void read_bundle(const isa::Bundle& bundle, Bytes bytes) {
    check(bundle.length <= bytes.size(), "a bundle ends inside its input");
    const auto legality = isa::check_legal(bundle);
    check(legality.legal || !legality.why.message().empty(), "an illegal bundle says why");
    isa::describe_syllables(bundle);
    isa::disassemble(bundle);
    const auto native = isa::disassemble(bundle, isa::DisassemblyStyle::native());
    if (!legality.legal) return;
    std::vector<isa::SourceLine> lines;
    for (const std::string& line : native) lines.push_back({line, 1, 1});
    isa::AssemblerOptions options;
    options.iset = bundle.iset;
    options.listing = true;
    // Not every legal bundle has a spelling (unused fields); it must only not do harm.
    (void)isa::assemble_bundle(lines, kCode, options);
}

}  // namespace

void decoder(Bytes input) {
    if (input.empty()) return;
    const int versions = isa::kMaxIset - isa::kMinIset + 1;
    const int iset = isa::kMinIset + input[0] % versions;
    const std::vector<std::uint8_t> code(input.begin() + 1, input.end());  // exactly this long
    if (const auto bundle = isa::decode(code, kCode, iset))
        read_bundle(*bundle, code);
    else
        check(!bundle.error().message().empty(), "an error has a message");
    isa::ListingOptions options;
    options.iset = iset;
    options.show_words = true;
    std::uint64_t covered = 0;
    isa::list_code(code, kCode, options, [&](const isa::ListingRow& row) {
        isa::to_text(row, options);
        if (row.kind != isa::ListingRow::Kind::Async) covered += row.length;
        return true;
    });
    check(covered <= code.size() + 8, "the rows of a listing do not reach beyond the code");
}

void assembler(Bytes input) {
    isa::ProgramSourceOptions options;
    options.read = [](const std::string& name) -> tl::expected<std::string, std::string> {
        if (name == "lib.inc") return ".macro twice x\n.byte \\x, \\x\n.endm\n";
        return tl::unexpected(std::string("no such file"));
    };
    const auto program = isa::assemble_program(text_of(input), options);
    if (!program) {
        check(!program.error().empty(), "a refused source has an error");
        for (const auto& error : program.error())
            check(!error.report("source.s").empty(), "an error has a report");
        return;
    }
    isa::assembly_listing(*program);
    elf(isa::write_elf(*program));
}

void elf(Bytes input) {
    const auto image = guest::ElfImage::parse({input.begin(), input.end()}, "program");
    if (!image) {
        check(image.error().starts_with("program: "), "a refusal names the file");
        return;
    }
    const guest::SymbolTable symbols(image->symbols);
    symbols.describe(image->entry);
    for (const guest::Section& section : image->sections) {
        check(section.file_size == 0 || (section.offset <= input.size() &&
                                         section.file_size <= input.size() - section.offset),
              "the bytes of a section are in the file");
        check(section.file_size <= section.size, "no section holds more than its size");
    }
    for (const guest::Segment& segment : image->segments)
        check(segment.offset + segment.filesz <= input.size() && segment.filesz <= segment.memsz,
              "the bytes of a segment are in the file");
}

}  // namespace e2k::fuzz
