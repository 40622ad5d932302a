#include "engine/guest/libc/guest_text.h"

#include <fcntl.h>

#include "engine/guest/libc/streams.h"

namespace e2k::guest::libc {
namespace {

constexpr std::uint32_t kOpen = 5, kClose = 6;

}  // namespace

Outcome<GuestBlock> GuestBlock::make(LibraryCall& call, std::uint64_t bytes) {
    const auto at = call.library.heap.allocate(bytes);
    if (!at) return tl::unexpected(at.error());
    return GuestBlock(call, *at);
}

Outcome<GuestBlock> GuestBlock::of(LibraryCall& call, const std::string& text) {
    auto block = make(call, text.size() + 1);
    if (!block) return block;
    if (auto done = call.memory.store_text(block->address(), text); !done)
        return tl::unexpected(done.error());
    return block;
}

GuestBlock::~GuestBlock() {
    if (address_ != 0) static_cast<void>(call_.library.heap.release(address_));
}

Outcome<std::string> read_guest_file(LibraryCall& call, const std::string& path,
                                     std::size_t limit) {
    const auto name = GuestBlock::of(call, path);
    if (!name) return tl::unexpected(name.error());
    const auto fd = call.kernel(kOpen, name->address(), O_RDONLY | O_CLOEXEC, 0);
    if (!fd) return tl::unexpected(fd.error());
    std::string text;
    const auto read_all = [&]() -> Outcome<void> {
        constexpr std::size_t kPart = 1u << 16;
        for (;;) {
            const std::size_t have = text.size();
            if (have > limit) return error(EFBIG);
            text.resize(have + kPart);
            const auto got =
                call.library.streams->io.read(static_cast<int>(*fd), text.data() + have, kPart);
            text.resize(have + (got ? *got : 0));
            if (!got) return tl::unexpected(got.error());
            if (*got == 0) return {};
        }
    };
    const auto done = read_all();
    static_cast<void>(call.kernel(kClose, static_cast<std::uint64_t>(*fd)));
    if (!done) return tl::unexpected(done.error());
    return text;
}

}  // namespace e2k::guest::libc
