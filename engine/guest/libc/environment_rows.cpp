// The environment, the error number's text, assertions.
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>

#include "engine/guest/libc/core/c_locale.h"
#include "engine/guest/libc/guest_text.h"

namespace e2k::guest::libc {
namespace {

constexpr std::uint64_t kMostVariables = 1u << 20;

/// Where the pointer to "NAME=value" is, and the value; address 0: there is none, `count` says how
/// many there are.
struct Entry {
    std::uint64_t place = 0, value = 0, count = 0;
};
Outcome<Entry> find_variable(const LibraryCall& call, const std::string& name) {
    const auto list = guest_environment(call);
    if (!list) return tl::unexpected(list.error());
    Entry entry;
    const std::string wanted = name + '=';
    for (; *list != 0 && entry.count < kMostVariables; ++entry.count) {
        const std::uint64_t place = *list + 8 * entry.count;
        const auto text = call.memory.load<std::uint64_t>(place);
        if (!text) return tl::unexpected(text.error());
        if (*text == 0) break;
        std::string begin;
        const auto done =
            call.memory.each_piece(*text, wanted.size(), [&](const char* piece, std::size_t size) {
                begin.append(piece, size);
                return Outcome<void>();
            });
        if (!done) return tl::unexpected(done.error());
        if (begin != wanted) continue;
        entry.place = place;
        entry.value = *text + wanted.size();
        return entry;
    }
    return entry;
}

Outcome<Value> getenv_(LibraryCall& call) {
    const auto name = call.text(0);
    if (!name) return tl::unexpected(name.error());
    const std::lock_guard lock(call.library.exit_mutex);
    return find_variable(call, *name).map([](const Entry& e) { return Value(e.value); });
}

/// Puts the pointer to "NAME=value" into the environment, which grows by copying.
Outcome<Value> put_variable(LibraryCall& call, const Entry& entry, std::uint64_t text) {
    if (entry.place != 0) return call.memory.store(entry.place, text).map([] { return Value(0); });
    const auto list = guest_environment(call);
    if (!list) return tl::unexpected(list.error());
    const auto copy = call.library.heap.allocate((entry.count + 2) * 8);
    if (!copy) return tl::unexpected(copy.error());
    if (auto done = call.memory.move(*copy, *list, entry.count * 8); !done)
        return tl::unexpected(done.error());
    const std::array<std::uint64_t, 2> last{text, 0};
    if (auto done = call.memory.store(*copy + entry.count * 8, last); !done)
        return tl::unexpected(done.error());
    return call.memory.store(call.library.variable("environ"), *copy).map([] { return Value(0); });
}

Outcome<Value> setenv_(LibraryCall& call) {
    const auto name = call.text(0), value = call.text(1);
    if (!name) return tl::unexpected(name.error());
    if (!value) return tl::unexpected(value.error());
    if (name->empty() || name->find('=') != std::string::npos) return error(EINVAL);
    const std::lock_guard lock(call.library.exit_mutex);
    const auto entry = find_variable(call, *name);
    if (!entry) return tl::unexpected(entry.error());
    if (entry->place != 0 && call.integer(2) == 0) return Value(0);
    const std::string text = *name + '=' + *value;
    const auto at = call.library.heap.allocate(text.size() + 1);
    if (!at) return tl::unexpected(at.error());
    if (auto done = call.memory.store_text(*at, text); !done) return tl::unexpected(done.error());
    return put_variable(call, *entry, *at);
}

Outcome<Value> remove_variable(LibraryCall& call, const std::string& name) {
    for (;;) {
        const auto entry = find_variable(call, name);
        if (!entry) return tl::unexpected(entry.error());
        if (entry->place == 0) return Value(0);
        for (std::uint64_t place = entry->place;; place += 8) {
            const auto next = call.memory.load<std::uint64_t>(place + 8);
            if (!next) return tl::unexpected(next.error());
            if (auto done = call.memory.store(place, *next); !done)
                return tl::unexpected(done.error());
            if (*next == 0) break;
        }
    }
}
Outcome<Value> unsetenv_(LibraryCall& call) {
    const auto name = call.text(0);
    if (!name) return tl::unexpected(name.error());
    if (name->empty() || name->find('=') != std::string::npos) return error(EINVAL);
    const std::lock_guard lock(call.library.exit_mutex);
    return remove_variable(call, *name);
}
/// The text itself becomes part of the environment.
Outcome<Value> putenv_(LibraryCall& call) {
    const auto text = call.text(0);
    if (!text) return tl::unexpected(text.error());
    const std::size_t equals = text->find('=');
    const std::lock_guard lock(call.library.exit_mutex);
    if (equals == std::string::npos) return remove_variable(call, *text);
    const auto entry = find_variable(call, text->substr(0, equals));
    if (!entry) return tl::unexpected(entry.error());
    return put_variable(call, *entry, call.pointer(0));
}
Outcome<Value> clearenv_(LibraryCall& call) {
    return call.memory.store(call.library.variable("environ"), std::uint64_t{0}).map([] {
        return Value(0);
    });
}

// --- texts of errors and signals ---

Outcome<Value> strerror_(LibraryCall& call) {
    const std::uint64_t at = call.library.statics + Library::kStaticMessage;
    return call.memory.store_text(at, error_text(call.integer(0))).map([&] { return Value(at); });
}
/// GNU's: the text, in the caller's room.
Outcome<Value> strerror_r_(LibraryCall& call) {
    std::string text = error_text(call.integer(0));
    if (call.size(2) == 0) return Value(call.pointer(1));
    text.resize(std::min<std::size_t>(text.size(), call.size(2) - 1));
    return call.memory.store_text(call.pointer(1), text).map([&] {
        return Value(call.pointer(1));
    });
}
Outcome<Value> xpg_strerror_r_(LibraryCall& call) {
    std::string text = error_text(call.integer(0));
    const bool fits = text.size() < call.size(2);
    if (call.size(2) == 0) return Value(ERANGE);
    text.resize(std::min<std::size_t>(text.size(), call.size(2) - 1));
    if (auto done = call.memory.store_text(call.pointer(1), text); !done)
        return tl::unexpected(done.error());
    return Value(!fits ? ERANGE : text.starts_with("Unknown error") ? EINVAL : 0);
}
Outcome<Value> strsignal_(LibraryCall& call) {
    const int number = call.integer(0);
    const char* const known = number > 0 && number < 32 ? sigdescr_np(number) : nullptr;
    const std::string text = known ? known
                             : number >= 34 && number <= 64
                                 ? "Real-time signal " + std::to_string(number - 34)
                                 : "Unknown signal " + std::to_string(number);
    const std::uint64_t at = call.library.statics + Library::kStaticMessage;
    return call.memory.store_text(at, text).map([&] { return Value(at); });
}

constexpr std::array kRows{
    Row{"getenv", "p(s)", getenv_},
    Row{"secure_getenv", "p(s)", getenv_},
    Row{"__secure_getenv", "p(s)", getenv_},
    Row{"setenv", "i(s,s,i)", setenv_},
    Row{"unsetenv", "i(s)", unsetenv_},
    Row{"putenv", "i(s)", putenv_},
    Row{"clearenv", "i()", clearenv_},
    Row{"strerror", "p(i)", strerror_},
    Row{"strerror_r", "p(i,p,L)", strerror_r_},
    Row{"__xpg_strerror_r", "i(i,p,L)", xpg_strerror_r_},
    Row{"strsignal", "p(i)", strsignal_},
};

}  // namespace

Outcome<std::uint64_t> guest_environment(const LibraryCall& call) {
    return call.memory.load<std::uint64_t>(call.library.variable("environ"));
}

Outcome<std::optional<std::string>> guest_variable(LibraryCall& call, const std::string& name) {
    const std::lock_guard lock(call.library.exit_mutex);
    const auto entry = find_variable(call, name);
    if (!entry) return tl::unexpected(entry.error());
    if (entry->place == 0) return std::optional<std::string>();
    return call.memory.text(entry->value).map([](std::string text) {
        return std::optional(std::move(text));
    });
}

std::span<const Row> environment_rows() { return kRows; }

}  // namespace e2k::guest::libc
