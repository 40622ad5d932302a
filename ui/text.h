// Texts for people: English in the sources, other languages from one catalogue (text_ru_*.cpp). A
// text is looked up by its English wording, so that the code stays readable.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace e2k::ui {

enum class Language : std::uint8_t { English, Russian };

/// Of everything drawn from the next frame on. The window has one thread; so has this.
void set_language(Language language);
Language language();
/// "ru", "ru_RU.UTF-8", "russian"; everything else is English.
Language language_named(std::string_view name);
const char* language_code(Language language);  ///< "en", "ru"
/// What the environment asks for (LC_ALL, LC_MESSAGES, LANG).
Language language_of_locale();

/// The text in the language chosen; the English one where there is no translation.
const char* tr(const char* english);
/// The same for texts with values in them: trf("{} calls", n).
template <class... Args>
std::string trf(const char* english, const Args&... args) {
    return fmt::vformat(tr(english), fmt::make_format_args(args...));
}
/// Marks a text that is translated where it is used: tables of names.
constexpr const char* text_mark(const char* english) { return english; }

struct Translation {
    const char* english;
    const char* translated;
};
bool has_translation(Language language, std::string_view english);

}  // namespace e2k::ui
