// The printf family.
#pragma once

#include <cstdint>
#include <string>

#include "engine/guest/libc/core/arguments.h"
#include "engine/guest/libc/core/text_sink.h"

namespace e2k::guest::libc {

struct FormatContext {
    GuestMemory memory;
    int guest_errno = 0;  ///< for %m
    /// The __*_chk functions of a fortified program end it where %n stands in writable memory.
    bool fortified = false;
};

/// Text of the numbers is the host's, under the host's rounding mode: the caller sets that to the
/// guest's (cpu::FpEnvironment). Host memory used is bounded whatever the format says.
///
/// Result: the number of bytes put. Errors: EILSEQ (a wide character the C locale does not have),
/// EOVERFLOW, EINVAL (the format ends inside of a conversion), whatever the sink says.
Outcome<int> format(const FormatContext& context, TextSink& sink, std::uint64_t format,
                    VariableArguments arguments);

}  // namespace e2k::guest::libc
