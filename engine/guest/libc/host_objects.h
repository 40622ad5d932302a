// Objects of the host's C library that the guest knows by a number: compiled expressions,
// conversions of character sets.
#pragma once

#include <iconv.h>
#include <regex.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

namespace e2k::guest::libc {

struct HostPattern {
    regex_t regex{};
    bool without_places = false;  ///< REG_NOSUB
    bool back_references = false;
    ~HostPattern() { regfree(&regex); }
};

struct HostConversion {
    iconv_t conversion = reinterpret_cast<iconv_t>(-1);
    std::mutex mutex;  ///< it has a state
    ~HostConversion() {
        if (conversion != reinterpret_cast<iconv_t>(-1)) iconv_close(conversion);
    }
};

/// Numbers are never used twice, so one that the guest makes up or keeps finds nothing.
struct HostObjects {
    static constexpr std::size_t kMost = 1u << 16;  ///< of each kind

    template <class T>
    class Numbered {
    public:
        /// 0: there are too many.
        std::uint64_t add(std::shared_ptr<T> object) {
            const std::lock_guard lock(mutex);
            if (objects_.size() >= kMost) return 0;
            objects_.emplace(++last_, std::move(object));
            return last_;
        }
        std::shared_ptr<T> find(std::uint64_t number) const {
            const std::lock_guard lock(mutex);
            const auto found = objects_.find(number);
            return found == objects_.end() ? nullptr : found->second;
        }
        bool remove(std::uint64_t number) {
            const std::lock_guard lock(mutex);
            return objects_.erase(number) != 0;
        }
        mutable std::mutex mutex;

    private:
        std::map<std::uint64_t, std::shared_ptr<T>> objects_;
        std::uint64_t last_ = 0;
    };

    Numbered<HostPattern> patterns;
    Numbered<HostConversion> conversions;
};

}  // namespace e2k::guest::libc
