#include "engine/guest/libc/core/format.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <vector>

#include "engine/guest/libc/core/c_locale.h"
#include "engine/guest/libc/core/format_number.h"
#include "engine/guest/libc/core/format_spec.h"

namespace e2k::guest::libc {
namespace {

constexpr int kMostArguments = 4096;  ///< n$ goes up to here

/// Collects small pieces for the sink and counts.
class Output {
public:
    explicit Output(TextSink& sink) : sink_(sink) {}

    Outcome<void> put(std::string_view text) {
        if (auto fits = count(text.size()); !fits) return fits;
        if (text.size() > buffer_.size() - used_)
            if (auto done = flush(); !done) return done;
        if (text.size() > buffer_.size()) return sink_.put(text);
        std::memcpy(buffer_.data() + used_, text.data(), text.size());
        used_ += text.size();
        return {};
    }
    Outcome<void> repeat(char c, std::uint64_t times) {
        if (auto fits = count(times); !fits) return fits;
        while (times != 0) {
            if (used_ == buffer_.size())
                if (auto done = flush(); !done) return done;
            const std::size_t part = std::min<std::uint64_t>(times, buffer_.size() - used_);
            std::memset(buffer_.data() + used_, c, part);
            used_ += part;
            times -= part;
        }
        return {};
    }
    Outcome<void> flush() {
        const std::size_t size = used_;
        used_ = 0;
        return size == 0 ? Outcome<void>{} : sink_.put({buffer_.data(), size});
    }
    std::uint64_t total() const { return total_; }

private:
    Outcome<void> count(std::uint64_t size) {
        if (size > INT_MAX - total_) return error(EOVERFLOW);
        total_ += size;
        return {};
    }
    TextSink& sink_;
    std::array<char, 512> buffer_;
    std::size_t used_ = 0;
    std::uint64_t total_ = 0;
};

/// An argument's value, by its type.
struct Value {
    std::uint64_t integer = 0;
    double real = 0;
    long double long_real = 0;
};

Outcome<Value> next_value(VariableArguments& arguments, ArgumentType type) {
    Value value;
    const auto keep = [&](auto got, auto& place) -> Outcome<Value> {
        if (!got) return tl::unexpected(got.error());
        place = *got;
        return value;
    };
    switch (type) {
        case ArgumentType::Real:
            return keep(arguments.real(), value.real);
        case ArgumentType::LongReal:
            return keep(arguments.long_real(), value.long_real);
        default:
            return keep(arguments.integer(), value.integer);
    }
}

/// Gives the values to the conversions in order, or by their numbers: then the types of all are
/// found out first, since they say where each value is.
class Arguments {
public:
    Arguments(std::string_view format, VariableArguments source) : source_(source) {
        int next = 1;
        each_spec(format, [&](const FormatSpec& spec) {
            note(spec.width.argument, ArgumentType::Integer);
            note(spec.precision.argument, ArgumentType::Integer);
            const ArgumentType type = argument_type(spec);
            if (type != ArgumentType::None) note(spec.argument, type);
        });
        if (!by_number_) return;
        each_spec(format, [&](const FormatSpec& spec) {
            if (spec.width.kind == Amount::Kind::Argument && spec.width.argument == 0)
                note(next++, ArgumentType::Integer);
            if (spec.precision.kind == Amount::Kind::Argument && spec.precision.argument == 0)
                note(next++, ArgumentType::Integer);
            const ArgumentType type = argument_type(spec);
            if (type != ArgumentType::None && spec.argument == 0) note(next++, type);
        });
    }

    Outcome<Value> get(int number, ArgumentType type) {
        if (!by_number_) return next_value(source_, type);
        if (number == 0) number = next_++;
        if (number > kMostArguments || too_many_) return error(EINVAL);
        while (values_.size() < static_cast<std::size_t>(number)) {
            auto value = next_value(source_, types_[values_.size()]);
            if (!value) return value;
            values_.push_back(*value);
        }
        return values_[static_cast<std::size_t>(number) - 1];
    }

private:
    template <class Visit>
    static void each_spec(std::string_view format, Visit&& visit) {
        for (std::size_t at = format.find('%'); at != std::string_view::npos;
             at = format.find('%', at)) {
            const FormatSpec spec = parse_format_spec(format.substr(at));
            visit(spec);
            at += spec.text.size();
        }
    }
    void note(int number, ArgumentType type) {
        if (number == 0) return;
        by_number_ = true;
        if (number > kMostArguments) {
            too_many_ = true;
            return;
        }
        if (types_.size() < static_cast<std::size_t>(number))
            types_.resize(static_cast<std::size_t>(number), ArgumentType::Integer);
        types_[static_cast<std::size_t>(number) - 1] = type;
    }

