// <iconv.h>: the host's conversions, on copies.
#include <array>
#include <cerrno>

#include "engine/guest/libc/host_objects.h"
#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {
namespace {

constexpr std::size_t kPart = 1u << 15;

Outcome<Value> iconv_open_(LibraryCall& call) {
    const auto to = call.text(0, 256), from = call.text(1, 256);
    for (const auto* const name : {&to, &from})
        if (!*name)
            return name->error().kind == Trouble::Kind::Error ? error(EINVAL)
                                                              : tl::unexpected(name->error());
    // A '/' names a file for the host's modules, but for the marks behind a name.
    for (const auto* const name : {&to, &from}) {
        const std::size_t slash = (*name)->find('/');
        if (slash != std::string::npos && (*name)->compare(slash, 2, "//") != 0)
            return error(EINVAL);
    }
    auto conversion = std::make_shared<HostConversion>();
    conversion->conversion = iconv_open(to->c_str(), from->c_str());
    if (conversion->conversion == reinterpret_cast<iconv_t>(-1)) return error(errno);
    const std::uint64_t number = call.library.objects->conversions.add(std::move(conversion));
    if (number == 0) return error(EMFILE);
    return Value(number);
}
Outcome<Value> iconv_close_(LibraryCall& call) {
    if (!call.library.objects->conversions.remove(call.word(0))) return error(EBADF);
    return Value(0);
}

/// A pointer into guest memory and the bytes from there on, both kept in guest memory.
struct Cursor {
    std::uint64_t place = 0, count_place = 0;  ///< where they are kept
    std::uint64_t at = 0, left = 0;

    static Outcome<Cursor> read(const LibraryCall& call, unsigned first) {
        Cursor cursor{call.pointer(first), call.pointer(first + 1), 0, 0};
        if (cursor.place == 0) return cursor;
        const auto at = call.memory.load<std::uint64_t>(cursor.place);
        if (!at) return tl::unexpected(at.error());
        cursor.at = *at;
        if (*at == 0) return cursor;
        const auto left = call.memory.load<std::uint64_t>(cursor.count_place);
        if (!left) return tl::unexpected(left.error());
        cursor.left = *left;
        return cursor;
    }
    void advance(std::size_t bytes) {
        at += bytes;
        left -= bytes;
    }
    Outcome<void> write(const LibraryCall& call) const {
        if (place == 0 || at == 0) return {};
        if (auto done = call.memory.store(place, at); !done) return done;
        return call.memory.store(count_place, left);
    }
};

/// One call of the host's function: what it has taken and made has been moved on.
struct Step {
    std::size_t result = 0;
    int error = 0;
    std::size_t taken = 0, made = 0;
};
Outcome<Step> convert_part(const LibraryCall& call, HostConversion& conversion, Cursor& in,
                           Cursor& out) {
    std::array<char, kPart> input{}, output;
    const std::size_t size = std::min<std::uint64_t>(in.left, kPart);
    if (auto got = call.memory.read(in.at, input.data(), size); !got)
        return tl::unexpected(got.error());
    char *from = input.data(), *to = output.data();
    std::size_t from_left = size;
    std::size_t to_left = std::min<std::uint64_t>(out.left, kPart);
    Step step;
    errno = 0;
    step.result = in.at == 0 ? iconv(conversion.conversion, nullptr, nullptr,
                                     out.at ? &to : nullptr, out.at ? &to_left : nullptr)
                             : iconv(conversion.conversion, &from, &from_left, &to, &to_left);
    step.error = step.result == ~std::size_t{0} ? errno : 0;
    step.taken = size - from_left;
    step.made = static_cast<std::size_t>(to - output.data());
    if (auto done = call.memory.write(out.at, output.data(), step.made); !done)
        return tl::unexpected(done.error());
    in.advance(step.taken);
    out.advance(step.made);
    return step;
}

/// iconv(number, &in, &in_left, &out, &out_left)
Outcome<Value> iconv_(LibraryCall& call) {
    const auto conversion = call.library.objects->conversions.find(call.word(0));
    if (!conversion) return error(EBADF);
    auto in = Cursor::read(call, 1), out = Cursor::read(call, 3);
    if (!in) return tl::unexpected(in.error());
    if (!out) return tl::unexpected(out.error());
    const std::lock_guard lock(conversion->mutex);
    std::size_t irreversible = 0;
    int failed = 0;
    do {
        const auto step = convert_part(call, *conversion, *in, *out);
        if (!step) return tl::unexpected(step.error());
        failed = step->error;
        if (failed == 0) irreversible += step->result;
        // The end of a part may stand in the middle of a character or of the room.
        const bool goes_on = (failed == EINVAL && in->left > 0 && step->taken > 0) ||
                             (failed == E2BIG && out->left > 0 && step->made > 0);
        if (failed != 0 && !goes_on) break;
        if (in->left == 0) break;
    } while (true);
    for (const Cursor* const cursor : {&*in, &*out})
        if (auto done = cursor->write(call); !done) return tl::unexpected(done.error());
    if (failed != 0) return error(failed);
    return Value(irreversible);
}

constexpr std::array kRows{
    Row{"iconv_open", "l(s,s)", iconv_open_},
    Row{"iconv", "L(l,p,p,p,p)", iconv_},
    Row{"iconv_close", "i(l)", iconv_close_},
};

}  // namespace

std::span<const Row> convert_rows() { return kRows; }

}  // namespace e2k::guest::libc
