#include "ui/window.h"

#include <glad/gl.h>
#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>
#include <imgui.h>
#include <imgui_impl_glfw.h>
#include <imgui_impl_opengl3.h>
#include <stb_image_write.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "engine/machine/whole_file.h"

namespace e2k::ui {

namespace {

/// A software renderer (Mesa's llvmpipe) takes all processors unless told otherwise; one is for
/// the guest and one for this thread. Others ignore the variable.
void leave_processors_to_the_guest() {
    const unsigned processors = std::max(1u, std::thread::hardware_concurrency());
    const unsigned threads = processors > 2 ? processors - 2 : 0;
    setenv("LP_NUM_THREADS", std::to_string(threads).c_str(), 0);
}

std::string last_glfw_error;  ///< GLFW's error callback has no user pointer

}  // namespace

ImU32 Image::at(int x, int y) const {
    const std::uint8_t* p =
        &rgba[4 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                   static_cast<std::size_t>(x))];
    return IM_COL32(p[0], p[1], p[2], p[3]);
}

tl::expected<void, std::string> Image::write_png(const std::string& path) const {
    std::string bytes;
    const auto append = [](void* to, void* data, int size) {
        static_cast<std::string*>(to)->append(static_cast<const char*>(data),
                                              static_cast<std::size_t>(size));
    };
    if (stbi_write_png_to_func(append, &bytes, width, height, 4, rgba.data(), width * 4) == 0)
        return tl::unexpected("cannot make the picture for " + path);
    if (const auto why = machine::write_whole_file(path, bytes); !why.empty())
        return tl::unexpected("cannot write the picture: " + why);
    return {};
}

tl::expected<std::unique_ptr<Window>, std::string> Window::create(const WindowOptions& options) {
    std::unique_ptr<Window> self(new Window);
    leave_processors_to_the_guest();
    glfwSetErrorCallback([](int, const char* text) { last_glfw_error = text; });
    if (!glfwInit()) return tl::unexpected("cannot open a window: " + last_glfw_error);
    glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 3);
    glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 3);
    glfwWindowHint(GLFW_OPENGL_PROFILE, GLFW_OPENGL_CORE_PROFILE);
    glfwWindowHint(GLFW_VISIBLE, options.visible ? GLFW_TRUE : GLFW_FALSE);
    glfwWindowHintString(GLFW_X11_CLASS_NAME, "e2kwb");
    glfwWindowHintString(GLFW_X11_INSTANCE_NAME, "e2kwb");
    self->window_ =
        glfwCreateWindow(options.width, options.height, options.title.c_str(), nullptr, nullptr);
    if (!self->window_)
        return tl::unexpected("cannot open a window with OpenGL 3.3: " + last_glfw_error);
    glfwMakeContextCurrent(self->window_);
    glfwSwapInterval(options.visible ? 1 : 0);
    if (!gladLoadGL(glfwGetProcAddress))
        return tl::unexpected(std::string("cannot load the functions of OpenGL 3.3"));

    self->scale_ = options.scale;
    if (self->scale_ <= 0) {
        float x = 1, y = 1;
        glfwGetWindowContentScale(self->window_, &x, &y);
        self->scale_ = x > 0 ? x : 1;
    }
    self->offscreen_ = !options.visible;
    self->canvas_ = std::make_unique<Canvas>();
    const bool drawable = self->offscreen_ ? self->canvas_->resize(options.width, options.height)
                                           : self->canvas_->resize(self->width(), self->height());
    if (!drawable) return tl::unexpected(std::string("cannot create a framebuffer to draw into"));

    ImGui::CreateContext();
    ImGuiIO& io = ImGui::GetIO();
    // Dear ImGui would write it in place, whenever it likes; see ini_text().
    io.IniFilename = nullptr;
    if (!options.ini_path.empty()) ImGui::LoadIniSettingsFromDisk(options.ini_path.c_str());
    io.LogFilename = nullptr;
    io.ConfigFlags |= ImGuiConfigFlags_NavEnableKeyboard;
    io.ConfigWindowsMoveFromTitleBarOnly = true;
    self->watch_input();
    ImGui_ImplGlfw_InitForOpenGL(self->window_, true);
    self->watch_keys();
    ImGui_ImplOpenGL3_Init("#version 330 core");
    self->backends_ = true;
    return self;
}

