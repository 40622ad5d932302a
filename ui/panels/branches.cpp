#include "ui/panels/branches.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "ui/ink.h"
#include "ui/panels/bundle_row.h"

namespace e2k::ui {

namespace {

/// What %ctpr1..%ctpr3 are prepared for, by number; 0 = not known.
using Prepared = std::array<std::uint64_t, 4>;

/// Follows control through the code in view, to know what each `ct` finds in its register.
class Flow {
public:
    explicit Flow(const machine::CodeView& code) : code_(code), arriving_(code.rows.size()) {}

    std::vector<Branch> branches() {
        // The first bundle, and whatever nothing in view leads to, is entered from elsewhere.
        for (std::size_t i = 0; i < code_.rows.size(); ++i)
            if (!arriving_[i]) arrive(i, {});
        std::vector<Branch> found;
        for (std::size_t i = 0; i < code_.rows.size(); ++i) {
            if (const auto to = target(i))
                found.push_back({i, *to, 0, code_.rows[i].bundle.ss.condition != kAlways});
        }
        return found;
    }

private:
    static constexpr auto kNever = static_cast<std::uint8_t>(isa::ConditionType::Never);
    static constexpr auto kAlways = static_cast<std::uint8_t>(isa::ConditionType::Always);

    static bool transfers(const isa::Bundle& b) {
        return b.ss.condition != kNever &&
               (b.ss.ctop != 0 || b.cs1.icall || b.cs0.kind == isa::Cs0Kind::Ibranch);
    }
    static bool calls(const isa::Bundle& b) { return b.cs1.call || b.cs1.icall; }

    /// The row that the transfer of row `i` goes to, if it is known and in view; not of calls.
    std::optional<std::size_t> target(std::size_t i) const {
        const isa::Bundle& b = code_.rows[i].bundle;
        if (!code_.rows[i].valid || !transfers(b) || calls(b)) return std::nullopt;
        const std::uint64_t address =
            b.ss.ctop != 0 ? (*arriving_[i])[b.ss.ctop & 3] : b.cs0.target;
        const auto* row = address ? find_row(&code_, address) : nullptr;
        if (!row) return std::nullopt;
        return static_cast<std::size_t>(row - code_.rows.data());
    }

    void arrive(std::size_t first, const Prepared& with) {
        meet(first, with);
        while (!waiting_.empty()) {
            const std::size_t i = waiting_.back();
            waiting_.pop_back();
            leave(i);
        }
    }

    /// Joins one more way to reach row `i` with those known.
    void meet(std::size_t i, const Prepared& with) {
        if (i >= arriving_.size()) return;
        auto& known = arriving_[i];
        bool changed = !known;
        if (!known) known = with;
        for (std::size_t k = 0; k < with.size(); ++k) {
            if ((*known)[k] == with[k] || (*known)[k] == 0) continue;
            (*known)[k] = 0;
            changed = true;
        }
        if (changed) waiting_.push_back(i);
    }

    void leave(std::size_t i) {
        const isa::Bundle& b = code_.rows[i].bundle;
        if (!code_.rows[i].valid) return;
        const auto to = target(i);  // a transfer reads its register before the bundle writes it
        Prepared after = *arriving_[i];
        for (int c = 0; c < isa::kChannels; ++c) {
            const isa::Operand& dst = b.als[static_cast<std::size_t>(c)].dst;
            if (b.has_als(c) && dst.kind == isa::OperandKind::Ctpr) after[dst.index & 3] = 0;
        }
        if (b.cs0.present && b.cs0.ctpr != 0)
            after[b.cs0.ctpr & 3] = b.cs0.kind == isa::Cs0Kind::Disp ? b.cs0.target : 0;
        if (to) meet(*to, after);
        if (calls(b)) after.fill(0);  // the callee uses the registers too
        const bool goes_on = calls(b) || !transfers(b) || b.ss.condition != kAlways;
        const bool has_next =
            i + 1 < code_.rows.size() && code_.rows[i + 1].bundle.address == b.next_address();
        if (goes_on && has_next) meet(i + 1, after);
    }

