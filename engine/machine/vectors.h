// Runs decode and execute vectors: JSON Lines records, plain or gzip, that say what a bundle
// prints as and what it does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "engine/machine/snapshot.h"

namespace e2k::machine {

struct VectorOptions {
    Tier tier = Tier::Interpreter;     ///< what executes the execute records
    std::vector<std::string> classes;  ///< run only these classes; empty = all
    std::uint32_t every = 1;           ///< run each n-th record of a file (sampling)
    std::size_t max_differences = 10;  ///< how many differences are kept in words
    bool exact_tags = false;           ///< model tags in every class, not only where needed
};

/// Results of one class of records (decode records: "decode", "decode-async", "invalid").
struct VectorCount {
    std::size_t passed = 0, failed = 0;
};

/// A record that does not agree, in words: id, what was executed, expected and found.
struct VectorDifference {
    std::string id;
    std::string text;  ///< several lines
};

struct VectorReport {
    std::map<std::string, VectorCount> classes;
    std::vector<VectorDifference> differences;  ///< the first max_differences
    std::size_t passed = 0, failed = 0;
    /// Tier::Translator: bundles that became host code, and bundles it left to the interpreter.
    std::uint64_t translated_bundles = 0, interpreted_bundles = 0;

    void merge(VectorReport other);
};

/// Runs all records of a file. Error: the file cannot be read, or a record is not understood
/// (with its line number).
tl::expected<VectorReport, std::string> run_vectors(const std::string& path,
                                                    const VectorOptions& options);

/// Differences, a table of counts per class, and as last line "N passed, N failed".
std::string format_report(const VectorReport& report);

}  // namespace e2k::machine
