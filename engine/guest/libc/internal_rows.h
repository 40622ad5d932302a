// What only the guest code of the bridge asks for (stubs/*.s): numbers as in stubs/macros.inc.
#pragma once

#include "engine/guest/libc/row.h"
#include "engine/guest/loader/linker.h"

namespace e2k::guest::libc {

// Of other families.
Outcome<Value> flush_all(LibraryCall& call);    // stdio_rows.cpp
Outcome<Value> thread_next(LibraryCall& call);  // thread_rows.cpp
Outcome<Value> once_begin(LibraryCall& call);
Outcome<Value> once_end(LibraryCall& call);

/// Of a driven row: has the guest call what comes next in `startup`, after the result of the call
/// before has been put where it belongs. False: there is nothing left.
bool call_next_of(LibraryCall& call, loader::Startup& startup);

/// Row `number` < kFirstRow; nullptr: there is none.
const Row* internal_row(std::uint32_t number);

}  // namespace e2k::guest::libc
