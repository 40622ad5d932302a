// The C library that the workbench stands in for: its code and data in the guest, and what it
// remembers on the host side, where no guest can reach it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/guest/address_space.h"
#include "engine/guest/libc/core/heap.h"
#include "engine/guest/libc/core/random.h"
#include "engine/guest/libc/core/zone.h"
#include "engine/guest/libc/row.h"
#include "engine/guest/libc/stubs.h"
#include "engine/guest/loader/linker.h"

namespace e2k::guest::libc {

/// What a thread has of the library. The first fields never change after its start.
struct ThreadData {
    std::uint64_t pointer = 0;                    ///< %g13; also its pthread_t
    std::uint64_t mapping = 0, mapping_size = 0;  ///< stack and thread-local storage; 0: the first
    // Guarded by Library::thread_mutex.
    std::uint64_t result = 0;  ///< of its start routine
    bool detached = false, ended = false;
    std::map<std::uint32_t, std::uint64_t> keys;  ///< pthread_setspecific
    // The thread's own.
    unsigned destructors_called = 0;
    std::uint64_t retaking = 0;  ///< pthread_cond_wait: the mutex it is taking back
    int wait_error = 0;          ///< what that will return
    /// Processes that calls of the shell wait for, by LibraryCall::place_of_call().
    std::map<std::uint64_t, std::int64_t> children;
    std::string dynamic_error;  ///< what dlerror tells next

    // Below the thread pointer.
    static constexpr std::uint64_t kErrno = 0x20, kTid = 0x28, kHostErrno = 0x48;
    /// 64 bytes for system calls that answer in memory.
    std::uint64_t scratch_address() const { return pointer - 0xf0; }
    std::uint64_t errno_address() const { return pointer - kErrno; }
    std::uint64_t h_errno_address() const { return pointer - kHostErrno; }
    /// A word that is the thread's number until it has ended; then 0, and a futex wakes.
    std::uint64_t tid_address() const { return pointer - kTid; }
};

/// Functions to call when the program ends.
struct ExitHandler {
    std::uint64_t function = 0, argument = 0, object = 0;
    bool with_status = false;  ///< on_exit: (status, argument)
};

struct Streams;      // streams.h
struct HostObjects;  // host_objects.h

class Library final : public loader::Definitions {
public:
    ~Library() override;
    /// Maps the bridge's code and data.
    static tl::expected<std::unique_ptr<Library>, std::string> create(AddressSpace& memory);

    // --- loader::Definitions ---
    bool stands_for(std::string_view library) const override;
    std::optional<std::uint64_t> function(std::string_view name, std::string_view version) override;
    std::optional<Object> object(std::string_view name) const override;
    void move_object(std::string_view name, std::uint64_t address) override;
    std::uint64_t missing(std::string_view name) override;
    std::uint64_t blank(std::uint64_t size) override;
    std::uint64_t debug_address() const override { return debug_; }

    /// Writes the stubs made so far; after that each new one is written at once.
    bool finish_stubs();
    /// True if `ip` is an address behind some bundle of the bridge.
    bool holds(std::uint64_t ip) const {
        return ip > kBridgeBase && ip < kBridgeBase + kBridgeSize;
    }
    /// Names of the functions, for listings and back traces.
    std::vector<Symbol> symbols() const;
    Section section() const;
    /// Entry of the bridge's own code.
    std::uint64_t address_of(std::string_view name) const;
    /// What row `number` ≥ kFirstMissing stands for.
    std::string missing_name(std::uint32_t number) const;
    /// Where variable `name` is now.
    std::uint64_t variable(std::string_view name) const;

    /// Memory of a thread: what lies below its pointer, and its thread-local blocks, in
    /// [begin, begin + thread_area_size()). Returns the thread pointer.
    std::uint64_t thread_area_size() const;
    std::optional<std::uint64_t> make_thread_area(std::uint64_t begin);
    /// Gives all threads the blocks of modules that have come since. (link_mutex)
    bool add_thread_blocks(std::size_t first_module);
    void set_stack_guard(std::uint64_t guard) { stack_guard_ = guard; }

