// What the commands say: results, whose loss is an error, and messages, whose loss is not.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace e2k::app {

/// A standard stream that carries the results of a command. The first error ends it: later text is
/// dropped, finish() reports. A broken pipe ends the process by SIGPIPE, as any other program's,
/// unless the caller ignores that signal.
class Results {
public:
    explicit Results(int descriptor) : descriptor_(descriptor) {}
    Results(const Results&) = delete;
    Results& operator=(const Results&) = delete;

    /// False once something could not be written: the command can stop its work.
    bool write(std::string_view text);
    template <class... Args>
    bool print(fmt::format_string<Args...> format, Args&&... args) {
        return write(fmt::format(format, std::forward<Args>(args)...));
    }
    /// Writes what is buffered.
    bool flush();
    /// The exit code: `code`, or kExitFailure with a message if results were lost.
    int finish(int code);

private:
    const int descriptor_;
    std::string buffer_;
    int error_ = 0;
};

/// Standard output; main() finishes it.
Results& results();
/// Standard error, for commands whose guest has standard output for itself; main() finishes it.
Results& results_beside_guest();

/// Writes to standard error, at once and as a whole. Whatever becomes of it (a full disk, a closed
/// descriptor, a broken pipe), the caller goes on and does not notice. Any thread.
void write_message(std::string_view text);
template <class... Args>
void print_message(fmt::format_string<Args...> format, Args&&... args) {
    write_message(fmt::format(format, std::forward<Args>(args)...));
}
/// From now on messages and results beside a guest go where standard error leads now, whatever the
/// guest makes of its descriptor 2: for what the user has asked to see. Without it messages follow
/// the guest's standard error, and nothing keeps the stream open behind its back.
void keep_standard_error();
/// The message, and if memory did not suffice the limit that may be to blame.
std::string with_advice(std::string message);
/// "e2kwb: …" as a message; control characters in it, of file names say, are written out.
void complain(std::string_view text);
/// That the file exists; complains if not.
bool is_there(const std::string& path);

}  // namespace e2k::app
