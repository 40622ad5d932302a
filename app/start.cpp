#include "app/start.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstring>

#include "engine/guest/limits.h"

namespace e2k::app {

namespace {

Start g_start;

/// Without /proc: numbers beyond this are not looked for.
constexpr int kProbed = 1024;

std::vector<int> open_descriptors() {
    std::vector<int> found;
    DIR* list = opendir("/proc/self/fd");
    if (!list) {
        for (int fd = 0; fd < kProbed; ++fd)
            if (fcntl(fd, F_GETFD) >= 0) found.push_back(fd);
        return found;
    }
    while (const dirent* entry = readdir(list)) {
        int fd = -1;
        const char* end = entry->d_name + std::strlen(entry->d_name);
        if (std::from_chars(entry->d_name, end, fd).ptr == end && fd != dirfd(list))
            found.push_back(fd);
    }
    closedir(list);
    std::ranges::sort(found);
    return found;
}

}  // namespace

void note_start() {
    guest::ResourceLimits::callers();
    g_start.descriptors = open_descriptors();
    struct sigaction action {};
    g_start.ignores_sigpipe =
        sigaction(SIGPIPE, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
    for (int stream = 0; stream < 3; ++stream) {
        if (std::ranges::binary_search(g_start.descriptors, stream)) continue;
        // The lowest free number is this one. Without a descriptor to spare it stays closed.
        static_cast<void>(open("/", O_PATH | O_CLOEXEC));
    }
}

const Start& start() { return g_start; }

}  // namespace e2k::app
