// The table of host leafs: <math.h>, <ctype.h> and <stdlib.h> as far as they are pure. Floating
// point runs under the guest's rounding mode, which is the host's while guest code runs.
#include "engine/cpu/host_leafs.h"

#include <math.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <tuple>
#include <type_traits>
#include <vector>

namespace e2k::cpu {
namespace {

using Words = std::array<std::uint64_t, 3>;

/// An argument from the places it has (calling.md §2).
template <class T>
T take(const Words& words, unsigned& at) {
    T value{};
    if constexpr (std::is_same_v<T, long double>) {
        std::memcpy(&value, words.data() + at, 10);
        at += 2;
    } else {
        std::memcpy(&value, words.data() + at, sizeof value);
        ++at;
    }
    return value;
}

/// A result as it stands in %r0 and %r1; integers are extended.
template <class R>
std::array<std::uint64_t, 2> give(R value) {
    std::array<std::uint64_t, 2> words{};
    if constexpr (std::is_integral_v<R>)
        words[0] = static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
    else
        std::memcpy(words.data(), &value, std::is_same_v<R, long double> ? 10 : sizeof value);
    return words;
}

template <auto F, class R, class... A>
struct LeafOf {
    static constexpr bool kFloating =
        std::is_floating_point_v<R> || (std::is_floating_point_v<A> || ...);
    static constexpr unsigned kWords = ((std::is_same_v<A, long double> ? 2u : 1u) + ... + 0u);
    static_assert(kWords <= Words().size());

