// `e2kwb gdb`: a program under a debugger that speaks the gdb remote protocol.
#include <fcntl.h>

#include <cstring>

#include <fmt/format.h>

#include "app/commands.h"
#include "engine/guest/host_signals.h"
#include "engine/tools/gdb/server.h"

namespace e2k::app {

int gdb(const GdbOptions& options) {
    const std::string& path = options.program.argv.front();
    if (!is_there(path)) return kExitNotFound;
    keep_standard_error();
    tools::gdb::ServerOptions server;
    server.path = path;
    server.listen = options.listen;
    server.guest.process = options.program.process();
    server.guest.tier =
        options.program.interpreter ? machine::Tier::Interpreter : machine::Tier::Translator;
    server.own_streams = [&options] {
        // The protocol has standard input and output: the program's output goes beside it.
        if (options.listen != "-") return;
        const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (nothing >= 0) dup2(nothing, 0);
        dup2(2, 1);
    };
    server.say = [&](const std::string& text) { complain(path + ": " + text); };
    const auto result = tools::gdb::serve(std::move(server));
    if (!result) {
        complain(with_advice(result.error()));
        return kExitCannotRun;
    }
    if (result->exit.kind != guest::ExitStatus::Kind::Signaled) return result->exit.value;
    complain(fmt::format("{}: {}", path,
                         result->detail.empty() ? strsignal(result->exit.value) : result->detail));
    return 128 + result->exit.value;
}

}  // namespace e2k::app
