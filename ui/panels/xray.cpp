#include "ui/panels/xray.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "ui/format.h"
#include "ui/ink.h"
#include "ui/scoped.h"
#include "ui/text.h"

namespace e2k::ui {

namespace {

using machine::Xray;
using machine::XrayOperation;
using machine::XrayPlace;
using machine::XrayValue;
using Band = XrayLine::Band;
using Look = XrayLine::Look;
using Phase = XrayState::Phase;

constexpr std::int64_t kSmall = 100'000;  ///< up to here decimals are easier to read
constexpr std::size_t kSearchBack = 400;  ///< bundles looked at for the writer of a predicate
constexpr std::size_t kMostBytes = 16;

std::string value_text(const XrayValue& value) {
    if (value.bits == 1) return fmt::format("{}{}", value.lo, value.tag ? " diag" : "");
    if (value.tag) return "diag " + hex(value.lo);
    if (value.bits > 64) return fmt::format("{:#x}:{:016x}", value.ext, value.lo);
    const auto wide = value.bits == 32 ? std::int64_t{static_cast<std::int32_t>(value.lo)}
                                       : static_cast<std::int64_t>(value.lo);
    if (wide > -kSmall && wide < kSmall) return std::to_string(wide);
    return hex(value.lo);
}

std::string bytes_text(const std::vector<std::uint8_t>& bytes) {
    if (bytes.empty()) return "?";
    // As the number it is, where it is one.
    if (bytes.size() <= 8) {
        std::uint64_t value = 0;
        for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | bytes[i];
        return value < static_cast<std::uint64_t>(kSmall) ? std::to_string(value) : hex(value);
    }
    std::string out;
    for (std::size_t i = std::min(bytes.size(), kMostBytes); i-- > 0;)
        out += fmt::format("{:02x}", bytes[i]);
    return "0x" + out;
}

bool writes_predicate(const isa::Bundle& bundle, unsigned index) {
    for (int c = 0; c < isa::kChannels; ++c) {
        const isa::Operand& dst = bundle.als[static_cast<std::size_t>(c)].dst;
        if (bundle.has_als(c) && dst.kind == isa::OperandKind::Pred && dst.index == index)
            return true;
    }
    return std::ranges::any_of(
        bundle.plu.clp, [&](const isa::Clp& clp) { return clp.writes && clp.pdst == index; });
}

std::string unit_name(const XrayOperation& op) {
    switch (op.unit) {
        case XrayOperation::Unit::Lane:
            return fmt::format("ALC{}", op.lane);
        case XrayOperation::Unit::Predicates:
            return "PLU";
        case XrayOperation::Unit::Array:
            return "AAU";
        case XrayOperation::Unit::Control:
            return tr("Control");
    }
    return {};
}

ImU32 unit_colour(const Theme& theme, const XrayOperation& op) {
    if (op.lane >= 0) return theme.lane[static_cast<std::size_t>(op.lane)];
    if (op.unit == XrayOperation::Unit::Predicates) return theme.predicate;
    return op.unit == XrayOperation::Unit::Array ? theme.aau : theme.control;
}

/// Lines of one operation.
class Lines {
public:
    Lines(const Scene& scene, const XrayState& state, std::vector<XrayLine>& out)
        : scene_(scene), state_(state), out_(out) {}

    void operation(const Xray& xray, std::size_t index) {
        const XrayOperation& op = xray.operations[index];
        index_ = index;
        add(Band::Head, op.works ? Look::Usual : Look::Off, unit_name(op) + "  " + op.text);
        for (const auto& guard : op.guards) this->guard(op, guard);
        for (const auto& read : op.reads) {
            const bool literal = read.place.kind == XrayPlace::Kind::None;
            XrayLine& line = add(
                Band::Read,
                read.value.tag ? Look::Wrong
                : literal      ? Look::Dim
                               : Look::Usual,
                literal ? read.name : fmt::format("{} = {}", read.name, value_text(read.value)));
            line.place = read.place;
            line.crosses = read.crosses;
        }
        if (state_.phase >= Phase::Execute && !op.formula.empty())
            add(Band::Execute, op.works ? Look::Usual : Look::Off, op.formula);
        for (const auto& write : op.writes) this->write(op, write);
        for (const auto& store : op.stores) {
            const std::string where = fmt::format("[{}]", hex(store.address));
            const bool done = state_.phase == Phase::Commit;
            add(Band::Commit, done && store.before != store.after ? Look::Changed : Look::Usual,
                done ? fmt::format("{}: {} → {}", where, bytes_text(store.before),
                                   bytes_text(store.after))
                     : fmt::format("{}: {}", where, bytes_text(store.before)));
        }
    }

private:
    XrayLine& add(Band band, Look look, std::string text) {
        XrayLine& line = out_.emplace_back();
        line.band = band;
        line.look = look;
        line.operation = index_;
        line.text = std::move(text);
        return line;
    }

