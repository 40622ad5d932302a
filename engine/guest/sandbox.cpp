#include "engine/guest/sandbox.h"

#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace e2k::guest {
namespace {

using Word = std::atomic<std::uint64_t>;

/// Low half of the start time of a process, which tells it from a later one of the same number;
/// nothing if it does not exist.
tl::expected<std::uint32_t, int> start_time(int pid) {
    constexpr int kFieldsAfterName = 20;  // "state" is the first one, "starttime" the 20th
    const int fd = open(fmt::format("/proc/{}/stat", pid).c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return tl::unexpected(ESRCH);
    std::array<char, 1024> buffer;
    const ssize_t n = read(fd, buffer.data(), buffer.size());
    close(fd);
    std::string_view text(buffer.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
    const std::size_t name_end = text.rfind(')');  // the name may hold anything
    if (name_end == std::string_view::npos) return tl::unexpected(ESRCH);
    text.remove_prefix(name_end + 1);
    for (int i = 0; i < kFieldsAfterName; ++i) {
        const std::size_t space = text.find(' ');
        if (space == std::string_view::npos) return tl::unexpected(ESRCH);
        text.remove_prefix(space + 1);
    }
    std::uint64_t ticks = 0;
    std::from_chars(text.data(), text.data() + text.size(), ticks);
    return static_cast<std::uint32_t>(ticks);
}

std::uint64_t process_word(int pid, std::uint32_t start) {
    return std::uint64_t{start} << 32 | static_cast<std::uint32_t>(pid);
}
int pid_of(std::uint64_t word) { return static_cast<int>(word & 0xffff'ffff); }

bool alive(std::uint64_t word) {
    const auto start = start_time(pid_of(word));
    return start && *start == word >> 32;
}

std::uint64_t object_word(Sandbox::Object kind, int id) {
    return static_cast<std::uint64_t>(kind) << 32 | static_cast<std::uint32_t>(id);
}

template <std::size_t N>
bool put(std::array<Word, N>& words, std::uint64_t value) {
    return std::ranges::any_of(words, [&](Word& word) {
        std::uint64_t free = 0;
        return word.compare_exchange_strong(free, value);
    });
}

template <std::size_t N, class F>
void take(std::array<Word, N>& words, F&& doomed) {
    for (Word& word : words) {
        std::uint64_t value = word.load();
        if (value && doomed(value)) word.compare_exchange_strong(value, 0);
    }
}

void destroy(std::uint64_t word) {
    const int id = static_cast<int>(word & 0xffff'ffff);
    switch (static_cast<Sandbox::Object>(word >> 32)) {
        case Sandbox::Object::SharedMemory:
            shmctl(id, IPC_RMID, nullptr);
            break;
        case Sandbox::Object::Semaphores:
            semctl(id, 0, IPC_RMID);
            break;
        case Sandbox::Object::Messages:
            msgctl(id, IPC_RMID, nullptr);
            break;
    }
}

bool is_directory_or_below(const std::string& path, const std::string& directory) {
    return path.starts_with(directory) &&
           (path.size() == directory.size() || directory.ends_with('/') ||
            path[directory.size()] == '/');
}

}  // namespace

struct Sandbox::Ledger {
    std::array<Word, 4096> processes{};  ///< start time and pid; 0 = free
    std::array<Word, 4096> objects{};    ///< kind and id; 0 = free
};

tl::expected<std::shared_ptr<Sandbox>, std::string> Sandbox::create(
    const std::vector<std::string>& writable) {
    std::shared_ptr<Sandbox> made(new Sandbox);
    for (const std::string& directory : writable) {
        std::array<char, PATH_MAX> real;
        if (!realpath(directory.c_str(), real.data()))
            return tl::unexpected(
                fmt::format("the writable directory {}: {}", directory, std::strerror(errno)));
        made->writable_.emplace_back(real.data());
    }
    void* shared =
        mmap(nullptr, sizeof(Ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return tl::unexpected(fmt::format("memory for the sandbox: {}", std::strerror(errno)));
    made->ledger_ = new (shared) Ledger;
    made->creator_ = getpid();
    made->add_process(made->creator_);
    return made;
}

Sandbox::~Sandbox() {
    if (!ledger_) return;
    if (getpid() == creator_ &&
        std::ranges::none_of(processes(), [&](int pid) { return pid != creator_; }))
        take(ledger_->objects, [](std::uint64_t word) { return destroy(word), true; });
    munmap(ledger_, sizeof(Ledger));
}

bool Sandbox::may_change(const std::string& real) const {
    return std::ranges::any_of(writable_, [&](const std::string& directory) {
        return real.size() > directory.size() && is_directory_or_below(real, directory);
    });
}

bool Sandbox::may_change_entries(const std::string& real) const {
    return std::ranges::any_of(writable_, [&](const std::string& directory) {
        return is_directory_or_below(real, directory);
    });
}

void Sandbox::note_refusal(const std::string& real_directory, const std::string& name) {
    constexpr std::size_t kMost = 100;
    // In a forked child another thread's lock may be held for ever.
    const std::unique_lock lock(refusals_mutex_, std::try_to_lock);
    if (!lock || refused_directories_.size() >= kMost) return;
    if (!refused_directories_.insert(real_directory).second) return;
    refusals_.push_back({(std::filesystem::path(real_directory) / name).string(), real_directory});
}

std::vector<Sandbox::Refusal> Sandbox::take_refusals() {
    const std::lock_guard lock(refusals_mutex_);
    return std::exchange(refusals_, {});
}

bool Sandbox::add_process(int pid) {
    const auto start = start_time(pid);
    if (!start) return true;  // gone already
    const std::uint64_t word = process_word(pid, *start);
    if (put(ledger_->processes, word)) return true;
    take(ledger_->processes, [](std::uint64_t old) { return !alive(old); });
    return put(ledger_->processes, word);
}

void Sandbox::remove_process(int pid) {
    take(ledger_->processes, [&](std::uint64_t word) { return pid_of(word) == pid; });
}

bool Sandbox::owns_process(int pid) const {
    return pid > 0 && std::ranges::any_of(ledger_->processes, [&](const Word& word) {
               const std::uint64_t value = word.load();
               return pid_of(value) == pid && alive(value);
           });
}

std::vector<int> Sandbox::processes() const {
    std::vector<int> list;
    for (const Word& word : ledger_->processes)
        if (const std::uint64_t value = word.load(); value && alive(value))
            list.push_back(pid_of(value));
    return list;
}

bool Sandbox::add_object(Object kind, int id) {
    return owns_object(kind, id) || put(ledger_->objects, object_word(kind, id));
}

void Sandbox::remove_object(Object kind, int id) {
    take(ledger_->objects, [&](std::uint64_t word) { return word == object_word(kind, id); });
}

bool Sandbox::owns_object(Object kind, int id) const {
    return std::ranges::any_of(
        ledger_->objects, [&](const Word& word) { return word.load() == object_word(kind, id); });
}

}  // namespace e2k::guest
