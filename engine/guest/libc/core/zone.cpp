#include "engine/guest/libc/core/zone.h"

#include <algorithm>
#include <cctype>
#include <limits>

namespace e2k::guest::libc {
namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::int32_t kMostOffset = 25 * 3600;

bool is_leap(std::int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

/// Days from 1970 to the first of January.
std::int64_t days_to_year(std::int64_t year) {
    const std::int64_t y = year - 1;
    return 365 * (year - 1970) + (y / 4 - 1969 / 4) - (y / 100 - 1969 / 100) +
           (y / 400 - 1969 / 400);
}

std::int64_t year_of(std::int64_t time) {
    std::tm parts{};
    const std::time_t t = time;
    return gmtime_r(&t, &parts) ? std::int64_t{parts.tm_year} + 1900 : 1970;
}

/// Numbers of a file: big endian.
class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}
    bool good() const { return good_; }
    std::string_view take(std::size_t size) {
        if (!good_ || size > bytes_.size()) {
            good_ = false;
            return {};
        }
        const std::string_view taken = bytes_.substr(0, size);
        bytes_.remove_prefix(size);
        return taken;
    }
    std::int64_t number(std::size_t size) {
        std::uint64_t value = 0;
        for (const char c : take(size)) value = value << 8 | static_cast<unsigned char>(c);
        return size == 4 ? static_cast<std::int32_t>(value) : static_cast<std::int64_t>(value);
    }
    std::string_view rest() const { return bytes_; }

private:
    std::string_view bytes_;
    bool good_ = true;
};

struct Counts {
    char version = 0;
    std::size_t utc = 0, standard = 0, leaps = 0, times = 0, types = 0, letters = 0;
    std::size_t bytes(std::size_t time) const {
        return times * (time + 1) + types * 6 + letters + leaps * (time + 4) + standard + utc;
    }
};

std::optional<Counts> read_header(Reader& from) {
    constexpr std::size_t kReserved = 15;
    constexpr std::int64_t kMost = 1 << 20;
    if (from.take(4) != "TZif") return std::nullopt;
    Counts counts;
    const std::string_view version = from.take(1);
    if (!version.empty()) counts.version = version.front();
    from.take(kReserved);
    for (std::size_t* count : {&counts.utc, &counts.standard, &counts.leaps, &counts.times,
                               &counts.types, &counts.letters}) {
        const std::int64_t n = from.number(4);
        if (n < 0 || n > kMost) return std::nullopt;
        *count = static_cast<std::size_t>(n);
    }
    if (!from.good()) return std::nullopt;
    return counts;
}

}  // namespace

class Zone::Parser {
public:
    explicit Parser(std::string_view text) : text_(text) {}

    /// False: not a rule; `rule.standard.name` is what could be read.
    bool parse(Rule& rule) {
        rule.standard.name.clear();
        rule.summer.name.clear();
        if (!name(rule.standard.name)) return false;
        std::int32_t west = 0;
        if (!clock(west, 24)) return false;
        rule.standard.offset = -west;
        if (text_.empty()) return true;
        if (!name(rule.summer.name)) return false;
        rule.changes = rule.summer.daylight = true;
        rule.summer.offset = rule.standard.offset + 3600;
        if (!text_.empty() && text_.front() != ',') {
            if (!clock(west, 24)) return false;
            rule.summer.offset = -west;
        }
        if (text_.empty()) {  // the rule of the United States
            rule.to_summer = {Change::Kind::Weekday, 3, 2, 0, 7200};
            rule.to_standard = {Change::Kind::Weekday, 11, 1, 0, 7200};
            return true;
        }
        return change(rule.to_summer) && change(rule.to_standard) && text_.empty();
    }

private:
    bool skip(char c) {
        if (text_.empty() || text_.front() != c) return false;
        text_.remove_prefix(1);
        return true;
    }
    bool name(std::string& to) {
        const bool quoted = skip('<');
        while (!text_.empty()) {
            const char c = text_.front();
            const bool part = quoted ? c != '>' : std::isalpha(static_cast<unsigned char>(c)) != 0;
            if (!part) break;
            to += c;
            text_.remove_prefix(1);
        }
        return to.size() >= 3 && (!quoted || skip('>'));
    }
    bool number(int& to, int most) {
        int value = 0;
        std::size_t digits = 0;
        while (digits < text_.size() && text_[digits] >= '0' && text_[digits] <= '9' && digits < 5)
            value = value * 10 + (text_[digits++] - '0');
        text_.remove_prefix(digits);
        to = value;
        return digits > 0 && value <= most;
    }
    /// [+-]hh[:mm[:ss]]
    bool clock(std::int32_t& seconds, int most_hours) {
        const bool negative = skip('-');
        if (!negative) skip('+');
        int hours = 0, minutes = 0, rest = 0;
        if (!number(hours, most_hours)) return false;
        if (skip(':') && !number(minutes, 59)) return false;
        if (skip(':') && !number(rest, 59)) return false;
        seconds = hours * 3600 + minutes * 60 + rest;
        if (negative) seconds = -seconds;
        return true;
    }
    /// ,Jn ,n ,Mm.w.d with an optional /time
    bool change(Change& to) {
        if (!skip(',')) return false;
        if (skip('M')) {
            to.kind = Change::Kind::Weekday;
            if (!number(to.month, 12) || to.month == 0 || !skip('.') || !number(to.week, 5) ||
                to.week == 0 || !skip('.') || !number(to.day, 6))
                return false;
        } else {
            to.kind = skip('J') ? Change::Kind::Julian : Change::Kind::DayOfYear;
            if (!number(to.day, 365)) return false;
        }
        return !skip('/') || clock(to.seconds, 167);
    }

