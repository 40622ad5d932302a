// Parts of paths, what they lead to, names of terminals.
#include <algorithm>
#include <array>
#include <cerrno>

#include "engine/guest/libc/guest_text.h"

namespace e2k::guest::libc {
namespace {

constexpr std::uint32_t kIoctl = 54, kReadlink = 85, kGetcwd = 183;

/// dirname and basename of POSIX, which cut the text they are given.
Outcome<Value> dot(LibraryCall& call) {
    const std::uint64_t at = call.library.statics + Library::kStaticDot;
    return call.memory.store_text(at, ".").map([&] { return Value(at); });
}
Outcome<Value> dirname_(LibraryCall& call) {
    if (call.pointer(0) == 0) return dot(call);
    const auto path = call.text(0);
    if (!path) return tl::unexpected(path.error());
    std::size_t end = path->find_last_not_of('/');
    if (end != std::string::npos) {
        end = path->find_last_of('/', end);
        if (end == std::string::npos) return dot(call);
        end = path->find_last_not_of('/', end);
    }
    if (path->empty()) return dot(call);
    // Two slashes at the beginning, and no more, are not one.
    const std::size_t slashes = path->find_first_not_of('/') == 2 || *path == "//" ? 2 : 1;
    const std::size_t length = end == std::string::npos ? slashes : end + 1;
    return call.memory.store(call.pointer(0) + length, '\0').map([&] {
        return Value(call.pointer(0));
    });
}
Outcome<Value> xpg_basename_(LibraryCall& call) {
    if (call.pointer(0) == 0) return dot(call);
    const auto path = call.text(0);
    if (!path) return tl::unexpected(path.error());
    if (path->empty()) return dot(call);
    const std::size_t last = path->find_last_not_of('/');
    if (last == std::string::npos) return Value(call.pointer(0) + path->size() - 1);
    const std::size_t slash = path->find_last_of('/', last);
    const std::size_t begin = slash == std::string::npos ? 0 : slash + 1;
    if (last + 1 < path->size())
        if (auto done = call.memory.store(call.pointer(0) + last + 1, '\0'); !done)
            return tl::unexpected(done.error());
    return Value(call.pointer(0) + begin);
}

/// realpath, by readlink of one part after the other.
class PathResolver {
public:
    explicit PathResolver(LibraryCall& call) : call_(call) {}

    Outcome<std::string> resolve(const std::string& path) {
        if (path.empty()) return error(ENOENT);
        auto room = GuestBlock::make(call_, 2 * kPathMax);
        if (!room) return tl::unexpected(room.error());
        room_ = room->address();
        rest_ = path;
        if (path.front() != '/') {
            if (auto got = call_.kernel(kGetcwd, room_, kPathMax); !got)
                return tl::unexpected(got.error());
            auto directory = call_.memory.text(room_, kPathMax);
            if (!directory) return directory;
            resolved_ = *directory == "/" ? "" : *directory;
        }
        while (!rest_.empty())
            if (auto done = next_part(); !done) return tl::unexpected(done.error());
        return resolved_.empty() ? "/" : resolved_;
    }

private:
    static constexpr std::uint64_t kPathMax = 4096;
    static constexpr int kMostLinks = 40;

    Outcome<void> next_part() {
        const std::size_t begin = rest_.find_first_not_of('/');
        const std::size_t end = std::min(rest_.find('/', begin), rest_.size());
        if (begin == std::string::npos) {
            rest_.clear();
            return {};
        }
        const std::string part = rest_.substr(begin, end - begin);
        rest_.erase(0, end);
        if (part == ".") return {};
        if (part == "..") {
            resolved_.resize(resolved_.empty() ? 0 : resolved_.find_last_of('/'));
            return {};
        }
        const std::string place = resolved_ + '/' + part;
        const auto target = link_at(place);
        if (target) {
            if (++links_ > kMostLinks) return error(ELOOP);
            if (target->size() + rest_.size() >= kPathMax) return error(ENAMETOOLONG);
            rest_ = *target + rest_;
            if (rest_.front() == '/') resolved_.clear();
            return {};
        }
        if (target.error().kind != Trouble::Kind::Error || target.error().error != EINVAL)
            return tl::unexpected(target.error());
        resolved_ = place;
        if (rest_.empty()) return {};
        // What something follows is a directory.
        const auto inside = link_at(place + '/');
        if (inside || inside.error().error == EINVAL) return {};
        return tl::unexpected(inside.error());
    }
    /// Where a link leads; EINVAL: it is none.
    Outcome<std::string> link_at(const std::string& place) {
        if (place.size() >= kPathMax) return error(ENAMETOOLONG);
        if (auto done = call_.memory.store_text(room_, place); !done)
            return tl::unexpected(done.error());
        const auto size = call_.kernel(kReadlink, room_, room_ + kPathMax, kPathMax);
        if (!size) return tl::unexpected(size.error());
        std::string target(static_cast<std::size_t>(*size), '\0');
        if (auto got = call_.memory.read(room_ + kPathMax, target.data(), target.size()); !got)
            return tl::unexpected(got.error());
        if (target.empty()) return error(ENOENT);
        return target;
    }

