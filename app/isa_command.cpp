// `e2kwb isa`: operations in words, and how much of the instruction set is built.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "app/commands.h"
#include "engine/isa/describe.h"
#include "engine/machine/coverage.h"

namespace e2k::app {

namespace {

using isa::Operation;

std::string hexadecimal(int value) { return fmt::format("{:02x}", value); }

std::string encoding(const Operation& op) {
    std::string out = fmt::format("{}", isa::format_name(op.format));
    if (op.channels == 0) return out;
    out += ", opcode " + hexadecimal(op.opcode);
    if (op.opcode2 >= 0) out += ", extension " + hexadecimal(op.opcode2);
    if (op.opce1 >= 0) out += ", opce1 " + hexadecimal(op.opce1);
    if (op.opce2 >= 0) out += ", opce2 " + hexadecimal(op.opce2);
    if (op.cmpopce >= 0) out += ", cmpopce " + hexadecimal(op.cmpopce);
    return out;
}

std::string_view reach_name(machine::Reach reach) {
    switch (reach) {
        case machine::Reach::Absent:
            return "absent";
        case machine::Reach::Known:
            return "no meaning defined: executing it stops the program";
        case machine::Reach::Privileged:
            return "traps in a user's program";
        case machine::Reach::Interpreted:
            return "interpreted";
        case machine::Reach::Called:
            return "interpreted; translated as a call of its function";
        case machine::Reach::Emitted:
            return "interpreted; translated to host code";
    }
    return "";
}

/// Everything about one name; empty if no version in question has it.
std::string describe(std::string_view name, int iset) {
    std::string out;
    const auto line = [&](std::string_view key, std::string_view value) {
        if (!value.empty()) out += fmt::format("  {:<10} {}\n", key, value);
    };
    int newest = 0;
    for (const Operation& op : isa::operations()) {
        if (op.mnemonic != name) continue;
        if (iset && (iset < op.iset_min || iset > op.iset_max)) continue;
        newest = std::max<int>(newest, op.iset_max);
        const auto words = isa::describe(op);
        if (out.empty()) {
            out += words.title + "\n";
            line("computes", words.formula);
        } else {
            out += "\n";
        }
        line("encoding", encoding(op));
        line("channels", words.channels);
        line("operands", words.operands);
        line("latency", words.latency);
        line("versions", words.versions);
        for (const std::string& note : words.notes) line("note", note);
    }
    if (!out.empty()) line("here", reach_name(machine::reach_of(name, iset ? iset : newest)));
    return out;
}

/// Names that differ little: one letter, or a common beginning.
std::vector<std::string_view> similar(std::string_view name) {
    std::vector<std::string_view> out;
    for (std::size_t length = name.size(); length >= 3 && out.empty(); --length)
        for (const Operation& op : isa::operations())
            if (op.mnemonic.starts_with(name.substr(0, length)) && out.size() < 12 &&
                (out.empty() || out.back() != op.mnemonic))
                out.push_back(op.mnemonic);
    return out;
}

}  // namespace

int isa_tables(const IsaOptions& options) {
    const int iset = options.processor.iset;
    if (options.coverage) results().write(machine::format_coverage(machine::coverage(), iset));
    int code = 0;
    bool first = !options.coverage;
    for (std::string name : options.names) {
        std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
        const std::string text = describe(name, iset);
        if (!text.empty()) {
            results().print("{}{}", first ? "" : "\n", text);
            first = false;
            continue;
        }
        code = kExitFailure;
        const auto near = similar(name);
        complain(fmt::format(
            "no operation \"{}\"{}{}", name, iset ? fmt::format(" in elbrus-v{}", iset) : "",
            near.empty() ? "" : fmt::format("; there are {}", fmt::join(near, ", "))));
    }
    return code;
}

}  // namespace e2k::app
