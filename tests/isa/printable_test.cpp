#include <gtest/gtest.h>

#include "engine/isa/printable.h"

namespace e2k::isa {
namespace {

struct Case {
    std::string_view text, printed;
};

class Printable : public testing::TestWithParam<Case> {};

TEST_P(Printable, WritesOutWhatSteersATerminal) {
    EXPECT_EQ(printable(GetParam().text), GetParam().printed);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Printable,
    testing::Values(Case{"", ""}, Case{"main", "main"},
                    Case{"имя_функции é 語 🙂", "имя_функции é 語 🙂"},
                    Case{"\x1b[7mname", "\\x1b[7mname"},
                    Case{"a\nb\tc\r\x7f", "a\\x0ab\\x09c\\x0d\\x7f"},
                    Case{"\xc2\x9b\x31m", "\\xc2\\x9b1m"},             // C1: CSI
                    Case{"\x9b\x31m", "\\x9b1m"},                      // the same as one byte
                    Case{"\xe2\x80\xaegnp", "\\xe2\\x80\\xaegnp"},     // U+202E
                    Case{"\xe2\x80\xa8x", "\\xe2\\x80\\xa8x"},         // U+2028
                    Case{"\xc0\x9b", "\\xc0\\x9b"},                    // overlong
                    Case{"\xed\xa0\x80", "\\xed\\xa0\\x80"},           // surrogate
                    Case{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // above U+10FFFF
                    Case{"ab\xe2\x80", "ab\\xe2\\x80"}));              // cut short

TEST(Printable, KeepsWhatItsCallerNames) {
    EXPECT_EQ(printable("a\n\tb\x1b", "\n\t"), "a\n\tb\\x1b");
}

TEST(Printable, ZeroBytesAreWrittenOut) {
    EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
}

}  // namespace
}  // namespace e2k::isa
