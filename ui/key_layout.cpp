#include "ui/key_layout.h"

#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>

#include <string_view>

namespace e2k::ui {

namespace {

constexpr bool is_letter(int key) { return key >= GLFW_KEY_A && key <= GLFW_KEY_Z; }
constexpr bool is_digit(int key) { return key >= GLFW_KEY_0 && key <= GLFW_KEY_9; }
/// Keys of the main block that write something.
constexpr bool writes(int key) { return key > GLFW_KEY_SPACE && key <= GLFW_KEY_WORLD_2; }

}  // namespace

int key_by_layout(int key, const char* name) {
    if (!writes(key) || !name || !*name) return key;
    // GLFW's numbers of these keys are the characters themselves, letters in capitals.
    constexpr std::string_view kSigns = "'-=[]\\;,./`";
    const char c = *name;
    if (name[1] == 0) {
        if (c >= 'a' && c <= 'z') return GLFW_KEY_A + (c - 'a');
        if (c >= 'A' && c <= 'Z') return GLFW_KEY_A + (c - 'A');
        if (c >= '0' && c <= '9') return GLFW_KEY_0 + (c - '0');
        if (kSigns.find(c) != std::string_view::npos) return static_cast<unsigned char>(c);
        return is_digit(key) ? key : -1;
    }
    return is_letter(key) || is_digit(key) ? key : -1;
}

int KeyLayout::translate(int key, int scancode, bool press) {
    if (key < 0 || key >= kKeys) return -1;
    int& down_as = down_as_[static_cast<std::size_t>(key)];
    if (press || down_as == 0)
        down_as = key_by_layout(key, writes(key) ? glfwGetKeyName(key, scancode) : nullptr) + 1;
    const int number = down_as - 1;
    if (!press) down_as = 0;
    return number;
}

}  // namespace e2k::ui
