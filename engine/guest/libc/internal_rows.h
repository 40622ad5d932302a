// What only the guest code of the bridge asks for (stubs/*.s): numbers as in stubs/macros.inc.
#pragma once

#include "engine/guest/libc/row.h"

namespace e2k::guest::libc {

// Of other families.
Outcome<Value> flush_all(LibraryCall& call);    // stdio_rows.cpp
Outcome<Value> thread_next(LibraryCall& call);  // thread_rows.cpp
Outcome<Value> once_begin(LibraryCall& call);
Outcome<Value> once_end(LibraryCall& call);

/// Row `number` < kFirstRow; nullptr: there is none.
const Row* internal_row(std::uint32_t number);

}  // namespace e2k::guest::libc
