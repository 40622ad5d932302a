// The first wall of the sandbox: what it does with each system call. Private to engine/guest.
//
// A call that is not in the table is refused. Rules look at numbers only: what a call reads from
// the guest's memory is judged where it is read, once (host_path(), the sockets, attributes).
#pragma once

#include <cstdint>
#include <span>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {

/// 0 or an errno value.
using Judge = int (*)(const Call&);

struct SandboxRule {
    std::uint16_t number;
    const char* name;
    Judge judge;
};

/// All rules, by number.
std::span<const SandboxRule> sandbox_rules();
/// Requests of ioctl and options of prctl that the sandbox knows: the second wall knows no others.
std::vector<std::uint32_t> sandbox_controls();
std::span<const int> sandbox_process_controls();
/// What the sandbox says to `call`: 0, or the error it is refused with.
int judge(const Call& call);

/// The call as its row does it, if the sandbox lets it. Also for calls inside of others (ipc).
std::int64_t perform(const SyscallRow& row, Call& call);

}  // namespace e2k::guest
