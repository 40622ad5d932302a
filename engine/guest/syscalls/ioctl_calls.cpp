// ioctl: requests by name. What is not in the table is refused, so that no number of the guest ever
// reaches a driver that might take it for an address.
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/kd.h>
#include <linux/nsfs.h>
#include <linux/random.h>
#include <linux/rtc.h>
#include <linux/sockios.h>
#include <linux/vt.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

/// Kinds of files that know a request. The same number can mean something else to other drivers,
/// with an argument of another form.
enum class On : std::uint8_t { Any, Terminal, Socket, File, Block, Character };

/// How the argument is taken.
enum class Form : std::uint8_t {
    Nothing,  ///< ignored
    Number,   ///< 32 bits
    In,       ///< a structure equal on both sides, `size` bytes, is read
    Out,      ///< … is written
    InOut,    ///< … is read and written
    File,     ///< a descriptor
    NewFile,  ///< a number; the result is a new descriptor
    Process,  ///< a process or group number in memory, which gets signals
};

struct IoctlRow {
    std::uint32_t request;
    On on;
    Form form;
    std::uint16_t size = 0;
};

// Structures the C library does not declare as the kernel has them.
constexpr std::uint16_t kTermio = 18, kTermios = 36, kTermios2 = 44, kLineCounters = 80;
constexpr std::uint16_t kInterface = 40;            // struct ifreq
constexpr std::uint32_t kSetTermios2 = 0x402c542b;  // TCSETS2, TCSETSW2, TCSETSF2

constexpr std::array kTerminalRows{
    IoctlRow{TCGETS, On::Terminal, Form::Out, kTermios},
    IoctlRow{TCSETS, On::Terminal, Form::In, kTermios},
    IoctlRow{TCSETSW, On::Terminal, Form::In, kTermios},
    IoctlRow{TCSETSF, On::Terminal, Form::In, kTermios},
    IoctlRow{0x802c542a /* TCGETS2 */, On::Terminal, Form::Out, kTermios2},
    IoctlRow{kSetTermios2, On::Terminal, Form::In, kTermios2},
    IoctlRow{kSetTermios2 + 1, On::Terminal, Form::In, kTermios2},
    IoctlRow{kSetTermios2 + 2, On::Terminal, Form::In, kTermios2},
    IoctlRow{TCGETA, On::Terminal, Form::Out, kTermio},
    IoctlRow{TCSETA, On::Terminal, Form::In, kTermio},
    IoctlRow{TCSETAW, On::Terminal, Form::In, kTermio},
    IoctlRow{TCSETAF, On::Terminal, Form::In, kTermio},
    IoctlRow{TIOCGLCKTRMIOS, On::Terminal, Form::Out, kTermios},
    IoctlRow{TIOCSLCKTRMIOS, On::Terminal, Form::In, kTermios},
    IoctlRow{TCSBRK, On::Terminal, Form::Number},
    IoctlRow{TCSBRKP, On::Terminal, Form::Number},
    IoctlRow{TIOCSBRK, On::Terminal, Form::Nothing},
    IoctlRow{TIOCCBRK, On::Terminal, Form::Nothing},
    IoctlRow{TCXONC, On::Terminal, Form::Number},
    IoctlRow{TCFLSH, On::Terminal, Form::Number},
    IoctlRow{TIOCEXCL, On::Terminal, Form::Nothing},
    IoctlRow{TIOCNXCL, On::Terminal, Form::Nothing},
    IoctlRow{TIOCGEXCL, On::Terminal, Form::Out, 4},
    IoctlRow{TIOCSCTTY, On::Terminal, Form::Number},
    IoctlRow{TIOCNOTTY, On::Terminal, Form::Nothing},
    IoctlRow{TIOCGPGRP, On::Terminal, Form::Out, 4},
    IoctlRow{TIOCSPGRP, On::Terminal, Form::In, 4},
    IoctlRow{TIOCGSID, On::Terminal, Form::Out, 4},
    IoctlRow{TIOCSTI, On::Terminal, Form::In, 1},
    IoctlRow{TIOCGWINSZ, On::Terminal, Form::Out, 8},
    IoctlRow{TIOCSWINSZ, On::Terminal, Form::In, 8},
    IoctlRow{TIOCMGET, On::Terminal, Form::Out, 4},
    IoctlRow{TIOCMSET, On::Terminal, Form::In, 4},
    IoctlRow{TIOCMBIS, On::Terminal, Form::In, 4},
    IoctlRow{TIOCMBIC, On::Terminal, Form::In, 4},
    IoctlRow{TIOCMIWAIT, On::Terminal, Form::Number},
    IoctlRow{TIOCGICOUNT, On::Terminal, Form::Out, kLineCounters},
    IoctlRow{TIOCGSOFTCAR, On::Terminal, Form::Out, 4},
    IoctlRow{TIOCSSOFTCAR, On::Terminal, Form::In, 4},
    IoctlRow{TIOCSERGETLSR, On::Terminal, Form::Out, 4},
    IoctlRow{TIOCCONS, On::Terminal, Form::Nothing},
    IoctlRow{TIOCVHANGUP, On::Terminal, Form::Nothing},
    IoctlRow{TIOCGETD, On::Terminal, Form::Out, 4},
    IoctlRow{TIOCSETD, On::Terminal, Form::In, 4},
    IoctlRow{TIOCGDEV, On::Terminal, Form::Out, 4},
    IoctlRow{TIOCPKT, On::Terminal, Form::In, 4},
    IoctlRow{TIOCGPKT, On::Terminal, Form::Out, 4},
    IoctlRow{TIOCGPTN, On::Terminal, Form::Out, 4},
    IoctlRow{TIOCSPTLCK, On::Terminal, Form::In, 4},
    IoctlRow{TIOCGPTLCK, On::Terminal, Form::Out, 4},
    IoctlRow{TIOCGPTPEER, On::Terminal, Form::NewFile},
    IoctlRow{TIOCSIG, On::Terminal, Form::Number},
    IoctlRow{KDGKBTYPE, On::Terminal, Form::Out, 1},
    IoctlRow{KDGETMODE, On::Terminal, Form::Out, 4},
    IoctlRow{KDGKBMODE, On::Terminal, Form::Out, 4},
    IoctlRow{KDGETLED, On::Terminal, Form::Out, 1},
    IoctlRow{KDGKBLED, On::Terminal, Form::Out, 1},
    IoctlRow{VT_OPENQRY, On::Terminal, Form::Out, 4},
    IoctlRow{VT_GETSTATE, On::Terminal, Form::Out, 6},
    IoctlRow{VT_GETMODE, On::Terminal, Form::Out, 8},
};

