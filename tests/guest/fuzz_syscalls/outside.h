// What lies around a sandboxed guest and must stay as it is: files, objects, processes, sockets of
// the same user.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/guest/fuzz_syscalls/grammar.h"

namespace e2k::guest::fuzz {

/// Gives the calling process name spaces of its own where it may, and makes it an ordinary user if
/// it is root. Only a process without other threads. True if no other processes can be seen: then
/// the caller is a child, and its parent waits inside and ends as it does.
bool isolate();

/// Restores the files that a guest may change.
void renew_scratch(const Surroundings& around);

class Outside {
public:
    Outside();
    ~Outside();
    Outside(const Outside&) = delete;
    Outside& operator=(const Outside&) = delete;

    const Surroundings& surroundings() const { return around_; }
    /// What has changed since the beginning, in plain words.
    std::vector<std::string> changes();

private:
    using Picture = std::map<std::string, std::string>;  ///< name → everything about it
    void make_tree() const;
    Picture look() const;
    std::vector<std::string> visitors() const;

    std::string top_;
    Surroundings around_;
    int datagrams_ = -1, listener_ = -1;
    Picture before_;
};

}  // namespace e2k::guest::fuzz
