// Time zones: files of the zone database (TZif) and rules as texts ("CET-1CEST,M3.5.0,M10.5.0/3").
#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace e2k::guest::libc {

/// Immutable.
class Zone {
public:
    /// What a clock of the zone shows at some time.
    struct Type {
        std::int32_t offset = 0;  ///< seconds east of Greenwich
        bool daylight = false;
        std::string name = "UTC";
        bool operator==(const Type&) const = default;
    };

    Zone() = default;  ///< UTC
    /// The contents of a file; nothing: it is none of the database.
    static std::optional<Zone> from_file(std::string_view bytes);
    /// A rule. Of a text that is none, what begins it is the name of a zone without an offset.
    static Zone from_text(std::string_view text);

    const Type& at(std::int64_t time) const;
    /// The names and offsets of winter and summer, as tzset publishes them.
    std::array<Type, 2> seasons() const;
    bool has_daylight() const;

    /// As mktime: the time that `parts` mean, whose fields may be out of range. Nothing: it is none
    /// that can be represented.
    std::optional<std::int64_t> time_of(std::tm parts) const;

private:
    /// When a season begins.
    struct Change {
        enum class Kind : std::uint8_t { Julian, DayOfYear, Weekday } kind = Kind::Weekday;
        int month = 0, week = 0, day = 0;
        std::int32_t seconds = 7200;  ///< after midnight
    };
    struct Rule {
        Type standard, summer;
        bool changes = false;
        Change to_summer, to_standard;
    };
    class Parser;

    static std::int64_t change_in_year(const Change& change, std::int64_t year,
                                       std::int32_t offset);
    const Type& by_rule(std::int64_t time) const;

    std::vector<std::int64_t> transitions_;
    std::vector<std::uint8_t> transition_types_;
    std::vector<Type> types_ = {Type()};
    std::optional<Rule> rule_;  ///< behind the last transition
};

}  // namespace e2k::guest::libc