    void guard(const XrayOperation& op, const machine::XrayGuard& guard) {
        std::string text =
            op.unit == XrayOperation::Unit::Control
                ? trf("? {}: the predicate is {}, {}", guard.name, guard.value ? 1 : 0,
                      guard.holds ? tr("holds") : tr("does not hold"))
                : trf("? {}: the predicate is {}, {}", guard.name, guard.value ? 1 : 0,
                      guard.holds ? tr("it takes effect") : tr("no effect"));
        std::uint64_t writer = 0;
        if (guard.place.kind == XrayPlace::Kind::Predicate) {
            const std::size_t digits = guard.name.find_first_of("0123456789");
            if (digits != std::string::npos)
                writer = predicate_writer(
                    scene_.now.code.get(), scene_.symbols(), scene_.now.xray->address,
                    static_cast<unsigned>(std::stoul(guard.name.substr(digits))));
        }
        if (writer) text += trf("; computed at {}", place(scene_.symbols(), writer));
        XrayLine& line = add(Band::Guard, guard.holds ? Look::Usual : Look::Off, std::move(text));
        line.place = guard.place;
        line.go_to = writer;
    }

    void write(const XrayOperation& op, const machine::XrayWrite& write) {
        const std::string before = value_text(write.before), after = value_text(write.after);
        const bool done = state_.phase == Phase::Commit;
        Look look = !op.works ? Look::Off : Look::Usual;
        if (done && op.works && write.before != write.after) look = Look::Changed;
        XrayLine& line =
            add(Band::Commit, look,
                done && op.works ? fmt::format("{}: {} → {}", write.name, before, after)
                                 : fmt::format("{}: {}", write.name, before));
        line.place = write.place;
        if (done && state_.sequential && write.sequential)
            add(Band::Commit, Look::Wrong,
                trf("one by one it would be {}", value_text(*write.sequential)));
    }

    const Scene& scene_;
    const XrayState& state_;
    std::vector<XrayLine>& out_;
    std::size_t index_ = 0;
};

/// "0x10120 main+0x18 → 0x10138": the place, and where control goes.
std::string title_text(const Scene& scene, const Xray& xray) {
    std::string out = place(scene.symbols(), xray.address);
    if (!xray.trap.empty()) return out + "  ·  " + trf("it will trap: {}", xray.trap);
    out += "  →  " + place(scene.symbols(), xray.next);
    if (!xray.call.empty())
        out += "  ·  " + std::string(tr("a system call"));
    else if (xray.taken)
        out += "  ·  " + std::string(tr("the transfer is taken"));
    return out;
}

struct Empty {
    const char *headline, *detail;
};
Empty empty_reason(const Scene& scene) {
    if (scene.running())
        return {tr("Running"), tr("Pause, or step: the next bundle is taken apart here.")};
    if (scene.now.in_system_call)
        return {tr("In a system call"),
                tr("When it is over, the next bundle is taken apart here.")};
    return {tr("No bundle to look into"),
            tr("When the program is paused, the bundle it is about to execute is taken apart "
               "here: what it reads, what it computes, what it will write.")};
}

// --- drawing ---

ImU32 look_colour(const Theme& theme, Look look) {
    switch (look) {
        case Look::Usual:
            return theme.text;
        case Look::Off:
        case Look::Dim:
            return theme.dim;
        case Look::Changed:
            return theme.changed;
        case Look::Wrong:
            return theme.error;
    }
    return theme.text;
}

/// Where lines were drawn, for the arrows between them.
struct Anchor {
    std::size_t operation;
    XrayPlace place;
    int crosses;
    ImVec2 at;
};

class Drawing {
public:
    Drawing(const Scene& scene, const XrayState& state, const std::vector<XrayLine>& lines)
        : scene_(scene), theme_(scene.theme), state_(state), lines_(lines), ink_(scene) {
        const float room = ImGui::GetContentRegionAvail().x - theme_.px(4);
        origin_ = ImGui::GetCursorScreenPos();
        const float gap = theme_.px(14);
        band_width_ = {std::round(room * 0.32f) - gap, std::round(room * 0.30f) - gap,
                       std::round(room * 0.38f)};
        band_left_ = {origin_.x + theme_.px(10), origin_.x + theme_.px(10) + room * 0.32f,
                      origin_.x + theme_.px(10) + room * 0.62f};
        band_width_[2] -= theme_.px(10);
        right_ = origin_.x + room;
    }

