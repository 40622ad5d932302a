#include "engine/guest/limits.h"

#include <linux/capability.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <fmt/format.h>

namespace e2k::guest {
namespace {

/// Applied by the workbench, not by the host.
constexpr std::array kOwn{RLIMIT_NOFILE, RLIMIT_AS,   RLIMIT_DATA,
                          RLIMIT_STACK,  RLIMIT_CORE, RLIMIT_RSS};
/// Raised for the workbench; whoever may raises the hard limit too.
constexpr std::array kNeeded{RLIMIT_NOFILE, RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK};
/// Descriptors the workbench needs for itself, beside the guest's.
constexpr rlim_t kOwnDescriptors = 512;
/// Stack of the host's first thread, and least stack of the others.
constexpr rlim_t kOwnStack = 8u << 20, kThreadStack = 1u << 20;

bool may_raise() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> data{};
    constexpr std::uint32_t kBit = 1u << CAP_SYS_RESOURCE;
    return syscall(SYS_capget, &header, data.data()) == 0 && (data[0].effective & kBit);
}

/// fs.nr_open, which no limit of descriptors may exceed.
rlim_t most_descriptors() {
    static const rlim_t most = [] {
        unsigned long value = 1 << 20;
        if (std::FILE* file = std::fopen("/proc/sys/fs/nr_open", "re")) {
            if (std::fscanf(file, "%lu", &value) != 1) value = 1 << 20;
            std::fclose(file);
        }
        return rlim_t{value};
    }();
    return most;
}

void raise_for_workbench(int resource, const rlimit& callers) {
    rlimit wanted{RLIM_INFINITY, RLIM_INFINITY};
    if (resource == RLIMIT_NOFILE) {
        const rlim_t room = std::min(callers.rlim_max + kOwnDescriptors, most_descriptors());
        wanted = {std::max(callers.rlim_max, room), std::max(callers.rlim_max, room)};
    }
    if (resource == RLIMIT_STACK)
        wanted = {std::max(callers.rlim_cur, kOwnStack), std::max(callers.rlim_max, kOwnStack)};
    const auto number = static_cast<__rlimit_resource>(resource);
    if (may_raise() && setrlimit(number, &wanted) == 0) return;
    const rlimit soft{std::min(wanted.rlim_cur, callers.rlim_max), callers.rlim_max};
    setrlimit(number, &soft);
}

/// The C library gives new threads what the limit of the stack was when the process began.
void give_threads_room() {
    pthread_attr_t usual;
    std::size_t size = 0;
    if (pthread_getattr_default_np(&usual) != 0) return;
    if (pthread_attr_getstacksize(&usual, &size) == 0 && size < kThreadStack &&
        pthread_attr_setstacksize(&usual, kThreadStack) == 0)
        pthread_setattr_default_np(&usual);
    pthread_attr_destroy(&usual);
}

bool is_own(unsigned resource) {
    return std::ranges::find(kOwn, static_cast<__rlimit_resource>(resource)) != kOwn.end();
}

}  // namespace

const ResourceLimits& ResourceLimits::callers() {
    static const ResourceLimits noted = [] {
        ResourceLimits limits;
        for (unsigned resource = 0; resource < RLIM_NLIMITS; ++resource) {
            rlimit limit{};
            if (getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) continue;
            limits.limits_[resource].soft = limit.rlim_cur;
            limits.limits_[resource].hard = limit.rlim_max;
        }
        for (const int resource : kNeeded)
            raise_for_workbench(resource, limits.get(static_cast<unsigned>(resource)));
        give_threads_room();
        return limits;
    }();
    return noted;
}

ResourceLimits& ResourceLimits::operator=(const ResourceLimits& other) {
    for (unsigned i = 0; i < kResources; ++i) {
        limits_[i].soft = other.limits_[i].soft.load();
        limits_[i].hard = other.limits_[i].hard.load();
    }
    return *this;
}