    loader::Linked linked;  ///< what the linker has found; link_mutex once the program runs
    std::unique_ptr<loader::LinkedProgram> program;
    std::mutex link_mutex;
    /// Calls of dlopen whose resolvers and constructors are running. (link_mutex)
    std::map<std::uint64_t, loader::Startup> openings;
    std::uint64_t next_opening = 1;

    // --- beginning and end (start_rows.cpp) ---
    std::mutex exit_mutex;
    std::vector<ExitHandler> exit_handlers;
    std::size_t next_main = 0, next_finish = 0;
    std::vector<std::uint64_t> main_calls;  ///< constructors of the program, then main
    std::uint64_t argc = 0, argv = 0, envp = 0;

    /// Objects that functions return the address of.
    static constexpr std::uint64_t kStaticTime = 0, kStaticZone = 64, kStaticText = 128,
                                   kStaticToken = 256, kStaticOptions = 264, kStaticLocale = 288,
                                   kStaticDomain = 304, kStaticLangInfo = 320,
                                   kStaticConventions = 384, kStaticMessage = 512, kStaticDot = 640,
                                   kStaticSize = 704;
    std::uint64_t statics = 0;

    MappedPages pages;
    Heap heap;
    RandomSequence random;
    std::unique_ptr<Streams> streams;  ///< FILEs
    std::unique_ptr<HostObjects> objects;

    /// The time zone of the guest's TZ (time_rows.cpp), and where names of zones are kept.
    struct Clock {
        std::mutex mutex;
        std::optional<std::string> tz;
        std::shared_ptr<const Zone> zone;
        std::map<std::string, std::uint64_t> names;
    } clock;
    /// Blocks that functions return, by the name of the function's family.
    std::map<std::string_view, std::uint64_t> kept_blocks;  ///< thread_mutex
    /// Where functions that go through a file are, by family.
    std::map<std::string_view, std::uint64_t> positions;  ///< thread_mutex
    int password_lock = -1;                               ///< lckpwdf; thread_mutex
    struct SystemLog {
        std::string name;
        int options = 0, facility = 1 << 3, mask = 0xff;  ///< as openlog, setlogmask
    } system_log;                                         ///< thread_mutex

    // --- threads (thread_rows.cpp) ---
    std::mutex thread_mutex;
    std::map<std::uint64_t, std::shared_ptr<ThreadData>> threads;  ///< by thread pointer
    struct Key {
        bool used = false;
        std::uint64_t destructor = 0;
    };
    std::vector<Key> keys;
    std::map<std::uint64_t, std::int64_t> commands;  ///< processes of popen by their FILE

    /// Held over fork.
    void lock_for_fork();
    void unlock_after_fork(bool in_child, std::uint32_t thread);

private:
    explicit Library(AddressSpace& memory);
    std::uint64_t make_stub(std::string name, std::string_view pattern, std::uint32_t number);
    bool make_objects();
    /// Initial values of the modules from `first` on. (link_mutex once the program runs)
    bool fill_thread_blocks(std::uint64_t pointer, std::size_t first);

    AddressSpace& memory_;
    mutable std::mutex stub_mutex_;
    std::vector<std::uint8_t> code_;
    std::size_t written_ = 0;  ///< of code_
    bool finished_ = false;
    std::map<std::string, std::uint64_t, std::less<>> functions_;
    std::vector<std::string> missing_;
    struct Variable {
        std::uint64_t address = 0, size = 0;
    };
    std::map<std::string, unsigned, std::less<>> variable_names_;
    std::vector<Variable> variables_;
    std::uint64_t next_data_ = kDataBase, debug_ = 0;
    std::array<std::uint64_t, 3> ctype_{};  ///< tables of <ctype.h>
    std::uint64_t stack_guard_ = 0;
};

}  // namespace e2k::guest::libc
