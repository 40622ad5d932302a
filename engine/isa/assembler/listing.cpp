// The listing of an assembled source: line, address, words, text.
#include <fmt/format.h>

#include "engine/isa/assembler/program.h"

namespace e2k::isa {
namespace {

constexpr std::size_t kBytesPerRow = 16;

/// Words of a row, most significant digit first, as disassemblies show them.
std::string words(const std::vector<std::uint8_t>& bytes, std::size_t at) {
    std::string out;
    const std::size_t end = std::min(at + kBytesPerRow, bytes.size());
    for (; at + 4 <= end; at += 4)
        out += fmt::format("{:02x}{:02x}{:02x}{:02x} ", bytes[at + 3], bytes[at + 2], bytes[at + 1],
                           bytes[at]);
    for (; at < end; ++at) out += fmt::format("{:02x} ", bytes[at]);
    return out;
}

}  // namespace

std::string assembly_listing(const AssembledProgram& program) {
    std::string out = " line   address  content                              source\n";
    std::string file, note;
    for (const AssembledLine& l : program.lines) {
        if (l.file != file || l.note != note) {
            file = l.file;
            note = l.note;
            if (!file.empty() || !note.empty())
                out += fmt::format("        {}{}{}\n", file,
                                   file.empty() || note.empty() ? "" : ", ", note);
        }
        std::string_view text = l.text;
        bool first = true;
        for (std::size_t at = 0; at < l.bytes.size() || !text.empty(); at += kBytesPerRow) {
            const auto end = std::min(text.find('\n'), text.size());
            const bool content = at < l.bytes.size();
            out += fmt::format("{:>5}  {:>8}  {:<36} {}", first ? std::to_string(l.line) : "",
                               content ? fmt::format("{:x}", l.address + at) : "",
                               content ? words(l.bytes, at) : "", text.substr(0, end));
            out.erase(out.find_last_not_of(' ') + 1);
            out += '\n';
            text.remove_prefix(std::min(end + 1, text.size()));
            first = false;
        }
    }
    return out;
}

}  // namespace e2k::isa