unsigned ResourceLimits::index(unsigned resource) {
    return resource < RLIM_NLIMITS ? resource : RLIM_NLIMITS + (resource - kProcedureStack);
}

bool ResourceLimits::known(unsigned resource) {
    return resource < RLIM_NLIMITS || resource == kProcedureStack || resource == kChainStack;
}

rlimit ResourceLimits::get(unsigned resource) const {
    const Pair& pair = limits_[index(resource)];
    return {pair.soft, pair.hard};
}

int ResourceLimits::set(unsigned resource, const rlimit& limit, bool on_host) {
    if (!known(resource) || limit.rlim_cur > limit.rlim_max) return EINVAL;
    if (resource == RLIMIT_NOFILE && limit.rlim_max > most_descriptors()) return EPERM;
    Pair& pair = limits_[index(resource)];
    if (limit.rlim_max > pair.hard && !may_raise()) return EPERM;
    if (on_host && resource < RLIM_NLIMITS && !is_own(resource)) {
        rlimit host{};
        const auto number = static_cast<__rlimit_resource>(resource);
        if (getrlimit(number, &host) != 0) return errno;
        host = {limit.rlim_cur, std::max(host.rlim_max, limit.rlim_max)};
        // The processor time ends the process by SIGKILL at the hard limit: the host's to do.
        if (resource == RLIMIT_CPU) host.rlim_max = limit.rlim_max;
        if (setrlimit(number, &host) != 0) return errno;
    }
    pair.soft = limit.rlim_cur;
    pair.hard = limit.rlim_max;
    return 0;
}

std::string ResourceLimits::text() const {
    struct Line {
        const char *name, *unit;
    };
    constexpr std::array<Line, RLIM_NLIMITS> kLines{{
        {"Max cpu time", "seconds"},
        {"Max file size", "bytes"},
        {"Max data size", "bytes"},
        {"Max stack size", "bytes"},
        {"Max core file size", "bytes"},
        {"Max resident set", "bytes"},
        {"Max processes", "processes"},
        {"Max open files", "files"},
        {"Max locked memory", "bytes"},
        {"Max address space", "bytes"},
        {"Max file locks", "locks"},
        {"Max pending signals", "signals"},
        {"Max msgqueue size", "bytes"},
        {"Max nice priority", ""},
        {"Max realtime priority", ""},
        {"Max realtime timeout", "us"},
    }};
    const auto value = [](rlim_t limit) {
        return limit == RLIM_INFINITY ? std::string("unlimited") : fmt::format("{}", limit);
    };
    const auto line = [](const char* name, const std::string& soft, const std::string& hard,
                         const char* unit) {
        return fmt::format("{:<25} {:<20} {:<20} {}\n", name, soft, hard,
                           *unit ? fmt::format("{:<10}", unit) : "");
    };
    std::string all = line("Limit", "Soft Limit", "Hard Limit", "Units");
    for (unsigned resource = 0; resource < RLIM_NLIMITS; ++resource) {
        const rlimit limit = get(resource);
        all += line(kLines[resource].name, value(limit.rlim_cur), value(limit.rlim_max),
                    kLines[resource].unit);
    }
    return all;
}

std::string ResourceLimits::advice_on_memory() {
    struct Limit {
        __rlimit_resource resource;
        const char *name, *option;
    };
    for (const Limit& one :
         {Limit{RLIMIT_AS, "virtual memory", "-v"}, Limit{RLIMIT_DATA, "data", "-d"}}) {
        rlimit limit{};
        if (getrlimit(one.resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
            return fmt::format("; raise the limit of {}, {} kB now (ulimit {} unlimited)", one.name,
                               limit.rlim_cur / 1024, one.option);
    }
    return "";
}

void ResourceLimits::put_in_force() const {
    for (unsigned resource = 0; resource < RLIM_NLIMITS; ++resource) {
        const rlimit limit = get(resource);
        setrlimit(static_cast<__rlimit_resource>(resource), &limit);
    }
}

}  // namespace e2k::guest
