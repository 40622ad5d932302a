#include "tests/support/display.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace e2k::test {

namespace {

/// Ends the server with the test process.
struct Server {
    pid_t pid = -1;
    ~Server() {
        if (pid <= 0) return;
        ::kill(pid, SIGTERM);
        ::waitpid(pid, nullptr, 0);
    }
};

std::string start_xvfb() {
    static Server server;
    int ready[2];
    if (::pipe(ready) != 0) return "pipe failed";
    const pid_t pid = ::fork();
    if (pid < 0) return "fork failed";
    if (pid == 0) {
        ::close(ready[0]);
        // The server must not outlive the tests, even when they crash, nor keep their output open.
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        const int null = ::open("/dev/null", O_RDWR);
        for (const int stream : {0, 1, 2}) ::dup2(null, stream);
        const std::string fd = std::to_string(ready[1]);
        // The server prints its display number to the pipe once it accepts clients.
        ::execlp("Xvfb", "Xvfb", "-displayfd", fd.c_str(), "-screen", "0", "1920x1080x24",
                 "-nolisten", "tcp", "-noreset", static_cast<char*>(nullptr));
        ::_exit(127);
    }
    ::close(ready[1]);
    server.pid = pid;
    std::string number;
    for (char c = 0; ::read(ready[0], &c, 1) == 1 && c != '\n';) number += c;
    ::close(ready[0]);
    if (number.empty()) return "no DISPLAY and Xvfb does not start (apt-get install xvfb)";
    ::setenv("DISPLAY", (":" + number).c_str(), 1);
    return {};
}

}  // namespace

std::string need_display() {
    static const std::string kProblem = [] {
        const char* display = std::getenv("DISPLAY");
        return display && *display ? std::string() : start_xvfb();
    }();
    return kProblem;
}

}  // namespace e2k::test