    std::string_view text_;
};

std::optional<Zone> Zone::from_file(std::string_view bytes) {
    Reader from(bytes);
    auto counts = read_header(from);
    if (!counts) return std::nullopt;
    std::size_t time_bytes = 4;
    if (counts->version >= '2') {
        from.take(counts->bytes(4));
        counts = read_header(from);
        if (!counts) return std::nullopt;
        time_bytes = 8;
    }
    Zone zone;
    for (std::size_t i = 0; i < counts->times; ++i)
        zone.transitions_.push_back(from.number(time_bytes));
    for (const char c : from.take(counts->times))
        zone.transition_types_.push_back(static_cast<std::uint8_t>(c));
    std::vector<std::size_t> names;
    zone.types_.clear();
    for (std::size_t i = 0; i < counts->types; ++i) {
        Type type;
        type.offset = static_cast<std::int32_t>(from.number(4));
        type.daylight = from.number(1) != 0;
        names.push_back(static_cast<std::size_t>(from.number(1)));
        if (type.offset < -kMostOffset || type.offset > kMostOffset) return std::nullopt;
        zone.types_.push_back(type);
    }
    const std::string letters(from.take(counts->letters));
    from.take(counts->leaps * (time_bytes + 4) + counts->standard + counts->utc);
    if (!from.good() || zone.types_.empty() || !std::ranges::is_sorted(zone.transitions_))
        return std::nullopt;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] >= letters.size()) return std::nullopt;
        zone.types_[i].name = letters.c_str() + names[i];
    }
    for (const std::uint8_t type : zone.transition_types_)
        if (type >= zone.types_.size()) return std::nullopt;
    std::string_view footer = from.rest();
    if (time_bytes == 8 && footer.starts_with('\n')) {
        footer.remove_prefix(1);
        footer = footer.substr(0, footer.find('\n'));
        Rule rule;
        if (Parser(footer).parse(rule)) zone.rule_ = rule;
    }
    return zone;
}

Zone Zone::from_text(std::string_view text) {
    Zone zone;
    Rule rule;
    if (Parser(text).parse(rule))
        zone.types_ = {rule.standard};
    else
        zone.types_ = {Type{0, false, rule.standard.name}};
    if (rule.changes && !rule.summer.name.empty() && zone.types_.front() == rule.standard)
        zone.rule_ = rule;
    return zone;
}