constexpr std::array kFileRows{
    // Every file.
    IoctlRow{FIOCLEX, On::Any, Form::Nothing},
    IoctlRow{FIONCLEX, On::Any, Form::Nothing},
    IoctlRow{FIONREAD, On::Any, Form::Out, 4},
    IoctlRow{FIONBIO, On::Any, Form::In, 4},
    IoctlRow{FIOASYNC, On::Any, Form::In, 4},
    IoctlRow{FIOQSIZE, On::Any, Form::Out, 8},
    IoctlRow{FIGETBSZ, On::Any, Form::Out, 4},
    // File systems.
    IoctlRow{FIBMAP, On::File, Form::InOut, 4},
    IoctlRow{FS_IOC_GETFLAGS, On::File, Form::Out, 4},  // an int, whatever the number says
    IoctlRow{FS_IOC_SETFLAGS, On::File, Form::In, 4},
    IoctlRow{FS_IOC_GETVERSION, On::File, Form::Out, 4},
    IoctlRow{FS_IOC_SETVERSION, On::File, Form::In, 4},
    IoctlRow{FS_IOC_FSGETXATTR, On::File, Form::Out, sizeof(fsxattr)},
    IoctlRow{FS_IOC_FSSETXATTR, On::File, Form::In, sizeof(fsxattr)},
    IoctlRow{FS_IOC_GETFSLABEL, On::File, Form::Out, FSLABEL_MAX},
    IoctlRow{FS_IOC_SETFSLABEL, On::File, Form::In, FSLABEL_MAX},
    IoctlRow{0x80111500 /* FS_IOC_GETFSUUID */, On::File, Form::Out, 17},
    IoctlRow{0x80047210 /* FAT_IOCTL_GET_ATTRIBUTES */, On::File, Form::Out, 4},
    IoctlRow{FITRIM, On::File, Form::InOut, sizeof(fstrim_range)},
    IoctlRow{FICLONE, On::File, Form::File},
    // Disks.
    IoctlRow{BLKROGET, On::Block, Form::Out, 4},
    IoctlRow{BLKROSET, On::Block, Form::In, 4},
    IoctlRow{BLKGETSIZE, On::Block, Form::Out, 8},
    IoctlRow{BLKGETSIZE64, On::Block, Form::Out, 8},
    IoctlRow{BLKSSZGET, On::Block, Form::Out, 4},
    IoctlRow{BLKBSZGET, On::Block, Form::Out, 4},
    IoctlRow{BLKPBSZGET, On::Block, Form::Out, 4},
    IoctlRow{BLKIOMIN, On::Block, Form::Out, 4},
    IoctlRow{BLKIOOPT, On::Block, Form::Out, 4},
    IoctlRow{BLKALIGNOFF, On::Block, Form::Out, 4},
    IoctlRow{BLKROTATIONAL, On::Block, Form::Out, 2},
    IoctlRow{BLKRAGET, On::Block, Form::Out, 8},
    IoctlRow{BLKFLSBUF, On::Block, Form::Nothing},
    IoctlRow{0x0301 /* HDIO_GETGEO */, On::Block, Form::Out, 16},
    // Other devices; names of namespaces.
    IoctlRow{RNDGETENTCNT, On::Character, Form::Out, 4},
    IoctlRow{RTC_RD_TIME, On::Character, Form::Out, sizeof(rtc_time)},
    IoctlRow{NS_GET_USERNS, On::File, Form::NewFile},
    IoctlRow{NS_GET_PARENT, On::File, Form::NewFile},
    IoctlRow{NS_GET_NSTYPE, On::File, Form::Nothing},
    IoctlRow{NS_GET_OWNER_UID, On::File, Form::Out, 4},
};

