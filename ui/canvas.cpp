#include "ui/canvas.h"

#include <glad/gl.h>
#include <imgui_impl_opengl3.h>

namespace e2k::ui {

namespace {

PixelRect rect_of(const ImVec4& clip) {
    return {static_cast<int>(clip.x), static_cast<int>(clip.y), static_cast<int>(clip.z),
            static_cast<int>(clip.w)};
}

/// The commands of a list, once for each rectangle they reach.
void restrict_to(const std::vector<PixelRect>& rects, const ImVector<ImDrawCmd>& from,
                 ImVector<ImDrawCmd>& to) {
    to.resize(0);
    for (const ImDrawCmd& command : from) {
        if (command.ElemCount == 0) continue;
        for (const PixelRect& rect : rects) {
            const PixelRect part = rect_of(command.ClipRect).common(rect);
            if (part.empty()) continue;
            to.push_back(command);
            to.back().ClipRect = {static_cast<float>(part.x0), static_cast<float>(part.y0),
                                  static_cast<float>(part.x1), static_cast<float>(part.y1)};
        }
    }
}

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

    // Lists without a command in the rectangles are left out; the others get theirs back after.
    std::vector<ImDrawList*> lists;
    std::vector<ImVector<ImDrawCmd>> kept;
    ImVector<ImDrawCmd> commands;
    for (int i = 0; i < picture.CmdListsCount; ++i) {
        ImDrawList* list = picture.CmdLists[i];
        restrict_to(rects, list->CmdBuffer, commands);
        if (commands.empty()) continue;
        lists.push_back(list);
        kept.push_back(list->CmdBuffer);
        list->CmdBuffer = commands;
    }
    ImDrawData part = picture;
    part.CmdLists = lists.data();
    part.CmdListsCount = static_cast<int>(lists.size());
    ImGui_ImplOpenGL3_RenderDrawData(&part);
    for (std::size_t i = 0; i < lists.size(); ++i) lists[i]->CmdBuffer.swap(kept[i]);
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
