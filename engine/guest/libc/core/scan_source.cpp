#include "engine/guest/libc/core/scan_source.h"

#include <algorithm>

namespace e2k::guest::libc {

Outcome<int> TextSource::get() {
    if (next_ < begin_ || next_ >= begin_ + size_) {
        const std::uint64_t in_page = cpu::kPageSize - (next_ & (cpu::kPageSize - 1));
        begin_ = next_;
        size_ = std::min<std::uint64_t>(piece_.size(), in_page);
        if (auto got = memory_.read(begin_, piece_.data(), size_); !got) {
            size_ = 0;
            return tl::unexpected(got.error());
        }
    }
    const int c = static_cast<unsigned char>(piece_[next_ - begin_]);
    if (c == 0) return -1;
    ++next_;
    return c;
}

Outcome<int> StreamSource::get() {
    auto c = stream_.get();
    if (c) return c;
    if (c.error().kind == Trouble::Kind::Interrupted) stream_.rewind_to_mark();
    // An error of the descriptor ends the input as its end does; the stream remembers it.
    if (c.error().kind == Trouble::Kind::Error) return -1;
    return c;
}

void StreamSource::unget(int c) {
    if (c >= 0) static_cast<void>(stream_.unget(static_cast<std::uint8_t>(c)));
}

}  // namespace e2k::guest::libc
