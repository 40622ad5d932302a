#include "engine/guest/libc/core/scan_text.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace e2k::guest::libc {

std::size_t parse_scan_set(std::string_view set, std::bitset<256>& characters) {
    characters.reset();
    std::size_t at = 0;
    const bool inverted = at < set.size() && set[at] == '^';
    if (inverted) ++at;
    for (bool first = true;; first = false) {
        if (at >= set.size()) return 0;
        const auto c = static_cast<unsigned char>(set[at++]);
        if (c == ']' && !first) break;
        // "a-c", but "a-]" is 'a' and '-'.
        if (at + 1 < set.size() && set[at] == '-' && set[at + 1] != ']') {
            const auto last = static_cast<unsigned char>(set[at + 1]);
            if (c <= last) {
                for (unsigned i = c; i <= last; ++i) characters.set(i);
                at += 2;
                continue;
            }
        }
        characters.set(c);
    }
    if (inverted) characters.flip();
    return at;
}

Outcome<void> ScanText::make_room(std::uint64_t bytes) {
    if (place_ != Place::Allocated || written_ + bytes <= room_) return {};
    room_ = std::max<std::uint64_t>({2 * room_, written_ + bytes, 64});
    auto at = heap_.reallocate(address_, room_);
    if (!at) return tl::unexpected(at.error());
    address_ = *at;
    return {};
}

Outcome<void> ScanText::flush() {
    const std::size_t bytes = used_;
    used_ = 0;
    if (bytes == 0 || place_ == Place::Nowhere) return {};
    if (auto done = make_room(bytes); !done) return done;
    auto done = memory_.write(address_ + written_, piece_.data(), bytes);
    written_ += bytes;
    return done;
}

Outcome<void> ScanText::add(int c) {
    if (wide_ && c >= 0x80) return error(EILSEQ);
    const std::size_t bytes = wide_ ? 4 : 1;
    if (used_ + bytes > piece_.size())
        if (auto done = flush(); !done) return done;
    const auto wide = static_cast<std::uint32_t>(c);
    std::memcpy(piece_.data() + used_, &wide, bytes);
    used_ += bytes;
    ++count_;
    return {};
}

Outcome<void> ScanText::finish(bool terminated) {
    if (terminated) {
        if (auto done = add(0); !done) return done;
        --count_;
    }
    return flush();
}

void ScanText::drop() {
    if (place_ == Place::Allocated && address_ != 0) static_cast<void>(heap_.release(address_));
    address_ = 0;
}

}  // namespace e2k::guest::libc
