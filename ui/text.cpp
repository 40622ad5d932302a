#include "ui/text.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <unordered_map>

#include "ui/text_ru.h"

namespace e2k::ui {

namespace {

Language chosen = Language::English;

using Index = std::unordered_map<std::string_view, const char*>;

const Index& russian() {
    static const Index index = [] {
        Index all;
        for (const auto part :
             {russian_texts_a(), russian_texts_b(), russian_texts_c(), russian_texts_d()})
            for (const Translation& row : part) all.emplace(row.english, row.translated);
        return all;
    }();
    return index;
}

}  // namespace

void set_language(Language language) { chosen = language; }
Language language() { return chosen; }

Language language_named(std::string_view name) {
    return name.starts_with("ru") ? Language::Russian : Language::English;
}

const char* language_code(Language language) { return language == Language::Russian ? "ru" : "en"; }

Language language_of_locale() {
    for (const char* variable : {"LC_ALL", "LC_MESSAGES", "LANG"})
        if (const char* value = std::getenv(variable); value && *value)
            return language_named(value);
    return Language::English;
}

const char* tr(const char* english) {
    if (chosen == Language::English) return english;
    const auto at = russian().find(english);
    return at == russian().end() ? english : at->second;
}

bool has_translation(Language language, std::string_view english) {
    return language == Language::English || russian().contains(english);
}

}  // namespace e2k::ui
