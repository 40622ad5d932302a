#include "engine/guest/libc/core/scan.h"

#include <algorithm>
#include <bitset>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "engine/guest/libc/core/c_locale.h"
#include "engine/guest/libc/core/format_spec.h"
#include "engine/guest/libc/core/scan_number.h"
#include "engine/guest/libc/core/scan_text.h"

namespace e2k::guest::libc {
namespace {

constexpr int kMostArguments = 4096;

bool is_space(int c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// One conversion of a scanf format.
struct ScanSpec {
    bool suppressed = false, allocates = false;
    std::uint64_t width = ~0ull;
    int argument = 0;  ///< n$
    Length length = Length::Int;
    char conversion = 0;
    std::bitset<256> set;  ///< of %[
};

/// Takes what follows a '%' off the format.
ScanSpec take_spec(std::string_view& format) {
    ScanSpec spec;
    const auto peek = [&] { return format.empty() ? '\0' : format.front(); };
    const auto number = [&] {
        std::int64_t value = 0;
        for (; peek() >= '0' && peek() <= '9'; format.remove_prefix(1))
            value = std::min<std::int64_t>(value * 10 + (peek() - '0'), INT_MAX);
        return value;
    };
    if (peek() >= '0' && peek() <= '9') {
        const std::int64_t value = number();
        if (peek() == '$') {
            format.remove_prefix(1);
            spec.argument = static_cast<int>(value);
        } else if (value != 0) {
            spec.width = static_cast<std::uint64_t>(value);
        }
    }
    for (; peek() == '*' || peek() == '\'' || peek() == 'I'; format.remove_prefix(1))
        spec.suppressed |= peek() == '*';
    if (spec.width == ~0ull && peek() >= '0' && peek() <= '9')
        if (const std::int64_t value = number(); value != 0)
            spec.width = static_cast<std::uint64_t>(value);
    for (;; format.remove_prefix(1)) {
        const char c = peek();
        if (c == 'h')
            spec.length = spec.length == Length::Short ? Length::Char : Length::Short;
        else if (c == 'l')
            spec.length = spec.length == Length::Long ? Length::LongDouble : Length::Long;
        else if (c == 'L' || c == 'q')
            spec.length = Length::LongDouble;
        else if (c == 'j' || c == 'z' || c == 't')
            spec.length = Length::IntMax;
        else if (c == 'm')
            spec.allocates = true;
        else
            break;
    }
    spec.conversion = peek();
    if (!format.empty()) format.remove_prefix(1);
    if (spec.conversion == '[') {
        const std::size_t size = parse_scan_set(format, spec.set);
        if (size == 0) spec.conversion = 0;
        format.remove_prefix(size);
    }
    return spec;
}

class Scanner {
public:
    Scanner(GuestMemory memory, Heap& heap, CharacterSource& source, VariableArguments arguments)
        : memory_(memory), heap_(heap), source_(source), arguments_(arguments) {}

    Outcome<int> run(std::string_view format) {
        auto match = directives(format);
        if (!match) {
            drop_allocated();
            return tl::unexpected(match.error());
        }
        if (*match == Match::End && stored_ == 0) {
            drop_allocated();
            return -1;
        }
        return stored_;
    }

private:
    /// How the last directive ended; Yes: all of the format has been gone through.
    Outcome<Match> directives(std::string_view format) {
        while (!format.empty()) {
            const char c = format.front();
            format.remove_prefix(1);
            Outcome<Match> match = Match::Yes;
            if (is_space(static_cast<unsigned char>(c))) {
                if (auto done = skip_spaces(); !done) return tl::unexpected(done.error());
            } else if (c != '%') {
                match = literal(c);
            } else {
                const ScanSpec spec = take_spec(format);
                match = convert(spec);
            }
            if (!match || *match != Match::Yes) return match;
        }
        return Match::Yes;
    }

    Outcome<void> skip_spaces() {
        for (;;) {
            auto c = get();
            if (!c) return tl::unexpected(c.error());
            if (is_space(*c)) continue;
            unget(*c);
            return {};
        }
    }
    Outcome<int> get() {
        auto c = source_.get();
        if (c && *c >= 0) ++read_;
        return c;
    }
    void unget(int c) {
        if (c >= 0) --read_;
        source_.unget(c);
    }

    Outcome<Match> literal(char expected) {
        auto c = get();
        if (!c) return tl::unexpected(c.error());
        if (*c < 0) return Match::End;
        if (*c == static_cast<unsigned char>(expected)) return Match::Yes;
        unget(*c);
        return Match::No;
    }

    Outcome<Match> convert(const ScanSpec& spec) {
        switch (spec.conversion) {
            case 'n':
                return store_count(spec);
            case 'c':
            case 'C':
            case '[':
                return text(spec);
            default:
                break;
        }
        if (auto done = skip_spaces(); !done) return tl::unexpected(done.error());
        switch (spec.conversion) {
            case '%':
                return literal('%');
            case 's':
            case 'S':
                return text(spec);
            case 'd':
            case 'u':
                return integer(spec, 10);
            case 'i':
                return integer(spec, 0);
            case 'o':
                return integer(spec, 8);
            case 'x':
            case 'X':
            case 'p':
                return integer(spec, 16);
            case 'a':
            case 'A':
            case 'e':
            case 'E':
            case 'f':
            case 'F':
            case 'g':
            case 'G':
                return real(spec);
            default:
                return Match::No;
        }
    }

    /// Where the value of a conversion goes.
    Outcome<std::uint64_t> target(const ScanSpec& spec) {
        if (spec.argument == 0) return arguments_.integer();
        if (spec.argument > kMostArguments) return error(EINVAL);
        while (numbered_.size() < static_cast<std::size_t>(spec.argument)) {
            auto value = arguments_.integer();
            if (!value) return value;
            numbered_.push_back(*value);
        }
        return numbered_[static_cast<std::size_t>(spec.argument) - 1];
    }

    Outcome<Match> store_integer(const ScanSpec& spec, std::uint64_t value) {
        auto to = target(spec);
        if (!to) return tl::unexpected(to.error());
        Outcome<void> done;
        switch (spec.conversion == 'p' ? Length::Long : spec.length) {
            case Length::Char:
                done = memory_.store(*to, static_cast<std::uint8_t>(value));
                break;
            case Length::Short:
                done = memory_.store(*to, static_cast<std::uint16_t>(value));
                break;
            case Length::Int:
                done = memory_.store(*to, static_cast<std::uint32_t>(value));
                break;
            default:
                done = memory_.store(*to, value);
                break;
        }
        if (!done) return tl::unexpected(done.error());
        return Match::Yes;
    }

    Outcome<Match> store_count(const ScanSpec& spec) {
        return spec.suppressed ? Match::Yes : store_integer(spec, read_);
    }

    Outcome<Match> integer(const ScanSpec& spec, int base) {
        Counted counted(*this);
        Field field(counted, spec.width);
        auto input = scan_integer(field, base, spec.conversion == 'p');
        if (!input) return tl::unexpected(input.error());
        if (input->match != Match::Yes || spec.suppressed) return input->match;
        const bool is_signed = spec.conversion == 'd' || spec.conversion == 'i';
        std::uint64_t value = 0;
        if (!input->null_pointer) {
            const char* const digits = input->text.c_str();
            value = is_signed ? static_cast<std::uint64_t>(
                                    strtoll_l(digits, nullptr, input->base, c_locale()))
                              : strtoull_l(digits, nullptr, input->base, c_locale());
        }
        auto stored = store_integer(spec, value);
        if (stored) ++stored_;
        return stored;
    }

    Outcome<Match> real(const ScanSpec& spec) {
        Counted counted(*this);
        Field field(counted, spec.width);
        auto input = scan_real(field);
        if (!input) return tl::unexpected(input.error());
        if (input->match != Match::Yes || spec.suppressed) return input->match;
        auto to = target(spec);
        if (!to) return tl::unexpected(to.error());
        const char* const digits = input->text.c_str();
        Outcome<void> done;
        if (spec.length == Length::LongDouble) {
            const long double value = strtold_l(digits, nullptr, c_locale());
            done = memory_.write(*to, &value, 10);  // what is behind stays as it is
        } else if (spec.length == Length::Long) {
            done = memory_.store(*to, strtod_l(digits, nullptr, c_locale()));
        } else {
            done = memory_.store(*to, strtof_l(digits, nullptr, c_locale()));
        }
        if (!done) return tl::unexpected(done.error());
        ++stored_;
        return Match::Yes;
    }

    /// %s, %c, %[.
    Outcome<Match> text(const ScanSpec& spec) {
        const bool single = spec.conversion == 'c' || spec.conversion == 'C';
        const bool set = spec.conversion == '[';
        const bool wide =
            spec.length == Length::Long || spec.conversion == 'C' || spec.conversion == 'S';
        const auto wanted = [&](int c) {
            return single || (set ? spec.set[static_cast<std::size_t>(c)] : !is_space(c));
        };
        std::uint64_t left = single && spec.width == ~0ull ? 1 : spec.width;
        // An argument is looked at only when there is something to store.
        auto c = get();
        if (!c) return tl::unexpected(c.error());
        if (*c < 0) return Match::End;
        if (!wanted(*c)) {
            unget(*c);
            return Match::No;
        }
        std::uint64_t argument = 0;
        auto place = ScanText::Place::Nowhere;
        if (!spec.suppressed) {
            auto to = target(spec);
            if (!to) return tl::unexpected(to.error());
            argument = *to;
            place = spec.allocates ? ScanText::Place::Allocated : ScanText::Place::Given;
        }
        ScanText out(memory_, heap_, place, spec.allocates ? 0 : argument, wide);
        auto done = characters(out, *c, left, wanted, !single);
        if (done && place == ScanText::Place::Allocated) {
            done = memory_.store(argument, out.address());
            if (done) allocated_.push_back(out.address());
        }
        if (!done) {
            out.drop();
            return tl::unexpected(done.error());
        }
        if (!spec.suppressed) ++stored_;
        return Match::Yes;
    }

    template <class Wanted>
    Outcome<void> characters(ScanText& out, int c, std::uint64_t left, Wanted&& wanted,
                             bool terminated) {
        for (;;) {
            if (auto done = out.add(c); !done) return done;
            if (--left == 0) break;
            auto next = get();
            if (!next) return tl::unexpected(next.error());
            if (*next < 0) break;
            if (!wanted(*next)) {
                unget(*next);
                break;
            }
            c = *next;
        }
        return out.finish(terminated);
    }

    void drop_allocated() {
        for (const std::uint64_t block : allocated_) static_cast<void>(heap_.release(block));
        allocated_.clear();
    }

    /// The source as a number's field sees it, for %n.
    class Counted final : public CharacterSource {
    public:
        explicit Counted(Scanner& scanner) : scanner_(scanner) {}
        Outcome<int> get() override { return scanner_.get(); }
        void unget(int c) override { scanner_.unget(c); }

    private:
        Scanner& scanner_;
    };

    GuestMemory memory_;
    Heap& heap_;
    CharacterSource& source_;
    VariableArguments arguments_;
    std::vector<std::uint64_t> numbered_, allocated_;
    std::uint64_t read_ = 0;
    int stored_ = 0;
};

}  // namespace

Outcome<int> scan(GuestMemory memory, Heap& heap, CharacterSource& source, std::uint64_t format,
                  VariableArguments arguments) {
    auto text = memory.text(format);
    if (!text) return tl::unexpected(text.error());
    const CLocaleScope locale;
    return Scanner(memory, heap, source, arguments).run(*text);
}

}  // namespace e2k::guest::libc
