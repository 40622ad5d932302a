#include "ui/canvas.h"

#include <algorithm>
#include <vector>

#include <glad/gl.h>
#include <imgui_impl_opengl3.h>

namespace e2k::ui {

namespace {

PixelRect rect_of(const ImVec4& clip) {
    return {static_cast<int>(clip.x), static_cast<int>(clip.y), static_cast<int>(clip.z),
            static_cast<int>(clip.w)};
}

bool reaches(const ImDrawVert& a, const ImDrawVert& b, const ImDrawVert& c, const PixelRect& rect) {
    const auto [left, right] = std::minmax({a.pos.x, b.pos.x, c.pos.x});
    const auto [top, bottom] = std::minmax({a.pos.y, b.pos.y, c.pos.y});
    return right >= static_cast<float>(rect.x0 - 1) && left <= static_cast<float>(rect.x1 + 1) &&
           bottom >= static_cast<float>(rect.y0 - 1) && top <= static_cast<float>(rect.y1 + 1);
}

/// What a list draws inside some rectangles.
struct Part {
    ImVector<ImDrawCmd> commands;
    ImVector<ImDrawIdx> indices;

    void take(const ImDrawList& list, const ImDrawCmd& command, const PixelRect& rect) {
        const PixelRect clip = rect_of(command.ClipRect).common(rect);
        if (clip.empty()) return;
        const ImDrawVert* corners = list.VtxBuffer.Data + command.VtxOffset;
        const ImDrawIdx* index = list.IdxBuffer.Data + command.IdxOffset;
        const int begin = indices.Size;
        for (unsigned i = 0; i + 2 < command.ElemCount; i += 3) {
            if (!reaches(corners[index[i]], corners[index[i + 1]], corners[index[i + 2]], clip))
                continue;
            for (unsigned k = 0; k < 3; ++k) indices.push_back(index[i + k]);
        }
        if (indices.Size == begin) return;
        commands.push_back(command);
        ImDrawCmd& made = commands.back();
        made.IdxOffset = static_cast<unsigned>(begin);
        made.ElemCount = static_cast<unsigned>(indices.Size - begin);
        made.ClipRect = {static_cast<float>(clip.x0), static_cast<float>(clip.y0),
                         static_cast<float>(clip.x1), static_cast<float>(clip.y1)};
    }
    /// Changes places with what the list draws.
    void swap(ImDrawList& list) {
        list.CmdBuffer.swap(commands);
        list.IdxBuffer.swap(indices);
    }
};

}  // namespace

Canvas::~Canvas() {
    if (!framebuffer_) return;
    glDeleteFramebuffers(1, &framebuffer_);
    glDeleteTextures(1, &colour_);
}

bool Canvas::resize(int width, int height) {
    if (framebuffer_ && width == width_ && height == height_) return true;
    width_ = width;
    height_ = height;
    damage_.forget();
    if (!framebuffer_) {
        glGenFramebuffers(1, &framebuffer_);
        glGenTextures(1, &colour_);
    }
    glBindTexture(GL_TEXTURE_2D, colour_);
    // The order of bytes that windows have, so that presenting is a plain copy.
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, width, height, 0, GL_BGRA, GL_UNSIGNED_INT_8_8_8_8_REV,
                 nullptr);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer_);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, colour_, 0);
    return glCheckFramebufferStatus(GL_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE;
}

bool Canvas::draw(ImDrawData& picture, ImU32 background) {
    const std::vector<PixelRect> rects = damage_.update(picture);
    if (rects.empty()) return false;
    bind();
    glViewport(0, 0, width_, height_);
    const ImVec4 c = ImGui::ColorConvertU32ToFloat4(background);
    glClearColor(c.x, c.y, c.z, 1);
    glEnable(GL_SCISSOR_TEST);
    for (const PixelRect& rect : rects) {
        glScissor(rect.x0, height_ - rect.y1, rect.x1 - rect.x0, rect.y1 - rect.y0);
        glClear(GL_COLOR_BUFFER_BIT);
    }
    glDisable(GL_SCISSOR_TEST);

    // Lists that draw nothing in the rectangles are left out; the others get theirs back after.
    std::vector<ImDrawList*> lists;
    std::vector<Part> parts;
    parts.reserve(static_cast<std::size_t>(picture.CmdListsCount));  // moving one would copy it
    for (int i = 0; i < picture.CmdListsCount; ++i) {
        ImDrawList* list = picture.CmdLists[i];
        Part& part = parts.emplace_back();
        for (const ImDrawCmd& command : list->CmdBuffer)
            for (const PixelRect& rect : rects) part.take(*list, command, rect);
        if (part.commands.empty()) {
            parts.pop_back();
            continue;
        }
        part.swap(*list);
        lists.push_back(list);
    }
    ImDrawData changed = picture;
    changed.CmdLists = lists.data();
    changed.CmdListsCount = static_cast<int>(lists.size());
    ImGui_ImplOpenGL3_RenderDrawData(&changed);
    for (std::size_t i = 0; i < lists.size(); ++i) parts[i].swap(*lists[i]);
    return true;
}

void Canvas::bind() const { glBindFramebuffer(GL_FRAMEBUFFER, framebuffer_); }

void Canvas::present() const {
    glBindFramebuffer(GL_READ_FRAMEBUFFER, framebuffer_);
    glBindFramebuffer(GL_DRAW_FRAMEBUFFER, 0);
    glBlitFramebuffer(0, 0, width_, height_, 0, 0, width_, height_, GL_COLOR_BUFFER_BIT,
                      GL_NEAREST);
}

}  // namespace e2k::ui
