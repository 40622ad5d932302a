// One system call in progress, and the table that says what each number means. Private to
// engine/guest.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/guest/process_impl.h"
#include "engine/guest/syscalls/resolve.h"

namespace e2k::guest {

/// How an argument is shown in the log. "In" kinds are read before the call, "Out" kinds after it.
enum class Arg : std::uint8_t {
    None,
    Int,   ///< signed 32-bit
    UInt,  ///< unsigned 32-bit
    Long,  ///< signed 64-bit
    Hex,   ///< 64-bit hexadecimal
    Ptr,   ///< address, NULL
    Size,  ///< unsigned 64-bit
    Fd,
    DirFd,      ///< AT_FDCWD by name
    Path,       ///< quoted text
    Text,       ///< quoted text
    TextList,   ///< argv
    Mode,       ///< octal
    InBuffer,   ///< quoted bytes; the next argument is the length
    OutBuffer,  ///< quoted bytes; the result is the length
    IovIn,      ///< the next argument is the count
    IovOut,
    OpenFlags,
    AtFlags,
    AccessMode,
    Whence,
    Prot,
    MapFlags,
    RemapFlags,
    Advice,
    CloneFlags,
    FcntlCommand,
    IoctlRequest,
    FutexOp,
    MaskHow,
    Signal,
    SignalSetIn,
    SignalSetOut,
    ActionIn,
    ActionOut,
    Clock,
    ItimerWhich,
    TimespecIn,
    TimespecOut,
    TimevalIn,
    TimevalOut,
    ItimervalIn,
    ItimervalOut,
    ItimerspecIn,
    ItimerspecOut,
    StatOut,
    FdPairOut,
    WordOut,  ///< unsigned 32-bit in memory
    LongOut,  ///< signed 64-bit in memory
    WaitStatusOut,
    WaitOptions,
    PollFds,  ///< the next argument is the count
    Resource,
    RlimitIn,
    RlimitOut,
    UtsnameOut,
    SocketDomain,
    SocketType,
    SockaddrIn,  ///< the next argument is the length
    EpollOp,
    BacktraceOut,
};

/// An argument of Call::host(): the address of a host object, or a descriptor or number.
template <class T>
std::uint64_t word(T* pointer) {
    return reinterpret_cast<std::uint64_t>(pointer);
}
inline std::uint64_t word(std::int64_t number) { return static_cast<std::uint64_t>(number); }

struct Call {
    Process::Impl& process;
    Thread& thread;
    const cpu::Stop& stop;
    std::uint32_t number = 0;
    std::array<std::uint64_t, 6> arg{};
    Next next = Next::Continue;  ///< anything else: the guest does not go on after the call
    bool writes_result = true;   ///< false: the call has set the registers itself

    int integer(unsigned i) const { return static_cast<int>(arg[i]); }
    /// Host descriptor of a guest one; -1 makes the host answer EBADF.
    int fd(unsigned i) const { return process.fds.host(integer(i)); }
    AddressSpace& memory() const { return *process.memory; }
    /// For the kernel: null pointers stay null, addresses outside the guest's space become one that
    /// always faults, so the host answers EFAULT itself.
    std::uint64_t pointer(std::uint64_t address, std::uint64_t size) const;

    template <class T>
    bool get(std::uint64_t address, T& value) const {
        return memory().read(address, &value, sizeof value);
    }
    template <class T>
    bool put(std::uint64_t address, const T& value) const {
        return memory().write(address, &value, sizeof value);
    }
    /// 0, or -EFAULT.
    template <class T>
    std::int64_t put_result(std::uint64_t address, const T& value) const {
        return put(address, value) ? 0 : -EFAULT;
    }

    /// Host system call; value or -errno.
    static std::int64_t host(long number, std::uint64_t a = 0, std::uint64_t b = 0,
                             std::uint64_t c = 0, std::uint64_t d = 0, std::uint64_t e = 0,
                             std::uint64_t f = 0);
    /// The same for calls that may wait: signals and pauses cut it short with kRestart.
    std::int64_t blocking(long number, std::uint64_t a = 0, std::uint64_t b = 0,
                          std::uint64_t c = 0, std::uint64_t d = 0, std::uint64_t e = 0,
                          std::uint64_t f = 0) const;
    /// As blocking(), for calls that never restart after a handler.
    std::int64_t waiting(long number, std::uint64_t a = 0, std::uint64_t b = 0, std::uint64_t c = 0,
                         std::uint64_t d = 0, std::uint64_t e = 0, std::uint64_t f = 0) const;

    /// Waits of limited length. `issue` makes the host call with a relative time-out, of which
    /// `timed_out` is the result; where time is virtual, that is only as long as something else in
    /// the guest has to happen first, and then the time passes at once.
    std::int64_t wait_for(const timespec& left, std::int64_t timed_out,
                          const std::function<std::int64_t(const timespec&)>& issue) const;
    /// Time from now on until an absolute one of `clock`, never negative.
    timespec until(clockid_t clock, const timespec& end) const;

