// Values of symbols: labels, definitions, references of a linker.
#include <fmt/format.h>

#include <algorithm>

#include "engine/isa/assembler/assembly.h"
#include "engine/isa/assembler/lexical.h"

namespace e2k::isa::assembler {
namespace {

constexpr int kMaxLazyDepth = 32;                       ///< of `==` by `==`
constexpr std::size_t kMaxLazy = std::size_t{1} << 20;  ///< evaluations in a pass

}  // namespace

std::optional<SymbolValue> Assembly::value_of(std::string_view name) {
    if (name == ".") {
        const Symbol here = label_here();
        return SymbolValue{here.value, here.constant, 0, here.region, here.link};
    }
    if (const auto at = name.find('@'); at != name.npos)
        return reference(name.substr(0, at), lower(name.substr(at + 1)));
    // In code it counts from the bundle, as a displacement does (assembly.md §9).
    if (name == kOffsetTable)
        return SymbolValue{
            sections_.address_of(kOffsetSection) - (in_code_ ? sections_.location() : 0),
            false,
            0,
            0,
            {.base = in_code_ ? 0 : linkage_.base()}};
    if (const auto local = local_label(name)) return local;
    return defined_value(name);
}

std::optional<SymbolValue> Assembly::defined_value(std::string_view name) {
    const auto at = symbols_.find(name);
    if (at == symbols_.end() || at->second.defined_in_pass < 0) {
        if (uses_) uses_->push_back({std::string(name), 0});
        return undefined_value(name);
    }
    const Symbol& s = at->second;
    const bool now = s.defined_in_pass == pass_;
    if (uses_) uses_->push_back({std::string(name), now ? s.definition : 0});
    if (!s.expression.empty()) return lazy_value(s.expression);
    return linkage_.defined(name, s, {s.value, s.constant && now, 0, now ? s.region : 0});
}

std::optional<SymbolValue> Assembly::undefined_value(std::string_view name) {
    const auto at = symbols_.find(name);
    if (at != symbols_.end() && !at->second.alias.empty()) {
        // A weak reference to what nothing defines is 0.
        const auto meant = symbols_.find(at->second.alias);
        const bool defined = meant != symbols_.end() && meant->second.defined_in_pass >= 0;
        if (defined) return defined_value(at->second.alias);
        return SymbolValue{0, false};
    }
    const bool dynamic = options_.link.dynamic() && !options_.externals;
    if (dynamic && pass_ > 0) {
        if (auto own = linkage_.own_symbol(name)) return own;
        return linkage_.imported(name, sections_.location());
    }
    if (at != symbols_.end() && at->second.weak && (pass_ > 0 || probing_))
        return SymbolValue{0, false};
    if (probing_) return std::nullopt;
    // In the first pass later symbols are not known yet.
    if (pass_ == 0 || options_.externals) return SymbolValue{sections_.location(), false};
    return std::nullopt;
}

std::optional<SymbolValue> Assembly::lazy_value(const std::string& expression) {
    if (lazy_depth_ >= kMaxLazyDepth || ++lazy_count_ > kMaxLazy) return std::nullopt;
    const std::string text = expression;
    ++lazy_depth_;
    Cursor in(SourceLine{text, 1, 1}, lookup_);
    const Number n = in.expression();
    --lazy_depth_;
    if (!in.ok()) return std::nullopt;
    return SymbolValue{n.value, !n.is_symbolic(), n.bits, n.region, n.link};
}

/// "x@GOT" and its kin: what a linker would put there.
std::optional<SymbolValue> Assembly::reference(std::string_view name, std::string_view kind) {
    constexpr int kShort = 32;
    const bool known = pass_ == 0 || options_.link.dynamic() || symbols_.contains(name);
    if (kind == "tls_le" && known) {
        SymbolValue value{0, false};
        if (const auto offset = linkage_.thread_offset(name))
            value.value = *offset;
        else
            value.refusal = offset.error();
        return value;
    }
    auto value = value_of(name);
    if (!value) return std::nullopt;
    value->constant = false;
    value->region = 0;
    if (kind == "plt") return value;
    if (kind == "gotoff") {
        value->value -= sections_.address_of(kOffsetSection);
        const bool unknown = value->link.foreign && value->link.origin == 0;
        value->link = {};
        value->link.mixed = unknown;
        return value;
    }
    if (kind == "size") {
        const auto at = symbols_.find(name);
        return SymbolValue{at == symbols_.end() ? 0 : at->second.size, false, kShort};
    }
    // Bound early all the same: GOT and GOTPLT entries do not differ.
    const auto entry = kind == "tls_ie"      ? EntryKind::ThreadOffset
                       : kind == "tls_gdmod" ? EntryKind::ThreadModule
                       : kind == "tls_gdrel" ? EntryKind::ThreadPosition
                                             : EntryKind::Address;
    return SymbolValue{linkage_.entry(entry, name), false, kShort};
}

/// `1b` and `1f`: nearest `1:` before or behind; `1$`: that between the same two labels.
std::optional<SymbolValue> Assembly::local_label(std::string_view name) {
    const char kind = name.empty() ? '\0' : name.back();
    if ((kind != 'b' && kind != 'f' && kind != '$') || !is_digit(name[0])) return std::nullopt;
    const auto number = name.substr(0, name.size() - 1);
    if (kind == '$') return defined_value(dollar_name(number));
    const auto seen = local_counts_.find(number);
    const int count = seen == local_counts_.end() ? 0 : seen->second;
    if (kind == 'b' && count == 0) return std::nullopt;
    return defined_value(fmt::format(".L{}.{}", number, kind == 'b' ? count : count + 1));
}

std::string Assembly::dollar_name(std::string_view number) const {
    return fmt::format(".L{}.${}", number, dollar_scope_);
}

// ---- definitions -------------------------------------------------------------------------------

void Assembly::define(const SourceLine& where, const std::string& name, Symbol value) {
    if (name == kOffsetTable) return fail(where, "this name belongs to the assembler");
    Symbol& s = symbols_[name];
    const bool again = s.defined_in_pass == pass_ && !(s.set && value.set);
    if (again || !s.alias.empty()) return fail(where, "this name has been defined already");
    value.declared_global = s.declared_global;
    value.weak = s.weak;
    value.type = s.type;
    value.visibility = s.visibility;
    value.size = s.size;
    value.defined_in_pass = pass_;
    s = std::move(value);
}

void Assembly::assign(Cursor& in, const std::string& name, Redefine redefine) {
    std::vector<Definitions::Use> uses;
    uses_ = &uses;
    const Number n = in.expression();
    uses_ = nullptr;
    if (!finish(in)) return;
    const auto before = symbols_.find(name);
    const bool defined = before != symbols_.end() && before->second.defined_in_pass == pass_;
    if (defined && redefine == Redefine::Refused)
        return fail(in.line(), "this name has been defined already");
    Symbol s;
    s.value = n.value;
    s.constant = !n.is_symbolic();
    s.region = n.region;
    s.link = n.link;
    // The name stands for the definition here, whatever other files define.
    if (!n.link.foreign) s.link.symbol.clear();
    s.set = true;
    if (n.is_symbolic()) s.definition = definitions_.add(name, in.line(), std::move(uses));
    define(in.line(), name, std::move(s));
}

/// `NAME == expression`: the text is what counts, not its value here.
void Assembly::assign_lazily(Cursor& in, const std::string& name) {
    const std::string text(in.rest());
    std::vector<Definitions::Use> uses;
    uses_ = &uses;
    const Number n = in.expression();
    uses_ = nullptr;
    if (!finish(in)) return;
    // What it uses is what there will be in the end.
    for (Definitions::Use& use : uses) use.definition = 0;
    Symbol s;
    s.value = n.value;
    s.constant = !n.is_symbolic();
    s.expression = text;
    s.definition = definitions_.add(name, in.line(), std::move(uses));
    define(in.line(), name, std::move(s));
}

}  // namespace e2k::isa::assembler