/// The time at which `change` happens in a year, where the clock is `offset` before it.
std::int64_t Zone::change_in_year(const Change& change, std::int64_t year, std::int32_t offset) {
    static constexpr int kBefore[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    const std::int64_t first = days_to_year(year);
    std::int64_t day = change.day;
    if (change.kind == Change::Kind::Julian) {
        day -= 1;  // the 29th of February is not counted
        if (is_leap(year) && change.day >= 60) ++day;
    } else if (change.kind == Change::Kind::Weekday) {
        const bool leap = is_leap(year);
        const auto before = [&](int month) { return kBefore[month] + (leap && month > 1 ? 1 : 0); };
        const std::int64_t month = first + before(change.month - 1);
        const int length = before(change.month) - before(change.month - 1);
        const int weekday = static_cast<int>(((month + 4) % 7 + 7) % 7);  // 1970 began on Thursday
        int in_month = (change.day - weekday + 7) % 7 + 7 * (change.week - 1);
        while (in_month >= length) in_month -= 7;
        day = month - first + in_month;
    }
    return (first + day) * kDay + change.seconds - offset;
}

const Zone::Type& Zone::by_rule(std::int64_t time) const {
    constexpr std::int64_t kFarthest = 1ll << 55;  // years that fit an int
    const Rule& rule = *rule_;
    time = std::clamp(time, -kFarthest, kFarthest);
    if (!rule.changes) return rule.standard;
    const std::int64_t year = year_of(time + rule.standard.offset);
    const std::int64_t summer = change_in_year(rule.to_summer, year, rule.standard.offset);
    const std::int64_t winter = change_in_year(rule.to_standard, year, rule.summer.offset);
    const bool in_summer =
        summer < winter ? time >= summer && time < winter : time >= summer || time < winter;
    return in_summer ? rule.summer : rule.standard;
}

const Zone::Type& Zone::at(std::int64_t time) const {
    const auto after = std::ranges::upper_bound(transitions_, time);
    if (after == transitions_.end() && rule_) return by_rule(time);
    if (after == transitions_.begin()) {
        const auto first = std::ranges::find(types_, false, &Type::daylight);
        return first == types_.end() ? types_.front() : *first;
    }
    return types_[transition_types_[static_cast<std::size_t>(after - transitions_.begin()) - 1]];
}

std::array<Zone::Type, 2> Zone::seasons() const {
    std::array<Type, 2> seasons{types_.front(), types_.front()};
    bool winter = false, summer = false;
    const auto see = [&](const Type& type) {
        bool& seen = type.daylight ? summer : winter;
        if (!seen) seasons[type.daylight ? 1 : 0] = type;
        seen = true;
    };
    if (rule_) {
        see(rule_->standard);
        if (rule_->changes) see(rule_->summer);
    }
    for (auto k = transition_types_.rbegin(); k != transition_types_.rend(); ++k) see(types_[*k]);
    for (const Type& type : types_) see(type);
    if (!summer) seasons[1] = seasons[0];
    return seasons;
}

bool Zone::has_daylight() const {
    return (rule_ && rule_->changes) || std::ranges::any_of(types_, &Type::daylight);
}

std::optional<std::int64_t> Zone::time_of(std::tm parts) const {
    const int wanted = parts.tm_isdst;
    parts.tm_isdst = 0;
    std::tm copy = parts;
    const std::int64_t shown = timegm(&copy);
    // timegm says -1 also where it fails; only then the year does not fit.
    if (shown == -1 && (copy.tm_year == parts.tm_year && copy.tm_wday == parts.tm_wday &&
                        (parts.tm_year > 1 << 30 || parts.tm_year < -(1 << 30))))
        return std::nullopt;
    if (shown > std::numeric_limits<std::int64_t>::max() - 2 * kMostOffset ||
        shown < std::numeric_limits<std::int64_t>::min() + 2 * kMostOffset)
        return std::nullopt;
    // A clock shows a time once, twice, or in a gap never.
    std::vector<std::int64_t> candidates;
    for (const std::int64_t around : {shown - kDay, shown, shown + kDay}) {
        const std::int64_t time = shown - at(around).offset;
        if (at(time).offset == shown - time &&
            std::ranges::find(candidates, time) == candidates.end())
            candidates.push_back(time);
    }
    std::ranges::sort(candidates);
    const auto fits = [&](std::int64_t time) {
        return wanted < 0 || at(time).daylight == (wanted > 0);
    };
    for (const std::int64_t time : candidates)
        if (fits(time)) return time;
    if (wanted < 0) return shown - at(shown - kDay).offset;
    // The clock of the other season, which is some months away.
    constexpr std::int64_t kStep = 7 * kDay, kFarthest = 17 * 366 * kDay;
    for (std::int64_t far = 0; far < kFarthest; far += kStep)
        for (const std::int64_t time : {shown - far, shown + far})
            if (at(time).daylight == (wanted > 0)) return shown - at(time).offset;
    return candidates.empty() ? shown - at(shown - kDay).offset : candidates.front();
}

}  // namespace e2k::guest::libc
