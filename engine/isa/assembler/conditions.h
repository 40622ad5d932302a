// `.if` and its kin: which lines of a source count.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace e2k::isa::assembler {

/// What conditions ask about.
struct ConditionWorld {
    std::function<std::optional<std::int64_t>(std::string_view expression)> value;
    std::function<bool(std::string_view name)> defined;
};

class Conditions {
public:
    /// Whether `name` is a directive of conditions.
    static bool is_directive(std::string_view name);
    /// Does the directive `name` of line `number`; a message if it cannot stand here.
    std::optional<std::string> apply(std::string_view name, std::string_view rest, int number,
                                     const ConditionWorld& world);
    /// Whether the lines count that stand here.
    bool active() const { return open_.empty() || open_.back().active; }
    std::size_t depth() const { return open_.size(); }
    /// Line of the condition opened last.
    int number() const { return open_.back().number; }
    /// Forgets all but the outermost `depth`.
    void close_to(std::size_t depth) {
        if (open_.size() > depth) open_.resize(depth);
    }

private:
    struct Open {
        int number = 0;
        bool outer = true;   ///< the condition as a whole counts
        bool active = true;  ///< the branch counts
        bool taken = false, has_else = false;
    };
    std::optional<std::string> alternative(std::string_view name, std::string_view rest,
                                           const ConditionWorld& world);
    std::vector<Open> open_;
};

}  // namespace e2k::isa::assembler
