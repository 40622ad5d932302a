#include "engine/history/log.h"

#include <zstd.h>

#include <algorithm>

#include <fmt/format.h>

namespace e2k::history {
namespace {

constexpr std::size_t kPiece = 256u << 10;
constexpr int kLevel = 1;  ///< of compression: it must not be noticed

}  // namespace

void Log::append(const Event& event) {
    if (events_ == 0) first_bundle_ = event.bundle;
    if (pieces_.empty() || pieces_.back().size != 0) pieces_.push_back({{}, 0, events_});
    encode(event, pieces_.back().bytes);
    ++events_;
    reached(event.bundle);
    mark(event);
    if (pieces_.back().bytes.size() >= kPiece) seal();
}

void Log::mark(const Event& event) {
    constexpr std::size_t kMost = 512;
    constexpr std::uint64_t kBridge = 0x1d;  // calls of the C library are too many
    if (event.kind == EventKind::Start || event.kind == EventKind::Return) return;
    const bool call = event.kind == EventKind::Call;
    if (call && ((event.number & 0xff) == kBridge || calls_++ % mark_every_ != 0)) return;
    marks_.push_back({event.bundle, event.kind});
    if (marks_.size() < kMost) return;
    mark_every_ *= 2;
    bool keep = false;
    std::erase_if(marks_, [&](const Mark& m) {
        return (m.kind == EventKind::Call || m.kind == EventKind::Signals) && !(keep = !keep);
    });
}

void Log::append(Reading reading) { readings_.push_back(reading); }

void Log::end(std::string why, std::uint64_t bundle) {
    if (!ended_.empty()) return;
    ended_ = std::move(why);
    end_bundle_ = bundle;
}

std::uint64_t Log::bytes() const {
    const std::size_t open =
        pieces_.empty() || pieces_.back().size != 0 ? 0 : pieces_.back().bytes.size();
    return sealed_bytes_ + open + readings_.size() * sizeof(Reading);
}

void Log::seal() {
    Piece& piece = pieces_.back();
    ByteStream small(ZSTD_compressBound(piece.bytes.size()));
    const std::size_t size =
        ZSTD_compress(small.data(), small.size(), piece.bytes.data(), piece.bytes.size(), kLevel);
    if (ZSTD_isError(size)) return;  // it stays as it is, and grows
    small.resize(size);
    small.shrink_to_fit();
    piece.size = piece.bytes.size();
    piece.bytes = std::move(small);
    sealed_bytes_ += size;
}

const ByteStream* Log::opened(std::size_t number) const {
    const Piece& piece = pieces_[number];
    if (piece.size == 0) return &piece.bytes;
    if (opened_piece_ == number) return &opened_bytes_;
    opened_bytes_.resize(piece.size);
    opened_piece_ = number;
    const std::size_t size = ZSTD_decompress(opened_bytes_.data(), opened_bytes_.size(),
                                             piece.bytes.data(), piece.bytes.size());
    if (!ZSTD_isError(size) && size == piece.size) return &opened_bytes_;
    opened_piece_ = ~std::size_t{0};
    damage_ = fmt::format("the recording is damaged in its piece {}", number);
    return nullptr;
}

const Event* Log::next(LogPlace& place) const {
    while (place.piece < pieces_.size()) {
        const ByteStream* const bytes = opened(place.piece);
        if (!bytes) return nullptr;
        if (place.offset < bytes->size()) {
            if (!decode(*bytes, place.offset, event_)) {
                damage_ = fmt::format("event {} of the recording is damaged", place.number);
                return nullptr;
            }
            ++place.number;
            return &event_;
        }
        // The last piece may grow.
        if (place.piece + 1 == pieces_.size()) return nullptr;
        ++place.piece;
        place.offset = 0;
    }
    return nullptr;
}

std::optional<std::uint64_t> Log::reading_at(std::uint64_t bundle) const {
    const auto at = std::ranges::lower_bound(readings_, bundle, {}, &Reading::bundle);
    if (at == readings_.end() || at->bundle != bundle) return std::nullopt;
    return at->value;
}

void Log::damage_event(std::uint64_t number) {
    LogPlace place;
    Event changed;
    std::vector<Event> all;
    while (const Event* event = next(place)) {
        all.push_back(*event);
        if (place.number != number + 1) continue;
        for (RegisterRun& run : all.back().registers)
            for (cpu::Reg& value : run.values) value.lo ^= 1;
        for (MemoryBytes& piece : all.back().memory)
            for (std::uint8_t& byte : piece.bytes) byte ^= 1;
        for (auto& [place, value] : all.back().words) value ^= 8;
    }
    pieces_.clear();
    marks_.clear();
    sealed_bytes_ = events_ = calls_ = 0;
    opened_piece_ = ~std::size_t{0};
    for (const Event& event : all) append(event);
}

}  // namespace e2k::history
