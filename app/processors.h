// Processor names that --cpu accepts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace e2k::app {

/// What a program can ask its processor about: instruction set version and %idr model.
struct Processor {
    std::string_view name;         ///< "e8c2", "elbrus-v5"
    std::string_view description;  ///< for help texts
    int iset;
    std::uint8_t idr_model;  ///< process.md §7
};

/// By name, case ignored. The error lists the names there are.
tl::expected<Processor, std::string> processor_by_name(std::string_view name);
/// "elbrus-v2, elbrus-v3, …, e2c3".
std::string processor_names();

}  // namespace e2k::app
