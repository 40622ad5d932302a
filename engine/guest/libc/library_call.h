// One call of a library function in progress: its arguments, the guest's memory, system calls.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "engine/guest/libc/core/arguments.h"
#include "engine/guest/libc/core/guest_memory.h"
#include "engine/guest/libc/library.h"
#include "engine/guest/libc/row.h"
#include "engine/guest/syscalls/call.h"

namespace e2k::guest::libc {

class LibraryCall {
public:
    LibraryCall(Call& call, Library& library)
        : system(call), library(library), memory(call.memory()) {}

    Call& system;  ///< process, thread, blocking host calls
    Library& library;
    GuestMemory memory;
    /// After Trouble::Interrupted: a handler may not have the call restarted (sleeps, polls).
    bool restartable = true;

    // --- arguments ---

    /// Of the first eight places (calling.md §2). A place that the caller has not filled
    /// is 0.
    std::uint64_t word(unsigned k) const;
    int integer(unsigned k) const { return static_cast<int>(word(k)); }
    std::uint32_t unsigned_integer(unsigned k) const { return static_cast<std::uint32_t>(word(k)); }
    std::int64_t long_integer(unsigned k) const { return static_cast<std::int64_t>(word(k)); }
    std::uint64_t pointer(unsigned k) const { return word(k); }
    std::uint64_t size(unsigned k) const { return word(k); }
    double real(unsigned k) const;
    float single(unsigned k) const;
    /// `k` is even.
    long double long_real(unsigned k) const;
    /// Any place: the ninth and the following are in memory.
    Outcome<std::uint64_t> place(unsigned k) const;
    /// Those behind the `named` first ones of a variadic function; they are in memory.
    VariableArguments variable(unsigned named) const;
    /// Those of a va_list in place `k`.
    VariableArguments list(unsigned k) const { return {memory, word(k)}; }
    Outcome<std::string> text(unsigned k, std::size_t limit = 16u << 20) const {
        return memory.text(word(k), limit);
    }

    // --- services ---

    /// A system call of the guest by its number, through the sandbox; pointers are the guest's.
    /// The result, or the error; Interrupted: return it.
    Outcome<std::int64_t> kernel(std::uint32_t number, std::uint64_t a = 0, std::uint64_t b = 0,
                                 std::uint64_t c = 0, std::uint64_t d = 0, std::uint64_t e = 0,
                                 std::uint64_t f = 0);
    /// The call in progress on this host thread; only while a row runs.
    static LibraryCall& current();
    /// Makes a call the current one.
    class Scope {
    public:
        explicit Scope(LibraryCall& call);
        ~Scope();
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;

    private:
        LibraryCall* before_;
    };
    /// The same when a call is entered again, another one in calls of a handler meanwhile.
    std::uint64_t place_of_call() const { return place_of_call(system.thread.state); }
    static std::uint64_t place_of_call(const cpu::CpuState& state);
    int guest_errno() const;
    void set_errno(int number) const;
    /// What the calling thread has of the library.
    ThreadData& thread() const { return *system.thread.library; }

    // --- for the guest code of the bridge (stubs/*.s) ---

    /// Of a driven row, see call_next(). `k` up to 3.
    std::uint64_t state(unsigned k) const { return stub_register(kFirstState + k); }
    void set_state(unsigned k, std::uint64_t value) const {
        set_stub_register(kFirstState + k, value);
    }
    std::uint64_t last_result() const { return stub_register(kLastResult); }
    static constexpr unsigned kLastResult = 9, kFirstState = 10;

    /// A register of the stub that has called.
    std::uint64_t stub_register(unsigned k) const;
    void set_stub_register(unsigned k, std::uint64_t value) const;
    /// The function that the stub calls next, 0: none. The row is then entered again; of its own it
    /// has `state(k)`, which are 0 at first, and `last_result()`.
    void call_next(std::uint64_t function, std::array<std::uint64_t, 4> arguments = {}) const;
};

}  // namespace e2k::guest::libc
