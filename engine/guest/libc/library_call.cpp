#include "engine/guest/libc/library_call.h"

#include <cstring>

#include "engine/guest/syscalls/rules.h"

namespace e2k::guest::libc {
namespace {

constexpr unsigned kRegisterPlaces = 8;
constexpr unsigned kNextFunction = 8;  // %dr8 of the stubs

}  // namespace

std::uint64_t LibraryCall::word(unsigned k) const {
    const cpu::CpuState& s = system.thread.state;
    if (k >= kRegisterPlaces || k >= s.wd.size) return 0;
    if (s.exact_tags && s.window_tags[k]) return 0;
    return s.window[k].lo;
}

double LibraryCall::real(unsigned k) const {
    const std::uint64_t bits = word(k);
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

float LibraryCall::single(unsigned k) const {
    const std::uint32_t bits = unsigned_integer(k);
    float value = 0;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

long double LibraryCall::long_real(unsigned k) const {
    const std::uint64_t bits[] = {word(k), word(k + 1)};
    long double value = 0;
    std::memcpy(&value, bits, 10);
    return value;
}

Outcome<std::uint64_t> LibraryCall::place(unsigned k) const {
    if (k < kRegisterPlaces) return word(k);
    return memory.load<std::uint64_t>(system.thread.state.usd_base + 8 * std::uint64_t{k});
}

VariableArguments LibraryCall::variable(unsigned named) const {
    return {memory, system.thread.state.usd_base + 8 * std::uint64_t{named}};
}

Outcome<std::int64_t> LibraryCall::kernel(std::uint32_t number, std::uint64_t a, std::uint64_t b,
                                          std::uint64_t c, std::uint64_t d, std::uint64_t e,
                                          std::uint64_t f) {
    const SyscallRow* row = find_syscall(number);
    if (!row) return error(ENOSYS);
    Call call{system.process, system.thread, system.stop};
    call.number = number;
    call.arg = {a, b, c, d, e, f};
    const std::int64_t result = perform(*row, call);
    system.next = call.next;
    system.writes_result = call.writes_result;
    if (result == kRestart || result == kRestartNoHand) {
        restartable = result == kRestart;
        return interrupted();
    }
    if (result < 0 && result >= -4095) return error(static_cast<int>(-result));
    return result;
}

namespace {
thread_local LibraryCall* the_current = nullptr;
}

LibraryCall& LibraryCall::current() { return *the_current; }
LibraryCall::Scope::Scope(LibraryCall& call) : before_(the_current) { the_current = &call; }
LibraryCall::Scope::~Scope() { the_current = before_; }

std::uint64_t LibraryCall::place_of_call(const cpu::CpuState& s) {
    constexpr std::uint64_t kMix = 0x9e37'79b9'7f4a'7c15;
    return (s.usd_base * kMix + s.depth()) * kMix + (s.depth() ? s.chain_top[-1].return_ip : 0);
}

int LibraryCall::guest_errno() const {
    std::int32_t value = 0;
    system.get(thread().errno_address(), value);
    return value;
}

void LibraryCall::set_errno(int number) const {
    const std::int32_t value = number;
    system.put(thread().errno_address(), value);
}

std::uint64_t LibraryCall::stub_register(unsigned k) const {
    const cpu::CpuState& s = system.thread.state;
    return k < s.wd.size ? s.window[k].lo : 0;
}

void LibraryCall::set_stub_register(unsigned k, std::uint64_t value) const {
    cpu::CpuState& s = system.thread.state;
    if (k >= s.wd.size) return;
    s.window[k].lo = value;
    s.window_tags[k] = 0;
}

void LibraryCall::call_next(std::uint64_t function, std::array<std::uint64_t, 4> arguments) const {
    set_stub_register(kNextFunction, function);
    if (function != 0) system.writes_result = false;
    const unsigned based = 2 * system.stop.syscall_wbs;
    for (unsigned k = 0; k < arguments.size(); ++k) set_stub_register(based + k, arguments[k]);
}

}  // namespace e2k::guest::libc
