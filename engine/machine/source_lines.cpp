#include "engine/machine/source_lines.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include <fmt/format.h>

#include "engine/isa/assembler/program.h"
#include "engine/machine/line_table.h"

namespace e2k::machine {

namespace {

constexpr std::size_t kMostBytes = 4u << 20;  ///< of a source that comments are looked for in
constexpr std::size_t kMostAbove = 12;        ///< comment lines above a statement

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
        text.remove_suffix(1);
    return text;
}

/// Where the comment of a line begins, its length if it has none: `!` outside of quotes.
std::size_t comment_at(std::string_view line) {
    char quote = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (quote) {
            if (c == '\\')
                ++i;
            else if (c == quote)
                quote = 0;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '!') {
            return i;
        }
    }
    return line.size();
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (true) {
        const std::size_t end = text.find('\n');
        lines.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return lines;
        text.remove_prefix(end + 1);
    }
}

void append(std::string& to, std::string_view words) {
    words = trim(words);
    if (words.empty()) return;
    if (!to.empty()) to += ' ';
    to += words;
}

/// The files of a source, read once.
class Texts {
public:
    explicit Texts(std::filesystem::path folder) : folder_(std::move(folder)) {}

    /// Lines of a file, without them if it cannot be read.
    const std::vector<std::string_view>& operator[](const std::string& name) {
        const auto [at, added] = files_.try_emplace(name);
        if (!added) return at->second.lines;
        const std::filesystem::path path(name);
        std::ifstream file(path.is_absolute() ? path : folder_ / path, std::ios::binary);
        at->second.text.assign(std::istreambuf_iterator<char>(file), {});
        if (at->second.text.size() <= kMostBytes) at->second.lines = lines_of(at->second.text);
        return at->second.lines;
    }

private:
    struct File {
        std::string text;
        std::vector<std::string_view> lines;
    };
    std::filesystem::path folder_;
    std::map<std::string, File> files_;
};

/// Comments that stand alone directly above line `line` (from 1) of a file.
std::string comments_above(const std::vector<std::string_view>& lines, int line) {
    if (line < 1) return {};
    std::size_t first = std::min(static_cast<std::size_t>(line) - 1, lines.size());
    const std::size_t end = first;
    while (first > 0 && end - first < kMostAbove && trim(lines[first - 1]).starts_with('!'))
        --first;
    std::string out;
    for (; first < end; ++first) append(out, trim(lines[first]).substr(1));
    return out;
}

std::shared_ptr<const SourceLines> of_assembler_source(const std::string& path) {
    isa::ProgramSourceOptions options;
    options.keep_lines = true;
    const auto program = isa::assemble_file(path, options);
    if (!program) return nullptr;
    auto out = std::make_shared<SourceLines>();
    const std::filesystem::path main(path);
    Texts texts(main.parent_path());
    std::map<std::string, std::uint32_t> known;
    for (const isa::AssembledLine& from : program->lines) {
        if (from.bytes.empty()) continue;
        const std::string file = from.file.empty() ? main.filename().string() : from.file;
        const auto [number, added] =
            known.try_emplace(file, static_cast<std::uint32_t>(out->files.size()));
        if (added) out->files.push_back(file);
        SourceLine& to = out->lines.emplace_back();
        to.address = from.address;
        to.end = from.address + from.bytes.size();
        to.file = number->second;
        to.line = from.line;
        to.last_line = from.last_line;
        to.text = from.text;
        to.note = from.note;
        to.comment = comments_above(texts[file], from.line);
        for (const std::string_view line : lines_of(from.text))
            if (const std::size_t at = comment_at(line); at < line.size())
                append(to.comment, line.substr(at + 1));
    }
    std::ranges::sort(out->lines, {}, &SourceLine::address);
    return out;
}

/// A source of the program in `folder`: where the compiler saw it, else beside the program.
std::string found_source(const std::filesystem::path& folder, const std::string& name) {
    std::error_code ignored;
    const std::filesystem::path path(name);
    for (const std::filesystem::path& at : {path, folder / path, folder / path.filename()})
        if (std::filesystem::is_regular_file(at, ignored))
            return std::filesystem::absolute(at, ignored).string();
    return name;
}

std::shared_ptr<const SourceLines> of_line_table(const std::string& path) {
    const LineTable table = read_line_table(path);
    if (table.rows.empty()) return nullptr;
    auto out = std::make_shared<SourceLines>();
    const std::filesystem::path folder =
        std::filesystem::absolute(std::filesystem::path(path)).parent_path();
    for (const std::string& file : table.files) out->files.push_back(found_source(folder, file));
    Texts texts(folder);
    std::uint64_t behind = 0;
    for (const LineTable::Row& row : table.rows) {
        if (row.address < behind) continue;  // two tables speak of the same bytes: the first
        behind = row.end;
        SourceLine& to = out->lines.emplace_back();
        to.address = row.address;
        to.end = row.end;
        to.file = row.file;
        to.line = to.last_line = row.line;
        const std::string& file = out->files[row.file];
        const auto& lines = texts[file];
        if (static_cast<std::size_t>(row.line) <= lines.size())
            to.text = lines[static_cast<std::size_t>(row.line) - 1];
        to.comment =
            fmt::format("{}:{}", std::filesystem::path(file).filename().string(), row.line);
        if (const auto words = trim(to.text); !words.empty())
            to.comment += fmt::format("  {}", words);
    }
    return out;
}

}  // namespace

std::shared_ptr<const SourceLines> source_lines(const std::string& path) {
    return isa::is_assembler_source(path) ? of_assembler_source(path) : of_line_table(path);
}

}  // namespace e2k::machine
