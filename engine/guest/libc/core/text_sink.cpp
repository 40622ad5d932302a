#include "engine/guest/libc/core/text_sink.h"

#include <cerrno>

namespace e2k::guest::libc {

Outcome<void> StringSink::put(std::string_view text) {
    if (text.size() > limit_ - text_.size()) return error(ENOMEM);
    text_ += text;
    return {};
}

}  // namespace e2k::guest::libc