    static R call(const Words& words) {
        unsigned at = 0;
        std::tuple<A...> arguments{take<A>(words, at)...};  // braces: in order
        return std::apply(F, arguments);
    }
    static std::uint64_t value(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
        return give(call({a, b, c}))[0];
    }
    static std::uint64_t high(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
        return give(call({a, b, c}))[1];
    }
    static std::uint64_t error(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
        // Of a call that it sees, the compiler believes to know what happens to errno.
        R (*volatile function)(A...) = F;
        const Words words{a, b, c};
        unsigned at = 0;
        const std::tuple<A...> arguments{take<A>(words, at)...};
        errno = 0;
        std::apply([&](const A&... each) { static_cast<void>(function(each...)); }, arguments);
        return static_cast<std::uint64_t>(errno);
    }
    static HostLeaf leaf(std::string name, bool fails) {
        HostLeaf leaf;
        leaf.name = std::move(name);
        leaf.words = kWords;
        if constexpr (std::is_same_v<R, double>) leaf.result = HostLeaf::Result::Double;
        if constexpr (std::is_same_v<R, float>) leaf.result = HostLeaf::Result::Float;
        if constexpr (std::is_same_v<R, long double>) {
            leaf.result = HostLeaf::Result::Long;
            leaf.high = high;
        }
        leaf.kind = kFloating ? SemKind::Sse64 : SemKind::Int64;
        leaf.value = value;
        if (fails) leaf.error = error;
        return leaf;
    }
};

template <auto F, class Type = decltype(F)>
struct Leaf;
template <auto F, class R, class... A>
struct Leaf<F, R (*)(A...)> : LeafOf<F, R, A...> {};
template <auto F, class R, class... A>
struct Leaf<F, R (*)(A...) noexcept> : LeafOf<F, R, A...> {};

// --- what the guest's C library has otherwise than the host's ---

/// FP_ILOGB0 and FP_ILOGBNAN are others (libraries.md §6).
template <class T, int (*F)(T)>
int ilogb_as_elbrus(T x) {
    if (std::isnan(x)) return std::numeric_limits<int>::max();
    return x == 0 ? -std::numeric_limits<int>::max() : F(x);
}
int ilogb_of_double(double x) { return ::ilogb(x); }
int ilogb_of_float(float x) { return ::ilogbf(x); }
int ilogb_of_long(long double x) { return ::ilogbl(x); }

template <class T>
int classify(T x) {
    return std::fpclassify(x);
}
template <class T>
int is_nan(T x) {
    return std::isnan(x) ? 1 : 0;
}
template <class T>
int is_infinite(T x) {
    return std::isinf(x) ? (std::signbit(x) ? -1 : 1) : 0;
}
template <class T>
int is_finite(T x) {
    return std::isfinite(x) ? 1 : 0;
}
template <class T>
int sign_bit(T x) {
    return std::signbit(x) ? 1 : 0;
}

// --- characters of the C locale; other numbers than characters have no property ---

constexpr int kUpper = 0x100, kLower = 0x200, kAlpha = 0x400, kDigit = 0x800, kXdigit = 0x1000,
              kSpace = 0x2000, kPrint = 0x4000, kGraph = 0x8000, kBlank = 1, kControl = 2,
              kPunct = 4, kAlnum = 8;

constexpr bool within(int c, int first, int last) { return c >= first && c <= last; }

/// The bits of <ctype.h>'s table (libraries.md §10).
constexpr int properties(int c) {
    const bool upper = within(c, 'A', 'Z'), lower = within(c, 'a', 'z'),
               digit = within(c, '0', '9');
    int bits = 0;
    if (upper) bits |= kUpper;
    if (lower) bits |= kLower;
    if (upper || lower) bits |= kAlpha;
    if (digit) bits |= kDigit;
    if (digit || within(c, 'A', 'F') || within(c, 'a', 'f')) bits |= kXdigit;
    if (c == ' ' || within(c, '\t', '\r')) bits |= kSpace;
    if (within(c, ' ', '~')) bits |= kPrint;
    if (within(c, '!', '~')) bits |= kGraph;
    if (c == ' ' || c == '\t') bits |= kBlank;
    if (within(c, 0, 31) || c == 127) bits |= kControl;
    if (upper || lower || digit) bits |= kAlnum;
    if (within(c, '!', '~') && !(bits & kAlnum)) bits |= kPunct;
    return bits;
}
template <int Bit>
int has_property(int c) {
    return properties(c) & Bit;
}
int is_ascii(int c) { return static_cast<unsigned>(c) < 128 ? 1 : 0; }
int to_ascii(int c) { return c & 0x7f; }
int to_lower(int c) { return within(c, 'A', 'Z') ? c + 32 : c; }
int to_upper(int c) { return within(c, 'a', 'z') ? c - 32 : c; }
int byte_to_wide(int c) { return within(c, 0, 127) ? c : -1; }
int width_of(int c) { return c == 0 ? 0 : within(c, ' ', '~') ? 1 : -1; }

int absolute(int v) { return v < 0 ? static_cast<int>(0u - static_cast<unsigned>(v)) : v; }
long absolute_long(long v) {
    return v < 0 ? static_cast<long>(0ul - static_cast<unsigned long>(v)) : v;
}

// --- the table ---

class Table {
public:
    Table() {
        add_rounding();
        add_elementary();
        add_of_two();
        add_classes();
        add_finite();
        add_characters();
    }
    std::vector<HostLeaf> take() { return std::move(leafs_); }

private:
    static constexpr bool kFails = true, kNever = false;

    template <auto F>
    void add(std::string name, bool fails) {
        leafs_.push_back(Leaf<F>::leaf(std::move(name), fails));
    }
    /// Of double, float and long double; the types say which of the overloads is meant.
    template <double (*D)(double), float (*F)(float), long double (*L)(long double)>
    void three(const std::string& name, bool fails) {
        add<D>(name, fails);
        add<F>(name + 'f', fails);
        add<L>(name + 'l', fails);
    }
    template <class More, double (*D)(double, More), float (*F)(float, More),
              long double (*L)(long double, More)>
    void scaled(const std::string& name) {
        add<D>(name, kFails);
        add<F>(name + 'f', kFails);
        add<L>(name + 'l', kFails);
    }
    template <class R, R (*D)(double), R (*F)(float), R (*L)(long double)>
    void to_integer(const std::string& name) {
        add<D>(name, kNever);
        add<F>(name + 'f', kNever);
        add<L>(name + 'l', kNever);
    }
    /// Two long doubles are more than an operation has operands: a row of the library.
    template <double (*D)(double, double), float (*F)(float, float)>
    void two(const std::string& name, bool fails) {
        add<D>(name, fails);
        add<F>(name + 'f', fails);
    }
    template <auto F>
    void named(std::initializer_list<const char*> names) {
        for (const char* name : names) add<F>(name, kNever);
    }
    template <double (*D)(double), float (*F)(float)>
    void finite(const std::string& name) {
        add<D>("__" + name + "_finite", kNever);
        add<F>("__" + name + "f_finite", kNever);
    }
    template <double (*D)(double, double), float (*F)(float, float)>
    void finite_of_two(const std::string& name) {
        add<D>("__" + name + "_finite", kNever);
        add<F>("__" + name + "f_finite", kNever);
    }

