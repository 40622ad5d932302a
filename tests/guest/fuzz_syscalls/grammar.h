// Arguments for system calls, made from the kinds that the rows of the table give.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/guest/process.h"
#include "engine/guest/syscalls/call.h"
#include "tests/guest/fuzz_syscalls/random.h"

namespace e2k::guest::fuzz {

/// What the guest finds around it; everything in `outside` must stay as it is.
struct Surroundings {
    std::string scratch;         ///< the directory that the guest may change
    std::string outside;         ///< a directory of the same user that it may not
    std::vector<int> processes;  ///< of the same user, not the guest's
    std::vector<int> shm_ids, sem_ids, msg_ids;
    std::uint16_t port = 0;      ///< a listener at 127.0.0.1
    bool all_processes = false;  ///< -1 may be used as a process number: nothing else can be hit
};

/// Memory of the host, all zero, whose address is given to the guest's calls.
std::array<std::uint64_t, 64>& host_memory();
/// Addresses that are no good: null, unmapped, outside of the guest's space, the kernel's, the
/// host's.
std::vector<std::uint64_t> bad_addresses();

class Grammar {
public:
    Grammar(Process& process, const Surroundings& around, Random& random);

    std::array<std::uint64_t, 6> arguments(const SyscallRow& row);
    /// Remembers what a call has given: identifiers, contexts, addresses.
    void learn(const SyscallRow& row, const std::array<std::uint64_t, 6>& made,
               std::int64_t result);
    /// The same, all of them of the good kind.
    std::array<std::uint64_t, 6> harmless(const SyscallRow& row);
    /// An address whose object runs over the end of the mapped page.
    std::uint64_t page_end() const { return arena_ + kArena - 1; }
    /// True if the kind is an address.
    static bool is_address(Arg kind);

private:
    static constexpr std::uint64_t kArena = 64 << 10, kSlot = 4096;

    void renew_arena();
    std::uint64_t argument(const SyscallRow& row, unsigned index);
    std::uint64_t address(const SyscallRow& row, unsigned index);
    std::uint64_t number();
    std::uint64_t size();
    std::uint64_t process_number();
    std::uint64_t descriptor();
    /// Arguments that have one good value in a certain call, or one out of those learnt.
    std::optional<std::uint64_t> expected(const SyscallRow& row, unsigned index);
    std::uint64_t flags_of(const SyscallRow& row, unsigned index);
    std::string path();
    std::string text();

    std::uint64_t slot();
    std::uint64_t store(const void* bytes, std::size_t size);
    std::uint64_t store_text(const std::string& text);
    std::uint64_t store_words();
    std::uint64_t store_vector();
    std::uint64_t store_message(unsigned count);
    std::uint64_t store_socket_address();
    /// Structures that are not worth much when filled at random; 0: none is known.
    std::uint64_t store_known(std::uint16_t number, unsigned index);

    Process& process_;
    const Surroundings& around_;
    Random& random_;
    std::uint64_t arena_ = 0;
    std::vector<std::uint64_t> shm_, sem_, msg_, contexts_, attached_;
    bool good_ = false;  ///< harmless(): no bad addresses, small numbers
};

}  // namespace e2k::guest::fuzz
