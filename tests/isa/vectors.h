// Records of the decode vectors: JSON Lines, plain or gzip-compressed.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace e2k::test {

struct DecodeRecord {
    std::string id, file;
    int iset = 0;
    std::uint64_t address = 0;
    std::vector<std::uint8_t> bytes;
    std::vector<std::string> text;    ///< expected lines
    std::vector<std::string> stock;   ///< what unmodified objdump prints, if different
    std::vector<std::string> asm_in;  ///< real meaning of array-unit accesses
    std::string source, reason, detail;
};

/// Path of a file below ../shared; empty if absent.
std::string shared_path(const std::string& name);
/// Path of a vector file: one of tests/data, or of ../shared/vectors if compressed; empty if
/// absent.
std::string vector_path(const std::string& name);
/// Calls `record` for each line of a plain or gzip file; false if it cannot be read.
bool for_each_record(const std::string& path,
                     const std::function<void(const DecodeRecord&)>& record);

/// Counts records; keeps the first failures readable.
class Tally {
public:
    void check(bool ok, const std::function<std::string()>& explain);
    unsigned total() const { return total_; }
    unsigned failed() const { return failed_; }
    std::string report() const;

private:
    unsigned total_ = 0, failed_ = 0;
    std::vector<std::string> first_;
};

std::string join(std::span<const std::string> lines);

}  // namespace e2k::test
