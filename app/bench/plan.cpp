#include "app/bench/plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

namespace e2k::bench {

namespace fs = std::filesystem;

namespace {

/// ELF header with the machine number of Elbrus (EM_MCST_ELBRUS 175; 49 before it was assigned).
bool is_elbrus_program(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::array<char, 20> header{};
    if (!in.read(header.data(), header.size())) return false;
    const int machine =
        static_cast<unsigned char>(header[18]) | static_cast<unsigned char>(header[19]) << 8;
    return std::string_view(header.data(), 4) ==
               "\x7f"
               "ELF" &&
           (machine == 175 || machine == 49);
}

std::string stem(const std::string& name) { return name.substr(0, name.find('_')); }

}  // namespace

std::vector<double> Series::medians() const {
    std::vector<double> all;
    for (std::size_t i = 0;; ++i) {
        std::vector<double> samples;
        for (const auto& figure : figures)
            if (i < figure.size()) samples.push_back(figure[i]);
        if (samples.empty()) return all;
        all.push_back(median(std::move(samples)));
    }
}

double ratio(const ProgramRow& row, std::size_t a, std::size_t b) {
    const std::vector<double> one = row.series[a].medians(), other = row.series[b].medians();
    std::vector<double> quotients;
    for (std::size_t i = 0; i < std::min(one.size(), other.size()); ++i)
        if (one[i] > 0 && other[i] > 0) quotients.push_back(one[i] / other[i]);
    const double mean = geometric_mean(quotients);
    return row.smaller_is_better() && mean > 0 ? 1 / mean : mean;
}

tl::expected<std::vector<std::string>, std::string> find_programs(
    const std::vector<std::string>& paths) {
    std::vector<std::string> programs;
    for (const std::string& path : paths) {
        std::error_code error;
        if (!fs::is_directory(path, error)) {
            if (!fs::exists(path, error))
                return tl::unexpected(fmt::format("{}: no such file or directory", path));
            programs.push_back(fs::absolute(path).string());
            continue;
        }
        std::vector<std::string> here;
        for (const auto& entry : fs::directory_iterator(path, error))
            if (entry.is_regular_file(error) && is_elbrus_program(entry.path()))
                here.push_back(fs::absolute(entry.path()).string());
        std::ranges::sort(here);
        programs.insert(programs.end(), here.begin(), here.end());
    }
    if (programs.empty())
        return tl::unexpected(
            fmt::format("{}: no program for Elbrus there", fmt::join(paths, ", ")));
    return programs;
}

std::string counterpart(const std::string& directory, const std::string& name) {
    std::error_code error;
    const fs::path same = fs::path(directory) / name;
    if (fs::is_regular_file(same, error)) return fs::absolute(same).string();
    std::vector<std::string> candidates;
    for (const auto& entry : fs::directory_iterator(directory, error)) {
        const auto allowed = entry.status(error).permissions();
        if (entry.is_regular_file(error) && (allowed & fs::perms::owner_exec) != fs::perms::none &&
            stem(entry.path().filename().string()) == stem(name))
            candidates.push_back(fs::absolute(entry.path()).string());
    }
    std::ranges::sort(candidates);
    return candidates.empty() ? std::string() : candidates.front();
}

Variant variant_from(const std::string& text) {
    Variant variant;
    const std::size_t equals = text.find('=');
    const bool named = equals != std::string::npos && text.front() != '-';
    variant.name = named ? text.substr(0, equals) : text;
    std::istringstream options(named ? text.substr(equals + 1) : text);
    for (std::string option; options >> option;) variant.run_options.push_back(option);
    return variant;
}

}  // namespace e2k::bench
