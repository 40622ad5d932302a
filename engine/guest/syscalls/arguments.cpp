// Arguments and results of system calls as a person reads them.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include <fmt/format.h>

#include "engine/guest/syscalls/names.h"
#include "engine/isa/printable.h"

namespace e2k::guest {
namespace {

constexpr std::size_t kShownBytes = 40, kShownPath = 200, kShownItems = 6;

std::string quote(std::string_view bytes, bool cut) {
    std::string text = "\"";
    for (const char c : bytes) {
        switch (c) {
            case '\n':
                text += "\\n";
                break;
            case '\t':
                text += "\\t";
                break;
            case '\r':
                text += "\\r";
                break;
            case '\0':
                text += "\\0";
                break;
            case '"':
            case '\\':
                text += '\\';
                text += c;
                break;
            default:
                text += c;
        }
    }
    return isa::printable(text) + (cut ? "\"…" : "\"");
}

std::string pointer_text(std::uint64_t address) {
    return address ? fmt::format("0x{:x}", address) : "NULL";
}

std::string string_text(const Call& call, std::uint64_t address, std::size_t limit) {
    const auto text = call.memory().read_string(address, limit);
    if (!text) return pointer_text(address);
    return quote(*text, text->size() >= limit);
}

std::string bytes_text(const Call& call, std::uint64_t address, std::uint64_t length) {
    std::string bytes(std::min<std::uint64_t>(length, kShownBytes), '\0');
    if (!call.memory().read(address, bytes.data(), bytes.size())) return pointer_text(address);
    return quote(bytes, length > bytes.size());
}

std::string list_text(const Call& call, std::uint64_t address) {
    std::string text = "[";
    for (std::size_t i = 0; address != 0; ++i) {
        std::uint64_t pointer = 0;
        if (!call.get(address + 8 * i, pointer)) return pointer_text(address);
        if (pointer == 0) break;
        if (i) text += ", ";
        if (i == kShownItems) return text + "…]";
        text += string_text(call, pointer, kShownPath);
    }
    return text + "]";
}

std::string vector_text(const Call& call, std::uint64_t address, std::uint64_t count,
                        std::optional<std::int64_t> received) {
    std::string text = "[";
    for (std::uint64_t i = 0; i < static_cast<std::uint32_t>(count); ++i) {
        iovec part{};
        if (!call.get(address + i * sizeof part, part)) return pointer_text(address);
        if (i) text += ", ";
        if (i == kShownItems) return text + "…]";
        std::uint64_t length = part.iov_len;
        if (received) {
            length = std::min<std::uint64_t>(length, static_cast<std::uint64_t>(*received));
            *received -= static_cast<std::int64_t>(length);
        }
        text += fmt::format(
            "{{{}, {}}}", bytes_text(call, reinterpret_cast<std::uint64_t>(part.iov_base), length),
            part.iov_len);
    }
    return text + "]";
}

std::string signal_set_text(std::uint64_t set) {
    if (set == 0) return "[]";
    const bool inverted = __builtin_popcountll(set) > 32;
    std::string text;
    for (int signal = 1; signal <= kSignals; ++signal)
        if (((set & signal_bit(signal)) != 0) != inverted)
            text += fmt::format("{}{}", text.empty() ? "" : " ", signal_name(signal).substr(3));
    return fmt::format("{}[{}]", inverted ? "~" : "", text);
}

std::string action_text(const SigactionE2k& a) {
    const std::string handler = a.handler == 0   ? "SIG_DFL"
                                : a.handler == 1 ? "SIG_IGN"
                                                 : fmt::format("0x{:x}", a.handler);
    return fmt::format("{{{}, flags 0x{:x}, mask {}}}", handler, a.flags, signal_set_text(a.mask));
}

std::string stat_text(const StatE2k& st) {
    const char* kind = (st.mode & S_IFMT) == S_IFREG   ? "S_IFREG"
                       : (st.mode & S_IFMT) == S_IFDIR ? "S_IFDIR"
                       : (st.mode & S_IFMT) == S_IFCHR ? "S_IFCHR"
                       : (st.mode & S_IFMT) == S_IFIFO ? "S_IFIFO"
                       : (st.mode & S_IFMT) == S_IFLNK ? "S_IFLNK"
                                                       : "other";
    return fmt::format("{{{}|0{:o}, size {}}}", kind, st.mode & 07777, st.size);
}

std::string status_text(int status) {
    if (WIFEXITED(status)) return fmt::format("[exited {}]", WEXITSTATUS(status));
    if (WIFSIGNALED(status)) return fmt::format("[killed by {}]", signal_name(WTERMSIG(status)));
    if (WIFSTOPPED(status)) return fmt::format("[stopped by {}]", signal_name(WSTOPSIG(status)));
    return fmt::format("[0x{:x}]", status);
}

std::string address_text(const Call& call, std::uint64_t at, std::uint64_t length) {
    sockaddr_storage raw{};
    length = std::min<std::uint64_t>(length, sizeof raw);
    if (length < 2 || !call.memory().read(at, &raw, length)) return pointer_text(at);
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (raw.ss_family == AF_INET) {
        const auto* in = reinterpret_cast<const sockaddr_in*>(&raw);
        inet_ntop(AF_INET, &in->sin_addr, text.data(), text.size());
        return fmt::format("{}:{}", text.data(), ntohs(in->sin_port));
    }
    if (raw.ss_family == AF_INET6) {
        const auto* in = reinterpret_cast<const sockaddr_in6*>(&raw);
        inet_ntop(AF_INET6, &in->sin6_addr, text.data(), text.size());
        return fmt::format("[{}]:{}", text.data(), ntohs(in->sin6_port));
    }
    if (raw.ss_family == AF_UNIX) {
        const auto* un = reinterpret_cast<const sockaddr_un*>(&raw);
        return "unix:" +
               quote(std::string_view(un->sun_path, strnlen(un->sun_path, sizeof un->sun_path)),
                     false);
    }
    return fmt::format("{{family {}}}", raw.ss_family);
}

std::string poll_text(const Call& call, std::uint64_t at, std::uint64_t count, bool result) {
    std::string text = "[";
    for (std::uint64_t i = 0; i < static_cast<std::uint32_t>(count); ++i) {
        pollfd one{};
        if (!call.get(at + i * sizeof one, one)) return pointer_text(at);
        if (i) text += ", ";
        if (i == kShownItems) return text + "…]";
        text += result ? fmt::format("{{{}, 0x{:x} → 0x{:x}}}", one.fd, one.events, one.revents)
                       : fmt::format("{{{}, 0x{:x}}}", one.fd, one.events);
    }
    return text + "]";
}

/// Reads a T at `address` and shows it with `show`, or the bare address.
template <class T, class F>
std::string structure(const Call& call, std::uint64_t address, F&& show) {
    T value{};
    if (address == 0 || !call.get(address, value)) return pointer_text(address);
    return show(value);
}

std::string seconds(const timespec& t) { return fmt::format("{}.{:09} s", t.tv_sec, t.tv_nsec); }
std::string seconds(const timeval& t) { return fmt::format("{}.{:06} s", t.tv_sec, t.tv_usec); }

/// Shows a structure kind; nullopt if `kind` is not one.
std::optional<std::string> structure_text(const Call& call, Arg kind, std::uint64_t at) {
    switch (kind) {
        case Arg::SignalSetIn:
        case Arg::SignalSetOut:
            return structure<std::uint64_t>(call, at, signal_set_text);
        case Arg::ActionIn:
        case Arg::ActionOut:
            return structure<SigactionE2k>(call, at, action_text);
        case Arg::TimespecIn:
        case Arg::TimespecOut:
            return structure<timespec>(call, at, [](const timespec& t) { return seconds(t); });
        case Arg::TimevalIn:
        case Arg::TimevalOut:
            return structure<timeval>(call, at, [](const timeval& t) { return seconds(t); });
        case Arg::ItimervalIn:
        case Arg::ItimervalOut:
            return structure<itimerval>(call, at, [](const itimerval& t) {
                return fmt::format("{{{}, every {}}}", seconds(t.it_value), seconds(t.it_interval));
            });
        case Arg::ItimerspecIn:
        case Arg::ItimerspecOut:
            return structure<itimerspec>(call, at, [](const itimerspec& t) {
                return fmt::format("{{{}, every {}}}", seconds(t.it_value), seconds(t.it_interval));
            });
        case Arg::StatOut:
            return structure<StatE2k>(call, at, stat_text);
        case Arg::FdPairOut:
            return structure<std::array<std::int32_t, 2>>(call, at, [](const auto& pair) {
                return fmt::format("[{}, {}]", pair[0], pair[1]);
            });
        case Arg::WordOut:
            return structure<std::uint32_t>(call, at,
                                            [](auto value) { return fmt::format("[{}]", value); });
        case Arg::LongOut:
            return structure<std::int64_t>(call, at,
                                           [](auto value) { return fmt::format("[{}]", value); });
        case Arg::WaitStatusOut:
            return structure<std::int32_t>(call, at, status_text);
        case Arg::RlimitIn:
        case Arg::RlimitOut:
            return structure<rlimit>(call, at, [](const rlimit& limit) {
                auto one = [](rlim_t v) {
                    return v == RLIM_INFINITY ? std::string("unlimited") : fmt::format("{}", v);
                };
                return fmt::format("{{{}, max {}}}", one(limit.rlim_cur), one(limit.rlim_max));
            });
        case Arg::UtsnameOut:
            return structure<utsname>(call, at, [](const utsname& name) {
                return fmt::format("{{{}, {}, {}}}", quote(name.sysname, false),
                                   quote(name.release, false), quote(name.machine, false));
            });
        default:
            return std::nullopt;
    }
}

/// Kinds whose memory means something only after the call.
bool comes_out(Arg kind) {
    switch (kind) {
        case Arg::OutBuffer:
        case Arg::IovOut:
        case Arg::SignalSetOut:
        case Arg::ActionOut:
        case Arg::TimespecOut:
        case Arg::TimevalOut:
        case Arg::ItimervalOut:
        case Arg::ItimerspecOut:
        case Arg::StatOut:
        case Arg::FdPairOut:
        case Arg::WordOut:
        case Arg::LongOut:
        case Arg::WaitStatusOut:
        case Arg::PollFds:
        case Arg::RlimitOut:
        case Arg::UtsnameOut:
        case Arg::BacktraceOut:
            return true;
        default:
            return false;
    }
}

std::string text_of_input(const Call& call, Arg kind, unsigned i) {
    const std::uint64_t value = call.arg[i];
    const std::uint64_t following = i + 1 < call.arg.size() ? call.arg[i + 1] : 0;
    if (const NameSet* names = names_of(kind)) return name_flags(*names, value);
    if (auto text = structure_text(call, kind, value)) return *text;
    switch (kind) {
        case Arg::Int:
        case Arg::Fd:
            return fmt::format("{}", static_cast<std::int32_t>(value));
        case Arg::UInt:
            return fmt::format("{}", static_cast<std::uint32_t>(value));
        case Arg::DirFd:
            return static_cast<std::int32_t>(value) == kAtFdCwd
                       ? "AT_FDCWD"
                       : fmt::format("{}", static_cast<std::int32_t>(value));
        case Arg::Long:
            return fmt::format("{}", static_cast<std::int64_t>(value));
        case Arg::Size:
            return fmt::format("{}", value);
        case Arg::Hex:
            return value ? fmt::format("0x{:x}", value) : "0";
        case Arg::Mode:
            return fmt::format("0{:o}", static_cast<std::uint32_t>(value));
        case Arg::Signal:
            return value == 0 ? "0" : signal_name(static_cast<int>(value));
        case Arg::Path:
        case Arg::Text:
            return string_text(call, value, kShownPath);
        case Arg::TextList:
            return list_text(call, value);
        case Arg::InBuffer:
            return bytes_text(call, value, following);
        case Arg::IovIn:
            return vector_text(call, value, following, std::nullopt);
        case Arg::SockaddrIn:
            return address_text(call, value, following);
        default:
            return pointer_text(value);
    }
}

std::string text_of_output(const Call& call, Arg kind, unsigned i, std::int64_t result) {
    const std::uint64_t value = call.arg[i];
    const std::uint64_t following = i + 1 < call.arg.size() ? call.arg[i + 1] : 0;
    if (kind == Arg::PollFds) return poll_text(call, value, following, result >= 0);
    if (result < 0 && result >= -4095) return pointer_text(value);
    switch (kind) {
        case Arg::OutBuffer:
            return bytes_text(call, value, static_cast<std::uint64_t>(result));
        case Arg::IovOut:
            return vector_text(call, value, following, result);
        case Arg::BacktraceOut: {
            std::string text = "[";
            for (std::int64_t k = 0; k < result; ++k) {
                std::uint64_t address = 0;
                if (!call.get(value + 8 * static_cast<std::uint64_t>(k), address)) break;
                const std::string name = call.process.symbols->describe(address);
                text +=
                    fmt::format("{}{}", k ? ", " : "", name.empty() ? pointer_text(address) : name);
                if (k == 8) return text + ", …]";
            }
            return text + "]";
        }
        default:
            return structure_text(call, kind, value).value_or(pointer_text(value));
    }
}

}  // namespace

ArgumentText::ArgumentText(const SyscallRow* row, const Call& call) : row_(row) {
    if (!row) {
        // Unknown: the registers, as they are.
        for (; count_ < parts_.size(); ++count_)
            parts_[count_] = fmt::format("0x{:x}", call.arg[count_]);
        return;
    }
    while (count_ < parts_.size() && row->arguments[count_] != Arg::None) ++count_;
    for (unsigned i = 0; i < count_; ++i)
        if (!comes_out(row->arguments[i])) parts_[i] = text_of_input(call, row->arguments[i], i);
}

std::string ArgumentText::finish(const Call& call, std::int64_t result) {
    std::string text;
    for (unsigned i = 0; i < count_; ++i) {
        if (row_ && comes_out(row_->arguments[i]))
            parts_[i] = text_of_output(call, row_->arguments[i], i, result);
        text += fmt::format("{}{}", i ? ", " : "", parts_[i]);
    }
    return text;
}

std::string result_text(const SyscallRow* row, std::int64_t result) {
    constexpr std::uint16_t kAddressResults[] = {45, 90, 163, 192, 280};  // brk, mmap…, shmat
    if (result < 0 && result >= -4095) {
        const int error = static_cast<int>(-result);
        return fmt::format("-1 {} ({})", errno_name(error), std::strerror(error));
    }
    if (row && std::ranges::find(kAddressResults, row->number) != std::end(kAddressResults))
        return fmt::format("0x{:x}", static_cast<std::uint64_t>(result));
    return fmt::format("{}", result);
}

}  // namespace e2k::guest
