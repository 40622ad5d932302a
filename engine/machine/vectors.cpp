// Reading vector files, counting, reporting.
#include "engine/machine/vectors.h"

#include <fmt/format.h>
#include <zlib.h>

#include "engine/machine/vector_records.h"

namespace e2k::machine {
namespace {

/// Lines of a plain or gzip file.
class LineReader {
public:
    explicit LineReader(const std::string& path) : file_(gzopen(path.c_str(), "rb")) {
        if (file_) gzbuffer(file_, 1u << 18);
    }
    ~LineReader() {
        if (file_) gzclose(file_);
    }
    LineReader(const LineReader&) = delete;
    LineReader& operator=(const LineReader&) = delete;

    bool ok() const { return file_ != nullptr; }
    bool next(std::string& line) {
        line.clear();
        char buffer[1 << 14];
        while (gzgets(file_, buffer, sizeof buffer)) {
            line += buffer;
            if (line.back() == '\n') {
                line.pop_back();
                return true;
            }
        }
        return !line.empty();
    }
    /// Text of a read error, "" at a proper end of file.
    std::string error() const {
        int code = Z_OK;
        const char* text = gzerror(file_, &code);
        return code == Z_OK || code == Z_STREAM_END ? std::string{} : text;
    }

private:
    gzFile file_;
};

std::string class_of(const Json& record) {
    if (record.contains("class")) return record["class"];
    if (record.contains("reason")) return "invalid";
    return record.value("src", "") == "apb" ? "decode-async" : "decode";
}

bool wanted(const VectorOptions& options, const std::string& name) {
    if (options.classes.empty()) return true;
    for (const std::string& c : options.classes)
        if (c == name) return true;
    return false;
}

}  // namespace

std::uint64_t vector_number(const Json& value) {
    if (value.is_number()) return value.get<std::uint64_t>();
    if (value.is_boolean()) return value.get<bool>();
    return std::stoull(value.get<std::string>(), nullptr, 16);
}

std::vector<std::uint8_t> vector_bytes(const std::string& hex) {
    std::vector<std::uint8_t> bytes;
    bytes.reserve(hex.size() / 2);
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes.push_back(static_cast<std::uint8_t>(std::stoul(hex.substr(i, 2), nullptr, 16)));
    return bytes;
}

void VectorReport::merge(VectorReport other) {
    for (const auto& [name, count] : other.classes) {
        classes[name].passed += count.passed;
        classes[name].failed += count.failed;
    }
    for (VectorDifference& d : other.differences) differences.push_back(std::move(d));
    passed += other.passed;
    failed += other.failed;
    translated_bundles += other.translated_bundles;
    interpreted_bundles += other.interpreted_bundles;
}

tl::expected<VectorReport, std::string> run_vectors(const std::string& path,
                                                    const VectorOptions& options) {
    LineReader reader(path);
    if (!reader.ok()) return tl::unexpected(fmt::format("{}: cannot be opened", path));
    auto machine = VectorMachine::create();
    if (!machine) return tl::unexpected(machine.error());

    VectorReport report;
    std::string line;
    for (std::size_t number = 1; reader.next(line); ++number) {
        if (line.empty() || (number - 1) % options.every != 0) continue;
        std::string difference, name, id;
        try {
            const Json record = Json::parse(line);
            name = class_of(record);
            if (!wanted(options, name)) continue;
            id = record.at("id");
            if (name == "invalid")
                difference = check_invalid_record(record);
            else if (name == "decode" || name == "decode-async")
                difference = check_decode_record(record);
            else
                difference = (*machine)->check(record, options);
        } catch (const std::exception& e) {  // json's and stoull's way to report bad input
            return tl::unexpected(
                fmt::format("{}:{}: not a vector record: {}", path, number, e.what()));
        }
        VectorCount& count = report.classes[name];
        if (difference.empty()) {
            ++count.passed;
            ++report.passed;
            continue;
        }
        ++count.failed;
        ++report.failed;
        if (report.differences.size() < options.max_differences)
            report.differences.push_back({id, std::move(difference)});
    }
    if (const std::string error = reader.error(); !error.empty())
        return tl::unexpected(fmt::format("{}: {}", path, error));
    (*machine)->count_translation(report);
    return report;
}

std::string format_report(const VectorReport& report) {
    std::string text;
    for (const VectorDifference& d : report.differences)
        text += fmt::format("{}\n{}\n", d.id, d.text);
    text += fmt::format("{:<16}{:>9}{:>9}\n", "class", "passed", "failed");
    for (const auto& [name, count] : report.classes)
        text += fmt::format("{:<16}{:>9}{:>9}\n", name, count.passed, count.failed);
    if (report.translated_bundles != 0)
        text += fmt::format("translator: {} bundles translated, {} left to the interpreter\n",
                            report.translated_bundles, report.interpreted_bundles);
    text += fmt::format("{} passed, {} failed\n", report.passed, report.failed);
    return text;
}

}  // namespace e2k::machine
