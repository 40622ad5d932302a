#include <algorithm>
#include <array>
#include <cstring>

#include "engine/guest/libc/core/stdio.h"

namespace e2k::guest::libc {

Outcome<StreamWriter> StreamWriter::begin(StreamUse& use, const Caller& caller) {
    if (auto ready = use->begin_writing(); !ready) return tl::unexpected(ready.error());
    return StreamWriter(*use, caller);
}

Outcome<void> StreamWriter::ended(const Trouble& why) {
    if (why.kind == Trouble::Kind::Interrupted) stream_->keep_progress(caller_, position_);
    return tl::unexpected(why);
}

Outcome<void> StreamWriter::put(std::string_view text) {
    if (stream_->buffering() == Buffering::Line) {
        const std::size_t newline = text.rfind('\n');
        if (newline != std::string_view::npos) lines_end_ = position_ + newline + 1;
    }
    if (position_ < resume_) {
        const std::size_t known = std::min<std::uint64_t>(text.size(), resume_ - position_);
        position_ += known;
        text.remove_prefix(known);
    }
    Stream& s = *stream_;
    while (!text.empty()) {
        if (s.out_end_ == s.out_.size()) {
            if (auto done = s.flush(); !done) return ended(done.error());
        }
        if (s.out_end_ == 0 && text.size() >= s.out_.size()) {
            // Whole blocks go past the buffer.
            auto put = s.host_write(text.data(), text.size() - text.size() % s.out_.size());
            if (!put) {
                if (put.error().kind == Trouble::Kind::Error) s.set_error();
                return ended(put.error());
            }
            position_ += *put;
            text.remove_prefix(std::min(*put, text.size()));
            continue;
        }
        const std::size_t part = std::min(text.size(), s.out_.size() - s.out_end_);
        std::memcpy(s.out_.data() + s.out_end_, text.data(), part);
        s.out_end_ += part;
        position_ += part;
        text.remove_prefix(part);
    }
    return {};
}

Outcome<void> StreamWriter::put_guest(std::uint64_t address, std::uint64_t bytes) {
    std::array<char, 16 * 1024> block;
    while (bytes != 0) {
        const std::size_t part = std::min<std::uint64_t>(bytes, block.size());
        if (auto got = stream_->stdio_.memory_.read(address, block.data(), part); !got) return got;
        if (auto done = put({block.data(), part}); !done) return done;
        address += part;
        bytes -= part;
    }
    return {};
}

Outcome<void> StreamWriter::finish() {
    Stream& s = *stream_;
    std::size_t keep = s.pending_output();
    if (s.buffering() == Buffering::None) keep = 0;
    if (s.buffering() == Buffering::Line && lines_end_ != 0)
        keep = std::min<std::uint64_t>(keep, position_ - lines_end_);
    if (auto done = s.drain(keep); !done) return ended(done.error());
    return {};
}

}  // namespace e2k::guest::libc