constexpr std::array kSocketRows{
    IoctlRow{TIOCOUTQ, On::Any, Form::Out, 4},  // of sockets and terminals
    IoctlRow{SIOCOUTQNSD, On::Socket, Form::Out, 4},
    IoctlRow{SIOCATMARK, On::Socket, Form::Out, 4},
    IoctlRow{FIOGETOWN, On::Socket, Form::Out, 4},
    IoctlRow{SIOCGPGRP, On::Socket, Form::Out, 4},
    IoctlRow{FIOSETOWN, On::Socket, Form::Process, 4},
    IoctlRow{SIOCSPGRP, On::Socket, Form::Process, 4},
    IoctlRow{SIOCGSTAMP_OLD, On::Socket, Form::Out, 16},
    IoctlRow{SIOCGSTAMPNS_OLD, On::Socket, Form::Out, 16},
    IoctlRow{0x80108906 /* SIOCGSTAMP_NEW */, On::Socket, Form::Out, 16},
    IoctlRow{0x80108907 /* SIOCGSTAMPNS_NEW */, On::Socket, Form::Out, 16},
    IoctlRow{SIOCGIFNAME, On::Socket, Form::InOut, kInterface},
    IoctlRow{SIOCGIFINDEX, On::Socket, Form::InOut, kInterface},
    IoctlRow{SIOCGIFFLAGS, On::Socket, Form::InOut, kInterface},
    IoctlRow{SIOCGIFPFLAGS, On::Socket, Form::InOut, kInterface},
    IoctlRow{SIOCGIFADDR, On::Socket, Form::InOut, kInterface},
    IoctlRow{SIOCGIFDSTADDR, On::Socket, Form::InOut, kInterface},
    IoctlRow{SIOCGIFBRDADDR, On::Socket, Form::InOut, kInterface},
    IoctlRow{SIOCGIFNETMASK, On::Socket, Form::InOut, kInterface},
    IoctlRow{SIOCGIFHWADDR, On::Socket, Form::InOut, kInterface},
    IoctlRow{SIOCGIFMETRIC, On::Socket, Form::InOut, kInterface},
    IoctlRow{SIOCGIFMTU, On::Socket, Form::InOut, kInterface},
    IoctlRow{SIOCGIFTXQLEN, On::Socket, Form::InOut, kInterface},
    IoctlRow{SIOCGIFMAP, On::Socket, Form::InOut, kInterface},
};

