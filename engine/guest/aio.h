// Contexts of asynchronous input and output (io_setup).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>

namespace e2k::guest {

/// struct io_event
struct AioEvent {
    std::uint64_t data = 0, iocb = 0;
    std::int64_t result = 0, result2 = 0;
};
static_assert(sizeof(AioEvent) == 32);

/// What has been submitted is done at once, so a context only keeps results until they are fetched.
struct AioContext {
    ~AioContext();
    std::deque<AioEvent> done;
    std::size_t limit = 0;  ///< nr_events of io_setup
    int ready = -1;         ///< eventfd: readable while `done` is not empty
};

/// By the address of a page that stands for the context: C libraries look for the kernel's ring
/// there, find none and make the call.
struct AioContexts {
    std::mutex mutex;
    int owner = 0;  ///< process that made them: a forked child has none
    std::map<std::uint64_t, std::shared_ptr<AioContext>> all;
};

}  // namespace e2k::guest
