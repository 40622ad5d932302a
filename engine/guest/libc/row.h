// The table of the C library bridge: one row, one function. Adding one: engine/README.md.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "engine/guest/libc/core/outcome.h"

namespace e2k::guest::libc {

class LibraryCall;

/// What a function returns: %r0, and %r1 for 16 bytes. Integers are extended to 64 bits.
struct Value {
    std::uint64_t low = 0, high = 0;

    Value() = default;
    template <class T>
    requires std::is_integral_v<T> Value(T v)  // NOLINT: every integer is a value
        : low(std::is_signed_v<T> ? static_cast<std::uint64_t>(static_cast<std::int64_t>(v))
                                  : static_cast<std::uint64_t>(v)) {}
    Value(double v) { std::memcpy(&low, &v, sizeof v); }  // NOLINT
    Value(float v) { std::memcpy(&low, &v, sizeof v); }   // NOLINT
    Value(long double v) {                                // NOLINT
        std::memcpy(&low, &v, 8);
        std::uint16_t sign_exponent = 0;
        std::memcpy(&sign_exponent, reinterpret_cast<const char*>(&v) + 8, sizeof sign_exponent);
        high = sign_exponent;
    }
    static Value pair(std::uint64_t low, std::uint64_t high) {
        Value value;
        value.low = low;
        value.high = high;
        return value;
    }
};

/// What a row does. Trouble::Error sets errno and returns -1, or NULL where the signature says
/// that a pointer is returned; Fault is SIGSEGV at the stub; Interrupted lets signals in and enters
/// the function again from scratch, so nothing may have been consumed.
using Function = Outcome<Value> (*)(LibraryCall&);

struct Row {
    /// "name@VERSION" is what programs get that ask for that version; all others get "name". Sorted
    /// within the whole table (library_rows()).
    std::string_view name;
    /// Result and arguments, for the log and for the result of an error: i int, u unsigned, l long,
    /// L unsigned long, p pointer, s text, S FILE*, d double, f float, D long double, F function,
    /// v nothing, "..." variable arguments: "i(s,...)".
    const char* signature = "";
    Function function = nullptr;
    /// The guest code around it (stubs/start.s). kDriven: the function is entered again and again,
    /// and may name a function of the guest to be called in between (LibraryCall::call_next).
    std::string_view stub = kPlain;

    static constexpr std::string_view kPlain = "bridge_stub", kDriven = "driven_stub";
    bool driven() const { return stub == kDriven; }
};

/// Families of rows (one file each).
std::span<const Row> memory_rows();
std::span<const Row> string_rows();
std::span<const Row> number_rows();
std::span<const Row> math_rows();
std::span<const Row> time_rows();
std::span<const Row> process_rows();
std::span<const Row> thread_rows();
std::span<const Row> lock_rows();
std::span<const Row> semaphore_rows();
std::span<const Row> call_rows();
std::span<const Row> wide_rows();
std::span<const Row> thread_state_rows();
std::span<const Row> stdio_rows();
std::span<const Row> scan_rows();
std::span<const Row> stream_rows();
std::span<const Row> message_rows();
std::span<const Row> text_rows();
std::span<const Row> character_rows();
std::span<const Row> environment_rows();
std::span<const Row> option_rows();
std::span<const Row> standard_rows();
std::span<const Row> checked_rows();
std::span<const Row> stat_rows();
std::span<const Row> system_rows();
std::span<const Row> kernel_rows();
std::span<const Row> program_rows();
std::span<const Row> spawn_rows();
std::span<const Row> path_rows();
std::span<const Row> account_rows();
std::span<const Row> pattern_rows();
std::span<const Row> network_rows();
std::span<const Row> convert_rows();
std::span<const Row> dynamic_rows();
std::span<const Row> obstack_rows();
std::span<const Row> system_log_rows();

/// All rows, by name; the number of a row is its place plus kFirstRow.
std::span<const Row> library_rows();
/// The name under which a function of several names is in the tables (aliases.cpp).
std::string_view first_name(std::string_view name);
const Row* find_row(std::string_view name);

/// Rows below are those that only the guest code of the bridge calls (internal_rows.h); from
/// kFirstMissing on each number stands for a name that nobody has.
inline constexpr std::uint32_t kFirstRow = 64, kFirstMissing = 1u << 16;

}  // namespace e2k::guest::libc