const IoctlRow* find_row(std::uint32_t request) {
    for (const auto rows :
         {std::span<const IoctlRow>(kTerminalRows), std::span<const IoctlRow>(kFileRows),
          std::span<const IoctlRow>(kSocketRows)}) {
        const auto row = std::ranges::find(rows, request, &IoctlRow::request);
        if (row != rows.end()) return &*row;
    }
    return nullptr;
}

bool is_terminal(int host) {
    std::array<std::uint8_t, 64> settings{};  // the kernel's structure, not the C library's
    return syscall(SYS_ioctl, host, TCGETS, settings.data()) == 0;
}

bool belongs(int host, On on) {
    struct stat st {};
    if (on == On::Any) return true;
    if (fstat(host, &st) != 0) return false;
    switch (on) {
        case On::Terminal:
            return S_ISCHR(st.st_mode) && is_terminal(host);
        case On::Socket:
            return S_ISSOCK(st.st_mode);
        case On::File:
            return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode);
        case On::Block:
            return S_ISBLK(st.st_mode);
        case On::Character:
            return S_ISCHR(st.st_mode) && !is_terminal(host);
        case On::Any:
            break;
    }
    return true;
}

std::int64_t host_ioctl(const Call& call, int host, std::uint32_t request, std::uint64_t argument) {
    return call.blocking(SYS_ioctl, static_cast<std::uint64_t>(host), request, argument);
}

std::int64_t with_structure(Call& call, int host, const IoctlRow& row) {
    // Larger than any structure a driver might see behind one of these numbers.
    std::array<std::uint8_t, 4096> data{};
    const bool in = row.form != Form::Out, out = row.form == Form::Out || row.form == Form::InOut;
    if (in && !call.memory().read(call.arg[2], data.data(), row.size)) return -EFAULT;
    const std::int64_t result =
        host_ioctl(call, host, row.request, reinterpret_cast<std::uint64_t>(data.data()));
    if (result >= 0 && out && !call.memory().write(call.arg[2], data.data(), row.size))
        return -EFAULT;
    return result;
}

std::int64_t with_row(Call& call, int host, const IoctlRow& row) {
    switch (row.form) {
        case Form::Nothing:
            return host_ioctl(call, host, row.request, 0);
        case Form::Number:
            return host_ioctl(call, host, row.request, static_cast<std::uint32_t>(call.arg[2]));
        case Form::NewFile:
            return adopt_fd(
                call, host_ioctl(call, host, row.request, static_cast<std::uint32_t>(call.arg[2])));
        case Form::File:
            return host_ioctl(call, host, row.request, static_cast<std::uint64_t>(call.fd(2)));
        case Form::Process: {
            std::int32_t pid = 0;
            if (!call.get(call.arg[2], pid)) return -EFAULT;
            if (pid != 0 && !may_touch_process(call.process, pid < 0 ? -pid : pid)) return -EPERM;
            break;
        }
        default:
            break;
    }
    return with_structure(call, host, row);
}

// --- requests whose structures hold descriptors, addresses, or as many elements as they say ---

/// FICLONERANGE: the source is a descriptor.
std::int64_t clone_range(Call& call, int host) {
    file_clone_range range{};
    if (!call.get(call.arg[2], range)) return -EFAULT;
    range.src_fd = call.process.fds.host(static_cast<int>(range.src_fd));
    return host_ioctl(call, host, FICLONERANGE, reinterpret_cast<std::uint64_t>(&range));
}

/// FIDEDUPERANGE: one descriptor in each element.
std::int64_t dedupe_range(Call& call, int host) {
    file_dedupe_range head{};
    constexpr std::size_t kHead = sizeof head, kElement = sizeof(file_dedupe_range_info);
    constexpr std::size_t kMost = 127;  // what fits into a page, as on the host
    if (!call.get(call.arg[2], head)) return -EFAULT;
    if (head.dest_count > kMost) return -ENOMEM;
    std::vector<std::uint8_t> data(kHead + head.dest_count * kElement);
    if (!call.memory().read(call.arg[2], data.data(), data.size())) return -EFAULT;
    auto* range = reinterpret_cast<file_dedupe_range*>(data.data());
    range->dest_count = head.dest_count;
    std::vector<std::int64_t> numbers;
    for (unsigned i = 0; i < head.dest_count; ++i) {
        numbers.push_back(range->info[i].dest_fd);
        range->info[i].dest_fd = call.process.fds.host(static_cast<int>(numbers.back()));
    }
    const std::int64_t result =
        host_ioctl(call, host, FIDEDUPERANGE, reinterpret_cast<std::uint64_t>(data.data()));
    for (unsigned i = 0; i < head.dest_count; ++i) range->info[i].dest_fd = numbers[i];
    if (result >= 0 && !call.memory().write(call.arg[2], data.data(), data.size())) return -EFAULT;
    return result;
}

