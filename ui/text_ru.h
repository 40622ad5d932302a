// The Russian texts of the window, in parts.
#pragma once

#include <span>

#include "ui/text.h"

namespace e2k::ui {

std::span<const Translation> russian_texts_a();
std::span<const Translation> russian_texts_b();
std::span<const Translation> russian_texts_c();
std::span<const Translation> russian_texts_d();

}  // namespace e2k::ui
