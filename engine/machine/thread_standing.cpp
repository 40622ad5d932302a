#include "engine/machine/thread_standing.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace e2k::machine {
namespace {

constexpr int kIoOfProcess = 1;  // IOPRIO_WHO_PROCESS; 0 is the calling thread

}  // namespace

ThreadStanding::ThreadStanding()
    : policy_(sched_getscheduler(0)),
      io_priority_(syscall(SYS_ioprio_get, kIoOfProcess, 0)),
      timer_slack_(prctl(PR_GET_TIMERSLACK)) {
    sched_getaffinity(0, sizeof processors_, &processors_);
}

void ThreadStanding::restore() const {
    const bool ordinary = policy_ == SCHED_OTHER || policy_ == SCHED_BATCH || policy_ == SCHED_IDLE;
    const sched_param none{};
    if (ordinary && sched_getscheduler(0) != policy_) sched_setscheduler(0, policy_, &none);
    if (CPU_COUNT(&processors_) != 0) sched_setaffinity(0, sizeof processors_, &processors_);
    if (io_priority_ >= 0) syscall(SYS_ioprio_set, kIoOfProcess, 0, io_priority_);
    if (timer_slack_ > 0) prctl(PR_SET_TIMERSLACK, timer_slack_);
}

}  // namespace e2k::machine
