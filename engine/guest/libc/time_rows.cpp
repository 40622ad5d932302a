// <time.h>. Clocks are read by the guest's own system calls.
#include <array>
#include <cstring>
#include <ctime>

#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {
namespace {

constexpr std::uint32_t kTime = 13, kClockGettime = 267;

Outcome<Value> clock_gettime_(LibraryCall& call) {
    return call.kernel(kClockGettime, call.word(0), call.pointer(1)).map([](std::int64_t v) {
        return Value(v);
    });
}
Outcome<Value> time_(LibraryCall& call) {
    return call.kernel(kTime, call.pointer(0)).map([](std::int64_t v) { return Value(v); });
}
Outcome<Value> clock_(LibraryCall& call) {
    const std::uint64_t scratch = call.thread().scratch_address();
    if (auto done = call.kernel(kClockGettime, CLOCK_PROCESS_CPUTIME_ID, scratch); !done)
        return tl::unexpected(done.error());
    return call.memory.load<timespec>(scratch).map(
        [](const timespec& t) { return Value(t.tv_sec * 1'000'000 + t.tv_nsec / 1000); });
}

/// The broken-down time in the guest's layout, which is the host's but for the pointer in it.
Outcome<Value> store_tm(LibraryCall& call, tm time, std::uint64_t to) {
    const std::uint64_t zone = call.library.statics + Library::kStaticZone;
    const std::string name = time.tm_zone ? time.tm_zone : "UTC";
    time.tm_zone = nullptr;
    if (auto done = call.memory.store_text(zone, name.substr(0, 15)); !done)
        return tl::unexpected(done.error());
    if (auto done = call.memory.store(to, time); !done) return tl::unexpected(done.error());
    if (auto done = call.memory.store(to + offsetof(tm, tm_zone), zone); !done)
        return tl::unexpected(done.error());
    return Value(to);
}

template <tm* (*Convert)(const std::time_t*, tm*), bool Own>
Outcome<Value> break_down(LibraryCall& call) {
    const auto time = call.memory.load<std::time_t>(call.pointer(0));
    if (!time) return tl::unexpected(time.error());
    tm parts{};
    if (!Convert(&*time, &parts)) return error(EOVERFLOW);
    return store_tm(call, parts,
                    Own ? call.pointer(1) : call.library.statics + Library::kStaticTime);
}

Outcome<Value> asctime_(LibraryCall& call) {
    auto parts = call.memory.load<tm>(call.pointer(0));
    if (!parts) return tl::unexpected(parts.error());
    parts->tm_zone = nullptr;
    char text[128];
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto name = [](const auto& list, int index) {
        return index >= 0 && static_cast<std::size_t>(index) < std::size(list) ? list[index]
                                                                               : "???";
    };
    std::snprintf(text, sizeof text, "%.3s %.3s%3d %.2d:%.2d:%.2d %lld\n",
                  name(kDays, parts->tm_wday), name(kMonths, parts->tm_mon), parts->tm_mday,
                  parts->tm_hour, parts->tm_min, parts->tm_sec, 1900ll + parts->tm_year);
    const std::uint64_t to = call.library.statics + Library::kStaticText;
    if (auto done = call.memory.store_text(to, text); !done) return tl::unexpected(done.error());
    return Value(to);
}

constexpr std::array kRows{
    Row{"clock_gettime", "i(i,p)", clock_gettime_},
    Row{"time", "l(p)", time_},
    Row{"clock", "l()", clock_},
    Row{"localtime", "p(p)", break_down<localtime_r, false>},
    Row{"localtime_r", "p(p,p)", break_down<localtime_r, true>},
    Row{"gmtime", "p(p)", break_down<gmtime_r, false>},
    Row{"gmtime_r", "p(p,p)", break_down<gmtime_r, true>},
    Row{"asctime", "s(p)", asctime_},
};

}  // namespace

std::span<const Row> time_rows() { return kRows; }

}  // namespace e2k::guest::libc