    VariableArguments source_;
    bool by_number_ = false, too_many_ = false;
    int next_ = 1;
    std::vector<ArgumentType> types_;
    std::vector<Value> values_;
};

class Formatter {
public:
    Formatter(const FormatContext& context, TextSink& sink, std::string_view format,
              VariableArguments arguments)
        : context_(context), out_(sink), format_(format), arguments_(format, arguments) {}

    Outcome<int> run() {
        while (!format_.empty()) {
            const std::size_t literal = std::min(format_.find('%'), format_.size());
            if (auto done = out_.put(format_.substr(0, literal)); !done) return failed(done);
            format_.remove_prefix(literal);
            if (format_.empty()) break;
            const FormatSpec spec = parse_format_spec(format_);
            format_.remove_prefix(spec.text.size());
            if (auto done = convert(spec); !done) return failed(done);
        }
        if (auto done = out_.flush(); !done) return tl::unexpected(done.error());
        return static_cast<int>(out_.total());
    }

private:
    /// What was written before the failure is there.
    Outcome<int> failed(const Outcome<void>& why) {
        static_cast<void>(out_.flush());
        return tl::unexpected(why.error());
    }

    Outcome<void> convert(FormatSpec spec) {
        if (spec.conversion == 0) return error(EINVAL);
        if (spec.overflow) return error(EOVERFLOW);
        width_ = 0;
        precision_ = -1;
        if (auto done = take_width(spec); !done) return done;
        if (auto done = take_precision(spec); !done) return done;
        switch (spec.conversion) {
            case '%':
                return out_.put("%");
            case 'm':
                return put_text(spec, error_text());
            default:
                break;
        }
        const ArgumentType type = argument_type(spec);
        if (type == ArgumentType::None) return out_.put(spec.text);
        auto value = arguments_.get(spec.argument, type);
        if (!value) return tl::unexpected(value.error());
        switch (type) {
            case ArgumentType::Real:
                return put_number(spec, real_text(spec, value->real, precision_));
            case ArgumentType::LongReal:
                return put_number(spec, real_text(spec, value->long_real, precision_));
            default:
                return convert_integer(spec, value->integer);
        }
    }

    Outcome<void> convert_integer(const FormatSpec& spec, std::uint64_t value) {
        switch (spec.conversion) {
            case 'n':
                return store_count(spec, value);
            case 'c':
            case 'C':
                return put_character(spec, value);
            case 's':
            case 'S':
                if (value == 0)
                    return put_text(spec, precision_ < 0 || precision_ >= 6 ? "(null)" : "");
                return is_wide(spec) ? put_wide_string(spec, value) : put_string(spec, value);
            case 'p':
                if (value == 0) {
                    precision_ = -1;
                    return put_text(spec, "(nil)");
                }
                [[fallthrough]];
            default:
                return put_number(spec, integer_text(spec, value, precision_));
        }
    }

    Outcome<void> take_width(FormatSpec& spec) {
        width_ = static_cast<std::uint64_t>(spec.width.number);
        if (spec.width.kind != Amount::Kind::Argument) return {};
        auto value = arguments_.get(spec.width.argument, ArgumentType::Integer);
        if (!value) return tl::unexpected(value.error());
        const std::int64_t number = static_cast<std::int32_t>(value->integer);
        if (number < 0) spec.left = true;
        width_ = static_cast<std::uint64_t>(number < 0 ? -number : number);
        return {};
    }
    Outcome<void> take_precision(const FormatSpec& spec) {
        if (spec.precision.kind == Amount::Kind::Number) precision_ = spec.precision.number;
        if (spec.precision.kind != Amount::Kind::Argument) return {};
        auto value = arguments_.get(spec.precision.argument, ArgumentType::Integer);
        if (!value) return tl::unexpected(value.error());
        precision_ = std::max(-1, static_cast<std::int32_t>(value->integer));
        return {};
    }

    /// `put()` between the spaces that fill `size` up to the width.
    template <class Put>
    Outcome<void> padded(const FormatSpec& spec, std::uint64_t size, Put&& put) {
        const std::uint64_t missing = width_ > size ? width_ - size : 0;
        if (!spec.left)
            if (auto done = out_.repeat(' ', missing); !done) return done;
        if (auto done = put(); !done) return done;
        return spec.left ? out_.repeat(' ', missing) : Outcome<void>{};
    }

