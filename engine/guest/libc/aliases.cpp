// Other names of functions. Functions of <locale.h> that take a locale as their last argument are
// the same without it: there is the C locale only.
#include <algorithm>
#include <array>

#include "engine/guest/libc/row.h"

namespace e2k::guest::libc {
namespace {

struct Alias {
    std::string_view name, target;
};
constexpr std::array kAliases{
    Alias{"index", "strchr"},
    Alias{"rindex", "strrchr"},
    Alias{"__getpagesize", "getpagesize"},
    Alias{"__mempcpy", "mempcpy"},
    Alias{"__rawmemchr", "rawmemchr"},
    Alias{"__stpcpy", "stpcpy"},
    Alias{"__sysconf", "sysconf"},
    Alias{"tmpfile64", "tmpfile"},
    // with a locale
    Alias{"isalnum_l", "isalnum"},
    Alias{"isalpha_l", "isalpha"},
    Alias{"isblank_l", "isblank"},
    Alias{"iscntrl_l", "iscntrl"},
    Alias{"isdigit_l", "isdigit"},
    Alias{"isgraph_l", "isgraph"},
    Alias{"islower_l", "islower"},
    Alias{"isprint_l", "isprint"},
    Alias{"ispunct_l", "ispunct"},
    Alias{"isspace_l", "isspace"},
    Alias{"isupper_l", "isupper"},
    Alias{"isxdigit_l", "isxdigit"},
    Alias{"tolower_l", "tolower"},
    Alias{"__tolower_l", "tolower"},
    Alias{"toupper_l", "toupper"},
    Alias{"__toupper_l", "toupper"},
    Alias{"towlower_l", "towlower"},
    Alias{"__towlower_l", "towlower"},
    Alias{"towupper_l", "towupper"},
    Alias{"__towupper_l", "towupper"},
    Alias{"nl_langinfo_l", "nl_langinfo"},
    Alias{"__nl_langinfo_l", "nl_langinfo"},
    Alias{"strcasecmp_l", "strcasecmp"},
    Alias{"strncasecmp_l", "strncasecmp"},
    Alias{"strcoll_l", "strcoll"},
    Alias{"__strcoll_l", "strcoll"},
    Alias{"strxfrm_l", "strxfrm"},
    Alias{"__strxfrm_l", "strxfrm"},
    Alias{"strerror_l", "strerror"},
    Alias{"strftime_l", "strftime"},
    Alias{"__strftime_l", "strftime"},
    Alias{"strtod_l", "strtod"},
    Alias{"__strtod_l", "strtod"},
    Alias{"strtof_l", "strtof"},
    Alias{"__strtof_l", "strtof"},
    Alias{"strtold_l", "strtold"},
    Alias{"strtol_l", "strtol"},
    Alias{"strtoll_l", "strtoll"},
    Alias{"strtoul_l", "strtoul"},
    Alias{"strtoull_l", "strtoull"},
    Alias{"wcscoll_l", "wcscoll"},
    Alias{"__wcscoll_l", "wcscoll"},
    Alias{"__newlocale", "newlocale"},
    Alias{"__freelocale", "freelocale"},
    Alias{"__duplocale", "duplocale"},
    Alias{"__uselocale", "uselocale"},
};

}  // namespace

std::string_view first_name(std::string_view name) {
    const auto found = std::ranges::find(kAliases, name, &Alias::name);
    return found == kAliases.end() ? name : found->target;
}

}  // namespace e2k::guest::libc
