// `e2kwb disasm`: the code of an ELF file.
#include <algorithm>
#include <cstdio>
#include <span>

#include <fmt/format.h>

#include "app/commands.h"
#include "engine/guest/elf_image.h"
#include "engine/isa/disassembler.h"

namespace e2k::app {

namespace {

/// Prints the bundles of [begin, end), a heading per symbol.
class Printer {
public:
    Printer(const guest::ElfImage& image, int iset, bool raw)
        : image_(image), iset_(iset), raw_(raw), symbol_(image.symbols.begin()) {}

    void print(const guest::Section& section, std::uint64_t begin, std::uint64_t end) {
        while (symbol_ != image_.symbols.end() && symbol_->address < begin) ++symbol_;
        std::uint64_t at = begin;
        while (at < end) {
            heading(at);
            at += bundle(section, at, end);
        }
    }

private:
    void heading(std::uint64_t at) {
        bool any = false;
        for (; symbol_ != image_.symbols.end() && symbol_->address <= at; ++symbol_) {
            if (symbol_->address != at || symbol_->name.empty()) continue;
            fmt::print("{}{:016x} <{}>:\n", any ? "" : "\n", at, symbol_->name);
            any = true;
        }
    }

    std::uint64_t bundle(const guest::Section& section, std::uint64_t at, std::uint64_t end) {
        const std::span bytes(image_.bytes.data() + section.offset + (at - section.address),
                              static_cast<std::size_t>(end - at));
        const auto bundle = isa::decode(bytes, at, iset_);
        if (!bundle) {
            fmt::print("{:8x}:  {}\n", at, bundle.error().message());
            return 8;
        }
        const char* lead = "";
        std::string address = fmt::format("{:8x}:", at);
        if (raw_) {
            for (int i = 0; i < bundle->length / 4; ++i)
                fmt::print("{}{:08x}",
                           i == 0       ? address + "  "
                           : i % 8 == 0 ? "\n           "
                                        : " ",
                           bundle->words[static_cast<std::size_t>(i)]);
            fmt::print("\n");
            address.assign(address.size(), ' ');
        }
        for (const std::string& line : isa::disassemble(*bundle)) {
            fmt::print("{}  {}{}\n", address, lead, line);
            address.assign(address.size(), ' ');
        }
        return bundle->length;
    }

    const guest::ElfImage& image_;
    int iset_;
    bool raw_;
    std::vector<guest::Symbol>::const_iterator symbol_;
};

}  // namespace

int disasm(const DisasmOptions& options) {
    const auto image = guest::ElfImage::load(options.file);
    if (!image) {
        complain(image.error());
        return kExitFailure;
    }
    const int iset = options.processor.iset ? options.processor.iset : image->iset;
    std::uint64_t begin = 0, end = ~0ull;
    if (!options.symbol.empty()) {
        const guest::SymbolTable table(image->symbols);
        const guest::Symbol* symbol = table.by_name(options.symbol);
        if (!symbol) {
            complain(fmt::format("{}: no symbol \"{}\"", options.file, options.symbol));
            return kExitFailure;
        }
        begin = symbol->address;
        const auto& all = table.all();
        const auto next =
            std::ranges::upper_bound(all, symbol->address, {}, &guest::Symbol::address);
        end = symbol->size ? begin + symbol->size : next == all.end() ? ~0ull : next->address;
    }
    Printer printer(*image, iset, options.raw);
    for (const guest::Section& section : image->sections) {
        if (!section.executable || section.size == 0) continue;
        const std::uint64_t first = std::max(begin, section.address);
        const std::uint64_t last = std::min(end, section.address + section.size);
        if (first >= last) continue;
        if (options.symbol.empty()) fmt::print("\nDisassembly of section {}:\n", section.name);
        printer.print(section, first, last);
    }
    return 0;
}

}  // namespace e2k::app
