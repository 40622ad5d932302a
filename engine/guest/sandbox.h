// What the sandbox knows about one guest and all processes it forks: where they may write, and
// which processes and System V objects are their own. The memory is shared by these processes and
// lies outside of what a guest can address.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace e2k::guest {

class Sandbox {
public:
    enum class Object : std::uint8_t { SharedMemory = 1, Semaphores, Messages };

    /// `writable` must be existing directories; what they are called later does not matter.
    static tl::expected<std::shared_ptr<Sandbox>, std::string> create(
        const std::vector<std::string>& writable);
    ~Sandbox();  ///< removes the System V objects left over, once no process of the guest lives
    Sandbox(const Sandbox&) = delete;
    Sandbox& operator=(const Sandbox&) = delete;

    /// The object with this absolute path, free of links, may be changed: it is below a writable
    /// directory. The directory itself is not.
    bool may_change(const std::string& real) const;
    /// Entries of this directory may be made, renamed and removed.
    bool may_change_entries(const std::string& real_directory) const;
    const std::vector<std::string>& writable() const { return writable_; }

    /// What this process's guest was not allowed to change, for whoever may allow it. A directory
    /// is named once.
    struct Refusal {
        std::string path, directory;  ///< `directory` holds `path`
    };
    void note_refusal(const std::string& real_directory, const std::string& name);
    std::vector<Refusal> take_refusals();

    /// False: too many processes.
    bool add_process(int pid);
    void remove_process(int pid);
    /// `pid` is alive and the same process that was added.
    bool owns_process(int pid) const;
    std::vector<int> processes() const;

    bool add_object(Object kind, int id);
    void remove_object(Object kind, int id);
    bool owns_object(Object kind, int id) const;

private:
    struct Ledger;
    Sandbox() = default;
    std::vector<std::string> writable_;
    Ledger* ledger_ = nullptr;
    int creator_ = 0;
    std::mutex refusals_mutex_;
    std::vector<Refusal> refusals_;
    std::set<std::string> refused_directories_;
};

}  // namespace e2k::guest
