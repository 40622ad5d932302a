// printf against the host's.
#include <cfenv>
#include <climits>
#include <cstdio>
#include <random>

#include "engine/guest/libc/core/format.h"
#include "tests/guest/libc/fixture.h"

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"

namespace e2k::guest::libc::test {
namespace {

/// Variable arguments as the guest's caller lays them out.
class Places {
public:
    Places& integer(std::uint64_t value) { return add(&value, 8); }
    Places& real(double value) { return add(&value, 8); }
    Places& long_real(long double value) {
        bytes.resize((bytes.size() + 15) & ~15ull);
        return add(&value, 16);
    }
    std::vector<std::uint8_t> bytes;

private:
    Places& add(const void* data, std::size_t size) {
        const std::size_t before = bytes.size();
        bytes.resize(before + size);
        std::memcpy(bytes.data() + before, data, size);
        return *this;
    }
};

class Format : public LibcTest {
protected:
    Outcome<int> run(const std::string& form, const Places& places) {
        const std::uint64_t f = text(form);
        const std::uint64_t at = put(places.bytes.data(), places.bytes.size());
        sink_ = StringSink(1 << 20);
        return format({memory(), ENOENT}, sink_, f, {memory(), at});
    }
    std::string print(const std::string& form, const Places& places = {}) {
        auto count = run(form, places);
        if (!count) return "failed";
        EXPECT_EQ(static_cast<std::size_t>(*count), sink_.text().size());
        return sink_.text();
    }
    StringSink sink_;
};

template <class... T>
std::string host(const std::string& form, T... values) {
    const int size = std::snprintf(nullptr, 0, form.c_str(), values...);
    if (size < 0) return "failed";
    std::string all(static_cast<std::size_t>(size) + 1, '\0');
    std::snprintf(all.data(), all.size(), form.c_str(), values...);
    all.pop_back();
    return all;
}

/// Random conversions of one value.
class Random {
public:
    explicit Random(unsigned seed) : engine_(seed) {}
    unsigned below(unsigned n) { return static_cast<unsigned>(engine_() % n); }
    bool one_in(unsigned n) { return below(n) == 0; }
    std::uint64_t bits() { return engine_(); }

