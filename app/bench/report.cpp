// The figures of a benchmark session, for people and for programs.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/bench/plan.h"

namespace e2k::bench {

namespace {

/// Four significant digits, and whole numbers from 1000 on.
std::string number(double value) {
    if (value == 0) return "-";
    if (value >= 1000) return fmt::format("{:.0f}", value);
    const int digits = value >= 100 ? 1 : value >= 10 ? 2 : value >= 1 ? 3 : 4;
    return fmt::format("{:.{}f}", value, digits);
}

/// Half the distance between the best and the worst run, in percent of the median.
double spread(const Series& series) {
    double lowest = 0, highest = 0;
    for (const auto& figure : series.figures) {
        const double value = geometric_mean(figure);
        lowest = lowest == 0 ? value : std::min(lowest, value);
        highest = std::max(highest, value);
    }
    const double middle = series.value();
    return middle > 0 ? (highest - lowest) / 2 / middle * 100 : 0;
}

std::string cell(const Series& series) {
    if (!series.trouble.empty()) return series.trouble;
    return fmt::format("{} ±{:.0f}%", number(series.value()), spread(series));
}

/// Width in characters on a terminal; the only wide-encoded one here is '±'.
std::size_t columns(const std::string& text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t width, bool right) {
    const std::string blanks(width > columns(text) ? width - columns(text) : 0, ' ');
    return right ? blanks + text : text + blanks;
}

std::string laid_out(const std::vector<std::vector<std::string>>& lines) {
    std::vector<std::size_t> widths(lines.front().size(), 0);
    for (const auto& line : lines)
        for (std::size_t i = 0; i < line.size(); ++i)
            widths[i] = std::max(widths[i], columns(line[i]));
    std::string text;
    for (const auto& line : lines) {
        std::string row;
        for (std::size_t i = 0; i < line.size(); ++i)
            row += (i ? "  " : "") + padded(line[i], widths[i], i >= 2);
        row.erase(row.find_last_not_of(' ') + 1);
        text += row + "\n";
    }
    return text;
}

nlohmann::json json_of(const Series& series, const Variant& variant) {
    nlohmann::json runs = nlohmann::json::array();
    for (std::size_t i = 0; i < series.runs.size(); ++i) {
        const ProcessResult& run = series.runs[i];
        runs.push_back({{"wall_s", run.wall},
                        {"user_s", run.user},
                        {"system_s", run.system},
                        {"peak_kib", run.peak_kib},
                        {"exit_code", run.exit_code},
                        {"signal", run.signal},
                        {"figures", series.figures[i]}});
    }
    return {{"variant", variant.name},     {"median", series.value()},
            {"medians", series.medians()}, {"spread_percent", spread(series)},
            {"trouble", series.trouble},   {"runs", runs}};
}

}  // namespace

std::string format_table(const std::vector<ProgramRow>& rows,
                         const std::vector<Variant>& variants) {
    const std::size_t last = variants.size() - 1;
    std::vector<std::vector<std::string>> lines{{"program", "figure"}};
    for (const Variant& variant : variants) lines.front().push_back(variant.name);
    for (std::size_t i = 0; i < last; ++i)
        lines.front().push_back(fmt::format("{} / {}", variants[i].name, variants[last].name));
    for (const ProgramRow& row : rows) {
        std::vector<std::string> line{row.name, row.unit()};
        for (const Series& series : row.series) line.push_back(cell(series));
        for (std::size_t i = 0; i < last; ++i) line.push_back(number(ratio(row, i, last)));
        lines.push_back(std::move(line));
    }
    if (last > 0 && rows.size() > 1) {
        std::vector<std::string> line{"geometric mean", ""};
        line.resize(2 + variants.size());
        for (std::size_t i = 0; i < last; ++i) {
            std::vector<double> all;
            all.reserve(rows.size());
            for (const ProgramRow& row : rows) all.push_back(ratio(row, i, last));
            line.push_back(number(geometric_mean(all)));
        }
        lines.push_back(std::move(line));
    }
    return laid_out(lines);
}

std::string format_json(const std::vector<ProgramRow>& rows, const std::vector<Variant>& variants) {
    nlohmann::json all = nlohmann::json::array();
    for (const ProgramRow& row : rows) {
        nlohmann::json series = nlohmann::json::array();
        for (std::size_t i = 0; i < variants.size(); ++i) {
            nlohmann::json one = json_of(row.series[i], variants[i]);
            if (i + 1 < variants.size()) one["ratio_to_last"] = ratio(row, i, variants.size() - 1);
            series.push_back(std::move(one));
        }
        all.push_back({{"program", row.name},
                       {"path", row.path},
                       {"unit", row.unit()},
                       {"smaller_is_better", row.smaller_is_better()},
                       {"series", std::move(series)}});
    }
    return all.dump(2) + "\n";
}

}  // namespace e2k::bench