    const machine::CodeView& code_;
    std::vector<std::optional<Prepared>> arriving_;  ///< by row; empty: not reached yet
    std::vector<std::size_t> waiting_;
};

std::size_t top_of(const Branch& b) { return std::min(b.from, b.to); }
std::size_t bottom_of(const Branch& b) { return std::max(b.from, b.to); }

/// Short arrows first, each into the innermost column that is free along its way; the column
/// after the last takes those for which none is.
void assign_depths(std::vector<Branch>& branches) {
    std::ranges::stable_sort(branches, {},
                             [](const Branch& b) { return bottom_of(b) - top_of(b); });
    std::array<std::vector<const Branch*>, kBranchColumns> columns;
    for (Branch& branch : branches) {
        branch.depth = kBranchColumns;
        for (int depth = 0; depth < kBranchColumns; ++depth) {
            auto& column = columns[static_cast<std::size_t>(depth)];
            const bool taken = std::ranges::any_of(column, [&](const Branch* other) {
                return top_of(*other) <= bottom_of(branch) && top_of(branch) <= bottom_of(*other) &&
                       other->to != branch.to;
            });
            if (taken) continue;
            branch.depth = depth;
            column.push_back(&branch);
            break;
        }
    }
}

/// The upright part of an arrow between two heights, solid or dashed; only what is in view.
void draw_upright(Ink& ink, const Theme& theme, const Branch& branch, float x, float top,
                  float bottom, ImVec2 view, ImU32 colour) {
    const float w = std::max(1.0f, std::round(theme.px(1)));
    if (!branch.conditional) return ink.fill({x, top}, {x + w, bottom}, colour);
    const float step = theme.px(6);
    const float hidden = std::max(0.0f, std::floor((view.x - top) / step));
    for (float y = top + hidden * step; y < std::min(bottom, view.y); y += step)
        ink.fill({x, y}, {x + w, std::min(y + theme.px(4), bottom)}, colour);
}

}  // namespace

std::vector<Branch> find_branches(const machine::CodeView& code) {
    std::vector<Branch> found = Flow(code).branches();
    assign_depths(found);
    return found;
}

int branch_depth(const std::vector<Branch>& branches) {
    int most = 0;
    for (const Branch& branch : branches) most = std::max(most, branch.depth + 1);
    return most;
}

void draw_branches(const Scene& scene, const BundlesState& state, ImVec2 min, ImVec2 max) {
    if (state.branches.empty()) return;
    const Theme& theme = scene.theme;
    Ink ink(scene);
    const auto middle = [&](std::size_t row) {
        const float label = state.rows[row].label.empty() ? 0 : label_height(theme);
        return std::round(state.rows_top + state.tops[row] + label +
                          comment_height(theme, state, row) + theme.px(2) +
                          theme.font_px() * 0.58f);
    };
    ImGui::PushClipRect(min, max, false);
    const float right = min.x + gutter_width(theme, state.arrow_depth) - theme.px(5);
    // Rectangles, not lines: sharp, and cheap to draw.
    const float w = std::max(1.0f, std::round(theme.px(1)));
    for (const Branch& branch : state.branches) {
        // A bundle that goes to itself leaves below where it is entered.
        const float to = middle(branch.to);
        const float from = branch.from == branch.to ? to + theme.px(8) : middle(branch.from);
        const float top = std::min(from, to), bottom = std::max(from, to);
        if (bottom < min.y || top > max.y) continue;
        const std::uint64_t source = state.rows[branch.from].address;
        const std::uint64_t target = state.rows[branch.to].address;
        const auto meant = [&](std::uint64_t a) { return a != 0 && (a == source || a == target); };
        const bool bright = meant(scene.selection.bundle) || meant(scene.selection.hover_bundle) ||
                            source == scene.now.ip;
        const ImU32 colour = bright ? theme.control : mix(theme.panel, theme.control, 0.6f);
        const float x =
            std::round(right - theme.px(6) * static_cast<float>(branch.depth) - theme.px(7));
        const float half = theme.px(3), stub = theme.px(9);
        ink.fill({x, from}, {right + theme.px(1), from + w}, colour);
        ink.fill({x, to}, {right - theme.px(2), to + w}, colour);
        if (branch.depth < kBranchColumns || bottom - top < 2 * stub) {
            draw_upright(ink, theme, branch, x, top, bottom, {min.y, max.y}, colour);
        } else {  // no column is free: its ends, which point at each other
            draw_upright(ink, theme, branch, x, top, top + stub, {min.y, max.y}, colour);
            draw_upright(ink, theme, branch, x, bottom - stub, bottom, {min.y, max.y}, colour);
            const float tip = to > from ? from + stub + half : from - stub - half;
            const float base = to > from ? tip - half : tip + half;
            ink.triangle({x + w / 2, tip}, {x + w / 2 - half, base}, {x + w / 2 + half, base},
                         colour);
        }
        ink.triangle({right + theme.px(1), to + w / 2}, {right - half, to - half},
                     {right - half, to + w + half}, colour);
    }
    ImGui::PopClipRect();
}

}  // namespace e2k::ui
