#include "ui/damage.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace e2k::ui {

namespace {

/// Changes closer than this are redrawn as one rectangle.
constexpr int kNear = 24;
constexpr std::size_t kMostRects = 12;

long growth(const PixelRect& a, const PixelRect& b) {
    return a.joined(b).area() - a.area() - b.area();
}

}  // namespace

PixelRect PixelRect::joined(const PixelRect& other) const {
    if (empty()) return other;
    if (other.empty()) return *this;
    return {std::min(x0, other.x0), std::min(y0, other.y0), std::max(x1, other.x1),
            std::max(y1, other.y1)};
}

PixelRect PixelRect::common(const PixelRect& other) const {
    return {std::max(x0, other.x0), std::max(y0, other.y0), std::min(x1, other.x1),
            std::min(y1, other.y1)};
}

/// Collects changed triangles as few rectangles.
class Damage::Areas {
public:
    explicit Areas(const PixelRect& screen) : screen_(screen) {}

    void add(const Triangle& t) {
        const auto [left, right] =
            std::minmax({t.corner[0].pos.x, t.corner[1].pos.x, t.corner[2].pos.x});
        const auto [top, bottom] =
            std::minmax({t.corner[0].pos.y, t.corner[1].pos.y, t.corner[2].pos.y});
        const PixelRect clip = {static_cast<int>(t.clip.x), static_cast<int>(t.clip.y),
                                static_cast<int>(std::ceil(t.clip.z)),
                                static_cast<int>(std::ceil(t.clip.w))};
        // A pixel more on each side: rasterisers round in their own ways.
        const PixelRect rect = {
            static_cast<int>(std::floor(left)) - 1, static_cast<int>(std::floor(top)) - 1,
            static_cast<int>(std::ceil(right)) + 1, static_cast<int>(std::ceil(bottom)) + 1};
        add(rect.common(clip).common(screen_));
    }

    std::vector<PixelRect> take() {
        // The rectangles grew while others were added: join those that meet now, then the closest.
        for (bool again = true; again;) {
            again = false;
            for (std::size_t i = 0; i < rects_.size() && !again; ++i)
                for (std::size_t j = i + 1; j < rects_.size() && !again; ++j)
                    if (rects_[i].touches(rects_[j])) again = join(i, j);
            if (!again && rects_.size() > kMostRects) again = join_closest();
        }
        return std::move(rects_);
    }

private:
    void add(const PixelRect& rect) {
        if (rect.empty()) return;
        // Text comes in reading order: most often the last one grows.
        if (last_ < rects_.size() && grow(rects_[last_], rect)) return;
        for (last_ = 0; last_ < rects_.size(); ++last_)
            if (grow(rects_[last_], rect)) return;
        rects_.push_back(rect);
        if (rects_.size() > 4 * kMostRects) {
            join_closest();
            last_ = 0;
        }
    }

    static bool grow(PixelRect& rect, const PixelRect& by) {
        const PixelRect around = {rect.x0 - kNear, rect.y0 - kNear, rect.x1 + kNear,
                                  rect.y1 + kNear};
        if (!around.touches(by)) return false;
        rect = rect.joined(by);
        return true;
    }

    bool join(std::size_t i, std::size_t j) {
        rects_[i] = rects_[i].joined(rects_[j]);
        rects_.erase(rects_.begin() + static_cast<std::ptrdiff_t>(j));
        return true;
    }

    bool join_closest() {
        std::size_t a = 0, b = 1;
        for (std::size_t i = 0; i < rects_.size(); ++i)
            for (std::size_t j = i + 1; j < rects_.size(); ++j)
                if (growth(rects_[i], rects_[j]) < growth(rects_[a], rects_[b])) a = i, b = j;
        return join(a, b);
    }

    PixelRect screen_;
    std::vector<PixelRect> rects_;
    std::size_t last_ = 0;
};

void Damage::flatten(const ImDrawList& from, List& to) {
    to.owner = from._OwnerName ? from._OwnerName : "";
    to.triangles.clear();
    for (const ImDrawCmd& command : from.CmdBuffer) {
        const ImDrawVert* corners = from.VtxBuffer.Data + command.VtxOffset;
        const ImDrawIdx* index = from.IdxBuffer.Data + command.IdxOffset;
        for (unsigned i = 0; i + 2 < command.ElemCount; i += 3)
            to.triangles.push_back(
                {{corners[index[i]], corners[index[i + 1]], corners[index[i + 2]]},
                 command.ClipRect,
                 command.TextureId});
    }
}

bool Damage::same(const Triangle& a, const Triangle& b) {
    return std::memcmp(a.corner, b.corner, sizeof a.corner) == 0 &&
           std::memcmp(&a.clip, &b.clip, sizeof a.clip) == 0 && a.texture == b.texture;
}

void Damage::compare(const List& before, const List& after, Areas& areas) {
    const auto& old = before.triangles;
    const auto& now = after.triangles;
    const auto [old_at, now_at] =
        std::mismatch(old.begin(), old.end(), now.begin(), now.end(), same);
    const auto rest = std::mismatch(old.rbegin(), std::make_reverse_iterator(old_at), now.rbegin(),
                                    std::make_reverse_iterator(now_at), same);
    const auto old_end = rest.first.base();
    const auto now_end = rest.second.base();
    // Values of fixed width change in place: then only what differs counts.
    const bool in_place = old_end - old_at == now_end - now_at;
    auto a = old_at;
    for (auto b = now_at; b != now_end; ++b) {
        if (in_place && same(*a++, *b)) continue;
        areas.add(*b);
        if (in_place) areas.add(*(a - 1));
    }
    if (in_place) return;
    for (; a != old_end; ++a) areas.add(*a);
}

std::vector<PixelRect> Damage::update(const ImDrawData& picture) {
    const PixelRect screen = {0, 0, static_cast<int>(picture.DisplaySize.x),
                              static_cast<int>(picture.DisplaySize.y)};
    after_.resize(static_cast<std::size_t>(picture.CmdListsCount));
    for (std::size_t i = 0; i < after_.size(); ++i) flatten(*picture.CmdLists[i], after_[i]);
    const bool comparable = known_ && screen.x1 == screen_.x1 && screen.y1 == screen_.y1;
    Areas areas(screen);
    if (comparable) {
        // Windows that came or went stand between those that stayed.
        const auto same_owner = [](const List& a, const List& b) { return a.owner == b.owner; };
        std::size_t head = 0;
        const std::size_t common = std::min(before_.size(), after_.size());
        while (head < common && same_owner(before_[head], after_[head])) ++head;
        std::size_t tail = 0;
        while (tail < common - head &&
               same_owner(before_[before_.size() - 1 - tail], after_[after_.size() - 1 - tail]))
            ++tail;
        for (std::size_t i = 0; i < head; ++i) compare(before_[i], after_[i], areas);
        for (std::size_t i = 1; i <= tail; ++i)
            compare(before_[before_.size() - i], after_[after_.size() - i], areas);
        const List none;
        for (std::size_t i = head; i < before_.size() - tail; ++i) compare(before_[i], none, areas);
        for (std::size_t i = head; i < after_.size() - tail; ++i) compare(none, after_[i], areas);
    }
    known_ = true;
    screen_ = screen;
    std::swap(before_, after_);
    if (!comparable) return {screen};
    return areas.take();
}

}  // namespace e2k::ui
