// Decode records: bytes against the normalised disassembly.
#include <cstring>
#include <sstream>

#include <fmt/format.h>

#include "engine/isa/bundle.h"
#include "engine/isa/disassembler.h"
#include "engine/machine/vector_records.h"

namespace e2k::machine {
namespace {

/// Runs of blanks become one, leading and trailing ones go.
std::string normalised(const std::string& text) {
    std::istringstream in(text);
    std::string out, word;
    while (in >> word) {
        if (!out.empty()) out += ' ';
        out += word;
    }
    return out;
}

std::vector<std::string> normalised(const std::vector<std::string>& lines) {
    std::vector<std::string> out;
    for (const std::string& line : lines)
        if (std::string n = normalised(line); !n.empty()) out.push_back(std::move(n));
    return out;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += (text.empty() ? "" : " ; ") + line;
    return text;
}

std::vector<std::string> asynchronous_text(const std::vector<std::uint8_t>& bytes, int iset) {
    std::array<std::uint32_t, 4> words{};
    std::memcpy(words.data(), bytes.data(), std::min(bytes.size(), sizeof words));
    return isa::disassemble_async(words, iset);
}

}  // namespace

std::string check_decode_record(const Json& record) {
    const int iset = record.at("iset");
    const std::vector<std::uint8_t> bytes = vector_bytes(record.at("hex"));
    const auto expected = normalised(record.at("text").get<std::vector<std::string>>());
    std::vector<std::string> found;
    bool gas_only = false;
    const std::string source = record.value("src", "");
    if (source == "apb") {
        found = normalised(asynchronous_text(bytes, iset));
    } else {
        const auto bundle = isa::decode(bytes, vector_number(record.at("addr")), iset);
        if (!bundle)
            return fmt::format("  v{} {}\n  expected: {}\n  found:    {}", iset,
                               record.at("hex").get<std::string>(), joined(expected),
                               bundle.error().message());
        // Encodings objdump cannot print have the assembler's text and objdump's own; either
        // style of ours has to agree with its counterpart.
        gas_only = source == "gas-plog" || source == "gas-ldaa";
        isa::DisassemblyStyle style;
        style.canonical_plog = gas_only;
        found = normalised(isa::disassemble(*bundle, style));
        if (gas_only && found != expected && record.contains("stock")) {
            const auto stock = normalised(record["stock"].get<std::vector<std::string>>());
            if (normalised(isa::disassemble(*bundle)) == stock) return {};
        }
    }
    if (found == expected) return {};
    return fmt::format("  v{} {}\n  expected: {}\n  found:    {}", iset,
                       record.at("hex").get<std::string>(), joined(expected), joined(found));
}

std::string check_invalid_record(const Json& record) {
    const int iset = record.at("iset");
    const std::vector<std::uint8_t> bytes = vector_bytes(record.at("hex"));
    const auto bundle = isa::decode(bytes, 0, iset);
    if (!bundle || !isa::check_legal(*bundle).legal) return {};
    return fmt::format("  v{} {}\n  expected: invalid ({}: {})\n  found:    legal: {}", iset,
                       record.at("hex").get<std::string>(), record.at("reason").get<std::string>(),
                       record.value("detail", ""), joined(isa::disassemble(*bundle)));
}

}  // namespace e2k::machine
