// Values of symbols: labels, definitions, references of a linker.
#include <fmt/format.h>

#include <algorithm>

#include "engine/isa/assembler/assembly.h"
#include "engine/isa/assembler/lexical.h"

namespace e2k::isa::assembler {
namespace {

constexpr unsigned kOffsetEntry = 8;                    ///< bytes
constexpr int kMaxLazyDepth = 32;                       ///< of `==` by `==`
constexpr std::size_t kMaxLazy = std::size_t{1} << 20;  ///< evaluations in a pass

}  // namespace

std::optional<SymbolValue> Assembly::value_of(std::string_view name) {
    if (name == ".") {
        const Symbol here = label_here();
        return SymbolValue{here.value, here.constant, 0, here.region};
    }
    if (const auto at = name.find('@'); at != name.npos)
        return reference(name.substr(0, at), lower(name.substr(at + 1)));
    // In code it counts from the bundle, as a displacement does (disassembly.md B.9).
    if (name == kOffsetTable)
        return SymbolValue{
            sections_.address_of(kOffsetSection) - (in_code_ ? sections_.location() : 0), false};
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
    return SymbolValue{s.value, s.constant && now, 0, now ? s.region : 0};
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
    return SymbolValue{n.value, !n.is_symbolic(), n.bits, n.region};
}

/// "x@GOT" and its kin: what a linker would put there in a static program.
std::optional<SymbolValue> Assembly::reference(std::string_view name, std::string_view kind) {
    constexpr int kShort = 32;
    const auto value = value_of(name);
    if (!value) return std::nullopt;
    if (kind == "plt") return SymbolValue{value->value, false};
    if (kind == "gotoff")
        return SymbolValue{value->value - sections_.address_of(kOffsetSection), false};
    if (kind == "size") {
        const auto at = symbols_.find(name);
        return SymbolValue{at == symbols_.end() ? 0 : at->second.size, false, kShort};
    }
    // Nothing is bound late, so that GOT and GOTPLT entries are the same.
    const auto [entry, fresh] =
        offset_entries_.emplace(std::string(name), std::uint64_t{offset_table_.size()});
    if (fresh) offset_table_.emplace_back(name);
    return SymbolValue{kOffsetEntry * entry->second, false, kShort};
}

/// The address of every symbol that `@GOT` has asked for.
void Assembly::fill_offset_table() {
    if (offset_table_.empty()) return;
    sections_.enter(kOffsetSection, 0, std::nullopt);
    for (const std::string& name : offset_table_) {
        const auto value = value_of(name).value_or(SymbolValue{}).value;
        std::array<std::uint8_t, kOffsetEntry> bytes{};
        for (unsigned i = 0; i < kOffsetEntry; ++i)
            bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
        if (!check(SourceLine{}, sections_.append(bytes))) return;
    }
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
