#include "ui/text_engine.h"

#include <array>
#include <optional>
#include <vector>

#include "ui/text.h"

namespace e2k::ui {

namespace {

/// `{}` stands for anything; the first pattern that fits counts. What stood there is looked up
/// itself, so that sentences are made of sentences.
constexpr auto kRussian = std::to_array<Translation>({
    {"Breakpoint at {}", "Точка останова: {}"},
    {"Exited with code {}", "Завершилась с кодом {}"},
    {"Ended by {}", "Окончена: {}"},
    {"signal {}", "сигнал {}"},
    {"Killed", "Снята"},
    {"Paused inside a system call", "Остановлена внутри системного вызова"},
    {"The thread has ended; others go on", "Поток закончился; другие продолжаются"},
    {"This build cannot execute the bundle at {}: {}",
     "Эта сборка не умеет выполнять команду по адресу {}: {}"},
    {"{}: no program is open", "{}: программа не открыта"},
    {"{}: the program has ended; restart it to run again",
     "{}: программа закончилась; начните её заново"},
    {"{} does not exist here", "{}: здесь такого нет"},
    {"{}, at {}, lane ALC{}", "{}, в {}, канал ALC{}"},
    {"{}, at {}", "{}, в {}"},
    {"{}: load from {}, {}", "{}: чтение по адресу {}, {}"},
    {"{}: store to {}, {}", "{}: запись по адресу {}, {}"},
    {"{}: fetch from {}, {}", "{}: выборка команды по адресу {}, {}"},
    {"{}: access to {}, {}", "{}: обращение по адресу {}, {}"},
    {"not mapped", "памяти там нет"},
    {"not aligned", "не выровнено"},
    {"not executable", "выполнять нельзя"},
    {"write-protected", "запись запрещена"},
    {"not readable", "чтение запрещено"},
    {"beyond the address space", "за пределами адресного пространства"},
    {"past the end of the mapped file", "за концом отображённого файла"},
    {"cannot read {} bytes at {}: {}", "нельзя прочесть {} Б по адресу {}: {}"},
    {"cannot write {} bytes at {}: {}", "нельзя записать {} Б по адресу {}: {}"},
    {"nothing is mapped there", "памяти там нет"},
    {"the page is not writable", "запись в страницу запрещена"},
    {"the page is not readable", "чтение страницы запрещено"},
    {"{} is outside the window of {} registers", "{} вне окна из {} регистров"},
    {"{} is outside the rotating area of {} registers", "{} вне вращаемой области из {} регистров"},
});

/// What stands for each `{}` of `pattern`; nothing if it does not fit.
std::optional<std::vector<std::string_view>> fit(std::string_view text, std::string_view pattern) {
    std::vector<std::string_view> out;
    while (true) {
        const std::size_t hole = pattern.find("{}");
        if (hole == std::string_view::npos)
            return text == pattern ? std::optional(std::move(out)) : std::nullopt;
        if (!text.starts_with(pattern.substr(0, hole))) return std::nullopt;
        text.remove_prefix(hole);
        pattern.remove_prefix(hole + 2);
        const std::size_t next = pattern.find("{}");
        const std::string_view behind = pattern.substr(0, next);
        // The last one takes all that is left.
        const std::size_t end =
            behind.empty() ? text.size()
            : next == std::string_view::npos
                ? (text.ends_with(behind) ? text.size() - behind.size() : std::string_view::npos)
                : text.find(behind);
        if (end == std::string_view::npos || end > text.size()) return std::nullopt;
        out.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
}

std::string russian(std::string_view text, int depth) {
    constexpr int kDeepest = 6;
    if (depth > kDeepest) return std::string(text);
    for (const Translation& row : kRussian) {
        const auto parts = fit(text, row.english);
        if (!parts) continue;
        std::string out;
        std::string_view words = row.translated;
        for (const std::string_view part : *parts) {
            const std::size_t hole = words.find("{}");
            out += words.substr(0, hole);
            out += russian(part, depth + 1);
            words.remove_prefix(hole + 2);
        }
        return out + std::string(words);
    }
    return std::string(text);
}

}  // namespace

std::string engine_text(std::string_view text) {
    return language() == Language::Russian ? russian(text, 0) : std::string(text);
}

}  // namespace e2k::ui
