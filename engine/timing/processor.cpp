#include "engine/timing/processor.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "engine/timing/data_file.h"

namespace e2k::timing {

namespace {

using Words = std::span<const std::string_view>;

/// A number with the name that stands in front of it.
struct Field {
    std::string_view name;
    std::uint64_t most;
    std::function<void(std::uint64_t)> set;
};

template <class T>
Field field(std::string_view name, T& to) {
    return {name, std::numeric_limits<T>::max(),
            [&to](std::uint64_t v) { to = static_cast<T>(v); }};
}

/// Pairs "name number" in any order.
std::string take_fields(Words words, std::span<const Field> fields) {
    for (std::size_t i = 0; i < words.size(); i += 2) {
        const auto found = std::ranges::find(fields, words[i], &Field::name);
        if (found == fields.end()) {
            std::string names;
            for (const Field& f : fields)
                names += fmt::format("{}{}", names.empty() ? "" : ", ", f.name);
            return fmt::format("\"{}\" is none of {}", words[i], names);
        }
        std::uint64_t value = 0;
        if (i + 1 == words.size()) return fmt::format("\"{}\" needs a number behind it", words[i]);
        if (!parse_number(words[i + 1], found->most, value))
            return fmt::format("\"{}\" is no number from 0 to {}", words[i + 1], found->most);
        found->set(value);
    }
    return {};
}

/// Reads one processor; each keyword is a function.
class Reader {
public:
    Processor processor;

    std::string take(const DataLine& line) {
        static const std::map<std::string_view, std::string (Reader::*)(Words)> kKeywords{
            {"name", &Reader::name},         {"title", &Reader::title},
            {"version", &Reader::version},   {"mhz", &Reader::mhz},
            {"latency", &Reader::latency},   {"predicate", &Reader::predicate},
            {"prepared", &Reader::prepared}, {"transfer", &Reader::transfer},
            {"window", &Reader::window},     {"chain", &Reader::chain},
            {"cache", &Reader::cache},       {"memory", &Reader::memory},
            {"array", &Reader::array},       {"system-call", &Reader::system_call},
        };
        const auto found = kKeywords.find(line.words.front());
        if (found == kKeywords.end()) {
            std::string names;
            for (const auto& entry : kKeywords)
                names += fmt::format("{}{}", names.empty() ? "" : ", ", entry.first);
            return fmt::format("unknown keyword \"{}\"; known are {}", line.words.front(), names);
        }
        const Words rest = Words(line.words).subspan(1);
        if (rest.empty()) return fmt::format("\"{}\" needs something behind it", found->first);
        return (this->*found->second)(rest);
    }

