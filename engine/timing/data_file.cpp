#include "engine/timing/data_file.h"

#include <charconv>

#include <fmt/format.h>

namespace e2k::timing {

std::string for_each_line(std::string_view text, std::string_view origin,
                          const std::function<std::string(const DataLine&)>& take) {
    for (unsigned number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        line = line.substr(0, std::min(line.find('#'), line.size()));
        DataLine data;
        for (;;) {
            const std::size_t begin = line.find_first_not_of(" \t\r");
            if (begin == std::string_view::npos) break;
            line.remove_prefix(begin);
            const std::size_t length = std::min(line.find_first_of(" \t\r"), line.size());
            data.words.push_back(line.substr(0, length));
            line.remove_prefix(length);
        }
        if (data.words.empty()) continue;
        const std::string wrong = take(data);
        if (!wrong.empty()) return fmt::format("{}:{}: {}", origin, number, wrong);
    }
    return {};
}

bool parse_number(std::string_view word, std::uint64_t most, std::uint64_t& value) {
    const char* const end = word.data() + word.size();
    const auto [rest, error] = std::from_chars(word.data(), end, value);
    if (error != std::errc()) return false;
    std::uint64_t factor = 1;
    const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
    if (unit == "K")
        factor = 1 << 10;
    else if (unit == "M")
        factor = 1 << 20;
    else if (!unit.empty())
        return false;
    if (value > most / factor) return false;
    value *= factor;
    return true;
}

}  // namespace e2k::timing
