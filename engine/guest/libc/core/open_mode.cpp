#include <fcntl.h>

#include "engine/guest/libc/core/stream.h"

namespace e2k::guest::libc {

std::optional<OpenMode> parse_open_mode(std::string_view text) {
    OpenMode mode;
    if (text.empty()) return std::nullopt;
    switch (text[0]) {
        case 'r':
            mode.read = true;
            break;
        case 'w':
            mode.write = true;
            mode.flags = O_CREAT | O_TRUNC;
            break;
        case 'a':
            mode.write = mode.append = true;
            mode.flags = O_CREAT | O_APPEND;
            break;
        default:
            return std::nullopt;
    }
    // glibc looks at six letters behind the first one, and not behind ",ccs=".
    for (const char c : text.substr(1, 6)) {
        if (c == ',') break;
        if (c == '+') mode.read = mode.write = true;
        if (c == 'x') mode.flags |= O_EXCL;
        if (c == 'e') mode.flags |= O_CLOEXEC;
    }
    mode.flags |= mode.read && mode.write ? O_RDWR : mode.write ? O_WRONLY : O_RDONLY;
    return mode;
}

}  // namespace e2k::guest::libc
