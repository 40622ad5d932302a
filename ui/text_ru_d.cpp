// Russian texts, part d: lessons and the source; text.h says how they are found.
#include <array>

#include "ui/text_ru.h"

namespace e2k::ui {

namespace {

constexpr auto kTexts = std::to_array<Translation>({
    {"Lesson", "Урок"},
    {"Lessons that play beside the panels: read, predict, look",
     "Уроки, которые идут рядом с панелями: прочесть, предсказать, посмотреть"},
    {"Lessons", "Уроки"},
    {"Each plays on a program: read, predict, look. Nothing can be broken: a page always begins "
     "where it must.",
     "Каждый идёт на своей программе: прочесть, предсказать, посмотреть. Сломать ничего нельзя: "
     "страница всегда начинается там, где нужно."},
    {"faulty", "с ошибкой"},
    {"done", "пройден"},
    {"{} pages", "страниц: {}"},
    {"{} · page {} of {}", "{} · страница {} из {}"},
    {"Free play: step, change, look around as you like.",
     "Свободная игра: шагайте, меняйте, осматривайтесь."},
    {"The program is on its way…", "Программа выполняется…"},
    {"Right.", "Верно."},
    {"Not so: it is {}.", "Не так: на самом деле {}."},
    {"Not so. Try again.", "Не так. Попробуйте ещё раз."},
    {"Line {} of the lesson: {}", "Строка урока {}: {}"},
    {"Look", "Посмотреть"},
    {"Answer", "Ответить"},
    {"your prediction", "ваше предсказание"},
    {"your answer", "ваш ответ"},
    {"Back###back", "Назад###back"},
    {"Next###next", "Дальше###next"},
    {"Again###again", "Сначала###again"},
    {"Leave###leave", "Закончить###leave"},
    {"All lessons###next", "Все уроки###next"},
    {"The page before", "Предыдущая страница"},
    {"The next page", "Следующая страница"},
    {"Begin this lesson again", "Начать этот урок сначала"},
    {"The list of lessons", "Список уроков"},
    {"No lessons", "Уроков нет"},
    {"They lie in assets/lessons.", "Они лежат в assets/lessons."},
    {"Assemble and restart", "Ассемблировать и начать заново"},
    {"Assemble the source as it stands in the window and start it",
     "Ассемблировать исходный текст, как он стоит в окне, и запустить его"},
    {"Save source", "Сохранить исходный текст"},
    {"Write the source to its file", "Записать исходный текст в его файл"},
    {"The program's assembler source: change it, F6 assembles it and starts again",
     "Исходный текст программы на ассемблере: меняйте его, F6 ассемблирует и начинает заново"},
    {"No source", "Исходного текста нет"},
    {"A program that ends in .s can be changed here: open one of the demonstrations.",
     "Здесь можно менять программы, имя которых кончается на .s: откройте одну из демонстраций."},
    {"Assemble", "Ассемблировать"},
    {"Save", "Сохранить"},
    {"Save as…", "Сохранить как…"},
    {"Write it to another file and go on with that", "Записать в другой файл и продолжить с ним"},
    {"Look for text in the source (Ctrl+F); F3 finds the next",
     "Искать текст в исходнике (Ctrl+F); F3 — следующее место"},
    {"{}\nNot saved", "{}\nНе сохранено"},
    {"text", "текст"},
    {"Next", "Дальше"},
    {"failed", "сбой"},
    {"output, line {}: \"{}\" → \"{}\"", "вывод, строка {}: «{}» → «{}»"},
    {"This run: {} bundles, {} operations, {}", "Этот запуск: команд {}, операций {}, {}"},
    {"Nothing changed against the run before", "По сравнению с прошлым запуском всё то же"},
    {"bundles", "команд"},
    {"operations", "операций"},
    {"Save the source first: there is no place for a copy",
     "Сначала сохраните исходный текст: для копии нет места"},
    {"return", "возврат"},
    {"label", "метка"},
    {"numeric", "число"},
    {"system", "система"},
    {"system entry {}", "системный вход {}"},
    {"Breakpoints without their label: {}", "Точки останова, чьей метки больше нет: {}"},
});

}  // namespace

std::span<const Translation> russian_texts_d() { return kTexts; }

}  // namespace e2k::ui
