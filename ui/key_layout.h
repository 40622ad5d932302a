// Keys by what they are labelled with: GLFW numbers them by their place on a US keyboard.
#pragma once

#include <array>

namespace e2k::ui {

/// The number that GLFW has for the key that `name` stands for on a US keyboard. `key`: the key by
/// its place, `name`: what the keyboard's layout writes with it (glfwGetKeyName; null: nothing).
/// Keys that write no Latin letter, digit or sign of a US keyboard keep their place's number where
/// that is a letter or a digit, so that shortcuts exist on every layout; -1 if they are none of it.
int key_by_layout(int key, const char* name);

/// Remembers under which number a key went down, so that it goes up under the same.
class KeyLayout {
public:
    /// Of a GLFW key event; -1: the event is not about a key that anything listens to.
    int translate(int key, int scancode, bool press);

private:
    static constexpr int kKeys = 512;
    std::array<int, kKeys> down_as_{};  ///< number + 1; 0: not down
};

}  // namespace e2k::ui
