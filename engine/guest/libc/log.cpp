#include "engine/guest/libc/log.h"

#include <cstring>

#include <fmt/format.h>

#include "engine/isa/printable.h"

namespace e2k::guest::libc {
namespace {

constexpr std::size_t kShownText = 100;

double seconds_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::string quoted(const LibraryCall& call, std::uint64_t address) {
    if (address == 0) return "NULL";
    const auto text = call.system.memory().read_string(address, kShownText);
    if (!text) return fmt::format("0x{:x}", address);
    std::string shown;
    for (const char c : *text) {
        if (c == '\n')
            shown += "\\n";
        else if (c == '\t')
            shown += "\\t";
        else if (c == '"' || c == '\\')
            (shown += '\\') += c;
        else
            shown += c;
    }
    return fmt::format("\"{}\"{}", isa::printable(shown), text->size() >= kShownText ? "…" : "");
}

std::string shown(const LibraryCall& call, char kind, std::uint64_t value, std::uint64_t high) {
    switch (kind) {
        case 'i':
            return fmt::format("{}", static_cast<std::int32_t>(value));
        case 'u':
            return fmt::format("{}", static_cast<std::uint32_t>(value));
        case 'l':
            return fmt::format("{}", static_cast<std::int64_t>(value));
        case 'L':
            return fmt::format("{}", value);
        case 's':
            return quoted(call, value);
        case 'd': {
            double number = 0;
            std::memcpy(&number, &value, sizeof number);
            return fmt::format("{}", number);
        }
        case 'f': {
            float number = 0;
            std::memcpy(&number, &value, sizeof number);
            return fmt::format("{}", number);
        }
        case 'D': {
            long double number = 0;
            std::memcpy(&number, &value, 8);
            std::memcpy(reinterpret_cast<char*>(&number) + 8, &high, 2);
            return fmt::format("{}", static_cast<double>(number));
        }
        case 'F': {
            const std::string name = call.system.process.symbols->describe(value);
            return name.empty() ? fmt::format("0x{:x}", value) : name;
        }
        default:
            return value ? fmt::format("0x{:x}", value) : "NULL";
    }
}

}  // namespace

LibraryLogger::LibraryLogger(const Row& row, const LibraryCall& call)
    : row_(row), process_(call.system.process), begin_(std::chrono::steady_clock::now()) {
    const cpu::CpuState& state = call.system.thread.state;
    record_.sequence = process_.sequence.fetch_add(1);
    record_.bundle = state.bundles;
    record_.ip = state.chain_top == state.chain_file ? state.ip : state.chain_top[-1].return_ip;
    record_.thread = call.system.thread.tid;
    record_.number = call.system.number;
    record_.library = true;
    record_.name = row.name;
    record_.start_seconds = seconds_since(process_.begin);
    unsigned place = 0;
    const char* at = std::strchr(row.signature, '(');
    for (at = at ? at + 1 : ""; *at && *at != ')'; ++at) {
        if (*at == ',') continue;
        if (!record_.arguments.empty()) record_.arguments += ", ";
        if (*at == '.') {
            record_.arguments += "...";
            break;
        }
        if (*at == 'D') place = (place + 1) & ~1u;
        record_.arguments += shown(call, *at, call.word(place), call.word(place + 1));
        place += *at == 'D' ? 2 : 1;
    }
}

void LibraryLogger::send(std::int64_t result, std::string text, bool failed) {
    record_.result = result;
    record_.result_text = std::move(text);
    record_.failed = failed;
    record_.duration_seconds = seconds_since(begin_);
    process_.sink(record_);
}

void LibraryLogger::finish(const LibraryCall& call, const Value& value, bool never_returns) {
    const char kind = row_.signature[0];
    send(static_cast<std::int64_t>(value.low),
         never_returns ? "?"
         : kind == 'v' ? ""
                       : shown(call, kind, value.low, value.high),
         false);
}

void LibraryLogger::fail(const LibraryCall& call, const Value& value, int error) {
    const char kind = row_.signature[0];
    send(static_cast<std::int64_t>(value.low),
         fmt::format("{} {} ({})", shown(call, kind == 'v' ? 'i' : kind, value.low, value.high),
                     errno_name(error), std::strerror(error)),
         true);
}

void LibraryLogger::cut(std::string result) { send(-1, std::move(result), true); }

}  // namespace e2k::guest::libc
