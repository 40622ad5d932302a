// scanf against the host's.
#include <cstdio>
#include <random>

#include "engine/guest/libc/core/scan.h"
#include "engine/guest/libc/core/stdio.h"
#include "tests/guest/libc/fixture.h"

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"

namespace e2k::guest::libc::test {
namespace {

using Bytes = std::array<char, 64>;

class Scan : public LibcTest {
protected:
    /// Scans `input` into four objects of 64 bytes.
    Outcome<int> run(const std::string& input, const std::string& form) {
        const std::uint64_t i = text(input), f = text(form);
        std::uint64_t places[4];
        for (auto& place : places) {
            place = room(64);
            EXPECT_TRUE(memory().fill(place, 0xee, 64));
        }
        std::copy(places, places + 4, at_);
        TextSource source(memory(), i);
        return scan(memory(), heap_, source, f, {memory(), put(places, sizeof places)});
    }
    /// The same by the host; the objects must be equal.
    void compare(const std::string& input, const std::string& form) {
        forget();
        Bytes theirs[4];
        for (auto& object : theirs) object.fill('\xee');
        const auto mine = run(input, form);
        const int expected = std::sscanf(input.c_str(), form.c_str(), &theirs[0], &theirs[1],
                                         &theirs[2], &theirs[3]);
        ASSERT_TRUE(mine) << '"' << input << "\" " << form;
        ASSERT_EQ(*mine, expected) << '"' << input << "\" " << form;
        for (int k = 0; k < 4; ++k)
            ASSERT_EQ(get<Bytes>(at_[k]), theirs[k]) << '"' << input << "\" " << form << ' ' << k;
    }
    MappedPages pages_{*space_};
    Heap heap_{GuestMemory(*space_), pages_};
    std::uint64_t at_[4] = {};
};

TEST_F(Scan, NumbersAsTheHost) {
    static const char* const kInputs[] = {"12",
                                          "-7",
                                          "+3",
                                          "0",
                                          "0x1f",
                                          "0x",
                                          "0xg",
                                          "077",
                                          "089",
                                          "-",
                                          "+",
                                          "",
                                          "  ",
                                          "abc",
                                          "1e5",
                                          "1e",
                                          "1e+",
                                          "-.5",
                                          ".",
                                          "5.",
                                          "0x1.8p3",
                                          "0x.8",
                                          "inf",
                                          "-Infinity",
                                          "infin",
                                          "nan",
                                          "na",
                                          "NaN(1)",
                                          "99999999999999999999",
                                          "-99999999999999999999",
                                          "1.7976931348623157e309",
                                          "1e-400",
                                          "0.1",
                                          "123456789012",
                                          "(nil)",
                                          "(nix)",
                                          "0x7fffffffffffffff8",
                                          "--5",
                                          "1.2.3",
                                          "0e5",
                                          "00012",
                                          "4294967295",
                                          "1p5"};
    static const char* const kForms[] = {
        "%d",    "%i",    "%u",     "%x",    "%o",           "%ld", "%hd",  "%hhd",
        "%lld",  "%lf",   "%f",     "%Lf",   "%a",           "%p",  "%zu",  "%jd",
        "%2d%d", "%3x%n", "%3lf%n", "%*d%d", "%1d%1d%1d%1d", "%5i", "%d%%", " %d ,%n"};
    for (const char* const input : kInputs)
        for (const char* const form : kForms) {
            compare(input, form);
            if (HasFatalFailure()) return;
            compare("  " + std::string(input) + " rest", form);
            if (HasFatalFailure()) return;
        }
}

TEST_F(Scan, RandomAsTheHost) {
    std::mt19937 random(1);
    const auto pick = [&](const std::string& letters) {
        return letters[random() % letters.size()];
    };
    for (int i = 0; i < 4000; ++i) {
        std::string input, form;
        for (unsigned n = random() % 24; n > 0; --n) input += pick("0123456789  .-+exXabcinf%,\n");
        for (unsigned n = 1 + random() % 4; n > 0; --n) {
            form += '%';
            if (random() % 5 == 0) form += '*';
            switch (random() % 6) {
                case 0:
                    form += std::to_string(1 + random() % 9) + "s";
                    break;
                case 1:
                    form += std::array{"c", "2c", "5c"}[random() % 3];
                    break;
                case 2:
                    form +=
                        std::array{"9[0-9]", "9[^ ]", "8[]a-c-]", "5[^]x]", "3[a-]"}[random() % 5];
                    break;
                case 3:
                    form += std::array{"lf", "5lf", "f", "Lf", "3f"}[random() % 5];
                    break;
                default:
                    form += std::array{"d", "i", "ld", "3d", "x", "hhu", "2i", "o"}[random() % 8];
                    break;
            }
            if (random() % 4 == 0) form += pick(" ,.-1\n");
        }
        compare(input, form);
        if (HasFatalFailure()) return;
    }
}

TEST_F(Scan, Texts) {
    compare("word next", "%s%s");
    compare("  word", "%c%3c");
    compare("ab", "%5c");
    compare("key = value # x", "%[a-z] = %[^#]%n");
    compare("12:34:56", "%d:%d:%d");
    compare("1 2 3", "%3$d %2$d %1$d");
    compare("5", "%n%d%n");
    compare("wide", "%ls");
    compare("x", "%[x");
    compare("100%", "%d%%%n");
    compare("100 %", "%d%%%n");
}

TEST_F(Scan, AllocatedTexts) {
    const std::string longer(3000, 'y');
    ASSERT_EQ(run("first " + longer, "%ms %m[y]"), 2);
    EXPECT_EQ(text_at(get<std::uint64_t>(at_[0])), "first");
    EXPECT_EQ(text_at(get<std::uint64_t>(at_[1])), longer);
    EXPECT_EQ(heap_.figures().blocks, 2u);
    ASSERT_EQ(run("", "%ms"), -1);
    EXPECT_EQ(heap_.figures().blocks, 2u);
}

TEST_F(Scan, BadPointersAreFaults) {
    const auto bad = put(&kBad, 8);
    const auto go = [&](std::uint64_t input, std::uint64_t form, std::uint64_t arguments) {
        TextSource source(memory(), input);
        return trouble(scan(memory(), heap_, source, form, {memory(), arguments}));
    };
    const auto d = text("%d"), number = text("12");
    EXPECT_EQ(go(kBad, d, bad).address, kBad);
    EXPECT_EQ(go(number, kBad, bad).address, kBad);
    EXPECT_EQ(go(number, d, kBad).address, kBad);
    for (const char* const form : {"%d", "%s", "%lf", "%Lf", "%c", "%[0-9]", "%n", "%ms", "%ls"}) {
        const Trouble why = go(number, text(form), bad);
        EXPECT_EQ(why.kind, Trouble::Kind::Fault) << form;
        EXPECT_TRUE(why.writing);
    }
    EXPECT_EQ(heap_.figures().blocks, 0u);
    // A text without an end: what is needed of it is there.
    ASSERT_TRUE(space_->write(end() - 3, "12 ", 3));
    TextSource source(memory(), end() - 3);
    const std::uint64_t to = room(64);
    EXPECT_EQ(scan(memory(), heap_, source, d, {memory(), put(&to, 8)}), 1);
    EXPECT_EQ(go(end() - 1, d, bad).address, end());
}

/// A descriptor whose input comes in pieces, some of them interruptions.
class PiecesIo final : public StreamIo {
public:
    std::vector<Outcome<std::string>> pieces;
    std::size_t next = 0;

