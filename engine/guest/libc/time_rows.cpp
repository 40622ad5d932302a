// <time.h>. Clocks are read by the guest's own system calls.
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "engine/guest/libc/core/c_locale.h"
#include "engine/guest/libc/guest_text.h"

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

// --- the time zone: the guest's TZ and the files it may read ---

/// Where a name of a zone is. There are not many; a program that makes more up gets them shortened
/// to one.
Outcome<std::uint64_t> zone_name(LibraryCall& call, const std::string& name) {
    constexpr std::size_t kMost = 512;
    auto& names = call.library.clock.names;
    const std::string kept = names.size() < kMost ? name.substr(0, 63) : "???";
    if (const auto known = names.find(kept); known != names.end()) return known->second;
    const auto at = call.library.heap.allocate(kept.size() + 1);
    if (!at) return at;
    if (auto done = call.memory.store_text(*at, kept); !done) return tl::unexpected(done.error());
    names.emplace(kept, *at);
    return *at;
}

Outcome<std::shared_ptr<const Zone>> make_zone(LibraryCall& call,
                                               const std::optional<std::string>& tz) {
    std::string name = tz.value_or("/etc/localtime");
    if (name.starts_with(':')) name.erase(0, 1);
    if (name.empty()) return std::make_shared<const Zone>();
    std::string path = name;
    if (path.front() != '/') {
        const auto directory = guest_variable(call, "TZDIR");
        if (!directory) return tl::unexpected(directory.error());
        path = directory->value_or("/usr/share/zoneinfo") + '/' + name;
    }
    constexpr std::size_t kLargest = 1u << 20;
    const auto bytes = read_guest_file(call, path, kLargest);
    if (!bytes && bytes.error().kind == Trouble::Kind::Interrupted)
        return tl::unexpected(bytes.error());
    if (bytes)
        if (auto zone = Zone::from_file(*bytes)) return std::make_shared<const Zone>(*zone);
    return std::make_shared<const Zone>(tz ? Zone::from_text(name) : Zone());
}

/// tzset: the zone of the environment's TZ, which is also published in the library's variables.
Outcome<std::shared_ptr<const Zone>> current_zone(LibraryCall& call) {
    const auto tz = guest_variable(call, "TZ");
    if (!tz) return tl::unexpected(tz.error());
    auto& clock = call.library.clock;
    const std::lock_guard lock(clock.mutex);
    if (!clock.zone || clock.tz != *tz) {
        auto zone = make_zone(call, *tz);
        if (!zone) return zone;
        clock.zone = std::move(*zone);
        clock.tz = *tz;
    }
    const auto seasons = clock.zone->seasons();
    for (std::uint64_t k = 0; k < seasons.size(); ++k) {
        const auto name = zone_name(call, seasons[k].name);
        if (!name) return tl::unexpected(name.error());
        if (auto done = call.memory.store(call.library.variable("tzname") + 8 * k, *name); !done)
            return tl::unexpected(done.error());
    }
    const std::int64_t west = -std::int64_t{seasons[0].offset};
    const std::int32_t daylight = clock.zone->has_daylight() ? 1 : 0;
    if (auto done = call.memory.store(call.library.variable("timezone"), west); !done)
        return tl::unexpected(done.error());
    if (auto done = call.memory.store(call.library.variable("daylight"), daylight); !done)
        return tl::unexpected(done.error());
    return clock.zone;
}
Outcome<Value> tzset_(LibraryCall& call) {
    return current_zone(call).map([](const auto&) { return Value(); });
}

// --- broken-down time: the guest's layout is the host's but for the pointer in it ---

Outcome<Value> store_tm(LibraryCall& call, tm time, const std::string& zone, std::uint64_t to) {
    std::uint64_t name = 0;
    {
        const std::lock_guard lock(call.library.clock.mutex);
        const auto at = zone_name(call, zone);
        if (!at) return tl::unexpected(at.error());
        name = *at;
    }
    time.tm_zone = nullptr;
    if (auto done = call.memory.store(to, time); !done) return tl::unexpected(done.error());
    return call.memory.store(to + offsetof(tm, tm_zone), name).map([&] { return Value(to); });
}
Outcome<tm> load_tm(const LibraryCall& call, std::uint64_t from) {
    return call.memory.load<tm>(from).map([](tm time) {
        time.tm_zone = nullptr;  // an address of the guest
        return time;
    });
}