    Outcome<void> put_number(const FormatSpec& spec, NumberText number) {
        // The flag '-' overrides the flag 0.
        const bool with_zeros = spec.zero && !spec.left && number.pad_zeros;
        const std::uint64_t size = number.size();
        const std::uint64_t fill = with_zeros && width_ > size ? width_ - size : 0;
        return padded(spec, size + fill, [&]() -> Outcome<void> {
            if (auto done = out_.put(number.prefix); !done) return done;
            if (auto done = out_.repeat('0', fill); !done) return done;
            if (auto done = out_.put(number.body); !done) return done;
            if (auto done = out_.repeat('0', number.zeros); !done) return done;
            return out_.put(number.tail);
        });
    }

    Outcome<void> put_text(const FormatSpec& spec, std::string_view text) {
        if (precision_ >= 0) text = text.substr(0, static_cast<std::size_t>(precision_));
        return padded(spec, text.size(), [&] { return out_.put(text); });
    }

    std::uint64_t limit() const {
        return precision_ < 0 ? ~0ull : static_cast<std::uint64_t>(precision_);
    }

    Outcome<void> put_string(const FormatSpec& spec, std::uint64_t address) {
        std::uint64_t size = width_;  // as far as nothing is to be filled up
        if (width_ > 0) {
            auto length = context_.memory.length(address, limit());
            if (!length) return tl::unexpected(length.error());
            size = *length;
        }
        return padded(spec, size, [&] {
            return context_.memory.each_piece(address, limit(),
                                              [&](const char* piece, std::size_t bytes) {
                                                  return out_.put({piece, bytes});
                                              });
        });
    }

    /// The C locale has the characters of ASCII.
    static bool representable(std::uint32_t c) { return c < 0x80; }

    Outcome<void> put_wide_string(const FormatSpec& spec, std::uint64_t address) {
        const auto each = [&](auto&& visit) -> Outcome<std::uint64_t> {
            for (std::uint64_t i = 0; i < limit(); ++i) {
                auto c = context_.memory.load<std::uint32_t>(address + 4 * i);
                if (!c) return tl::unexpected(c.error());
                if (*c == 0) return i;
                if (!representable(*c)) return error(EILSEQ);
                if (auto done = visit(static_cast<char>(*c)); !done)
                    return tl::unexpected(done.error());
            }
            return limit();
        };
        auto size = each([](char) { return Outcome<void>{}; });
        if (!size) return tl::unexpected(size.error());
        return padded(spec, *size, [&]() -> Outcome<void> {
            auto done = each([&](char c) { return out_.put({&c, 1}); });
            return done ? Outcome<void>{} : tl::unexpected(done.error());
        });
    }

    Outcome<void> put_character(const FormatSpec& spec, std::uint64_t value) {
        if (is_wide(spec) && !representable(static_cast<std::uint32_t>(value)))
            return error(EILSEQ);
        const char c = static_cast<char>(value);
        return padded(spec, 1, [&] { return out_.put({&c, 1}); });
    }

    Outcome<void> store_count(const FormatSpec& spec, std::uint64_t address) {
        if (context_.fortified && writable_format_)
            return abort_with("*** %n in writable segment detected ***");
        const std::uint64_t count = out_.total();
        const GuestMemory& memory = context_.memory;
        switch (spec.length) {
            case Length::Char:
                return memory.store(address, static_cast<std::int8_t>(count));
            case Length::Short:
                return memory.store(address, static_cast<std::int16_t>(count));
            case Length::Int:
                return memory.store(address, static_cast<std::int32_t>(count));
            default:
                return memory.store(address, count);
        }
    }

    std::string_view error_text() {
        error_text_.fill('\0');
        const CLocaleScope locale;
        return strerror_r(context_.guest_errno, error_text_.data(), error_text_.size());
    }

public:
    void format_is_writable() { writable_format_ = true; }

private:
    const FormatContext& context_;
    Output out_;
    std::string_view format_;
    Arguments arguments_;
    std::uint64_t width_ = 0;
    int precision_ = -1;
    bool writable_format_ = false;
    std::array<char, 128> error_text_;
};

}  // namespace

Outcome<int> format(const FormatContext& context, TextSink& sink, std::uint64_t format,
                    VariableArguments arguments) {
    auto text = context.memory.text(format);
    if (!text) return tl::unexpected(text.error());
    Formatter formatter(context, sink, *text, arguments);
    if (context.fortified && context.memory.space().view().allows(format, 1, cpu::kPageWrite))
        formatter.format_is_writable();
    return formatter.run();
}

}  // namespace e2k::guest::libc