    LibraryCall& call_;
    std::uint64_t room_ = 0;
    std::string resolved_, rest_;  ///< resolved_: without a '/' at its end
    int links_ = 0;
};

Outcome<Value> real_path(LibraryCall& call, std::uint64_t to) {
    if (call.pointer(0) == 0) return error(EINVAL);
    const auto path = call.text(0);
    if (!path) return tl::unexpected(path.error());
    const auto resolved = PathResolver(call).resolve(*path);
    if (!resolved) return tl::unexpected(resolved.error());
    if (to == 0) {
        const auto block = call.library.heap.allocate(resolved->size() + 1);
        if (!block) return tl::unexpected(block.error());
        to = *block;
    }
    return call.memory.store_text(to, *resolved).map([&] { return Value(to); });
}
Outcome<Value> realpath_(LibraryCall& call) { return real_path(call, call.pointer(1)); }
/// GLIBC_2.2 has no room of its own.
Outcome<Value> old_realpath_(LibraryCall& call) {
    if (call.pointer(1) == 0) return error(EINVAL);
    return realpath_(call);
}
Outcome<Value> realpath_chk(LibraryCall& call) {
    constexpr std::uint64_t kPathMax = 4096;
    if (call.size(2) < kPathMax) return abort_with("*** buffer overflow detected ***");
    return realpath_(call);
}
Outcome<Value> canonicalize_file_name_(LibraryCall& call) { return real_path(call, 0); }

/// The name of a terminal; an error number where there is none.
Outcome<std::string> terminal_name(LibraryCall& call) {
    constexpr std::uint64_t kTcgets = 0x5401, kRoom = 4096;
    const auto room = GuestBlock::make(call, kRoom);
    if (!room) return tl::unexpected(room.error());
    if (auto is = call.kernel(kIoctl, call.word(0), kTcgets, room->address()); !is)
        return is.error().error == EBADF ? error(EBADF) : error(ENOTTY);
    if (auto done = call.memory.store_text(room->address(),
                                           "/proc/self/fd/" + std::to_string(call.integer(0)));
        !done)
        return tl::unexpected(done.error());
    const auto size = call.kernel(kReadlink, room->address(), room->address() + 64, kRoom - 64);
    if (!size) return tl::unexpected(size.error());
    std::string name(static_cast<std::size_t>(*size), '\0');
    if (auto got = call.memory.read(room->address() + 64, name.data(), name.size()); !got)
        return tl::unexpected(got.error());
    if (!name.starts_with("/dev/")) return error(ENODEV);
    return name;
}
Outcome<Value> ttyname_(LibraryCall& call) {
    const auto name = terminal_name(call);
    if (!name) return tl::unexpected(name.error());
    const std::uint64_t at = call.library.statics + Library::kStaticMessage;
    return call.memory.store_text(at, name->substr(0, 127)).map([&] { return Value(at); });
}
/// ttyname_r returns the error.
Outcome<Value> ttyname_r_(LibraryCall& call) {
    const auto name = terminal_name(call);
    if (!name && name.error().kind == Trouble::Kind::Error) return Value(name.error().error);
    if (!name) return tl::unexpected(name.error());
    if (name->size() >= call.size(2)) return Value(ERANGE);
    return call.memory.store_text(call.pointer(1), *name).map([] { return Value(0); });
}

constexpr std::array kRows{
    Row{"dirname", "p(s)", dirname_},
    Row{"__xpg_basename", "p(s)", xpg_basename_},
    Row{"realpath", "p(s,p)", realpath_},
    Row{"realpath@GLIBC_2.2", "p(s,p)", old_realpath_},
    Row{"__realpath_chk", "p(s,p,L)", realpath_chk},
    Row{"canonicalize_file_name", "p(s)", canonicalize_file_name_},
    Row{"ttyname", "p(i)", ttyname_},
    Row{"ttyname_r", "i(i,p,L)", ttyname_r_},
};

}  // namespace

std::span<const Row> path_rows() { return kRows; }

}  // namespace e2k::guest::libc