/// The fields of `time` in a zone.
Outcome<tm> broken_down(std::int64_t time, const Zone::Type& type) {
    std::int64_t shown = 0;
    tm parts{};
    if (__builtin_add_overflow(time, std::int64_t{type.offset}, &shown)) return error(EOVERFLOW);
    if (!gmtime_r(&shown, &parts)) return error(EOVERFLOW);
    parts.tm_isdst = type.daylight ? 1 : 0;
    parts.tm_gmtoff = type.offset;
    return parts;
}

/// `own`: the result goes to the place of the second argument.
Outcome<Value> break_down(LibraryCall& call, bool local, bool own) {
    const auto time = call.memory.load<std::int64_t>(call.pointer(0));
    if (!time) return tl::unexpected(time.error());
    Zone::Type type{0, false, "GMT"};
    if (local) {
        const auto zone = current_zone(call);
        if (!zone) return tl::unexpected(zone.error());
        type = (*zone)->at(*time);
    }
    const auto parts = broken_down(*time, type);
    if (!parts) return tl::unexpected(parts.error());
    return store_tm(call, *parts, type.name,
                    own ? call.pointer(1) : call.library.statics + Library::kStaticTime);
}
template <bool Local, bool Own>
Outcome<Value> break_down_(LibraryCall& call) {
    return break_down(call, Local, Own);
}

Outcome<Value> mktime_(LibraryCall& call) {
    const auto parts = load_tm(call, call.pointer(0));
    if (!parts) return tl::unexpected(parts.error());
    const auto zone = current_zone(call);
    if (!zone) return tl::unexpected(zone.error());
    const auto time = (*zone)->time_of(*parts);
    if (!time) return error(EOVERFLOW);
    const Zone::Type& type = (*zone)->at(*time);
    const auto whole = broken_down(*time, type);
    if (!whole) return tl::unexpected(whole.error());
    return store_tm(call, *whole, type.name, call.pointer(0)).map([&](const Value&) {
        return Value(*time);
    });
}
Outcome<Value> timegm_(LibraryCall& call) {
    auto parts = load_tm(call, call.pointer(0));
    if (!parts) return tl::unexpected(parts.error());
    errno = 0;
    const std::int64_t time = timegm(&*parts);
    if (time == -1 && errno != 0) return error(errno);
    return store_tm(call, *parts, "GMT", call.pointer(0)).map([&](const Value&) {
        return Value(time);
    });
}

// --- text ---

/// asctime's line.
std::string line_of(const tm& parts) {
    char text[128];
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto name = [](const auto& list, int index) {
        return index >= 0 && static_cast<std::size_t>(index) < std::size(list) ? list[index]
                                                                               : "???";
    };
    std::snprintf(text, sizeof text, "%.3s %.3s%3d %.2d:%.2d:%.2d %lld\n",
                  name(kDays, parts.tm_wday), name(kMonths, parts.tm_mon), parts.tm_mday,
                  parts.tm_hour, parts.tm_min, parts.tm_sec, 1900ll + parts.tm_year);
    return text;
}
template <bool Own>
Outcome<Value> store_line(LibraryCall& call, const tm& parts) {
    const std::uint64_t to = Own ? call.pointer(1) : call.library.statics + Library::kStaticText;
    return call.memory.store_text(to, line_of(parts)).map([&] { return Value(to); });
}
template <bool Own>
Outcome<Value> asctime_(LibraryCall& call) {
    const auto parts = load_tm(call, call.pointer(0));
    if (!parts) return tl::unexpected(parts.error());
    return store_line<Own>(call, *parts);
}
template <bool Own>
Outcome<Value> ctime_(LibraryCall& call) {
    const auto time = call.memory.load<std::int64_t>(call.pointer(0));
    if (!time) return tl::unexpected(time.error());
    const auto zone = current_zone(call);
    if (!zone) return tl::unexpected(zone.error());
    const auto parts = broken_down(*time, (*zone)->at(*time));
    if (!parts) return tl::unexpected(parts.error());
    return store_line<Own>(call, *parts);
}

/// %s asks the time zone of the host: the number takes its place.
Outcome<std::string> without_seconds(LibraryCall& call, const std::string& form, const tm& parts) {
    std::string text;
    for (std::size_t i = 0; i < form.size(); ++i) {
        if (form[i] != '%' || i + 1 == form.size()) {
            text += form[i];
            continue;
        }
        std::size_t end = i + 1;
        while (end < form.size() && std::strchr("_-0^#+EO123456789", form[end])) ++end;
        if (end < form.size() && form[end] == 's') {
            const auto zone = current_zone(call);
            if (!zone) return tl::unexpected(zone.error());
            text += std::to_string((*zone)->time_of(parts).value_or(-1));
        } else {
            text += form.substr(i, end - i + 1);
        }
        i = end;
    }
    return text;
}

