#include "tests/isa/vectors.h"

#include <zlib.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

namespace e2k::test {
namespace {

struct GzClose {
    void operator()(gzFile f) const { gzclose(f); }
};

std::uint8_t nibble(char c) {
    return static_cast<std::uint8_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

std::vector<std::uint8_t> bytes_of(const std::string& hex) {
    std::vector<std::uint8_t> out(hex.size() / 2);
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = static_cast<std::uint8_t>(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
    return out;
}

DecodeRecord parse(const std::string& line) {
    const auto j = nlohmann::json::parse(line);
    DecodeRecord r;
    r.id = j.value("id", "");
    r.file = j.value("file", "");
    r.iset = j.at("iset").get<int>();
    r.address = std::stoull(j.value("addr", "0x0"), nullptr, 16);
    r.bytes = bytes_of(j.at("hex").get<std::string>());
    r.text = j.value("text", std::vector<std::string>{});
    r.stock = j.value("stock", std::vector<std::string>{});
    r.asm_in = j.value("asm_in", std::vector<std::string>{});
    r.source = j.value("src", "");
    r.reason = j.value("reason", "");
    r.detail = j.value("detail", "");
    if (j.contains("objdump")) r.text = j.at("objdump").get<std::vector<std::string>>();
    return r;
}

}  // namespace

std::string shared_path(const std::string& name) {
    const auto path = std::filesystem::path(E2K_SHARED_DIR) / name;
    return std::filesystem::exists(path) ? path.string() : std::string();
}

std::string vector_path(const std::string& name) {
    if (name.ends_with(".gz")) return shared_path("vectors/" + name);
    return (std::filesystem::path(E2K_SOURCE_DIR) / "tests" / "data" / name).string();
}

bool for_each_record(const std::string& path,
                     const std::function<void(const DecodeRecord&)>& record) {
    std::unique_ptr<std::remove_pointer_t<gzFile>, GzClose> file(gzopen(path.c_str(), "rb"));
    if (!file) return false;
    std::vector<char> buffer(1 << 16);
    std::string line;
    while (gzgets(file.get(), buffer.data(), static_cast<int>(buffer.size()))) {
        line += buffer.data();
        if (line.empty() || line.back() != '\n') continue;
        record(parse(line));
        line.clear();
    }
    if (!line.empty()) record(parse(line));
    return true;
}

void Tally::check(bool ok, const std::function<std::string()>& explain) {
    ++total_;
    if (ok) return;
    ++failed_;
    if (first_.size() < 20) first_.push_back(explain());
}

std::string Tally::report() const {
    std::string out = std::to_string(failed_) + " of " + std::to_string(total_) + " differ";
    for (const auto& f : first_) out += "\n" + f;
    return out;
}

std::string join(std::span<const std::string> lines) {
    std::string out;
    for (const auto& l : lines) out += "    " + l + "\n";
    return out;
}

}  // namespace e2k::test