    void add_rounding() {
        three<::floor, ::floorf, ::floorl>("floor", kNever);
        three<::ceil, ::ceilf, ::ceill>("ceil", kNever);
        three<::trunc, ::truncf, ::truncl>("trunc", kNever);
        three<::round, ::roundf, ::roundl>("round", kNever);
        three<::rint, ::rintf, ::rintl>("rint", kNever);
        three<::nearbyint, ::nearbyintf, ::nearbyintl>("nearbyint", kNever);
        three<::roundeven, ::roundevenf, ::roundevenl>("roundeven", kNever);
        three<::fabs, ::fabsf, ::fabsl>("fabs", kNever);
        to_integer<long, ::lrint, ::lrintf, ::lrintl>("lrint");
        to_integer<long long, ::llrint, ::llrintf, ::llrintl>("llrint");
        to_integer<long, ::lround, ::lroundf, ::lroundl>("lround");
        to_integer<long long, ::llround, ::llroundf, ::llroundl>("llround");
        to_integer<int, ilogb_as_elbrus<double, ilogb_of_double>,
                   ilogb_as_elbrus<float, ilogb_of_float>,
                   ilogb_as_elbrus<long double, ilogb_of_long>>("ilogb");
    }
    void add_elementary() {
        three<::sin, ::sinf, ::sinl>("sin", kFails);
        three<::cos, ::cosf, ::cosl>("cos", kFails);
        three<::tan, ::tanf, ::tanl>("tan", kFails);
        three<::asin, ::asinf, ::asinl>("asin", kFails);
        three<::acos, ::acosf, ::acosl>("acos", kFails);
        three<::atan, ::atanf, ::atanl>("atan", kFails);
        three<::sinh, ::sinhf, ::sinhl>("sinh", kFails);
        three<::cosh, ::coshf, ::coshl>("cosh", kFails);
        three<::tanh, ::tanhf, ::tanhl>("tanh", kFails);
        three<::asinh, ::asinhf, ::asinhl>("asinh", kFails);
        three<::acosh, ::acoshf, ::acoshl>("acosh", kFails);
        three<::atanh, ::atanhf, ::atanhl>("atanh", kFails);
        three<::exp, ::expf, ::expl>("exp", kFails);
        three<::exp2, ::exp2f, ::exp2l>("exp2", kFails);
        three<::exp10, ::exp10f, ::exp10l>("exp10", kFails);
        three<::expm1, ::expm1f, ::expm1l>("expm1", kFails);
        three<::log, ::logf, ::logl>("log", kFails);
        three<::log2, ::log2f, ::log2l>("log2", kFails);
        three<::log10, ::log10f, ::log10l>("log10", kFails);
        three<::log1p, ::log1pf, ::log1pl>("log1p", kFails);
        three<::logb, ::logbf, ::logbl>("logb", kFails);
        three<::sqrt, ::sqrtf, ::sqrtl>("sqrt", kFails);
        three<::cbrt, ::cbrtf, ::cbrtl>("cbrt", kFails);
        three<::erf, ::erff, ::erfl>("erf", kFails);
        three<::erfc, ::erfcf, ::erfcl>("erfc", kFails);
        three<::tgamma, ::tgammaf, ::tgammal>("tgamma", kFails);
        three<::j0, ::j0f, ::j0l>("j0", kFails);
        three<::j1, ::j1f, ::j1l>("j1", kFails);
        three<::y0, ::y0f, ::y0l>("y0", kFails);
        three<::y1, ::y1f, ::y1l>("y1", kFails);
        scaled<int, ::ldexp, ::ldexpf, ::ldexpl>("ldexp");
        scaled<int, ::scalbn, ::scalbnf, ::scalbnl>("scalbn");
        scaled<long, ::scalbln, ::scalblnf, ::scalblnl>("scalbln");
    }
    void add_of_two() {
        two<::pow, ::powf>("pow", kFails);
        two<::fmod, ::fmodf>("fmod", kFails);
        two<::remainder, ::remainderf>("remainder", kFails);
        two<::drem, ::dremf>("drem", kFails);
        two<::atan2, ::atan2f>("atan2", kFails);
        two<::hypot, ::hypotf>("hypot", kFails);
        two<::fdim, ::fdimf>("fdim", kFails);
        two<::nextafter, ::nextafterf>("nextafter", kFails);
        two<::fmax, ::fmaxf>("fmax", kNever);
        two<::fmin, ::fminf>("fmin", kNever);
        two<::copysign, ::copysignf>("copysign", kNever);
        add<static_cast<double (*)(double, double, double)>(::fma)>("fma", kFails);
        add<::fmaf>("fmaf", kFails);
    }
    template <class T>
    void add_classes_of(const std::string& suffix) {
        for (const char* prefix : {"", "__"}) {
            add<is_nan<T>>(prefix + ("isnan" + suffix), kNever);
            add<is_infinite<T>>(prefix + ("isinf" + suffix), kNever);
            add<is_finite<T>>(prefix + ("finite" + suffix), kNever);
        }
        add<sign_bit<T>>("__signbit" + suffix, kNever);
        add<classify<T>>("__fpclassify" + suffix, kNever);
    }
    void add_classes() {
        add_classes_of<double>("");
        add_classes_of<float>("f");
        add_classes_of<long double>("l");
    }
    /// Of -ffast: the same without errors.
    void add_finite() {
        finite<::exp, ::expf>("exp");
        finite<::exp2, ::exp2f>("exp2");
        finite<::exp10, ::exp10f>("exp10");
        finite<::log, ::logf>("log");
        finite<::log2, ::log2f>("log2");
        finite<::log10, ::log10f>("log10");
        finite<::sqrt, ::sqrtf>("sqrt");
        finite<::asin, ::asinf>("asin");
        finite<::acos, ::acosf>("acos");
        finite<::sinh, ::sinhf>("sinh");
        finite<::cosh, ::coshf>("cosh");
        finite<::acosh, ::acoshf>("acosh");
        finite<::atanh, ::atanhf>("atanh");
        finite_of_two<::pow, ::powf>("pow");
        finite_of_two<::fmod, ::fmodf>("fmod");
        finite_of_two<::atan2, ::atan2f>("atan2");
        finite_of_two<::hypot, ::hypotf>("hypot");
        finite_of_two<::remainder, ::remainderf>("remainder");
    }
    void add_characters() {
        named<has_property<kAlnum>>({"isalnum", "iswalnum"});
        named<has_property<kAlpha>>({"isalpha", "iswalpha"});
        named<has_property<kBlank>>({"isblank", "iswblank"});
        named<has_property<kControl>>({"iscntrl", "iswcntrl"});
        named<has_property<kDigit>>({"isdigit", "iswdigit"});
        named<has_property<kGraph>>({"isgraph", "iswgraph"});
        named<has_property<kLower>>({"islower", "iswlower"});
        named<has_property<kPrint>>({"isprint", "iswprint"});
        named<has_property<kPunct>>({"ispunct", "iswpunct"});
        named<has_property<kSpace>>({"isspace", "iswspace"});
        named<has_property<kUpper>>({"isupper", "iswupper"});
        named<has_property<kXdigit>>({"isxdigit", "iswxdigit"});
        named<is_ascii>({"isascii"});
        named<to_ascii>({"toascii"});
        named<to_lower>({"towlower"});
        named<to_upper>({"towupper"});
        named<byte_to_wide>({"btowc", "wctob"});
        named<width_of>({"wcwidth"});
        named<absolute>({"abs"});
        named<absolute_long>({"labs", "llabs"});
    }

    std::vector<HostLeaf> leafs_;
};

}  // namespace

std::span<const HostLeaf> host_leafs() {
    static const std::vector<HostLeaf> leafs = Table().take();
    return leafs;
}

const HostLeaf* find_host_leaf(std::string_view name) {
    static const auto by_name = [] {
        std::map<std::string_view, const HostLeaf*> map;
        for (const HostLeaf& leaf : host_leafs()) map.emplace(leaf.name, &leaf);
        return map;
    }();
    const auto found = by_name.find(name);
    return found == by_name.end() ? nullptr : found->second;
}

}  // namespace e2k::cpu
