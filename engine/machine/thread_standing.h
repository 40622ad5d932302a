// How the host schedules a thread: what a guest may change on the thread that executes it, and the
// next guest must not find.
#pragma once

#include <sched.h>

namespace e2k::machine {

/// That of the calling thread, as it is now.
class ThreadStanding {
public:
    ThreadStanding();
    /// Gives it back to the calling thread.
    void restore() const;

private:
    cpu_set_t processors_{};
    int policy_ = 0;
    long io_priority_ = 0, timer_slack_ = 0;
};

}  // namespace e2k::machine
