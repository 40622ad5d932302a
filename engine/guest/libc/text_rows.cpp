// <string.h> and <strings.h>: searching, comparing and copying of texts. The hot ones are guest
// code (stubs/strings.s).
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {
namespace {

/// What is shorter than this is compared and searched in pieces.
constexpr std::uint64_t kBlock = 256;

Outcome<Value> as_value(const Outcome<void>& done, std::uint64_t value) {
    if (!done) return tl::unexpected(done.error());
    return Value(value);
}

int lower(int c) { return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c; }

// --- comparing ---

/// The first bytes that differ decide; `texts`: a null byte ends both.
template <class Fold>
Outcome<Value> compare(LibraryCall& call, std::uint64_t limit, bool texts, Fold fold) {
    const std::uint64_t a = call.pointer(0), b = call.pointer(1);
    std::array<unsigned char, kBlock> left, right;
    for (std::uint64_t done = 0; done < limit;) {
        const auto in_page = [](std::uint64_t at) {
            return cpu::kPageSize - (at & (cpu::kPageSize - 1));
        };
        const std::uint64_t part =
            std::min({limit - done, kBlock, in_page(a + done), in_page(b + done)});
        if (auto got = call.memory.read(a + done, left.data(), part); !got)
            return tl::unexpected(got.error());
        if (auto got = call.memory.read(b + done, right.data(), part); !got)
            return tl::unexpected(got.error());
        for (std::uint64_t i = 0; i < part; ++i) {
            const int difference = fold(left[i]) - fold(right[i]);
            if (difference != 0) return Value(difference);
            if (texts && left[i] == 0) return Value(0);
        }
        done += part;
    }
    return Value(0);
}

int same(int c) { return c; }

Outcome<Value> strncmp_(LibraryCall& call) { return compare(call, call.size(2), true, same); }
Outcome<Value> strcoll_(LibraryCall& call) { return compare(call, ~0ull, true, same); }
Outcome<Value> bcmp_(LibraryCall& call) { return compare(call, call.size(2), false, same); }
Outcome<Value> strcasecmp_(LibraryCall& call) { return compare(call, ~0ull, true, lower); }
Outcome<Value> strncasecmp_(LibraryCall& call) { return compare(call, call.size(2), true, lower); }

// --- searching ---

/// Position of the first (or last) byte `c` of [address, address + limit); `text`: up to a null
/// byte, which counts.
struct Found {
    bool found = false;
    std::uint64_t at = 0;
    std::uint64_t end = 0;  ///< of the text
};
Outcome<Found> find_byte(const LibraryCall& call, std::uint64_t address, std::uint64_t limit, int c,
                         bool text, bool last) {
    Found result;
    std::array<unsigned char, kBlock> block;
    for (std::uint64_t done = 0; done < limit;) {
        const std::uint64_t at = address + done;
        const std::uint64_t part =
            std::min({limit - done, kBlock, cpu::kPageSize - (at & (cpu::kPageSize - 1))});
        if (auto got = call.memory.read(at, block.data(), part); !got)
            return tl::unexpected(got.error());
        for (std::uint64_t i = 0; i < part; ++i) {
            if (block[i] == static_cast<unsigned char>(c)) {
                result.found = true;
                result.at = at + i;
                if (!last) return result;
            }
            if (text && block[i] == 0) {
                result.end = at + i;
                return result;
            }
        }
        done += part;
    }
    return result;
}

Outcome<Value> found_or_null(const Outcome<Found>& found) {
    return found.map([](const Found& f) { return Value(f.found ? f.at : 0); });
}

Outcome<Value> memchr_(LibraryCall& call) {
    return found_or_null(
        find_byte(call, call.pointer(0), call.size(2), call.integer(1), false, false));
}
Outcome<Value> rawmemchr_(LibraryCall& call) {
    return found_or_null(find_byte(call, call.pointer(0), ~0ull, call.integer(1), false, false));
}
Outcome<Value> memrchr_(LibraryCall& call) {
    const std::uint64_t begin = call.pointer(0);
    std::array<unsigned char, kBlock> block;
    for (std::uint64_t left = call.size(2); left != 0;) {
        const std::uint64_t part = std::min(left, kBlock);
        if (auto got = call.memory.read(begin + left - part, block.data(), part); !got)
            return tl::unexpected(got.error());
        for (std::uint64_t i = part; i-- > 0;)
            if (block[i] == static_cast<unsigned char>(call.integer(1)))
                return Value(begin + left - part + i);
        left -= part;
    }
    return Value(0);
}
Outcome<Value> strrchr_(LibraryCall& call) {
    return found_or_null(find_byte(call, call.pointer(0), ~0ull, call.integer(1), true, true));
}
Outcome<Value> strchrnul_(LibraryCall& call) {
    return find_byte(call, call.pointer(0), ~0ull, call.integer(1), true, false)
        .map([](const Found& f) { return Value(f.found ? f.at : f.end); });
}
Outcome<Value> strnlen_(LibraryCall& call) {
    return call.memory.length(call.pointer(0), call.size(1)).map([](std::uint64_t n) {
        return Value(n);
    });
}

/// The two texts of a search, in host memory.
struct Texts {
    std::string text, other;
};
Outcome<Texts> two_texts(const LibraryCall& call) {
    auto text = call.text(0), other = call.text(1);
    if (!text) return tl::unexpected(text.error());
    if (!other) return tl::unexpected(other.error());
    return Texts{std::move(*text), std::move(*other)};
}

template <const char* (*Find)(const char*, const char*)>
Outcome<Value> find_text(LibraryCall& call) {
    return two_texts(call).map([&](const Texts& t) {
        const char* const at = Find(t.text.c_str(), t.other.c_str());
        return at ? Value(call.pointer(0) + static_cast<std::uint64_t>(at - t.text.c_str()))
                  : Value(0);
    });
}
const char* find_strstr(const char* text, const char* other) { return std::strstr(text, other); }
const char* find_strpbrk(const char* text, const char* other) { return std::strpbrk(text, other); }
const char* find_strcasestr(const char* text, const char* other) {
    const std::size_t size = std::strlen(other);
    for (;; ++text) {
        std::size_t same = 0;
        while (same < size && lower(text[same]) == lower(other[same])) ++same;
        if (same == size) return text;
        if (*text == 0) return nullptr;
    }
}

template <std::size_t (*Span)(const char*, const char*)>
Outcome<Value> span_text(LibraryCall& call) {
    return two_texts(call).map(
        [](const Texts& t) { return Value(Span(t.text.c_str(), t.other.c_str())); });
}

Outcome<Value> memmem_(LibraryCall& call) {
    constexpr std::uint64_t kLargest = 64u << 20;
    const std::uint64_t size = call.size(1), wanted_size = call.size(3);
    if (wanted_size == 0) return Value(call.pointer(0));
    if (wanted_size > size) return Value(0);
    if (size > kLargest) return error(ENOMEM);
    std::string all(size, '\0'), wanted(wanted_size, '\0');
    if (auto got = call.memory.read(call.pointer(0), all.data(), size); !got)
        return tl::unexpected(got.error());
    if (auto got = call.memory.read(call.pointer(2), wanted.data(), wanted_size); !got)
        return tl::unexpected(got.error());
    const std::size_t at = all.find(wanted);
    return Value(at == std::string::npos ? 0 : call.pointer(0) + at);
}

// --- copying ---

Outcome<Value> mempcpy_(LibraryCall& call) {
    return as_value(call.memory.move(call.pointer(0), call.pointer(1), call.size(2)),
                    call.pointer(0) + call.size(2));
}
Outcome<Value> bcopy_(LibraryCall& call) {
    return as_value(call.memory.move(call.pointer(1), call.pointer(0), call.size(2)), 0);
}
Outcome<Value> bzero_(LibraryCall& call) {
    return as_value(call.memory.fill(call.pointer(0), 0, call.size(1)), 0);
}

/// Copies a text of at most `limit` bytes; `padded`: zeros up to the limit, and no null byte if the
/// text is as long. The address behind the text.
Outcome<std::uint64_t> copy_text(const LibraryCall& call, std::uint64_t to, std::uint64_t from,
                                 std::uint64_t limit, bool padded) {
    const auto size = call.memory.length(from, limit);
    if (!size) return size;
    if (auto done = call.memory.move(to, from, *size); !done) return tl::unexpected(done.error());
    const std::uint64_t zeros = padded ? limit - *size : 1;
    if (auto done = call.memory.fill(to + *size, 0, zeros); !done)
        return tl::unexpected(done.error());
    return to + *size;
}

Outcome<Value> stpcpy_(LibraryCall& call) {
    return copy_text(call, call.pointer(0), call.pointer(1), ~0ull, false)
        .map([](std::uint64_t end) { return Value(end); });
}
Outcome<Value> strncpy_(LibraryCall& call) {
    return copy_text(call, call.pointer(0), call.pointer(1), call.size(2), true)
        .map([&](std::uint64_t) { return Value(call.pointer(0)); });
}
Outcome<Value> stpncpy_(LibraryCall& call) {
    return copy_text(call, call.pointer(0), call.pointer(1), call.size(2), true)
        .map([](std::uint64_t end) { return Value(end); });
}
Outcome<Value> append(LibraryCall& call, std::uint64_t limit) {
    const auto before = call.memory.length(call.pointer(0));
    if (!before) return tl::unexpected(before.error());
    return copy_text(call, call.pointer(0) + *before, call.pointer(1), limit, false)
        .map([&](std::uint64_t) { return Value(call.pointer(0)); });
}
Outcome<Value> strcat_(LibraryCall& call) { return append(call, ~0ull); }
Outcome<Value> strncat_(LibraryCall& call) { return append(call, call.size(2)); }

Outcome<Value> strndup_(LibraryCall& call) {
    const auto size = call.memory.length(call.pointer(0), call.size(1));
    if (!size) return tl::unexpected(size.error());
    const auto copy = call.library.heap.allocate(*size + 1);
    if (!copy) return tl::unexpected(copy.error());
    return copy_text(call, *copy, call.pointer(0), *size, false).map([&](std::uint64_t) {
        return Value(*copy);
    });
}

/// strxfrm of the C locale copies.
Outcome<Value> strxfrm_(LibraryCall& call) {
    const auto size = call.memory.length(call.pointer(1));
    if (!size) return tl::unexpected(size.error());
    if (const std::uint64_t room = call.size(2); room != 0) {
        const std::uint64_t part = std::min(*size + 1, room);
        if (auto done = call.memory.move(call.pointer(0), call.pointer(1), part); !done)
            return tl::unexpected(done.error());
    }
    return Value(*size);
}

// --- cutting ---

/// Cuts the next piece off the text whose rest is at `rest`, whose address is kept at `keep`.
/// `runs`: several separators count as one (strtok).
Outcome<Value> cut(LibraryCall& call, std::uint64_t rest, std::uint64_t separators,
                   std::uint64_t keep, bool runs) {
    if (rest == 0) return Value(0);
    const auto text = call.memory.text(rest), set = call.memory.text(separators);
    if (!text) return tl::unexpected(text.error());
    if (!set) return tl::unexpected(set.error());
    const std::size_t begin = runs ? std::strspn(text->c_str(), set->c_str()) : 0;
    if (runs && begin == text->size()) return as_value(call.memory.store(keep, rest + begin), 0);
    const std::size_t end = begin + std::strcspn(text->c_str() + begin, set->c_str());
    const bool last = end == text->size();
    if (!last)
        if (auto done = call.memory.store(rest + end, '\0'); !done)
            return tl::unexpected(done.error());
    const std::uint64_t next = last ? (runs ? rest + end : 0) : rest + end + 1;
    return as_value(call.memory.store(keep, next), rest + begin);
}

Outcome<Value> cut_again(LibraryCall& call, std::uint64_t keep) {
    std::uint64_t rest = call.pointer(0);
    if (rest == 0) {
        const auto kept = call.memory.load<std::uint64_t>(keep);
        if (!kept) return tl::unexpected(kept.error());
        rest = *kept;
    }
    return cut(call, rest, call.pointer(1), keep, true);
}
Outcome<Value> strtok_(LibraryCall& call) {
    return cut_again(call, call.library.statics + Library::kStaticToken);
}
Outcome<Value> strtok_r_(LibraryCall& call) { return cut_again(call, call.pointer(2)); }
Outcome<Value> strsep_(LibraryCall& call) {
    const auto rest = call.memory.load<std::uint64_t>(call.pointer(0));
    if (!rest) return tl::unexpected(rest.error());
    return cut(call, *rest, call.pointer(1), call.pointer(0), false);
}

/// basename of <string.h>: what is behind the last '/'.
Outcome<Value> basename_(LibraryCall& call) {
    return find_byte(call, call.pointer(0), ~0ull, '/', true, true).map([&](const Found& f) {
        return Value(f.found ? f.at + 1 : call.pointer(0));
    });
}

constexpr std::array kRows{
    Row{"strncmp", "i(s,s,L)", strncmp_},
    Row{"strcoll", "i(s,s)", strcoll_},
    Row{"bcmp", "i(p,p,L)", bcmp_},
    Row{"strcasecmp", "i(s,s)", strcasecmp_},
    Row{"strncasecmp", "i(s,s,L)", strncasecmp_},
    Row{"memchr", "p(p,i,L)", memchr_},
    Row{"rawmemchr", "p(p,i)", rawmemchr_},
    Row{"memrchr", "p(p,i,L)", memrchr_},
    Row{"strrchr", "p(s,i)", strrchr_},
    Row{"rindex", "p(s,i)", strrchr_},
    Row{"strchrnul", "p(s,i)", strchrnul_},
    Row{"strnlen", "L(s,L)", strnlen_},
    Row{"strstr", "p(s,s)", find_text<find_strstr>},
    Row{"strcasestr", "p(s,s)", find_text<find_strcasestr>},
    Row{"strpbrk", "p(s,s)", find_text<find_strpbrk>},
    Row{"strspn", "L(s,s)", span_text<std::strspn>},
    Row{"strcspn", "L(s,s)", span_text<std::strcspn>},
    Row{"memmem", "p(p,L,p,L)", memmem_},
    Row{"mempcpy", "p(p,p,L)", mempcpy_},
    Row{"bcopy", "v(p,p,L)", bcopy_},
    Row{"bzero", "v(p,L)", bzero_},
    Row{"explicit_bzero", "v(p,L)", bzero_},
    Row{"__explicit_bzero_chk", "v(p,L,L)", bzero_},
    Row{"stpcpy", "p(p,s)", stpcpy_},
    Row{"strncpy", "p(p,s,L)", strncpy_},
    Row{"stpncpy", "p(p,s,L)", stpncpy_},
    Row{"strcat", "p(s,s)", strcat_},
    Row{"strncat", "p(s,s,L)", strncat_},
    Row{"strndup", "p(s,L)", strndup_},
    Row{"strxfrm", "L(p,s,L)", strxfrm_},
    Row{"strtok", "p(p,s)", strtok_},
    Row{"strtok_r", "p(p,s,p)", strtok_r_},
    Row{"strsep", "p(p,s)", strsep_},
    Row{"basename", "p(s)", basename_},
};

}  // namespace

std::span<const Row> text_rows() { return kRows; }

}  // namespace e2k::guest::libc
