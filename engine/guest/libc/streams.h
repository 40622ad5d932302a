// FILEs of the guest: stdio on its descriptors.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "engine/guest/libc/core/stdio.h"
#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {

/// System calls on descriptors for the call in progress (LibraryCall::current()).
class DescriptorIo final : public StreamIo {
public:
    Outcome<std::size_t> read(int fd, void* to, std::size_t size) override;
    Outcome<std::size_t> write(int fd, const void* from, std::size_t size) override;
    Outcome<std::int64_t> seek(int fd, std::int64_t offset, int whence) override;
    Outcome<void> close(int fd) override;
    Kind kind(int fd) override;
    bool interrupted() override;
};

struct Streams {
    Streams(GuestMemory memory, Heap& heap) : stdio(memory, heap, io) {}
    DescriptorIo io;
    Stdio stdio;
};

/// With stdin, stdout and stderr at `objects`; null: no memory.
std::unique_ptr<Streams> make_streams(AddressSpace& memory, Heap& heap,
                                      const std::array<std::uint64_t, 3>& objects);
void lock_streams(Streams& streams);
void unlock_streams(Streams& streams, bool in_child, std::uint32_t thread);

/// Who makes this call, for functions of Stdio.
Caller caller_of(const LibraryCall& call);

}  // namespace e2k::guest::libc
