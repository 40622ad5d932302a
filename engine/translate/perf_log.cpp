#include "engine/translate/perf_log.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace e2k::translate {

namespace {

// The jitdump format, version 1: linux/tools/perf/Documentation/jitdump-specification.txt.
constexpr std::uint32_t kMagic = 0x4a695444;
constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kCodeLoad = 0;
constexpr std::size_t kMarkerBytes = 4096;

struct FileHeader {
    std::uint32_t magic = kMagic, version = kVersion;
    std::uint32_t size = sizeof(FileHeader);
    std::uint32_t machine = EM_X86_64;
    std::uint32_t reserved = 0;
    std::uint32_t pid = 0;
    std::uint64_t timestamp = 0;
    std::uint64_t flags = 0;
};
static_assert(sizeof(FileHeader) == 40);

struct CodeLoad {
    std::uint32_t id = kCodeLoad, size = 0;
    std::uint64_t timestamp = 0;
    std::uint32_t pid = 0, tid = 0;
    std::uint64_t address = 0, code_address = 0, code_size = 0, index = 0;
};
static_assert(sizeof(CodeLoad) == 56);

/// perf's clock under `perf record -k mono`.
std::uint64_t now() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000u +
           static_cast<std::uint64_t>(t.tv_nsec);
}

}  // namespace

PerfLog::~PerfLog() {
    if (marker_) munmap(marker_, kMarkerBytes);
    if (map_) std::fclose(map_);
    if (dump_) std::fclose(dump_);
}

/// perf looks for the file by this very name, so it is written in place. In a directory that others
/// may write to, what they put there under that name is not followed.
std::FILE* PerfLog::open(const std::string& name) {
    path_ = name;
    ::unlink(name.c_str());
    const int fd = ::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    std::FILE* file = fd < 0 ? nullptr : fdopen(fd, "w+");
    if (!file) note_failure();
    return file;
}

void PerfLog::note_failure() {
    if (trouble_.empty())
        trouble_ = fmt::format("cannot write {}: {}", path_, std::strerror(errno));
}

void PerfLog::open_map() { map_ = open(fmt::format("/tmp/perf-{}.map", getpid())); }

void PerfLog::open_dump(const std::string& directory) {
    dump_ = open(fmt::format("{}/jit-{}.dump", directory, getpid()));
    if (!dump_) return;
    FileHeader header;
    header.pid = static_cast<std::uint32_t>(getpid());
    header.timestamp = now();
    std::fwrite(&header, sizeof header, 1, dump_);
    if (std::fflush(dump_) != 0) note_failure();
    void* marker =
        mmap(nullptr, kMarkerBytes, PROT_READ | PROT_EXEC, MAP_PRIVATE, fileno(dump_), 0);
    marker_ = marker == MAP_FAILED ? nullptr : marker;
}

void PerfLog::add(std::span<const std::uint8_t> code, const std::string& name) {
    const auto address = reinterpret_cast<std::uint64_t>(code.data());
    if (map_) {
        const auto line = fmt::format("{:x} {:x} {}\n", address, code.size(), name);
        std::fwrite(line.data(), 1, line.size(), map_);
        if (std::fflush(map_) != 0) note_failure();
    }
    if (!dump_) return;
    CodeLoad record;
    record.size = static_cast<std::uint32_t>(sizeof record + name.size() + 1 + code.size());
    record.timestamp = now();
    record.pid = static_cast<std::uint32_t>(getpid());
    record.tid = static_cast<std::uint32_t>(syscall(SYS_gettid));
    record.address = record.code_address = address;
    record.code_size = code.size();
    record.index = next_index_++;
    std::fwrite(&record, sizeof record, 1, dump_);
    std::fwrite(name.c_str(), 1, name.size() + 1, dump_);
    std::fwrite(code.data(), 1, code.size(), dump_);
    if (std::fflush(dump_) != 0) note_failure();
}

}  // namespace e2k::translate