/// FS_IOC_FIEMAP: as many extents as there is room for.
std::int64_t map_extents(Call& call, int host) {
    struct fiemap head {};
    constexpr std::uint32_t kAtOnce = 1 << 14;  // whoever wants more asks again
    if (!call.get(call.arg[2], head)) return -EFAULT;
    const std::uint32_t room = std::min(head.fm_extent_count, kAtOnce);
    std::vector<std::uint8_t> data(sizeof head + room * sizeof(fiemap_extent));
    auto* map = reinterpret_cast<struct fiemap*>(data.data());
    *map = head;
    map->fm_extent_count = room;
    const std::int64_t result =
        host_ioctl(call, host, FS_IOC_FIEMAP, reinterpret_cast<std::uint64_t>(data.data()));
    if (result < 0 && result != -EBADR) return result;
    const std::uint32_t filled = room ? std::min(map->fm_mapped_extents, room) : 0;
    map->fm_extent_count = head.fm_extent_count;
    const std::size_t size = sizeof head + filled * sizeof(fiemap_extent);
    return call.memory().write(call.arg[2], data.data(), size) ? result : -EFAULT;
}

/// SIOCGIFCONF: the structure says where the interfaces are to be written.
std::int64_t list_interfaces(Call& call, int host) {
    struct List {
        std::int32_t length, unused;
        std::uint64_t buffer;
    } list{};
    constexpr std::int32_t kMost = 1 << 16;
    if (!call.get(call.arg[2], list)) return -EFAULT;
    if (list.length < 0) return -EINVAL;
    std::vector<std::uint8_t> data(static_cast<std::size_t>(std::min(list.length, kMost)));
    List request{static_cast<std::int32_t>(data.size()), 0,
                 list.buffer ? reinterpret_cast<std::uint64_t>(data.data()) : 0};
    const std::int64_t result =
        host_ioctl(call, host, SIOCGIFCONF, reinterpret_cast<std::uint64_t>(&request));
    if (result < 0) return result;
    const auto filled = std::min(static_cast<std::size_t>(request.length), data.size());
    if (list.buffer && !call.memory().write(list.buffer, data.data(), filled)) return -EFAULT;
    list.length = request.length;
    return call.put_result(call.arg[2], list);
}

struct SpecialRow {
    std::uint32_t request;
    On on;
    std::int64_t (*handler)(Call&, int host);
};
constexpr std::array kSpecial{
    SpecialRow{FICLONERANGE, On::File, clone_range},
    SpecialRow{FIDEDUPERANGE, On::File, dedupe_range},
    SpecialRow{FS_IOC_FIEMAP, On::File, map_extents},
    SpecialRow{SIOCGIFCONF, On::Socket, list_interfaces},
};

std::int64_t sys_ioctl(Call& call) {
    const int host = call.fd(0);
    const int flags = host < 0 ? -1 : fcntl(host, F_GETFL);
    if (flags < 0 || (flags & O_PATH)) return -EBADF;
    const auto request = static_cast<std::uint32_t>(call.arg[1]);
    if (const auto special = std::ranges::find(kSpecial, request, &SpecialRow::request);
        special != kSpecial.end())
        return belongs(host, special->on) ? special->handler(call, host) : -ENOTTY;
    const IoctlRow* row = find_row(request);
    return row && belongs(host, row->on) ? with_row(call, host, *row) : -ENOTTY;
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{54, "ioctl", {Fd, IoctlRequest, Ptr}, sys_ioctl},
};

}  // namespace

std::span<const SyscallRow> ioctl_rows() { return kRows; }

}  // namespace e2k::guest
