// Lines of words: what the data files of the cycle model are made of.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace e2k::timing {

/// A line without its comment, cut into words.
struct DataLine {
    std::vector<std::string_view> words;
};

/// Gives every line that says something to `take`, which answers with what is wrong with it or with
/// nothing. Returns "ORIGIN:LINE: …" for the first error, else nothing.
std::string for_each_line(std::string_view text, std::string_view origin,
                          const std::function<std::string(const DataLine&)>& take);

/// "64K", "2M", "300"; at most `most`. False: no such number.
bool parse_number(std::string_view word, std::uint64_t most, std::uint64_t& value);

/// Texts built in (assets/processors), made by CMake.
struct BuiltInFile {
    const char* name;
    const char* text;
};
extern const BuiltInFile kBuiltInFiles[];
extern const std::size_t kBuiltInFileCount;

}  // namespace e2k::timing