    std::string flags() {  ///< behind the '%'
        std::string all("%");
        for (const char c : std::string("-+ #0'"))
            if (one_in(4)) all += c;
        return all;
    }
    std::string amounts() {
        std::string all;
        if (one_in(2)) all += std::to_string(1 + below(one_in(20) ? 3000 : 30));
        if (one_in(2)) {
            all += '.';
            if (!one_in(5)) all += std::to_string(below(one_in(20) ? 3000 : 20));
        }
        return all;
    }
    std::uint64_t integer() {
        static constexpr std::uint64_t kSpecial[] = {0,          1,          ~0ull, 1ull << 63,
                                                     0x7fffffff, 0x80000000, 0xff,  0x8000};
        return one_in(3) ? kSpecial[below(8)] : bits() >> below(64);
    }
    double real() {
        switch (below(6)) {
            case 0:
                return static_cast<double>(static_cast<std::int64_t>(integer())) / 1000;
            case 1: {
                static constexpr double kSpecial[] = {0.0,   -0.0, 1.0,  0.5,
                                                      1e100, -2.5, 1e-5, 9.9995};
                return kSpecial[below(8)];
            }
            case 2:
                return below(2) ? HUGE_VAL : -__builtin_nan("");
            default: {
                const std::uint64_t b = bits();
                double value = 0;
                std::memcpy(&value, &b, 8);
                return value;
            }
        }
    }
    long double long_real() {
        if (one_in(3)) return static_cast<long double>(real()) / 3;
        std::uint64_t mantissa = bits() | 1ull << 63;
        auto top = static_cast<std::uint16_t>(bits());
        if ((top & 0x7fff) == 0) mantissa &= ~(1ull << 63);
        long double value = 0;
        std::memcpy(&value, &mantissa, 8);
        std::memcpy(reinterpret_cast<char*>(&value) + 8, &top, 2);
        return value;
    }

private:
    std::mt19937_64 engine_;
};

TEST_F(Format, IntegersAsTheHost) {
    Random random(1);
    static const char* const kLengths[] = {"hh", "h", "", "l", "ll", "q", "L", "j", "z", "t"};
    for (int i = 0; i < 3000; ++i) {
        forget();
        const std::string length = kLengths[random.below(10)];
        const std::string form =
            random.flags() + random.amounts() + length + "diouxXpb"[random.below(8)];
        const std::uint64_t value = random.integer();
        EXPECT_EQ(print(form, Places().integer(value)), host(form, value)) << form << ' ' << value;
    }
}

TEST_F(Format, DoublesAsTheHost) {
    Random random(2);
    for (int i = 0; i < 3000; ++i) {
        forget();
        const std::string form = random.flags() + random.amounts() + (random.one_in(4) ? "l" : "") +
                                 "aAeEfFgG"[random.below(8)];
        const double value = random.real();
        EXPECT_EQ(print(form, Places().real(value)), host(form, value)) << form;
    }
}

TEST_F(Format, LongDoublesAsTheHost) {
    Random random(3);
    for (int i = 0; i < 2000; ++i) {
        forget();
        const std::string form =
            random.flags() + random.amounts() + 'L' + "aAeEfFgG"[random.below(8)];
        const long double value = random.long_real();
        EXPECT_EQ(print("%d" + form, Places().integer(7).long_real(value)), host("7" + form, value))
            << form;
    }
}

TEST_F(Format, GuestRoundingDecides) {
    for (const int mode : {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
        std::fesetround(mode);
        const std::string mine =
            print("%.2f %.0e %.1Lf", Places().real(2.675).real(15.5).long_real(-0.25L));
        const std::string hosts = host("%.2f %.0e %.1Lf", 2.675, 15.5, -0.25L);
        std::fesetround(FE_TONEAREST);
        EXPECT_EQ(mine, hosts);
    }
    EXPECT_EQ(print("%.1f", Places().real(0.25)), "0.2");
}

TEST_F(Format, ManyDigits) {
    for (const char* const form : {"%.20000f", "%.20000e", "%#.20000g", "%.20000g", "%.20000a"}) {
        forget();
        for (const double value : {0.1, -1e300, 5e-324, 1e5, HUGE_VAL})
            EXPECT_EQ(print(form, Places().real(value)), host(form, value)) << form;
    }
    EXPECT_EQ(print("%.20000Lf", Places().long_real(1e-4940L)), host("%.20000Lf", 1e-4940L));
    EXPECT_EQ(print("%#.20000Lg", Places().long_real(1e4000L)), host("%#.20000Lg", 1e4000L));
}

TEST_F(Format, ValuesThatAreNoNumbers) {
    Places places;
    const std::uint8_t unnormal[16] = {1, 2, 3, 4, 5, 6, 7, 8, 0x01, 0x40};
    places.bytes.assign(unnormal, unnormal + 16);
    EXPECT_EQ(print("%Lf", places), "nan");
}

TEST_F(Format, Strings) {
    Random random(4);
    const std::string word = "E2K Elbrus";
    for (int i = 0; i < 1000; ++i) {
        forget();
        const std::string form = random.flags() + random.amounts() + "s]";
        EXPECT_EQ(print(form, Places().integer(text(word))), host(form, word.c_str())) << form;
    }
    for (const char* const form : {"%s", "%.3s", "%.6s", "%10s", "%-10s|", "%.0s"})
        EXPECT_EQ(print(form, Places().integer(0)), host(form, static_cast<char*>(nullptr)));
    for (const char* const form : {"%p", "%10p", "%-10p|", "%.3p"})
        EXPECT_EQ(print(form, Places().integer(0)), host(form, static_cast<void*>(nullptr)));
    EXPECT_EQ(print("%5c|%-5c|%c", Places().integer('a').integer(0x1162).integer(0)),
              std::string("    a|b    |\0", 13));
    EXPECT_EQ(
        print("%m %%%5%"),
        host("%m %%%5%", 0).replace(0, std::string(strerror(errno)).size(), strerror(ENOENT)));
}

TEST_F(Format, WideStrings) {
    const wchar_t wide[] = L"wide";
    const std::uint64_t at = put(wide, sizeof wide);
    EXPECT_EQ(print("[%6ls][%.2S][%lc]", Places().integer(at).integer(at).integer('x')),
              "[  wide][wi][x]");
    const wchar_t beyond[] = L"a\x416";
    const std::uint64_t there = put(beyond, sizeof beyond);
    EXPECT_EQ(error_of(run("<%ls>", Places().integer(there))), EILSEQ);
    EXPECT_EQ(sink_.text(), "<");
    EXPECT_EQ(print("%.1ls", Places().integer(there)), "a");
    EXPECT_EQ(error_of(run("%lc", Places().integer(0x80))), EILSEQ);
}

TEST_F(Format, StarsAndNumberedArguments) {
    const auto s = text("text");
    EXPECT_EQ(print("%*d|%-*d|%.*f|%*d", Places()
                                             .integer(5)
                                             .integer(1)
                                             .integer(4)
                                             .integer(2)
                                             .integer(1)
                                             .real(2.25)
                                             .integer(0xdead'0000'ffff'fffbull)
                                             .integer(3)),
              host("%*d|%-*d|%.*f|%*d", 5, 1, 4, 2, 1, 2.25, -5, 3));
    EXPECT_EQ(print("%.*f|%.*s", Places().integer(~0ull).real(1.5).integer(2).integer(s)),
              "1.500000|te");
    const auto places = Places().integer(7).real(2.5).integer(s).integer(9).long_real(1.5L);
    const std::string form = "%5$.2Lf %3$s %2$*1$.1f %4$d %3$.*1$s";
    EXPECT_EQ(print(form, places), host(form, 7, 2.5, "text", 9, 1.5L));
    EXPECT_EQ(error_of(run("%5000$d", places)), EINVAL);
    EXPECT_EQ(print("%3$d", Places().integer(1).integer(2).integer(3)), "3");
}

TEST_F(Format, Count) {
    const auto at = room(64);
    EXPECT_EQ(print("abc%nde%hhn%10d%lln",
                    Places().integer(at).integer(at + 8).integer(5).integer(at + 16)),
              "abcde         5");
    EXPECT_EQ(get<int>(at), 3);
    EXPECT_EQ(get<std::uint32_t>(at + 8), 5u);
    EXPECT_EQ(get<std::int64_t>(at + 16), 15);
    const auto f = text("%n");
    const auto arguments = put(&at, 8);
    StringSink sink;
    const auto checked = format({memory(), 0, true}, sink, f, {memory(), arguments});
    EXPECT_EQ(trouble(checked).kind, Trouble::Kind::Abort);
}

TEST_F(Format, OddSpecs) {
    for (const char* const form : {"%y", "%5y|", "a%kb", "100%!"})
        EXPECT_EQ(print(form), host(form, 0)) << form;
    EXPECT_EQ(error_of(run("abc%", {})), EINVAL);
    EXPECT_EQ(error_of(run("%5.", {})), EINVAL);
    EXPECT_EQ(error_of(run("%99999999999d", Places().integer(1))), EOVERFLOW);
    EXPECT_EQ(error_of(run("x%2147483646d%d", Places().integer(1).integer(1))), ENOMEM);
    EXPECT_EQ(error_of(run("%*d", Places().integer(0x80000000).integer(1))), EOVERFLOW);
    EXPECT_EQ(print("%.-3f|%.d", Places().real(1.5).integer(0)), "1.500000|");
}

TEST_F(Format, Memory) {
    const auto f = text("%d-%s");
    const auto s = text("string");
    const std::uint64_t places[] = {12345, s};
    const auto arguments = put(places, sizeof places);
    const auto to = room(64);
    for (const std::uint64_t size : {0, 1, 2, 7, 12, 13, 64}) {
        ASSERT_TRUE(memory().fill(to, 0xee, 64));
        MemorySink sink(memory(), to, size);
        EXPECT_EQ(format({memory()}, sink, f, {memory(), arguments}), 12);
        ASSERT_TRUE(sink.finish());
        std::string expected(64, '\xee');
        std::snprintf(expected.data(), size, "%d-%s", 12345, "string");
        EXPECT_EQ(0, std::memcmp(get<std::array<char, 64>>(to).data(), expected.data(), 64));
    }
}

TEST_F(Format, BadPointersAreFaults) {
    const auto s = text("%s");
    const auto bad = put(&kBad, 8);
    StringSink sink;
    const FormatContext context{memory()};
    EXPECT_EQ(trouble(format(context, sink, kBad, {memory(), bad})).address, kBad);
    EXPECT_EQ(trouble(format(context, sink, s, {memory(), bad})).address, kBad);
    EXPECT_EQ(trouble(format(context, sink, s, {memory(), end()})).address, end());
    EXPECT_EQ(trouble(run("%5s", Places().integer(kBad))).kind, Trouble::Kind::Fault);
    EXPECT_EQ(trouble(run("%ls", Places().integer(kBad))).kind, Trouble::Kind::Fault);
    const auto counted = trouble(run("%n", Places().integer(kBad)));
    EXPECT_TRUE(counted.kind == Trouble::Kind::Fault && counted.writing);
    EXPECT_EQ(trouble(run("%s", Places().integer(~0ull))).kind, Trouble::Kind::Fault);
    // A string without an end, up to the end of memory; its precision keeps it in.
    ASSERT_TRUE(memory().fill(end() - 5, 'x', 5));
    EXPECT_EQ(trouble(run("%s", Places().integer(end() - 5))).address, end());
    EXPECT_EQ(print("%.5s", Places().integer(end() - 5)), "xxxxx");
    MemorySink into(memory(), end() - 2);
    EXPECT_EQ(trouble(format(context, into, text("abcdef"), {memory(), bad})).kind,
              Trouble::Kind::Fault);
    MemorySink nowhere(memory(), kBad);
    EXPECT_TRUE(trouble(format(context, nowhere, text("abc"), {memory(), bad})).writing);
}

}  // namespace
}  // namespace e2k::guest::libc::test
