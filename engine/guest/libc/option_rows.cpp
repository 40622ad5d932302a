// getopt and its long forms. What they remember between calls is in the guest: optind, optarg and
// the place inside of a word of several options.
#include <getopt.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "engine/guest/libc/printing.h"

namespace e2k::guest::libc {
namespace {

/// What the library's objects hold for getopt.
struct Memory {
    std::uint64_t next_letter = 0;                 ///< address in a word "-abc", 0: none
    std::int32_t first_other = 1, last_other = 1;  ///< words without option that were passed over
};

/// struct option: name, has_arg, flag, val.
struct LongOption {
    std::uint64_t name = 0;
    std::int32_t has_argument = 0, pad = 0;
    std::uint64_t flag = 0;
    std::int32_t value = 0, pad2 = 0;
};
static_assert(sizeof(LongOption) == 32);

class OptionReader {
public:
    OptionReader(LibraryCall& call, bool long_only) : call_(call), long_only_(long_only) {}

    Outcome<Value> next(std::uint64_t options, std::uint64_t long_index) {
        options_ = options;
        long_index_ = long_index;
        if (auto done = load(); !done) return tl::unexpected(done.error());
        auto result = step();
        if (!result) return tl::unexpected(result.error());
        if (auto done = save(); !done) return tl::unexpected(done.error());
        return Value(*result);
    }

private:
    std::uint64_t variable(std::string_view name) const { return call_.library.variable(name); }

    Outcome<void> load() {
        argc_ = call_.integer(0);
        argv_ = call_.pointer(1);
        auto index = call_.memory.load<std::int32_t>(variable("optind"));
        auto report = call_.memory.load<std::int32_t>(variable("opterr"));
        auto kept = call_.memory.load<Memory>(call_.library.statics + Library::kStaticOptions);
        auto letters = call_.text(2);
        if (!index) return tl::unexpected(index.error());
        if (!report) return tl::unexpected(report.error());
        if (!kept) return tl::unexpected(kept.error());
        if (!letters) return tl::unexpected(letters.error());
        index_ = *index;
        kept_ = *kept;
        letters_ = *letters;
        if (index_ == 0) {
            index_ = 1;
            kept_ = Memory{};
        }
        if (kept_.next_letter == 0 && index_ == 1) kept_.first_other = kept_.last_other = 1;
        in_order_ = letters_.starts_with('+');
        return_others_ = letters_.starts_with('-');
        if (in_order_ || return_others_) letters_.erase(0, 1);
        colon_ = letters_.starts_with(':');
        report_ = *report != 0 && !colon_;
        if (!return_others_) {
            const auto environment = getenv_posix();
            if (!environment) return tl::unexpected(environment.error());
            in_order_ |= *environment;
        }
        return call_.memory.store(variable("optarg"), std::uint64_t{0});
    }
    Outcome<void> save() {
        if (auto done = call_.memory.store(variable("optind"), index_); !done) return done;
        return call_.memory.store(call_.library.statics + Library::kStaticOptions, kept_);
    }
    /// POSIXLY_CORRECT is set.
    Outcome<bool> getenv_posix() {
        auto list = call_.memory.load<std::uint64_t>(variable("environ"));
        if (!list) return tl::unexpected(list.error());
        for (std::uint64_t i = 0; *list != 0 && i < 65536; ++i) {
            const auto at = call_.memory.load<std::uint64_t>(*list + 8 * i);
            if (!at) return tl::unexpected(at.error());
            if (*at == 0) break;
            std::array<char, 16> begin{};
            if (auto length = call_.memory.length(*at, begin.size()); !length)
                return tl::unexpected(length.error());
            else if (auto got = call_.memory.read(*at, begin.data(), *length); !got)
                return tl::unexpected(got.error());
            if (std::string_view(begin.data(), begin.size()) == "POSIXLY_CORRECT=") return true;
        }
        return false;
    }

    Outcome<std::uint64_t> address_of(int index) {
        return call_.memory.load<std::uint64_t>(argv_ + 8 * static_cast<std::uint64_t>(index));
    }
    Outcome<std::string> word(int index) {
        auto at = address_of(index);
        if (!at) return tl::unexpected(at.error());
        if (*at == 0) return std::string();
        return call_.memory.text(*at);
    }

