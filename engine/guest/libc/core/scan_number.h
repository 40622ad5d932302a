// Numbers as the scanf family takes them from its input.
#pragma once

#include <cstdint>
#include <string>

#include "engine/guest/libc/core/scan_source.h"

namespace e2k::guest::libc {

/// Input with the limit of a field's width, one character ahead.
class Field {
public:
    Field(CharacterSource& source, std::uint64_t width) : source_(source), left_(width) {}

    /// The next character, or -1: the end of the input or of the field.
    Outcome<int> peek() {
        if (ahead_ == kNone) {
            if (left_ == 0) return -1;
            auto c = source_.get();
            if (!c) return c;
            if (*c < 0) input_ended_ = true;
            ahead_ = *c;
        }
        return ahead_;
    }
    void take() {
        ahead_ = kNone;
        --left_;
    }
    /// Gives back what is ahead.
    void finish() {
        if (ahead_ >= 0) source_.unget(ahead_);
        ahead_ = kNone;
    }
    bool input_ended() const { return input_ended_; }

private:
    static constexpr int kNone = -2;
    CharacterSource& source_;
    std::uint64_t left_;
    int ahead_ = kNone;
    bool input_ended_ = false;
};

enum class Match : std::uint8_t {
    Yes,
    No,   ///< the input is something else
    End,  ///< there is no input
};

struct NumberInput {
    Match match = Match::No;
    std::string text;  ///< for strtol or strtod
    int base = 10;
    bool null_pointer = false;  ///< "(nil)"
};

/// `base` 0: as the prefix says. `pointer`: "(nil)" will do.
Outcome<NumberInput> scan_integer(Field& field, int base, bool pointer);
Outcome<NumberInput> scan_real(Field& field);

}  // namespace e2k::guest::libc