    Outcome<std::size_t> read(int, void* to, std::size_t) override {
        if (next == pieces.size()) return 0;
        const auto& piece = pieces[next++];
        if (!piece) return tl::unexpected(piece.error());
        std::memcpy(to, piece->data(), piece->size());
        return piece->size();
    }
    Outcome<std::size_t> write(int, const void*, std::size_t size) override { return size; }
    Outcome<std::int64_t> seek(int, std::int64_t, int) override { return error(ESPIPE); }
    Outcome<void> close(int) override { return {}; }
    Kind kind(int) override { return {}; }
    bool interrupted() override { return false; }
};

TEST_F(Scan, AnInterruptedStreamHasReadNothing) {
    PiecesIo io;
    Stdio stdio(memory(), heap_, io);
    const Trouble stop{Trouble::Kind::Interrupted, false, 0, 0, ""};
    io.pieces = {std::string("12 3"), tl::unexpected(stop), std::string("4 wo"),
                 tl::unexpected(stop), std::string("rd!")};
    const auto file = stdio.open(5, *parse_open_mode("r")).value();
    const auto form = text("%d %d %[a-z]");
    const std::uint64_t places[] = {room(8), room(8), room(64)};
    const auto arguments = put(places, sizeof places);
    const auto go = [&] {
        auto use = stdio.use(file, {});
        StreamSource source(**use);
        return scan(memory(), heap_, source, form, {memory(), arguments});
    };
    EXPECT_EQ(trouble(go()).kind, Trouble::Kind::Interrupted);
    EXPECT_EQ(trouble(go()).kind, Trouble::Kind::Interrupted);
    EXPECT_EQ(go(), 3);
    EXPECT_EQ(get<int>(places[0]), 12);
    EXPECT_EQ(get<int>(places[1]), 34);
    EXPECT_EQ(text_at(places[2]), "word");
    auto use = stdio.use(file, {});
    EXPECT_EQ((*use)->get(), '!');
}

}  // namespace
}  // namespace e2k::guest::libc::test
