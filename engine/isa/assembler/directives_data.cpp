// Directives that make bytes.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/isa/assembler/assembly.h"
#include "engine/isa/assembler/draft.h"

namespace e2k::isa::assembler {
namespace {

/// Bytes of one value of a directive of integers.
unsigned integer_size(std::string_view name) {
    struct Row {
        std::string_view name;
        unsigned bytes;
    };
    constexpr std::array kRows{
        Row{".byte", 1},   Row{".1byte", 1}, Row{".dc.b", 1}, Row{".short", 2}, Row{".hword", 2},
        Row{".half", 2},   Row{".2byte", 2}, Row{".dc", 2},   Row{".dc.w", 2},  Row{".uahalf", 2},
        Row{".word", 4},   Row{".long", 4},  Row{".int", 4},  Row{".4byte", 4}, Row{".dc.l", 4},
        Row{".uaword", 4}, Row{".ptr", 16}};
    const auto at =
        std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) { return r.name == name; });
    return at == kRows.end() ? 8 : at->bytes;
}

/// What stands behind the second dot: `.ds.w`, `.dcb.l`.
unsigned unit_size(std::string_view name, unsigned without) {
    const auto dot = name.rfind('.');
    const auto unit = dot == 0 || dot == name.npos ? std::string_view{} : name.substr(dot + 1);
    if (unit.empty()) return without;
    switch (unit.front()) {
        case 'b':
            return 1;
        case 'w':
            return 2;
        case 'd':
            return 8;
        case 'p':
        case 'x':
            return 12;
        default:
            return 4;
    }
}

}  // namespace

/// Values between commas, each appended by `read`.
template <class Read>
void Assembly::contents(Directive& d, const Read& read) {
    std::vector<std::uint8_t> bytes;
    statement_fields_.clear();
    if (!d.in.at_end()) do
            read(bytes);
        while (d.in.ok() && d.in.accept(","));
    if (finish(d.in)) emit(d.line, bytes);
}

void Assembly::integers(Directive& d) {
    const unsigned size = integer_size(d.name);
    contents(d, [&](auto& bytes) { read_number(d.in, size, bytes, &statement_fields_); });
}

void Assembly::octas(Directive& d) {
    contents(d, [&](auto& bytes) { read_octa(d.in, bytes, &statement_fields_); });
}

void Assembly::reals(Directive& d) {
    const bool twice = d.name == ".double" || d.name == ".dc.d";
    contents(d, [&](auto& bytes) { read_real(d.in, twice, bytes); });
}

void Assembly::leb128(Directive& d) {
    contents(d, [&](auto& bytes) { read_leb128(d.in, d.name == ".sleb128", bytes); });
    sections_.break_region();  // what stands before may still change its length
}

void Assembly::strings(Directive& d) {
    constexpr std::string_view kString = ".string";
    unsigned size = 1;
    if (d.name.size() > kString.size() && d.name.starts_with(kString))
        size = static_cast<unsigned>(std::stoul(d.name.substr(kString.size()))) / 8;
    contents(d, [&](auto& bytes) {
        read_string(d.in, size, bytes);
        if (d.name != ".ascii") bytes.insert(bytes.end(), size, 0);
    });
}

/// `.reg %dr5`: the byte by which operations name the register.
void Assembly::register_code(Directive& d) {
    const Operand o = parse_operand(d.in);
    if (d.in.ok() && o.kind != Operand::Kind::Register && o.kind != Operand::Kind::Special)
        d.in.fail_at(o.text, "a register expected");
    if (finish(d.in)) emit(d.line, std::array{o.code});
}

/// How many; negative counts are none. Nothing after an error.
std::optional<std::uint64_t> Assembly::count(Cursor& in, std::string_view what) {
    const Number n = in.expression();
    if (!in.ok()) return std::nullopt;
    if (static_cast<std::int64_t>(n.value) >= 0) return n.value;
    warn(in.line(), fmt::format("{} is negative; ignored", what));
    return 0;
}

/// `.skip size [, fill]`, `.ds.w count [, fill]`.
void Assembly::space(Directive& d) {
    const bool units = d.name.starts_with(".ds");
    const unsigned unit = units ? unit_size(d.name, 2) : 1;
    const auto size = count(d.in, "the size");
    std::vector<std::uint8_t> pattern;
    if (d.in.ok() && d.in.accept(",")) read_number(d.in, std::min(unit, 8u), pattern);
    if (!finish(d.in)) return;
    pattern.resize(unit);
    check(d.line, sections_.repeat(*size, pattern));
}

/// `.fill count [, size [, value]]`: the upper half of eight bytes is 0.
void Assembly::fill(Directive& d) {
    constexpr std::uint32_t kMaxSize = 8;
    const auto repeat = count(d.in, "the count");
    std::uint64_t size = 1;
    std::uint64_t value = 0;
    if (d.in.accept(",") && d.in.peek() != ',') size = count(d.in, "the size").value_or(0);
    if (d.in.accept(",")) value = d.in.expression().value;
    if (!finish(d.in)) return;
    if (size > kMaxSize) warn(d.line, "the size of .fill is at most 8; 8 is taken");
    std::vector<std::uint8_t> pattern(std::min<std::uint64_t>(size, kMaxSize));
    for (std::size_t i = 0; i < pattern.size() && i < 4; ++i)
        pattern[i] = static_cast<std::uint8_t>(value >> (8 * i));
    check(d.line, sections_.repeat(*repeat, pattern));
}

/// `.dcb.w count, value`.
void Assembly::repeated(Directive& d) {
    const bool real = d.name == ".dcb.s" || d.name == ".dcb.d";
    const unsigned size = unit_size(d.name, 2);
    const auto repeat = count(d.in, "the count");
    std::vector<std::uint8_t> pattern;
    if (!d.in.accept(","))
        pattern.resize(size);
    else if (real)
        read_real(d.in, size == 8, pattern);
    else
        read_number(d.in, size, pattern);
    if (finish(d.in)) check(d.line, sections_.repeat(*repeat, pattern));
}

/// `.incbin "file" [, skip [, count]]`.
void Assembly::binary_file(Directive& d) {
    Cursor& in = d.in;
    if (in.peek() != '"') in.fail("the name of a file in quotes expected");
    const auto start = in.rest();
    const std::string name = in.ok() ? in.name() : std::string();
    std::uint64_t skip = 0;
    std::optional<std::uint64_t> most;
    if (in.accept(",") && in.peek() != ',') skip = count(in, "the offset").value_or(0);
    if (in.accept(",")) most = count(in, "the count");
    if (!finish(in)) return;
    auto file = files_.find(name);
    if (file == files_.end()) {
        auto text = options_.read ? options_.read(name)
                                  : tl::unexpected(std::string("no files can be read here"));
        if (!text) {
            in.fail_at(start.substr(1, name.size()), text.error());
            return static_cast<void>(finish(in));
        }
        file = files_.emplace(name, std::move(*text)).first;
    }
    const std::string& bytes = file->second;
    const bool beyond = skip > bytes.size() || (most && *most > bytes.size() - skip);
    if (beyond) return fail(d.line, fmt::format("the file has only {} bytes", bytes.size()));
    const auto length = most.value_or(bytes.size() - skip);
    const auto* const data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    emit(d.line, std::span(data + skip, length));
}

}  // namespace e2k::isa::assembler
