// Resource limits: what the guest has set, beside what the host applies to the workbench.
#pragma once

#include <sys/resource.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

namespace e2k::guest {

/// The limits of a guest process. Those of memory, stack and descriptors are kept here and applied
/// to the guest's own mappings and numbers; the others are the host's business and are passed on.
/// The host's hard limits are never lowered, so that the workbench can always get out of the
/// guest's way. Any thread.
class ResourceLimits {
public:
    /// Of the hardware stacks; only Elbrus has them (structs.md §6).
    static constexpr unsigned kProcedureStack = 10001, kChainStack = 10002;

    /// Those of the workbench's caller. The first call raises what the workbench itself needs
    /// (descriptors, address space, stack) as far as it may.
    static const ResourceLimits& callers();

    ResourceLimits() = default;
    ResourceLimits(const ResourceLimits& other) { *this = other; }
    ResourceLimits& operator=(const ResourceLimits& other);

    static bool known(unsigned resource);
    rlimit get(unsigned resource) const;
    rlim_t soft(unsigned resource) const { return get(resource).rlim_cur; }
    /// As setrlimit: 0 or an errno value. `on_host`: the host process exists for this guest, so
    /// what the host has to apply is passed on.
    int set(unsigned resource, const rlimit& limit, bool on_host);
    /// As /proc/PID/limits shows them.
    std::string text() const;
    /// For a program of the host that is about to replace this process: all of them are in force.
    void put_in_force() const;

    /// What to raise where memory for the workbench itself did not suffice: "; raise the limit of
    /// … (ulimit -d unlimited)" or nothing.
    static std::string advice_on_memory();

private:
    struct Pair {
        std::atomic<rlim_t> soft{RLIM_INFINITY}, hard{RLIM_INFINITY};
    };
    static constexpr unsigned kResources = RLIM_NLIMITS + 2;
    static unsigned index(unsigned resource);
    std::array<Pair, kResources> limits_;
};

}  // namespace e2k::guest
