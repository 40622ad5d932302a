// <wchar.h>: texts of 32-bit characters.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cwchar>
#include <optional>
#include <string>

#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {
namespace {

using Wide = std::basic_string<wchar_t>;
static_assert(sizeof(wchar_t) == 4);
constexpr std::uint64_t kUnlimited = ~0ull, kCharacter = sizeof(wchar_t);
constexpr std::uint64_t kMostCharacters = 4u << 20;  ///< that the workbench keeps of one text

/// Up to the null character, which is not in it, or `limit` characters.
Outcome<Wide> text_at(const LibraryCall& call, std::uint64_t at, std::uint64_t limit = kUnlimited) {
    Wide text;
    for (std::uint64_t n = 0; n < limit; ++n) {
        const auto c = call.memory.load<wchar_t>(at + kCharacter * n);
        if (!c) return tl::unexpected(c.error());
        if (*c == 0) break;
        if (n >= kMostCharacters) return error(E2BIG);
        text += *c;
    }
    return text;
}
/// Writes `text` and `zeros` null characters at `at`; the result is `result`.
Outcome<Value> put(const LibraryCall& call, std::uint64_t at, Wide text, std::uint64_t zeros,
                   std::uint64_t result) {
    text.append(zeros, L'\0');
    return call.memory.write(at, text.data(), text.size() * kCharacter).map([&] {
        return Value(result);
    });
}

// --- comparing, searching ---

int order(const Wide& a, const Wide& b) {
    const auto [left, right] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    const wchar_t l = left == a.end() ? L'\0' : *left, r = right == b.end() ? L'\0' : *right;
    return l < r ? -1 : l > r ? 1 : 0;
}
/// Character by character: what lies behind a difference may not be there.
Outcome<Value> compare(const LibraryCall& call, std::uint64_t limit, bool stops_at_null) {
    for (std::uint64_t n = 0; n < limit; ++n) {
        const auto a = call.memory.load<wchar_t>(call.pointer(0) + kCharacter * n);
        if (!a) return tl::unexpected(a.error());
        const auto b = call.memory.load<wchar_t>(call.pointer(1) + kCharacter * n);
        if (!b) return tl::unexpected(b.error());
        if (*a != *b) return Value(*a < *b ? -1 : 1);
        if (stops_at_null && *a == 0) break;
    }
    return Value(0);
}
Outcome<Value> wcscmp_(LibraryCall& call) { return compare(call, kUnlimited, true); }
Outcome<Value> wcsncmp_(LibraryCall& call) { return compare(call, call.size(2), true); }
Outcome<Value> wmemcmp_(LibraryCall& call) { return compare(call, call.size(2), false); }

Outcome<Value> find(const LibraryCall& call, std::uint64_t limit, bool stops_at_null) {
    const auto wanted = static_cast<wchar_t>(call.integer(1));
    for (std::uint64_t n = 0; n < limit; ++n) {
        const std::uint64_t at = call.pointer(0) + kCharacter * n;
        const auto c = call.memory.load<wchar_t>(at);
        if (!c) return tl::unexpected(c.error());
        if (*c == wanted) return Value(at);
        if (stops_at_null && *c == 0) break;
    }
    return Value(0);
}
Outcome<Value> wcschr_(LibraryCall& call) { return find(call, kUnlimited, true); }
Outcome<Value> wmemchr_(LibraryCall& call) { return find(call, call.size(2), false); }
/// A place in the text that `where(text)` finds, or nothing.
template <class F>
Outcome<Value> place_in_text(const LibraryCall& call, F&& where) {
    const auto text = text_at(call, call.pointer(0));
    if (!text) return tl::unexpected(text.error());
    const std::size_t at = where(*text);
    return Value(at == Wide::npos ? 0 : call.pointer(0) + kCharacter * at);
}
Outcome<Value> wcsrchr_(LibraryCall& call) {
    const auto wanted = static_cast<wchar_t>(call.integer(1));
    return place_in_text(
        call, [&](const Wide& text) { return wanted == 0 ? text.size() : text.rfind(wanted); });
}
Outcome<Value> wcsstr_(LibraryCall& call) {
    const auto part = text_at(call, call.pointer(1));
    if (!part) return tl::unexpected(part.error());
    return place_in_text(call, [&](const Wide& text) { return text.find(*part); });
}
Outcome<Value> wcspbrk_(LibraryCall& call) {
    const auto set = text_at(call, call.pointer(1));
    if (!set) return tl::unexpected(set.error());
    return place_in_text(call, [&](const Wide& text) { return text.find_first_of(*set); });
}
template <bool In>
Outcome<Value> span(LibraryCall& call) {
    const auto text = text_at(call, call.pointer(0));
    if (!text) return tl::unexpected(text.error());
    const auto set = text_at(call, call.pointer(1));
    if (!set) return tl::unexpected(set.error());
    const std::size_t at = In ? text->find_first_not_of(*set) : text->find_first_of(*set);
    return Value(std::min(at, text->size()));
}
Outcome<Value> wcsnlen_(LibraryCall& call) {
    return text_at(call, call.pointer(0), call.size(1)).map([](const Wide& text) {
        return Value(text.size());
    });
}
Outcome<Value> wcscasecmp_(LibraryCall& call) {
    auto a = text_at(call, call.pointer(0)), b = text_at(call, call.pointer(1));
    if (!a) return tl::unexpected(a.error());
    if (!b) return tl::unexpected(b.error());
    for (Wide* text : {&*a, &*b})
        for (wchar_t& c : *text)
            if (c >= L'A' && c <= L'Z') c += L'a' - L'A';
    return Value(order(*a, *b));
}

// --- copying ---

Outcome<Value> wcscpy_(LibraryCall& call) {
    auto text = text_at(call, call.pointer(1));
    if (!text) return tl::unexpected(text.error());
    return put(call, call.pointer(0), std::move(*text), 1, call.pointer(0));
}
Outcome<Value> wcpcpy_(LibraryCall& call) {
    auto text = text_at(call, call.pointer(1));
    if (!text) return tl::unexpected(text.error());
    const std::uint64_t end = call.pointer(0) + kCharacter * text->size();
    return put(call, call.pointer(0), std::move(*text), 1, end);
}
/// The rest of the room becomes zeros, piece by piece.
Outcome<Value> wcsncpy_(LibraryCall& call) {
    auto text = text_at(call, call.pointer(1), call.size(2));
    if (!text) return tl::unexpected(text.error());
    const std::uint64_t used = text->size();
    auto done = put(call, call.pointer(0), std::move(*text), 0, call.pointer(0));
    if (!done) return done;
    if (call.size(2) > kUnlimited / kCharacter) return fault(call.pointer(0), true);
    const std::uint64_t end = call.pointer(0) + kCharacter * used;
    return call.memory.fill(end, 0, kCharacter * (call.size(2) - used)).map([&] {
        return Value(call.pointer(0));
    });
}
Outcome<Value> append(const LibraryCall& call, std::uint64_t limit) {
    const auto text = text_at(call, call.pointer(0));
    if (!text) return tl::unexpected(text.error());
    auto more = text_at(call, call.pointer(1), limit);
    if (!more) return tl::unexpected(more.error());
    return put(call, call.pointer(0) + kCharacter * text->size(), std::move(*more), 1,
               call.pointer(0));
}
Outcome<Value> wcscat_(LibraryCall& call) { return append(call, kUnlimited); }
Outcome<Value> wcsncat_(LibraryCall& call) { return append(call, call.size(2)); }
Outcome<Value> wcsdup_(LibraryCall& call) {
    auto text = text_at(call, call.pointer(0));
    if (!text) return tl::unexpected(text.error());
    const auto at = call.library.heap.allocate(kCharacter * (text->size() + 1));
    if (!at) return tl::unexpected(at.error());
    return put(call, *at, std::move(*text), 1, *at);
}
Outcome<std::uint64_t> bytes_of(const LibraryCall& call) {
    if (call.size(2) > kUnlimited / kCharacter) return fault(call.pointer(0), true);
    return call.size(2) * kCharacter;
}
Outcome<Value> wmemmove_(LibraryCall& call) {
    const auto bytes = bytes_of(call);
    if (!bytes) return tl::unexpected(bytes.error());
    return call.memory.move(call.pointer(0), call.pointer(1), *bytes).map([&] {
        return Value(call.pointer(0));
    });
}
Outcome<Value> wmempcpy_(LibraryCall& call) {
    return wmemmove_(call).map(
        [&](const Value& to) { return Value(to.low + kCharacter * call.size(2)); });
}
Outcome<Value> wmemset_(LibraryCall& call) {
    const auto c = static_cast<wchar_t>(call.integer(1));
    constexpr std::uint64_t kPiece = 4096;
    const Wide piece(std::min(kPiece, call.size(2)), c);
    for (std::uint64_t done = 0; done < call.size(2); done += kPiece) {
        const std::uint64_t part = std::min(kPiece, call.size(2) - done);
        if (auto wrote = call.memory.write(call.pointer(0) + kCharacter * done, piece.data(),
                                           part * kCharacter);
            !wrote)
            return tl::unexpected(wrote.error());
    }
    return Value(call.pointer(0));
}

// --- numbers ---

/// The number that `read(text, end)` finds, with the end stored where argument 1 says.
template <class F>
Outcome<Value> number(LibraryCall& call, F&& read) {
    const auto text = text_at(call, call.pointer(0));
    if (!text) return tl::unexpected(text.error());
    wchar_t* end = nullptr;
    errno = 0;
    const Value value = read(text->c_str(), &end);
    const int problem = errno;
    const auto used = static_cast<std::uint64_t>(end - text->c_str());
    if (call.pointer(1) != 0)
        if (auto done = call.memory.store(call.pointer(1), call.pointer(0) + kCharacter * used);
            !done)
            return tl::unexpected(done.error());
    if (problem != 0) call.set_errno(problem);
    return value;
}
Outcome<Value> wcstol_(LibraryCall& call) {
    return number(call, [&](const wchar_t* text, wchar_t** end) {
        return Value(std::wcstol(text, end, call.integer(2)));
    });
}
Outcome<Value> wcstoul_(LibraryCall& call) {
    return number(call, [&](const wchar_t* text, wchar_t** end) {
        return Value(std::wcstoul(text, end, call.integer(2)));
    });
}
Outcome<Value> wcstod_(LibraryCall& call) {
    return number(call,
                  [](const wchar_t* text, wchar_t** end) { return Value(std::wcstod(text, end)); });
}

constexpr std::array kRows{
    Row{"wcscmp", "i(p,p)", wcscmp_},         Row{"wcsncmp", "i(p,p,L)", wcsncmp_},
    Row{"wcscasecmp", "i(p,p)", wcscasecmp_}, Row{"wcscoll", "i(p,p)", wcscmp_},
    Row{"wmemcmp", "i(p,p,L)", wmemcmp_},     Row{"wcschr", "p(p,i)", wcschr_},
    Row{"wcsrchr", "p(p,i)", wcsrchr_},       Row{"wmemchr", "p(p,i,L)", wmemchr_},
    Row{"wcsstr", "p(p,p)", wcsstr_},         Row{"wcspbrk", "p(p,p)", wcspbrk_},
    Row{"wcsspn", "L(p,p)", span<true>},      Row{"wcscspn", "L(p,p)", span<false>},
    Row{"wcsnlen", "L(p,L)", wcsnlen_},       Row{"wcscpy", "p(p,p)", wcscpy_},
    Row{"wcpcpy", "p(p,p)", wcpcpy_},         Row{"wcsncpy", "p(p,p,L)", wcsncpy_},
    Row{"wcscat", "p(p,p)", wcscat_},         Row{"wcsncat", "p(p,p,L)", wcsncat_},
    Row{"wcsdup", "p(p)", wcsdup_},           Row{"wmemcpy", "p(p,p,L)", wmemmove_},
    Row{"wmemmove", "p(p,p,L)", wmemmove_},   Row{"wmempcpy", "p(p,p,L)", wmempcpy_},
    Row{"wmemset", "p(p,i,L)", wmemset_},     Row{"wcstol", "l(p,p,i)", wcstol_},
    Row{"wcstoll", "l(p,p,i)", wcstol_},      Row{"wcstoul", "L(p,p,i)", wcstoul_},
    Row{"wcstoull", "L(p,p,i)", wcstoul_},    Row{"wcstod", "d(p,p)", wcstod_},
};

}  // namespace

std::span<const Row> wide_rows() { return kRows; }

}  // namespace e2k::guest::libc
