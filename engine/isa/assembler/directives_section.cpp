// Directives that say where statements go: sections, alignment, location.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/isa/assembler/assembly.h"
#include "engine/isa/assembler/lexical.h"

namespace e2k::isa::assembler {
namespace {

constexpr std::uint32_t kMaxPart = 8192;  ///< number of a subsection

/// A name that may stand in quotes: ".text", .rodata.str1.1, .note-x.
std::string section_name(Cursor& in) {
    if (in.peek() == '"') return in.name();
    std::string name;
    while (!in.rest().empty() && in.rest().front() != ',' && !is_blank(in.rest().front()))
        name += *in.take();
    if (name.empty()) in.fail("the name of a section expected");
    return name;
}

}  // namespace

/// `.text`, `.data 2`.
void Assembly::usual_section(Directive& d) {
    const auto part = d.in.at_end() ? 0 : d.in.constant(kMaxPart, "the number of a subsection");
    if (finish(d.in)) check(d.line, sections_.enter(d.name, static_cast<int>(part), std::nullopt));
}

/// `.subsection N`: another part of the same section.
void Assembly::subsection(Directive& d) {
    const auto part = d.in.constant(kMaxPart, "the number of a subsection");
    if (!finish(d.in)) return;
    const std::string name = sections_.section().name;
    check(d.line, sections_.enter(name, static_cast<int>(part), std::nullopt));
}

/// `.section NAME [, "flags" [, @type [, …]]]`; `.pushsection` takes a subsection, too.
void Assembly::named_section(Directive& d) {
    Cursor& in = d.in;
    const bool push = d.name == ".pushsection";
    in.at_end();
    const auto start = in.rest();
    const std::string name = section_name(in);
    if (name == kOffsetSection)
        in.fail_at(start.substr(0, name.size()),
                   "this section belongs to the assembler, which fills it for @GOT");
    if (options_.link.dynamic() && Linkage::owns_section(name))
        in.fail_at(start.substr(0, name.size()), "this section belongs to the assembler");
    int part = 0;
    std::optional<SectionKind> kind;
    if (in.ok() && in.accept(",")) {
        const char next = in.peek();
        if (is_digit(next) || next == '(') {
            part = static_cast<int>(in.constant(kMaxPart, "the number of a subsection"));
            if (in.accept(",")) kind = section_flags(in, name);
        } else {
            kind = section_flags(in, name);
        }
    }
    if (!finish(in)) return;
    if (push && !check(d.line, sections_.push())) return;
    check(d.line, sections_.enter(name, part, kind));
}

/// "aw" and what follows, or `#alloc, #write, #execinstr`.
std::optional<SectionKind> Assembly::section_flags(Cursor& in, std::string_view name) {
    SectionKind kind;
    kind.loaded = false;
    kind.contents = usual_kind(name).contents;
    if (in.peek() == '#' || in.peek() == '@' || in.peek() == '%') {
        bool any = false;
        do {
            const auto word = lower(in.word());
            const auto flag = std::string_view(word).substr(std::min<std::size_t>(1, word.size()));
            if (flag == "alloc") kind.loaded = any = true;
            if (flag == "write") kind.writable = any = true;
            if (flag == "execinstr") kind.executable = any = true;
            if (flag == "nobits") kind.contents = false;
            if (flag == "tls") kind.loaded = kind.tls = any = true;
        } while (in.ok() && in.accept(","));
        if (any) return kind;
        const SectionKind usual = usual_kind(name);
        kind.loaded = usual.loaded;
        kind.writable = usual.writable;
        kind.executable = usual.executable;
        return kind;
    }
    if (in.peek() != '"') {
        in.fail("the flags of the section in quotes expected");
        return std::nullopt;
    }
    in.accept("\"");
    while (in.ok()) {
        const auto c = in.take();
        if (!c) in.fail("the flags are not closed");
        if (!c || *c == '"') break;
        switch (*c) {
            case 'a':
                kind.loaded = true;
                break;
            case 'w':
                kind.writable = true;
                break;
            case 'x':
                kind.executable = true;
                break;
            case 'T':
                kind.loaded = kind.tls = true;
                break;
            default:  // merging, groups, order: for a linker
                if (std::string_view("MSGoedlyR?0123456789").find(*c) == std::string_view::npos)
                    in.fail("the flags are letters of \"awxMSGoeRT?\"");
        }
    }
    std::optional<SectionKind> out = kind;
    if (in.accept(",")) section_type(in, out);
    return out;
}

/// `@progbits` and, for a linker, the size of entries, a group, a section to go with.
void Assembly::section_type(Cursor& in, std::optional<SectionKind>& kind) {
    std::string type;
    if (in.peek() == '"') {
        type = in.name();
    } else {
        const auto word = lower(in.word());
        type = word.substr(std::min<std::size_t>(word.find_first_not_of("@%#"), word.size()));
    }
    constexpr std::array<std::string_view, 7> kTypes{
        "progbits", "nobits", "note", "init_array", "fini_array", "preinit_array", "unwind"};
    const bool number = !type.empty() && is_digit(type.front());
    if (!number && std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end())
        in.fail("a type like @progbits or @nobits expected");
    kind->contents = type != "nobits";
    section_rest(in);
}

/// What only a linker needs.
void Assembly::section_rest(Cursor& in) {
    while (in.ok() && in.accept(",")) {
        if (in.peek() == '"')
            in.name();
        else
            in.word();
    }
}

void Assembly::pop_section(Directive& d) {
    if (!finish(d.in)) return;
    if (const auto trouble = sections_.pop()) warn(d.line, *trouble);
}

void Assembly::previous_section(Directive& d) {
    if (!finish(d.in)) return;
    if (const auto trouble = sections_.swap_previous()) warn(d.line, *trouble);
}

/// `.struct N`: labels are numbers from N on.
void Assembly::absolute_section(Directive& d) {
    const Number from = d.in.expression();
    if (finish(d.in)) sections_.enter_absolute(from.value);
}

/// `.balign N [, fill [, most]]`; N is a power of two for `.p2align`.
void Assembly::alignment(Directive& d) {
    constexpr std::uint32_t kMaxPower = 63;
    Cursor& in = d.in;
    const bool power = d.name.starts_with(".p2");
    std::uint64_t to = 0;
    if (power) {
        to = std::uint64_t{1} << in.constant(kMaxPower, "the power of two");
    } else {
        to = in.expression().value;
    }
    std::vector<std::uint8_t> pattern;
    std::optional<std::uint64_t> most;
    const unsigned size = d.name.ends_with('w') ? 2 : d.name.ends_with('l') ? 4 : 1;
    if (in.accept(",") && in.peek() != ',' && !in.at_end()) read_number(in, size, pattern);
    if (in.accept(",") && !in.at_end()) most = in.expression().value;
    if (finish(in)) check(d.line, sections_.align(to, pattern, most));
}

/// `.org to [, fill]`: to is a label of the section or an offset in it.
void Assembly::origin(Directive& d) { move_to(d.in); }

void Assembly::move_to(Cursor& in) {
    const Number to = in.expression();
    const auto fill = in.accept(",") ? in.constant(0xff, "the fill byte") : 0;
    if (!finish(in)) return;
    const std::uint64_t start = sections_.location() - sections_.offset();
    const bool address = to.is_symbolic() && !sections_.section().kind.absolute;
    const std::uint64_t offset = address ? to.value - start : to.value;
    check(in.line(), sections_.move_to(offset, static_cast<std::uint8_t>(fill)));
}

/// `.ignore` and `.accept`: other styles than these two mean nothing.
void Assembly::style(Directive& d) {
    const auto what = lower(d.in.word());
    const bool ignore = d.name == ".ignore";
    if (what == "ld_st_style") data_last_ = ignore;
    if (what == "strict_delay") strict_delay_ = !ignore;
}

/// `.cpu elbrus-v5`: the version the source is written for.
void Assembly::processor(Directive& d) {
    constexpr std::string_view kPrefix = "elbrus-v";
    Cursor& in = d.in;
    in.at_end();
    const auto text = in.rest();
    const auto name = lower(text);
    const bool known = name.size() == kPrefix.size() + 1 && name.starts_with(kPrefix);
    const int version = known ? name.back() - '0' : 0;
    if (version < 2 || version > 6)
        in.fail_at(text, "elbrus-v2 to elbrus-v6 expected");
    else if (options_.iset && version > options_.iset)
        in.fail_at(text, fmt::format("the source needs more than elbrus-v{}, which was chosen",
                                     options_.iset));
    else if (!options_.iset)
        iset_ = version;
    if (!in.ok()) finish(in);
}

}  // namespace e2k::isa::assembler
