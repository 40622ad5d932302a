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

    /// Starts the map file. A file that cannot be written does not stop the guest: trouble() tells.
    void open_map();
    /// Starts `directory`/jit-PID.dump. perf finds it by the executable mapping of its first page
    /// that stays until the log ends.
    void open_dump(const std::string& directory);

    bool active() const { return map_ || dump_; }
    /// Code at its final address; `name` is what perf prints.
    void add(std::span<const std::uint8_t> code, const std::string& name);

    /// What could not be written and why, "" if all is well. The first failure stays.
    const std::string& trouble() const { return trouble_; }

private:
    std::FILE* open(const std::string& name);
    void note_failure();

    std::FILE* map_ = nullptr;
    std::FILE* dump_ = nullptr;
    void* marker_ = nullptr;
    std::string path_, trouble_;
    std::uint64_t next_index_ = 0;
};

}  // namespace e2k::translate
