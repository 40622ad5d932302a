// Internal to the vector runner: checks of one record. Not part of the module's surface.
#pragma once

#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "engine/machine/vectors.h"

namespace e2k::machine {

using Json = nlohmann::json;

/// Hex string "0x..." or JSON number to a value.
std::uint64_t vector_number(const Json& value);
/// Hex digits to bytes.
std::vector<std::uint8_t> vector_bytes(const std::string& hex);

/// Decode and invalid records. Empty result = agrees, else the difference in words.
std::string check_decode_record(const Json& record);
std::string check_invalid_record(const Json& record);

/// Runs execute records in one small guest space that is reused from record to record.
class VectorMachine {
public:
    /// Error text if the host refuses the address space.
    static tl::expected<std::unique_ptr<VectorMachine>, std::string> create();
    ~VectorMachine();
    /// Empty result = agrees, else the difference in words.
    std::string check(const Json& record, const VectorOptions& options);
    /// Adds what the translator did so far to `report`.
    void count_translation(VectorReport& report) const;

private:
    VectorMachine();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace e2k::machine