/// GLFW's callbacks only note that something happened; Dear ImGui's are chained before them.
void Window::watch_input() {
    glfwSetWindowUserPointer(window_, this);
    static constexpr auto note = [](GLFWwindow* window) {
        static_cast<Window*>(glfwGetWindowUserPointer(window))->input_arrived_ = true;
    };
    glfwSetCharCallback(window_, [](GLFWwindow* w, unsigned) { note(w); });
    glfwSetMouseButtonCallback(window_, [](GLFWwindow* w, int, int, int) { note(w); });
    glfwSetScrollCallback(window_, [](GLFWwindow* w, double, double) { note(w); });
    glfwSetCursorPosCallback(window_, [](GLFWwindow* w, double, double) { note(w); });
    glfwSetCursorEnterCallback(window_, [](GLFWwindow* w, int) { note(w); });
    glfwSetWindowFocusCallback(window_, [](GLFWwindow* w, int) { note(w); });
    glfwSetFramebufferSizeCallback(window_, [](GLFWwindow* w, int, int) { note(w); });
    glfwSetWindowRefreshCallback(window_, [](GLFWwindow* w) {
        note(w);
        static_cast<Window*>(glfwGetWindowUserPointer(w))->exposed_ = true;
    });
}

/// Instead of Dear ImGui's callback: it would take keys by their place on a US keyboard.
void Window::watch_keys() {
    glfwSetKeyCallback(window_, [](GLFWwindow* w, int key, int scancode, int action, int mods) {
        auto* self = static_cast<Window*>(glfwGetWindowUserPointer(w));
        self->input_arrived_ = true;
        const int number = self->layout_.translate(key, scancode, action != GLFW_RELEASE);
        if (number < 0) return;
        ImGui_ImplGlfw_KeyCallback(w, number, scancode, action, mods);
        if (action == GLFW_PRESS) self->taps_.push_back({number, mods});
    });
}

Window::~Window() {
    if (backends_) {
        ImGui_ImplOpenGL3_Shutdown();
        ImGui_ImplGlfw_Shutdown();
        ImGui::DestroyContext();
    }
    canvas_.reset();
    if (window_) glfwDestroyWindow(window_);
    glfwTerminate();
}

bool Window::should_close() const { return glfwWindowShouldClose(window_); }
void Window::request_close() { glfwSetWindowShouldClose(window_, GLFW_TRUE); }

int Window::width() const {
    if (offscreen_) return canvas_->width();
    int w = 0, h = 0;
    glfwGetFramebufferSize(window_, &w, &h);
    return w;
}
int Window::height() const {
    if (offscreen_) return canvas_->height();
    int w = 0, h = 0;
    glfwGetFramebufferSize(window_, &w, &h);
    return h;
}
void Window::set_title(const std::string& title) { glfwSetWindowTitle(window_, title.c_str()); }
std::string Window::ini_text() const {
    std::size_t size = 0;
    const char* text = ImGui::SaveIniSettingsToMemory(&size);
    return {text, size};
}
void Window::set_clipboard(const std::string& text) {
    glfwSetClipboardString(window_, text.c_str());
}

bool Window::wait(double timeout_seconds) {
    if (timeout_seconds <= 0 || input_arrived_) {
        glfwPollEvents();
    } else {
        glfwWaitEventsTimeout(timeout_seconds);
    }
    return std::exchange(input_arrived_, false);
}

void Window::wake() { glfwPostEmptyEvent(); }

void Window::use_fonts(Theme& theme) {
    load_fonts(theme);
    // The texture is made by the next NewFrame; drop the old one if there is one.
    ImGui_ImplOpenGL3_DestroyFontsTexture();
    ImGui_ImplOpenGL3_CreateFontsTexture();
    canvas_->forget();
}

