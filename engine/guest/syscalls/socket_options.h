// Which socket options and control messages pass to the host. What is not listed is refused: an
// option may hold an address, a descriptor or a length in units of its own. Private to
// engine/guest.
#pragma once

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {

std::int64_t set_socket_option(Call& call);  ///< setsockopt: fd, level, name, value, length
std::int64_t get_socket_option(Call& call);  ///< getsockopt: fd, level, name, value, length
/// Control messages of this level hold numbers only (and descriptors, where they are translated).
bool plain_control_level(int level);

}  // namespace e2k::guest