    void draw() {
        band_titles();
        for (std::size_t at = 0; at < lines_.size();) at = operation(at);
        crossings();
        ImGui::SetCursorScreenPos(origin_);
        ImGui::Dummy({1, y_ - origin_.y + theme_.row()});
    }

private:
    void band_titles() {
        const char* const names[] = {tr("read"), tr("execute"), tr("commit")};
        y_ = origin_.y;
        for (std::size_t band = 0; band < 3; ++band) {
            const bool now = static_cast<std::size_t>(state_.phase) == band;
            const ImVec2 a{band_left_[band] - theme_.px(6), y_};
            const ImVec2 b{band_left_[band] + band_width_[band], y_ + theme_.row()};
            ink_.fill(a, b, now ? mix(theme_.header, theme_.selection, 0.35f) : theme_.header,
                      theme_.px(2));
            ink_.list().AddText(theme_.prose, theme_.font_px(),
                                {band_left_[band], y_ + theme_.px(1)},
                                now ? theme_.text : theme_.dim, names[band]);
            if (band < 2) {
                const float x = b.x + theme_.px(3), middle = (a.y + b.y) / 2, h = theme_.px(4);
                ink_.triangle({x + h, middle}, {x, middle - h}, {x, middle + h}, theme_.dim);
            }
        }
        y_ += theme_.row() + theme_.px(5);
    }

    /// Draws the lines of one operation from line `first` on; returns the first of the next.
    std::size_t operation(std::size_t first) {
        const std::size_t index = lines_[first].operation;
        std::size_t end = first;
        while (end < lines_.size() && lines_[end].operation == index) ++end;
        const XrayOperation& op = scene_.now.xray->operations[index];
        const float top = y_;
        std::array<float, 3> bottom{};
        std::size_t at = first;
        for (; at < end && lines_[at].band <= Band::Guard; ++at) head(lines_[at]);
        bottom.fill(y_);
        for (; at < end; ++at) {
            const auto band =
                static_cast<std::size_t>(lines_[at].band) - static_cast<std::size_t>(Band::Read);
            bottom[band] = line(lines_[at], band, bottom[band]);
        }
        y_ = std::max({bottom[0], bottom[1], bottom[2]}) + theme_.px(3);
        ink_.fill({origin_.x, top + theme_.px(2)}, {origin_.x + theme_.px(3), y_ - theme_.px(3)},
                  unit_colour(theme_, op), theme_.px(1));
        ink_.line({origin_.x, y_}, {right_, y_}, with_alpha(theme_.line, 0.7f));
        y_ += theme_.px(4);
        return end;
    }

    void head(const XrayLine& line) {
        const ImVec2 at{origin_.x + theme_.px(10), y_};
        const bool guard = line.band == Band::Guard;
        ImU32 colour = look_colour(theme_, line.look);
        if (guard) colour = line.look == Look::Off ? theme_.warning : theme_.predicate_text;
        const float room = right_ - at.x;
        const bool cut =
            ink_.text_fit(at, room, colour, line.text, guard ? Weight::Prose : Weight::Bold);
        ink_.end_row();
        if (!guard && line.look == Look::Off) {
            const float width = std::min(room, ink_.width(line.text, Weight::Bold));
            const float y = std::round(at.y + theme_.font_px() * 0.58f);
            ink_.line({at.x, y}, {at.x + width, y}, theme_.dim);
        }
        touch(line, at, {right_, at.y + theme_.row()}, cut);
        y_ += theme_.row();
    }

