// Wide characters, multibyte characters of the C locale, <locale.h>, messages that nobody
// translates.
#include <langinfo.h>
#include <array>
#include <cerrno>
#include <clocale>

#include "engine/guest/libc/core/c_locale.h"
#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {
namespace {

// --- wide characters; one by one they are host leafs (cpu/host_leafs.h) ---

int width_of(std::uint32_t c) {
    if (c == 0) return 0;
    return c >= 0x20 && c < 0x7f ? 1 : -1;
}
Outcome<Value> wcswidth_(LibraryCall& call) {
    int sum = 0;
    for (std::uint64_t i = 0; i < call.size(1); ++i) {
        const auto c = call.memory.load<std::uint32_t>(call.pointer(0) + 4 * i);
        if (!c) return tl::unexpected(c.error());
        if (*c == 0) break;
        const int width = width_of(*c);
        if (width < 0) return Value(-1);
        sum += width;
    }
    return Value(sum);
}
Outcome<Value> wcslen_(LibraryCall& call) {
    for (std::uint64_t n = 0;; ++n) {
        const auto c = call.memory.load<std::uint32_t>(call.pointer(0) + 4 * n);
        if (!c) return tl::unexpected(c.error());
        if (*c == 0) return Value(n);
    }
}
// --- multibyte characters: one byte each, up to 127 ---

constexpr std::uint64_t kInvalid = ~0ull, kIncomplete = ~0ull - 1;

/// mbrtowc: bytes of the character at `from`, 0 for the null character.
Outcome<Value> to_wide(LibraryCall& call, std::uint64_t to, std::uint64_t from,
                       std::uint64_t limit) {
    if (from == 0) return Value(0);
    if (limit == 0) return Value(kIncomplete);
    const auto c = call.memory.load<std::uint8_t>(from);
    if (!c) return tl::unexpected(c.error());
    if (*c >= 128) {
        call.set_errno(EILSEQ);
        return Value(kInvalid);
    }
    if (to != 0)
        if (auto done = call.memory.store(to, std::uint32_t{*c}); !done)
            return tl::unexpected(done.error());
    return Value(*c != 0 ? 1 : 0);
}
Outcome<Value> mbrtowc_(LibraryCall& call) {
    return to_wide(call, call.pointer(0), call.pointer(1), call.size(2));
}
Outcome<Value> mbrlen_(LibraryCall& call) {
    return to_wide(call, 0, call.pointer(0), call.size(1));
}
Outcome<Value> with_int_result(const Outcome<Value>& result) {
    return result.map([](const Value& v) { return v.low == kIncomplete ? Value(-1) : v; });
}
Outcome<Value> mbtowc_(LibraryCall& call) {
    return with_int_result(to_wide(call, call.pointer(0), call.pointer(1), call.size(2)));
}
Outcome<Value> mblen_(LibraryCall& call) {
    return with_int_result(to_wide(call, 0, call.pointer(0), call.size(1)));
}
Outcome<Value> mbsinit_(LibraryCall&) { return Value(1); }
Outcome<Value> from_wide(LibraryCall& call) {
    if (call.pointer(0) == 0) return Value(1);
    const std::uint32_t c = call.unsigned_integer(1);
    if (c >= 128) {
        call.set_errno(EILSEQ);
        return Value(kInvalid);
    }
    return call.memory.store(call.pointer(0), static_cast<std::uint8_t>(c)).map([] {
        return Value(1);
    });
}
Outcome<Value> wctomb_(LibraryCall& call) {
    if (call.pointer(0) == 0) return Value(0);
    return from_wide(call);
}

/// Characters of one size to another, up to a null character; `to` 0 only counts.
template <class From, class To>
Outcome<Value> convert_text(LibraryCall& call, std::uint64_t from, std::uint64_t limit) {
    const std::uint64_t to = call.pointer(0);
    for (std::uint64_t n = 0; to == 0 || n < limit; ++n) {
        const auto c = call.memory.load<From>(from + n * sizeof(From));
        if (!c) return tl::unexpected(c.error());
        if (*c >= 128) {
            call.set_errno(EILSEQ);
            return Value(kInvalid);
        }
        if (to != 0)
            if (auto done = call.memory.store(to + n * sizeof(To), static_cast<To>(*c)); !done)
                return tl::unexpected(done.error());
        if (*c == 0) return Value(n);
    }
    return Value(limit);
}
Outcome<Value> mbstowcs_(LibraryCall& call) {
    return convert_text<std::uint8_t, std::uint32_t>(call, call.pointer(1), call.size(2));
}
Outcome<Value> wcstombs_(LibraryCall& call) {
    return convert_text<std::uint32_t, std::uint8_t>(call, call.pointer(1), call.size(2));
}
Outcome<Value> mb_cur_max(LibraryCall&) { return Value(std::uint64_t{1}); }

// --- the locale ---

/// A text among the library's objects.
Outcome<Value> fixed_text(LibraryCall& call, std::uint64_t place, const std::string& text) {
    const std::uint64_t at = call.library.statics + place;
    return call.memory.store_text(at, text).map([&] { return Value(at); });
}
Outcome<Value> setlocale_(LibraryCall& call) {
    constexpr int kMostCategories = 12;
    const int category = call.integer(0);
    if (category < 0 || category > kMostCategories) return error(EINVAL);
    if (call.pointer(1) != 0) {
        const auto name = call.text(1, 4096);
        if (!name) return tl::unexpected(name.error());
        const bool known =
            name->empty() || *name == "C" || *name == "POSIX" || name->starts_with("C.");
        if (!known) return Value(0);
    }
    return fixed_text(call, Library::kStaticLocale, "C");
}
// A locale_t is the address of the name of the only one.
constexpr std::uint64_t kGlobalLocale = ~0ull;

Outcome<Value> newlocale_(LibraryCall& call) {
    const auto name = call.text(1, 4096);
    if (!name) return tl::unexpected(name.error());
    const bool known = name->empty() || *name == "C" || *name == "POSIX" || name->starts_with("C.");
    if (!known) return error(ENOENT);
    return fixed_text(call, Library::kStaticLocale, "C");
}
Outcome<Value> duplocale_(LibraryCall& call) {
    return fixed_text(call, Library::kStaticLocale, "C");
}
Outcome<Value> freelocale_(LibraryCall&) { return Value(); }
Outcome<Value> uselocale_(LibraryCall&) { return Value(kGlobalLocale); }

Outcome<Value> nl_langinfo_(LibraryCall& call) {
    const std::string text = nl_langinfo_l(call.integer(0), c_locale());
    return fixed_text(call, Library::kStaticLangInfo, text.substr(0, 63));
}
/// struct lconv: ten texts, then numbers that are unknown, then texts again (96 bytes).
Outcome<Value> localeconv_(LibraryCall& call) {
    const std::uint64_t at = call.library.statics + Library::kStaticConventions;
    constexpr std::uint64_t kBytes = 96, kTexts = 10;
    const std::uint64_t empty = at + kBytes, point = empty + 1;
    if (auto done = call.memory.write(empty, "\0.", 3); !done) return tl::unexpected(done.error());
    if (auto done = call.memory.fill(at, 0x7f, kBytes); !done) return tl::unexpected(done.error());
    for (std::uint64_t i = 0; i < kTexts; ++i)
        if (auto done = call.memory.store(at + 8 * i, i == 0 ? point : empty); !done)
            return tl::unexpected(done.error());
    return Value(at);
}

// --- messages: as they are ---

template <unsigned Place>
Outcome<Value> echo(LibraryCall& call) {
    return Value(call.pointer(Place));
}
template <unsigned First>
Outcome<Value> plural(LibraryCall& call) {
    return Value(call.size(First + 2) == 1 ? call.pointer(First) : call.pointer(First + 1));
}
Outcome<Value> textdomain_(LibraryCall& call) {
    if (call.pointer(0) != 0) return Value(call.pointer(0));
    return fixed_text(call, Library::kStaticDomain, "messages");
}

constexpr std::array kRows{
    Row{"newlocale", "p(i,s,p)", newlocale_},
    Row{"duplocale", "p(p)", duplocale_},
    Row{"freelocale", "v(p)", freelocale_},
    Row{"uselocale", "p(p)", uselocale_},
    Row{"wcswidth", "i(p,L)", wcswidth_},
    Row{"wcslen", "L(p)", wcslen_},
    Row{"mbrtowc", "L(p,p,L,p)", mbrtowc_},
    Row{"mbrlen", "L(p,L,p)", mbrlen_},
    Row{"mbtowc", "i(p,p,L)", mbtowc_},
    Row{"mblen", "i(p,L)", mblen_},
    Row{"mbsinit", "i(p)", mbsinit_},
    Row{"wcrtomb", "L(p,i,p)", from_wide},
    Row{"wctomb", "i(p,i)", wctomb_},
    Row{"mbstowcs", "L(p,p,L)", mbstowcs_},
    Row{"wcstombs", "L(p,p,L)", wcstombs_},
    Row{"__ctype_get_mb_cur_max", "L()", mb_cur_max},
    Row{"setlocale", "p(i,s)", setlocale_},
    Row{"nl_langinfo", "p(i)", nl_langinfo_},
    Row{"localeconv", "p()", localeconv_},
    Row{"gettext", "p(s)", echo<0>},
    Row{"dgettext", "p(s,s)", echo<1>},
    Row{"dcgettext", "p(s,s,i)", echo<1>},
    Row{"ngettext", "p(s,s,L)", plural<0>},
    Row{"dngettext", "p(s,s,s,L)", plural<1>},
    Row{"dcngettext", "p(s,s,s,L,i)", plural<1>},
    Row{"textdomain", "p(s)", textdomain_},
    Row{"bindtextdomain", "p(s,s)", echo<1>},
    Row{"bind_textdomain_codeset", "p(s,s)", echo<1>},
};

}  // namespace

std::span<const Row> character_rows() { return kRows; }

}  // namespace e2k::guest::libc
