// Every bundle of a program as it executes, in words.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "engine/machine/machine.h"

namespace e2k::machine {

struct TraceOptions {
    guest::ProcessOptions process;
    bool registers = false;         ///< also what each bundle changed
    std::uint64_t max_bundles = 0;  ///< 0 = until the program ends
};

/// Steps the program's first thread in the interpreter and gives one line per bundle to `line`
/// (without newline), plus lines of changed registers when asked for; a line answered with false
/// is the last. Error: could not start.
tl::expected<HeadlessResult, std::string> trace(const std::string& path, TraceOptions options,
                                                const std::function<bool(std::string_view)>& line);

}  // namespace e2k::machine
