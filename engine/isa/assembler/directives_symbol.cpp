// Directives that say something about symbols.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/isa/assembler/assembly.h"

namespace e2k::isa::assembler {

/// `.globl a, b` and its kin.
void Assembly::binding(Directive& d) {
    do {
        const std::string name = d.in.name();
        if (!d.in.ok()) break;
        // A declaration alone defines nothing: that a symbol is missing shows where it is used.
        if (d.name == ".extern" || d.name == ".local") continue;
        Symbol& s = symbols_[name];
        (d.name == ".weak" ? s.weak : s.declared_global) = true;
    } while (d.in.accept(","));
    finish(d.in);
}

void Assembly::visibility(Directive& d) {
    const auto kind = d.name == ".hidden"      ? SymbolVisibility::Hidden
                      : d.name == ".protected" ? SymbolVisibility::Protected
                                               : SymbolVisibility::Internal;
    do {
        const std::string name = d.in.name();
        if (!d.in.ok()) break;
        symbols_[name].visibility = kind;
    } while (d.in.accept(","));
    finish(d.in);
}

/// `.set NAME, expression`; `.equiv` refuses a second time, `.eqv` is evaluated at every use.
void Assembly::set_symbol(Directive& d) {
    const std::string name = d.in.name();
    d.in.expect(",");
    if (name == "." && d.in.ok()) return move_to(d.in);
    if (d.name == ".eqv") return assign_lazily(d.in, name);
    assign(d.in, name, d.name == ".equiv" ? Redefine::Refused : Redefine::Allowed);
}

/// `.type NAME, @function`, also with `#`, `%`, quotes or as STT_FUNC.
void Assembly::symbol_type(Directive& d) {
    struct Row {
        std::string_view name;
        SymbolType type;
    };
    constexpr std::array kRows{Row{"function", SymbolType::Function},
                               Row{"func", SymbolType::Function},
                               Row{"object", SymbolType::Object},
                               Row{"gnu_unique_object", SymbolType::Object},
                               Row{"tls_object", SymbolType::Tls},
                               Row{"tls", SymbolType::Tls},
                               Row{"common", SymbolType::Common},
                               Row{"notype", SymbolType::None},
                               Row{"gnu_indirect_function", SymbolType::IndirectFunction},
                               Row{"gnu_ifunc", SymbolType::IndirectFunction}};
    Cursor& in = d.in;
    const std::string name = in.name();
    in.accept(",");
    in.at_end();
    const auto start = in.rest();
    auto type = lower(in.peek() == '"' ? in.name() : std::string(in.word()));
    type.erase(0, std::min(type.find_first_not_of("@#%"), type.size()));
    if (type.starts_with("stt_")) type.erase(0, 4);
    const auto row =
        std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) { return r.name == type; });
    if (row == kRows.end()) in.fail_at(start, "a type like @function, @object or @notype expected");
    if (finish(in)) symbols_[name].type = row->type;
}

void Assembly::symbol_size(Directive& d) {
    const std::string name = d.in.name();
    d.in.expect(",");
    const Number size = d.in.expression();
    if (finish(d.in)) symbols_[name].size = size.value;
}

/// `.weakref ALIAS, TARGET`: ALIAS is TARGET, or 0 if nothing defines that.
void Assembly::weak_reference(Directive& d) {
    const std::string alias = d.in.name();
    d.in.expect(",");
    const std::string target = d.in.name();
    if (!finish(d.in)) return;
    const auto chain = symbols_.find(target);
    if (alias == target || (chain != symbols_.end() && !chain->second.alias.empty()))
        return fail(d.line, "a weak reference cannot be one to itself or to another");
    Symbol& s = symbols_[alias];
    if (s.defined_in_pass >= 0) return fail(d.line, "this name has been defined already");
    s.alias = target;
}

/// `.lcomm NAME, size [, alignment]`: space in .bss.
void Assembly::local_common(Directive& d) {
    Cursor& in = d.in;
    const std::string name = in.name();
    in.expect(",");
    const auto size = count(in, "the size");
    const std::uint64_t alignment = in.accept(",") ? in.expression().value : 8;
    if (!finish(in) || !check(d.line, sections_.push())) return;
    const bool done = check(d.line, sections_.enter(".bss", 0, std::nullopt)) &&
                      check(d.line, sections_.align(alignment, {}, std::nullopt));
    if (done) {
        define(d.line, name, label_here());
        check(d.line, sections_.fill(*size, 0));
    }
    sections_.pop();
}

/// `.comm NAME, size [, alignment]`: one object for all who say so, as large as the largest.
void Assembly::common(Directive& d) {
    Cursor& in = d.in;
    const std::string name = in.name();
    in.expect(",");
    const auto size = count(in, "the size");
    std::uint64_t alignment = 8;
    bool more = in.accept(",");
    if (more && in.peek() == '"') {
        in.name();  // the section, always .bss
        more = in.accept(",");
    }
    if (more) alignment = in.expression().value;
    if (in.ok() && (alignment & (alignment - 1)))
        in.fail_at(in.rest(), "an alignment is a power of two");
    if (!finish(in)) return;
    const auto at = symbols_.find(name);
    const bool defined = at != symbols_.end() && at->second.defined_in_pass == pass_;
    if (defined) return fail(d.line, "this name has been defined already");
    const auto [number, fresh] = common_numbers_.emplace(name, commons_.size());
    if (fresh) commons_.push_back({name});
    Common& c = commons_[number->second];
    c.size = std::max(c.size, *size);
    c.alignment = std::max(c.alignment, alignment);
    c.line = d.line;
    // A probe has no end at which it could place them.
    if (probing_) define(d.line, name, label_here());
}

/// Common objects stand behind the rest of .bss, as a linker puts them.
void Assembly::place_commons() {
    if (commons_.empty() || !check({}, sections_.enter(".bss", 0, std::nullopt))) return;
    for (const Common& c : commons_) {
        if (!check(c.line, sections_.align(c.alignment, {}, std::nullopt))) return;
        Symbol s = label_here();
        s.size = c.size;
        const auto at = symbols_.find(c.name);
        // A definition of the same source takes the place of the common object.
        if (at != symbols_.end() && at->second.defined_in_pass == pass_) continue;
        if (at != symbols_.end() && at->second.type == SymbolType::None)
            at->second.type = SymbolType::Object;
        define(c.line, c.name, s);
        if (!check(c.line, sections_.fill(c.size, 0))) return;
    }
}

void Assembly::refused(Directive& d) {
    const bool other_mode = d.name == ".mri";
    if (other_mode && !d.in.expression().value) return static_cast<void>(finish(d.in));
    fail(d.line, other_mode
                     ? "the MRI mode does not exist here"
                     : "a source cannot make relocations of its own: a program that is not linked "
                       "any more stands at fixed addresses");
}

}  // namespace e2k::isa::assembler
