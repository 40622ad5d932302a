#include "app/bench/figures.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace e2k::bench {

namespace {

std::vector<double> numbers(const std::string& text) {
    std::vector<double> all;
    std::istringstream in(text);
    for (double value; in >> value;) all.push_back(value);
    return all;
}

std::regex compiled(const std::string& pattern) {
    return std::regex(pattern, std::regex::ECMAScript | std::regex::multiline);
}

/// A rule from its JSON object; throws what nlohmann-json or std::regex throw.
FigureRule from_json(const nlohmann::json& entry) {
    FigureRule rule;
    rule.program = entry.at("program").get<std::string>();
    rule.pattern = compiled(entry.at("pattern").get<std::string>());
    rule.unit = entry.value("unit", "");
    rule.all = entry.value("all", false);
    rule.largest_key = entry.value("largest_key", 0.0);
    return rule;
}

}  // namespace

std::vector<FigureRule> known_figures() {
    // Tables of the memory benchmarks: rows up to 512 KB stay in the second-level cache of current
    // processors; what lies beyond measures the machine's memory, not the translator.
    constexpr double kCacheResident = 512;
    std::vector<FigureRule> rules;
    const auto add = [&](const char* program, const char* unit, const char* pattern,
                         double largest_key = 0) {
        rules.push_back({program, unit, compiled(pattern), largest_key > 0, largest_key});
    };
    add("dhry", "VAX MIPS", R"(VAX\s+MIPS rating =\s+([0-9.]+))");
    add("whet", "MWIPS", R"(^MWIPS\s+([0-9.]+))");
    add("linpack", "Mflops", R"(Precision\s+([0-9.]+) Mflops)");
    add("lloops", "Mflops", R"(Geometric Mean\s+([0-9.]+))");
    add("memspeed", "MB/s", R"(^ +([0-9]+)((?: +[0-9]+){9}) *$)", kCacheResident);
    add("busspeed", "MB/s", R"(^ +([0-9]+)((?: +[0-9]+){6}) *$)", kCacheResident);
    return rules;
}

tl::expected<std::vector<FigureRule>, std::string> read_figures(const std::string& file) {
    std::ifstream in(file);
    if (!in) return tl::unexpected(fmt::format("{}: cannot be read", file));
    std::vector<FigureRule> rules;
    try {
        const auto all = nlohmann::json::parse(in);
        if (!all.is_array()) return tl::unexpected(fmt::format("{}: not an array", file));
        for (const auto& entry : all) {
            try {
                rules.push_back(from_json(entry));
            } catch (const std::exception& e) {
                return tl::unexpected(
                    fmt::format("{}: entry {}: {}", file, rules.size(), e.what()));
            }
        }
    } catch (const nlohmann::json::exception& e) {
        return tl::unexpected(fmt::format("{}: {}", file, e.what()));
    }
    return rules;
}

const FigureRule* rule_for(const std::vector<FigureRule>& rules, std::string_view name) {
    const auto found = std::ranges::find_if(
        rules, [&](const FigureRule& rule) { return name.starts_with(rule.program); });
    return found == rules.end() ? nullptr : &*found;
}

std::vector<double> extract(const FigureRule& rule, const std::string& output) {
    std::vector<double> values;
    const std::size_t group = rule.largest_key > 0 ? 2 : 1;
    if (rule.pattern.mark_count() < group) return values;
    for (std::sregex_iterator match(output.begin(), output.end(), rule.pattern), end; match != end;
         ++match) {
        if (rule.largest_key > 0) {
            const std::vector<double> key = numbers((*match)[1].str());
            if (key.empty() || key.front() > rule.largest_key) continue;
        }
        const std::vector<double> here = numbers((*match)[group].str());
        if (!rule.all) values.clear();
        values.insert(values.end(), here.begin(), here.end());
    }
    return values;
}

double geometric_mean(const std::vector<double>& values) {
    double sum = 0;
    std::size_t count = 0;
    for (const double value : values) {
        if (value <= 0) continue;
        sum += std::log(value);
        ++count;
    }
    return count ? std::exp(sum / static_cast<double>(count)) : 0;
}

double median(std::vector<double> values) {
    if (values.empty()) return 0;
    std::ranges::sort(values);
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace e2k::bench
