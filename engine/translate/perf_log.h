// Names of translated regions for Linux perf: the map file (/tmp/perf-PID.map, names only) and the
// jitdump (jit-PID.dump, names and code, for `perf inject --jit` and annotation).
#pragma once

#include <cstdint>
#include <cstdio>
#include <span>
#include <string>

namespace e2k::translate {

class PerfLog {
public:
    PerfLog() = default;
    ~PerfLog();
    PerfLog(const PerfLog&) = delete;
    PerfLog& operator=(const PerfLog&) = delete;

    /// Starts the map file. Without a place to write it nothing is recorded: perf only loses names.
    void open_map();
    /// Starts `directory`/jit-PID.dump. perf finds it by the executable mapping of its first page
    /// that stays until the log ends.
    void open_dump(const std::string& directory);

    bool active() const { return map_ || dump_; }
    /// Code at its final address; `name` is what perf prints.
    void add(std::span<const std::uint8_t> code, const std::string& name);

private:
    std::FILE* map_ = nullptr;
    std::FILE* dump_ = nullptr;
    void* marker_ = nullptr;
    std::uint64_t next_index_ = 0;
};

}  // namespace e2k::translate
