// <regex.h>, <fnmatch.h>: the host's, on copies.
#include <fnmatch.h>
#include <regex.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "engine/guest/libc/core/c_locale.h"
#include "engine/guest/libc/host_objects.h"
#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {
namespace {

/// regex_t: where the number of the host's object and the number of groups stand.
constexpr std::uint64_t kNumber = 0, kGroups = 48, kBytes = 64;

/// What compiling a pattern would take: the host expands repetitions and follows groups by
/// recursion, whatever that costs.
class PatternCost {
public:
    PatternCost(const std::string& text, bool extended) : text_(text), extended_(extended) {}

    bool bearable() {
        constexpr std::size_t kLongest = 1u << 16, kDeepest = 200;
        constexpr std::uint64_t kMost = 40'000;
        if (text_.size() > kLongest) return false;
        std::vector<std::uint64_t> groups{0};
        std::uint64_t last = 1;  // of the part that a repetition would repeat
        for (std::size_t i = 0; i < text_.size(); ++i) {
            const bool escaped = text_[i] == '\\' && i + 1 < text_.size();
            const char c = text_[escaped ? ++i : i];
            const bool special = escaped != extended_;
            if (escaped && c >= '1' && c <= '9') back_references_ = true;
            if (special && c == '(') {
                groups.push_back(0);
                if (groups.size() > kDeepest) return false;
            } else if (special && c == ')' && groups.size() > 1) {
                last = groups.back() + 1;
                groups.pop_back();
                groups.back() += last;
            } else if (special && c == '{') {
                const std::uint64_t times = largest_number(i);
                groups.back() += last * times;
                last *= std::max<std::uint64_t>(times, 1);
            } else if (!escaped && c == '[') {
                i = end_of_set(i);
                groups.back() += last = 1;
            } else {
                groups.back() += last = 1;
            }
            if (groups.back() > kMost || last > kMost) return false;
        }
        return true;
    }
    bool back_references() const { return back_references_; }

private:
    /// The largest number of `{m,n}`; `i` is moved to its end.
    std::uint64_t largest_number(std::size_t& i) const {
        std::uint64_t most = 0, value = 0;
        for (++i; i < text_.size(); ++i) {
            const char c = text_[i];
            if (c >= '0' && c <= '9') {
                value =
                    std::min<std::uint64_t>(value * 10 + static_cast<unsigned>(c - '0'), 40'000);
                most = std::max(most, value);
            } else if (c == ',') {
                value = 0;
            } else {
                break;
            }
        }
        if (i < text_.size() && text_[i] == '\\') ++i;
        return most;
    }
    std::size_t end_of_set(std::size_t i) const {
        std::size_t at = i + 1;
        if (at < text_.size() && text_[at] == '^') ++at;
        if (at < text_.size() && text_[at] == ']') ++at;
        while (at < text_.size() && text_[at] != ']') ++at;
        return std::min(at, text_.size() - 1);
    }

    const std::string& text_;
    bool extended_;
    bool back_references_ = false;
};

/// regcomp and regexec return the error.
Outcome<Value> regcomp_(LibraryCall& call) {
    const auto text = call.text(1);
    if (!text) return tl::unexpected(text.error());
    const int flags = call.integer(2);
    PatternCost cost(*text, flags & REG_EXTENDED);
    if (!cost.bearable()) return Value(static_cast<int>(REG_ESPACE));
    const CLocaleScope locale;
    auto pattern = std::make_shared<HostPattern>();
    const int failed = regcomp(&pattern->regex, text->c_str(), flags);
    if (failed != 0) {
        pattern->regex = {};
        return Value(failed);
    }
    pattern->without_places = flags & REG_NOSUB;
    pattern->back_references = cost.back_references();
    const std::uint64_t groups = pattern->regex.re_nsub;
    if (auto done = call.memory.fill(call.pointer(0), 0, kBytes); !done)
        return tl::unexpected(done.error());
    const std::uint64_t number = call.library.objects->patterns.add(std::move(pattern));
    if (number == 0) return Value(static_cast<int>(REG_ESPACE));
    if (auto done = call.memory.store(call.pointer(0) + kNumber, number); !done)
        return tl::unexpected(done.error());
    return call.memory.store(call.pointer(0) + kGroups, groups).map([] { return Value(0); });
}

/// The object that a regex_t stands for. What no regcomp has made is a bad pointer.
Outcome<std::shared_ptr<HostPattern>> pattern_at(const LibraryCall& call, std::uint64_t at) {
    const auto number = call.memory.load<std::uint64_t>(at + kNumber);
    if (!number) return tl::unexpected(number.error());
    auto pattern = call.library.objects->patterns.find(*number);
    if (!pattern) return fault(*number, false);
    return pattern;
}

/// The text that regexec is to look at, from offset 0 on.
struct Subject {
    std::string text;
    regmatch_t range{};
};
Outcome<Subject> subject_of(const LibraryCall& call, int flags) {
    constexpr regoff_t kLongest = 16 << 20;
    Subject subject;
    if (flags & REG_STARTEND) {
        const auto range = call.memory.load<regmatch_t>(call.pointer(3));
        if (!range) return tl::unexpected(range.error());
        subject.range = *range;
        if (range->rm_so < 0 || range->rm_eo < range->rm_so || range->rm_eo > kLongest)
            return error(EINVAL);
        subject.text.resize(static_cast<std::size_t>(range->rm_eo));
        const auto part = static_cast<std::size_t>(range->rm_so);
        if (auto got = call.memory.read(call.pointer(1) + part, subject.text.data() + part,
                                        subject.text.size() - part);
            !got)
            return tl::unexpected(got.error());
        return subject;
    }
    auto text = call.text(1);
    if (!text) return tl::unexpected(text.error());
    subject.text = std::move(*text);
    subject.range.rm_eo = static_cast<regoff_t>(subject.text.size());
    return subject;
}

Outcome<Value> regexec_(LibraryCall& call) {
    constexpr std::size_t kLongestWithReferences = 1u << 14;
    constexpr std::uint64_t kMostPlaces = 1ull << 40;
    constexpr int kKnownFlags = REG_NOTBOL | REG_NOTEOL | REG_STARTEND;
    const auto pattern = pattern_at(call, call.pointer(0));
    if (!pattern) return tl::unexpected(pattern.error());
    const int flags = call.integer(4) & kKnownFlags;
    const auto subject = subject_of(call, flags);
    if (!subject && subject.error().kind == Trouble::Kind::Error)
        return Value(static_cast<int>(REG_NOMATCH));
    if (!subject) return tl::unexpected(subject.error());
    if ((*pattern)->back_references && subject->text.size() > kLongestWithReferences)
        return Value(static_cast<int>(REG_ESPACE));
    const std::uint64_t wanted =
        (*pattern)->without_places ? 0 : std::min(call.size(2), kMostPlaces);
    std::vector<regmatch_t> places(
        std::max<std::size_t>(1, std::min<std::size_t>(wanted, (*pattern)->regex.re_nsub + 1)));
    places[0] = subject->range;
    const std::size_t count = wanted == 0 ? 0 : places.size();
    const CLocaleScope locale;
    const int result = regexec(&(*pattern)->regex, subject->text.c_str(), count, places.data(),
                               flags | REG_STARTEND);
    if (result != 0 || wanted == 0) return Value(result);
    const std::uint64_t to = call.pointer(3);
    if (auto done = call.memory.write(to, places.data(), count * sizeof places[0]); !done)
        return tl::unexpected(done.error());
    if (auto done = call.memory.fill(to + count * sizeof places[0], 0xff,
                                     (wanted - count) * sizeof places[0]);
        !done)
        return tl::unexpected(done.error());
    return Value(0);
}
/// GLIBC_2.2 knows no REG_STARTEND.
Outcome<Value> old_regexec_(LibraryCall& call) {
    const std::uint64_t flags = call.word(4) & (REG_NOTBOL | REG_NOTEOL);
    call.set_stub_register(4, flags);
    return regexec_(call);
}
Outcome<Value> regfree_(LibraryCall& call) {
    const auto number = call.memory.load<std::uint64_t>(call.pointer(0) + kNumber);
    if (!number) return tl::unexpected(number.error());
    call.library.objects->patterns.remove(*number);
    return call.memory.store(call.pointer(0) + kNumber, std::uint64_t{0}).map([] {
        return Value();
    });
}
Outcome<Value> regerror_(LibraryCall& call) {
    std::array<char, 256> text{};
    const CLocaleScope locale;
    const int code = call.integer(0);
    constexpr int kCodes = 17;
    if (code < 0 || code >= kCodes) return abort_with("regerror of a number that is no error");
    const std::size_t size = regerror(code, nullptr, text.data(), text.size());
    const std::uint64_t room = std::min<std::uint64_t>(call.size(3), size);
    if (room != 0) {
        text[room - 1] = '\0';
        if (auto done = call.memory.write(call.pointer(2), text.data(), room); !done)
            return tl::unexpected(done.error());
    }
    return Value(size);
}

Outcome<Value> fnmatch_(LibraryCall& call) {
    constexpr std::size_t kLongest = 1u << 14;
    const auto pattern = call.text(0, kLongest), text = call.text(1, kLongest);
    // What the host's function does when it has no memory.
    constexpr int kFailed = -1;
    for (const auto* const part : {&pattern, &text})
        if (!*part)
            return part->error().kind == Trouble::Kind::Error ? Outcome<Value>(Value(kFailed))
                                                              : tl::unexpected(part->error());
    const CLocaleScope locale;
    return Value(fnmatch(pattern->c_str(), text->c_str(), call.integer(2)));
}

constexpr std::array kRows{
    Row{"regcomp", "i(p,s,i)", regcomp_},
    Row{"regexec", "i(p,s,L,p,i)", regexec_},
    Row{"regexec@GLIBC_2.2", "i(p,s,L,p,i)", old_regexec_},
    Row{"regfree", "v(p)", regfree_},
    Row{"regerror", "L(i,p,p,L)", regerror_},
    Row{"fnmatch", "i(s,s,i)", fnmatch_},
};

}  // namespace

std::span<const Row> pattern_rows() { return kRows; }

}  // namespace e2k::guest::libc