void Window::begin_frame() {
    ImGui_ImplOpenGL3_NewFrame();
    ImGui_ImplGlfw_NewFrame();
    ImGuiIO& io = ImGui::GetIO();
    // A key pressed and released between two frames would be lost: hold it for this frame.
    for (const Tap& tap : taps_) {
        if (io.KeysDown[tap.key]) continue;
        io.KeysDown[tap.key] = true;
        io.KeyCtrl = io.KeyCtrl || (tap.mods & GLFW_MOD_CONTROL);
        io.KeyShift = io.KeyShift || (tap.mods & GLFW_MOD_SHIFT);
        io.KeyAlt = io.KeyAlt || (tap.mods & GLFW_MOD_ALT);
        held_keys_.push_back(tap.key);
    }
    taps_.clear();
    if (offscreen_) {
        io.DisplaySize = {static_cast<float>(width()), static_cast<float>(height())};
        io.DisplayFramebufferScale = {1, 1};
        io.DeltaTime = 1.0f / 60;
        if (!fake_mouse_) io.MousePos = {-FLT_MAX, -FLT_MAX};
    }
    if (fake_mouse_) {
        io.MousePos = {mouse_.x, mouse_.y};
        io.MouseDown[0] = mouse_.left;
        io.MouseDown[1] = mouse_.right;
        io.MouseWheel = mouse_.wheel;
        mouse_.wheel = 0;
    }
    ImGui::NewFrame();
}

void Window::end_frame(ImU32 background) {
    ImGui::Render();
    ImDrawData& picture = *ImGui::GetDrawData();
    // A minimised window has no size.
    const bool visible = width() > 0 && height() > 0;
    if (visible && canvas_->resize(width(), height())) {
        const bool changed = canvas_->draw(picture, background);
        if (!offscreen_ && (changed || exposed_)) {
            canvas_->present();
            glfwSwapBuffers(window_);
            exposed_ = false;
        }
    }
    for (const int key : held_keys_) ImGui_ImplGlfw_KeyCallback(window_, key, 0, GLFW_RELEASE, 0);
    held_keys_.clear();
}

Image Window::read_pixels() const {
    Image image;
    image.width = width();
    image.height = height();
    const auto stride = static_cast<std::size_t>(image.width) * 4;
    std::vector<std::uint8_t> upside_down(stride * static_cast<std::size_t>(image.height));
    canvas_->bind();
    glPixelStorei(GL_PACK_ALIGNMENT, 1);
    glReadPixels(0, 0, image.width, image.height, GL_RGBA, GL_UNSIGNED_BYTE, upside_down.data());
    image.rgba.resize(upside_down.size());
    for (std::size_t y = 0; y < static_cast<std::size_t>(image.height); ++y) {
        const std::uint8_t* from =
            &upside_down[(static_cast<std::size_t>(image.height) - 1 - y) * stride];
        std::copy(from, from + stride, &image.rgba[y * stride]);
        for (std::size_t x = 3; x < stride; x += 4) image.rgba[y * stride + x] = 255;
    }
    return image;
}

void Window::inject_key(int key, bool ctrl, bool shift, bool alt) {
    const int mods =
        (ctrl ? GLFW_MOD_CONTROL : 0) | (shift ? GLFW_MOD_SHIFT : 0) | (alt ? GLFW_MOD_ALT : 0);
    const auto press = [&](int which) {
        ImGui_ImplGlfw_KeyCallback(window_, which, 0, GLFW_PRESS, mods);
        held_keys_.push_back(which);
    };
    if (ctrl) press(GLFW_KEY_LEFT_CONTROL);
    if (shift) press(GLFW_KEY_LEFT_SHIFT);
    if (alt) press(GLFW_KEY_LEFT_ALT);
    press(key);
    input_arrived_ = true;
}

void Window::inject_mouse(float x, float y, bool left, bool right, float wheel) {
    fake_mouse_ = true;
    mouse_ = {x, y, wheel, left, right};
}

}  // namespace e2k::ui
