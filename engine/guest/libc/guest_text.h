// Texts and files of the guest for functions that are more than one system call.
#pragma once

#include <optional>
#include <string>

#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {

/// A block of the guest's heap while a function runs. Not across a call of execve that may succeed:
/// the heap goes with the program.
class GuestBlock {
public:
    static Outcome<GuestBlock> make(LibraryCall& call, std::uint64_t bytes);
    /// With `text` and a null byte.
    static Outcome<GuestBlock> of(LibraryCall& call, const std::string& text);
    GuestBlock(GuestBlock&& other) noexcept
        : call_(other.call_), address_(std::exchange(other.address_, 0)) {}
    GuestBlock& operator=(GuestBlock&&) = delete;
    ~GuestBlock();
    std::uint64_t address() const { return address_; }

private:
    GuestBlock(LibraryCall& call, std::uint64_t address) : call_(call), address_(address) {}
    LibraryCall& call_;
    std::uint64_t address_;
};

/// The file `path`, read by the guest's own system calls. EFBIG where it is larger than `limit`.
Outcome<std::string> read_guest_file(LibraryCall& call, const std::string& path,
                                     std::size_t limit = 4u << 20);

/// `environ`, and the value of a variable in it.
Outcome<std::uint64_t> guest_environment(const LibraryCall& call);
Outcome<std::optional<std::string>> guest_variable(LibraryCall& call, const std::string& name);

/// A text to stderr as fputs would write it.
Outcome<Value> to_stderr(LibraryCall& call, const std::string& text);
/// What variable `name`, __progname or __progname_full, holds.
Outcome<std::string> program_name(LibraryCall& call, std::string_view name);
/// The C locale's text for an errno.
std::string error_text(int number);

}  // namespace e2k::guest::libc
