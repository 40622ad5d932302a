// Signal numbers as gdb counts them.
#pragma once

namespace e2k::tools::gdb {

/// Of a Linux signal number; the ones gdb has no number for become 143 ("unknown").
int to_gdb(int signal);
/// 0: there is no such signal on Linux.
int from_gdb(int number);

}  // namespace e2k::tools::gdb