    /// The words without option that were passed over go behind the options that followed them.
    Outcome<void> exchange() {
        const int others = kept_.last_other - kept_.first_other;
        const int options = index_ - kept_.last_other;
        if (others > 0 && options > 0) {
            std::vector<std::uint64_t> words(static_cast<std::size_t>(others + options));
            const std::uint64_t at = argv_ + 8 * static_cast<std::uint64_t>(kept_.first_other);
            if (auto got = call_.memory.read(at, words.data(), words.size() * 8); !got) return got;
            std::rotate(words.begin(), words.begin() + others, words.end());
            if (auto put = call_.memory.write(at, words.data(), words.size() * 8); !put) return put;
        }
        kept_.first_other += options;
        kept_.last_other = index_;
        return {};
    }

    Outcome<int> step() {
        if (argc_ < 1) return -1;
        if (kept_.next_letter != 0) return letter();
        if (kept_.last_other > index_) kept_.last_other = index_;
        if (kept_.first_other > index_) kept_.first_other = index_;
        if (!in_order_ && !return_others_) {
            if (auto done = pass_over(); !done) return tl::unexpected(done.error());
        }
        if (index_ >= argc_) return finish();
        auto text = word(index_);
        if (!text) return tl::unexpected(text.error());
        if (*text == "--") {
            ++index_;
            if (auto done = exchange_all(); !done) return tl::unexpected(done.error());
            kept_.last_other = argc_;
            index_ = argc_;
            return finish();
        }
        if (text->size() < 2 || text->front() != '-') {
            if (in_order_) return -1;
            return other();
        }
        return option(*text);
    }
    Outcome<void> exchange_all() {
        if (kept_.first_other != kept_.last_other && kept_.last_other != index_) return exchange();
        if (kept_.first_other == kept_.last_other) kept_.first_other = index_;
        return {};
    }
    Outcome<void> pass_over() {
        if (kept_.first_other != kept_.last_other && kept_.last_other != index_) {
            if (auto done = exchange(); !done) return done;
        } else if (kept_.last_other != index_) {
            kept_.first_other = index_;
        }
        for (; index_ < argc_; ++index_) {
            const auto text = word(index_);
            if (!text) return tl::unexpected(text.error());
            if (text->size() >= 2 && text->front() == '-') break;
        }
        kept_.last_other = index_;
        return {};
    }
    int finish() {
        if (kept_.first_other != kept_.last_other) index_ = kept_.first_other;
        return -1;
    }
    /// "-": every other word is the argument of an option with value 1.
    Outcome<int> other() {
        const auto at = address_of(index_++);
        if (!at) return tl::unexpected(at.error());
        if (auto done = set_argument(*at); !done) return tl::unexpected(done.error());
        return 1;
    }

    Outcome<int> option(const std::string& text) {
        const auto at = address_of(index_);
        if (!at) return tl::unexpected(at.error());
        if (options_ != 0) {
            if (text[1] == '-') return long_option(text, 2, *at);
            if (long_only_ && (text.size() > 2 || letters_.find(text[1]) == std::string::npos)) {
                auto result = long_option(text, 1, *at);
                if (!result || *result != kNoLongOption) return result;
            }
        }
        kept_.next_letter = *at + 1;
        return letter();
    }

    Outcome<int> letter() {
        const auto c = call_.memory.load<char>(kept_.next_letter);
        const auto rest = call_.memory.load<char>(kept_.next_letter + 1);
        if (!c) return tl::unexpected(c.error());
        if (!rest) return tl::unexpected(rest.error());
        ++kept_.next_letter;
        const bool last = *rest == 0;
        const std::size_t known = letters_.find(*c);
        if (last) ++index_;
        const std::uint64_t behind = kept_.next_letter;
        if (last) kept_.next_letter = 0;
        if (known == std::string::npos || *c == ':' || *c == ';')
            return complain(*c, std::string("invalid option -- '") + *c + "'");
        const bool takes = letters_.substr(known + 1, 1) == ":";
        const bool optional = letters_.substr(known + 1, 2) == "::";
        if (!takes) return *c;
        kept_.next_letter = 0;
        if (!last) {
            ++index_;
            if (auto done = set_argument(behind); !done) return tl::unexpected(done.error());
            return *c;
        }
        if (optional) return *c;
        if (index_ >= argc_) {
            auto result = complain(*c, std::string("option requires an argument -- '") + *c + "'");
            return result && colon_ ? Outcome<int>(':') : result;
        }
        const auto at = address_of(index_++);
        if (!at) return tl::unexpected(at.error());
        if (auto done = set_argument(*at); !done) return tl::unexpected(done.error());
        return *c;
    }

    static constexpr int kNoLongOption = -2;