    /// The time of the host's `clock` at which a relative wait that begins now ends.
    static timespec host_end(clockid_t clock, const timespec& relative);

    /// Absolute end of a relative wait (CLOCK_MONOTONIC, or what has passed of virtual time), kept
    /// while the call is issued again.
    timespec deadline(const timespec& relative) const;
    /// Time left until deadline(), never negative.
    timespec remaining(const timespec& relative) const;
};

using Handler = std::int64_t (*)(Call&);

struct SyscallRow {
    std::uint16_t number;
    const char* name;
    std::array<Arg, 6> arguments;
    Handler handler;
};

/// Families of rows (one file each).
std::span<const SyscallRow> file_rows();
std::span<const SyscallRow> descriptor_rows();
std::span<const SyscallRow> ioctl_rows();
std::span<const SyscallRow> limit_rows();
std::span<const SyscallRow> directory_rows();
std::span<const SyscallRow> memory_rows();
std::span<const SyscallRow> process_rows();
std::span<const SyscallRow> identity_rows();
std::span<const SyscallRow> execute_rows();
std::span<const SyscallRow> thread_rows();
std::span<const SyscallRow> signal_rows();
std::span<const SyscallRow> time_rows();
std::span<const SyscallRow> poll_rows();
std::span<const SyscallRow> socket_rows();
std::span<const SyscallRow> ipc_rows();
std::span<const SyscallRow> elbrus_rows();
std::span<const SyscallRow> context_rows();
std::span<const SyscallRow> xattr_rows();
std::span<const SyscallRow> mqueue_rows();
std::span<const SyscallRow> pidfd_rows();
std::span<const SyscallRow> schedule_rows();
std::span<const SyscallRow> numa_rows();
std::span<const SyscallRow> aio_rows();
std::span<const SyscallRow> namespace_rows();
std::span<const SyscallRow> openat2_rows();
std::span<const SyscallRow> clone3_rows();
std::span<const SyscallRow> old_rows();
std::span<const SyscallRow> refused_rows();

/// Row of an ordinary (gate 3) or fast (gate 6) system call; nullptr: not implemented.
const SyscallRow* find_syscall(std::uint32_t number);
const SyscallRow* find_fast_call(std::uint32_t number);

/// Builds the argument text of a record around the call.
class ArgumentText {
public:
    ArgumentText(const SyscallRow* row, const Call& call);      ///< decodes what goes in
    std::string finish(const Call& call, std::int64_t result);  ///< adds what came out

private:
    const SyscallRow* row_;
    std::array<std::string, 6> parts_;
    unsigned count_ = 0;
};
/// "6", "0x4000801000", "-1 ENOENT (No such file or directory)".
std::string result_text(const SyscallRow* row, std::int64_t result);

// --- shared by several families ---

/// A path as the host must be asked for it. In the sandbox it stands for the very file or directory
/// that was judged, which it holds open.
class HostPath {
public:
    /// As it is written, relative to `dirfd`.
    HostPath(int dirfd, std::string path, std::string text = {});
    /// An entry of a directory, which is not to be followed.
    static HostPath entry(Handle directory, std::string name, std::string text);
    /// An open file.
    static HostPath file(Handle target, std::string text);
    int dirfd() const { return dirfd_; }
    const char* c_str() const { return path_.c_str(); }
    std::uint64_t pointer() const { return reinterpret_cast<std::uint64_t>(path_.c_str()); }
    /// What the guest means: free of links where it lies in /proc, else as it was written.
    const std::string& text() const { return text_; }
    bool pinned() const { return pinned_; }  ///< the last component must not be followed
    /// For calls that know no directory descriptors.
    std::string absolute() const;

private:
    Handle held_;
    int dirfd_ = -1;
    std::string path_, text_;
    bool pinned_ = false;
};

enum class Touch : std::uint8_t { Look, Change };
inline constexpr int kAtFdCwd = -100;

/// The path at guest address `address`, relative to guest descriptor `dirfd`. Touch::Change asks
/// the policy (EACCES). `follow`: a symbolic link at the end is meant to be followed.
tl::expected<HostPath, int> host_path(const Call& call, int dirfd, std::uint64_t address,
                                      Touch touch, bool follow = true);
/// The same for a name that does not come from guest memory.
tl::expected<HostPath, int> host_path(const Call& call, int dirfd, std::string name, Touch touch,
                                      bool follow = true);
/// The file behind descriptor `fd` of the guest, for calls that change its mode, owner, times or
/// attributes. The sandbox wants it open for writing and below a writable directory, or of the
/// guest's own making (EACCES).
tl::expected<HostPath, int> host_file(const Call& call, int fd);
/// open(2) with everything special: policy, /proc files that must speak of the guest.
std::int64_t open_file(Call& call, int dirfd, std::uint64_t path, std::uint64_t flags,
                       std::uint64_t mode);
/// The same in the sandbox for a path that has been resolved.
std::int64_t open_place(Call& call, Place place, std::uint64_t flags, std::uint64_t mode);
/// True for files through which a guest could reach the workbench's own memory. `fd` is a host
/// descriptor.
bool forbidden_file(int fd);
/// True if the policy lets the guest signal or inspect `pid`.
bool may_touch_process(const Process::Impl& process, int pid);
/// The same for this signal: a child of a guest beside a window may not end or stop the window.
bool may_signal(const Process::Impl& process, int pid, int signal);
/// An absolute path without "//", "." and "..", which below /proc mean what they seem.
std::string plain_path(const std::string& path);
/// Whether that is the guest's own memory, seen as a file.
bool is_memory_file(const Process::Impl& process, const std::string& path);
/// Text of a /proc file that must describe the guest, or nullopt: the host's own will do.
std::optional<std::string> guest_proc_file(Process::Impl& process, const std::string& path);

/// Guest iovec array → host one; parts outside the guest's space become pointers that fault.
tl::expected<std::vector<iovec>, int> guest_iovec(const Call& call, std::uint64_t address,
                                                  std::uint64_t count);
/// `bytes` have been received into the parts of `vector`.
void note_iovec(const Call& call, const std::vector<iovec>& vector, std::int64_t bytes);

/// Arguments of clone (120) and clone2 (229).
struct CloneRequest {
    std::uint64_t flags = 0;
    std::uint64_t stack = 0;         ///< new SP, 0 = keep
    std::uint64_t stack_bottom = 0;  ///< 0 = the mapping that holds the stack
    std::uint64_t parent_tid = 0, child_tid = 0, tls = 0;
    /// Not 0: a thread of the C library bridge, which begins here with two arguments.
    std::uint64_t entry = 0;
    std::array<std::uint64_t, 2> arguments{};
    std::shared_ptr<libc::ThreadData> library = {};
};
/// The call that `request` asks for: a thread or a process.
std::int64_t clone_guest(Call& call, const CloneRequest& request);
/// A new host process with a copy of the guest; pid in the parent, 0 in the child.
std::int64_t fork_guest(Call& call, const CloneRequest& request);

/// For rt_sigqueueinfo and its like: what a sender may fill in.
siginfo_t siginfo_to_host(const SiginfoE2k& info);

/// The mask of rt_sigsuspend, ppoll and pselect6: in force while the call waits. If a handler runs,
/// it is the handler's frame that restores the old one.
class TemporaryMask {
public:
    TemporaryMask(Call& call, std::uint64_t mask);
    /// Passes the result on; restores the mask unless a signal is about to be delivered.
    std::int64_t after(std::int64_t result) const;

private:
    Thread::SignalState& signals_;
};

/// prctl of what is the process's own business; personality (process_state.cpp).
std::int64_t process_option(Call& call);
std::int64_t sys_personality(Call& call);
/// signalfd and signalfd4 (signal_descriptors.cpp).
std::int64_t sys_signalfd4(Call& call);
/// read(2) of such a descriptor; nullopt: it is another one.
std::optional<std::int64_t> read_signal_descriptor(Call& call, int fd, std::uint64_t address,
                                                   std::uint64_t length);

// Fast calls that look at the chain stack or the signal mask (elbrus_calls.cpp,
// context_calls.cpp).
std::int64_t fast_siggetmask(Call& call);
std::int64_t fast_getcontext(Call& call);
std::int64_t fast_set_return(Call& call);

/// Opens /proc/self/mem (memory_file.cpp).
std::int64_t open_memory_file(Call& call, std::uint64_t flags);
/// A read or write of the call's first argument, should it be such a descriptor.
struct MemoryFileUse {
    std::uint64_t buffer = 0, length = 0;  ///< the caller's
    bool writes = false;
    std::optional<std::int64_t> position = {};  ///< none: the descriptor's, which moves on
};
/// nullopt: it is another file.
std::optional<std::int64_t> use_memory_file(Call& call, const MemoryFileUse& use);

/// getdents of /proc/self/fd, fdinfo or task; nullopt: the directory is another one.
std::optional<std::int64_t> list_descriptors(const Call& call);

/// What a change of the guest's mappings does to the sums that RLIMIT_AS and RLIMIT_DATA limit.
struct MemoryGrowth {
    std::uint64_t bytes = 0;  ///< more mapped
    bool data = false;        ///< private and writable
    /// Whatever is mapped here goes.
    std::uint64_t replaced_begin = 0, replaced_end = 0;
};
/// False if a limit of the guest forbids it.
bool within_limits(const Process::Impl& process, const MemoryGrowth& growth);

/// read(2) and write(2) of the guest's descriptor `fd` with memory of the workbench (the buffers of
/// the C library bridge).
std::int64_t read_to_host(Call& call, int fd, void* to, std::size_t size);
std::int64_t write_from_host(Call& call, int fd, std::string_view bytes);

/// Result of a host call that made a descriptor: put it into the guest's table.
std::int64_t adopt_fd(const Call& call, std::int64_t host);

}  // namespace e2k::guest
