#include "tests/guest/fuzz_syscalls/grammar.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <csignal>
#include <cstring>

namespace e2k::guest::fuzz {
namespace {

constexpr std::uint64_t kKernel = 0xffff'8880'0000'0000;

/// Flags of the open family, one of which is usually enough.
constexpr std::array kOpenFlags{O_RDONLY,  O_WRONLY, O_RDWR,     O_CREAT,     O_EXCL,
                                O_TRUNC,   O_APPEND, O_NONBLOCK, O_DIRECTORY, O_NOFOLLOW,
                                O_CLOEXEC, O_PATH,   O_TMPFILE,  O_NOATIME};
constexpr std::array<std::uint64_t, 20> kRequests{TCGETS,
                                                  TCSETS,
                                                  TIOCGWINSZ,
                                                  TIOCSTI,
                                                  FIONREAD,
                                                  FIONBIO,
                                                  FIOCLEX,
                                                  TIOCSCTTY,
                                                  0x802c542a /* TCGETS2 */,
                                                  0x5452 /* FIOASYNC */,
                                                  0x80086601 /* FS_IOC_GETFLAGS */,
                                                  0x40086602 /* FS_IOC_SETFLAGS */,
                                                  0x40049409 /* FICLONE */,
                                                  0x2 /* FIGETBSZ */,
                                                  0xc020660b /* FIEMAP */,
                                                  0x8905 /* SIOCATMARK */,
                                                  0x8912 /* SIOCGIFCONF */,
                                                  0x541c /* LINUX */,
                                                  0x540e /* TIOCSCTTY */,
                                                  0xc0045877 /* FIFREEZE */};

constexpr std::array<std::uint64_t, 26> kNumbers{
    0,     1,           2,           3,           4,
    7,     8,           16,          24,          31,
    63,    64,          100,         255,         256,
    1023,  1024,        4095,        4096,        65535,
    65536, 0x7fff'ffff, 0x8000'0000, 0xffff'ffff, 0x7fff'ffff'ffff'ffff,
    ~0ull};

}  // namespace

std::array<std::uint64_t, 64>& host_memory() {
    static std::array<std::uint64_t, 64> words{};
    return words;
}

std::vector<std::uint64_t> bad_addresses() {
    return {0,
            8,
            0x7000'0000'0001,
            cpu::kGuestSpace - 8192,
            cpu::kGuestSpace - 4,
            cpu::kGuestSpace,
            0x7fff'ffff'f000,
            0x8000'0000'0000,
            kKernel,
            ~0ull << 12,
            ~0ull - 7,
            ~0ull,
            word(host_memory().data())};
}

Grammar::Grammar(Process& process, const Surroundings& around, Random& random)
    : process_(process), around_(around), random_(random) {
    renew_arena();
}

bool Grammar::is_address(Arg kind) {
    switch (kind) {
        case Arg::None:
        case Arg::Int:
        case Arg::UInt:
        case Arg::Long:
        case Arg::Size:
        case Arg::Fd:
        case Arg::DirFd:
        case Arg::Mode:
        case Arg::OpenFlags:
        case Arg::AtFlags:
        case Arg::AccessMode:
        case Arg::Whence:
        case Arg::Prot:
        case Arg::MapFlags:
        case Arg::RemapFlags:
        case Arg::Advice:
        case Arg::CloneFlags:
        case Arg::FcntlCommand:
        case Arg::IoctlRequest:
        case Arg::FutexOp:
        case Arg::MaskHow:
        case Arg::Signal:
        case Arg::Clock:
        case Arg::ItimerWhich:
        case Arg::WaitOptions:
        case Arg::Resource:
        case Arg::SocketDomain:
        case Arg::SocketType:
        case Arg::EpollOp:
            return false;
        default:
            return true;
    }
}

void Grammar::renew_arena() {
    // The pages around stay unmapped.
    const auto at = process_.memory().map(0, kArena + 8192, kProtNone, false, false, -1, 0, "");
    if (!at) return;
    static_cast<void>(process_.memory().unmap(*at, kArena + 8192));
    const auto inner = process_.memory().map(*at + 4096, kArena, kProtRead | kProtWrite, true,
                                             false, -1, 0, "arena");
    if (inner) arena_ = *inner;
}

std::array<std::uint64_t, 6> Grammar::harmless(const SyscallRow& row) {
    good_ = true;
    const auto made = arguments(row);
    good_ = false;
    return made;
}

std::array<std::uint64_t, 6> Grammar::arguments(const SyscallRow& row) {
    // The guest may have taken the memory away.
    const std::uint64_t probe = 0;
    for (std::uint64_t at = arena_; at < arena_ + kArena; at += kSlot)
        if (!process_.memory().write(at, &probe, sizeof probe)) {
            renew_arena();
            break;
        }
    std::array<std::uint64_t, 6> made{};
    for (unsigned i = 0; i < made.size() && row.arguments[i] != Arg::None; ++i)
        made[i] = argument(row, i);
    return made;
}

// --- numbers ---

std::uint64_t Grammar::number() {
    if (good_) return random_.below(3);
    switch (random_.below(6)) {
        case 0:
            return random_.below(16);
        case 1:
            return 1ull << random_.below(64);
        case 2:
            return ~random_.below(200);
        case 3:
            return random_.next();
        default:
            return random_.pick(kNumbers);
    }
}

/// Never between megabytes and more than any machine has: memory for them would be found.
std::uint64_t Grammar::size() {
    const std::uint64_t bits = random_.below(good_ ? 8 : 20);
    if (good_ || !random_.chance(8)) return random_.below((1ull << bits) + 1);
    return random_.chance(50) ? ~random_.below(10'000) : (1ull << 44) + random_.below(1ull << 50);
}

std::uint64_t Grammar::process_number() {
    const auto own = static_cast<std::uint64_t>(process_.main_thread().tid);
    if (good_) return own;
    switch (random_.below(8)) {
        case 0:
            return 0;
        case 1:
            return around_.processes.empty()
                       ? own
                       : static_cast<std::uint64_t>(random_.pick(around_.processes));
        case 2:
            return around_.all_processes ? (random_.chance(50) ? 1 : ~0ull) : own;
        case 3:
            return own + 1 + random_.below(3);
        case 4:
            return around_.all_processes ? number() : own;
        default:
            return own;
    }
}

std::uint64_t Grammar::descriptor() {
    if (good_) return 3;
    const std::uint64_t kind = random_.below(20);
    if (kind == 0) return static_cast<std::uint64_t>(-100);
    if (kind == 1) return ~0ull;
    if (kind == 2) return number();
    return random_.below(16);
}

// --- texts ---

std::string Grammar::path() {
    static const std::array<const char*, 28> kInside{"a",
                                                     "b",
                                                     "c",
                                                     "d",
                                                     "d/e",
                                                     "d/f",
                                                     "link",
                                                     "d/out",
                                                     "fifo",
                                                     "./a",
                                                     "d/../b",
                                                     "",
                                                     ".",
                                                     "..",
                                                     "/",
                                                     "//",
                                                     "a/",
                                                     "socket",
                                                     "/proc/self/exe",
                                                     "/proc/self/fd/3",
                                                     "/dev/fd/4",
                                                     "/proc/self/maps",
                                                     "/proc/self/mem",
                                                     "/proc/1/environ",
                                                     "/dev/null",
                                                     "/dev/full",
                                                     "/dev/ptmx",
                                                     "/etc/passwd"};
    static const std::array<const char*, 10> kOutside{
        "file", "dir", "dir/inner", "link", "fifo", "socket", "new", "dir/new", "program", ""};
    if (good_) return random_.pick(kInside);
    switch (random_.below(10)) {
        case 0:
        case 1:
            return around_.outside + "/" + random_.pick(kOutside);
        case 2:
            return "../" + around_.outside.substr(around_.outside.rfind('/') + 1) + "/" +
                   random_.pick(kOutside);
        case 3:
            return std::string("escape/") + random_.pick(kOutside);  // a link to the outside
        case 4:
            return random_.chance(50) ? std::string(random_.below(6000), 'n')
                                      : around_.scratch + "/" + random_.pick(kInside);
        case 5: {
            static const std::array<const char*, 6> kOf{"mem", "fd/0", "root",
                                                        "cwd", "exe",  "environ"};
            const int pid = around_.processes.empty() ? 1 : around_.processes[0];
            return "/proc/" + std::to_string(pid) + "/" + random_.pick(kOf);
        }
        default:
            return random_.pick(kInside);
    }
}

std::string Grammar::text() {
    static const std::array<const char*, 14> kTexts{"user.a",
                                                    "user.b",
                                                    "security.capability",
                                                    "trusted.x",
                                                    "system.posix_acl_access",
                                                    "",
                                                    "tmpfs",
                                                    "proc",
                                                    "e2k_fuzz_queue",
                                                    "/e2k_fuzz_queue",
                                                    "user",
                                                    "keyring",
                                                    "a",
                                                    "name"};
    return !good_ && random_.chance(5) ? std::string(random_.below(5000), 'x')
                                       : std::string(random_.pick(kTexts));
}

// --- memory ---

std::uint64_t Grammar::slot() {
    return arena_ + kSlot * random_.below(kArena / kSlot) + 16 * random_.below(16);
}

std::uint64_t Grammar::store(const void* bytes, std::size_t size) {
    // Sometimes right before the unmapped page.
    const std::uint64_t at =
        random_.chance(20) ? arena_ + kArena - ((size + 7) & ~std::size_t{7}) : slot();
    process_.memory().write(at, bytes, std::min<std::size_t>(size, arena_ + kArena - at));
    return at;
}

std::uint64_t Grammar::store_text(const std::string& text) {
    return store(text.c_str(), text.size() + 1);
}

std::uint64_t Grammar::store_words() {
    std::array<std::uint64_t, 40> words{};
    for (std::uint64_t& one : words) {
        const std::uint64_t kind = random_.below(8);
        one = kind == 0   ? number()
              : kind == 1 ? slot()
              : kind == 2 ? random_.next()
              : kind == 3 ? random_.below(8) | random_.below(8) << 32
                          : 0;
    }
    return store(words.data(), sizeof words);
}

std::uint64_t Grammar::store_vector() {
    std::array<std::uint64_t, 16> parts{};
    for (std::size_t i = 0; i < parts.size(); i += 2) {
        parts[i] = good_ || random_.chance(90) ? slot() : random_.pick(bad_addresses());
        parts[i + 1] = random_.chance(95) ? random_.below(300) : number();
    }
    return store(parts.data(), sizeof parts);
}

std::uint64_t Grammar::store_socket_address() {
    sockaddr_storage raw{};
    if (random_.chance(60)) {
        auto* local = reinterpret_cast<sockaddr_un*>(&raw);
        local->sun_family = AF_UNIX;
        const std::string name = random_.chance(50) ? around_.outside + "/socket" : path();
        std::strncpy(local->sun_path, name.c_str(), sizeof local->sun_path);
        if (random_.chance(10)) local->sun_path[0] = 0;
    } else {
        auto* in = reinterpret_cast<sockaddr_in*>(&raw);
        in->sin_family = AF_INET;
        in->sin_port = htons(around_.port);
        in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    return store(&raw, sizeof raw);
}

std::uint64_t Grammar::store_message(unsigned count) {
    struct Header {
        std::uint64_t name, name_length, parts, part_count, control, control_length, flags, length;
    };
    std::array<Header, 8> all{};
    for (Header& one : all) {
        struct {
            std::uint64_t size;
            std::int32_t level, type;
            std::array<std::int32_t, 8> values;
        } control{random_.chance(80) ? 16 + 4 * random_.below(9) : number(),
                  random_.chance(80) ? SOL_SOCKET : static_cast<std::int32_t>(number()),
                  static_cast<std::int32_t>(random_.below(5)),
                  {}};
        for (auto& value : control.values) value = static_cast<std::int32_t>(descriptor());
        one.name = random_.chance(40) ? store_socket_address() : 0;
        one.name_length = random_.chance(80) ? 110 : number() & 0xffff'ffff;
        one.parts = store_vector();
        one.part_count = random_.chance(90) ? random_.below(9) : number();
        one.control = random_.chance(50) ? store(&control, sizeof control) : 0;
        one.control_length = random_.chance(80) ? 48 : number();
    }
    return store(all.data(), count == 1 ? sizeof(Header) : sizeof all);
}

std::uint64_t Grammar::store_known(std::uint16_t number, unsigned index) {
    switch (number) {
        case 184:
        case 185: {
            if (index != 0) return 0;
            const std::array<std::uint32_t, 2> header{
                static_cast<std::uint32_t>(random_.chance(70) ? _LINUX_CAPABILITY_VERSION_3
                                                              : _LINUX_CAPABILITY_VERSION_1),
                static_cast<std::uint32_t>(process_number())};
            return store(&header, sizeof header);
        }
        case 297: {
            struct Block {
                std::uint64_t data, key;
                std::uint16_t opcode;
                std::int16_t priority;
                std::int32_t fd;
                std::uint64_t buffer, bytes;
                std::int64_t offset;
                std::uint64_t reserved, flags;
            } block{random_.next(),
                    0,
                    static_cast<std::uint16_t>(random_.below(10)),
                    0,
                    static_cast<std::int32_t>(descriptor()),
                    random_.chance(30) ? store_vector() : slot(),
                    random_.below(4096),
                    static_cast<std::int64_t>(random_.below(4096)),
                    0,
                    random_.chance(10) ? 1u : 0u};
            const std::array<std::uint64_t, 3> list{store(&block, sizeof block),
                                                    store(&block, sizeof block), slot()};
            return store(&list, sizeof list);
        }
        case 408:
        case 409:
            return index == 1 ? store_message(1) : 0;
        case 349:
        case 378:
            return index == 1 ? store_message(8) : 0;
        case 426: {
            std::array<std::uint64_t, 11> clone{};
            clone[0] = random_.chance(50) ? 0x3d0f00 : 0;
            clone[4] = clone[0] ? 0 : SIGCHLD;
            clone[5] = slot();
            clone[6] = 4096;
            return store(&clone, sizeof clone);
        }
        case 432: {
            if (index != 2) return 0;
            const open_how how{static_cast<std::uint64_t>(random_.pick(kOpenFlags)),
                               random_.chance(20) ? 0600u : 0u, random_.below(64)};
            return store(&how, sizeof how);
        }
        case 315: {
            if (index != 3) return 0;
            const std::array<std::uint64_t, 8> attributes{0, 1 + random_.below(4),
                                                          1 + random_.below(100)};
            return store(&attributes, sizeof attributes);
        }
        default:
            return 0;
    }
}

std::uint64_t Grammar::address(const SyscallRow& row, unsigned index) {
    if (const std::uint64_t known = store_known(row.number, index)) return known;
    switch (row.arguments[index]) {
        case Arg::Path:
            return store_text(path());
        case Arg::Text:
            return store_text(text());
        case Arg::TextList: {
            const std::array<std::uint64_t, 3> list{store_text("a"), store_text(text()), 0};
            return store(&list, sizeof list);
        }
        case Arg::IovIn:
        case Arg::IovOut:
            return store_vector();
        case Arg::SockaddrIn:
            return store_socket_address();
        case Arg::TimespecIn:
        case Arg::TimevalIn:
        case Arg::ItimervalIn:
        case Arg::ItimerspecIn: {
            // Short, and no signals of timers: those would end most guests.
            const std::array<std::int64_t, 4> time{
                0, random_.chance(90) ? 0 : 1000, 0,
                random_.chance(90) ? static_cast<std::int64_t>(random_.below(2000))
                                   : static_cast<std::int64_t>(random_.next())};
            return store(&time, sizeof time);
        }
        case Arg::PollFds: {
            std::array<std::uint32_t, 16> fds{};
            for (std::size_t i = 0; i < fds.size(); i += 2) {
                fds[i] = static_cast<std::uint32_t>(descriptor());
                fds[i + 1] = static_cast<std::uint32_t>(random_.below(64));
            }
            return store(&fds, sizeof fds);
        }
        default:
            return store_words();
    }
}

std::uint64_t Grammar::flags_of(const SyscallRow& row, unsigned index) {
    switch (row.arguments[index]) {
        case Arg::OpenFlags: {
            std::uint64_t flags = 0;
            for (std::uint64_t n = random_.below(4); n-- > 0;)
                flags |= static_cast<std::uint64_t>(random_.pick(kOpenFlags));
            return flags;
        }
        case Arg::AtFlags:
            return random_.chance(70) ? random_.below(2) * AT_SYMLINK_NOFOLLOW
                                      : 0x100ull << random_.below(8);
        case Arg::Prot:
            return random_.below(8);
        case Arg::MapFlags:
            return random_.chance(80) ? 0x10u | (1 + random_.below(2)) | random_.below(2) << 8
                                      : number();
        case Arg::CloneFlags:
            return random_.chance(60) ? 0x3d0f00 : random_.chance(50) ? SIGCHLD : number();
        case Arg::FcntlCommand:
            return random_.chance(70) ? random_.below(17) : 1024 + random_.below(20);
        case Arg::IoctlRequest:
            return random_.pick(kRequests);
        case Arg::Signal: {
            constexpr std::array kGentle{0, SIGCHLD, SIGURG, SIGWINCH, SIGCONT};
            if (good_) return 0;
            return random_.chance(90) ? static_cast<std::uint64_t>(random_.pick(kGentle))
                                      : random_.below(70);
        }
        case Arg::SocketDomain:
            return random_.chance(70) ? AF_UNIX : random_.below(45);
        case Arg::SocketType:
            return 1 + random_.below(6);
        case Arg::Resource:
            // Not the limit on time: it would end the fuzzer itself.
            return random_.chance(90) ? 1 + random_.below(16) : 10001 + random_.below(2);
        default:
            return good_ ? random_.below(2) : random_.chance(80) ? random_.below(16) : number();
    }
}

void Grammar::learn(const SyscallRow& row, const std::array<std::uint64_t, 6>& made,
                    std::int64_t result) {
    constexpr std::size_t kMost = 8;
    auto keep = [&](std::vector<std::uint64_t>& list, std::uint64_t value) {
        if (list.size() < kMost)
            list.push_back(value);
        else
            list[random_.below(kMost)] = value;
    };
    if (result < 0) return;
    const auto value = static_cast<std::uint64_t>(result);
    std::uint64_t context = 0;
    switch (row.number) {
        case 270:
            return keep(msg_, value);
        case 274:
            return keep(sem_, value);
        case 278:
            return keep(shm_, value);
        case 280:
            return keep(attached_, value);
        case 294:
            if (process_.memory().read(made[1], &context, sizeof context)) keep(contexts_, context);
            return;
        default:
            return;
    }
}

std::optional<std::uint64_t> Grammar::expected(const SyscallRow& row, unsigned index) {
    struct Good {
        std::uint16_t number;
        std::uint8_t index;
        std::uint64_t value;
    };
    constexpr std::array kGood{Good{174, 3, 8},
                               Good{175, 3, 8},
                               Good{176, 1, 8},
                               Good{177, 3, 8},
                               Good{179, 1, 8},
                               Good{306, 1, 120},
                               Good{307, 1, 120},
                               Good{346, 5, 8},
                               Good{347, 2, 8},
                               Good{368, 4, 8},
                               Good{436, 5, 8},
                               Good{366, 1, 24},
                               Good{432, 3, 24},
                               Good{426, 1, 88},
                               Good{288, 2, 56},
                               Good{288, 3, 0},
                               Good{287, 2, 0},
                               Good{270, 0, 0},
                               Good{274, 0, 0},
                               Good{278, 0, 0},
                               Good{270, 1, 0600},
                               Good{274, 2, 0600},
                               Good{278, 2, 0600},
                               Good{443, 1, 1},
                               Good{443, 2, 0},
                               Good{380, 2, 2},
                               Good{381, 2, 2},
                               Good{380, 4, 2},
                               Good{381, 4, 2},
                               Good{380, 5, 0},
                               Good{381, 5, 0},
                               Good{435, 4, 0},
                               Good{312, 4, 0},
                               Good{314, 2, 0},
                               Good{344, 0, static_cast<std::uint64_t>(-100)}};
    if (!random_.chance(80)) return std::nullopt;
    for (const Good& good : kGood)
        if (good.number == row.number && good.index == index) return good.value;
    const std::string_view name = row.name;
    const std::vector<std::uint64_t>* list =
        index != 0                                                          ? nullptr
        : name.starts_with("shmdt")                                         ? &attached_
        : name.starts_with("shm")                                           ? &shm_
        : name.starts_with("sem")                                           ? &sem_
        : name.starts_with("msg")                                           ? &msg_
        : row.number >= 285 && row.number <= 298 && name.starts_with("io_") ? &contexts_
                                                                            : nullptr;
    if (list && !list->empty()) return random_.pick(*list);
    if (index == 0 && name.starts_with("timer_") && row.number != 261) return 3 + random_.below(4);
    if (index == 0 && row.number == 102) return 1 + random_.below(20);
    return std::nullopt;
}

std::uint64_t Grammar::argument(const SyscallRow& row, unsigned index) {
    const Arg kind = row.arguments[index];
    if (!good_)
        if (const auto value = expected(row, index)) return *value;
    if (is_address(kind) && kind != Arg::Hex) {
        if (!good_ && random_.chance(12))
            return random_.chance(30) ? page_end() - random_.below(64)
                                      : random_.pick(bad_addresses());
        return address(row, index);
    }
    // An identifier of somebody else's object.
    const std::string_view name = row.name;
    auto of = [&](const std::vector<int>& ids) {
        return ids.empty() ? number() : static_cast<std::uint64_t>(random_.pick(ids));
    };
    if (index == 0 && !good_ && random_.chance(50)) {
        if (name.starts_with("shm")) return of(around_.shm_ids);
        if (name.starts_with("sem")) return of(around_.sem_ids);
        if (name.starts_with("msg")) return of(around_.msg_ids);
    }
    switch (kind) {
        case Arg::Fd:
        case Arg::DirFd:
            if (kind == Arg::DirFd && random_.chance(60)) return static_cast<std::uint64_t>(-100);
            return descriptor();
        case Arg::Size:
            return size();
        case Arg::Int:
            return random_.chance(40)   ? process_number()
                   : random_.chance(60) ? random_.below(8)
                                        : number();
        case Arg::UInt:
            return random_.chance(80) ? random_.below(16) : number();
        case Arg::Long:
            return random_.chance(80) ? random_.below(8192) : number();
        case Arg::Mode:
            return random_.chance(80) ? random_.below(01000) : number();
        case Arg::Hex:
            return good_                ? 0
                   : random_.chance(35) ? 0
                   : random_.chance(30) ? store_words()
                   : random_.chance(20) ? random_.pick(bad_addresses())
                   : random_.chance(60) ? random_.below(16)
                                        : number();
        default:
            return flags_of(row, index);
    }
}

}  // namespace e2k::guest::fuzz
