// Errors of a source, bounded in number and length whatever the source is like.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "engine/isa/assembler/assembler.h"

namespace e2k::isa::assembler {

/// Longer lines are not shown with a complaint.
inline constexpr std::size_t kLongestShown = 500;

/// Where a plain line comes from.
struct Origin {
    int file = 0;  ///< index into `ExpandedSource::files`
    int line = 1;  ///< line of that file, from 1; inside a macro, of its body
    int note = 0;  ///< index into `ExpandedSource::notes`
};

/// Complaints about lines of an expanded source. At most 100 are kept, and of those that say the
/// same about one line of a file the first three; the third counts the rest.
class Complaints {
public:
    explicit Complaints(const std::vector<Origin>& origins) : origins_(&origins) {}
    void add(AssemblyError error);
    bool empty() const { return list_.empty(); }
    /// Nothing new is kept any more.
    bool full() const { return list_.size() >= kMaxAssemblyErrors; }
    const AssemblyErrors& list() const { return list_; }

private:
    struct Same {
        std::size_t count = 0, last = 0;  ///< last: index into `list_`
    };
    const std::vector<Origin>* origins_;
    AssemblyErrors list_;
    std::map<std::tuple<int, int, std::string>, Same> same_;
};

}  // namespace e2k::isa::assembler
