#include "engine/guest/libc/streams.h"

#include <sys/stat.h>
#include <unistd.h>

namespace e2k::guest::libc {
namespace {

constexpr std::uint32_t kClose = 6, kLseek = 19;

Outcome<std::size_t> transferred(LibraryCall& call, std::int64_t result) {
    if (result == kRestart || result == kRestartNoHand) {
        call.restartable = result == kRestart;
        return interrupted();
    }
    if (result < 0) return error(static_cast<int>(-result));
    return static_cast<std::size_t>(result);
}

}  // namespace

Outcome<std::size_t> DescriptorIo::read(int fd, void* to, std::size_t size) {
    LibraryCall& call = LibraryCall::current();
    return transferred(call, read_to_host(call.system, fd, to, size));
}

Outcome<std::size_t> DescriptorIo::write(int fd, const void* from, std::size_t size) {
    LibraryCall& call = LibraryCall::current();
    return transferred(call,
                       write_from_host(call.system, fd, {static_cast<const char*>(from), size}));
}

Outcome<std::int64_t> DescriptorIo::seek(int fd, std::int64_t offset, int whence) {
    return LibraryCall::current().kernel(kLseek, word(fd), word(offset), word(whence));
}

Outcome<void> DescriptorIo::close(int fd) {
    return LibraryCall::current().kernel(kClose, word(fd)).map([](std::int64_t) {});
}

StreamIo::Kind DescriptorIo::kind(int fd) {
    const Process::Impl& process = LibraryCall::current().system.process;
    const int host = process.fds.host(fd);
    Kind kind;
    struct stat st {};
    // The streams of a window are pipes to the workbench and behave like terminals.
    const bool window = process.pump && !process.forked && process.fds.stream(fd) >= 0;
    if (window || isatty(host))
        kind.terminal = true;
    else if (fstat(host, &st) == 0 && st.st_blksize > 0)
        kind.block = static_cast<std::uint32_t>(st.st_blksize);
    return kind;
}

bool DescriptorIo::interrupted() {
    const Thread::SignalState& signals = *LibraryCall::current().system.thread.signals;
    return signals.wake.load() != 0 || signals.pause.load();
}

std::unique_ptr<Streams> make_streams(AddressSpace& memory, Heap& heap,
                                      const std::array<std::uint64_t, 3>& objects) {
    auto streams = std::make_unique<Streams>(GuestMemory(memory), heap);
    if (!streams->stdio.open_standard(objects)) return nullptr;
    return streams;
}

void lock_streams(Streams& streams) { streams.stdio.lock_for_fork(); }
void unlock_streams(Streams& streams, bool in_child, std::uint32_t thread) {
    streams.stdio.unlock_after_fork(in_child, thread);
}

Caller caller_of(const LibraryCall& call) { return {call.system.thread.tid, call.place_of_call()}; }

}  // namespace e2k::guest::libc
