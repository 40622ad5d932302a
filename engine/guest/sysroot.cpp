#include "engine/guest/sysroot.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

#include "engine/guest/address_space.h"
#include "engine/guest/program_file.h"

namespace e2k::guest {
namespace {

struct Descriptor {
    int fd;
    explicit Descriptor(int host) : fd(host) {}
    ~Descriptor() {
        if (fd >= 0) close(fd);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
};

/// The first component that means something; "" of "/".
std::string_view first_component(std::string_view path) {
    while (!path.empty()) {
        path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
        const auto name = path.substr(0, path.find('/'));
        if (name != "." && name != "..") return name;
        path.remove_prefix(name.size());
    }
    return {};
}

/// What the kernel makes for the machine and the process is the host's.
bool is_hosts_own(std::string_view path) {
    const auto first = first_component(path);
    return first.empty() || first == "proc" || first == "sys" || first == "dev";
}

std::optional<std::string> name_of(int fd) {
    std::array<char, PATH_MAX> text;
    const ssize_t n =
        readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), text.data(), text.size());
    if (n <= 0 || static_cast<std::size_t>(n) == text.size()) return std::nullopt;
    return std::string(text.data(), static_cast<std::size_t>(n));
}

template <class List>
void append(List& to, List from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

/// The bytes of both files become one behind the other, so that offsets stay offsets.
void join(ElfImage& image, ElfImage linker) {
    const std::uint64_t shift = image.bytes.size();
    for (Segment& s : linker.segments) s.offset += shift;
    for (Section& s : linker.sections) s.offset += shift;
    append(image.bytes, std::move(linker.bytes));
    append(image.segments, std::move(linker.segments));
    append(image.sections, std::move(linker.sections));
    append(image.symbols, std::move(linker.symbols));
    std::ranges::stable_sort(image.symbols, [](const Symbol& a, const Symbol& b) {
        return a.address != b.address ? a.address < b.address : a.function > b.function;
    });
}

bool can_start(const ElfImage& linker) {
    return linker.entry % 8 == 0 && std::ranges::any_of(linker.segments, [&](const Segment& s) {
               return (s.prot & kProtExec) && linker.entry >= s.vaddr &&
                      linker.entry - s.vaddr < s.memsz;
           });
}

}  // namespace

tl::expected<std::shared_ptr<const Sysroot>, std::string> Sysroot::open(
    const std::string& directory) {
    const Descriptor at(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (at.fd < 0)
        return tl::unexpected(fmt::format("{}: cannot be the root of an Elbrus system: {}",
                                          directory, std::strerror(errno)));
    auto name = name_of(at.fd);
    if (!name) return tl::unexpected(directory + ": has no name that could be kept");
    return std::shared_ptr<const Sysroot>(new Sysroot(std::move(*name)));
}

std::optional<std::string> Sysroot::find(const std::string& path, bool follow) const {
    if (!path.starts_with('/') || is_hosts_own(path)) return std::nullopt;
    const Descriptor root(::open(directory_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (root.fd < 0) return std::nullopt;
    open_how how{};
    how.flags = static_cast<std::uint64_t>(O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    const Descriptor found(
        static_cast<int>(syscall(SYS_openat2, root.fd, path.c_str(), &how, sizeof how)));
    if (found.fd < 0) return std::nullopt;
    auto name = name_of(found.fd);
    // What mounts or the like have put elsewhere is not meant.
    if (!name || !name->starts_with(directory_)) return std::nullopt;
    if (path.ends_with('/')) *name += '/';
    return name;
}

tl::expected<void, std::string> attach_linker(ElfImage& image, const Sysroot* sysroot) {
    if (image.interpreter.empty() || !sysroot) return {};
    const auto path = sysroot->find(image.interpreter, true);
    if (!path) return {};
    const auto fail = [&](const std::string& why) {
        return tl::unexpected(
            fmt::format("{}: its dynamic linker cannot be used: {}", image.path, why));
    };
    const Descriptor file(::open(path->c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.fd < 0) return fail(fmt::format("{}: {}", *path, std::strerror(errno)));
    auto bytes = read_program(file.fd);
    if (!bytes) return fail(fmt::format("{}: {}", *path, std::strerror(bytes.error())));
    auto linker = ElfImage::parse_library(std::move(*bytes), *path, kLinkerBase);
    if (!linker) return fail(linker.error());
    if (!can_start(*linker))
        return fail(fmt::format("{}: bad entry point 0x{:x}", *path, linker->entry - kLinkerBase));
    image.linker = *path;
    image.linker_base = kLinkerBase;
    image.start = linker->entry;
    image.interpreter.clear();
    join(image, std::move(*linker));
    return {};
}

}  // namespace e2k::guest
