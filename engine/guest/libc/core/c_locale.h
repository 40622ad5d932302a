// The host's own locale never shows in what the guest prints or reads.
#pragma once

#include <clocale>

namespace e2k::guest::libc {

/// The "C" locale, for functions that take one.
locale_t c_locale();

/// The calling thread works in the "C" locale while this lives.
class CLocaleScope {
public:
    CLocaleScope() : before_(uselocale(c_locale())) {}
    ~CLocaleScope() { uselocale(before_); }
    CLocaleScope(const CLocaleScope&) = delete;
    CLocaleScope& operator=(const CLocaleScope&) = delete;

private:
    locale_t before_;
};

}  // namespace e2k::guest::libc