    /// What a whole file lacks.
    std::string missing() const {
        if (processor.name.empty()) return "no line \"name\"";
        if (processor.mhz <= 0) return "no line \"mhz\"";
        if (processor.caches.empty()) return "no line \"cache L1\"";
        if (processor.memory.latency == 0) return "no line \"memory latency\"";
        return {};
    }

private:
    static std::string joined(Words words) {
        std::string text;
        for (const std::string_view word : words)
            text += (text.empty() ? "" : " ") + std::string(word);
        return text;
    }
    std::string name(Words words) { return processor.name = joined(words), std::string(); }
    std::string title(Words words) { return processor.title = joined(words), std::string(); }
    std::string version(Words words) {
        std::uint64_t value = 0;
        if (!parse_number(words[0], isa::kMaxIset, value) || value < 2)
            return fmt::format("version \"{}\" is not 2 to {}", words[0], isa::kMaxIset);
        processor.version = static_cast<int>(value);
        return {};
    }
    std::string mhz(Words words) {
        std::uint64_t value = 0;
        if (!parse_number(words[0], 100'000, value) || value == 0)
            return fmt::format("mhz \"{}\" is not 1 to 100000", words[0]);
        processor.mhz = static_cast<double>(value);
        return {};
    }
    /// latency CLASS N|operation [cross N] [integer N] [store N] [every N]
    std::string latency(Words words) {
        std::size_t c = 0;
        while (c < kOpClasses && name_of(static_cast<OpClass>(c)) != words[0]) ++c;
        if (c == kOpClasses) {
            std::string names;
            for (std::size_t k = 0; k < kOpClasses; ++k)
                names += fmt::format("{}{}", k ? ", " : "", name_of(static_cast<OpClass>(k)));
            return fmt::format("\"{}\" is no class of operations; they are {}", words[0], names);
        }
        ClassTiming& timing = processor.classes[c];
        std::uint64_t value = 0;
        if (words.size() < 2) return "a latency needs a number of cycles";
        std::size_t next = 2;
        timing.by_operation = words[1] == "operation";
        if (timing.by_operation) {
            if (words.size() < 3)
                return "\"operation\" needs the cycles of those without a latency";
            ++next;
        }
        if (!parse_number(words[next - 1], 255, value) || value == 0)
            return fmt::format("\"{}\" is no number of cycles from 1 to 255", words[next - 1]);
        timing.latency = static_cast<std::uint8_t>(value);
        const std::array fields{field("cross", timing.cross), field("integer", timing.integer),
                                field("store", timing.store), field("every", timing.every)};
        return take_fields(words.subspan(next), fields);
    }
    std::string predicate(Words words) {
        constexpr std::array<std::string_view, 3> kSources{"compare", "float-compare", "logic"};
        const auto found = std::ranges::find(kSources, words[0]);
        if (found == kSources.end())
            return fmt::format("\"{}\" is none of compare, float-compare, logic", words[0]);
        PredicateTiming& p =
            processor.predicates[static_cast<std::size_t>(found - kSources.begin())];
        const std::array fields{field("logic", p.logic), field("guard", p.guard),
                                field("transfer", p.transfer)};
        return take_fields(words.subspan(1), fields);
    }
    std::string prepared(Words words) {
        Processor& p = processor;
        const std::array fields{
            field("label", p.label_to_transfer), field("return", p.return_to_transfer),
            field("system", p.system_to_transfer), field("move", p.move_to_transfer)};
        return take_fields(words, fields);
    }
    std::string transfer(Words words) {
        Processor& p = processor;
        const std::array fields{field("taken", p.taken), field("unprepared", p.unprepared),
                                field("call", p.call), field("return", p.leave)};
        return take_fields(words, fields);
    }
    std::string window(Words words) {
        const std::array fields{field("registers", processor.window_registers),
                                field("spill", processor.spill)};
        return take_fields(words, fields);
    }
    std::string chain(Words words) {
        const std::array fields{field("frames", processor.chain_frames),
                                field("spill", processor.chain_spill)};
        return take_fields(words, fields);
    }
    std::string cache(Words words) {
        CacheTiming c;
        c.name = std::string(words[0]);
        const std::string wanted = fmt::format("L{}", processor.caches.size() + 1);
        if (c.name != wanted) return fmt::format("\"{}\" instead of {}", words[0], wanted);
        const std::array fields{field("size", c.bytes), field("line", c.line),
                                field("ways", c.ways), field("latency", c.latency),
                                field("interval", c.interval)};
        if (std::string wrong = take_fields(words.subspan(1), fields); !wrong.empty()) return wrong;
        const auto power = [](std::uint32_t v) { return v != 0 && (v & (v - 1)) == 0; };
        if (!power(c.line) || c.line < 8 || c.line > 4096)
            return "a line has a power of two of bytes, 8 to 4096";
        if (c.ways == 0 || c.ways > 64) return "ways are 1 to 64";
        if (c.bytes % (c.line * c.ways) != 0 || !power(c.bytes / (c.line * c.ways)))
            return "size / line / ways is no power of two";
        processor.caches.push_back(std::move(c));
        return {};
    }
    std::string memory(Words words) {
        const std::array fields{field("latency", processor.memory.latency),
                                field("interval", processor.memory.interval),
                                field("stores", processor.store_interval)};
        return take_fields(words, fields);
    }
    std::string array(Words words) {
        const std::array fields{field("start", processor.array_start),
                                field("ahead", processor.array_ahead)};
        return take_fields(words, fields);
    }
    std::string system_call(Words words) {
        std::uint64_t value = 0;
        if (!parse_number(words[0], 65535, value))
            return fmt::format("\"{}\" is no number of cycles", words[0]);
        processor.system_call = static_cast<std::uint16_t>(value);
        return {};
    }
};

/// Files of a kind, which their names end with.
std::vector<const BuiltInFile*> built_in(std::string_view ending) {
    std::vector<const BuiltInFile*> files;
    for (std::size_t i = 0; i < kBuiltInFileCount; ++i)
        if (std::string_view(kBuiltInFiles[i].name).ends_with(ending))
            files.push_back(&kBuiltInFiles[i]);
    return files;
}

}  // namespace

tl::expected<Processor, std::string> parse_processor(std::string_view text,
                                                     std::string_view origin) {
    Reader reader;
    std::string wrong =
        for_each_line(text, origin, [&](const DataLine& line) { return reader.take(line); });
    if (!wrong.empty()) return tl::unexpected(std::move(wrong));
    wrong = reader.missing();
    if (!wrong.empty()) return tl::unexpected(fmt::format("{}: {}", origin, wrong));
    reader.processor.source = std::string(text);
    return std::move(reader.processor);
}

std::span<const Processor> processors() {
    static const std::vector<Processor> all = [] {
        std::vector<Processor> list;
        for (const BuiltInFile* file : built_in(".cpu"))
            if (auto processor = parse_processor(file->text, file->name))
                list.push_back(std::move(*processor));  // a test looks that all of them parse
        std::ranges::stable_sort(list, {}, &Processor::version);
        return list;
    }();
    return all;
}

std::string processor_names() {
    std::string names;
    for (const Processor& p : processors()) names += (names.empty() ? "" : ", ") + p.name;
    return names;
}

tl::expected<Processor, std::string> find_processor(const std::string& name) {
    for (const Processor& p : processors())
        if (p.name == name) return p;
    std::ifstream file(name);
    if (name.find('.') == std::string::npos || !file)
        return tl::unexpected(fmt::format(
            "unknown processor \"{}\"; known are {}, and files that describe one (NAME.cpu)", name,
            processor_names()));
    std::ostringstream text;
    text << file.rdbuf();
    return parse_processor(text.str(), name);
}

const Processor& usual_processor(int version) {
    constexpr std::array<std::string_view, 5> kUsual{"e2c+", "e4c", "e8c", "e8c2", "e16c"};
    const std::string_view name = kUsual[static_cast<std::size_t>(std::clamp(version, 2, 6) - 2)];
    const auto found = std::ranges::find(processors(), name, &Processor::name);
    return found != processors().end() ? *found : processors().front();
}

const LibraryCosts::Class* LibraryCosts::find(std::string_view function) const {
    const auto at = std::ranges::lower_bound(
        functions, function, {}, [](const auto& f) { return std::string_view(f.first); });
    return at != functions.end() && at->first == function ? &classes[at->second] : nullptr;
}

tl::expected<LibraryCosts, std::string> parse_library_costs(std::string_view text,
                                                            std::string_view origin) {
    LibraryCosts costs;
    bool has_others = false;
    const auto take = [&](const DataLine& line) -> std::string {
        const auto& words = line.words;
        const auto known = [&](std::string_view name) {
            return std::ranges::find(costs.classes, name, &LibraryCosts::Class::name);
        };
        if (words[0] == "class") {
            std::uint64_t cycles = 0;
            if (words.size() != 3 || !parse_number(words[2], 100'000'000, cycles))
                return "a class is \"class NAME CYCLES\"";
            if (known(words[1]) != costs.classes.end())
                return fmt::format("class \"{}\" has been defined before", words[1]);
            costs.classes.push_back({std::string(words[1]), static_cast<std::uint32_t>(cycles)});
            return {};
        }
        if (words.size() < 2) return "a line is \"class NAME CYCLES\" or \"CLASS FUNCTION…\"";
        const auto found = known(words[0]);
        if (found == costs.classes.end())
            return fmt::format("class \"{}\" has not been defined", words[0]);
        const auto index = static_cast<std::size_t>(found - costs.classes.begin());
        for (const std::string_view function : std::span(words).subspan(1)) {
            if (function == "*") {
                costs.others = index;
                has_others = true;
            } else {
                costs.functions.emplace_back(std::string(function), index);
            }
        }
        return {};
    };
    std::string wrong = for_each_line(text, origin, take);
    if (!wrong.empty()) return tl::unexpected(std::move(wrong));
    if (!has_others)
        return tl::unexpected(fmt::format("{}: no class has \"*\", all other functions", origin));
    std::ranges::sort(costs.functions);
    const auto twice =
        std::ranges::adjacent_find(costs.functions, {}, [](const auto& f) { return f.first; });
    if (twice != costs.functions.end())
        return tl::unexpected(
            fmt::format("{}: function \"{}\" stands twice", origin, twice->first));
    return costs;
}

const LibraryCosts& library_costs() {
    static const LibraryCosts costs = [] {
        for (const BuiltInFile* file : built_in(".costs"))
            if (auto parsed = parse_library_costs(file->text, file->name))
                return std::move(*parsed);
        return LibraryCosts{{{"other", 200}}, {}, 0};
    }();
    return costs;
}

}  // namespace e2k::timing