    float line(const XrayLine& line, std::size_t band, float y) {
        const ImVec2 at{band_left_[band], y};
        const float room = band_width_[band];
        float height = theme_.row();
        if (line.band == Band::Execute) {
            ink_.list().AddText(theme_.prose, theme_.font_px(), at, look_colour(theme_, line.look),
                                line.text.c_str(), nullptr, room);
            if (scene_.capture) scene_.capture->text += line.text;
            height =
                theme_.prose->CalcTextSizeA(theme_.font_px(), FLT_MAX, room, line.text.c_str()).y;
        } else {
            height = wrapped(line, at, room);
        }
        ink_.end_row();
        if (line.band != Band::Execute)
            anchors_.push_back({line.operation,
                                line.place,
                                line.crosses,
                                {line.band == Band::Read
                                     ? at.x + std::min(room, ink_.width(line.text)) + theme_.px(3)
                                     : at.x - theme_.px(4),
                                 at.y + theme_.font_px() * 0.6f}});
        touch(line, at, {at.x + room, at.y + height}, false);
        return y + height;
    }

    /// "name: old → new" on one line, or the new value below where there is no room.
    float wrapped(const XrayLine& line, ImVec2 at, float room) {
        const ImU32 colour = look_colour(theme_, line.look);
        const std::size_t arrow = line.text.find("→ ");
        if (ink_.width(line.text) <= room || arrow == std::string::npos) {
            ink_.text_fit(at, room, colour, line.text);
            return theme_.row();
        }
        ink_.text_fit(at, room, mix(colour, theme_.dim, 0.5f), line.text.substr(0, arrow));
        ink_.text_fit({at.x + theme_.cell() * 2, at.y + theme_.row()}, room, colour,
                      line.text.substr(arrow));
        return theme_.row() * 2;
    }

    /// Links: a register under the mouse is shown in the other panels, a guard leads to its writer.
    void touch(const XrayLine& line, ImVec2 a, ImVec2 b, bool cut) {
        if (!ImGui::IsWindowHovered() || !ImGui::IsMouseHoveringRect(a, b)) return;
        if (line.place.kind == XrayPlace::Kind::File && line.place.index >= scene_.now.window_index)
            scene_.selection.hover_reg = {
                RegisterRef::Kind::Window,
                static_cast<std::uint16_t>(line.place.index - scene_.now.window_index)};
        if (line.crosses >= 0)
            tool_tip(theme_, tr("Another operation of this bundle writes this register. All reads "
                                "come before all writes: the old value is read."));
        else if (line.go_to)
            tool_tip(theme_, tr("Click: go to the bundle that computed the predicate"));
        else if (cut)
            tool_tip(theme_, line.text);
        if (line.go_to && ImGui::IsMouseClicked(ImGuiMouseButton_Left))
            scene_.selection.go_to = line.go_to;
    }

    /// From what is about to be overwritten to who still reads it.
    void crossings() {
        for (const Anchor& read : anchors_) {
            if (read.crosses < 0) continue;
            for (const Anchor& write : anchors_) {
                if (write.crosses >= 0 || write.place != read.place ||
                    static_cast<int>(write.operation) != read.crosses)
                    continue;
                const ImVec2 from = write.at, to = read.at;
                const float bend = (from.x - to.x) * 0.4f;
                ink_.list().AddBezierCubic(from, {from.x - bend, from.y}, {to.x + bend, to.y}, to,
                                           theme_.selection, theme_.px(1.6f));
                const float h = theme_.px(4);
                ink_.triangle({to.x - h, to.y}, {to.x + h, to.y - h}, {to.x + h, to.y + h},
                              theme_.selection);
                break;
            }
        }
    }

