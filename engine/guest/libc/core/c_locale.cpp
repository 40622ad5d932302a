#include "engine/guest/libc/core/c_locale.h"

namespace e2k::guest::libc {

locale_t c_locale() {
    static const locale_t locale = newlocale(LC_ALL_MASK, "C", nullptr);
    return locale;
}

}  // namespace e2k::guest::libc
