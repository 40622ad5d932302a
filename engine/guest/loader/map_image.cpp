#include "engine/guest/loader/map_image.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace e2k::guest::loader {
namespace {

constexpr std::uint64_t kPage = cpu::kPageSize;
constexpr std::uint64_t page_down(std::uint64_t a) { return a & ~(kPage - 1); }
constexpr std::uint64_t page_up(std::uint64_t a) { return page_down(a + kPage - 1); }

tl::unexpected<std::string> failed(const std::string& path, const char* what, int error) {
    return tl::unexpected(fmt::format("{}: {}: {}", path, what, std::strerror(error)));
}

std::vector<Segment> by_address(const ElfImage& image) {
    std::vector<Segment> segments = image.segments;
    std::ranges::sort(segments, {}, &Segment::vaddr);
    return segments;
}

}  // namespace

tl::expected<std::uint64_t, std::string> map_image(AddressSpace& memory, const ElfImage& image,
                                                   const std::string& name) {
    std::uint64_t mapped_to = 0;
    for (const Segment& s : by_address(image)) {
        const std::uint64_t begin = std::max(page_down(s.vaddr), mapped_to);
        const std::uint64_t end = page_up(s.vaddr + s.memsz);
        if (begin < end) {
            auto at =
                memory.map(begin, end - begin, kProtRead | kProtWrite, true, false, -1, 0, name);
            if (!at) return failed(image.path, "cannot map a segment", at.error());
        }
        mapped_to = std::max(mapped_to, end);
        if (!memory.write(s.vaddr, image.bytes.data() + s.offset, s.filesz))
            return failed(image.path, "cannot fill a segment", EFAULT);
    }
    return mapped_to;
}

tl::expected<void, std::string> protect_image(AddressSpace& memory, const ElfImage& image) {
    const std::vector<Segment> segments = by_address(image);
    // Two segments may share a page: it gets the rights of both.
    for (std::size_t i = 0; i < segments.size(); ++i) {
        const Segment& s = segments[i];
        const std::uint64_t begin = page_down(s.vaddr), end = page_up(s.vaddr + s.memsz);
        auto done = memory.protect(begin, end - begin, s.prot);
        if (done && i > 0 && page_up(segments[i - 1].vaddr + segments[i - 1].memsz) > begin)
            done = memory.protect(begin, kPage, s.prot | segments[i - 1].prot);
        if (!done) return failed(image.path, "cannot protect a segment", done.error());
    }
    return {};
}

}  // namespace e2k::guest::loader