Outcome<Value> strftime_(LibraryCall& call) {
    constexpr std::uint64_t kLongest = 1u << 20;
    const auto form = call.text(2);
    if (!form) return tl::unexpected(form.error());
    auto parts = load_tm(call, call.pointer(3));
    if (!parts) return tl::unexpected(parts.error());
    const auto zone_at = call.memory.load<std::uint64_t>(call.pointer(3) + offsetof(tm, tm_zone));
    if (!zone_at) return tl::unexpected(zone_at.error());
    std::string zone;
    if (*zone_at != 0) {
        auto name = call.memory.text(*zone_at, 4096);
        if (!name) return tl::unexpected(name.error());
        zone = *name;
    } else if (parts->tm_isdst >= 0) {
        const auto current = current_zone(call);
        if (!current) return tl::unexpected(current.error());
        zone = (*current)->seasons()[parts->tm_isdst > 0 ? 1 : 0].name;
    }
    parts->tm_zone = zone.c_str();
    auto host_form = without_seconds(call, *form, *parts);
    if (!host_form) return tl::unexpected(host_form.error());
    if (host_form->empty() || call.size(1) == 0) {
        if (call.size(1) != 0)
            if (auto done = call.memory.store(call.pointer(0), '\0'); !done)
                return tl::unexpected(done.error());
        return Value(0);
    }
    std::string text(std::min(call.size(1), kLongest), '\0');
    // One letter more tells an empty text from one that does not fit.
    *host_form += '.';
    text += '\0';
    const std::size_t size =
        strftime_l(text.data(), text.size(), host_form->c_str(), &*parts, c_locale());
    if (size == 0) return Value(0);
    text.resize(size - 1);
    return call.memory.store_text(call.pointer(0), text).map([&] { return Value(text.size()); });
}

Outcome<Value> strptime_(LibraryCall& call) {
    const auto text = call.text(0), form = call.text(1);
    if (!text) return tl::unexpected(text.error());
    if (!form) return tl::unexpected(form.error());
    auto parts = load_tm(call, call.pointer(2));
    if (!parts) return tl::unexpected(parts.error());
    const char* const end = strptime_l(text->c_str(), form->c_str(), &*parts, c_locale());
    // All but the pointer, which strptime does not change.
    if (auto done = call.memory.write(call.pointer(2), &*parts, offsetof(tm, tm_zone)); !done)
        return tl::unexpected(done.error());
    if (!end) return Value(0);
    return Value(call.pointer(0) + static_cast<std::uint64_t>(end - text->c_str()));
}

Outcome<Value> difftime_(LibraryCall& call) {
    return Value(static_cast<double>(call.long_integer(0)) -
                 static_cast<double>(call.long_integer(1)));
}

constexpr std::array kRows{
    Row{"clock_gettime", "i(i,p)", clock_gettime_},
    Row{"time", "l(p)", time_},
    Row{"clock", "l()", clock_},
    Row{"tzset", "v()", tzset_},
    Row{"localtime", "p(p)", break_down_<true, false>},
    Row{"localtime_r", "p(p,p)", break_down_<true, true>},
    Row{"gmtime", "p(p)", break_down_<false, false>},
    Row{"gmtime_r", "p(p,p)", break_down_<false, true>},
    Row{"mktime", "l(p)", mktime_},
    Row{"timelocal", "l(p)", mktime_},
    Row{"timegm", "l(p)", timegm_},
    Row{"asctime", "s(p)", asctime_<false>},
    Row{"asctime_r", "s(p,p)", asctime_<true>},
    Row{"ctime", "s(p)", ctime_<false>},
    Row{"ctime_r", "s(p,p)", ctime_<true>},
    Row{"strftime", "L(p,L,s,p)", strftime_},
    Row{"strftime_l", "L(p,L,s,p,p)", strftime_},
    Row{"strptime", "p(s,s,p)", strptime_},
    Row{"difftime", "d(l,l)", difftime_},
};

}  // namespace

std::span<const Row> time_rows() { return kRows; }

}  // namespace e2k::guest::libc
