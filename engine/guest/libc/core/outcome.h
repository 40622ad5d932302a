// What a function of the C library bridge ends with when it does not end well.
#pragma once

#include <cstdint>
#include <utility>

#include <tl/expected.hpp>

namespace e2k::guest::libc {

/// Why a library function cannot do what it is asked.
struct Trouble {
    enum class Kind : std::uint8_t {
        Fault,        ///< the guest's pointer is bad: SIGSEGV at `address`
        Error,        ///< the function fails with errno `error`
        Interrupted,  ///< a signal or a pause is waiting: enter the same call again later
        Abort,        ///< the C library would print `message`, end the line and raise SIGABRT
    } kind = Kind::Error;
    bool writing = false;       ///< Fault
    std::uint64_t address = 0;  ///< Fault
    int error = 0;              ///< Error
    const char* message = "";   ///< Abort; a literal

    bool operator==(const Trouble&) const = default;
};

template <class T>
using Outcome = tl::expected<T, Trouble>;

inline tl::unexpected<Trouble> fault(std::uint64_t address, bool writing) {
    return tl::unexpected(Trouble{Trouble::Kind::Fault, writing, address, 0, ""});
}
inline tl::unexpected<Trouble> error(int number) {
    return tl::unexpected(Trouble{Trouble::Kind::Error, false, 0, number, ""});
}
inline tl::unexpected<Trouble> interrupted() {
    return tl::unexpected(Trouble{Trouble::Kind::Interrupted, false, 0, 0, ""});
}
inline tl::unexpected<Trouble> abort_with(const char* message) {
    return tl::unexpected(Trouble{Trouble::Kind::Abort, false, 0, 0, message});
}

}  // namespace e2k::guest::libc
