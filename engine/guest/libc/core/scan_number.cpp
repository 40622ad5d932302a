#include "engine/guest/libc/core/scan_number.h"

#include <cerrno>
#include <string_view>

namespace e2k::guest::libc {
namespace {

constexpr std::size_t kLongestNumber = 1u << 20;  ///< the input has no end, host memory has

bool is_digit(int c) { return c >= '0' && c <= '9'; }
int lower(int c) { return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c; }
bool is_hexadecimal(int c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f'); }

/// Takes characters of a number one by one.
class NumberScanner {
public:
    explicit NumberScanner(Field& field) : field_(field) {}

    Outcome<NumberInput> integer(int base, bool pointer) {
        if (!next()) return failure();
        if (c_ < 0) return nothing();
        sign();
        if (c_ == '0') {
            keep();
            if (lower(c_) == 'x' && (base == 0 || base == 16)) {
                base = 16;
                skip();
            } else if (base == 0) {
                base = 8;
            }
        }
        if (base == 0) base = 10;
        while (c_ >= 0 && (base == 16 ? is_hexadecimal(c_) : is_digit(c_) && c_ - '0' < base))
            keep();
        if (trouble_) return failure();
        result_.base = base;
        if (result_.text.size() == (signed_ ? 1u : 0u)) {
            if (pointer && !signed_ && word("(nil)")) {
                result_.null_pointer = true;
                return matched();
            }
            return trouble_ ? failure() : mismatch();
        }
        return matched();
    }

    Outcome<NumberInput> real() {
        if (!next()) return failure();
        if (c_ < 0) return nothing();
        sign();
        if (lower(c_) == 'n') return word("nan") ? matched() : trouble_ ? failure() : mismatch();
        if (lower(c_) == 'i') {
            if (!word("inf")) return trouble_ ? failure() : mismatch();
            if (lower(c_) == 'i' && !word("inity")) return trouble_ ? failure() : mismatch();
            return trouble_ ? failure() : matched();
        }
        digits();
        if (trouble_) return failure();
        // "0x." will do, "0x" will not.
        const std::size_t prefix = (signed_ ? 1u : 0u) + 2u;
        return got_digit_ || (hexadecimal_ && result_.text.size() > prefix) ? matched()
                                                                            : mismatch();
    }

private:
    bool next() {
        auto c = field_.peek();
        if (!c) {
            trouble_ = true;
            why_ = c.error();
            c_ = -1;
            return false;
        }
        c_ = *c;
        return true;
    }
    void skip() {
        field_.take();
        next();
    }
    void keep() {
        if (result_.text.size() == kLongestNumber) {
            trouble_ = true;
            why_ = {Trouble::Kind::Error, false, 0, ENOMEM, ""};
            c_ = -1;
            return;
        }
        result_.text += static_cast<char>(c_);
        skip();
    }
    void sign() {
        if (c_ != '-' && c_ != '+') return;
        signed_ = true;
        keep();
    }
    bool word(std::string_view letters) {
        for (const char letter : letters) {
            if (lower(c_) != letter) return false;
            keep();
        }
        return true;
    }
    void digits() {
        bool dot = false, exponent = false;
        if (c_ == '0') {
            got_digit_ = true;
            keep();
            if (lower(c_) == 'x') {
                hexadecimal_ = true;
                got_digit_ = false;
                keep();
            }
        }
        const char mark = hexadecimal_ ? 'p' : 'e';
        while (c_ >= 0) {
            if (is_digit(c_) || (hexadecimal_ && !exponent && is_hexadecimal(c_))) {
                got_digit_ = true;
            } else if (exponent && (c_ == '-' || c_ == '+')) {
                if (lower(result_.text.back()) != mark) break;
            } else if (got_digit_ && !exponent && lower(c_) == mark) {
                exponent = dot = true;
            } else if (c_ == '.' && !dot) {
                dot = true;
            } else {
                break;
            }
            keep();
        }
    }
    Outcome<NumberInput> failure() { return tl::unexpected(why_); }
    Outcome<NumberInput> end(Match match) {
        field_.finish();
        result_.match = match;
        return result_;
    }
    Outcome<NumberInput> matched() { return end(Match::Yes); }
    Outcome<NumberInput> mismatch() { return end(Match::No); }
    Outcome<NumberInput> nothing() { return end(Match::End); }

    Field& field_;
    NumberInput result_;
    int c_ = -1;
    bool signed_ = false, got_digit_ = false, hexadecimal_ = false, trouble_ = false;
    Trouble why_;
};

}  // namespace

Outcome<NumberInput> scan_integer(Field& field, int base, bool pointer) {
    return NumberScanner(field).integer(base, pointer);
}

Outcome<NumberInput> scan_real(Field& field) { return NumberScanner(field).real(); }

}  // namespace e2k::guest::libc