    const Scene& scene_;
    const Theme& theme_;
    const XrayState& state_;
    const std::vector<XrayLine>& lines_;
    Ink ink_;
    ImVec2 origin_;
    float right_ = 0, y_ = 0;
    std::array<float, 3> band_left_{}, band_width_{};
    std::vector<Anchor> anchors_;
};

void step_phase(XrayState& state, int by) {
    const int phase = std::clamp(static_cast<int>(state.phase) + by, 0, 2);
    state.phase = static_cast<Phase>(phase);
}

void draw_tools(const Scene& scene, XrayState& state) {
    const Theme& theme = scene.theme;
    const auto phase = [&](const char* label, Phase which, const char* help) {
        if (switch_button(theme, label, state.phase == which, help)) state.phase = which;
    };
    phase(tr("Read"), Phase::Read, tr("What all operations read, before anything is written"));
    phase(tr("Execute"), Phase::Execute, tr("What each unit computes"));
    phase(tr("Commit"), Phase::Commit, tr("What is written, all at once (Left, Right: phases)"));
    ImGui::SameLine(0, 12);
    const bool wrong = scene.now.xray && scene.now.xray->wrong_in_order;
    const auto disabled = scoped::disabled(!wrong);
    if (switch_button(
            theme, tr("As if sequential"), state.sequential && wrong,
            tr("What would be wrong if the operations were executed one after the other")))
        state.sequential = !state.sequential;
    ImGui::NewLine();
}

}  // namespace

std::uint64_t predicate_writer(const machine::CodeView* code, const guest::SymbolTable* symbols,
                               std::uint64_t address, unsigned index) {
    if (!code) return 0;
    const auto at = std::ranges::lower_bound(code->rows, address, {},
                                             [](const auto& row) { return row.bundle.address; });
    const guest::Symbol* const own = symbols ? symbols->find(address) : nullptr;
    std::size_t looked = 0;
    for (auto row = at; row != code->rows.begin() && looked < kSearchBack; ++looked) {
        --row;
        if (!row->valid) return 0;
        if (own && row->bundle.address < own->address && own->function) return 0;
        if (row->bundle.ss.abp) return 0;  // the names have turned since
        if (writes_predicate(row->bundle, index)) return row->bundle.address;
    }
    return 0;
}

std::vector<XrayLine> xray_lines(const Scene& scene, const XrayState& state) {
    std::vector<XrayLine> lines;
    if (!scene.now.xray) return lines;
    Lines maker(scene, state, lines);
    for (std::size_t i = 0; i < scene.now.xray->operations.size(); ++i)
        maker.operation(*scene.now.xray, i);
    return lines;
}

void draw_xray(const Scene& scene, XrayState& state, machine::CommandSink&) {
    if (!scene.now.xray) {
        const Empty reason = empty_reason(scene);
        return empty_state(scene, reason.headline, reason.detail);
    }
    draw_tools(scene, state);
    if (ImGui::IsWindowFocused(ImGuiFocusedFlags_ChildWindows) && !ImGui::GetIO().KeyAlt) {
        if (ImGui::IsKeyPressed(ImGui::GetKeyIndex(ImGuiKey_RightArrow))) step_phase(state, 1);
        if (ImGui::IsKeyPressed(ImGui::GetKeyIndex(ImGuiKey_LeftArrow))) step_phase(state, -1);
    }
    Ink ink(scene);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const bool trap = !scene.now.xray->trap.empty();
    ink.text_fit(at, ImGui::GetContentRegionAvail().x, trap ? scene.theme.error : scene.theme.dim,
                 title_text(scene, *scene.now.xray), Weight::Prose);
    ink.end_row();
    ImGui::Dummy({1, scene.theme.row()});
    const auto body =
        scoped::child("bands", {0, 0}, ImGuiWindowFlags_NoBackground | ImGuiWindowFlags_NoNav);
    const auto lines = xray_lines(scene, state);
    if (lines.empty()) {
        empty_state(scene, tr("An empty bundle"), tr("It only takes a cycle."));
        return;
    }
    Drawing(scene, state, lines).draw();
}

std::string xray_text(const Scene& scene, const XrayState& state) {
    if (!scene.now.xray) {
        const Empty reason = empty_reason(scene);
        return fmt::format("{}\n{}\n", reason.headline, reason.detail);
    }
    std::string out = title_text(scene, *scene.now.xray) + "\n";
    for (const XrayLine& line : xray_lines(scene, state)) {
        if (line.band == Band::Read) out += "  ";
        if (line.band == Band::Execute) out += "    ";
        if (line.band == Band::Commit) out += "      ";
        out += line.text + "\n";
    }
    return out;
}

}  // namespace e2k::ui