    /// The option whose name begins at `begin` of the word at `at`.
    Outcome<int> long_option(const std::string& text, std::size_t begin, std::uint64_t at) {
        const std::size_t equals = std::min(text.find('=', begin), text.size());
        const std::string name = text.substr(begin, equals - begin);
        const std::string dashes = text.substr(0, begin);
        LongOption found;
        int found_index = -1;
        bool ambiguous = false;
        for (int i = 0; i < 65536; ++i) {
            const auto row = call_.memory.load<LongOption>(
                options_ + sizeof(LongOption) * static_cast<std::uint64_t>(i));
            if (!row) return tl::unexpected(row.error());
            if (row->name == 0) break;
            const auto full = call_.memory.text(row->name);
            if (!full) return tl::unexpected(full.error());
            if (!full->starts_with(name)) continue;
            const bool exact = full->size() == name.size();
            if (!exact && found_index >= 0) {
                ambiguous |= found.has_argument != row->has_argument || found.flag != row->flag ||
                             found.value != row->value;
                continue;
            }
            found = *row;
            found_index = i;
            if (exact) {
                ambiguous = false;
                break;
            }
        }
        if (found_index < 0 && begin == 1 && letters_.find(text[1]) != std::string::npos)
            return kNoLongOption;
        ++index_;
        if (ambiguous) return complain(0, "option '" + dashes + name + "' is ambiguous");
        if (found_index < 0) return complain(0, "unrecognized option '" + dashes + name + "'");
        return take_long(found, found_index, dashes, equals < text.size() ? at + equals + 1 : 0);
    }
    Outcome<int> take_long(const LongOption& found, int found_index, const std::string& dashes,
                           std::uint64_t argument) {
        const auto name = call_.memory.text(found.name);
        if (!name) return tl::unexpected(name.error());
        if (argument != 0 && found.has_argument == no_argument)
            return complain(found.value,
                            "option '" + dashes + *name + "' doesn't allow an argument");
        if (argument == 0 && found.has_argument == required_argument) {
            if (index_ >= argc_) {
                auto result =
                    complain(found.value, "option '" + dashes + *name + "' requires an argument");
                return result && colon_ ? Outcome<int>(':') : result;
            }
            const auto next = address_of(index_++);
            if (!next) return tl::unexpected(next.error());
            argument = *next;
        }
        if (argument != 0)
            if (auto done = set_argument(argument); !done) return tl::unexpected(done.error());
        if (long_index_ != 0)
            if (auto done = call_.memory.store(long_index_, found_index); !done)
                return tl::unexpected(done.error());
        if (found.flag == 0) return found.value;
        if (auto done = call_.memory.store(found.flag, found.value); !done)
            return tl::unexpected(done.error());
        return 0;
    }

    Outcome<void> set_argument(std::uint64_t at) {
        return call_.memory.store(variable("optarg"), at);
    }
    Outcome<int> complain(int option, const std::string& what) {
        if (auto done = call_.memory.store(variable("optopt"), option); !done)
            return tl::unexpected(done.error());
        if (!report_) return '?';
        const auto program = word(0);
        const auto file = standard_file(call_, "stderr");
        if (!program) return tl::unexpected(program.error());
        if (!file) return tl::unexpected(file.error());
        const std::string line = *program + ": " + what + '\n';
        const auto put = write_to_file(call_, *file, [&](StreamWriter& writer) -> Outcome<Value> {
            if (auto done = writer.put(line); !done) return tl::unexpected(done.error());
            return Value(0);
        });
        if (!put && put.error().kind == Trouble::Kind::Interrupted)
            return tl::unexpected(put.error());
        return '?';
    }

    LibraryCall& call_;
    bool long_only_;
    int argc_ = 0;
    std::uint64_t argv_ = 0, options_ = 0, long_index_ = 0;
    std::string letters_;
    std::int32_t index_ = 1;
    Memory kept_;
    bool in_order_ = false, return_others_ = false, colon_ = false, report_ = false;
};

Outcome<Value> getopt_(LibraryCall& call) { return OptionReader(call, false).next(0, 0); }
Outcome<Value> getopt_long_(LibraryCall& call) {
    return OptionReader(call, false).next(call.pointer(3), call.pointer(4));
}
Outcome<Value> getopt_long_only_(LibraryCall& call) {
    return OptionReader(call, true).next(call.pointer(3), call.pointer(4));
}

constexpr std::array kRows{
    Row{"getopt", "i(i,p,s)", getopt_},
    Row{"__posix_getopt", "i(i,p,s)", getopt_},
    Row{"getopt_long", "i(i,p,s,p,p)", getopt_long_},
    Row{"getopt_long_only", "i(i,p,s,p,p)", getopt_long_only_},
};

}  // namespace

std::span<const Row> option_rows() { return kRows; }

}  // namespace e2k::guest::libc
